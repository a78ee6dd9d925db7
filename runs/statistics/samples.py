"""An experiment's results as columns of numbers, condition by condition: read once, and small."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.runs.experiments.results import Result

    Numbers = NDArray[np.float64]

__all__ = ["COSTS", "Column", "Failed", "Sample", "samples_of"]

Failed = Literal["out", "zero"]
"""What a run that ended before its time, without a score, counts: nothing, or a score of 0."""
COSTS = ("calls", "tokens", "usd", "seconds")
"""What a result took."""


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity under one condition, where it is known.

    Attributes:
        values: One for each result.
        items, groups: What each belongs to.
    """

    values: Numbers
    items: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def by_item(self) -> dict[str, list[float]]:
        """The values of each item, repeat by repeat."""
        found: dict[str, list[float]] = {}
        for item, value in zip(self.items, self.values, strict=True):
            found.setdefault(item, []).append(float(value))
        return found

    @property
    def group_of(self) -> dict[str, str]:
        """Each item's group."""
        return dict(zip(self.items, self.groups, strict=True))


@dataclass(slots=True)
class Sample:
    """The results of one condition.

    Attributes:
        condition: Its name.
        n: How many results there are.
        unfinished: How many of them ended before their time, by reason.
        simulated: Whether simulated minds answered in any.
    """

    condition: str
    n: int = 0
    unfinished: dict[str, int] = field(default_factory=dict)
    simulated: bool = False
    _items: list[str] = field(default_factory=list)
    _groups: list[str] = field(default_factory=list)
    _families: list[str] = field(default_factory=list)
    _over: list[bool] = field(default_factory=list)
    _costs: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COSTS})
    _scores: dict[str, list[float]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Take in a result."""
        self.n += 1
        self.simulated |= result.simulated
        if result.status != "done":
            reason = result.reason or result.status
            self.unfinished[reason] = self.unfinished.get(reason, 0) + 1
        self._items.append(result.item)
        self._groups.append(result.group or result.item)
        self._families.append(result.family)
        self._over.append(result.status == "done")
        for name, column in self._costs.items():
            known = getattr(result, name)
            column.append(np.nan if known is None else float(known))
        for name in (*self._scores, *(name for name in result.scores if name not in self._scores)):
            column = self._scores.setdefault(name, [np.nan] * (self.n - 1))
            value = result.scores.get(name)
            column.append(np.nan if value is None else float(value))

    @property
    def scorers(self) -> tuple[str, ...]:
        """Whose scores there are."""
        return tuple(self._scores)

    @property
    def families(self) -> tuple[str, ...]:
        """The task families, in the order in which they appear."""
        return tuple(dict.fromkeys(family for family in self._families if family))

    def column(self, name: str, *, failed: Failed = "out", family: str | None = None) -> Column:
        """One quantity: a scorer's values, or what results took (one of COSTS). Results without a value are left out.

        Args:
            name: The scorer, or the cost.
            failed: What a run counts that ended before its time and has no score.
            family: Only the items of this family.
        """
        known = self._costs.get(name, self._scores.get(name))
        values = np.full(self.n, np.nan) if known is None else np.array(known, dtype=np.float64)
        if failed == "zero" and name not in self._costs:
            values[np.isnan(values) & ~np.array(self._over, dtype=bool)] = 0.0
        there = np.isfinite(values)
        if family is not None:
            there &= np.array([family == other for other in self._families], dtype=bool)
        places = np.flatnonzero(there)
        return Column(values[there], tuple(self._items[p] for p in places), tuple(self._groups[p] for p in places))

    def known(self, cost: str) -> bool:
        """Whether a cost is known of every result."""
        return self.n > 0 and not np.isnan(self._costs[cost]).any()


def samples_of(results: Iterable[Result], conditions: Sequence[str] = ()) -> dict[str, Sample]:
    """Results by condition, read once and kept as numbers.

    Args:
        results: The results.
        conditions: Only these, in this order; all in the order in which they appear if left out.

    Raises:
        UsageError: There are no results, or none of a condition that is named.
    """
    found: dict[str, Sample] = {}
    for result in results:
        found.setdefault(result.condition, Sample(result.condition)).add(result)
    if not found:
        raise UsageError("there are no results yet")
    if missing := [name for name in conditions if name not in found]:
        raise UsageError(f"there are no results of {missing[0]!r}; there are some of: {', '.join(found)}")
    return {name: found[name] for name in conditions} if conditions else found


def scorers_of(samples: Mapping[str, Sample]) -> tuple[str, ...]:
    """Whose scores any of the samples has."""
    return tuple(dict.fromkeys(name for sample in samples.values() for name in sample.scorers))
