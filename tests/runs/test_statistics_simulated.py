"""Intervals cover what they claim to and tests err as often as they say: by simulation, with fixed seeds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from maieutic.runs.experiments import Result
from maieutic.runs.statistics import (
    compare_pairs,
    corrected,
    estimate,
    items_needed,
    items_needed_for_shares,
    matched,
    samples_of,
    sign_flip,
)

Numbers = NDArray[np.float64]


def within(hits: int, n: int, share: float) -> bool:
    """Whether so many of n are what a share allows: three standard errors."""
    return bool(abs(hits / n - share) <= 3 * np.sqrt(share * (1 - share) / n))


@pytest.mark.parametrize(("share", "n"), [(0.5, 40), (0.1, 40), (0.9, 15), (0.7, 200)])
def test_wilsons_interval_covers(share: float, n: int) -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for right in rng.binomial(n, share, size=1500):
        found = estimate([1.0] * right + [0.0] * (n - right))
        assert found is not None
        hits += share in found.interval
    assert 0.93 <= hits / 1500 <= 0.985


def answers(rng: np.random.Generator, items: int, repeats: int) -> Numbers:
    """Right and wrong answers to items of different difficulty, of mean 0.6."""
    return (rng.random((items, repeats)) < rng.beta(1.5, 1.0, items)[:, None]).astype(np.float64)


def test_the_bootstrap_over_items_covers_and_one_over_answers_would_not() -> None:
    by_item, by_answer, n = 0, 0, 400
    for seed in range(n):
        rng = np.random.default_rng([1, seed])
        values = answers(rng, 40, 5)
        groups = np.repeat(np.arange(40), 5).tolist()
        clustered = estimate(values.ravel(), groups, resamples=600, seed=seed)
        naive = estimate(values.ravel())
        assert clustered is not None
        assert naive is not None
        by_item += 0.6 in clustered.interval
        by_answer += 0.6 in naive.interval
    assert within(by_item, n, 0.95)
    assert by_answer / n < 0.85


def test_the_interval_of_a_difference_covers() -> None:
    hits, n = 0, 400
    for seed in range(n):
        rng = np.random.default_rng([2, seed])
        level = rng.uniform(0, 0.8, 50)
        first = (rng.random(50) < level + 0.2).astype(np.float64)
        second = (rng.random(50) < level).astype(np.float64)
        found = compare_pairs(dict_of(first), dict_of(second), resamples=600, seed=seed)
        assert found is not None
        hits += 0.2 in found.difference.interval
    assert within(hits, n, 0.95)


def dict_of(values: Numbers) -> dict[str, list[float]]:
    return {str(n): [float(value)] for n, value in enumerate(values)}


def test_mcnemars_test_errs_no_more_often_than_it_says() -> None:
    found, n = 0, 1000
    for seed in range(n):
        rng = np.random.default_rng([3, seed])
        level = rng.beta(1, 1, 60)
        first, second = ((rng.random(60) < level).astype(np.float64) for _ in range(2))
        paired = compare_pairs(dict_of(first), dict_of(second), resamples=2)
        assert paired is not None
        assert paired.test == "mcnemar"
        found += paired.p <= 0.05
    assert found / n <= 0.05  # an exact test on counts errs less often
    assert found / n >= 0.01


def test_flipping_signs_errs_as_often_as_it_says_also_with_skewed_scores() -> None:
    found, n = 0, 400
    for seed in range(n):
        rng = np.random.default_rng([4, seed])
        apart = rng.exponential(1, 12) - rng.exponential(1, 12)
        found += sign_flip(apart.tolist(), seed=seed) <= 0.05
    assert within(found, n, 0.05)


def test_items_of_a_group_are_flipped_together_or_the_test_errs_too_often() -> None:
    together, apart, n = 0, 0, 150
    groups = {str(k): k // 5 for k in range(50)}
    for seed in range(n):
        rng = np.random.default_rng([5, seed])
        shared = np.repeat(rng.normal(0, 1, 10), 5) + rng.normal(0, 0.5, 50)
        first, second = dict_of(shared), dict_of(np.zeros(50))
        grouped = compare_pairs(first, second, groups, resamples=2, seed=seed)
        single = compare_pairs(first, second, resamples=2, seed=seed)
        assert grouped is not None
        assert single is not None
        together += grouped.p <= 0.05
        apart += single.p <= 0.05
    assert within(together, n, 0.05)
    assert apart / n > 0.2


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_several_comparisons_of_nothing_find_something_no_more_often_than_one(method: str) -> None:
    rng = np.random.default_rng(6)
    p_values = rng.random((60, 10))  # few: statsmodels collects all garbage at each of Holm's corrections
    found = sum(min(corrected(row.tolist(), method)) <= 0.05 for row in p_values)  # type: ignore[arg-type]
    assert within(found, 60, 0.05)
    assert sum(min(row) <= 0.05 for row in p_values) / 60 > 0.3


def test_as_many_items_as_planned_find_a_difference_of_scores_as_often_as_planned() -> None:
    needed, found, n = items_needed(0.1, 0.25), 0, 250
    for seed in range(n):
        apart = np.random.default_rng([7, seed]).normal(0.1, 0.25, needed)
        found += sign_flip(apart.tolist(), seed=seed) <= 0.05
    assert within(found, n, 0.8)


def test_as_many_items_as_planned_find_a_difference_of_shares_as_often_as_planned() -> None:
    needed, found, n = items_needed_for_shares(0.15, 0.35), 0, 500
    for seed in range(n):
        drawn = np.random.default_rng([8, seed]).random(needed)
        paired = compare_pairs(
            dict_of((drawn < 0.25).astype(np.float64)),
            dict_of(((drawn >= 0.25) & (drawn < 0.35)).astype(np.float64)),
            resamples=2,
        )
        assert paired is not None
        found += paired.p <= 0.05
    assert within(found, n, 0.8)


def test_the_interval_of_what_the_same_money_buys_covers() -> None:
    """`debate` costs 5 and is right 0.7 of the time; between `once` (1, 0.4) and `often` (9, 0.6) 5 buys 0.5."""
    hits, n = 0, 150
    for seed in range(n):
        rng = np.random.default_rng([9, seed])
        results = [
            Result("e", name, str(k), 0, 0, f"{name}{k}", "done", scores={"s": float(rng.random() < share)}, usd=usd)
            for name, usd, share in (("once", 1.0, 0.4), ("often", 9.0, 0.6), ("debate", 5.0, 0.7))
            for k in range(120)
        ]
        found = matched(samples_of(results), "debate", "s", "usd", resamples=300, seed=seed)
        assert found is not None
        assert found.interval is not None
        hits += 0.2 in found.interval
    assert within(hits, n, 0.95)
