"""Edges decided by a student model, and what the model is told."""

from __future__ import annotations

from typing import Any

import pytest

from maieutic.backends.scripted import Line
from maieutic.graphs import explain, load_graph, mermaid, why
from maieutic.memory.student import Observation, StudentModel
from maieutic.testing.plays import Played, play

CONCEPTS = """
student_model:
  budget: 0.5
  concepts:
    division: {prior: 0.7}
    fractions: {needs: [division], prior: 0.6, misconceptions: {adds: 1/2 + 1/3 = 2/5}, learn: 0.9}
  items:
    halves: {question: What is 1/2 + 1/3?, answer: 5/6, concepts: [fractions], distractors: {2/5: adds}}
    thirds: {question: What is 1/3 of 9?, answer: 3, aliases: [three], concepts: [division]}
    open: {question: Why do we divide?, concepts: [division]}
"""
HEAD = """
version: 1
name: lesson
models: {m: scripted/x}
agents:
  student: {role: student, model: m, output: {answer: str, confidence: float}}
  teacher: {role: teacher, model: m}
"""
LESSON = (
    HEAD
    + CONCEPTS
    + """
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
  tries: {type: int, default: 0, merge: add}
graph:
  start: attempt
  nodes:
    attempt:
      agent: student
      does: answer
      reads: [question]
      writes: {answer: reply.answer, tries: 1}
      observe: {item: question, answer: answer}
      routes:
        - when: student.should_intervene(question) and tries < 3
          to: explain
        - else: end
    explain:
      agent: teacher
      does: explain
      reads: [question]
      observe: {explained: question}
      next: attempt
"""
)
QUESTION = "What is 1/2 + 1/3?"


def said(answer: str, confidence: float = 0.5) -> dict[str, Any]:
    return {"answer": answer, "confidence": confidence}


def lesson(*answers: str, question: str = QUESTION, text: str = LESSON) -> Played:
    explanations: list[Line] = ["One adds twelfths."] * (len(answers) - 1)
    return play(text, {"student": [said(a) for a in answers], "teacher": explanations}, {"question": question})


def log(played: Played) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = played.run.outcome.student["log"]
    return told


def one(answers: list[Line], observe: str, *, text: str = "", question: str = QUESTION) -> Played:
    """A lesson of one answer, with this `observe`, whose model is asked for nothing but mastery."""
    text = text or LESSON.replace("  budget: 0.5\n", "")
    text = text.replace("observe: {item: question, answer: answer}", f"observe: {observe}")
    text = text.replace(
        "student.should_intervene(question) and tries < 3", "student.mastery('fractions') < 0 and tries < 3"
    )
    return play(text, {"student": answers}, {"question": question})


def test_a_wrong_answer_is_explained_and_a_right_one_is_not() -> None:
    assert lesson("5/6").path == ["end"]
    assert lesson("2/5", "5/6").path == ["explain", "attempt", "end"]


def test_what_is_observed_sees_what_the_step_has_just_written() -> None:
    assert log(lesson("2/5", "5/6")) == [
        {"kind": "answered", "item": "halves", "correct": False, "choice": "2/5"},
        {"kind": "explained", "item": "halves"},
        {"kind": "answered", "item": "halves", "correct": True},
    ]


def test_the_outcome_has_the_model_that_the_observations_add_up_to() -> None:
    played = lesson("2/5", "5/6")
    told = played.run.outcome.student
    assert played.graph.pupils is not None
    again = StudentModel.of(played.graph.pupils.graph, [Observation.model_validate(one) for one in told["log"]])
    assert told["mastery"] == {name: again.mastery(name) for name in ("division", "fractions")}
    assert told["zone"] == again.zone()
    assert played.run.to_json()["outcome"]["student"] == told
    assert played.graph.pupils.model(told["log"]).to_json()["log"] == told["log"]


def test_a_graph_without_a_student_model_has_none_in_its_outcome() -> None:
    text = HEAD.replace("  teacher: {role: teacher, model: m}\n", "") + (
        "graph: {start: a, nodes: {a: {agent: student, does: ask, next: end}}}"
    )
    assert play(text, {"student": [said("x")]}).run.outcome.student is None


