"""A tutoring dialogue, step by step on a script, and over many simulated students."""

import asyncio
import json
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends import in_memory
from maieutic.backends.scripted import Line
from maieutic.errors import UsageError
from maieutic.graphs import load_graph
from maieutic.memory import Transcript
from maieutic.memory.student import ConceptGraph, Item, StudentModel
from maieutic.memory.student.grading import is_right
from maieutic.protocols.tutor import Tutor, TutorOutcome
from maieutic.runs import run_sync
from maieutic.testing import plays, staged

Said = dict[str, list[Line]]

WHY = {"reasoning": "because", "confidence": 0.9}


def course() -> ConceptGraph:
    concepts = ConceptGraph(
        [Item(id=f"d{n}", question=f"{6 * n} / 3?", answer=str(2 * n), concepts=("division",)) for n in (1, 2, 3)]
    )
    concepts.add("division", title="Division", prior=0.4, slip=0.05, guess=0.05)
    return concepts


def tutor(**params: Any) -> Tutor:
    cast = {"teacher": Teacher("ann", "scripted/t"), "student": Student("bob", "scripted/s")}
    return Tutor(**{**cast, "concepts": course(), "turns": 5, **params})


def moves(outcome: Any) -> list[tuple[str, str | None]]:
    return [(move["move"], move["item"]) for move in outcome.moves]


def test_a_wrong_answer_is_explained_and_tried_again_until_it_is_mastered() -> None:
    said: Said = {
        "ann": ["Share six among three: two each."],
        "bob": [{**WHY, "answer": "3"}, {**WHY, "answer": "2"}, {**WHY, "answer": "4"}],
    }
    played = staged.play(tutor(), said, "division")
    assert moves(played.outcome) == [("try", "d1"), ("explain", "d1"), ("try", "d2"), ("done", None)]
    assert played.outcome.reason == "answered"
    assert played.outcome.before["division"] == pytest.approx(0.4)
    assert played.outcome.mastery["division"] > 0.9


def test_the_student_model_at_the_end_is_what_was_observed() -> None:
    said: Said = {"ann": ["Two each."], "bob": [{**WHY, "answer": "3"}, {**WHY, "answer": "two"}]}
    played = staged.play(tutor(turns=2), said)
    model = StudentModel(course())
    model.answered("d1", correct=False, confidence=0.9)
    model.explained("d1")
    model.answered("d1", correct=False, confidence=0.9, with_explanation=True)
    assert played.outcome.mastery["division"] == pytest.approx(model.mastery("division"))
    assert StudentModel.from_json(played.outcome.student).mastery("division") == pytest.approx(
        model.mastery("division")
    )
    assert played.outcome.reason == "limit"


def test_the_teacher_reads_the_right_answer_and_the_student_does_not() -> None:
    said: Said = {"ann": ["Share them."], "bob": [{**WHY, "answer": "3"}, {**WHY, "answer": "2"}]}
    played = staged.play(tutor(turns=2), said)
    explained = next(r for r in played.requests if r.address.path[-1] == "ann.explain")
    assert "Right answer: 2" in explained.messages[-1].content
    for request in played.requests:
        if request.agent == "bob":
            assert "Right answer" not in "\n".join(m.content for m in request.messages)


def test_an_open_question_is_graded_by_the_teacher_off_the_record() -> None:
    concepts = ConceptGraph()
    concepts.add("tides", title="the tides")
    said: Said = {
        "ann": ["What causes the tides?", {"ok": True, "problem": ""}],
        "bob": [{**WHY, "answer": "The Moon's pull."}],
    }
    played = staged.play(tutor(concepts=concepts, turns=1), said)
    assert moves(played.outcome) == [("ask", None)]
    assert played.outcome.mastery["tides"] > 0.8
    assert not any("problem" in turn["content"].casefold() for turn in played.outcome.transcript)


def test_what_was_observed_before_is_where_the_next_lesson_begins() -> None:
    learned = [{"kind": "answered", "item": f"d{n}", "correct": True} for n in (1, 2, 3)]
    played = staged.play(tutor(), {}, log=learned)
    assert moves(played.outcome) == [("done", None)]
    forgotten = [*learned, {"kind": "waited", "days": 60.0}]
    again = staged.play(tutor(turns=1), {"bob": [{**WHY, "answer": "2"}]}, log=forgotten)
    assert moves(again.outcome) == [("try", "d1")]
    assert 0.4 < again.outcome.before["division"] < 0.6


