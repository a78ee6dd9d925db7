"""A tutor that may explain one exercise in ten, and must decide as the exercises come.

Twelve words of an invented language are needed in 44 exercises, some once, some eight times. The student keeps what it
was told, so it pays to explain early what will be needed often. Ten simulated students; runs offline. Give teacher and
student real models ("openai/gpt-5-mini", "hosted_vllm/Qwen3-4B", …) and nothing else changes.
"""

import asyncio
import random
from pathlib import Path

import maieutic as mt
from maieutic.backends.sim.curriculum import curriculum
from maieutic.memory.student import ConceptGraph, Item
from maieutic.protocols.interventions.online import OnlineInterventions
from maieutic.protocols.interventions.online_outcome import OnlineOutcome, over_students

WORLD = str(Path(__file__).parent / "worlds" / "lumian.yaml")
STUDENTS = 10


def language() -> tuple[ConceptGraph, list[Item]]:
    """The words as concepts that are mostly unknown, and learned when they are explained; the exercises as items."""
    known = curriculum(WORLD)
    concepts = ConceptGraph()
    for word in known:
        concepts.add(word, prior=0.3, slip=0.02, learn=0.9, helped=0.9)
    return concepts, list(known.items.values())


async def teach(seed: int) -> OnlineOutcome:
    concepts, items = language()
    random.Random(seed).shuffle(items)
    protocol = OnlineInterventions(
        teacher=mt.Teacher("Tess", {"model": "sim/teacher", "world": WORLD}),
        student=mt.Student("Sam", {"model": "sim/student", "world": WORLD, "knows": 0.3, "seed": seed}),
        items=items,
        concepts=concepts,
        budget=0.1,
        rules=["adaptive", "myopic", "open_ended", "fixed", "random", "offline", "never"],
    )
    return await protocol.perform()


def report(outcome: OnlineOutcome) -> None:
    """The decisions of the first rule, with their reasons, and what all rules came to."""
    for number, step in enumerate(outcome.steps["adaptive"], start=1):
        if step.explain:
            print(f"{number}. {step.item}: explained; expected gain {step.utility:.2f}, threshold {step.threshold:.2f}")
            for reason in step.why:
                print(f"     {reason}")
    print(outcome.table())


async def main() -> None:
    outcomes = [await teach(seed) for seed in range(STUDENTS)]
    report(outcomes[0])
    print(f"\nOver {STUDENTS} students:\n{over_students(outcomes).table()}")


if __name__ == "__main__":
    asyncio.run(main())
