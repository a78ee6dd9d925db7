"""How fast a student model takes observations, whether it slows down or grows, and how far from exact it is.

    python benchmarks/student_model.py [--observations 100000] [--concepts 2000] [--students 200]

Speed: one student, concepts with 3 prerequisites each on average, items of one to three concepts, nothing logged.
Exactness: mastery against enumeration, over random graphs of 6 concepts and lessons of 20 observations; and on the
large graph, where an observation's work is bounded, against the same evidence worked out to the end.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import tracemalloc
from collections.abc import Iterator

from maieutic.memory.student import ConceptGraph, Item, Observation, StudentModel
from maieutic.testing.exact_student import ExactStudent
from maieutic.testing.random_lessons import random_graph, random_items, random_observation


def large(rng: random.Random, size: int) -> ConceptGraph:
    """Concepts that need 2 to 4 of those taught shortly before."""
    concepts = ConceptGraph()
    for i in range(size):
        before = range(max(0, i - 60), i)
        needs = {f"c{k}": rng.uniform(0.3, 1) for k in rng.sample(before, min(len(before), rng.choice([2, 3, 4])))}
        concepts.add(f"c{i}", needs=needs, prior=0.9)
    return concepts


def items_of(rng: random.Random, concepts: ConceptGraph) -> list[Item]:
    """Two items per concept, on average."""
    names = list(concepts)
    return [
        Item(id=f"q{i}", concepts=tuple(rng.sample(names, rng.choice([1, 1, 1, 2, 3])))) for i in range(2 * len(names))
    ]


def lesson(rng: random.Random, items: list[Item], length: int) -> Iterator[Observation]:
    """Mostly answers; explanations, questions, claims and pauses between."""
    kinds = ["answered"] * 80 + ["explained"] * 10 + ["asked"] * 4 + ["claimed"] * 4 + ["waited"] * 2
    for _ in range(length):
        kind, item = rng.choice(kinds), rng.choice(items).id
        if kind == "answered":
            yield Observation(kind="answered", item=item, correct=rng.random() < 0.6)
        elif kind == "waited":
            yield Observation(kind="waited", days=1.0)
        elif kind == "claimed":
            yield Observation(kind="claimed", item=item, confidence=rng.random())
        else:
            yield Observation(kind="asked" if kind == "asked" else "explained", item=item)


def speed(concepts: ConceptGraph, items: list[Item], length: int) -> None:
    """Print observations per second, the last tenth against the first, and the growth of memory."""
    start = time.perf_counter()
    model = StudentModel(concepts, items, keep_log=False)
    print(f"built in {time.perf_counter() - start:.2f} s")
    tenths = []
    for tenth in range(10):
        observations = list(lesson(random.Random(tenth), items, length // 10))
        start = time.process_time()
        for observation in observations:
            model.observe(observation)
        tenths.append(time.process_time() - start)
    rate = length / sum(tenths)
    print(f"{length:,} observations over {len(concepts):,} concepts: {rate:,.0f} per CPU second ({sum(tenths):.1f} s)")
    print(f"time of the last tenth / of the first: {tenths[-1] / tenths[0]:.2f}")


def growth(concepts: ConceptGraph, items: list[Item], length: int) -> None:
    """Print the memory that a model holds, before and after many observations."""
    tracemalloc.start()
    model = StudentModel(concepts, items, keep_log=False)
    for observation in lesson(random.Random("warm"), items, length // 10):
        model.observe(observation)
    before = tracemalloc.get_traced_memory()[0]
    for observation in lesson(random.Random("run"), items, length):
        model.observe(observation)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(f"memory held: {before / 1e6:.2f} MB, after {length:,} more observations {after / 1e6:.2f} MB")


def unsettled(concepts: ConceptGraph, items: list[Item]) -> None:
    """Print how far the bounded work leaves a large graph from the same evidence worked out to the end.

    After a few observations per concept: later, beliefs are so sure that little moves.
    """
    model = StudentModel(concepts, items, keep_log=False)
    for observation in lesson(random.Random("unsettled"), items, 3 * len(concepts)):
        model.observe(observation)
    settled = StudentModel.from_json({**model.to_json(), "tolerance": 1e-7})
    distances = [abs(model.mastery(name) - settled.mastery(name)) for name in model.concepts]
    print(f"mastery, bounded against worked out: mean {statistics.mean(distances):.1e}, most {max(distances):.1e}")


def exactness(students: int) -> None:
    """Print the error of mastery against enumeration."""
    print(f"{'graph':<22}{'concepts an item':<18}{'mean error':>12}{'largest':>10}")
    for loops in (False, True):
        for most in (1, 2, 3):
            found: list[float] = []
            for seed in range(students):
                rng = random.Random(f"accuracy/{seed}")
                concepts = random_graph(rng, 6, loops=loops)
                items = random_items(rng, concepts, most)
                model, exact = StudentModel(concepts, items), ExactStudent(concepts, items)
                for _ in range(20):
                    observation = random_observation(rng, concepts, items)
                    model.observe(observation)
                    exact.observe(observation)
                found += [abs(model.mastery(name) - exact.mastery(name)) for name in concepts]
            name = "with loops" if loops else "polytree"
            print(f"{name:<22}{f'up to {most}':<18}{statistics.mean(found):>12.1e}{max(found):>10.1e}")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--observations", type=int, default=100_000)
    options.add_argument("--concepts", type=int, default=2_000)
    options.add_argument("--students", type=int, default=200)
    chosen = options.parse_args()
    concepts = large(random.Random(0), chosen.concepts)
    items = items_of(random.Random(1), concepts)
    speed(concepts, items, chosen.observations)
    growth(concepts, items, chosen.observations // 5)
    unsettled(concepts, items)
    exactness(chosen.students)


if __name__ == "__main__":
    main()
