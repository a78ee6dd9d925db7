"""What choosing whom to explain is worth: the rankers of `interventions` beside random and the oracle.

    python benchmarks/interventions.py [--students 20] [--budget 0.2] [--reliability FILE.svg]
    python benchmarks/interventions.py --tiny [--items 1000] [--plot FILE.svg]

The first puts the questions of the bundled school world to simulated students (one by seed; each knows half of the
facts, slips in 5 % and takes in 70 % of what it reads), once honest about their confidence and once overconfident.
Four tenths of the questions are practice; the networkx student model sees those answers and nothing else. Intervals are
bootstraps over students, differences paired by student. The second does the same with real language models, tiny ones,
over questions that no model was trained on; intervals are bootstraps over questions.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maieutic.agents import Student, Teacher
from maieutic.backends.sim.curriculum import curriculum
from maieutic.backends.tiny.arithmetic import items as tiny_items
from maieutic.memory.student import Item
from maieutic.memory.student.calibration import Calibration
from maieutic.protocols.intervals import bootstrap, bootstrap_difference
from maieutic.protocols.interventions.outcome import InterventionsOutcome
from maieutic.protocols.interventions.protocol import Interventions

STUDENT = {"model": "sim/student", "knows": 0.5, "slip": 0.05, "learn": 0.7}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "honest": {},
    "overconfident (adds 0.5 to its confidence)": {"confidence_bias": 0.5},
}
MINE = "expected_utility:student_model"


async def school(seed: int, more: Mapping[str, Any], budget: float) -> InterventionsOutcome:
    """One simulated student."""
    concepts = curriculum()
    items = [  # nobody guesses the answer to an open question
        item if item.options else item.model_copy(update={"guess": 0.02}) for item in concepts.items.values()
    ]
    student = Student("Sam", {**STUDENT, **more, "seed": seed})
    teacher = Teacher("Tess", "sim/teacher")
    return await Interventions(
        teacher,
        student,
        items,
        concepts=concepts,
        practice=0.4,
        estimators=["student_model", "combined"],
        budgets=[budget],
        resamples=0,
        seed=seed,
    ).perform()


def by_student(outcomes: Sequence[InterventionsOutcome], budget: float) -> dict[str, tuple[list[float], list[float]]]:
    """Accuracies and shares of the oracle's gain, by ranker."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for outcome in outcomes:
        for curve in outcome.curves:
            point = curve.at(budget)
            assert point is not None
            accuracies, shares = found.setdefault(curve.ranker, ([], []))
            accuracies.append(point.accuracy.value)
            shares.append(point.share.value if point.share else 0.0)
    return found


def report(name: str, outcomes: Sequence[InterventionsOutcome], budget: float) -> None:
    """The table of one kind of student."""
    print(
        f"\n{name}: {len(outcomes)} students, {len(outcomes[0].records)} judged questions each, {budget:.0%} explained"
    )
    print(f"{'ranker':<32} {'accuracy':<24} {'share of oracle gain':<24} expected utility is better by")
    table = by_student(outcomes, budget)
    for ranker, (accuracies, shares) in table.items():
        better = [mine - theirs for mine, theirs in zip(table[MINE][0], accuracies, strict=True)]
        print(
            f"{ranker:<32} {statistics.mean(accuracies):.3f} {bootstrap(accuracies)!s:<18} "
            f"{statistics.mean(shares):.3f} {bootstrap(shares)!s:<18} {statistics.mean(better):+.3f} "
            f"{bootstrap_difference(table[MINE][0], accuracies)}"
        )
    for condition in ("alone", "explained"):
        for estimator in ("student_model", "combined"):
            predicted, came = predictions(outcomes, estimator, condition)
            print(f"{estimator}, {condition}: {Calibration.of(predicted, came)}")


def predictions(
    outcomes: Sequence[InterventionsOutcome], estimator: str, condition: str
) -> tuple[list[float], list[bool]]:
    """All predictions of an estimator, and what came."""
    records = [record for outcome in outcomes for record in outcome.records]
    predicted = [getattr(record.estimates[estimator], condition) for record in records]
    return predicted, [getattr(record, condition).correct for record in records]


def draw(outcomes: Sequence[InterventionsOutcome], path: Path) -> None:
    """The reliability of the student model, alone."""
    from maieutic.files.plotting import save
    from maieutic.memory.student.pictures import reliability_plot

    print(f"\n{save(reliability_plot(*predictions(outcomes, 'student_model', 'alone')), path)}")


async def simulated(students: int, budget: float, reliability: Path | None) -> None:
    """All students, one after the other."""
    for name, more in KINDS.items():
        outcomes = [await school(seed, more, budget) for seed in range(students)]
        report(name, outcomes, budget)
        if reliability and name == "honest":
            draw(outcomes, reliability)


async def tiny(n: int, plot: Path | None) -> None:
    """Real models."""
    items = [Item.model_validate(each) for each in tiny_items(n, seed=1)]
    teacher = Teacher("Tess", {"model": "tiny/teacher", "max_concurrency": 256})
    student = Student("Sam", {"model": "tiny/student", "max_concurrency": 256})
    outcome = await Interventions(
        teacher, student, items, practice=0.3, estimators=["student_model", "combined"]
    ).perform()
    print(outcome.table())
    if plot:
        print(outcome.plot(plot))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=20)
    parser.add_argument("--budget", type=float, default=0.2)
    parser.add_argument("--reliability", type=Path)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    if asked.tiny:
        asyncio.run(tiny(asked.items, asked.plot))
    else:
        asyncio.run(simulated(asked.students, asked.budget, asked.reliability))


if __name__ == "__main__":
    main()