def test_an_edge_can_wait_for_mastery() -> None:
    text = LESSON.replace("  budget: 0.5\n", "").replace(
        "student.should_intervene(question) and tries < 3", "student.mastery('fractions') < 0.9 and tries < 20"
    )
    played = lesson("5/6", "5/6", text=text)
    assert played.path == ["explain", "attempt", "end"]
    mastered = played.run.edges[-1]["rejected"][0]["values"]["student.mastery('fractions')"]
    assert mastered == played.run.outcome.student["mastery"]["fractions"] >= 0.9


def test_asking_twice_spends_nothing() -> None:
    twice = LESSON.replace(
        "- when: student.should_intervene(question) and tries < 3",
        "- when: student.should_intervene(question) and student.should_intervene('halves') and tries < 3",
    )
    assert lesson("2/5", "5/6", text=twice).path == lesson("2/5", "5/6").path
    asked = lesson("2/5", "2/5", "2/5").run.edges
    spent = [edge["reasons"]["student.should_intervene(question)"][1] for edge in asked if "reasons" in edge]
    assert spent == [
        "0 explanations after 0 answers before, budget 0.5",
        "1 explanation after 1 answer before, budget 0.5",
    ], "an explanation is spent when it is observed, and not when it is decided"


def test_a_budget_of_nothing_explains_nothing() -> None:
    assert lesson("2/5", text=LESSON.replace("budget: 0.5", "budget: 0")).path == ["end"]


@pytest.mark.parametrize(
    ("answer", "question", "observed"),
    [
        ("Five twelfths and five twelfths.\nAnswer: 5/6", QUESTION, {"item": "halves", "correct": True}),
        ("2/5.", "halves", {"item": "halves", "correct": False, "choice": "2/5"}),
        ("Three", "what is 1/3  of 9?", {"item": "thirds", "correct": True}),
        ("7", "thirds", {"item": "thirds", "correct": False}),
    ],
)
def test_right_or_wrong_is_found_from_the_items_answer(answer: str, question: str, observed: dict[str, Any]) -> None:
    played = one([said(answer)], "{item: question, answer: reply.answer}", question=question)
    assert log(played) == [{"kind": "answered", **observed}]


def test_somebody_else_can_say_whether_it_was_right() -> None:
    played = one([said("well")], "{item: question, correct: len(answer) > 3}", question="open")
    assert log(played) == [{"kind": "answered", "item": "open", "correct": True}]


def test_everything_that_can_be_observed_is_observed() -> None:
    played = one(
        [said("5/6", 0.75)],
        "[{waited: 7}, {asked: \"'fractions'\"}, {claimed: question, confidence: reply.confidence}, "
        "{explained: \"'open'\"}, {item: question, answer: answer, confidence: 0.5, with_explanation: true}, "
        "{item: \"'What is 2 + 2?'\", concepts: [division], correct: false}, "
        "{log: student.log}]",
    )
    assert log(played) == [
        {"kind": "waited", "days": 7.0},
        {"kind": "asked", "concepts": ["fractions"]},
        {"kind": "claimed", "item": "halves", "confidence": 0.75},
        {"kind": "explained", "item": "open"},
        {"kind": "answered", "item": "halves", "correct": True, "confidence": 0.5, "with_explanation": True},
        {"kind": "answered", "concepts": ["division"], "correct": False},
    ]


def test_the_concepts_of_an_item_that_is_not_listed_can_come_from_the_state() -> None:
    played = one([said("4")], "{item: question, concepts: \"['division']\", correct: true}", question="What is 2 + 2?")
    assert log(played) == [{"kind": "answered", "concepts": ["division"], "correct": True}]


def test_a_confidence_out_of_bounds_is_told_and_left_out() -> None:
    played = one([said("5/6", 85)], "[{item: question, answer: answer, confidence: reply.confidence}]")
    assert log(played) == [{"kind": "answered", "item": "halves", "correct": True}]
    warned = [event.data["message"] for event in played.events if event.kind == "warning"]
    assert len(warned) == 1
    assert "graph.nodes.attempt.observe.0: the confidence 85 is not between 0 and 1 and was left out" in warned[0]


