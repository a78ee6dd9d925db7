"""One step for every item of a list."""

from maieutic.backends import LLMRequest
from maieutic.testing.plays import play

EXAM = """
version: 1
name: exam
models: {m: scripted/x}
agents: {sam: {role: student, model: m}}
state:
  questions: {type: "list[str]", input: true}
  answers: {type: "list[str]", default: []}
  right: {type: int, default: 0, merge: add}
graph:
  start: exam
  nodes:
    exam:
      map: questions
      as: q
      do: {agent: sam, does: answer, reads: {question: q}, sees: nothing, writes: {right: 1 if reply.text == q else 0}}
      collect: {answers: q + '=' + reply.text}
      next: end
"""


def echo(request: LLMRequest) -> str:
    question = request.messages[-1].content.split("Question: ")[1].splitlines()[0]
    return question if question != "b" else "B"


def test_every_item_is_done_and_collected_in_the_lists_order() -> None:
    played = play(EXAM, echo, {"questions": ["a", "b", "c"]})
    assert played.state == {"questions": ["a", "b", "c"], "answers": ["a=a", "b=B", "c=c"], "right": 2}
    assert {"/".join(r.address.path) for r in played.requests} == {f"exam#1/item{i}/sam.answer" for i in range(3)}
    assert [turn["content"] for turn in played.run.outcome.transcript] == ["a", "B", "c"]


def test_an_empty_list_is_done_at_once() -> None:
    played = play(EXAM, echo, {"questions": []})
    assert played.run.status == "done"
    assert played.state["answers"] == []


def test_a_thousand_items_are_one_node() -> None:
    played = play(EXAM, echo, {"questions": [f"q{i}" for i in range(1000)]})
    assert played.state["right"] == 1000
    assert played.state["answers"][-1] == "q999=q999"


def test_what_is_no_list_is_named() -> None:
    text = EXAM.replace('questions: {type: "list[str]"', "questions: {type: any")
    run = play(text, echo, {"questions": 3}).run
    assert run.error == "<string>:14:12: graph.nodes.exam.map: cannot evaluate questions: a map needs a list " + (
        "(values: questions = 3)"
    )
