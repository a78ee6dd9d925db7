"""Other graph files as nodes, alone and in a map, with agents and models of the outer file."""

from pathlib import Path

import pytest

from maieutic.testing.plays import Played, play

INNER = """
version: 1
name: inner
models: {m: scripted/inner}
agents:
  one: {role: student, model: m}
  two: {role: critic, model: m}
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
  fine: {type: bool, default: false}
graph:
  start: try
  nodes:
    try: {agent: one, does: answer, reads: [question], writes: {answer: reply.text}, audience: [two], next: look}
    look: {agent: two, reads: [question, answer], writes: {fine: reply.ok}, next: end}
limits: {steps: 10}
"""
OUTER = """
version: 1
name: outer
models: {m: scripted/outer}
agents:
  ann: {role: student, model: m}
state:
  text: {type: str, input: true}
  found: {type: str, default: ""}
  fine: {type: bool, default: false}
graph:
  start: ask
  nodes:
    ask:
      graph: inner.yaml
      agents: {one: ann}
      in: {question: text + '?'}
      out: {found: outcome.answer, fine: outcome.fine}
      next: say
    say: {agent: ann, does: answer, reads: {question: text}, next: end}
limits: {steps: 2}
"""


@pytest.fixture
def played(tmp_path: Path) -> Played:
    (tmp_path / "inner.yaml").write_text(INNER)
    (tmp_path / "outer.yaml").write_text(OUTER)
    lines = {"ann": ["Because.", "Yes."], "two": [{"ok": True, "problem": ""}]}
    return play(tmp_path / "outer.yaml", lines, {"text": "Why"})  # type: ignore[arg-type]


def test_it_gets_inputs_and_gives_its_fields(played: Played) -> None:
    assert played.run.status == "done"
    assert played.state == {"text": "Why", "found": "Because.", "fine": True}
    assert "Why?" in played.read("ask#1/try#1/ann.answer")


def test_our_agent_plays_its_part_under_our_name_with_our_model(played: Played) -> None:
    assert [(r.agent, r.model.model) for r in played.requests] == [
        ("ann", "scripted/outer"),
        ("two", "scripted/inner"),
        ("ann", "scripted/outer"),
    ]
    assert set(played.graph.cast) == {"ann", "two"}


def test_what_was_said_inside_joins_the_dialogue_with_its_audience(played: Played) -> None:
    turns = played.run.outcome.transcript
    assert [turn["speaker"] for turn in turns] == ["ann", "two", "ann"]
    assert turns[0]["audience"] == ["two"]
    assert "two: Ok: True" in played.read("say#1/ann.answer")


def test_its_steps_are_bounded_by_its_own_limit(played: Played) -> None:
    assert [edge["at"] for edge in played.run.edges] == [
        "0/0/ask#1/try#1",
        "0/0/ask#1/look#1",
        "0/0/ask#1",
        "0/0/say#1",
    ]


def test_a_map_over_a_graph_file_keeps_every_item_apart(tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text(INNER)
    (tmp_path / "outer.yaml").write_text(
        """
version: 1
name: many
state:
  questions: {type: "list[str]", input: true}
  answers: {type: "list[str]", default: []}
graph:
  start: all
  nodes:
    all:
      map: questions
      as: q
      do: {graph: inner.yaml, in: {question: q}}
      collect: {answers: outcome.answer}
      next: end
"""
    )
    words = [f"w{i}" for i in range(30)]
    played = play(
        tmp_path / "outer.yaml",
        lambda r: {"ok": True, "problem": ""} if r.output else r.messages[-1].content.split("Question: ")[1].split()[0],
        {"questions": words},
    )
    assert played.state["answers"] == words
