"""When a debate ends before its last round: small values that combine, ``when_agreed() | when_judged()``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Condition", "Stop", "after_rounds", "when_agreed", "when_judged", "when_stable"]

Condition = Literal["rounds", "agreement", "stable", "judge"]
"""The last round is over; all debaters hold one answer; nobody changed its answer in this round; the judge has heard
enough."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Ways to end: any one of them suffices, and each needs all of its conditions.

    In YAML it is the list of the ways, a way being a condition's name or a list of names that must hold together:
    ``stop: [agreement, [stable, judge]]``. The number of rounds always bounds a debate.
    """

    ways: tuple[tuple[Condition, ...], ...]

    def __or__(self, other: Stop) -> Stop:
        return Stop((*self.ways, *other.ways))

    def __and__(self, other: Stop) -> Stop:
        return Stop(tuple((*dict.fromkeys((*one, *two)),) for one in self.ways for two in other.ways))

    @property
    def conditions(self) -> frozenset[Condition]:
        """Every condition that is named."""
        return frozenset(c for way in self.ways for c in way)

    def ended(self, true: frozenset[Condition]) -> tuple[Condition, ...]:
        """The way that ended the debate, or none; with "rounds" among the true ones, something always does.

        An agreement counts before the other ways, and every way before the mere number of rounds.
        """
        ways = [way for way in self.ways if true.issuperset(way)]
        if "rounds" in true:
            ways.append(("rounds",))
        return min(ways, key=lambda way: ("agreement" not in way, way == ("rounds",)), default=())

    def needs_judge(self, true: frozenset[Condition]) -> bool:
        """Whether the judge's opinion would make the difference now; if not, nobody pays for it."""
        return not self.ended(true) and bool(self.ended(true | {"judge"}))

    def to_json(self) -> list[str | list[str]]:
        """The YAML form."""
        return [way[0] if len(way) == 1 else list(way) for way in self.ways]

    @classmethod
    def from_json(cls, raw: Sequence[str | Sequence[str]]) -> Stop:
        """The stop that `to_json` wrote."""
        ways: list[Any] = [(way,) if isinstance(way, str) else tuple(way) for way in raw]
        return cls(tuple(ways))


def after_rounds() -> Stop:
    """After the last round: what bounds every debate."""
    return Stop((("rounds",),))


def when_agreed() -> Stop:
    """As soon as all debaters hold the same answer after a round."""
    return Stop((("agreement",),))


def when_stable() -> Stop:
    """As soon as nobody changed its answer in a round."""
    return Stop((("stable",),))


def when_judged() -> Stop:
    """As soon as the judge has heard enough."""
    return Stop((("judge",),))
