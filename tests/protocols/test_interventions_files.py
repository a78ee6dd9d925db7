"""Interventions from graph files: items and concepts beside them, and what is said of bad ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.errors import GraphFileError, UsageError
from maieutic.graphs import load_graph
from maieutic.memory.student import ConceptGraph, Item
from maieutic.protocols.interventions.protocol import Interventions
from maieutic.runs.definition import spec_of

TESS, SAM = Teacher("Tess", "sim/teacher"), Student("Sam", "sim/student")

GRAPH = """
version: 1
name: pilot
models: {t: sim/teacher, s: {model: sim/student, seed: 1}}
agents:
  tess: {role: teacher, model: t}
  sam: {role: student, model: s}
use: interventions
with:
  teacher: tess
  student: sam
  items: data/items.jsonl
  concepts: concepts.yaml
  practice: 0.5
  estimators: [student_model]
"""

CONCEPTS = """version: 1
concepts:
  star: {}
  sun: {needs: [star]}
"""


def items(n: int = 4) -> list[Item]:
    return [Item(id=f"q{i}", question=f"What is {i}?", answer=str(i), concepts=("star",)) for i in range(n)]


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    lines = [json.dumps(each.model_dump(mode="json", exclude_defaults=True)) for each in items()]
    (tmp_path / "data/items.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "concepts.yaml").write_text(CONCEPTS, "utf-8")
    (tmp_path / "pilot.yaml").write_text(GRAPH, "utf-8")
    return tmp_path / "pilot.yaml"


def test_items_and_concepts_are_read_from_files_beside_the_graph(graph: Path) -> None:
    loaded = load_graph(graph)
    assert loaded.plan().calls == {"tess": (4 + 2, 4 + 2), "sam": (8, 8)}
    params: Any = loaded.protocol.params if loaded.protocol else None
    assert [each.id for each in params.all_items if each.id in {"q0", "q1", "q2", "q3"}] != []
    assert params.concepts == {"concepts": {"star": {}, "sun": {"needs": {"star": 1.0}}}}
    assert loaded.inputs == {"question": False}


def test_a_concept_file_with_items_will_do_for_both(graph: Path) -> None:
    both = (
        CONCEPTS
        + "items:\n"
        + "".join(f"  q{i}: {{question: 'What is {i}?', answer: '{i}', concepts: [sun]}}\n" for i in range(5))
    )
    (graph.parent / "concepts.yaml").write_text(both, "utf-8")
    graph.write_text(GRAPH.replace("data/items.jsonl", "concepts.yaml"), "utf-8")
    params: Any = load_graph(graph).protocol.params  # type: ignore[union-attr]
    assert len(params.practice_items) == 2
    assert len(params.test_items) == 3
    assert list(params.concepts) == ["concepts"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("data/items.jsonl", "nowhere.jsonl", r"pilot\.yaml:12:10: interventions, items: .*nowhere\.jsonl"),
        ("concepts: concepts.yaml", "concepts: nowhere.yaml", r"pilot\.yaml:13:13: interventions, concepts: .*nowhere"),
        ("practice: 0.5", "practice: 1.5", r"practice: a share lies from 0 to below 1, not at 1\.5"),
        ("practice: 0.5", "practise: 0.5", r"interventions has no parameter 'practise'"),
        ("[student_model]", "[student_model, guess]", r"interventions, estimators"),
        ("[student_model]", "[combined]", r"combined needs others to combine"),
        ("student: sam", "student: tess", r"'tess' cannot be teacher and student at once"),
        ("student: sam", "student: sim", r"there is no agent 'sim' to play the student"),
    ],
)
def test_a_bad_file_is_told_with_its_place(graph: Path, old: str, new: str, message: str) -> None:
    graph.write_text(GRAPH.replace(old, new), "utf-8")
    with pytest.raises(GraphFileError, match=message):
        load_graph(graph)


def test_a_bad_item_is_told_with_its_line(graph: Path) -> None:
    (graph.parent / "data/items.jsonl").write_text('{"id": "a", "question": "?", "answr": "1"}', "utf-8")
    with pytest.raises(GraphFileError, match=r"items\.jsonl:1:\d+: .*answr"):
        load_graph(graph)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": []}, "items: there are none; give one or more"),
        ({"items": [*items(2), items(1)[0]]}, "two are called 'q0'; give each its own id"),
        ({"practice": items(1)}, "two are called 'q0'.*in items and practice together"),
        ({"items": [Item(id="a", question="?", concepts=("star",))]}, "'a' has no answer; without one nobody can say"),
        ({"items": [Item(id="a", answer="1", concepts=("star",))]}, "'a' has no question"),
        (
            {"items": [Item(id="a", question="?", answer="1")], "estimators": ["student_model"]},
            "student_model must know what item 'a' needs; give it concepts",
        ),
        (
            {"concepts": {"concepts": {"sun": {}}}},
            "items: 'q0' needs the unknown concept 'star'; concepts: sun",
        ),
        ({"concepts": {"concepts": {"star": {"needs": {"star": 1}}}}}, "concepts: .*'star' needs itself"),
        ({"explanations": "given"}, "'q0' has no explanation; write one, or have them from the model"),
        ({"practice": 0.9}, "practice: of 4 items none is left to be judged; set apart fewer"),
        ({"rankers": ["luck"]}, "rankers: unknown ranker 'luck'"),
        ({"rankers": ["true_pre"]}, "true_pre needs measured probabilities; set confidence to measured"),
        (
            {"rankers": ["expected_utility:few_shot"], "estimators": ["student_model"]},
            "'few_shot' is not an estimator here; there are: student_model",
        ),
        ({"budgets": [0.2, 1.2]}, r"budgets\.1: Input should be less than or equal to 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"items": items(), **change}
    with pytest.raises(UsageError, match=message):
        Interventions(TESS, SAM, **given)


def test_without_concepts_there_is_no_student_model_unless_it_is_asked_for() -> None:
    bare = [Item(id="a", question="?", answer="1")]
    assert Interventions(TESS, SAM, bare, practice=0.0).params.used_estimators == ["few_shot", "combined"]
    assert Interventions(TESS, SAM, items()).params.used_estimators == ["few_shot", "student_model", "combined"]


def test_practice_is_drawn_by_the_seed_and_nothing_is_both() -> None:
    drawn = [Interventions(TESS, SAM, items(20), seed=seed).params for seed in (0, 0, 1)]
    apart = [[each.id for each in params.practice_items] for params in drawn]
    assert apart[0] == apart[1] != apart[2]
    for params in drawn:
        assert len(params.practice_items) == 6
        assert {i.id for i in params.practice_items}.isdisjoint(i.id for i in params.test_items)
        assert len(params.all_items) == 20


def test_what_is_made_in_python_can_be_written_as_a_file() -> None:
    concepts = ConceptGraph()
    concepts.add("star", prior=0.4)
    made = Interventions(TESS, SAM, items(), concepts=concepts, practice=items(6)[4:])
    spec = spec_of(made)
    assert spec is not None
    again: Any = load_graph(_text(spec)).protocol
    assert again.params == made.params.model_copy(update={"teacher": "Tess", "student": "Sam"})


def _text(spec: Any) -> str:
    from maieutic.graphs import to_yaml

    return to_yaml(spec)
