"""The two ways of putting a call to an endpoint: over our own connection, or through LiteLLM's client."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from maieutic.backends import providers
from maieutic.backends.answers import Answer
from maieutic.backends.failures import Endpoint, failure, http_failure
from maieutic.backends.library import library
from maieutic.backends.models import ModelSpec
from maieutic.backends.providers import HttpCall, Target
from maieutic.backends.transport import Connections, events
from maieutic.backends.types import TextSink
from maieutic.errors import ModelError

if TYPE_CHECKING:
    import aiohttp

__all__ = ["AcompletionLane", "Lane", "TransformsLane", "guarded"]


class Lane(Protocol):
    """One way of asking. It may return an answer without a finish; the caller knows what that means."""

    async def ask(
        self,
        target: Target,
        messages: list[dict[str, str]],
        params: Mapping[str, Any],
        spec: ModelSpec,
        on_text: TextSink | None,
    ) -> Answer:
        """Make one attempt.

        Raises:
            ModelError: Of any kind but "timeout", which the caller watches, and "truncated", which it sees.
        """
        ...


class TransformsLane:
    """LiteLLM's description of the provider, our own connection."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def ask(
        self,
        target: Target,
        messages: list[dict[str, str]],
        params: Mapping[str, Any],
        spec: ModelSpec,
        on_text: TextSink | None,
    ) -> Answer:
        """See Lane."""
        import aiohttp

        call = providers.prepare(target, messages, params, spec.extra)
        answer = Answer(on_text)
        try:
            async with self._connections.post(call.url, call.headers, call.body) as response:
                await _receive(response, call, target.endpoint, answer)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise failure(target.endpoint, "connection", _lost(error)) from None
        return answer


async def _receive(response: aiohttp.ClientResponse, call: HttpCall, endpoint: Endpoint, answer: Answer) -> None:
    if response.status >= 400:
        text = (await response.read()).decode(errors="replace")
        raise http_failure(endpoint, response.status, text, response.headers)
    if not call.stream or response.content_type == "application/json":
        body = await response.read()
        parsed = _parse(body, endpoint)
        answer.take(_understood(endpoint, call.read, body, parsed, response.headers))
        return
    async for data in events(response):
        answer.take_chunk(_understood(endpoint, call.read_event, _parse(data, endpoint)))
    answer.close()


def _parse(data: bytes, endpoint: Endpoint) -> dict[str, Any]:
    try:
        parsed = _loads(data)
    except (ValueError, RecursionError) as error:
        raise failure(endpoint, "malformed", f"the reply is not JSON ({error})") from None
    if not isinstance(parsed, dict):
        raise failure(endpoint, "malformed", "the reply is not a JSON object")
    if parsed.get("error"):
        raise http_failure(endpoint, _code(parsed["error"]), data.decode(errors="replace"), {})
    return parsed


def _loads(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)  # takes half characters and NaN, which some servers write; the reply has been paid for


_TYPES = {"authentication_error": 401, "not_found_error": 404, "overloaded_error": 529, "rate_limit_error": 429}


def _code(error: Any) -> int:
    """The status that an error sent with HTTP 200 stands for."""
    if not isinstance(error, dict):
        return 500
    code = error.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return _TYPES.get(error.get("type", ""), 400 if error.get("type") == "invalid_request_error" else 500)


def _understood(endpoint: Endpoint, read: Any, *data: Any) -> Any:
    """What LiteLLM makes of a reply. Its transforms raise anything at all over a reply of another shape."""
    try:
        return read(*data)
    except Exception as error:
        status = getattr(error, "status_code", None)
        if isinstance(status, int) and status >= 400:
            return _raise(http_failure(endpoint, status, str(error), {}))
        what = f"the reply does not have the provider's shape ({type(error).__name__}: {error})"
        return _raise(failure(endpoint, "malformed", what))


def _raise(error: ModelError) -> None:
    raise error from None


def _lost(error: BaseException) -> str:
    return f"the connection failed ({type(error).__name__}: {error})"


