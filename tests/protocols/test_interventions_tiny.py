"""The whole protocol with real networks: the student model sees only answers, finds the gap, and spends well."""

import asyncio

import pytest

import maieutic as mt
from maieutic.backends.tiny import CONCEPTS, GAP, Problem, items
from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.by_student_model import ByStudentModel
from maieutic.protocols.interventions.outcome import InterventionsOutcome

JUDGED = [Item(**item) for item in items(200, seed=1)]
OBSERVED = [Item(**item) for item in items(150, seed=2) if item["question"] not in {i.question for i in JUDGED}]


@pytest.fixture(scope="module")
def outcome() -> InterventionsOutcome:
    interventions = mt.Interventions(
        mt.Teacher("Tea", {"model": "tiny/teacher", "max_concurrency": 64}),
        mt.Student("Stu", {"model": "tiny/student", "max_concurrency": 64}),
        JUDGED,
        practice=OBSERVED,
        estimators=["student_model"],
        rankers=["random", "student_confidence", "expected_utility", "oracle"],
        budgets=[0.2, 0.4],
        resamples=200,
    )
    return asyncio.run(interventions.perform())


@pytest.mark.slow
def test_the_student_model_finds_the_gap_from_answers_alone(outcome: InterventionsOutcome) -> None:
    watching = ByStudentModel([*JUDGED, *OBSERVED])
    watching.observe(outcome.practice)
    model = watching.model
    assert {concept for concept in CONCEPTS if model.mastery(concept) < 0.5} == GAP


@pytest.mark.slow
def test_its_expected_utility_beats_chance_and_the_students_confidence(outcome: InterventionsOutcome) -> None:
    curves = {curve.ranker.partition(":")[0]: curve for curve in outcome.curves}
    share = {name: point.share.value for name, c in curves.items() if (point := c.at(0.2)) and point.share}
    assert share["oracle"] == pytest.approx(1.0)
    assert share["expected_utility"] > share["student_confidence"] + 0.15
    assert share["expected_utility"] > share["random"] + 0.25


@pytest.mark.slow
def test_every_item_was_judged_and_no_explanation_gives_the_last_step_away(outcome: InterventionsOutcome) -> None:
    assert not outcome.skipped
    assert [record.item for record in outcome.records] == [item.id for item in JUDGED]
    for record in outcome.records:
        (problem,) = Problem.all_in(record.question)
        assert record.explanation == f"{'; '.join(problem.steps[:-1])}."
