"""The journal's layer: no reply is bought twice, and none is used before it is written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Literal, Protocol
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from maieutic.backends.layers import Layer, by_person, usage_to_json
from maieutic.backends.retry import CallFailed
from maieutic.backends.types import Attempt, LLMReply, LLMRequest, TextDelta, TextSink, TokenLogprob, ToolCall, Usage
from maieutic.errors import ModelError, ReplayMiss
from maieutic.memory.difference import explain_miss
from maieutic.memory.entries import Entry, fingerprint

__all__ = [
    "Journaled",
    "Records",
    "Replay",
    "attempts_from_json",
    "never",
    "reply_from_json",
    "reply_to_json",
    "request_to_json",
    "schema_of",
    "schema_text",
]

Replay = Literal["off", "resume", "only"]
"""Whether the journal answers: "off" never, "resume" what it knows, "only" everything or the run fails."""

_FREE = Usage(prompt=0, completion=0, cached=0, reasoning=0)
_schemas: WeakKeyDictionary[type[BaseModel], tuple[dict[str, Any], str]] = WeakKeyDictionary()


class Records(Protocol):
    """What a gateway needs of a journal; `maieutic.memory.journal.Journal` is one."""

    def find(self, run: str, at: str) -> Entry | None:
        """The entry at this address of the run."""
        ...

    def cached(self, fingerprint: str) -> Entry | None:
        """An entry with this fingerprint, of any run."""
        ...

    def nearest(self, run: str, entry: Entry) -> Entry | None:
        """The recorded entry most like this one."""
        ...

    async def record(self, run: str, entry: Entry) -> None:
        """Keep the entry for good; done when it is."""
        ...


class Journaled:
    """Answers from the journal where the same request stands at the same address, else asks and writes the answer down.

    Args:
        inner: What answers when the journal does not. For `replay="only"` it ends in `never`.
        journal: The run's journal.
        replay: See Replay.
        cache: Whether a reply to the same request at another address, or of another run, may answer too. It is written
            down here as well, at no cost.
        charge: Told what the journal answered, so that a run that stopped at its budget stops there again.
    """

    def __init__(
        self,
        inner: Layer,
        journal: Records,
        *,
        replay: Replay,
        cache: bool,
        charge: Callable[[LLMRequest, LLMReply], None],
    ) -> None:
        self._inner = inner
        self._journal = journal
        self._replay = replay
        self._cache = cache
        self._charge = charge

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer one request.

        Raises:
            ReplayMiss: Another request is recorded at this address, or none is and only the journal may answer.
        """
        asked = request_to_json(request)
        wanted = Entry(
            at=request.address.local,
            kind="person" if by_person(request) else "model",
            fingerprint=fingerprint(asked, request.messages),
            request=asked,
            messages=request.messages,
            reply={},
            agent=request.agent,
        )
        reply = self._known(request, wanted) or await self._cached(request, wanted)
        if reply is not None:
            if on_text is not None:
                on_text(TextDelta(reply.text))
            return reply
        return await self._ask(request, wanted, on_text)

    def _known(self, request: LLMRequest, wanted: Entry) -> LLMReply | None:
        known = None if self._replay == "off" else self._journal.find(request.address.run, wanted.at)
        if known is None:
            self._fail_again(request)
            return None
        if known.fingerprint not in ("", wanted.fingerprint):  # without one it was said before a fork, and stays said
            raise ReplayMiss(_changed(request, wanted, known))
        reply = replace(reply_from_json(known.reply), from_journal=True)
        if wanted.kind == "model":
            self._charge(request, reply)
        return reply

    def _fail_again(self, request: LLMRequest) -> None:
        """In a replay, a call that failed for good and was never answered fails as it did."""
        if self._replay != "only":
            return
        n, last = 1, None
        while (entry := self._journal.find(request.address.run, (request.address / f"failed#{n}").local)) is not None:
            n, last = n + 1, entry
        if last is not None and (attempts := attempts_from_json(last.reply)):
            message = f"{attempts[-1].message} (as recorded)"
            raise CallFailed(message, ModelError(message, kind=attempts[-1].kind), attempts)

    async def _cached(self, request: LLMRequest, wanted: Entry) -> LLMReply | None:
        if not self._cache or self._replay == "only" or wanted.kind != "model":
            return None
        entry = self._journal.cached(wanted.fingerprint)
        if entry is None or entry.reply.get("degraded"):  # what another model said is no answer of this one
            return None
        reply = replace(reply_from_json(entry.reply), usage=_FREE, usd=0.0, seconds=0.0, failed=(), from_journal=True)
        self._charge(request, reply)
        await self._journal.record(request.address.run, replace(wanted, reply=reply_to_json(reply)))
        return reply

    async def _ask(self, request: LLMRequest, wanted: Entry, on_text: TextSink | None) -> LLMReply:
        run = request.address.run
        try:
            reply = await self._inner(request, on_text)
        except ReplayMiss:
            raise ReplayMiss(explain_miss(wanted, self._journal.nearest(run, wanted))) from None
        except CallFailed as error:
            await self._record_failure(request, wanted, error)
            raise
        await self._journal.record(run, replace(wanted, reply=reply_to_json(reply)))
        return reply

    async def _record_failure(self, request: LLMRequest, wanted: Entry, error: CallFailed) -> None:
        """Keep the attempts of a call that failed for good, beside the place where its answer may yet come to stand."""
        run, n = request.address.run, 1
        while self._journal.find(run, at := (request.address / f"failed#{n}").local) is not None:
            n += 1
        reply = {
            "failed": [asdict(attempt) for attempt in error.attempts],
            **({"shared": True} if error.shared else {}),
        }
        await self._journal.record(run, replace(wanted, at=at, kind="attempt", reply=reply))


