"""What a layer around the model call is, and the two smallest ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from maieutic.backends.ledger import Ledger
from maieutic.backends.retry import CallFailed
from maieutic.backends.types import LLMReply, LLMRequest, TextSink, Usage
from maieutic.memory import Emit, Event

__all__ = ["Accounted", "Layer", "by_person", "for_persons", "marked", "usage_to_json"]

Layer = Callable[[LLMRequest, TextSink | None], Awaitable[LLMReply]]
"""Answers a request, mostly by asking the next layer; the innermost one asks a backend."""


def by_person(request: LLMRequest) -> bool:
    """Whether a person answers this request and not a model."""
    return request.model.model.startswith("person/")


def marked(reply: LLMReply, **changes: Any) -> LLMReply:
    """The reply with some fields changed, in each of several samples."""
    return replace(reply, **changes, more=tuple(replace(other, **changes) for other in reply.more))


def for_persons(persons: Layer, models: Layer) -> Layer:
    """Send a person's requests past budget, limits and retries: nobody is asked twice for being slow."""

    async def route(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        return await (persons if by_person(request) else models)(request, on_text)

    return route


class Accounted:
    """Enters every model call into the ledger and tells of it; persons cost nothing and are not entered."""

    def __init__(self, inner: Layer, ledger: Ledger, emit: Emit) -> None:
        self._inner = inner
        self._ledger = ledger
        self._emit = emit

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer by the inner layer."""
        try:
            reply = await self._inner(request, on_text)
        except CallFailed as error:
            if not error.shared:
                self._ledger.add_failure(request.agent, request.model.model, error.attempts)
            raise
        if not by_person(request):
            self._ledger.add_reply(request.agent, reply)
            self._emit(_settled(request, reply))
        return reply


def _settled(request: LLMRequest, reply: LLMReply) -> Event:
    return Event(
        "call",
        request.address.local,
        {
            "agent": request.agent,
            "model": reply.model,
            "usage": usage_to_json(reply.usage),
            "usd": reply.usd,
            "seconds": reply.seconds,
            "attempts": (not reply.shared) + len(reply.failed),
            "from_journal": reply.from_journal,
        },
    )


def usage_to_json(usage: Usage) -> dict[str, int | None]:
    """Token counts as plain JSON; ten times as fast as `asdict`, which every call would feel."""
    return {
        "prompt": usage.prompt,
        "completion": usage.completion,
        "cached": usage.cached,
        "reasoning": usage.reasoning,
    }
