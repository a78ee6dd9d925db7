"""Branches at once: what they read, how they join, what is kept when one fails."""

import asyncio
import itertools

import pytest

from maieutic.backends import LLMReply, LLMRequest, ScriptedModel
from maieutic.backends.scripted import Line
from maieutic.backends.types import TextSink
from maieutic.errors import ModelError
from maieutic.graphs import load_graph
from maieutic.runs.workspace import Workspace
from maieutic.testing.plays import play

PANEL = """
version: 1
name: panel
models: {m: scripted/x}
agents:
  ann: {model: m}
  bob: {model: m}
  cy: {model: m}
state:
  said: {type: "list[str]", default: [], merge: append}
  size: {type: int, default: 0, merge: max}
  last: {type: str, default: "", merge: last}
graph:
  start: panel
  nodes:
    panel:
      parallel:
        first: {agent: ann, writes: {said: reply.text, size: len(reply.text), last: reply.text}}
        second: {agent: bob, writes: {said: reply.text, size: len(reply.text), last: reply.text}}
        third: {agent: cy, writes: {said: reply.text, size: len(reply.text), last: reply.text}}
      next: sum
    sum: {agent: ann, next: end}
"""
LINES: dict[str, list[Line]] = {"ann": ["A.", "So."], "bob": ["Bobby."], "cy": ["Cy."]}


class Unequal(ScriptedModel):
    """A script whose agents answer after waits of their own."""

    def __init__(self, lines: dict[str, list[Line]], turns: dict[str, int]) -> None:
        super().__init__(lines)
        self.turns = turns

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        for _ in range(20 * self.turns[request.agent]):
            await asyncio.sleep(0)
        return await super().complete(request, on_text)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_writes_and_turns_keep_the_order_of_the_file_whoever_is_first(order: tuple[int, int, int]) -> None:
    graph = load_graph(PANEL)
    script = Unequal(LINES, dict(zip(("ann", "bob", "cy"), order, strict=True)))

    async def go() -> tuple[dict[str, object], list[str]]:
        async with Workspace(backends={"scripted": script}) as workspace:
            run = await workspace.run(graph, {})
        return run.outcome.model_dump()["state"], [turn["speaker"] for turn in run.outcome.model_dump()["transcript"]]

    state, speakers = asyncio.run(go())
    assert state == {"said": ["A.", "Bobby.", "Cy."], "size": 6, "last": "Cy."}
    assert speakers == ["ann", "bob", "cy", "ann"]


def test_branches_do_not_hear_one_another_and_the_next_node_hears_all() -> None:
    played = play(PANEL, LINES)
    assert {"/".join(r.address.path) for r in played.requests} == {
        "panel#1/first/ann.say",
        "panel#1/second/bob.say",
        "panel#1/third/cy.say",
        "sum#1/ann.say",
    }
    for at in ("panel#1/first/ann.say", "panel#1/second/bob.say", "panel#1/third/cy.say"):
        assert not any(said in played.read(at) for said in ("A.", "Bobby.", "Cy."))
    assert all(said in played.read("sum#1/ann.say") for said in ("A.", "bob: Bobby.", "cy: Cy."))


def test_a_branch_that_fails_fails_the_node_but_the_others_are_finished_and_kept() -> None:
    down = ModelError("down", kind="auth")
    played = play(PANEL, {"ann": ["A."], "bob": [down], "cy": ["Cy."]})
    assert played.run.reason == "failed:auth"
    assert [turn.speaker for turn in played.run.turns] == ["ann", "cy"]
    assert played.state["said"] == []  # nothing is half joined


def test_a_resumed_run_asks_only_the_branch_that_failed() -> None:
    graph = load_graph(PANEL)
    down = ModelError("down", kind="auth")
    first = ScriptedModel({"ann": ["A."], "bob": [down], "cy": ["Cy."]})
    second = ScriptedModel({"ann": ["So."], "bob": ["Bobby."]})

    async def go() -> object:
        async with Workspace(backends={"scripted": first}) as workspace:
            run = await workspace.run(graph, {})
            workspace.endpoints._backends["scripted"] = second
            return (await workspace.run(graph, {}, run_id=run.id)).outcome

    outcome = asyncio.run(go())
    assert outcome.state["said"] == ["A.", "Bobby.", "Cy."]  # type: ignore[attr-defined]
    assert [request.agent for request in second.requests] == ["bob", "ann"]
