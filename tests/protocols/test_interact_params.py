"""What is refused before an INTERACT run begins, and what stands in files."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.agents import Student, Teacher
from maieutic.errors import GraphFileError, UsageError
from maieutic.memory.student.items import Item
from maieutic.protocols.interact import Interact, InteractOutcome
from maieutic.runs import spec_of

TOM, LEA = Teacher("tom", "sim/teacher"), Student("lea", {"model": "sim/student", "knows": 0.0, "misconceptions": 0.0})
TEXT = "Whales are mammals. A spider has eight legs. Chlorophyll makes leaves green. Red blood cells carry oxygen."
ITEM: dict[str, Any] = {
    "id": "whales",
    "question": "To which group of animals do whales belong?",
    "answer": "mammals",
    "options": ["mammals", "fish"],
}

GRAPH = """
version: 1
name: a-lesson
models: {t: sim/teacher, s: {model: sim/student, knows: 0.0, misconceptions: 0.0}}
agents:
  tom: {role: teacher, model: t}
  lea: {role: student, model: s}
use: interact
with: {teacher: tom, student: lea, %s}
"""


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"turns": 0}, r"turns: Input should be greater than or equal to 1"),
        ({"conditions": ["sleep"]}, r"conditions\.0: Input should be 'nothing', 'lesson'"),
        ({"conditions": []}, r"conditions: List should have at least 1 item"),
        ({"conditions": ["borrowed"]}, r"conditions: borrowed needs a dialogue; give it as borrowed"),
        ({"quiz": [{"id": "a", "question": "Why?"}]}, r"item 'a' has no answer, so nobody can tell what is right"),
        ({"quiz": [{"id": "a", "answer": "b"}]}, r"item 'a' has no question"),
        ({"quiz": [{**ITEM, "options": ["mammals"]}]}, r"item 'whales' has one option; give two or more"),
        ({"quiz": [ITEM, ITEM]}, r"quiz: the id 'whales' is there twice"),
        ({"quiz": []}, r"quiz: List should have at least 1 item"),
        ({"filter_by": LEA}, r"filter_by: nothing is filtered; set closed_book_filter"),
        ({"filter_by": TOM, "closed_book_filter": True}, r"'tom' cannot be teacher and student at once"),
        ({"question_choice": "guess"}, r"question_choice\.0: Input should be 'free', 'self_estimate' or"),
        ({"question_choice": ["free", "free"]}, r"question_choice: 'free' is there twice"),
        ({"concepts": "none.yaml"}, r"concepts: .*none\.yaml"),
        ({"source": "none.md"}, r"source\.0: there is no document 'none\.md'"),
        ({"borrowed": "none.json"}, r"borrowed: cannot read none\.json"),
        (
            {"borrowed": [{"speaker": "lea", "content": "Why?"}]},
            r"borrowed: the dialogue has no question with an",
        ),
        ({"borrowed": {"a": 1}}, r"borrowed: no dialogue was found; give a list of turns, or a run's outcome"),
        ({"borrowed": [{"q": "Why?"}]}, r"borrowed: this is no dialogue: 0\.question: Field required"),
        ({"levels": 0}, r"levels: Input should be greater"),
        ({"turn": 3}, r"turn: Extra inputs are not permitted; did you mean 'turns'"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_the_reason(
    params: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=rf"interact: .*{message}"):
        Interact(TOM, LEA, context=TEXT, **params)


def test_a_lesson_without_a_text_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no text to teach; give it as `context`, or its path as `source`"):
        mt.Interact(TOM, LEA).run_sync({})


def test_a_student_model_without_concepts_is_refused() -> None:
    lesson = mt.Interact(TOM, LEA, context=TEXT, quiz=[ITEM], question_choice="student_model", turns=1)
    with pytest.raises(UsageError, match="student_model needs concepts; name them in the quiz's items, or give a file"):
        lesson.run_sync({})


def test_one_agent_may_teach_and_examine() -> None:
    lesson = Interact(TOM, LEA, context=TEXT, examiner=TOM, closed_book_filter=True, filter_by=LEA)
    assert set(lesson.cast) == {"tom", "lea"}
    assert lesson.plan().calls["tom"][1] == 1 + 1 + 9 + 2 * 5


def test_paths_in_a_graph_file_start_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / "text.md").write_text(f"# Living things\n\n{TEXT}\n", "utf-8")
    (tmp_path / "quiz.json").write_text(json.dumps([ITEM]), "utf-8")
    file = tmp_path / "lesson.yaml"
    file.write_text(GRAPH % "source: text.md, quiz: quiz.json, turns: 1", "utf-8")
    run = mt.load(file).run_sync({})
    assert isinstance(run.outcome, InteractOutcome)
    assert run.outcome.topic == "Living things"
    assert [each.item.id for each in run.outcome.quiz] == ["whales"]
    assert run.outcome.curve("teacher_bound").final == 1


def test_a_simulated_examiner_says_that_it_knows_nothing_of_the_text() -> None:
    run = mt.Interact(TOM, LEA, context="Our company has sold blue widgets since 1990.", turns=1).run_sync("widgets")
    assert run.status == "failed"
    assert "give a text with sentences of that world, bring a quiz, or name a real model" in (run.error or "")


def test_several_sources_stand_under_their_titles(tmp_path: Path) -> None:
    (tmp_path / "sea.txt").write_text("Whales are mammals.", "utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "page.html").write_text("<title>Legs</title><p>A spider has eight legs.</p>", "utf-8")
    lesson = mt.Interact(
        TOM, LEA, context="Bats are mammals that fly.", source=[tmp_path / "sea.txt", tmp_path / "more"], turns=1
    )
    material = next(turn for turn in lesson.run_sync("animals").turns if turn.audience == frozenset({"tom"}))
    assert material.content.partition("Text:\n")[2] == (
        "Bats are mammals that fly.\n\n# sea\n\nWhales are mammals.\n\n"
        "# more\n\n# page.html\n\nA spider has eight legs."
    )


def test_what_is_wrong_in_a_graph_file_is_shown_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "lesson.yaml"
    file.write_text(GRAPH % "source: text.md, turns: 0, teach: tom", "utf-8")
    with pytest.raises(GraphFileError) as caught:
        mt.load(file)
    message = str(caught.value)
    assert re.search(r"lesson\.yaml:9:\d+: interact, source\.0: there is no document '.*text\.md'", message)
    assert re.search(r"lesson\.yaml:9:\d+: interact, turns: input should be greater than or equal to 1", message)
    assert "interact has no parameter 'teach'; did you mean 'teacher'?" in message


def test_a_lesson_built_in_python_writes_the_file_that_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "text.md").write_text(TEXT, "utf-8")
    borrowed = [{"question": "What are whales?", "answer": "Whales are mammals."}]
    lesson = mt.Interact(TOM, LEA, source=[tmp_path / "text.md"], quiz=[Item(**ITEM)], turns=1, borrowed=borrowed)
    spec = spec_of(lesson)
    assert spec is not None
    again = mt.Graph(spec)
    assert again.protocol is not None
    assert again.protocol.params == lesson.params
    assert again.run_sync({}).outcome == lesson.run_sync({}).outcome


def test_a_lesson_is_a_node_of_a_graph_and_its_dialogue_stays_between_those_who_had_it() -> None:
    graph = mt.load(
        """
