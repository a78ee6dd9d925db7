"""What a run tells while it goes on: to a terminal, to a host's stream, to nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Emit", "Event", "silent"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run.

    Attributes:
        kind: "asking" (a model is about to be asked: agent, verb), "text" (part of a reply as it comes: speaker, verb,
            text, restart), "turn" (a finished turn, as plain JSON), "call" (a model call was settled: agent, model,
            usage, usd, seconds, attempts, from_journal), "retry" (an attempt failed: model, kind, message, wait),
            "routed" (a router chose the model of a call: name, scores, reasons, explored),
            "edge" (a route was taken: source, target, when, values, rejected, and reasons where a student model
            decided), "warning" (message), "outcome" (the run as plain JSON, at its end).
        at: The address within the run.
        data: Plain JSON, by kind.
    """

    kind: str
    at: str
    data: Mapping[str, Any] = field(default_factory=dict)


Emit = Callable[[Event], None]


def silent(event: Event) -> None:
    """Tell nobody."""