@pytest.mark.parametrize(
    ("observe", "question", "message"),
    [
        (
            "{item: question, answer: answer}",
            "What is 1/2 + 1/4?",
            "the student model knows no item 'What is 1/2 + 1/4?'; did you mean 'What is 1/2 + 1/3?'? "
            "or name its concepts: observe: {…, concepts: […]}",
        ),
        (
            "{explained: question}",
            "fractoins",
            "the student model knows no item or concept 'fractoins'; did you mean 'fractions'? "
            "or name its concepts: observe: {…, concepts: […]}",
        ),
        (
            "{item: question, answer: answer}",
            "open",
            "the right answer to 'open' is not known; say correct: EXPRESSION instead",
        ),
        (
            '{item: question, concepts: "[answer]", correct: true}',
            "new",
            "the student model knows no concept '5/6'; there are: division, fractions",
        ),
        ("{waited: 0 - 1}", "halves", "Input should be greater than or equal to 0"),
        (
            '{log: "[question]"}',
            "halves",
            "a list of observations is expected, or a saved student model, not ['halves']",
        ),
    ],
)
def test_what_cannot_be_observed_names_the_node(observe: str, question: str, message: str) -> None:
    run = one([said("5/6")], observe, question=question).run
    assert (run.status, run.reason) == ("failed", "failed:student")
    assert run.error.partition(": ")[2] == f"graph.nodes.attempt.observe: {message}"
    assert run.error.startswith("<string>:")
    assert run.outcome.student["log"] == []


def test_a_question_about_what_is_not_known_fails_at_its_place() -> None:
    text = LESSON.replace("{item: question, answer: answer}", "{item: \"'halves'\", answer: answer}")
    run = play(text, {"student": [said("5/6")]}, {"question": "halvs"}).run
    assert run.reason == "failed:expression"
    assert "graph.nodes.attempt.routes.0.when: cannot evaluate student.should_intervene(question) and tries < 3" in (
        run.error
    )
    assert "the student model knows no item 'halvs'; did you mean 'halves'?" in run.error


def test_what_the_model_says_can_be_read_by_agents_and_written() -> None:
    text = LESSON.replace(
        "reads: [question]\n      observe", "reads: {question: question, known: student.why(question)}\n      observe"
    )
    text = text.replace("  tries:", "  sure: {type: float, default: 0}\n  tries:")
    text = text.replace("writes: {answer", "writes: {sure: student.predict(question).utility, answer")
    played = lesson("2/5", "5/6", text=text)
    read = played.read("explain#1/teacher.explain")
    assert "answered halves wrong with '2/5' (fractions known 0.42 -> 0.0" in read
    assert 0 < played.state["sure"] < 1


def test_a_step_reads_the_model_as_it_was_and_its_routes_as_it_is() -> None:
    text = LESSON.replace("  tries:", "  before: {type: float, default: 0}\n  tries:")
    text = text.replace("writes: {answer", "writes: {before: student.mastery('fractions'), answer")
    text = text.replace("student.should_intervene(question) and", "student.mastery('fractions') > 2 and")
    played = lesson("5/6", text=text.replace("  budget: 0.5\n", ""))
    after = played.run.edges[0]["rejected"][0]["values"]["student.mastery('fractions')"]
    assert played.state["before"] == pytest.approx(0.42)
    assert after == played.run.outcome.student["mastery"]["fractions"] > 0.7


def test_the_path_tells_the_reasons_of_a_decision_with_numbers() -> None:
    told = why(lesson("2/5", "5/6").run.edges).splitlines()
    assert told[0].startswith(
        "attempt → explain  student.should_intervene(question) and tries < 3 "
        '(question = "What is 1/2 + 1/3?", student.should_intervene(question) = true: expected utility 0.5'
    )
    assert "; 0 explanations after 0 answers before, budget 0.5; right alone 0." in told[0]
    assert told[2].endswith(")")
    assert "student.should_intervene(question) = false: expected utility" in told[2]


def test_the_numbers_of_other_answers_are_short() -> None:
    played = one([said("5/6")], "{item: question, answer: answer}")
    assert "student.mastery('fractions') = 0.765)" in why(played.run.edges)


def test_a_node_says_what_it_observes() -> None:
    graph = load_graph(LESSON)
    assert "observes  answered question, answer = answer\n" in explain(graph, "attempt")
    assert "observes  explained question\n" in explain(graph, "explain")
    assert "teacher · explain<br/>observes explained question" in mermaid(graph)


def test_the_number_of_calls_is_planned_as_without_a_student_model() -> None:
    plain = LESSON.replace(CONCEPTS, "").replace("student.should_intervene(question) and ", "")
    plain = plain.replace("      observe: {item: question, answer: answer}\n", "")
    plain = plain.replace("      observe: {explained: question}\n", "")
    assert load_graph(plain).plan() == load_graph(LESSON).plan()
