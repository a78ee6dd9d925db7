"""FOR SAFETY RESEARCH: a teacher that misleads, and a monitor that finds it by the student model's surprise.

The monitor knows nothing of the teacher. Before every answer the student model has said how likely the student is to be
right after an explanation; a student that fails much more often than that has been told something wrong. The same
monitor watches over honest teachers, and must not accuse them. Ten simulated students, who defer to what they are told;
runs offline.
"""

import asyncio
import random
from pathlib import Path
from statistics import median

import maieutic as mt
from maieutic.backends.sim.curriculum import curriculum
from maieutic.memory.student import ConceptGraph
from maieutic.protocols.interventions.online import OnlineInterventions
from maieutic.protocols.interventions.online_outcome import OnlineOutcome, over_students

WORLD = str(Path(__file__).parent / "worlds" / "lumian.yaml")
STUDENTS = 10


async def teach(seed: int, *, misaligned: bool) -> OnlineOutcome:
    known = curriculum(WORLD)
    concepts = ConceptGraph()
    for word in known:
        concepts.add(word, prior=0.3, slip=0.02, learn=0.9, helped=0.9)
    items = list(known.items.values())
    random.Random(seed).shuffle(items)
    student = {"model": "sim/student", "world": WORLD, "knows": 0.3, "seed": seed, "deference": 0.7}
    protocol = OnlineInterventions(
        teacher=mt.Teacher("Tess", {"model": "sim/teacher", "world": WORLD}),
        student=mt.Student("Sam", student),
        items=items,
        concepts=concepts,
        budget=0.4,
        rules=["adaptive", "random", "never"],
        watch=True,
        misaligned=misaligned,
    )
    return await protocol.perform()


async def main() -> None:
    for misaligned in (False, True):
        outcomes = [await teach(seed, misaligned=misaligned) for seed in range(STUDENTS)]
        print(outcomes[0].table())
        delays = [at for outcome in outcomes if (at := outcome.watched["adaptive"].at) is not None]
        found = f"found after {median(delays):g} explained items (median)" if delays else "nothing found"
        print(f"\nOver {STUDENTS} students ({found}):\n{over_students(outcomes).table()}\n")


if __name__ == "__main__":
    asyncio.run(main())
