"""Parameters that may be written as the path of a file, relative to the graph file."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest

from maieutic.agents import Agent
from maieutic.errors import GraphFileError, UsageError
from maieutic.graphs import load_graph
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan, FromFile, Outcome, Params, Plays, Protocol


def read_items(path: Path) -> list[Any]:
    try:
        return list(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from error


class QuizParams(Params):
    who: Annotated[str, Plays("agent")]
    items: Annotated[list[Item], FromFile(read_items)]


class Quiz(Protocol[QuizParams, Outcome]):
    name = "quiz"
    params_model = QuizParams
    outcome_model = Outcome

    def build(self) -> Any:
        raise NotImplementedError

    def outcome(self, state: Any, reason: str | None = None) -> Outcome:
        return Outcome()

    def plan(self) -> CallPlan:
        return CallPlan({self.params.who: (len(self.params.items), len(self.params.items))})


GRAPH = """
version: 1
name: quizzed
models: {m: sim/student}
agents: {ann: {role: agent, model: m}}
use: quiz
with: {who: ann, items: data/items.json}
"""


def write(home: Path) -> Path:
    (home / "data").mkdir()
    (home / "data/items.json").write_text('[{"id": "q1"}, {"id": "q2", "options": ["a", "b"], "answer": "a"}]', "utf-8")
    (home / "quiz.yaml").write_text(GRAPH, "utf-8")
    return home / "quiz.yaml"


def test_a_path_starts_at_the_graph_files_folder(tmp_path: Path) -> None:
    graph = load_graph(write(tmp_path), protocols={"quiz": Quiz})
    assert graph.plan().calls == {"ann": (2, 2)}


def test_a_missing_file_is_an_error_at_the_parameter(tmp_path: Path) -> None:
    file = write(tmp_path)
    (tmp_path / "data/items.json").unlink()
    with pytest.raises(GraphFileError, match=r"quiz.yaml:7:25: quiz, items: items.json cannot be read: No such file"):
        load_graph(file, protocols={"quiz": Quiz})


def test_in_python_the_values_themselves_will_do() -> None:
    quiz = Quiz(who=Agent("ann", "sim/student"), items=[Item(id="q1"), {"id": "q2"}])
    assert [item.id for item in quiz.params.items] == ["q1", "q2"]
    with pytest.raises(UsageError, match="cannot be read"):
        Quiz(who=Agent("ann", "sim/student"), items="nowhere.json")
