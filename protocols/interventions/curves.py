"""Accuracy by budget: what a ranker's choice of explained items is worth, exactly, from answers that are all known.

Let item i be answered right alone (a_i = 0 or 1) and explained (e_i), and let a ranker score it s_i. At a budget b, of
the N items the b·N with the greatest scores are explained, and the accuracy is the mean of e over those and of a over
the others. Among equal scores every order is as likely as another, and the part of b·N that buys no whole item buys the
next one with that probability; what is reported is the expectation over both. It is linear between the points where
one run of equal scores ends and the next begins, and for one score for all (random) it is the straight line
from mean(a) to mean(e).

Intervals are percentile bootstraps over items (resampled with replacement, the scores kept); all rankers see the same
resamples, so that differences and shares are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError
from maieutic.protocols.intervals import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Measured", "Outcomes", "Ranking"]

AT_ONCE = 4_000_000
"""How many resampled items are held at once (32 MB); beyond that there are fewer resamples, but 200 at the least."""
_LEAST = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """A number and its interval."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        return f"{self.value:.3f} {self.interval}"


@dataclass(frozen=True)
class Outcomes:
    """What came of a set of items, alone and explained, and the resamples by which everything is judged.

    Args:
        alone, explained: Whether each item was answered right (1) or wrong (0), in one order.
        resamples: How often the items are resampled for intervals; less often where there are many items (`AT_ONCE`).
        level: Confidence of the intervals.
        seed: Of the resamples.

    Raises:
        UsageError: No items, or sequences of different lengths.
    """

    alone: Sequence[float]
    explained: Sequence[float]
    resamples: int = 2000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not len(self.alone) or len(self.alone) != len(self.explained):
            raise UsageError(
                f"a curve needs one or more items answered both alone and explained, not {len(self.alone)} and "
                f"{len(self.explained)}"
            )

    def __len__(self) -> int:
        return len(self.alone)

    @cached_property
    def gains(self) -> Array:
        """Explained less alone, by item."""
        import numpy as np

        found: Array = np.asarray(self.explained, dtype=float) - np.asarray(self.alone, dtype=float)
        return found

    @cached_property
    def weights(self) -> Array:
        """How often each item is there: a row for the sample itself, then one for every resample."""
        import numpy as np

        n = len(self)
        rng = np.random.default_rng(self.seed)
        weights = np.ones((1 + min(self.resamples, max(_LEAST, AT_ONCE // n)), n))
        for row in weights[1:]:
            row[:] = np.bincount(rng.integers(0, n, size=n), minlength=n)
        return weights

    @cached_property
    def base(self) -> Array:
        """Accuracy without any explanation, for the sample and every resample."""
        import numpy as np

        found: Array = self.weights @ np.asarray(self.alone, dtype=float) / len(self)
        return found

    @cached_property
    def oracle(self) -> Ranking:
        """The best that can be done."""
        return Ranking(self, [float(gain) for gain in self.gains])

    @cached_property
    def random(self) -> Ranking:
        """Any item as good as another."""
        return Ranking(self, [0.0] * len(self))

    def measured(self, values: Array) -> Measured:
        """The sample's value, with the interval that its resamples give; resamples without a value are left out."""
        import numpy as np

        rest = values[1:][np.isfinite(values[1:])]
        value = float(values[0])
        if not len(rest):
            return Measured(value, Interval(value, value))
        tail = (1 - self.level) / 2
        low, high = np.quantile(rest, [tail, 1 - tail])
        return Measured(value, Interval(float(low), float(high)))


@dataclass(frozen=True)
class Ranking:
    """Items in the order of their scores, the greatest first, and what each budget makes of that.

    Args:
        outcomes: What came of the items.
        scores: One for each item, in the same order.

    Raises:
        UsageError: Not one score for each item, or a score that is no number.
    """

    outcomes: Outcomes
    scores: Sequence[float] = field(repr=False)
    _known: dict[float, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        import math

        if len(self.scores) != len(self.outcomes) or any(math.isnan(score) for score in self.scores):
            raise UsageError(f"{len(self.outcomes)} items need as many scores, and numbers, not {len(self.scores)}")

    def accuracy(self, budget: float) -> Measured:
        """Expected accuracy if this share of the items is explained."""
        return self.outcomes.measured(self._accuracy(budget))

    def share(self, budget: float) -> Measured | None:
        """The share of the oracle's gain at a budget: (acc(b) - acc(0)) / (acc_oracle(b) - acc(0)).

        None where the oracle gains nothing: at budget 0, or if no explanation helps.
        """
        gain = self._accuracy(budget) - self.outcomes.base
        return self._ratio(gain, self.outcomes.oracle._accuracy(budget) - self.outcomes.base)

    def skill(self, budget: float) -> Measured | None:
        """The same share beyond chance: (acc(b) - acc_random(b)) / (acc_oracle(b) - acc_random(b)).

        0 is random, 1 the oracle; None where the oracle is no better than random.
        """
        random = self.outcomes.random._accuracy(budget)
        return self._ratio(self._accuracy(budget) - random, self.outcomes.oracle._accuracy(budget) - random)

    def area(self) -> Measured:
        """The area under the curve from budget 0 to 1: mean accuracy over all budgets."""
        return self.outcomes.measured(self._area)

    def area_skill(self) -> Measured | None:
        """The area beyond random's, as a share of the oracle's area beyond random's: 0 is random, 1 the oracle."""
        random = self.outcomes.random._area
        return self._ratio(self._area - random, self.outcomes.oracle._area - random)

    def beyond(self, other: Ranking, budget: float) -> Measured:
        """Accuracy less another ranker's at the same budget, on the same resamples.

        Raises:
            UsageError: The other ranks other items.
        """
        if other.outcomes is not self.outcomes:
            raise UsageError("two rankings can be compared only over the same outcomes; make both from one `Outcomes`")
        return self.outcomes.measured(self._accuracy(budget) - other._accuracy(budget))

    def _ratio(self, part: Array, whole: Array) -> Measured | None:
        import numpy as np

        if whole[0] < 1e-12:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.outcomes.measured(np.where(whole > 1e-12, part / whole, np.nan))

    @cached_property
    def _runs(self) -> tuple[Array, Array]:
        """For the sample and every resample, the items and the gain in each run of equal scores, the greatest first."""
        import numpy as np

        falling = -np.asarray(self.scores, dtype=float)
        order = np.argsort(falling, kind="stable")
        starts = np.flatnonzero(np.diff(falling[order], prepend=-np.inf) > 0)
        weights = self.outcomes.weights[:, order]
        sizes: Array = np.add.reduceat(weights, starts, axis=1)
        gains: Array = np.add.reduceat(weights * self.outcomes.gains[order], starts, axis=1)
        return sizes, gains

    def _accuracy(self, budget: float) -> Array:
        """Accuracy at a budget, for the sample and every resample; found once."""
        if budget not in self._known:
            self._known[budget] = self._found(budget)
        known: Array = self._known[budget]
        return known

    def _found(self, budget: float) -> Array:
        import numpy as np

        if not 0 <= budget <= 1:
            raise UsageError(f"a budget is a share of the items from 0 to 1, not {budget}")
        sizes, gains = self._runs
        n = len(self.outcomes)
        before = np.cumsum(sizes, axis=1) - sizes
        bought = np.clip(budget * n - before, 0.0, sizes)
        with np.errstate(divide="ignore", invalid="ignore"):
            taken = np.where(sizes > 0, bought / sizes, 0.0)
        found: Array = self.outcomes.base + (taken * gains).sum(axis=1) / n
        return found

    @cached_property
    def _area(self) -> Any:
        """Exact: the curve is linear within each run, so the area is a sum of trapezia."""
        import numpy as np

        sizes, gains = self._runs
        n = len(self.outcomes)
        reached = np.cumsum(gains, axis=1)
        return self.outcomes.base + ((reached - gains / 2) * sizes).sum(axis=1) / n**2