def test_every_move_carries_its_reasons_into_the_transcript() -> None:
    played = staged.play(tutor(turns=1), {"bob": [{**WHY, "answer": "2"}]})
    exercise = next(turn for turn in played.outcome.transcript if turn.get("data", {}).get("move") == "try")
    assert exercise["data"]["why"][0].startswith("mastery of division is 0.40")


def test_the_context_is_the_teachers_alone() -> None:
    quiz = {
        "questions": [
            {"question": "What is it?", "options": ["a", "b"], "answer": "a", "level": 1, "concept": "one"},
            {"question": "And that?", "options": ["c", "d"], "answer": "d", "level": 2, "concept": "two"},
        ]
    }
    outline = {"prerequisites": [{"concept": "two", "needs": "one"}, {"concept": "one", "needs": "two"}]}
    said: Said = {"ann": [quiz, outline], "bob": [{**WHY, "answer": "a"}]}
    played = staged.play(tutor(concepts=None, context="The secret is a.", turns=1), said)
    read = {r.agent: "\n".join(m.content for m in r.messages) for r in played.requests}
    assert "The secret is a." in read["ann"]
    assert "The secret is a." not in read["bob"]
    concepts = ConceptGraph.from_json(played.outcome.transcript[0]["data"]["concepts"])
    assert concepts.needs("two") == {"one": 1.0}
    assert concepts.needs("one") == {}, "a prerequisite that would close a circle is left out"


def test_a_person_may_ask_instead_of_answering_and_may_stop() -> None:
    graph = """
version: 1
name: lesson
models: {t: scripted/t, s: person/terminal}
agents: {ann: {role: teacher, model: t}, bob: {role: student, model: s}}
use: tutor
with:
  teacher: ann
  student: bob
  mastered: 0.99
  confidence: true
  concepts:
    concepts: {division: {prior: 0.4}}
    items: {d1: {question: "6 / 3?", answer: "2", concepts: [division]}}
"""
    answers = {
        "0/0/turn1/bob.say": '{"answer": "What does / mean?"}',
        "0/0/turn2/bob.say": "2",
        "0/0/turn2/sure/bob.say": "0.8",
        "0/0/turn3/bob.say": '{"answer": "stop"}',
    }
    played = plays.play(graph, {"ann": ["It means: shared among."]}, {}, answers=answers)
    outcome = played.run.outcome
    assert [move["move"] for move in outcome.moves] == ["try", "answer", "try"]
    assert outcome.reason == "stopped"
    observed = [o["kind"] for t in outcome.transcript for o in t.get("data", {}).get("observed", ())]
    assert observed == ["asked", "explained", "answered"]
    assert outcome.observed[-1]["confidence"] == 0.8
    assert "Answer: 2\nConfidence: 0.8" in [turn["content"] for turn in outcome.transcript]


def test_a_student_that_cannot_keep_to_the_form_is_taken_at_its_words() -> None:
    right, wrong = "Two each, I think.\nAnswer: 2", "No idea."
    said: Said = {"ann": ["Two each."], "bob": [wrong, wrong, right, right]}
    outcome = staged.play(tutor(turns=2), said).outcome
    assert [o["correct"] for o in outcome.observed if o["kind"] == "answered"] == [False, True]
    spoken = [turn for turn in outcome.transcript if turn["speaker"] == "bob"]
    assert [turn["content"] for turn in spoken] == [wrong, right]
    assert spoken[1]["data"]["answer"] == "2"
    assert spoken[1]["data"]["formless"]


