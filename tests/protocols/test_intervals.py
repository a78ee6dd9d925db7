"""Intervals: Wilson's against published values, the bootstrap against what it must cover."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.protocols import intervals
from maieutic.protocols.intervals import Interval, bootstrap, bootstrap_difference, bootstrap_of, wilson


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(intervals) == (0, 3)


def test_wilson_solves_its_own_equation() -> None:
    # both ends are the shares at which the observed share lies exactly 1.96 standard errors away
    z = 1.959963984540054
    found = wilson(81, 263)
    for end in (found.low, found.high):
        assert abs(81 / 263 - end) == pytest.approx(z * math.sqrt(end * (1 - end) / 263))
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)  # Newcombe, Stat. Med. 17, 1998, table I


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_stays_between_0_and_1(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    found = wilson(successes, n)
    assert 0 <= found.low <= successes / n <= found.high <= 1
    assert wilson(successes, n, 0.99).width > found.width
    mirrored = wilson(n - successes, n)
    assert [mirrored.low, mirrored.high] == pytest.approx([1 - found.high, 1 - found.low])


def test_wilson_at_none_and_all() -> None:
    assert wilson(0, 10).low == 0
    assert wilson(0, 10).high == pytest.approx(0.2775, abs=1e-4)
    assert wilson(10, 10).high == 1


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = bootstrap(list(values))
    reach = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - reach, abs=0.03)
    assert found.high == pytest.approx(values.mean() + reach, abs=0.03)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = sum(0.3 in bootstrap(list(rng.random(60) < 0.3), resamples=300, level=0.9) for _ in range(200))
    assert 0.82 <= covered / 200 <= 0.96


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    values = [float(k) for k in range(30)]
    assert bootstrap(values, seed=4) == bootstrap(values, seed=4)
    assert bootstrap(values, seed=4) != bootstrap(values, seed=5)


def test_a_large_sample_is_resampled_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [float(k % 7) for k in range(50)]
    whole = bootstrap(values, resamples=100)
    monkeypatch.setattr(intervals, "AT_ONCE", 600)
    assert bootstrap(values, resamples=100) == whole


def test_pairing_sees_a_difference_that_the_spread_of_the_units_would_hide() -> None:
    units = np.random.default_rng(3).normal(0, 10, 50)
    first, second = list(units + 1), list(units)
    assert not bootstrap(first).apart(bootstrap(second))
    assert bootstrap_difference(first, second).low == pytest.approx(1)


def test_any_statistic_can_be_resampled_and_a_mean_comes_out_the_same() -> None:
    values = np.arange(20.0)
    assert bootstrap_of(lambda drawn: float(values[drawn].mean()), 20, seed=6) == bootstrap(list(values), seed=6)


def test_intervals_are_apart_only_if_nothing_is_common() -> None:
    assert Interval(0, 1).apart(Interval(1.1, 2))
    assert Interval(1.1, 2).apart(Interval(0, 1))
    assert not Interval(0, 1).apart(Interval(1, 2))
    assert 1 in Interval(0, 1)
    assert 1.01 not in Interval(0, 1)


def test_what_is_no_sample_is_refused() -> None:
    with pytest.raises(UsageError, match="11 successes of 10 is no sample"):
        wilson(11, 10)
    with pytest.raises(UsageError, match="0 successes of 0 is no sample"):
        wilson(0, 0)
    with pytest.raises(UsageError, match="between 0 and 1, not 95"):
        wilson(1, 2, 95)
    with pytest.raises(UsageError, match="at least 1 unit and 1 resample, not 0 and 2000"):
        bootstrap([])
    with pytest.raises(UsageError, match="one finite number for each unit"):
        bootstrap([1.0, math.nan])
    with pytest.raises(UsageError, match="as many first values as second ones, not 1 and 2"):
        bootstrap_difference([1], [1, 2])
