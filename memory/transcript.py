"""What was said, and who may know of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["MODERATOR", "Message", "Transcript", "Turn"]

MODERATOR = "moderator"
"""Speaker of everything no agent said: the question, the material, the rules."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a model request, as the model reads it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One act of speech, and who may know of it.

    Attributes:
        speaker: Name of the agent that spoke.
        content: What it said, as the others read it.
        audience: Names of the agents that may see it, or None for everyone. A speaker always knows its own turns.
        blind_to: Names of agents that speak in the same round without having read this turn. They read it right
            after their own turn of that round, so that a blind or simultaneous round is an audience like any other.
        kind: "say" enters the dialogue; "probe" is off the record and never does.
        round: The protocol's round it belongs to (0 before the first), or None outside rounds.
        data: The typed reply behind the words as plain JSON, for the record; agents never see it.
    """

    speaker: str
    content: str
    audience: frozenset[str] | None = None
    blind_to: frozenset[str] = frozenset()
    kind: Literal["say", "probe"] = "say"
    round: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def heard_by(self, name: str) -> bool:
        """Whether the agent called `name` may see this turn."""
        return self.kind == "say" and (self.audience is None or name in self.audience or name == self.speaker)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the form in which a turn lives in a graph's state; fields at their default are left out."""
        out: dict[str, Any] = {"speaker": self.speaker, "content": self.content}
        if self.audience is not None:
            out["audience"] = sorted(self.audience)
        if self.blind_to:
            out["blind_to"] = sorted(self.blind_to)
        if self.kind != "say":
            out["kind"] = self.kind
        if self.round is not None:
            out["round"] = self.round
        if self.data:
            out["data"] = dict(self.data)
        return out

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Turn:
        """The turn that `to_json` wrote."""
        audience = raw.get("audience")
        return cls(
            speaker=raw["speaker"],
            content=raw["content"],
            audience=None if audience is None else frozenset(audience),
            blind_to=frozenset(raw.get("blind_to", ())),
            kind=raw.get("kind", "say"),
            round=raw.get("round"),
            data=raw.get("data", {}),
        )


@dataclass(frozen=True, slots=True)
class Transcript:
    """The turns of a dialogue in order. It only ever grows at the end."""

    turns: tuple[Turn, ...] = ()

    @classmethod
    def of(cls, turns: Iterable[Turn | Mapping[str, Any]]) -> Transcript:
        """A transcript from turns or from their plain JSON."""
        return cls(tuple(t if isinstance(t, Turn) else Turn.from_json(t) for t in turns))

    def __add__(self, turns: Iterable[Turn]) -> Transcript:
        return Transcript((*self.turns, *turns))

    def __iter__(self) -> Iterator[Turn]:
        return iter(self.turns)

    def __len__(self) -> int:
        return len(self.turns)

    def to_json(self) -> list[dict[str, Any]]:
        """Plain JSON, one object a turn."""
        return [turn.to_json() for turn in self.turns]
