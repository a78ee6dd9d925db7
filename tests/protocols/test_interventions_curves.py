"""Budget curves: exact where the answers are known, paired where rankers are compared."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.protocols.interventions import Outcomes, Ranking

BITS = st.integers(0, 1)
ITEMS = st.lists(st.tuples(BITS, BITS, st.integers(-2, 2)), min_size=1, max_size=6)
BUDGETS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def outcomes(alone: Sequence[float], explained: Sequence[float], **how: Any) -> Outcomes:
    return Outcomes(alone, explained, **{"resamples": 50, **how})


def by_hand(alone: Sequence[int], explained: Sequence[int], scores: Sequence[float], budget: float) -> float:
    """The mean accuracy over every order of the items in which the scores fall, the last item bought in part."""
    n, found = len(alone), []
    for order in itertools.permutations(range(n)):
        if any(scores[a] < scores[b] for a, b in itertools.pairwise(order)):
            continue
        left, right = budget * n, float(sum(alone))
        for i in order:
            part = min(1.0, max(0.0, left))
            right += part * (explained[i] - alone[i])
            left -= 1
        found.append(right / n)
    return sum(found) / len(found)


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.floats(0, 1))
def test_a_curve_is_the_mean_over_all_orders_of_equal_scores(items: list[tuple[int, int, int]], budget: float) -> None:
    alone, explained, scores = ([item[k] for item in items] for k in range(3))
    curve = Ranking(outcomes(alone, explained, resamples=0), [float(s) for s in scores])
    assert curve.accuracy(budget).value == pytest.approx(by_hand(alone, explained, scores, budget))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(BITS, BITS), min_size=1, max_size=40), st.sampled_from(BUDGETS))
def test_the_oracles_curve_in_closed_form(items: list[tuple[int, int]], budget: float) -> None:
    """It gains one item for each explanation until all that can be helped are, then nothing, then it loses."""
    alone, explained = zip(*items, strict=True)
    n = len(items)
    helped = sum(e > a for a, e in items)
    harmed = sum(e < a for a, e in items)
    bought = budget * n
    wanted = (sum(alone) + min(bought, helped) - max(0.0, bought - (n - harmed))) / n
    assert outcomes(alone, explained, resamples=0).oracle.accuracy(budget).value == pytest.approx(wanted)


@given(st.lists(st.tuples(BITS, BITS), min_size=1, max_size=40), st.floats(0, 1))
def test_randoms_curve_is_the_straight_line(items: list[tuple[int, int]], budget: float) -> None:
    alone, explained = zip(*items, strict=True)
    line = (sum(alone) * (1 - budget) + sum(explained) * budget) / len(items)
    assert outcomes(alone, explained, resamples=0).random.accuracy(budget).value == pytest.approx(line)


@settings(max_examples=40, deadline=None)
@given(ITEMS, st.sampled_from(BUDGETS))
def test_nothing_beats_the_oracle(items: list[tuple[int, int, int]], budget: float) -> None:
    alone, explained, scores = ([item[k] for item in items] for k in range(3))
    known = outcomes(alone, explained, resamples=0)
    mine = Ranking(known, [float(s) for s in scores])
    assert mine.accuracy(budget).value <= known.oracle.accuracy(budget).value + 1e-12
    assert mine.area().value <= known.oracle.area().value + 1e-12


@settings(max_examples=40, deadline=None)
@given(ITEMS)
def test_the_area_is_the_mean_over_all_budgets(items: list[tuple[int, int, int]]) -> None:
    alone, explained, scores = ([item[k] for item in items] for k in range(3))
    curve = Ranking(outcomes(alone, explained, resamples=0), [float(s) for s in scores])
    fine = 600
    mean = sum(curve.accuracy((k + 0.5) / fine).value for k in range(fine)) / fine
    assert curve.area().value == pytest.approx(mean, abs=1e-3)


def test_shares_of_the_oracles_gain() -> None:
    # Items 0 and 1 can be helped, item 2 is harmed, item 3 is right anyway, item 4 stays wrong.
    known = outcomes([0, 0, 1, 1, 0], [1, 1, 0, 1, 0])
    one_of_two = Ranking(known, [5, 1, 0, 4, 3])  # 0, 3, 4, 1, 2
    at = one_of_two.share(0.4)
    assert at is not None
    assert at.value == pytest.approx(0.5)
    beyond = one_of_two.skill(0.4)
    assert beyond is not None
    assert beyond.value == pytest.approx((0.2 - 0.08) / (0.4 - 0.08))  # random gains .4 * 1/5
    assert known.oracle.share(0.4) is not None
    assert known.oracle.share(0.4).value == 1.0  # type: ignore[union-attr]
    assert known.random.skill(0.4).value == 0.0  # type: ignore[union-attr]
    assert one_of_two.share(0.0) is None, "nothing is gained with nothing"
    assert known.random.area_skill().value == pytest.approx(0)  # type: ignore[union-attr]
    assert known.oracle.area_skill().value == pytest.approx(1)  # type: ignore[union-attr]


def test_where_no_explanation_helps_there_is_no_share() -> None:
    known = outcomes([1, 0, 1], [1, 0, 0])
    assert known.oracle.share(0.4) is None
    assert known.oracle.accuracy(1.0).value == pytest.approx(1 / 3)


def test_differences_are_paired() -> None:
    rng = random.Random(1)
    alone = [float(rng.random() < 0.5) for _ in range(400)]
    explained = [float(a or rng.random() < 0.6) for a in alone]
    known = outcomes(alone, explained, resamples=400)
    good = Ranking(known, [-a + rng.random() for a in alone])
    better = good.beyond(known.random, 0.2)
    alone_width = good.accuracy(0.2).interval.width
    assert better.interval.low > 0
    assert better.interval.width < 0.7 * alone_width, "what the two share cancels out"
    assert good.beyond(good, 0.2).interval.width == 0
    with pytest.raises(UsageError, match="the same outcomes"):
        good.beyond(outcomes(alone, explained).random, 0.2)


def test_intervals_cover_what_they_should() -> None:
    rng = random.Random(2)
    hits = 0
    for seed in range(120):
        alone = [float(rng.random() < 0.4) for _ in range(80)]
        explained = [float(rng.random() < 0.8) for _ in alone]
        hits += 0.48 in outcomes(alone, explained, resamples=300, seed=seed).random.accuracy(0.2).interval
    assert 0.88 <= hits / 120 <= 0.99


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Outcomes([], []), "one or more items answered both alone and explained, not 0 and 0"),
        (lambda: Outcomes([1], [1, 0]), "not 1 and 2"),
        (lambda: Ranking(Outcomes([1, 0], [1, 0]), [1.0]), "2 items need as many scores, and numbers, not 1"),
        (lambda: Ranking(Outcomes([1], [1]), [float("nan")]), "and numbers"),
        (lambda: Outcomes([1], [1]).random.accuracy(1.2), "a budget is a share of the items from 0 to 1, not 1.2"),
    ],
)
def test_what_is_no_curve_is_refused(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_very_many_items_are_resampled_less_often_but_never_hardly() -> None:
    few, many = outcomes([0] * 100, [1] * 100, resamples=300), outcomes([0] * 30_000, [1] * 30_000, resamples=2000)
    assert few.weights.shape == (301, 100)
    assert many.weights.shape == (201, 30_000)
    assert (many.weights.sum(axis=1) == 30_000).all()
