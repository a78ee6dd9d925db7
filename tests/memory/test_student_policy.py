"""Spending a budget of interventions online."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import StudentModelError
from maieutic.memory.student import ConceptGraph, InterventionPolicy, Item, StudentModel

utilities = st.lists(st.floats(-1, 1), max_size=80)


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1), utilities, st.lists(st.floats(-1, 1), max_size=10), st.floats(1, 4))
def test_it_never_spends_more_than_budget_times_seen_plus_slack(
    budget: float, met: list[float], expected: list[float], slack: float
) -> None:
    policy = InterventionPolicy(budget, expected, slack=slack)
    for seen, utility in enumerate(met, start=1):
        would = policy.would(utility)
        took = policy.decide(utility)
        assert took == would
        assert not took or utility > 0
        assert policy.spent <= budget * seen + slack + 1e-6
    assert policy.seen == len(met)


@pytest.mark.parametrize("budget", [0.1, 0.2, 0.5, 0.8])
def test_it_spends_the_budget_on_the_best_items(budget: float) -> None:
    rng = random.Random(f"policy/{budget}")
    met = [rng.random() for _ in range(2000)]
    policy = InterventionPolicy(budget)
    taken = [utility for utility in met if policy.decide(utility)]
    best = sorted(met, reverse=True)[: round(budget * len(met))]
    assert policy.spent == pytest.approx(budget * len(met), abs=25)
    assert sum(taken) > 0.9 * sum(best)


def test_it_follows_utilities_that_fall() -> None:
    """A student that learns needs less and less; the threshold must not wait for what no longer comes."""
    policy = InterventionPolicy(0.3)
    rng = random.Random("falling")
    for step in range(600):
        policy.decide(rng.random() * 0.99**step)
    assert policy.spent == pytest.approx(180, abs=15)


def test_it_knows_at_once_what_to_expect() -> None:
    warned, unwarned = InterventionPolicy(0.2, [0.5, 0.6, 0.7, 0.8, 0.9]), InterventionPolicy(0.2)
    assert not warned.decide(0.3)
    assert unwarned.decide(0.3)


def test_nothing_is_spent_at_a_budget_of_zero_and_all_that_helps_at_one() -> None:
    none, everything = InterventionPolicy(0), InterventionPolicy(1)
    assert none.threshold == math.inf
    assert not any(none.decide(utility) for utility in (0.1, 0.9))
    assert [everything.decide(utility) for utility in (0.1, 0.0, -0.2, 0.9)] == [True, False, False, True]


def test_a_copy_and_json_go_on_alike() -> None:
    policy = InterventionPolicy(0.4, [0.1], slack=2, horizon=7, window=5)
    for n in range(12):
        policy.decide(n % 5 / 5)
    others = (policy.copy(), InterventionPolicy.from_json(policy.to_json()))
    coming = [n % 7 / 7 for n in range(20)]
    decided = [policy.decide(utility) for utility in coming]
    assert True in decided
    for other in others:
        assert [other.decide(utility) for utility in coming] == decided


@pytest.mark.parametrize("wrong", [{"budget": 1.2}, {"budget": 0.5, "slack": 0.5}, {"budget": 0.5, "horizon": 0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(StudentModelError, match=r"0 to 1, not 1\.2|are 1 or more"):
        InterventionPolicy(**wrong)  # type: ignore[arg-type]


def test_a_utility_that_is_no_number_is_refused() -> None:
    with pytest.raises(StudentModelError, match="finite number, not nan"):
        InterventionPolicy(0.5).decide(math.nan)


def test_the_model_intervenes_by_its_policy() -> None:
    concepts = ConceptGraph()
    concepts.add("known", prior=0.95)
    concepts.add("unknown", prior=0.1)
    items = [Item(id=f"{name}-{n}", concepts=(name,)) for n in range(5) for name in ("known", "unknown")]
    model = StudentModel(concepts, items, policy=InterventionPolicy(0.5))
    decided = {item.id: model.should_intervene(item) for item in items}
    assert {name for name, explain in decided.items() if explain} <= {f"unknown-{n}" for n in range(5)}
    assert model.policy.spent >= 4
