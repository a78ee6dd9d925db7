"""The bandit: what it believes, what it trades, how it explores, what it says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from maieutic.errors import UsageError
from maieutic.protocols.routing import Candidate, Pool
from maieutic.protocols.routing.routers import Bandit, Query, RoutingRecord
from maieutic.protocols.routing.routers.spending import Spending, TradeOff

POOL = Pool.model_validate(
    {
        "small": {"model": "sim/expert", "price": {"input": 0.1, "output": 0.4}, "latency": {"p50": 1, "p95": 2}},
        "large": {"model": "sim/expert", "price": {"input": 2, "output": 8}, "latency": {"p50": 5, "p95": 9}},
    }
)


def record(n: int, model: str, quality: float, **more: Any) -> RoutingRecord:
    return RoutingRecord(question=f"question {n}", model=model, quality=quality, family="sums", **more)


def records(**qualities: float) -> list[RoutingRecord]:
    """Twenty records of each model, with this share of right answers; small costs 0.001 USD, large 0.01."""
    usd, seconds = {"small": 0.001, "large": 0.01}, {"small": 1.0, "large": 5.0}
    return [
        record(n, model, float(n < 20 * share), usd=usd.get(model), seconds=seconds.get(model))
        for model, share in qualities.items()
        for n in range(20)
    ]


def decided(bandit: Bandit, pool: Pool = POOL, times: int = 400, family: str = "sums") -> list[Any]:
    rng = random.Random(0)
    return [bandit.decide(Query("another question", family), pool, rng) for _ in range(times)]


def taught(records: list[RoutingRecord], **settings: Any) -> Bandit:
    bandit = Bandit(settings)
    bandit.fit(records)
    return bandit


def test_without_exploring_it_takes_the_best_utility_and_says_why_in_numbers() -> None:
    [decision] = decided(taught(records(small=0.6, large=0.9), explore=0), times=1)
    assert decision.name == "large"
    assert not decision.explored
    assert decision.reasons[0].startswith("large has utility 0.91 = quality 0.91 ± 0.15")
    assert decision.reasons[0].endswith("from 20 records. That is the best known.")
    assert decision.reasons[1].startswith("Next: small has utility 0.6")


def test_the_trade_off_decides_between_better_and_cheaper() -> None:
    """large is better by 0.3 and costs 0.009 USD and 4 s more: worth it below 33 per USD, or 0.075 per second."""
    mine = records(small=0.6, large=0.9)
    for weigh, right in (
        ({"per_usd": 20}, "large"),
        ({"per_usd": 50}, "small"),
        ({"per_second": 0.05}, "large"),
        ({"per_second": 0.1}, "small"),
    ):
        [decision] = decided(taught(mine, explore=0, trade_off=weigh), times=1)
        assert decision.name == right, weigh
    assert "- 0.1 for 1 s" in decision.reasons[0]


def test_utility_is_quality_less_what_money_and_time_are_worth() -> None:
    assert TradeOff(per_usd=50, per_second=0.01).utility(0.9, 0.002, 10) == pytest.approx(0.9 - 0.1 - 0.1)


def test_an_unknown_price_is_taken_for_the_highest_and_never_for_nothing() -> None:
    pool = POOL.added(Candidate.model_validate({"name": "dark", "model": "sim/expert"}))
    expected = Spending.of(records(small=1, large=1)).expected(pool)
    assert [expected[name].usd for name in pool.names] == pytest.approx([0.001, 0.01, 0.01])
    assert expected["dark"].assumed
    assert not expected["small"].assumed
    [decision] = decided(taught(records(small=0.9, dark=0.9, large=0.2), explore=0, trade_off={"per_usd": 10}), pool, 1)
    assert decision.name == "small"
    assert "dark has utility 0.81 = quality 0.91" in decision.reasons[1]
    assert "what is unknown taken as the pool's highest" in decision.reasons[1]


def test_before_any_record_the_pools_own_price_and_latency_count() -> None:
    expected = Spending().expected(POOL)
    assert expected["large"].usd == pytest.approx((300 * 2 + 200 * 8) / 1e6)
    assert expected["large"].seconds == 5.0


def test_it_explores_no_more_than_its_share() -> None:
    mine = records(small=0.5, large=0.55)
    explored = [d.explored for d in decided(taught(mine, explore=0.1), times=2000)]
    assert 0.005 < sum(explored) / 2000 < 0.1
    assert not any(d.explored for d in decided(taught(mine, explore=0)))


def test_it_tries_the_doubtful_and_leaves_the_hopeless_alone() -> None:
    close = [d.name for d in decided(taught(records(small=0.6, large=0.7), explore=1))]
    far = [d.name for d in decided(taught(records(small=0.0, large=1.0), explore=1))]
    assert close.count("small") > 40
    assert far.count("small") < 10


def test_below_the_floor_nothing_is_chosen_even_to_learn() -> None:
    mine = records(small=0.2, large=0.6)
    cheap = {"per_usd": 40}
    assert {d.name for d in decided(taught(mine, explore=1, trade_off=cheap))} == {"small", "large"}
    assert {d.name for d in decided(taught(mine, explore=1, trade_off=cheap, floor=0.45))} == {"large"}
    [none] = decided(taught(records(small=0.0, large=0.1), floor=0.75), times=1)
    assert none.name == "large"
    assert none.reasons[1] == "No candidate is expected to reach the floor of 0.75; this one comes nearest."


def test_a_new_candidate_is_tried_within_the_share_and_used_once_it_proves_better() -> None:
    pool = POOL.added(Candidate.model_validate({"name": "new", "model": "sim/expert"}))
    bandit = taught(records(small=0.4, large=0.6), explore=0.2)
    first = decided(bandit, pool, 1000)
    tried = [d for d in first if d.name == "new"]
    assert 40 < len(tried) < 200
    assert all(d.explored for d in tried)
    assert (
        tried[0].reasons[0].startswith("Tried in order to learn (at most 20% of decisions are): new has utility 0.80")
    )
    assert tried[0].reasons[1].startswith("Best known: large")
    waiting = next(d for d in first if not d.explored)
    assert waiting.reasons[-1] == "Not known well enough yet, and tried in up to 20% of decisions: new."
    for n in range(10):
        bandit.observe(record(100 + n, "new", 1.0))
    assert [d.name for d in decided(bandit, pool)].count("new") > 350


def test_a_new_candidate_that_proves_worse_is_left_alone() -> None:
    pool = POOL.added(Candidate.model_validate({"name": "new", "model": "sim/expert"}))
    bandit = taught(records(small=0.4, large=0.8), explore=0.2)
    for n in range(10):
        bandit.observe(record(100 + n, "new", 0.0))
    assert [d.name for d in decided(bandit, pool)].count("new") < 8


def test_what_the_pool_says_of_past_performance_is_believed_until_records_tell() -> None:
    told = POOL.updated(performance={"small": {"sums": 0.9, "dates": 0.1}, "large": {"sums": 0.5, "dates": 0.5}})
    bandit = Bandit({"explore": 0})
    assert {d.name for d in decided(bandit, told)} == {"small"}
    assert {d.name for d in decided(bandit, told, family="dates")} == {"large"}
    bandit.fit(records(small=0.0, large=0.5))
    assert {d.name for d in decided(bandit, told)} == {"large"}


def test_learning_one_by_one_comes_to_the_same_as_learning_all_at_once() -> None:
    mine = records(small=0.3, large=0.8)
    at_once, one_by_one = taught(mine, explore=0), Bandit({"explore": 0})
    for each in random.Random(1).sample(mine, len(mine)):
        one_by_one.observe(each)
    query = Query("question 3", "sums")
    left, right = at_once.estimates(query, POOL), one_by_one.estimates(query, POOL)
    for name in POOL.names:
        assert left[name].mean == pytest.approx(right[name].mean)
        assert left[name].spread == pytest.approx(right[name].spread)
        assert left[name].n == right[name].n == 20


def test_more_records_make_it_surer() -> None:
    few, many = taught(records(small=0.5)[::4]), taught(records(small=0.5))
    query = Query("question 3", "sums")
    assert few.estimates(query, POOL)["small"].spread > many.estimates(query, POOL)["small"].spread
    assert few.estimates(query, POOL)["large"].mean == 0.8  # nothing is known of it: optimism


def test_other_settings_keep_what_was_learned() -> None:
    bandit = taught(records(small=0.6, large=0.9), explore=0)
    thrifty = bandit.changed(per_usd=100)
    assert decided(bandit, times=1)[0].name == "large"
    assert decided(thrifty, times=1)[0].name == "small"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"explore": 2}, "bandit: explore: Input should be less than or equal to 1"),
        (
            {"floor": 0.9, "optimism": 0.5},
            r"floor \(0.9\) above optimism \(0.5\): a new candidate would never be tried",
        ),
        ({"patience": 1}, "bandit: patience: Extra inputs are not permitted"),
        ({"trade_off": {"per_usd": -1}}, "bandit: trade_off.per_usd: Input should be greater"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Bandit(settings)
