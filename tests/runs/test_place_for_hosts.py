"""A graph of the host's own, with its maieutic calls journaled as one run."""

import asyncio
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

import maieutic as mt

ASK = """
version: 1
name: ask
models: {m: scripted/x}
agents: {ada: {role: student, model: m}}
state: {question: {type: str, input: true}, answer: {type: str, default: ""}}
graph:
  start: say
  nodes:
    say: {agent: ada, does: answer, reads: [question], writes: {answer: reply.text}, next: end}
"""


class Host(TypedDict, total=False):
    question: str
    answer: str


def host_graph() -> Any:
    graph: Any = StateGraph(Host)
    graph.add_node("ask", mt.load(ASK).compiled)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    return graph.compile()


async def answer(store: Path, lines: list[Any]) -> tuple[str, int]:
    script = mt.ScriptedModel(lines)
    async with mt.Workspace(store, backends={"scripted": script}) as workspace:
        async with workspace.place("host", run_id="case") as at:
            state = await host_graph().ainvoke({"question": "Why?"}, context=at)
        return state["answer"], len(script.requests)


def test_a_hosts_own_graph_is_journaled_and_resumed_for_nothing(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    assert asyncio.run(answer(store, ["Because."])) == ("Because.", 1)
    assert asyncio.run(answer(store, [])) == ("Because.", 0)
    with mt.Journal.open(store) as journal:
        record = journal.run("case")
        assert (record.name, record.status, record.kind) == ("host", "done", "host")


def test_a_hosts_run_that_fails_is_closed_with_its_reason_and_can_be_taken_up(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    broken = mt.ModelError("gone", kind="not_found")
    with pytest.raises(mt.ModelError, match="gone"):
        asyncio.run(answer(store, [broken]))
    with mt.Journal.open(store) as journal:
        assert (journal.run("case").status, journal.run("case").reason) == ("failed", "failed:not_found")
    assert asyncio.run(answer(store, ["Because."])) == ("Because.", 1)
