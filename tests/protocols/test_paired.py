"""Paired tests, beside figures worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.protocols.paired import mcnemar, paired_bootstrap


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(3, 3) == 1
    assert mcnemar(5, 0) == 2 / 32
    assert mcnemar(1, 5) == 2 * (1 + 6) / 64
    with pytest.raises(UsageError, match="counts are 0 or more"):
        mcnemar(-1, 2)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_a_symmetric_binomial_test(a: int, b: int) -> None:
    """The chance of all splits that are no likelier than this one."""
    ways = [math.comb(a + b, k) for k in range(a + b + 1)]
    assert mcnemar(a, b) == mcnemar(b, a) == pytest.approx(sum(w for w in ways if w <= ways[a]) / 2 ** (a + b))


def test_mcnemar_of_very_many_items() -> None:
    assert 0 < mcnemar(5000, 5100) < 1
    assert mcnemar(4000, 6000) < 1e-80


def test_a_paired_bootstrap_of_a_known_case() -> None:
    # Shifted to a mean of 0 the differences are +0.5 or -0.5; 9 of 12 have the sign of the mean of -0.25, that is to
    # say, a resample is as far from 0 if at most 3 or at least 9 of 12 fair coins fall on one side. All shifted values
    # are not fair coins here: 3 of 12 are +0.75, 9 are -0.25.
    differences = [-1.0] * 3 + [0.0] * 9
    measured = 0.25
    chance = sum(
        math.comb(12, k) * 0.25**k * 0.75 ** (12 - k)
        for k in range(13)
        if abs(-0.75 * k + 0.25 * (12 - k)) / 12 >= measured - 1e-12
    )
    assert paired_bootstrap(differences, resamples=40_000) == pytest.approx(chance, abs=0.01)
    assert paired_bootstrap(differences) == paired_bootstrap(differences)


def test_a_paired_bootstrap_without_a_difference_or_without_data() -> None:
    assert paired_bootstrap([0.0] * 5) == 1
    assert paired_bootstrap([1.0, -1.0] * 10) == 1
    assert paired_bootstrap([1.0] * 5, resamples=99) == 0.01  # never 0: the measured one counts
    for bad in ([], [math.nan]):
        with pytest.raises(UsageError, match="one finite difference"):
            paired_bootstrap(bad)