async def never(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
    """The innermost layer of a run that only the journal may answer."""
    raise ReplayMiss(f"no reply is recorded at {request.address}")


def request_to_json(request: LLMRequest) -> dict[str, Any]:
    """What decides the reply, besides the messages, as plain JSON; settings left out are left out here too.

    Where the model is reached (address, key, timeouts, prices) is no part of it.
    """
    spec = request.model
    effective = {
        "temperature": spec.temperature if request.temperature is None else request.temperature,
        "top_p": spec.top_p,
        "max_tokens": spec.max_tokens if request.max_tokens is None else request.max_tokens,
        "seed": spec.seed,
        "stop": list(spec.stop if request.stop is None else request.stop) or None,
        "logprobs": request.logprobs,
        "sample": request.sample or None,
        "extra": spec.extra or None,
        "params": spec.params or None,
        "schema": None if request.output is None else schema_of(request.output),
        "tools": [asdict(tool) for tool in request.tools] or None,
    }
    return {"model": spec.model} | {name: value for name, value in effective.items() if value is not None}


def schema_of(output: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a typed reply."""
    return _schema(output)[0]


def schema_text(output: type[BaseModel]) -> str:
    """The JSON schema of a typed reply as JSON text."""
    return _schema(output)[1]


def _schema(output: type[BaseModel]) -> tuple[dict[str, Any], str]:
    """Computed once for each model class."""
    known = _schemas.get(output)
    if known is None:
        schema = output.model_json_schema()
        known = _schemas[output] = schema, json.dumps(schema, ensure_ascii=False)
    return known


def reply_to_json(reply: LLMReply) -> dict[str, Any]:
    """A reply as the journal keeps it; what is unknown or at its default is left out."""
    usage = {name: n for name, n in usage_to_json(reply.usage).items() if n is not None}
    optional = {
        "usage": usage or None,
        "usd": reply.usd,
        "reasoning": reply.reasoning,
        "logprobs": None if reply.logprobs is None else [[t.token, t.logprob, dict(t.top)] for t in reply.logprobs],
        "failed": [asdict(attempt) for attempt in reply.failed] or None,
        "simulated": reply.simulated or None,
        "degraded": reply.degraded or None,
        "structure": reply.structure,
        "free": reply.from_journal or None,
        "tool_calls": [[call.name, call.arguments] for call in reply.tool_calls] or None,
        "shared": reply.shared or None,
    }
    kept = {name: value for name, value in optional.items() if value is not None}
    return {"text": reply.text, "model": reply.model, "seconds": reply.seconds, "finish": reply.finish} | kept


def reply_from_json(raw: Mapping[str, Any]) -> LLMReply:
    """The reply that `reply_to_json` wrote; `from_journal` if even its first use was served from the cache."""
    logprobs = raw.get("logprobs")
    return LLMReply(
        text=raw["text"],
        model=raw["model"],
        usage=Usage(**raw.get("usage", {})),
        usd=raw.get("usd"),
        seconds=raw.get("seconds", 0.0),
        finish=raw.get("finish", "stop"),
        reasoning=raw.get("reasoning"),
        logprobs=None if logprobs is None else tuple(TokenLogprob(*token) for token in logprobs),
        failed=attempts_from_json(raw),
        from_journal=raw.get("free", False),
        simulated=raw.get("simulated", False),
        degraded=raw.get("degraded", False),
        structure=raw.get("structure"),
        tool_calls=tuple(ToolCall(*call) for call in raw.get("tool_calls", ())),
        shared=raw.get("shared", False),
    )


def attempts_from_json(raw: Mapping[str, Any]) -> tuple[Attempt, ...]:
    """The failed attempts in a journaled reply."""
    return tuple(Attempt(**attempt) for attempt in raw.get("failed", ()))


def _changed(request: LLMRequest, wanted: Entry, known: Entry) -> str:
    return (
        f"{request.address} is recorded with another request than the one asked now: the graph, a prompt, a model or "
        "an input has changed since, or two calls share one address. Undo the change, or start a fork of the run "
        f"(`maieutic fork {request.address.run} --turn N`), which keeps what came before.\n"
        f"{explain_miss(wanted, known)}"
    )
