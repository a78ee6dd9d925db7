"""Random concept graphs, items and lessons: what the student model is tested and measured on."""

from __future__ import annotations

import random
from typing import Any

from maieutic.memory.student import ConceptGraph, Item, Observation

__all__ = ["random_graph", "random_items", "random_observation"]


def random_graph(rng: random.Random, size: int, *, loops: bool) -> ConceptGraph:
    """Concepts with random parameters; without loops, a polytree: one more edge than that would close a circle."""
    names = [f"c{i}" for i in range(size)]
    edges: dict[str, dict[str, float]] = {name: {} for name in names}
    for i in range(1, size):
        other = rng.randrange(i)
        first, second = (other, i) if loops or rng.random() < 0.6 else (i, other)
        edges[names[second]][names[first]] = rng.choice([1.0, 0.0, rng.random(), rng.random()])
    if loops and size > 1:
        for _ in range(size):
            i, k = sorted(rng.sample(range(size), 2))
            edges[names[k]][names[i]] = rng.random()
    concepts = ConceptGraph()
    for i, name in enumerate(names):
        parameters: dict[str, Any] = {
            key: rng.uniform(0.05, 0.95) for key in ("learn", "forget", "helped", "aware", "overconfident")
        }
        parameters |= {"prior": rng.uniform(0.1, 0.95), "slip": rng.uniform(0.02, 0.4), "guess": rng.uniform(0.02, 0.4)}
        parameters["learn_practice"] = rng.choice([0.0, rng.uniform(0, 0.3)])
        wrong = {f"{name}-m{m}": {"share": rng.uniform(0, 0.4), "pull": rng.random()} for m in range(i < 2 and 1 + i)}
        concepts.add(name, needs=edges[name], misconceptions=wrong, **parameters)
    return concepts


def random_items(rng: random.Random, concepts: ConceptGraph, most: int) -> list[Item]:
    """An item for each concept, and some that need several."""
    items = []
    most = min(most, len(concepts))
    sets = [[name] for name in concepts]
    if most > 1:
        sets += [rng.sample(list(concepts), rng.randint(2, most)) for _ in range(3)]
    for i, needed in enumerate(sets):
        wrong = [m for name in needed for m in concepts.concept(name).misconceptions]
        options = ("right", "w0", "w1", "w2") if wrong or rng.random() < 0.3 else ()
        distractors = {f"w{n}": m for n, m in enumerate(wrong)} if options else {}
        explains = tuple(needed[: rng.randint(1, len(needed))])
        items.append(
            Item(
                id=f"q{i}",
                answer="right",
                options=options,
                concepts=tuple(needed),
                distractors=distractors,
                explains=explains,
                slip=rng.choice([None, 0.07]),
            )
        )
    return items


def random_observation(rng: random.Random, concepts: ConceptGraph, items: list[Item]) -> Observation:
    """Mostly answers, of all kinds; everything else that can be observed between."""
    item, concept = rng.choice(items), rng.choice(list(concepts))
    kind = rng.choice(["answered"] * 5 + ["explained", "asked", "claimed", "waited"])
    if kind == "answered":
        correct = rng.random() < 0.5
        choice = rng.choice(item.options[1:]) if item.options and not correct and rng.random() < 0.7 else None
        sure = rng.choice([None, rng.random()])
        at_hand = rng.random() < 0.3
        return Observation(
            kind="answered", item=item.id, correct=correct, choice=choice, confidence=sure, with_explanation=at_hand
        )
    if kind == "waited":
        return Observation(kind="waited", days=rng.uniform(0, 5))
    if kind == "claimed":
        return Observation(kind="claimed", concepts=(concept,), confidence=rng.random())
    about: dict[str, Any] = {"item": item.id} if rng.random() < 0.5 else {"concepts": (concept,)}
    return Observation(kind="asked" if kind == "asked" else "explained", **about)
