"""The student model against the enumeration of everything that can be the case."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.memory.student import ConceptGraph, Item, Observation, StudentModel
from maieutic.testing.exact_student import ExactStudent
from maieutic.testing.random_lessons import random_graph, random_items, random_observation


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
        held = [exact.marginal(name)[2 * k : 2 * k + 2].sum() for k in range(2, len(exact.states[name]) // 2)]
        assert list(model.misconception(name).values()) == pytest.approx(held, abs=1e-9)
    for item in model.items.values():
        prediction = model.predict(item.id)
        assert prediction.alone == pytest.approx(exact.right(item), abs=1e-9)
        assert prediction.explained == pytest.approx(exact.right(item, explained=True), abs=1e-9)
        if item.options:
            for option, chance in model.distractor(item.id).items():
                if option != item.answer:
                    assert chance == pytest.approx(exact.chooses(item, option), abs=1e-9)


def mean_and_most(*, loops: bool, most: int, students: int = 40) -> tuple[float, float]:
    """Mean and largest absolute error of the masteries over students with 5 concepts and 15 observations."""
    found = [
        error for seed in range(students) for error in errors(*both_told(seed, 5, loops=loops, most=most, length=15))
    ]
    return sum(found) / len(found), max(found)


def test_on_loops_the_error_is_small() -> None:
    average, worst = mean_and_most(loops=True, most=1)
    assert 1e-6 < average < 0.004  # it is an approximation; benchmarks/student_model.py measures it
    assert worst < 0.1


@pytest.mark.parametrize("loops", [False, True], ids=["polytrees", "loops"])
def test_with_items_of_several_concepts_the_error_is_small(loops: bool) -> None:
    average, worst = mean_and_most(loops=loops, most=3)
    assert 1e-4 < average < 0.015
    assert worst < 0.25


def test_one_answer_to_an_item_of_several_independent_concepts_is_exact() -> None:
    concepts = ConceptGraph()
    for name, prior in {"a": 0.3, "b": 0.6, "c": 0.8}.items():
        concepts.add(name, prior=prior, misconceptions={f"not-{name}": {"share": 0.4, "pull": 0.7}})
    item = Item(
        id="q",
        answer="right",
        options=("right", "w0", "w1", "w2", "w3"),
        concepts=("a", "b", "c"),
        distractors={"w0": "not-a", "w1": "not-c", "w2": "not-a"},
    )
    for choice in ("w0", "w1", "w3"):
        model, exact = StudentModel(concepts, [item]), ExactStudent(concepts, [item])
        for option in ("w0", "w1", "w2", "w3"):
            assert model.distractor("q")[option] == pytest.approx(exact.chooses(item, option), abs=1e-12)
        observation = Observation(kind="answered", item="q", correct=False, choice=choice, confidence=0.8)
        model.observe(observation)
        exact.observe(observation)
        for name in "abc":
            assert model.mastery(name) == pytest.approx(exact.mastery(name), abs=1e-12)
            assert model.thinks(name) == pytest.approx(exact.thinks(name), abs=1e-12)
            held = exact.chance(name, lambda state: state[0] == 2)
            assert model.misconception(name)[f"not-{name}"] == pytest.approx(held, abs=1e-12)
