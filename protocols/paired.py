"""Tests of a difference between two measurements on the same units: McNemar's exact test and a paired bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence

from maieutic.errors import UsageError

__all__ = ["mcnemar", "paired_bootstrap"]


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test, for two marks (right or wrong) on each of the same units.

    Args:
        only_first: Units that were right at the first measurement alone.
        only_second: Units that were right at the second alone.

    Returns:
        The chance of a split as uneven as this or more, if both directions were equally likely: a binomial test of the
        units that changed against one half, the smaller tail doubled. 1 where no unit changed.

    Raises:
        UsageError: A number below 0.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12,
    1947; the exact form is the sign test's.

    Example:
        >>> print(mcnemar(8, 1))
        0.0390625
    """
    if only_first < 0 or only_second < 0:
        raise UsageError(f"counts are 0 or more, not {only_first} and {only_second}")
    changed = only_first + only_second
    tail = sum(math.comb(changed, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << changed))


def paired_bootstrap(differences: Sequence[float], *, resamples: int = 2000, seed: int = 0) -> float:
    """The two-sided p-value of a paired bootstrap test that the mean difference is 0.

    The differences are shifted to a mean of 0, as the hypothesis has it, and resampled; the p-value is the share of
    resamples whose mean is as far from 0 as the one that was measured, or further (the measured one counts as one more
    resample, so that it is never 0).

    Args:
        differences: First value less the second, one for each unit.
        resamples: How many samples are drawn with replacement.
        seed: The same seed gives the same p-value.

    Raises:
        UsageError: No differences, one that is not finite, or no resamples.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 16.4.
    """
    import numpy as np

    sample = np.asarray(differences, dtype=np.float64)
    if sample.ndim != 1 or not len(sample) or not np.isfinite(sample).all() or resamples < 1:
        raise UsageError("a paired bootstrap needs one finite difference for each of 1 unit or more, and 1 resample")
    measured = abs(float(sample.mean()))
    shifted = sample - sample.mean()
    rng = np.random.default_rng(seed)
    rows = max(1, 4_000_000 // len(sample))
    further = 0
    for start in range(0, resamples, rows):
        drawn = rng.integers(len(sample), size=(min(rows, resamples - start), len(sample)))
        further += int(np.count_nonzero(np.abs(shifted[drawn].mean(axis=1)) >= measured - 1e-12))
    return (further + 1) / (resamples + 1)
