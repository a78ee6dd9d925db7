"""A model for tests that says exactly what it was given to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import orjson
from pydantic import BaseModel

from maieutic.backends.types import LLMReply, LLMRequest, TextDelta, TextSink, Usage
from maieutic.errors import UsageError

__all__ = ["Line", "ScriptedModel"]

Line = str | BaseModel | Mapping[str, Any] | LLMReply | Exception
"""One answer: text; a pydantic model or a mapping, said as JSON; a whole reply; or an error, raised."""


class ScriptedModel:
    """A backend that answers with given lines, in order, and fails when they run out or when some are left at the end.

    Args:
        lines: Lines in order; or lines for each agent by its name; or a function of the request, which never runs out.

    Attributes:
        requests: The requests that came in, repeated attempts included.

    Example:
        >>> endpoints = Endpoints({"scripted": ScriptedModel(["Yes.", {"answer": "no"}])})  # doctest: +SKIP
        >>> request = LLMRequest(ModelSpec(model="scripted/x"), messages, address)          # doctest: +SKIP
    """

    def __init__(self, lines: Sequence[Line] | Mapping[str, Sequence[Line]] | Callable[[LLMRequest], Line]) -> None:
        self.requests: list[LLMRequest] = []
        self._function = lines if callable(lines) else None
        by_agent = lines if isinstance(lines, Mapping) else {} if callable(lines) else {None: lines}
        self._left: dict[str | None, list[Line]] = {agent: list(said) for agent, said in by_agent.items()}

    def sends_schema(self, model: object) -> bool:
        """A script needs no instructions."""
        return True

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Say the next line.

        Raises:
            UsageError: No line is left for this agent.
            Exception: The line itself, if it is one.
        """
        self.requests.append(request)
        line = self._function(request) if self._function else self._next(request)
        if isinstance(line, Exception):
            raise line
        reply = line if isinstance(line, LLMReply) else _reply(request, line)
        if on_text is not None:
            for word in reply.text.splitlines(keepends=True):
                on_text(TextDelta(word))
        return reply

    def close(self) -> None:
        """End the script.

        Raises:
            UsageError: Lines are left. Told once.
        """
        left = {agent: lines for agent, lines in self._left.items() if lines}
        self._left = {}
        if left:
            told = "; ".join(f"{_whose(agent)} {len(lines)}, first {lines[0]!r}" for agent, lines in left.items())
            raise UsageError(f"The script was not used up after {len(self.requests)} requests. Lines left: {told}.")

    async def aclose(self) -> None:
        """Same as `close`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()

    def _next(self, request: LLMRequest) -> Line:
        agent = None if None in self._left else request.agent
        lines = self._left.get(agent)
        if not lines:
            raise UsageError(
                f"The script has no line left {_whose(agent)} (request {len(self.requests)}, at {request.address}). "
                f"It was asked: {request.messages[-1].content if request.messages else ''!r}"
            )
        return lines.pop(0)


def _whose(agent: str | None) -> str:
    return "for anybody" if agent is None else f"for {agent!r}"


def _reply(request: LLMRequest, line: str | BaseModel | Mapping[str, Any]) -> LLMReply:
    match line:
        case str():
            text = line
        case BaseModel():
            text = line.model_dump_json()
        case _:
            text = orjson.dumps(dict(line)).decode()
    prompt = sum(len(message.content.split()) for message in request.messages)
    usage = Usage(prompt=prompt, completion=len(text.split()))
    return LLMReply(text=text, model=request.model.model, usage=usage, usd=0.0, simulated=True)
