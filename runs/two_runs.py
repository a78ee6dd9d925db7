"""Two recorded runs side by side: what they were asked, how they ended, what they took, and who said what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import zip_longest
from typing import Any

from maieutic.memory import MODERATOR, Journal, RunRecord, Turn
from maieutic.runs.history import ledger_of, transcript_of

__all__ = ["Fact", "SideBySide", "TurnPair", "side_by_side"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of both runs; None where it is unknown."""

    name: str
    first: str | int | float | None
    second: str | int | float | None

    @property
    def same(self) -> bool:
        """Whether both are the same."""
        return self.first == self.second


@dataclass(frozen=True, slots=True)
class TurnPair:
    """Two turns that stand at the same place; None where one of the runs has no turn there."""

    first: Turn | None
    second: Turn | None

    @property
    def same(self) -> bool:
        """Whether the same speaker said the same."""
        return _said(self.first) == _said(self.second)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        sides = ((name, getattr(self, name)) for name in ("first", "second"))
        return {"same": self.same, **{name: None if turn is None else turn.to_json() for name, turn in sides}}


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two runs.

    Attributes:
        first, second: Their ids.
        facts: Inputs, seed, how they ended, their answers, and what they took.
        definition: How their graph files differ: the lines of a unified diff, none if they do not.
        turns: Their turns, those that are the same beside each other.
    """

    first: str
    second: str
    facts: tuple[Fact, ...]
    definition: tuple[str, ...]
    turns: tuple[TurnPair, ...]

    @property
    def common(self) -> int | None:
        """How many turns are the same before the runs part (the moderator and probes do not count); None if all are."""
        parted = next((n for n, pair in enumerate(self.turns) if not pair.same), None)
        return (
            None
            if parted is None
            else sum(
                pair.first is not None and pair.first.kind == "say" and pair.first.speaker != MODERATOR
                for pair in self.turns[:parted]
            )
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "facts": [{**asdict(fact), "same": fact.same} for fact in self.facts],
            "definition": list(self.definition),
            "turns": [pair.to_json() for pair in self.turns],
        }


def side_by_side(journal: Journal, first: RunRecord, second: RunRecord) -> SideBySide:
    """Put two recorded runs side by side.

    Args:
        journal: Where both are.
        first, second: The runs.
    """
    was, now = (str(run.definition.get("graph") or "").splitlines() for run in (first, second))
    definition = list(unified_diff(was, now, first.id, second.id, n=2, lineterm=""))
    one, other = (transcript_of(journal, run).turns for run in (first, second))
    return SideBySide(
        first.id, second.id, tuple(_facts(journal, first, second)), tuple(definition), tuple(_paired(one, other))
    )


def _facts(journal: Journal, first: RunRecord, second: RunRecord) -> Iterator[Fact]:
    told = [_known(journal, run) for run in (first, second)]
    for name in dict.fromkeys((*told[0], *told[1])):
        yield Fact(name, told[0].get(name), told[1].get(name))


def _known(journal: Journal, run: RunRecord) -> dict[str, str | int | float | None]:
    """What is known of a run, by name."""
    inputs: Mapping[str, Any] = run.definition.get("inputs") or {}
    result = run.outcome or {}
    total = ledger_of(journal, run).total
    return {
        "graph": run.name,
        **{name: str(value) for name, value in inputs.items()},
        "seed": run.definition.get("seed"),
        "ended": run.status if run.reason in (None, run.status) else f"{run.status} ({run.reason})",
        "answer": result.get("answer"),
        "turns": len(transcript_of(journal, run)),
        "calls": total.calls,
        "tokens": total.prompt + total.completion,
        "usd": None if total.unknown_price else total.usd,
        "seconds": result.get("seconds"),
    }


def _paired(first: tuple[Turn, ...], second: tuple[Turn, ...]) -> Iterator[TurnPair]:
    """The turns in order: what is the same stands together, and what differs between stands side by side."""
    one_said, other_said = ([_said(turn) for turn in turns] for turns in (first, second))
    for _, a, b, c, d in SequenceMatcher(None, one_said, other_said, autojunk=False).get_opcodes():
        for one, other in zip_longest(first[a:b], second[c:d]):
            yield TurnPair(one, other)


def _said(turn: Turn | None) -> tuple[str, str, str] | None:
    return None if turn is None else (turn.speaker, turn.kind, turn.content)
