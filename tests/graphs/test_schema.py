"""The JSON Schema for editors: accepts what loads, refuses what the loader refuses about single keys and values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import GraphFileError
from maieutic.files.source import parse
from maieutic.graphs.load import load_file
from maieutic.graphs.schema import json_schema

jsonschema: Any = pytest.importorskip("jsonschema")  # litellm depends on it

BROKEN = Path(__file__).parent / "broken"
STRUCTURAL = (
    "key_unknown_",
    "key_python_",
    "name_of_",
    "name_with_",
    "version_",
    "neither_",
    "both_",
    "value_",
    "limit_",
    "merge_unknown",
    "node_kind_",
    "node_with",
    "node_is_",
    "route_is_",
    "route_without_",
    "routes_empty",
    "parallel_of_",
    "parallel_in_",
    "map_without_",
    "secret_as_",
    "unknown_protocol",
    "protocol_unknown_parameter",
    "protocol_bad_",
    "protocol_missing_",
    "prompt_twice",
    "goes_nowhere",
    "observe_with_",
    "observe_is_",
    "student_model_twice",
    "student_model_without_concepts",
    "next_and_routes",
    "root_is_",
)
"""Names of the broken files that are wrong in themselves, whatever their names refer to."""


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def plain(text: str) -> Any:
    source, _ = parse(text, "f.yaml")
    assert source.root is not None
    return source.root.plain()


TOUR = """version: 1
name: tour
description: Every kind of node.
x-anything: {goes: [here]}
models:
  a: sim/debater
  b: {model: sim/debater, seed: 2, stubbornness: 0.5}
  c: {model: openai/gpt-5-mini, temperature: 0.2, api_key: {secret: KEY}, price: {input: 1, output: 2.5}}
agents:
  ada: {role: debater, model: a}
  bo: {role: debater, model: b, persona: A sceptic.}
  jo: {role: judge, model: c}
  cy: {role: critic, model: c, output: {ok: bool, tone: [kind, stern], points: "list[int]"}}
  al: {role: person}
state:
  question: {type: str, input: true}
  answer: {type: str, default: "", description: What came of it.}
  review: {type: cy.output, default: null}
  parts: {type: "list[str]", default: [], merge: append}
  tones: {type: "list[str]", default: []}
  tries: {type: int, default: 0, merge: add}
graph:
  start: sides
  nodes:
    sides:
      parallel:
        pro: {agent: ada, does: argue, writes: {parts: reply.text}}
        con: {agent: bo, does: argue, sees: nothing, audience: [ada], writes: {parts: reply.text}}
      next: each
    each:
      map: parts
      as: part
      do: {agent: cy, does: review, reads: {answer: part}, off_record: true, writes: {tries: 1}}
      collect: {tones: reply.tone}
      next: talk
    talk:
      use: debate
      with: {debaters: [ada, bo], judge: jo}
      in: {question: question}
      out: {answer: outcome.answer}
      next: ask
    ask:
      person: al
      ask: "Is {{ answer }} right?"
      choices: [yes, no]
      writes: {answer: reply.text}
      visits: {max: 2, then: done}
      routes:
        - {when: "answer == 'yes'", to: done}
        - {when: tries < 10, to: again}
        - else: done
    again: {set: {tries: 1, answer: "''"}, next: ask}
    done: {agent: cy, does: review, reads: [question, answer], writes: {review: reply}, next: end}
limits: {usd: 1, tokens: 1.5M, calls: 2k, seconds: 60, steps: 60, on_exceed: degrade, degrade_to: a}
seed: 3
"""


def test_it_accepts_every_kind_of_node(validator: Any, tmp_path: Path) -> None:
    (tmp_path / "tour.yaml").write_text(TOUR, encoding="utf-8")
    assert load_file(tmp_path / "tour.yaml").name == "tour"
    assert [error.message for error in validator.iter_errors(plain(TOUR))] == []


OBSERVED = """
      observe:
        - {item: question, answer: reply.answer, confidence: 0.5, concepts: [fractions]}
        - {explained: question, concepts: "parts"}
"""


@pytest.mark.parametrize(
    "student",
    [
        "{graph: concepts.yaml, budget: 0.4, input: true}",
        "{concepts: {division: , fractions: {needs: [division], misconceptions: {adds: 2/5}}}, defaults: {slip: 0.1}, "
        "items: {halves: {answer: 7, concepts: [fractions]}}}",
    ],
)
def test_it_accepts_a_student_model(validator: Any, student: str) -> None:
    text = f"{TOUR}student_model: {student}\n"
    text = text.replace("      in: {question: question}\n", "      in: {question: question}" + OBSERVED)
    assert [error.message for error in validator.iter_errors(plain(text))] == []
    assert not validator.is_valid(plain(text.replace("slip: 0.1", "slip: 2").replace("budget: 0.4", "budget: 40")))


def test_it_accepts_a_subgraph(validator: Any) -> None:
    text = TOUR.replace(
        "    talk:\n      use: debate\n      with: {debaters: [ada, bo], judge: jo}", "    talk:\n      graph: x.yaml"
    )
    assert validator.is_valid(plain(text))


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(BROKEN.glob("*.yaml")) if path.stem.startswith(STRUCTURAL)],
    ids=lambda path: path.stem,
)
def test_it_refuses_what_is_wrong_in_itself(validator: Any, path: Path) -> None:
    assert not validator.is_valid(plain(path.read_text(encoding="utf-8")))


def test_it_never_refuses_a_file_for_what_only_loading_can_tell(validator: Any) -> None:
    for path in sorted(BROKEN.glob("*.yaml")):
        if path.stem.startswith(
            ("unknown_model", "start_", "next_unknown", "unreachable", "cycle_", "read_", "write_")
        ):
            errors = list(validator.iter_errors(plain(path.read_text(encoding="utf-8"))))
            assert errors == [], path.stem
            with pytest.raises(GraphFileError):
                load_file(path)


def test_it_documents_the_parameters_of_every_protocol() -> None:
    schema = json_schema()
    debate = schema["$defs"]["with_debate"]
    assert debate["properties"]["rounds"]["description"]
    assert "debate" in str(schema["properties"]["use"])
