"""A mean and its interval: Wilson's for shares of independent items, else a bootstrap over groups of items."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.intervals import Interval, wilson
from maieutic.runs.statistics.extra import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["FEW", "RESAMPLES", "Estimate", "all_alike", "bootstrapped", "checked", "estimate", "ratio_interval"]

Method = Literal["wilson", "bootstrap", "none"]
RESAMPLES = 2000
FEW = 20
"""With fewer groups than that a bootstrap's interval is too narrow (see `estimate`)."""
_JACKKNIFED = 1000
"""Up to so many groups the bootstrap is corrected for bias and skew; beyond, the correction is not to be seen."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its interval.

    Attributes:
        value: The mean.
        low, high: The interval's ends; both the value where there is none.
        n: How many values.
        groups: How many independent groups they come from.
        method: "wilson", "bootstrap", or "none": of one group nothing can be said.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    method: Method

    @property
    def interval(self) -> Interval:
        """Both ends."""
        return Interval(self.low, self.high)

    @property
    def few(self) -> bool:
        """Whether the interval is a bootstrap's of so few groups that it is too narrow."""
        return self.method == "none" or (self.method == "bootstrap" and self.groups < FEW)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.value:.3f} {self.interval}"


def estimate(
    values: Sequence[float] | Numbers,
    groups: Sequence[Hashable] | None = None,
    *,
    bounded: bool = True,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate | None:
    """The mean of values, with an interval that knows which of them belong together.

    Values of 0 and 1, one a group, have Wilson's interval. All others have the bootstrap over groups: whole groups are
    drawn with replacement, and the interval is corrected for bias and skew (BCa; Efron, "Better bootstrap confidence
    intervals", JASA 82, 1987) up to 1,000 groups. Where all values are 0, or all are 1, a bootstrap sees no spread:
    the interval is Wilson's for as many values as there are groups; where all groups have another mean in common, what
    was not seen is bounded in the same way.

    How often the bootstrap's 95 % interval covered the true mean in 1,000 simulated samples: of scores (3 repeats an
    item) 87 % with 5 groups, 95 to 96 % with 10 to 100; of costs that are as skewed as an exponential distribution 78 %
    with 5, 87 % with 10, 91 % with 20 and 40, 95 % with 100.

    Args:
        values: Finite numbers.
        groups: For each value, what it belongs to: repeats of one item are one group. Left out, each stands alone.
        bounded: Whether values cannot but lie between 0 and 1, as scores do.
        level: Confidence, above 0 and below 1.
        resamples: How many samples the bootstrap draws.
        seed: The same seed gives the same interval.

    Returns:
        The estimate, or None without values.

    Raises:
        UsageError: A value is not finite, or groups and values differ in number.
    """
    sample = checked(values, groups)
    if not len(sample):
        return None
    mean, k = float(sample.mean()), len(sample) if groups is None else len(set(groups))
    if bounded and np.isin(sample, (0.0, 1.0)).all() and (k == len(sample) or mean in (0.0, 1.0)):
        share = wilson(round(mean * k), k, level)
        return Estimate(mean, share.low, share.high, len(sample), k, "wilson")
    found = bootstrapped(sample, groups, level=level, resamples=resamples, seed=seed)
    return all_alike(found, 0.0, 1.0, level) if bounded and k > 1 and found.low == found.high else found


def all_alike(found: Estimate, least: float, most: float, level: float) -> Estimate:
    """Where all groups have the same mean no resample differs. Groups that differ may be as frequent as Wilson's
    interval for none of so many allows, and may have any mean from `least` to `most`."""
    unseen = wilson(0, found.groups, level).high
    low, high = found.value - unseen * (found.value - least), found.value + unseen * (most - found.value)
    return replace(found, low=low, high=high, method="wilson")


def bootstrapped(
    sample: Numbers,
    groups: Sequence[Hashable] | None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """The same with the bootstrap over groups, whatever the values; of a single group there is no interval.

    Args:
        sample: Finite numbers, one or more.
        groups, level, resamples, seed: As in `estimate`.
    """
    sums, counts = _by_group(sample, groups)
    mean, n, k = float(sample.mean()), len(sample), len(sums)
    if k == 1:
        return Estimate(mean, mean, mean, n, k, "none")
    found = ratio_interval(sums, counts, level=level, resamples=resamples, seed=seed)
    return Estimate(mean, found.low, found.high, n, k, "bootstrap")


def checked(values: Sequence[float] | Numbers, groups: Sequence[Hashable] | None) -> Numbers:
    """Values as an array.

    Raises:
        UsageError: As `estimate`.
    """
    sample = np.asarray(values, dtype=np.float64)
    if not np.isfinite(sample).all():
        raise UsageError("a mean needs finite numbers")
    if groups is not None and len(groups) != len(sample):
        raise UsageError(f"{len(sample)} values need as many groups, not {len(groups)}")
    return sample


def ratio_interval(
    tops: Numbers, bottoms: Numbers, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The bootstrap's interval for sum(tops) / sum(bottoms), the pairs drawn together.

    Args:
        tops, bottoms: One number for each independent group; two groups or more, bottoms above 0.
        level, resamples, seed: As in `estimate`.
    """
    require()
    from scipy import stats

    if not 0 < level < 1:
        raise UsageError(f"a level of confidence lies between 0 and 1, not {level}")
    value = float(tops.sum() / bottoms.sum())
    if np.allclose(tops, value * bottoms, rtol=1e-12, atol=1e-12):
        return Interval(value, value)

    def ratio(top: Numbers, bottom: Numbers, axis: int = -1) -> Numbers:
        found: Numbers = top.sum(axis=axis) / bottom.sum(axis=axis)
        return found

    def ends(method: Literal["BCa", "percentile"]) -> Interval:
        found = stats.bootstrap(
            (tops, bottoms),
            ratio,
            paired=True,
            vectorized=True,
            n_resamples=resamples,
            confidence_level=level,
            method=method,
            batch=max(1, 2_000_000 // len(tops)),
            rng=np.random.default_rng(seed),
        ).confidence_interval
        return Interval(float(found.low), float(found.high))

    if len(tops) > _JACKKNIFED:
        return ends("percentile")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = ends("BCa")
    return (
        found if np.isfinite((found.low, found.high)).all() else ends("percentile")
    )  # there was nothing to correct by


def _by_group(values: Numbers, groups: Sequence[Hashable] | None) -> tuple[Numbers, Numbers]:
    """The sum and the number of each group's values, in the order in which groups first appear."""
    if groups is None:
        return values, np.ones_like(values)
    places: dict[Hashable, int] = {}
    at = np.fromiter((places.setdefault(group, len(places)) for group in groups), dtype=np.intp, count=len(values))
    return np.bincount(at, weights=values).astype(np.float64), np.bincount(at).astype(np.float64)
