"""Two conditions on the same items: the difference, its interval, a test, and how large it is beside the spread."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.paired import mcnemar
from maieutic.runs.statistics.estimates import RESAMPLES, Estimate, all_alike, bootstrapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["Paired", "Test", "compare_pairs", "mcnemar", "sign_flip", "wilcoxon"]

Test = Literal["mcnemar", "permutation", "wilcoxon"]
FLIPS = 9999
"""How many assignments of signs are drawn where there are too many to try all."""


@dataclass(frozen=True, slots=True)
class Paired:
    """How a first condition differs from a second one on the same items.

    Attributes:
        difference: Mean of first less second, with its interval (bootstrap over groups).
        test: Which test gave the p-value.
        p: Two-sided: how often a difference as large or larger comes of conditions that are equal.
        items: How many items both have.
        wins, losses, ties: Items on which the first is better, worse, the same.
        effect: Cohen's d of paired values: the mean difference in standard deviations of the items' differences. None
            where all items differ by the same.
        odds_ratio: Of right against wrong on the items on which the two differ: wins / losses. None without losses, or
            where scores are not 0 and 1.
    """

    difference: Estimate
    test: Test
    p: float
    items: int
    wins: int
    losses: int
    ties: int
    effect: float | None
    odds_ratio: float | None

    @property
    def superiority(self) -> float:
        """Chance that the first is better on an item, ties counted half."""
        return (self.wins + self.ties / 2) / self.items

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "superiority": self.superiority}


def compare_pairs(
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    groups: Mapping[str, Hashable] | None = None,
    *,
    test: Test | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Paired | None:
    """Compare two conditions on the items that both have; repeats of an item are averaged first.

    The test, where none is named: McNemar's exact test if every item has a single value of 0 or 1 on both sides and is
    a group of its own, else a permutation test that flips the signs of whole groups, which asks nothing of the
    distribution. Wilcoxon's signed-rank test is right where scores are marks on a scale whose steps are not equal (a
    judge's); it compares ranks and not means, so it must be asked for.

    Args:
        first, second: Values by item.
        groups: What items belong to; each stands alone if left out.
        test: The test.
        level, resamples, seed: As in `estimate`.

    Returns:
        The comparison, or None where the two have no item in common.

    Raises:
        UsageError: McNemar's test is asked for where it does not fit.
    """
    items = [item for item in first if item in second and len(first[item]) and len(second[item])]
    if not items:
        return None
    alone = groups is None or len({groups[item] for item in items}) == len(items)
    ours, theirs = (np.array([fmean(side[item]) for item in items]) for side in (first, second))
    binary = bool(np.isin(ours, (0.0, 1.0)).all() and np.isin(theirs, (0.0, 1.0)).all())
    single = all(len(side[item]) == 1 for side in (first, second) for item in items)
    chosen = test or ("mcnemar" if binary and single and alone else "permutation")
    if chosen == "mcnemar" and not (binary and alone):
        raise UsageError("McNemar's test needs items that stand alone and are right or wrong; leave the test out")
    apart = np.round(ours - theirs, 12)
    belongs: list[Hashable] = list(items) if groups is None else [groups[item] for item in items]
    difference = bootstrapped(apart, belongs, level=level, resamples=resamples, seed=seed)
    if difference.low == difference.high:
        difference = all_alike(difference, -1.0, 1.0, level)
    return _paired(difference, chosen, _p(chosen, apart, belongs, seed), apart, binary=binary)


def _paired(difference: Estimate, test: Test, p: float, apart: Numbers, *, binary: bool) -> Paired:
    """What the items' differences come to."""
    wins, losses, n = int((apart > 0).sum()), int((apart < 0).sum()), len(apart)
    spread = float(apart.std(ddof=1)) if n > 1 else 0.0
    return Paired(
        difference=difference,
        test=test,
        p=p,
        items=n,
        wins=wins,
        losses=losses,
        ties=n - wins - losses,
        effect=float(apart.mean()) / spread if spread > 0 else None,
        odds_ratio=wins / losses if binary and losses else None,
    )


def _p(test: Test, apart: Numbers, belongs: Sequence[Hashable], seed: int) -> float:
    if test == "mcnemar":
        return mcnemar(int((apart > 0).sum()), int((apart < 0).sum()))
    sums: dict[Hashable, float] = {}
    for group, value in zip(belongs, apart, strict=True):
        sums[group] = sums.get(group, 0.0) + float(value)
    return wilcoxon(list(sums.values())) if test == "wilcoxon" else sign_flip(list(sums.values()), seed=seed)


def sign_flip(differences: Sequence[float], *, seed: int = 0) -> float:
    """The p-value of the paired permutation test that the mean difference is 0; signs are flipped by whole groups.

    All assignments of signs are tried up to 13 differences; beyond, 9,999 of them are drawn.

    Args:
        differences: One for each independent group.
        seed: The same seed draws the same signs.
    """
    from scipy import stats

    values = np.asarray(differences, dtype=np.float64)
    if not values.any() or len(values) < 2:
        return 1.0

    def mean(sample: Numbers, axis: int = -1) -> Numbers:
        found: Numbers = sample.mean(axis=axis)
        return found

    found = stats.permutation_test(
        (values,),
        mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        batch=max(1, 2_000_000 // len(values)),
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def wilcoxon(differences: Sequence[float]) -> float:
    """The p-value of Wilcoxon's signed-rank test; differences of 0 are ranked and then dropped (Pratt 1959)."""
    from scipy import stats

    values = np.asarray(differences, dtype=np.float64)
    return float(stats.wilcoxon(values, zero_method="pratt").pvalue) if values.any() else 1.0