def test_an_exercise_whose_answer_was_told_is_not_set_again() -> None:
    concepts = ConceptGraph([Item(id="d1", question="6 / 3?", answer="2", concepts=("division",))])
    concepts.add("division")
    no, yes = {"ok": False, "problem": "no"}, {"ok": True, "problem": ""}
    said: Said = {
        "ann": ["Share.", "Six among three.", "How do you divide?", no, "And how again?", yes],
        "bob": [{**WHY, "answer": answer} for answer in ("3", "4", "5", "Hm.", "I share out.")],
    }
    outcome = staged.play(tutor(concepts=concepts, turns=5), said).outcome
    assert [move for move, _ in moves(outcome)] == ["try", "explain", "example", "ask", "ask"]
    assert outcome.moves[3]["why"][1] == "the answers to its exercises were told, so an open question finds out"


def test_the_teacher_is_told_the_misconception_and_the_answer_and_the_student_is_not() -> None:
    concepts = ConceptGraph(
        [
            Item(
                id="m1",
                question="Why does it shine?",
                answer="sunlight",
                distractors={"fire": "own"},
                concepts=("moon",),
            )
        ]
    )
    concepts.add("moon", misconceptions={"own": "The Moon makes its own light."})
    said: Said = {"ann": ["It is lit."], "bob": [{**WHY, "answer": "fire"}, {**WHY, "answer": "sunlight"}]}
    played = staged.play(tutor(concepts=concepts, turns=2), said)
    explain = next(r for r in played.requests if r.address.path[-1] == "ann.explain").messages[-1].content
    assert "Student probably believes: The Moon makes its own light." in explain
    assert "The student's answer: fire" in explain
    read = "\n".join(m.content for r in played.requests if r.agent == "bob" for m in r.messages)
    assert "makes its own light" not in read


def test_an_answer_that_looks_like_a_question_or_a_farewell_is_an_answer() -> None:
    graph = """
version: 1
name: lesson
models: {t: scripted/t, s: person/terminal}
agents: {ann: {role: teacher, model: t}, bob: {role: student, model: s}}
use: tutor
with:
  teacher: ann
  student: bob
  mastered: 0.99
  turns: 3
  concepts:
    concepts: {sounds: {prior: 0.4}}
    items:
      a: {question: "What do you say to a stranger at the door?", answer: "Who is there?", concepts: [sounds]}
      b: {question: "What does the red sign say?", options: [stop, go], answer: stop, concepts: [sounds]}
"""
    answers = {
        "0/0/turn1/bob.say": '{"answer": "who is there?"}',
        "0/0/turn2/bob.say": '{"answer": "Stop"}',
        "0/0/turn3/bob.say": '{"answer": "Quit!"}',
    }
    outcome = plays.play(graph, {}, {}, answers=answers).run.outcome
    assert [o["correct"] for o in outcome.observed] == [True, True]
    assert [move["move"] for move in outcome.moves] == ["try", "try", "try"]
    assert outcome.reason == "stopped"


def test_an_empty_explanation_teaches_nothing() -> None:
    wrong = {**WHY, "answer": "3"}
    played = staged.play(tutor(turns=2), {"ann": [""], "bob": [wrong, wrong]})
    assert [move["move"] for move in played.outcome.moves] == ["try", "explain"]
    assert [o["kind"] for o in played.outcome.observed] == ["answered", "answered"]


def test_a_log_that_holds_no_observations_is_refused_before_the_lesson() -> None:
    with pytest.raises(UsageError, match=r"the log holds what is no observation: kind: Input should be 'answered'"):
        staged.play(tutor(), {}, log=[{"kind": "zap"}])


def test_a_graph_files_student_model_is_shared_with_the_lesson() -> None:
    """What the graph observed before is known in the lesson, and what the lesson observes counts once afterwards."""
    concepts = json.dumps(course().to_json())
    graph = f"""
version: 1
name: school
models: {{t: scripted/t, s: scripted/s}}
agents: {{ann: {{role: teacher, model: t}}, bob: {{role: student, model: s}}}}
student_model: {json.dumps(course().to_json())}
state: {{before: {{type: dict, default: {{}}}}, known: {{type: float, default: 0.0}}}}
graph:
  start: first
  nodes:
    first:
      agent: bob
      does: answer
      observe: {{item: "'d3'", correct: "true"}}
      next: lesson
    lesson:
      use: tutor
      with: {{teacher: ann, student: bob, turns: 1, mastered: 0.999, concepts: {concepts}}}
      in: {{log: student.log}}
      out: {{before: outcome.before}}
      observe: {{log: outcome.observed}}
      next: look
    look: {{set: {{known: student.mastery('division')}}, next: end}}
"""
    played = plays.play(graph, {"bob": ["Answer: 6", {**WHY, "answer": "2"}]})
    model = StudentModel(course())
    model.answered("d3", correct=True)
    assert played.state["before"]["division"] == pytest.approx(model.mastery("division"))
    model.answered("d1", correct=True, confidence=0.9)
    assert played.state["known"] == pytest.approx(model.mastery("division"))


