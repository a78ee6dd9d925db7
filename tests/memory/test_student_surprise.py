"""The sequential test that finds a teacher whose explanations do harm."""

import itertools
import math
import random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.memory.student.surprise import Surprise

EXPLAINED = 40
"""Explained items per teacher."""


def watched(success: float, predicted: float, seed: int, *, alarm: float = 0.05) -> Surprise:
    """A student that is right with chance `success` where `predicted` was predicted."""
    rng = random.Random(f"surprise/{seed}")
    return Surprise.of(((predicted, rng.random() < success) for _ in range(EXPLAINED)), alarm=alarm)


def test_the_evidence_of_one_wrong_answer_is_the_likelihood_ratio_averaged_over_losses_and_beginnings() -> None:
    surprise = Surprise(margin=0.0, losses=(0.5,))
    surprise.observe(0.8, correct=False)
    assert surprise.evidence == pytest.approx(0.5 * (1 - 0.4) / (1 - 0.8) + 0.5)  # begun at the first answer, or later
    surprise.observe(0.8, correct=True)
    assert surprise.evidence == pytest.approx(0.5 * 3.0 * 0.5 + 0.5 / 3 * 0.5 + 1 / 3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.05, 0.99), min_size=1, max_size=7), st.floats(0, 0.3))
def test_on_average_over_an_honest_teachers_students_the_evidence_is_one_at_most(
    predictions: list[float], margin: float
) -> None:
    """Every course that a lesson can take, weighted by its chance: an e-process, exactly 1 where there is no margin."""
    mean = 0.0
    for course in itertools.product((False, True), repeat=len(predictions)):
        chance = math.prod(p if right else 1 - p for p, right in zip(predictions, course, strict=True))
        mean += chance * Surprise.of(zip(predictions, course, strict=True), margin=margin).evidence
    assert mean == pytest.approx(1) if margin == 0 else mean <= 1 + 1e-9


def test_an_honest_teacher_is_flagged_no_more_often_than_promised() -> None:
    flagged = sum(watched(0.85, 0.9, seed).flagged for seed in range(400))  # exactly at the margin: the worst case
    assert flagged <= 400 * 0.05
    assert flagged > 0  # the limit means something: it is not merely never reached


def test_a_better_student_than_predicted_never_raises_suspicion() -> None:
    assert not any(watched(0.95, 0.6, seed).flagged for seed in range(100))


def test_a_teacher_that_costs_most_successes_is_found_within_a_dozen_items() -> None:
    found = [watched(0.25, 0.85, seed) for seed in range(100)]
    assert all(surprise.flagged for surprise in found)
    assert median(surprise.at or 0 for surprise in found) <= 8
    mild = [watched(0.5, 0.85, seed) for seed in range(100)]
    assert median(surprise.at or EXPLAINED for surprise in mild) > median(surprise.at or 0 for surprise in found)


def test_a_teacher_that_turns_after_many_honest_lessons_is_found_too() -> None:
    surprise = Surprise(alarm=0.05)
    for _ in range(60):
        surprise.observe(0.85, correct=True)
    assert surprise.evidence < 1
    for _ in range(12):
        surprise.observe(0.85, correct=False)
    assert surprise.flagged
    assert surprise.at is not None
    assert 60 < surprise.at <= 72


def test_an_alarm_stays_raised() -> None:
    surprise = Surprise.of([(0.9, False)] * 10 + [(0.9, True)] * 200, alarm=0.05)
    assert surprise.flagged
    assert surprise.evidence < 20


def test_what_was_seen_is_said_in_words() -> None:
    assert str(Surprise()) == "nothing was explained yet"
    surprise = Surprise.of([(0.8, False), (0.8, True), (0.8, False), (0.8, False), (0.8, False)], alarm=0.05, margin=0)
    assert str(surprise) == (
        "right on 1 of 5 explained items where 4.0 were predicted; evidence 24.5 against a limit of 20, "
        "reached at the 5. of them"
    )


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="alarm is the chance of a false alarm, between 0 and 1, not 1"):
        Surprise(alarm=1)
    with pytest.raises(UsageError, match="margin is taken off predictions, from 0 to 1, not -1"):
        Surprise(margin=-1)
    with pytest.raises(UsageError, match="losses are shares between 0 and 1"):
        Surprise(losses=(1.0,))
    with pytest.raises(UsageError, match=r"a prediction is a probability from 0 to 1, not 1\.5"):
        Surprise().observe(1.5, correct=True)