class AcompletionLane:
    """LiteLLM's own client. Its retries are off: the gateway retries."""

    async def ask(
        self,
        target: Target,
        messages: list[dict[str, str]],
        params: Mapping[str, Any],
        spec: ModelSpec,
        on_text: TextSink | None,
    ) -> Answer:
        """See Lane."""
        answer = Answer(on_text)
        response = await guarded(target, self._start(target, messages, params, spec))
        if on_text is None:
            answer.take(response)
            return answer
        try:
            while (chunk := await guarded(target, anext(response, None))) is not None:
                answer.take_chunk(chunk)
        finally:
            await response.aclose()
        answer.close()
        if not _finished(response):
            answer.finish = None
        if not any(getattr(chunk, "usage", None) for chunk in getattr(response, "chunks", ())):
            answer.reported = None  # LiteLLM counted by itself
        return answer

    async def _start(
        self, target: Target, messages: list[dict[str, str]], params: Mapping[str, Any], spec: ModelSpec
    ) -> Any:
        return await library().acompletion(
            model=spec.model,
            messages=messages,
            api_base=target.api_base,
            api_key=target.key,
            timeout=spec.timeout,
            max_retries=0,
            num_retries=0,
            drop_params=True,
            allowed_openai_params=providers.unlisted_params(target.provider),
            **_extra(target, spec),
            **_own_tools(params),
            **params,
        )


def _own_tools(params: Mapping[str, Any]) -> dict[str, Any]:
    """Tools are called by whoever asks; LiteLLM would look for its own gateway's among them, and need a package."""
    return {"_skip_mcp_handler": True} if "tools" in params else {}


def _finished(stream: Any) -> bool:
    """Whether the endpoint finished the stream; where it did not, LiteLLM makes a finishing chunk up."""
    seen = [getattr(stream, name, "unknown") for name in ("received_finish_reason", "intermittent_finish_reason")]
    return any(reason is not None for reason in seen)


def _extra(target: Target, spec: ModelSpec) -> dict[str, Any]:
    """The user's own fields of the body; Anthropic's interface has them among the parameters."""
    if not spec.extra:
        return {}
    return dict(spec.extra) if target.provider == "anthropic" else {"extra_body": dict(spec.extra)}


async def guarded(target: Target, step: Awaitable[Any]) -> Any:
    """One step of LiteLLM's client, its exceptions made ours. They are unrelated classes, raised from one another."""
    try:
        return await step
    except Exception as error:
        raise _translated(target.endpoint, error) from None


def _translated(endpoint: Endpoint, error: Exception) -> ModelError:
    """The same ModelError that the other lane raises, read from the chain of exceptions below LiteLLM's own."""
    chain = list(_chain(error))
    names = {cls.__name__ for link in chain for cls in type(link).__mro__}
    answered = next((link for link in chain if _response(link) is not None), None)
    if answered is not None:
        response = _response(answered)
        text = str(getattr(answered, "text", "")) or _body(response) or str(error)
        return http_failure(endpoint, response.status_code, text, response.headers)
    if "JSONDecodeError" in names or "APIResponseValidationError" in names:
        return failure(endpoint, "malformed", "the reply is not JSON")
    if names & _TIMEOUTS:
        return failure(endpoint, "timeout", "no complete reply in time")
    if names & _LOST:
        return failure(endpoint, "connection", _lost(chain[-1]))
    told = next((link for link in chain if isinstance(getattr(link, "body", None), dict)), None)
    if told is not None:
        return http_failure(endpoint, _code(getattr(told, "body", None)), str(told), {})
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400 and "APIConnectionError" not in names:
        return http_failure(endpoint, status, str(error), {})
    return failure(endpoint, "malformed", f"LiteLLM could not read the reply ({type(error).__name__}: {error})")


_TIMEOUTS = {"TimeoutException", "APITimeoutError", "Timeout"}
_LOST = {"TransportError", "ClientError", "ConnectionError"}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__ or getattr(error, "original_exception", None)


def _response(error: BaseException) -> Any:
    """The HTTP response an exception was raised over; LiteLLM's own exceptions carry made-up ones."""
    names = {cls.__name__ for cls in type(error).__mro__}
    real = "HTTPStatusError" in names or ("APIStatusError" in names and type(error).__module__.startswith("openai"))
    return getattr(error, "response", None) if real else None


def _body(response: Any) -> str:
    try:
        return str(response.text)
    except Exception:  # a streamed body that was never read
        return ""
