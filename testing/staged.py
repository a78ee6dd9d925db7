"""A protocol on a stage: scripted agents, and a record of what each of them read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from maieutic.backends import Endpoints, LLMRequest, ScriptedModel, in_memory
from maieutic.backends.scripted import Line
from maieutic.errors import MaieuticError
from maieutic.memory import Event
from maieutic.protocols.base import Outcome, Protocol

__all__ = ["Staged", "play"]

OutcomeT = TypeVar("OutcomeT", bound=Outcome)


@dataclass(slots=True)
class Staged(Generic[OutcomeT]):
    """What came of a play.

    Attributes:
        outcome: The protocol's outcome, or what it had come to when it failed.
        error: What ended it before its time.
        requests: Every request, in the order in which they were made.
        events: Every event.
    """

    outcome: OutcomeT
    error: MaieuticError | None = None
    requests: list[LLMRequest] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        """The steps of all calls, in order: "ada.argue", …."""
        return [request.address.path[-1] for request in self.requests]

    def read(self, step: str) -> list[list[str]]:
        """For every call of this step, the dialogue that the agent read: without system prompt and instruction."""
        found = [request for request in self.requests if request.address.path[-1] == step]
        return [[message.content for message in request.messages[1:-1]] for request in found]


def play(
    protocol: Protocol[Any, OutcomeT],
    lines: Sequence[Line] | Mapping[str, Sequence[Line]] | Callable[[LLMRequest], Line],
    question: str = "Should we?",
    *,
    seed: int = 0,
    **inputs: Any,
) -> Staged[OutcomeT]:
    """Run a protocol whose agents' models are "scripted/…" and say what the script says.

    Args:
        protocol: The protocol.
        lines: The script (see ScriptedModel). Lines left over are an error unless the play failed.
        question: Its question.
        seed: The run's seed.
        **inputs: Its other inputs.
    """
    script = ScriptedModel(lines)
    events: list[Event] = []

    async def run() -> tuple[OutcomeT, MaieuticError | None]:
        async with in_memory(Endpoints({"scripted": script}), seed, events.append) as place:
            try:
                return await protocol.perform(question, at=place, **inputs), None
            except MaieuticError as error:
                if error.partial is None:
                    raise
                partial: OutcomeT = error.partial
                return partial, error

    outcome, error = asyncio.run(run())
    if error is None:
        script.close()
    return Staged(outcome, error, script.requests, events)
