"""Decisions that are a function of what was observed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import StudentModelError
from maieutic.memory.student import ConceptGraph, InterventionPolicy, Item, Observation, StudentModel
from maieutic.memory.student.decisions import Decision, Decisions

ITEMS = [Item(id=f"q{i}", question=f"Question {i}?", concepts=(f"c{i % 4}",)) for i in range(12)]


def decisions(budget: float) -> Decisions:
    concepts = ConceptGraph()
    for i in range(4):
        concepts.add(f"c{i}", needs={f"c{i - 1}": 0.8} if i else {}, prior=0.6)
    return Decisions(StudentModel(concepts, ITEMS), budget)


def answered(item: str, correct: bool) -> Observation:
    return Observation(kind="answered", item=item, correct=correct)


def explained(item: str) -> Observation:
    return Observation(kind="explained", item=item)


def test_what_pays_is_explained_and_what_does_not_is_not() -> None:
    student = decisions(0.5)
    student.observe(answered("q0", False))
    assert student.decide("q0").intervene
    student = decisions(0.5)
    student.observe(answered("q0", True))
    assert not student.decide("q0").intervene


def test_to_decide_is_not_to_spend() -> None:
    student = decisions(0.5)
    student.observe(answered("q0", False))
    first = student.decide("q0")
    assert [student.decide("q0") for _ in range(20)] == [first] * 20
    assert (first.answers, first.explanations) == (0, 0)
    student.observe(explained("q0"))
    assert student.decide("q0").explanations == 1


def test_asked_before_or_after_the_answer_the_same_number_of_answers_is_counted() -> None:
    student = decisions(0.5)
    student.observe(answered("q0", True))
    assert student.decide("q1").answers == 1, "q0 has passed"
    student.observe(answered("q1", False))
    assert student.decide("q1").answers == 1, "q1 is the one that is decided upon"
    student.observe(Observation(kind="answered", concepts=("c2",), correct=True))
    assert student.decide("q1").answers == 3, "an open question is an occasion too"


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from([0.0, 0.1, 0.4, 0.75, 1.0]),
    st.lists(st.tuples(st.sampled_from([item.id for item in ITEMS]), st.booleans()), max_size=40),
    st.booleans(),
)
def test_the_budget_is_kept_whatever_is_answered(budget: float, answers: list[tuple[str, bool]], before: bool) -> None:
    student, spent = decisions(budget), 0
    for number, (item, correct) in enumerate(answers, 1):
        if not before:
            student.observe(answered(item, correct))
        if student.decide(item).intervene:
            spent += 1
            student.observe(explained(item))
        if before:
            student.observe(answered(item, correct))
        assert spent <= budget * number + 1
        assert budget > 0 or not spent


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([item.id for item in ITEMS]), st.booleans()), max_size=15))
def test_told_again_it_decides_again_as_it_did(answers: list[tuple[str, bool]]) -> None:
    student, log, made = decisions(0.4), [], []
    for item, correct in answers:
        log.append(answered(item, correct))
        student.observe(log[-1])
        made.append((len(log), item, student.decide(item)))
        if made[-1][2].intervene:
            log.append(explained(item))
            student.observe(log[-1])
    for length, item, decision in made:
        again = decisions(0.4)
        for observation in log[:length]:
            again.observe(observation)
        assert again.decide(item) == decision
        assert again.copy().decide(item) == decision


def test_a_copy_goes_its_own_way() -> None:
    student = decisions(0.5)
    student.observe(answered("q0", False))
    other = student.copy()
    other.observe(explained("q0"))
    assert (student.decide("q0").explanations, other.decide("q0").explanations) == (0, 1)
    assert other.model.mastery("c0") > student.model.mastery("c0")


@pytest.mark.parametrize(
    ("decision", "reasons"),
    [
        (
            Decision(True, 0.414, 0.22, 4, 1, 0.4),
            ("expected utility 0.41 >= threshold 0.22", "1 explanation after 4 answers before, budget 0.4"),
        ),
        (
            Decision(False, 0.2, 0.22, 1, 0, 0.4),
            ("expected utility 0.20 < threshold 0.22", "0 explanations after 1 answer before, budget 0.4"),
        ),
        (
            Decision(False, 0.5, 0.22, 2, 2, 0.4),
            (
                "expected utility 0.50 >= threshold 0.22",
                "2 explanations after 2 answers before, budget 0.4: none is left",
            ),
        ),
        (
            Decision(False, 0.5, math.inf, 2, 2, 0.0),
            ("expected utility 0.50", "2 explanations after 2 answers before, budget 0: none is left"),
        ),
        (
            Decision(False, -0.1, 0.22, 2, 0, 0.4),
            (
                "expected utility -0.10: an explanation is expected to gain nothing",
                "0 explanations after 2 answers before, budget 0.4",
            ),
        ),
    ],
)
def test_a_decision_says_its_numbers(decision: Decision, reasons: tuple[str, ...]) -> None:
    assert decision.reasons == reasons


def test_it_decides_as_the_policy_does_that_counts_what_it_decides() -> None:
    """The same items, answered in turn: the policy that is asked once an item, and decisions from the log alone."""
    student, model = decisions(0.4), decisions(0.4).model
    policy = InterventionPolicy(0.4, [model.predict(name).utility for name in model.items])
    for number, item in enumerate([item.id for item in ITEMS] * 3):
        told = answered(item, number % 3 == 0)
        student.observe(told)
        model.observe(told)
        taken = policy.decide(model.expected_utility(item))
        assert student.decide(item).intervene is taken
        if taken:
            student.observe(explained(item))
            model.observe(explained(item))


def test_what_is_not_known_cannot_be_decided_upon() -> None:
    with pytest.raises(StudentModelError, match="q99"):
        decisions(0.4).decide("q99")
    with pytest.raises(StudentModelError, match="0 to 1"):
        decisions(1.4)
