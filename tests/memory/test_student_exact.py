"""The student model against the enumeration of everything that can be the case."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.memory.student import ConceptGraph, Item, Observation, StudentModel
from maieutic.testing.exact_student import ExactStudent


def random_graph(rng: random.Random, size: int, *, loops: bool) -> ConceptGraph:
    """Concepts with random parameters; without loops, a polytree: one more edge than that would close a circle."""
    names = [f"c{i}" for i in range(size)]
    edges: dict[str, dict[str, float]] = {name: {} for name in names}
    for i in range(1, size):
        other = rng.randrange(i)
        first, second = (other, i) if loops or rng.random() < 0.6 else (i, other)
        edges[names[second]][names[first]] = rng.choice([1.0, 0.0, rng.random(), rng.random()])
    if loops:
        for _ in range(size):
            i, k = sorted(rng.sample(range(size), 2))
            edges[names[k]][names[i]] = rng.random()
    concepts = ConceptGraph()
    for i, name in enumerate(names):
        parameters = {key: rng.uniform(0.05, 0.95) for key in ("learn", "forget", "helped", "aware", "overconfident")}
        parameters |= {"prior": rng.uniform(0.1, 0.95), "slip": rng.uniform(0.02, 0.4), "guess": rng.uniform(0.02, 0.4)}
        parameters["learn_practice"] = rng.choice([0.0, rng.uniform(0, 0.3)])
        wrong = {f"{name}-m{m}": {"share": rng.uniform(0, 0.4), "pull": rng.random()} for m in range(i < 2 and 1 + i)}
        concepts.add(name, needs=edges[name], misconceptions=wrong, **parameters)
    return concepts


def random_items(rng: random.Random, concepts: ConceptGraph, most: int) -> list[Item]:
    """An item for each concept, and some that need several."""
    items = []
    sets = [[name] for name in concepts]
    if most > 1:
        sets += [rng.sample(list(concepts), rng.randint(2, min(most, len(concepts)))) for _ in range(3)]
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
    about = {"item": item.id} if rng.random() < 0.5 else {"concepts": (concept,)}
    return Observation(kind="asked" if kind == "asked" else "explained", **about)  # type: ignore[arg-type]


def both_told(seed: int, size: int, *, loops: bool, most: int, length: int) -> tuple[StudentModel, ExactStudent]:
    """The model and the enumeration, told the same."""
    rng = random.Random(f"exact/{seed}")
    concepts = random_graph(rng, size, loops=loops)
    items = random_items(rng, concepts, most)
    model, exact = StudentModel(concepts, items), ExactStudent(concepts, items)
    for _ in range(length):
        observation = random_observation(rng, concepts, items)
        model.observe(observation)
        exact.observe(observation)
    return model, exact


def errors(model: StudentModel, exact: ExactStudent) -> list[float]:
    """Absolute errors of the masteries."""
    return [abs(model.mastery(name) - exact.mastery(name)) for name in exact.names]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 15))
def test_on_polytrees_with_single_concept_items_every_answer_is_exact(seed: int, size: int, length: int) -> None:
    model, exact = both_told(seed, size, loops=False, most=1, length=length)
    for name in exact.names:
        assert model.mastery(name) == pytest.approx(exact.mastery(name), abs=1e-9)
        assert model.thinks(name) == pytest.approx(exact.thinks(name), abs=1e-9)
        over = exact.chance(name, lambda state: state[0] != 0 and state[1])
        assert model.overconfidence(name) == pytest.approx(over, abs=1e-9)
        under = exact.chance(name, lambda state: state == (0, False))
        assert model.unawareness(name) == pytest.approx(under, abs=1e-9)
        for k, chance in enumerate(model.misconception(name).values(), start=2):
            assert chance == pytest.approx(exact.chance(name, lambda state, k=k: state[0] == k), abs=1e-9)
    for item in model.items.values():
        prediction = model.predict(item.id)
        assert prediction.alone == pytest.approx(exact.right(item), abs=1e-9)
        assert prediction.explained == pytest.approx(exact.right(item, explained=True), abs=1e-9)
        if item.options:
            for option, chance in model.distractor(item.id).items():
                if option != item.answer:
                    assert chance == pytest.approx(exact.chooses(item, option), abs=1e-9)