version: 1
name: learn-then-tell
models: {t: sim/teacher, s: {model: sim/student, knows: 0.0, misconceptions: 0.0, learn: 1.0}}
agents:
  tom: {role: teacher, model: t}
  lea: {role: student, model: s}
state:
  text: {type: str, input: true}
  known: {type: str, default: ""}
graph:
  start: learn
  nodes:
    learn:
      use: interact
      with: {teacher: tom, student: lea, conditions: [interaction], turns: 1, per_level: 1}
      in: {context: text, question: "'animals and plants'"}
      out: {known: outcome.answer}
      next: end
"""
    )
    run = graph.run_sync({"text": TEXT})
    assert run.status == "done", run.error
    assert run.outcome.model_dump()["state"]["known"].startswith("interaction: ")
    assert next(turn for turn in run.turns if TEXT in turn.content).audience == frozenset({"tom"})


def test_an_offline_lesson_imports_neither_networkx_nor_litellm() -> None:
    code = f"""
import asyncio, sys
from maieutic.agents import Student, Teacher
from maieutic.protocols.interact import Interact
lesson = Interact(Teacher("tom", "sim/teacher"), Student("lea", "sim/student"), context={TEXT!r}, turns=1)
heavy = ("litellm", "networkx", "numpy", "matplotlib", "bs4", "pypdf", "langgraph")
assert not [name for name in heavy if name in sys.modules]
asyncio.run(lesson.perform())
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['langgraph']"
