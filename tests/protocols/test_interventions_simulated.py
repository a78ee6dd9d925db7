"""Interventions among simulated minds: the student model, which sees only practice answers, finds what to explain."""

import asyncio
import statistics

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends.sim.curriculum import curriculum
from maieutic.protocols.intervals import bootstrap, bootstrap_difference
from maieutic.protocols.interventions.outcome import InterventionsOutcome
from maieutic.protocols.interventions.protocol import Interventions

SEEDS = 20
MINE = "expected_utility:student_model"
RIVALS = ("random", "teacher_confidence", "student_confidence")


async def one(seed: int) -> InterventionsOutcome:
    concepts = curriculum()
    items = [i if i.options else i.model_copy(update={"guess": 0.02}) for i in concepts.items.values()]
    student = Student("Sam", {"model": "sim/student", "knows": 0.5, "slip": 0.05, "learn": 0.7, "seed": seed})
    return await Interventions(
        Teacher("Tess", "sim/teacher"),
        student,
        items,
        concepts=concepts,
        practice=0.4,
        estimators=["student_model", "combined"],
        budgets=[0.2],
        resamples=0,
        seed=seed,
    ).perform()


@pytest.mark.slow
def test_at_a_fifth_explained_expected_utility_beats_random_and_both_confidences_with_intervals_apart() -> None:
    outcomes = [asyncio.run(one(seed)) for seed in range(SEEDS)]
    accuracy: dict[str, list[float]] = {}
    share: dict[str, list[float]] = {}
    for outcome in outcomes:
        for curve in outcome.curves:
            accuracy.setdefault(curve.ranker, []).append(curve.points[0].accuracy.value)
            share.setdefault(curve.ranker, []).append(curve.points[0].share.value if curve.points[0].share else 0.0)
    mine = bootstrap(accuracy[MINE])
    for rival in RIVALS:
        assert mine.apart(bootstrap(accuracy[rival])), (rival, mine, bootstrap(accuracy[rival]))
        assert statistics.mean(accuracy[MINE]) > statistics.mean(accuracy[rival])
        assert bootstrap_difference(accuracy[MINE], accuracy[rival]).low > 0.015
        assert bootstrap(share[MINE]).low > bootstrap(share[rival]).high
    assert statistics.mean(share[MINE]) > 0.5
    alone = [q.ece for outcome in outcomes for q in outcome.quality if q.condition == "alone"]
    assert statistics.mean(alone) < 0.13, "over 110 answers a perfect model has about .08"


def test_practice_on_the_same_concepts_is_what_helps() -> None:
    """Without practice the model knows only which concepts stand on many others; with it, more of the gain is found."""

    async def gain(practice: float) -> float:
        concepts = curriculum()
        found = []
        for seed in range(6):
            student = Student("Sam", {"model": "sim/student", "knows": 0.5, "seed": seed})
            outcome = await Interventions(
                Teacher("Tess", "sim/teacher"),
                student,
                list(concepts.items.values()),
                concepts=concepts,
                practice=practice,
                estimators=["student_model"],
                resamples=0,
            ).perform()
            curve = outcome.curve("expected_utility:student_model")
            assert curve is not None
            assert curve.area_skill is not None
            found.append(curve.area_skill.value)
        return statistics.mean(found)

    assert asyncio.run(gain(0.5)) > asyncio.run(gain(0.02)) + 0.1


def test_the_same_seed_gives_the_same_outcome() -> None:
    assert asyncio.run(one(3)).model_dump() == asyncio.run(one(3)).model_dump()


def test_simulated_minds_tell_how_likely_each_option_is_to_them() -> None:
    concepts = curriculum()
    items = [item for item in concepts.items.values() if item.options][:20]
    protocol = Interventions(
        Teacher("Tess", "sim/teacher"),
        Student("Sam", {"model": "sim/student", "knows": 0.5, "seed": 1}),
        items,
        concepts=concepts,
        confidence="measured",
        rankers=["random", "student_confidence", "true_pre", "true_post", "true_utility", "expected_utility", "oracle"],
        resamples=0,
    )
    outcome = asyncio.run(protocol.perform())
    assert len(outcome.records) == 14
    assert not outcome.skipped
    assert not outcome.left_out
    for record in outcome.records:
        assert record.alone.source == record.explained.source == "logprobs"
        assert record.alone.right is not None
        assert record.explained.right is not None
        assert record.explained.right >= record.alone.right
