"""INTERACT between simulated minds, over many students: the table over conditions, and ways to choose questions.

    python benchmarks/interact.py [--students 60] [--noise 1.0] [--curve curve.svg]

A student is a seed. It reads the example text (six concepts) or the sentences of four topics of the bundled world (30
concepts), of which five turns can cover a part only. Every line is a mean over students with the 95 % interval of the
bootstrap over students; differences are paired. `noise` distorts what students say that they know, in log-odds.

The minds are simulated: the numbers show that the protocol measures what it should, and how the ways to choose a
question compare where a student's knowledge of itself is known. They say nothing about language models.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from maieutic.agents import Student, Teacher
from maieutic.backends import Endpoints, in_memory
from maieutic.backends.sim import load_world
from maieutic.files.documents import read_document
from maieutic.protocols.interact import Curve, Interact, InteractOutcome
from maieutic.protocols.intervals import bootstrap, bootstrap_difference

CHOICES = ["free", "self_estimate", "student_model"]
TOPICS = ("astronomy", "biology", "physics", "geography")


def texts() -> dict[str, tuple[str, str, int]]:
    """Title: text, topic and questions on each of three levels."""
    sky = read_document(Path(__file__).parents[1] / "examples" / "texts" / "the-sky.md").text
    world = load_world()
    wide = "\n".join(fact.says for fact in world.facts.values() if world.concepts[fact.concept].topic in TOPICS)
    return {
        "example text, 9 questions": (sky, "astronomy", 3),
        f"{len(TOPICS)} topics, 24 questions": (wide, ", ".join(TOPICS), 8),
    }


async def learned(students: int, text: str, topic: str, per_level: int, *, noise: float) -> list[InteractOutcome]:
    """One outcome a student."""
    async with Endpoints() as endpoints:
        outcomes = []
        for seed in range(students):
            tom = Teacher("Tom", {"model": "sim/teacher", "seed": 1000 + seed, "knows": 0.3})
            lea = Student("Lea", {"model": "sim/student", "seed": seed, "knows": 0.25, "noise": noise})
            lesson = Interact(
                tom, lea, context=text, topic=topic, per_level=per_level, question_choice=CHOICES, syllabus=True
            )
            async with in_memory(endpoints, seed) as place:
                outcomes.append(await lesson.perform(at=place))
    return outcomes


def line(outcomes: Sequence[InteractOutcome], curve: Curve) -> str:
    """One row: accuracy over the turns, the last with its interval, and recovery."""
    same = [o.curve(curve.condition, choice=curve.choice) for o in outcomes]
    last = bootstrap([each.final for each in same])
    turns = " ".join(
        f"{mean(point.accuracy for point in points):.3f}" for points in zip(*(c.points for c in same), strict=True)
    )
    recovery = mean(o.recovery(each) or 0.0 for o, each in zip(outcomes, same, strict=True))
    return f"| {outcomes[0].label(curve)} | {turns} | {last} | {recovery:.2f} |"


def difference(outcomes: Sequence[InteractOutcome], condition: str, choice: str, other: str, turn: int) -> str:
    """How much more is right with one way to choose questions than with another, after some turns."""

    def after(which: str) -> list[float]:
        return [o.curve(condition, choice=which).points[turn].accuracy for o in outcomes]  # type: ignore[arg-type]

    gap = mean(after(choice)) - mean(after(other))
    return (
        f"{choice} - {other}, {condition}, after {turn}: {gap:+.3f} {bootstrap_difference(after(choice), after(other))}"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--curve", help="draw the first student's curves to this file")
    options = parser.parse_args()
    for title, (text, topic, per_level) in texts().items():
        start = time.perf_counter()
        outcomes = asyncio.run(learned(options.students, text, topic, per_level, noise=options.noise))
        calls = sum(outcome.calls for outcome in outcomes)
        print(f"\n{title}: {options.students} students, {calls} calls, {time.perf_counter() - start:.0f} s\n")
        print("| condition | right after 0, 1, … turns | last, 95 % | recovery |\n|---|---|---|---|")
        for curve in outcomes[0].curves:
            print(line(outcomes, curve))
        print()
        for condition in ("interaction", "lesson_interaction"):
            for choice, other in (
                ("student_model", "free"),
                ("self_estimate", "free"),
                ("student_model", "self_estimate"),
            ):
                for turn in (2, 5):
                    print(difference(outcomes, condition, choice, other, turn))
        if options.curve:
            print(outcomes[0].plot(options.curve))


if __name__ == "__main__":
    main()
