"""INTERACT between simulated minds, offline: what the paper's curves look like, over many seeds."""

import asyncio
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends.sim import load_world
from maieutic.backends.sim.language import words
from maieutic.files.documents import read_document
from maieutic.memory import Turn
from maieutic.protocols.interact import Interact, InteractOutcome
from maieutic.protocols.intervals import bootstrap, bootstrap_difference

TEXT = read_document(Path(__file__).parents[2] / "examples" / "texts" / "the-sky.md").text
SEEDS = range(20)


class Leaky(Interact):
    """A privacy leak, planted: everybody reads the text."""

    def material(self, texts: Any) -> Turn:
        return Turn("moderator", super().material(texts).content)


def lesson(seed: int, kind: type[Interact] = Interact, **params: Any) -> InteractOutcome:
    tom = Teacher("Tom", {"model": "sim/teacher", "seed": 100 + seed, "knows": 0.3})
    lea = Student("Lea", {"model": "sim/student", "seed": seed, "knows": 0.2, "noise": 1.0})
    return asyncio.run(kind(tom, lea, context=TEXT, topic="astronomy", **params).perform())


@pytest.fixture(scope="module")
def lessons() -> list[InteractOutcome]:
    choices = ["free", "self_estimate", "student_model"]
    return [lesson(seed, question_choice=choices, syllabus=True) for seed in SEEDS]


def facts_of(text: str) -> set[str]:
    """The facts of the world that a text states."""
    return {key.removeprefix("fact:") for _, key in load_world().phrases.find(words(text))}


def finals(lessons: list[InteractOutcome], condition: Any, choice: Any = None) -> list[float]:
    return [outcome.curve(condition, choice=choice).final for outcome in lessons]


def test_the_example_text_is_about_facts_of_the_world() -> None:
    assert len(facts_of(TEXT)) >= 20


def test_a_dialogue_teaches_turn_by_turn(lessons: list[InteractOutcome]) -> None:
    points = [outcome.curve("interaction", choice="free").points for outcome in lessons]
    means = [mean(p.accuracy for p in turn) for turn in zip(*points, strict=True)]
    assert all(later > earlier for earlier, later in pairwise(means)), means
    gain = bootstrap([outcome.curve("interaction", choice="free").gain for outcome in lessons])
    assert gain.low > 0.2


def test_the_conditions_are_in_the_order_of_the_paper(lessons: list[InteractOutcome]) -> None:
    nothing, lessons_only = finals(lessons, "nothing"), finals(lessons, "lesson")
    both, bound = finals(lessons, "lesson_interaction", "free"), finals(lessons, "teacher_bound")
    for better, worse in ((lessons_only, nothing), (both, lessons_only), (bound, both)):
        assert bootstrap_difference(better, worse).low > 0
    assert set(bound) == {1.0}


@pytest.mark.parametrize("choice", ["free", "self_estimate", "student_model"])
def test_every_way_to_choose_questions_teaches(lessons: list[InteractOutcome], choice: str) -> None:
    assert bootstrap_difference(finals(lessons, "interaction", choice), finals(lessons, "nothing")).low > 0.2


def test_a_leak_of_the_text_is_seen_in_the_curve() -> None:
    sound = [lesson(seed, conditions=["nothing"]).curve("nothing").final for seed in SEEDS]
    leaky = [lesson(seed, Leaky, conditions=["nothing"]).curve("nothing").final for seed in SEEDS]
    assert bootstrap_difference(leaky, sound).low > 0.3


def test_the_filter_takes_out_what_the_student_knows_or_guesses() -> None:
    open_, closed = (lesson(1, conditions=["nothing"], closed_book_filter=on) for on in (False, True))
    assert closed.curve("nothing").final == 0
    assert {item.id for item in closed.dropped} == {
        each.item.id for each, right in zip(open_.quiz, open_.curve("nothing").points[0].marks, strict=True) if right
    }


def test_a_written_quiz_is_about_the_text_and_has_levels() -> None:
    world = load_world()
    quiz = lesson(3, conditions=["nothing"], levels=2, per_level=4).quiz
    assert [each.level for each in quiz] == [1] * 4 + [2] * 4
    for each in quiz:
        question = world.question_like(each.item.question)
        assert question is not None
        assert question.answered_by(each.item.answer or "")
        assert set(question.needs) <= facts_of(TEXT)
        assert len(set(each.item.options)) == 4


def test_a_teacher_who_reads_badly_teaches_less() -> None:
    def final(seed: int, learn: float) -> float:
        tom = Teacher("Tom", {"model": "sim/teacher", "seed": seed, "knows": 0.0, "learn": learn})
        lea = Student("Lea", {"model": "sim/student", "seed": seed, "knows": 0.2})
        examiner = Teacher("Eve", {"model": "sim/teacher", "seed": seed})
        protocol = Interact(tom, lea, context=TEXT, topic="astronomy", examiner=examiner, conditions=["interaction"])
        return asyncio.run(protocol.perform()).curve("interaction").final

    assert mean(final(seed, 1.0) for seed in range(10)) > mean(final(seed, 0.2) for seed in range(10)) + 0.1


def test_a_lesson_is_the_same_each_time_it_is_run() -> None:
    assert lesson(5, question_choice="student_model", turns=2) == lesson(5, question_choice="student_model", turns=2)
