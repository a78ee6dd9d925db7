"""A model server on this machine that speaks three wire formats, answers what a test says, and fails when told to."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType, TracebackType
from typing import Literal, NoReturn

import orjson
from aiohttp import web

from maieutic.testing.canned import CannedReply, Family, ParsedRequest, tokens
from maieutic.testing.faults import Fault, FaultPlan
from maieutic.testing.fitting import fit_text
from maieutic.testing.formats import FORMATS, WireFormat

__all__ = ["LoopbackServer", "Received"]

Reply = Callable[[ParsedRequest], str | CannedReply]


@dataclass(slots=True)
class Received:
    """What a server has seen so far.

    Attributes:
        total: Chat requests.
        in_flight: Requests being answered now; `most_in_flight` is the highest it ever was.
        cancelled: Requests whose client went away before the end of the reply.
        answered: Replies sent to their end, faults not among them.
        by_body: How often each body was sent, by its SHA-256 in hex.
        bodies: The chat requests' bodies in order of arrival, unless the server was told to forget them.
        requests: The same requests, parsed.
    """

    total: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    cancelled: int = 0
    answered: int = 0
    by_body: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    requests: list[ParsedRequest] = field(default_factory=list)


def echo(request: ParsedRequest) -> str:
    """The default reply: what was read, so that equal requests get equal replies and different ones differ."""
    words = request.messages[-1].content.split()
    return f"I read {len(request.messages)} messages; the last one ends: {' '.join(words[-8:])}"


class LoopbackServer:
    """A chat server on 127.0.0.1 and a free port, for tests and benchmarks.

    It speaks OpenAI's chat completions (``POST …/chat/completions``, ``GET …/models``), Anthropic's messages
    (``POST …/messages``) and Gemini's generateContent, streaming and not. Use it as ``async with`` in the running loop,
    or as ``with`` in a thread of its own, for subprocesses and benchmarks.

    Args:
        reply: What to answer; by default, something that follows from the request alone.
        faults: Which request goes wrong, and how (see maieutic.testing.faults).
        latency: Seconds before each reply.
        schema: Whether a JSON schema is enforced, ignored with HTTP 200 as some servers do, or refused with 400.
        logprobs: Whether log-probabilities are given when asked for, or refused with 400.
        choices: Whether as many choices are given as are asked for (`n`, not in streams), one with HTTP 200 as some
            servers do, or none with 400. `reply` is asked for each of them.
        streams: Whether a stream is given when asked for; else the whole reply comes at once.
        stream_usage: Whether streams end with usage.
        models: The models that exist; None means every name does.
        keys: The API keys that are accepted; None means any, or none.
        pages: What other addresses answer, by path: "/metrics", "/version", or "/v1/models" in another's words.
        keep: Whether received bodies are kept. A benchmark of a million calls says no.
    """

    def __init__(
        self,
        reply: Reply = echo,
        *,
        faults: FaultPlan = (),
        latency: float = 0.0,
        schema: Literal["enforce", "ignore", "refuse"] = "enforce",
        logprobs: bool | Literal["refuse"] = True,
        choices: Literal["share", "ignore", "refuse"] = "share",
        streams: bool = True,
        stream_usage: bool = True,
        models: Collection[str] | None = None,
        keys: Collection[str] | None = None,
        pages: Mapping[str, str] = MappingProxyType({}),
        keep: bool = True,
    ) -> None:
        self._reply = reply
        self._faults = faults
        self._latency = latency
        self._schema = schema
        self._logprobs = logprobs
        self._choices = choices
        self._streams = streams
        self._stream_usage = stream_usage
        self._models = models
        self._keys = keys
        self._pages = pages
        self._keep = keep
        self._runner: web.ServerRunner | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.received = Received()
        self.url = ""

    def base(self, family: Family) -> str:
        """The address to give as `api_base` for models of one format."""
        return {"openai": f"{self.url}/v1", "anthropic": self.url, "gemini": f"{self.url}/v1beta"}[family]

    async def __aenter__(self) -> LoopbackServer:
        self._runner = web.ServerRunner(web.Server(self._serve, handler_cancellation=True), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=4096)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def __enter__(self) -> LoopbackServer:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback-server", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.__aenter__(), self._loop).result(timeout=10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._thread is not None
        asyncio.run_coroutine_threadsafe(self.__aexit__(None, None, None), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if request.method == "GET" and path in self._pages:
            return web.Response(text=self._pages[path])
        if request.method == "GET" and path.endswith("/models"):
            return self._list_models(request)
        family = _family(path)
        if request.method != "POST" or family is None:
            return web.Response(status=404, text=f"no such address: {request.method} {path}")
        seen = self.received
        seen.in_flight += 1
        seen.most_in_flight = max(seen.most_in_flight, seen.in_flight)
        try:
            return await self._chat(request, family)
        except (asyncio.CancelledError, ConnectionError):
            seen.cancelled += "aborted" not in request
            raise asyncio.CancelledError from None  # what aiohttp takes in silence
        finally:
            seen.in_flight -= 1

    def _list_models(self, request: web.BaseRequest) -> web.Response:
        wire = FORMATS["anthropic" if "x-api-key" in request.headers else "openai"]
        if not self._may_enter(request):
            return _json(wire.error(401, "invalid API key"), 401)
        names = sorted(self._models or ["loopback"])
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "loopback"} for name in names]
        gemini = [{"name": f"models/{name}"} for name in names]
        return _json(orjson.dumps({"object": "list", "data": listed, "models": gemini}))

    def _may_enter(self, request: web.BaseRequest) -> bool:
        headers = request.headers
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        given = headers.get("x-api-key") or headers.get("x-goog-api-key") or request.query.get("key") or bearer
        return self._keys is None or given in self._keys

    async def _chat(self, request: web.BaseRequest, family: Family) -> web.StreamResponse:
        wire = FORMATS[family]
        body = await request.content.read()  # aiohttp's own reading refuses more than a megabyte
        parsed = self._parse(request, family, body)
        fault = self._fault(parsed.number)
        seconds = self._latency + (fault.seconds if fault is not None else 0.0)
        if seconds:
            await asyncio.sleep(seconds)
        refused = self._refusal(request, wire, parsed)
        if refused is not None:
            return refused
        canned = self._canned(parsed)
        if fault is not None and fault.kind != "slow":
            return await self._fail(request, wire, parsed, canned, fault)
        if parsed.stream:
            begin, finish = wire.events(parsed, canned)
            response = await self._stream(request, begin + finish)
        else:
            others = [self._canned(replace(parsed, choice=i)) for i in range(1, parsed.n)]
            response = _json(wire.reply(parsed, canned, *others))
        self.received.answered += 1
        return response

    def _parse(self, request: web.BaseRequest, family: Family, body: bytes) -> ParsedRequest:
        seen = self.received
        number, seen.total = seen.total, seen.total + 1
        raw = orjson.loads(body)
        fields = FORMATS[family].read(request.path, raw)
        fields["stream"] = fields["stream"] and self._streams
        fields["usage"] = fields.get("usage", True) and self._stream_usage
        if not self._logprobs:
            fields["logprobs"] = None
        if self._choices == "ignore":
            fields["n"] = 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        parsed = ParsedRequest(family=family, params=raw, headers=headers, number=number, **fields)
        if self._keep:
            seen.by_body[hashlib.sha256(body).hexdigest()] += 1
            seen.bodies.append(body)
            seen.requests.append(parsed)
        return parsed

    def _fault(self, number: int) -> Fault | None:
        if callable(self._faults):
            return self._faults(number)
        return self._faults[number] if number < len(self._faults) else None

    def _refusal(self, request: web.BaseRequest, wire: WireFormat, parsed: ParsedRequest) -> web.Response | None:
        if not self._may_enter(request):
            return _json(wire.error(401, "invalid API key"), 401)
        if self._models is not None and parsed.model not in self._models:
            return _json(wire.error(404, f"The model `{parsed.model}` does not exist."), 404)
        if parsed.schema is not None and self._schema == "refuse":
            return _json(wire.error(400, "response_format is not supported"), 400)
        if parsed.logprobs is not None and self._logprobs == "refuse":
            return _json(wire.error(400, "logprobs are not supported"), 400)
        if parsed.n > 1 and self._choices == "refuse":
            return _json(wire.error(400, "n must be 1"), 400)
        return None

    def _canned(self, parsed: ParsedRequest) -> CannedReply:
        made = self._reply(parsed)
        canned = CannedReply(made) if isinstance(made, str) else made
        text, finish = canned.text, canned.finish
        if parsed.schema is not None and (self._schema == "enforce" or parsed.tool is not None):
            text = fit_text(parsed.schema, text)
        for mark in parsed.stop:
            text = text.partition(mark)[0]
        pieces = tokens(text)
        if parsed.max_tokens is not None and len(pieces) > parsed.max_tokens and parsed.tool is None:
            text, finish = "".join(pieces[: parsed.max_tokens]), "length"
        return replace(canned, text=text, finish=finish)

    async def _stream(self, request: web.BaseRequest, events: list[bytes], cut: bool = False) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        for data in events:
            await response.write(data)
        if cut:
            _abort(request)
        await response.write_eof()
        return response

    async def _fail(
        self, request: web.BaseRequest, wire: WireFormat, parsed: ParsedRequest, canned: CannedReply, fault: Fault
    ) -> web.StreamResponse:
        if fault.kind == "status" or (fault.kind == "stream_error" and not parsed.stream):
            return _json(wire.error(fault.code, fault.message), fault.code, dict(fault.headers))
        if fault.kind == "drop":
            _abort(request)
        if not parsed.stream:
            return await self._fail_whole(request, wire.reply(parsed, canned), fault)
        begin, finish = wire.events(parsed, canned)
        if fault.kind == "malformed":
            return await self._stream(request, [*begin[:-1], b'data: {"broken": \n\n', *finish])
        if fault.kind == "stream_error":
            name = b"event: error\n" if parsed.family == "anthropic" else b""
            broken = name + b"data: " + wire.error(fault.code, fault.message) + b"\n\n"
            return await self._stream(request, [*begin[:-1], broken])
        return await self._stream(request, begin, cut=fault.kind == "cut_body")

    async def _fail_whole(self, request: web.BaseRequest, body: bytes, fault: Fault) -> web.StreamResponse:
        half = body[: len(body) // 2]
        if fault.kind in ("malformed", "truncated"):
            return _json(half)
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(half)
        _abort(request)


def _family(path: str) -> Family | None:
    if path.endswith("/chat/completions"):
        return "openai"
    if path.endswith("/messages"):
        return "anthropic"
    return "gemini" if path.endswith((":generateContent", ":streamGenerateContent")) else None


def _json(body: bytes, code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=code, headers={"Content-Type": "application/json", **(headers or {})})


def _abort(request: web.BaseRequest) -> NoReturn:
    """Break the connection, as a crashed server does, and end the request."""
    request["aborted"] = True
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
