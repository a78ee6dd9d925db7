"""How simulated minds teach from a text that only they have, examine on it, and say how sure they are."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from maieutic.agents.roles import Student, Teacher
from maieutic.backends.models import ModelSpec
from maieutic.backends.sim import SimBackend, load_world
from maieutic.backends.types import LLMRequest
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message

WORLD = load_world()
SAYS = {name: fact.says for name, fact in WORLD.facts.items()}
GIVEN = f"You teach what this text says.\n\nText:\n{SAYS['moon-tides']} {SAYS['moon-orbit']} {SAYS['sun-star']}"


class Question(BaseModel):
    question: str
    options: list[str]
    answer: str
    level: int


class Quiz(BaseModel):
    questions: list[Question]


class Estimate(BaseModel):
    about: str
    confidence: float


class Estimates(BaseModel):
    estimates: list[Estimate]


def mind(kind: str, params: Mapping[str, Any]) -> ModelSpec:
    return ModelSpec.model_validate({"model": f"sim/{kind}", "seed": 1, **params})


def said(kind: str, *messages: str, output: type[BaseModel] | None = None, **params: Any) -> Any:
    """What a mind answers; messages that begin with "me: " are its own."""
    who = Teacher if kind == "teacher" else Student
    system = who("Uma", mind(kind, params)).messages("ask")[0]
    read = [
        Message("assistant", text.removeprefix("me: ")) if text.startswith("me: ") else Message("user", text)
        for text in messages
    ]
    request = LLMRequest(mind(kind, params), (system, *read), Address("run"), output=output)
    reply = asyncio.run(SimBackend().complete(request))
    return reply.text if output is None else json.loads(reply.text)


def test_a_teacher_with_a_text_answers_from_it_alone() -> None:
    ask = "Answer the student's question."
    assert said("teacher", GIVEN, "lea: What do I have to know about the Moon?", ask) == (
        f"{SAYS['moon-tides']} {SAYS['moon-orbit']} {SAYS['sun-star']}".removesuffix(f" {SAYS['sun-star']}")
    )
    assert said("teacher", GIVEN, "lea: Can you explain money to me?", ask).startswith("The text says nothing")
    assert "Inflation" in said("teacher", "lea: Can you explain money and inflation to me?", ask), "without a text"


def test_a_question_that_names_nothing_is_about_the_question_at_hand() -> None:
    exercise = "me: Question: What kind of body is the Sun?"
    told = said("teacher", exercise, "lea: a planet", "lea: Why is that so?", "Answer the student's question.")
    assert SAYS["sun-star"] in told


def test_it_says_first_what_it_has_not_said_yet() -> None:
    ask = "Answer the student's question."
    told = said("teacher", GIVEN, "lea: Can you explain the Moon?", f"me: {SAYS['moon-tides']}", "lea: More?", ask)
    assert told == f"{SAYS['moon-orbit']} {SAYS['sun-star']}"


def test_a_lesson_holds_half_of_what_was_taken_in() -> None:
    text = "You teach.\n\nText:\n" + " ".join(SAYS.values())
    lesson = said("teacher", text, "Write a lesson on the text.")
    assert sum(sentence in lesson for sentence in SAYS.values()) == (len(SAYS) + 1) // 2
    assert said("teacher", "You teach.\n\nText:\nNothing known.", "Write a lesson.").startswith("The text says nothing")


def test_a_teacher_that_reads_badly_has_less_to_say() -> None:
    ask = ("lea: What do I have to know about the Moon?", "Answer the student's question.")
    assert said("teacher", GIVEN, *ask, knows=0.0, learn=0.0).startswith("The text says nothing more about the Moon")


def test_a_quiz_asks_what_the_text_answers_with_four_options() -> None:
    quiz = said("teacher", GIVEN, "Write a test: 2 questions on each of 2 levels.", output=Quiz)["questions"]
    assert quiz
    for question in quiz:
        known = WORLD.question_like(question["question"])
        assert known is not None
        assert set(known.needs) <= {"moon-tides", "moon-orbit", "sun-star"}
        assert len(set(question["options"])) == 4
        assert question["answer"] in question["options"]


def test_a_quiz_is_as_long_as_it_is_asked_for_and_gets_harder() -> None:
    text = "Text:\n" + " ".join(SAYS.values())
    asked = "Write 4 questions on each of 3 levels."
    quiz = said("teacher", f"You teach.\n\n{text}", asked, output=Quiz)["questions"]
    assert [question["level"] for question in quiz] == [1] * 4 + [2] * 4 + [3] * 4
    needs = [len(WORLD.question_like(question["question"]).needs) for question in quiz]  # type: ignore[union-attr]
    assert needs == sorted(needs)


def sure(*read: str, **params: Any) -> dict[str, float]:
    asked = "How sure are you?\n- the Moon\n- planets\n- zebras"
    found = said("student", *read, asked, output=Estimates, **{"knows": 0.0, "misconceptions": 0.0, **params})
    return {each["about"]: each["confidence"] for each in found["estimates"]}


def test_a_student_feels_what_it_has_learned_and_what_a_misconception_fills() -> None:
    told = "tom: " + " ".join(SAYS[fact] for fact in WORLD.facts_of["moon"])
    before, after = sure(learn=1.0), sure(told, told, told, told, learn=1.0)
    assert before["the Moon"] < 0.2 < 0.8 < after["the Moon"]
    assert before["planets"] == after["planets"]
    assert before["zebras"] == 0.5, "nothing is known of what lies outside the world"
    assert sure(misconceptions=1.0)["planets"] > before["planets"], "a wrong idea is not felt as a gap"
    assert sure(confidence_bias=0.3)["planets"] > before["planets"]
    assert len({sure(noise=1.0, seed=seed)["planets"] for seed in range(5)}) == 5


def test_a_student_does_not_ask_the_same_again_while_there_is_something_else() -> None:
    topic = "Topic: the Moon and planets\nAsk your teacher one question."
    first = said("student", topic, knows=0.0)
    second = said("student", f"me: {first}", "tom: I do not know.", topic, knows=0.0)
    named = [{name for _, name in WORLD.names.find(text.lower().rstrip("?.").split())} for text in (first, second)]
    assert named[0] != named[1]


def test_a_student_asks_about_what_it_is_told_to_ask_about() -> None:
    topic = "Ask about: eclipses\nTopic: astronomy\nAsk your teacher one question."
    assert "eclipses" in said("student", topic, knows=0.0)


def test_what_is_said_not_to_be_the_answer_is_given_less_often() -> None:
    """Over forty students who hold the misconception: told that 2/5 is not the answer, few still give it."""
    question = "Question: What is 1/2 + 1/3?\nAnswer the question."
    told = "Question: What is 1/2 + 1/3?\nHint: The answer is not 2/5.\nAnswer the question."

    def misled(asked: str) -> int:
        students = [said("student", asked, knows=0.0, misconceptions=1.0, seed=seed) for seed in range(40)]
        return sum("Answer: 2/5" in text for text in students)

    assert misled(question) == 40
    assert misled(told) < 25
