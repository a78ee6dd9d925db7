"""Intervals for what was measured on a sample: shares, means, differences, and anything computed from resampled items.

Everything is deterministic by its seed. A share of successes has Wilson's interval, all else the percentile bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Interval", "bootstrap", "bootstrap_difference", "bootstrap_of", "wilson"]

AT_ONCE = 4_000_000
"""How many resampled values are held at once (32 MB), whatever the size of the sample."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of confidence, both ends included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def apart(self, other: Interval) -> bool:
        """Whether the two have no value in common."""
        return self.high < other.low or other.high < self.low

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    def __str__(self) -> str:
        return f"[{self.low:.3f}, {self.high:.3f}]"


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a share of successes; it behaves at 0 and 1 and for small n.

    Args:
        successes: How many of the n succeeded.
        n: How many were tried, 1 or more.
        level: Confidence, above 0 and below 1.

    Raises:
        UsageError: Numbers that no sample can have.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22, 1927.

    Example:
        >>> print(wilson(8, 10))
        [0.490, 0.943]
    """
    if n < 1 or not 0 <= successes <= n:
        raise UsageError(f"{successes} successes of {n} is no sample; there must be at least 1 and no more than all")
    z = NormalDist().inv_cdf(0.5 + _level(level) / 2)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(middle - reach, 0.0)
    high = 1.0 if successes == n else min(middle + reach, 1.0)
    return Interval(low, high)


def bootstrap(values: Sequence[float], *, resamples: int = 2000, level: float = 0.95, seed: int = 0) -> Interval:
    """The percentile bootstrap's interval for the mean of the values.

    Args:
        values: One number for each independent unit (an item, a student, a seed).
        resamples: How many samples are drawn with replacement.
        level: Confidence, above 0 and below 1.
        seed: The same seed gives the same interval.

    Raises:
        UsageError: No values, a value that is not finite, no resamples, or a level that is none.

    Source: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.
    """
    import numpy as np

    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise UsageError("a bootstrap needs one finite number for each unit")
    return _percentiles(len(sample), lambda drawn: sample[drawn].mean(axis=1), resamples, level, seed)


def bootstrap_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The paired bootstrap's interval for mean(first) - mean(second): both measured on the same units, in one order.

    Raises:
        UsageError: The two differ in length, and what `bootstrap` raises.
    """
    if len(first) != len(second):
        raise UsageError(f"pairs need as many first values as second ones, not {len(first)} and {len(second)}")
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return bootstrap(differences, resamples=resamples, level=level, seed=seed)


def bootstrap_of(
    statistic: Callable[[NDArray[np.intp]], float],
    n: int,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The percentile bootstrap's interval for anything that can be computed from a resampled set of units.

    Args:
        statistic: Gets the indices of the units drawn (n of them, with repetition) and gives the number.
        n: How many units there are.
        resamples: How many samples are drawn with replacement.
        level: Confidence, above 0 and below 1.
        seed: The same seed draws the same samples, so that two statistics can be compared sample by sample.

    Raises:
        UsageError: As `bootstrap`.

    Example:
        >>> scores = [0.2, 0.4, 0.9, 0.6, 0.5]
        >>> print(bootstrap_of(lambda drawn: max(scores[k] for k in drawn), len(scores)))
        [0.500, 0.900]
    """
    import numpy as np

    def each(drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.array([statistic(one) for one in drawn], dtype=np.float64)

    return _percentiles(n, each, resamples, level, seed)


def _percentiles(n: int, statistic: Callable[[Any], Any], resamples: int, level: float, seed: int) -> Interval:
    import numpy as np

    if n < 1 or resamples < 1:
        raise UsageError(f"a bootstrap needs at least 1 unit and 1 resample, not {n} and {resamples}")
    tail = (1 - _level(level)) / 2
    rng = np.random.default_rng(seed)
    rows = max(1, AT_ONCE // n)
    counts = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    found = np.concatenate([statistic(rng.integers(n, size=(count, n))) for count in counts])
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise UsageError(f"a level of confidence lies between 0 and 1, not {level}")
    return level
