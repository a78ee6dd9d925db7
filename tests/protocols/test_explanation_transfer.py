"""Whether explanations carry over to items that nobody explained (Saha, Hase and Bansal 2023, research question 4)."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends import LLMRequest
from maieutic.backends.models import ModelSpec
from maieutic.backends.sim.curriculum import curriculum
from maieutic.errors import UsageError
from maieutic.memory.student import ConceptGraph, Item
from maieutic.protocols.interventions.generalisation import ExplanationTransfer, TransferOutcome
from maieutic.protocols.interventions.measures import Measure
from maieutic.testing.staged import Staged, play

WORLD = str(Path(__file__).parents[2] / "examples" / "worlds" / "lumian.yaml")


def items(prefix: str, count: int, concepts: str = "ab") -> list[Item]:
    return [
        Item(id=f"{prefix}{n}", question=f"What is {prefix}{n}?", answer="yes", options=("yes", "no"),
             concepts=(concepts[n % len(concepts)],))
        for n in range(count)
    ]  # fmt: skip


def say(request: LLMRequest) -> dict[str, Any] | str:
    """A student that answers as many test items right as lessons are in its view, and everything on b alone."""
    name = request.address.path[-2]
    if request.agent == "tess":
        return f"Lesson on {name}."
    lessons = sum("Lesson on" in message.content for message in request.messages)
    right = int(name[1:]) < lessons if name[0] == "t" else int(name[1:]) % 2 == 1
    return {"reasoning": "Hm.", "answer": "yes" if right else "no", "confidence": 0.5}


def run(**params: Any) -> Staged[TransferOutcome]:
    given: dict[str, Any] = {"items": items("p", 6), "unexplained": items("t", 5), "rounds": [1, 2, 4], **params}
    teacher, student = Teacher("tess", "scripted/t"), Student("sam", "scripted/s")
    return play(ExplanationTransfer(teacher=teacher, student=student, **given), say, "")


def test_accuracy_on_unexplained_items_is_measured_before_and_after_every_round() -> None:
    outcome = run().outcome
    assert [test.explained for test in outcome.rounds["random"]] == [0, 1, 2, 4]
    assert [measure.value for measure in outcome.accuracy["random"]] == pytest.approx([0, 0.2, 0.4, 0.8])
    assert [measure.value for measure in outcome.gain["random"]] == pytest.approx([0, 0.2, 0.4, 0.8])
    lines = outcome.table().splitlines()
    assert lines[0] == "accuracy on 5 unexplained items"
    assert lines[-1].split()[:2] == ["4", "0.800"]


def test_what_was_explained_stands_in_the_students_view_with_the_answer_and_grows_at_the_end() -> None:
    staged = run()
    order = staged.outcome.explained["random"]
    views = staged.read("sam.answer")
    assert views[0] == []
    first, second = views[5], views[10]
    assert first == [
        f"Question: What is {order[0]}?\n\nOptions:\n- yes\n- no", f"tess: Lesson on {order[0]}.\nAnswer: yes",
    ]  # fmt: skip
    assert second[: len(first)] == first
    assert len(second) == 4
    assert views[5] == views[6] == views[9]  # one test is asked of one view; no test item enters it
    bare = run(answers="none").read("sam.answer")[5]
    assert bare[1] == f"tess: Lesson on {order[0]}."


def test_items_chosen_by_utility_are_those_whose_concepts_the_test_needs_and_the_student_lacks() -> None:
    """At practice the student is right on b and wrong on a."""
    outcome = run(orders=["utility", "random"], rounds=[1, 3]).outcome
    assert set(outcome.explained["utility"]) == {"p0", "p2", "p4"}
    assert outcome.rounds["utility"][0] == outcome.rounds["random"][0]
    only_b = run(orders=["utility"], rounds=[1], unexplained=[i for i in items("t", 4) if i.concepts == ("b",)]).outcome
    assert only_b.explained["utility"][0] in ("p1", "p3", "p5")  # a would help nobody with the test


def test_calls_are_as_planned() -> None:
    for orders in (["random"], ["utility"], ["utility", "random"]):
        staged = run(orders=orders)
        protocol = ExplanationTransfer(
            teacher=Teacher("tess", "scripted/t"), student=Student("sam", "scripted/s"),
            items=items("p", 6), unexplained=items("t", 5), rounds=[1, 2, 4], orders=orders,
        )  # fmt: skip
        made = {name: sum(r.agent == name for r in staged.requests) for name in ("tess", "sam")}
        low, high = protocol.plan().calls["tess"]
        assert low <= made["tess"] <= high
        assert protocol.plan().calls["sam"] == (made["sam"], made["sam"])
    assert ExplanationTransfer.of(protocol.cast, protocol.params).plan().calls["tess"] == (4, 6)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(UsageError, match="7 items cannot be explained, there are 6"):
        run(rounds=[1, 7])
    with pytest.raises(UsageError, match="the numbers of explained items must rise"):
        run(rounds=[2, 2])
    with pytest.raises(UsageError, match="'p0' stands among the items and among the unexplained ones"):
        run(unexplained=items("p", 2))
    with pytest.raises(UsageError, match="to choose by utility, the student model must know what 't0' needs"):
        run(orders=["utility"], unexplained=[Item(id="t0", question="?", answer="yes")])


def test_it_is_drawn(tmp_path: Path) -> None:
    picture = run(orders=["utility", "random"]).outcome.plot(tmp_path / "transfer.svg").read_text("utf-8")
    assert "chosen by utility" in picture


@pytest.mark.slow
def test_simulated_students_learn_for_other_items_and_more_if_the_items_are_chosen_by_utility() -> None:
    known = curriculum(WORLD)
    concepts = ConceptGraph()
    for word in known:
        concepts.add(word, prior=0.3, slip=0.02, learn=0.9, helped=0.9)
    gains: dict[str, list[float]] = {"utility": [], "random": []}
    for seed in range(12):
        shuffled = random.Random(seed).sample(list(known.items.values()), 44)
        student = {"model": "sim/student", "world": WORLD, "knows": 0.3, "seed": seed}
        protocol = ExplanationTransfer(
            teacher=Teacher("tess", ModelSpec.model_validate({"model": "sim/teacher", "world": WORLD})),
            student=Student("sam", ModelSpec.model_validate(student)),
            items=shuffled[:22],
            unexplained=shuffled[22:],
            rounds=[2, 5],
            orders=["utility", "random"],
            concepts=concepts,
        )
        outcome = asyncio.run(protocol.perform())
        for order, found in gains.items():
            found.append(outcome.gain[order][-1].value)
    assert Measure.mean(gains["random"]).low > 0
    assert Measure.difference(gains["utility"], gains["random"]).low > 0
