"""Scores beside what they cost: the Pareto front, and what other conditions make of the same calls, tokens or money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.fronts import on_front
from maieutic.protocols.intervals import AT_ONCE, Interval
from maieutic.runs.statistics.estimates import RESAMPLES
from maieutic.runs.statistics.samples import COSTS, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.runs.statistics.samples import Failed

    Numbers = NDArray[np.float64]

__all__ = ["Front", "Matched", "Plane", "Point", "cost_of_choice", "fronts", "matched", "plane_of"]

ALIKE = 0.1
"""Two costs that differ by no more than this share count as the same."""


@dataclass(frozen=True, slots=True)
class Point:
    """One condition in the plane of cost and score.

    Attributes:
        condition: Its name.
        cost, score: Means for one run.
        front: Whether no other condition is as cheap and as good, and better in one of the two.
        share: In which share of resampled sets of items it is on the front.
    """

    condition: str
    cost: float
    score: float
    front: bool
    share: float


@dataclass(frozen=True, slots=True)
class Front:
    """Conditions by cost and score.

    Attributes:
        cost, scorer: What was weighed.
        points: In the conditions' order.
        items: How many items all conditions have, on which this was measured.
    """

    cost: str
    scorer: str
    points: tuple[Point, ...]
    items: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Matched:
    """A condition beside what the others buy for the same.

    Of two conditions a mix can be had: a share of the questions goes to the one, the rest to the other. Its expected
    cost and score lie on the line between theirs. The best mix of the others that costs no more than the condition is
    what the same calls, tokens or money buy without it.

    Attributes:
        condition: Whose cost is matched.
        cost: What was matched: "calls", "tokens", "usd" or "seconds".
        spent: The mean cost of one of its runs.
        score: Its mean score.
        bought: The score of the best mix of the others; None where the cheapest of them costs more.
        mix: The shares of that mix, by condition.
        cheaper: What the mix costs: less than `spent` where no other condition makes use of so much.
        difference: score less bought, with its interval (bootstrap over groups, the mix chosen anew each time).
        items: On how many items.
    """

    condition: str
    cost: str
    spent: float
    score: float
    bought: float | None
    mix: Mapping[str, float]
    cheaper: float | None
    difference: float | None
    interval: Interval | None
    items: int

    @property
    def alike(self) -> bool:
        """Whether the mix costs the same, within a tenth."""
        return self.cheaper is not None and abs(self.cheaper - self.spent) <= ALIKE * self.spent

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "mix": dict(self.mix), "alike": self.alike}


@dataclass(frozen=True, slots=True)
class Plane:
    """Conditions in the plane of cost and score, on the items that all of them have (see `plane_of`).

    Attributes:
        scorer, cost: What is weighed.
        names: The conditions.
        counts: For each group of items, how many there are.
        sums: (groups, conditions, 2): cost and score, summed over a group's items.
        items: How many items.
    """

    scorer: str
    cost: str
    names: tuple[str, ...]
    counts: Numbers
    sums: Numbers
    items: int
    _drawn: dict[tuple[int, int], Numbers] = field(default_factory=dict, repr=False, compare=False)

    @property
    def now(self) -> Numbers:
        """(conditions, 2), as measured."""
        (found,) = self._means(np.ones((1, len(self.counts))))
        return np.asarray(found, dtype=np.float64)

    def resampled(self, resamples: int, seed: int) -> Numbers:
        """(resamples, conditions, 2), drawn once for each seed."""
        if (resamples, seed) not in self._drawn:
            k, rng = len(self.counts), np.random.default_rng(seed)
            rows = max(1, AT_ONCE // k)
            sizes = (min(rows, resamples - done) for done in range(0, resamples, rows))
            chance = np.full(k, 1 / k)
            drawn = [self._means(rng.multinomial(k, chance, size=n).astype(np.float64)) for n in sizes]
            self._drawn[resamples, seed] = np.concatenate(drawn)
        return self._drawn[resamples, seed]

    def _means(self, weights: Numbers) -> Numbers:
        """(samples, conditions, 2) for (samples, groups) weights."""
        flat = self.sums.reshape(len(self.counts), -1)
        found: Numbers = (weights @ flat / (weights @ self.counts)[:, None]).reshape(-1, len(self.names), 2)
        return found

    def front(self, *, resamples: int = RESAMPLES, seed: int = 0) -> Front:
        """Which conditions no other one beats."""
        now = self.now
        front = on_front(now[None])[0]
        share = on_front(self.resampled(resamples, seed)).mean(axis=0)
        points = (
            Point(name, float(now[n, 0]), float(now[n, 1]), bool(front[n]), float(share[n]))
            for n, name in enumerate(self.names)
        )
        return Front(self.cost, self.scorer, tuple(points), self.items)

    def matched(self, condition: str, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Matched:
        """A condition beside what the others buy for the same.

        Raises:
            UsageError: There is no such condition, or no other one.
        """
        if condition not in self.names or len(self.names) < 2:
            known = ", ".join(self.names)
            raise UsageError(f"to match {condition!r}, it and another condition are needed; there are: {known}")
        at = self.names.index(condition)
        others = [n for n in range(len(self.names)) if n != at]
        now = self.now
        spent, score = float(now[at, 0]), float(now[at, 1])
        shares = _best_mix(now[others], spent)
        if shares is None:
            return Matched(condition, self.cost, spent, score, None, {}, None, None, None, self.items)
        bought = float(shares @ now[others, 1])
        return Matched(
            condition=condition,
            cost=self.cost,
            spent=spent,
            score=score,
            bought=bought,
            mix={self.names[n]: round(float(s), 6) for n, s in zip(others, shares, strict=True) if s > 1e-9},
            cheaper=float(shares @ now[others, 0]),
            difference=score - bought,
            interval=_between(self.resampled(resamples, seed), at, level),
            items=self.items,
        )


def plane_of(samples: Mapping[str, Sample], scorer: str, cost: str, *, failed: Failed = "out") -> Plane | None:
    """Conditions by cost and score; None where they have no item in common.

    Args:
        samples: By condition.
        scorer: Whose scores.
        cost: One of COSTS.
        failed: As in `maieutic.runs.statistics.Settings`.

    Raises:
        UsageError: The cost is none of COSTS.
    """
    if cost not in COSTS:
        raise UsageError(f"unknown cost {cost!r}; there are: {', '.join(COSTS)}")
    columns = [(sample.column(cost), sample.column(scorer, failed=failed)) for sample in samples.values()]
    values = [(costs.by_item, scores.by_item) for costs, scores in columns]
    items = [i for i in values[0][0] if all(i in costs and i in scores for costs, scores in values)]
    if not items:
        return None
    group_of = columns[0][1].group_of
    places = {group: n for n, group in enumerate(dict.fromkeys(group_of[item] for item in items))}
    counts, sums = np.zeros(len(places)), np.zeros((len(places), len(samples), 2))
    for item in items:
        at = places[group_of[item]]
        counts[at] += 1
        for n, (costs, scores) in enumerate(values):
            sums[at, n] += fmean(costs[item]), fmean(scores[item])
    return Plane(scorer, cost, tuple(samples), counts, sums, len(items))


def fronts(samples: Mapping[str, Sample], scorer: str, cost: str, **how: int) -> Front | None:
    """Which conditions no other one beats in cost and score; None where they have no item in common.

    Args:
        samples, scorer, cost: As in `plane_of`.
        **how: As in `Plane.front`.

    Raises:
        UsageError: The cost is none of COSTS.
    """
    plane = plane_of(samples, scorer, cost)
    return None if plane is None else plane.front(**how)


def matched(samples: Mapping[str, Sample], condition: str, scorer: str, cost: str, **how: Any) -> Matched | None:
    """A condition beside what the others buy for the same; None where they have no item in common.

    Args:
        samples, scorer, cost: As in `plane_of`.
        condition: Whose cost is matched.
        **how: As in `Plane.matched`.

    Raises:
        UsageError: There is no such condition, no other one, or no such cost.
    """
    plane = plane_of(samples, scorer, cost)
    return None if plane is None else plane.matched(condition, **how)


def _between(resampled: Numbers, at: int, level: float) -> Interval | None:
    """The interval of a condition's score less the best mix of the others, chosen anew in each sample."""
    others = np.delete(resampled, at, axis=1)
    rows = max(1, AT_ONCE // (8 * others.shape[1] ** 2))
    parts = [
        _mixes(others[n : n + rows], resampled[n : n + rows, at, 0])[0].max(axis=(1, 2))
        for n in range(0, len(resampled), rows)
    ]
    apart = resampled[:, at, 1] - np.concatenate(parts)
    apart = apart[np.isfinite(apart)]  # not where all others cost more
    if not len(apart):
        return None
    low, high = np.quantile(apart, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _best_mix(points: Numbers, spend: float) -> Numbers | None:
    """The shares of the best mix of at most two points that costs no more than `spend`; None if all cost more.

    The best mix of any number lies on the upper convex hull, that is on a line between two points.
    """
    scores, shares = _mixes(points[None], np.array([spend]))
    one, other = np.unravel_index(np.round(scores[0], 12).argmax(), scores[0].shape)
    if not np.isfinite(scores[0, one, other]):
        return None
    found = np.zeros(len(points))
    found[one] += 1 - shares[0, one, other]
    found[other] += shares[0, one, other]
    return found


def _mixes(points: Numbers, spend: Numbers) -> tuple[Numbers, Numbers]:
    """Of every two points the score of their mix, and the share of the second: as much as may be spent, if it is dearer
    and better, else nothing. The score is -∞ where the first costs more than may be spent.

    Args:
        points: (samples, points, 2): cost and score.
        spend: For each sample.

    Returns:
        Twice (samples, points, points).
    """
    cost, score = points[..., 0], points[..., 1]
    dearer, better = (values[:, None, :] - values[:, :, None] for values in (cost, score))
    worth = (dearer > 0) & (better > 0)
    room = (spend[:, None] - cost)[:, :, None]
    shares = np.where(worth, np.clip(room / np.where(worth, dearer, 1.0), 0.0, 1.0), 0.0)
    affordable = (cost <= (spend * (1 + 1e-9))[:, None])[:, :, None]
    return np.where(affordable, score[:, :, None] + shares * better, -np.inf), shares


def cost_of_choice(samples: Sequence[Sample]) -> str:
    """The cost that tells most: money if it is known and not nothing, else tokens if there are any, else calls."""
    for name in ("usd", "tokens"):
        if all(s.known(name) for s in samples) and any(s.column(name).values.any() for s in samples):
            return name
    return "calls"
