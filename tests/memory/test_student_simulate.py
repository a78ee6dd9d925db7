"""Simulated students are as the model says: shares over many of them against the model's own formulas."""

from __future__ import annotations

import doctest
import random

import pytest

from maieutic.errors import StudentModelError, UsageError
from maieutic.memory.student import simulate as simulating
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.items import Item
from maieutic.memory.student.simulate import SimulatedStudent, simulate

MANY = 4000
NEAR = 0.03  # more than three standard errors of a share of MANY


def students(concepts: ConceptGraph) -> list[SimulatedStudent]:
    return [SimulatedStudent(concepts, random.Random(seed)) for seed in range(MANY)]


def share(values: list[bool]) -> float:
    return sum(values) / len(values)


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(simulating) == (0, 3)


def test_what_is_known_at_first_follows_the_prerequisites() -> None:
    concepts = ConceptGraph()
    concepts.add("division", prior=0.6)
    concepts.add("fractions", needs={"division": 0.75}, prior=0.8)
    drawn = students(concepts)
    assert share(["division" in each.known for each in drawn]) == pytest.approx(0.6, abs=NEAR)
    with_it = [each for each in drawn if "division" in each.known]
    without = [each for each in drawn if "division" not in each.known]
    assert share(["fractions" in each.known for each in with_it]) == pytest.approx(0.8, abs=NEAR)
    assert share(["fractions" in each.known for each in without]) == pytest.approx(0.8 * 0.25, abs=NEAR)


def test_an_item_of_two_concepts_is_a_noisy_and_and_help_makes_up_for_what_it_covers() -> None:
    concepts = ConceptGraph()
    concepts.add("a", prior=1, slip=0.2, guess=0.1)
    concepts.add("b", prior=0, slip=0.1, guess=0.3, helped=0.5)
    item = Item(id="q", concepts=("a", "b"), explains=("b",))
    alone = share([each.answer(item).correct is True for each in students(concepts)])
    helped = share([each.answer(item, with_explanation=True).correct is True for each in students(concepts)])
    assert alone == pytest.approx(0.2, abs=NEAR)  # the mean of both guesses
    assert helped == pytest.approx(0.2 + (1 - 0.15 - 0.2) * 0.5, abs=NEAR)


def test_an_explanation_teaches_the_readier_the_likelier() -> None:
    concepts = ConceptGraph()
    concepts.add("base", prior=0)
    concepts.add("top", needs={"base": 0.5}, prior=0, learn=0.8)
    drawn = students(concepts)
    for each in drawn:
        each.explain(Item(id="q", concepts=("top",)))
    assert share(["top" in each.known for each in drawn]) == pytest.approx(0.4, abs=NEAR)


def test_waiting_forgets_day_by_day_and_practice_teaches() -> None:
    concepts = ConceptGraph()
    concepts.add("a", prior=1, forget=0.1)
    concepts.add("b", prior=0, learn_practice=0.25)
    drawn = students(concepts)
    for each in drawn:
        each.wait(3)
        each.answer(Item(id="q", concepts=("b",)))
    assert share(["a" in each.known for each in drawn]) == pytest.approx(0.9**3, abs=NEAR)
    assert share(["b" in each.known for each in drawn]) == pytest.approx(0.25, abs=NEAR)


def test_who_holds_a_misconception_is_drawn_to_its_distractor() -> None:
    concepts = ConceptGraph()
    concepts.add("a", prior=0, guess=0, misconceptions={"m": {"share": 1, "pull": 0.7}})
    item = Item(id="q", concepts=("a",), answer="x", options=("x", "y", "z"), distractors={"y": "m"}, guess=0)
    choices = [each.answer(item).choice for each in students(concepts)]
    assert share([choice == "y" for choice in choices]) == pytest.approx(0.7 + 0.3 / 2, abs=NEAR)
    assert "x" not in choices


def test_an_answer_without_a_name_is_only_right_or_wrong() -> None:
    concepts = ConceptGraph()
    concepts.add("a", prior=0, guess=0)
    said = SimulatedStudent(concepts, random.Random(0)).answer(Item(id="q", concepts=("a",)))
    assert (said.correct, said.choice) == (False, None)


def test_logs_are_the_same_for_a_seed_whoever_else_is_simulated() -> None:
    concepts = ConceptGraph([Item(id="q", concepts=("a",))])
    concepts.add("a")
    few, many = simulate(concepts, students=2, seed=3), simulate(concepts, students=5, seed=3)
    assert few == {name: many[name] for name in few}
    assert simulate(concepts, students=5, seed=4) != many
    log = simulate(concepts, students=1, length=10, explain=1, wait=1, days=2)["s0"]
    assert [each.kind for each in log] == ["answered", "explained", "waited"] * 10
    assert {each.days for each in log if each.kind == "waited"} == {2}


def test_what_cannot_be_simulated_is_said() -> None:
    concepts = ConceptGraph()
    concepts.add("fractions")
    with pytest.raises(StudentModelError, match="no items that students could answer"):
        simulate(concepts)
    with pytest.raises(StudentModelError, match=r"no concept 'fraction'; did you mean 'fractions'"):
        simulate(concepts, [Item(id="q", concepts=("fraction",))])
    with pytest.raises(StudentModelError, match="'q' needs no concept"):
        simulate(concepts, [Item(id="q")])
    with pytest.raises(UsageError, match="chances from 0 to 1"):
        simulate(concepts, [Item(id="q", concepts=("fractions",))], explain=2)