def test_nothing_to_teach_is_an_error() -> None:
    with pytest.raises(UsageError, match="there is nothing to teach; give it concepts"):
        tutor(concepts=None)


def test_calls_are_planned() -> None:
    assert tutor(turns=4).plan().calls == {"ann": (0, 8), "bob": (0, 4)}


def test_as_a_node_of_a_graph_file() -> None:
    concepts = json.dumps(course().to_json())
    graph = f"""
version: 1
name: school
models: {{t: scripted/t, s: scripted/s}}
agents: {{ann: {{role: teacher, model: t}}, bob: {{role: student, model: s}}}}
state: {{known: {{type: dict, default: {{}}}}}}
graph:
  start: lesson
  nodes:
    lesson:
      use: tutor
      with: {{teacher: ann, student: bob, turns: 1, concepts: {concepts}}}
      out: {{known: outcome.mastery}}
      next: end
"""
    played = plays.play(graph, {"bob": [{**WHY, "answer": "2"}]})
    assert played.state["known"]["division"] > 0.8


@pytest.mark.slow
def test_simulated_students_learn_in_the_lesson_and_the_model_knows_it() -> None:
    """Over 20 students of the simulated world: more right answers afterwards, as the model says."""
    from maieutic.backends.sim.curriculum import curriculum

    whole = curriculum()
    names = {"star", "sun", "planet", "moon"}
    items = [item for item in whole.items.values() if set(item.concepts) <= names]
    course = ConceptGraph(items)
    for name in ("star", "sun", "planet", "moon"):
        needs = [n for n in whole.needs(name) if n in names]
        course.add(name, needs=needs, **whole.concept(name).model_dump(exclude_defaults=True))
    before, after, expected = [], [], []
    for seed in range(20):
        student = Student("bob", {"model": "sim/student", "knows": 0.2, "seed": seed})
        lesson = Tutor(teacher=Teacher("ann", "sim/teacher"), student=student, concepts=course, turns=25)
        outcome = run_sync(lesson, {}).outcome
        assert isinstance(outcome, TutorOutcome)
        model = StudentModel.from_json(outcome.student)
        before.append(asyncio.run(examined(student, items, [])))
        after.append(asyncio.run(examined(student, items, outcome.transcript)))
        expected.append(sum(model.predict(item).alone for item in items) / len(items))
    gain = [late - early for early, late in zip(before, after, strict=True)]
    assert sum(gain) / 20 > 0.2
    assert sum(1 for each in gain if each > 0) >= 18
    assert abs(sum(expected) - sum(after)) / 20 < 0.15


async def examined(student: Student, items: list[Item], transcript: list[dict[str, Any]]) -> float:
    """The share of the items that the student answers right after what it has read."""
    right = 0
    async with in_memory() as place:
        for item in items:
            said = await student.answer(
                item.question, place / item.id, Transcript.of(transcript), options=list(item.options)
            )
            right += bool(is_right(item, said.text))
    return right / len(items)


def test_a_graph_file_takes_the_path_of_a_concept_file(tmp_path: Any) -> None:
    (tmp_path / "c.yaml").write_text(course().to_yaml(), "utf-8")
    (tmp_path / "g.yaml").write_text(
        "version: 1\nname: g\nmodels: {t: sim/teacher, s: sim/student}\n"
        "agents: {ann: {role: teacher, model: t}, bob: {role: student, model: s}}\n"
        "use: tutor\nwith: {teacher: ann, student: bob, concepts: c.yaml, turns: 3}\n",
        "utf-8",
    )
    assert load_graph(tmp_path / "g.yaml").plan().calls == {"ann": (0, 6), "bob": (0, 3)}
