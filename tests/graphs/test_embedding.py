"""A compiled graph is an ordinary LangGraph graph: hosts embed, checkpoint and stream it."""

import asyncio
import importlib.util
import json
import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph

from maieutic.backends import Endpoints, Place, ScriptedModel, standalone
from maieutic.backends.scripted import Line
from maieutic.graphs import load_graph

EXAMPLES = Path(__file__).parents[2] / "examples"
TALK = """
version: 1
name: talk
models: {m: scripted/x}
agents: {ann: {model: m}, bob: {model: m}}
state:
  question: {type: str, input: true}
  answer: {type: str, default: ""}
  n: {type: int, default: 0, merge: add}
graph:
  start: one
  nodes:
    one: {agent: ann, reads: {instruction: question}, writes: {n: 1, answer: reply.text}, next: two}
    two: {agent: bob, writes: {n: 1}, routes: [{when: n > 3, to: end}, {else: one}]}
limits: {steps: 6}
"""
LINES: dict[str, list[Line]] = {"ann": ["A1", "A2"], "bob": ["B1", "B2"]}


def config(thread: str = "t") -> Any:
    return {"configurable": {"thread_id": thread}}


def place(script: ScriptedModel) -> Place:
    return standalone(Endpoints({"scripted": script}))


def test_a_host_that_knows_nothing_of_runs_can_invoke_it() -> None:
    text = TALK.replace("m: scripted/x", "m: sim/expert")
    state = asyncio.run(load_graph(text).compiled.ainvoke({"question": "Why?"}))
    assert set(state) == {"question", "answer", "n", "transcript"}
    assert state["n"] == 4
    assert [turn["speaker"] for turn in state["transcript"]] == ["ann", "bob", "ann", "bob"]


def test_its_events_go_to_the_hosts_custom_stream() -> None:
    graph = load_graph(TALK.replace("m: scripted/x", "m: sim/expert"))

    async def go() -> list[dict[str, Any]]:
        return [event async for event in graph.compiled.astream({"question": "Why?"}, stream_mode="custom")]

    events = asyncio.run(go())
    assert [event["data"]["source"] for event in events if event["kind"] == "edge"] == ["one", "two", "one", "two"]
    assert sum(event["kind"] == "turn" for event in events) == 4


def test_updates_hold_new_turns_and_new_values() -> None:
    async def go() -> list[Any]:
        at = place(ScriptedModel(LINES))
        compiled = load_graph(TALK).compiled
        return [part async for part in compiled.astream({"question": "?"}, context=at, stream_mode="updates")]

    updates = asyncio.run(go())
    assert [next(iter(update)) for update in updates] == ["one", "two", "one", "two"]
    assert [update["two"]["n"] for update in updates[1::2]] == [2, 4]
    assert [len(part["transcript"]) for update in updates for part in update.values()] == [1, 1, 1, 1]


def test_all_state_is_plain_json_and_a_checkpointer_resumes_it() -> None:
    script = ScriptedModel({"ann": ["A1", "A2"], "bob": ["B1", "B2"]})

    async def go() -> tuple[Any, Any, Any]:
        at = place(script)
        compiled = load_graph(TALK).build().compile(checkpointer=MemorySaver(), interrupt_before=["two"])
        first = await compiled.ainvoke({"question": "?"}, config(), context=at)
        saved = (await compiled.aget_state(config())).values
        await compiled.ainvoke(None, config(), context=at)
        last = await compiled.ainvoke(None, config(), context=at)
        return first, saved, last

    first, saved, last = asyncio.run(go())
    assert json.loads(json.dumps(saved)) == saved
    assert (first["n"], last["n"]) == (1, 4)
    assert [turn["content"] for turn in last["transcript"]] == ["A1", "B1", "A2", "B2"]
    assert ["/".join(r.address.path) for r in script.requests] == [
        "one#1/ann.say",
        "two#1/bob.say",
        "one#2/ann.say",
        "two#2/bob.say",
    ]


class Host(TypedDict, total=False):
    question: str
    answer: str
    transcript: Annotated[list[Any], operator.add]
    note: str


def test_inside_a_hosts_graph_it_shares_what_has_the_same_name() -> None:
    script = ScriptedModel(LINES)
    graph = StateGraph(Host, context_schema=Place)
    graph.add_node("talk", load_graph(TALK).compiled)
    graph.add_node("note", lambda state: {"note": f"noted {state['answer']}"})
    graph.add_edge(START, "talk")
    graph.add_edge("talk", "note")
    graph.add_edge("note", END)

    async def go() -> Any:
        app = graph.compile(checkpointer=MemorySaver())
        begun: Any = {"question": "?", "transcript": [{"speaker": "host", "content": "Hello"}]}
        return await app.ainvoke(begun, config(), context=place(script))

    state = asyncio.run(go())
    assert state["note"] == "noted A2"
    assert [turn["content"] for turn in state["transcript"]] == ["Hello", "A1", "B1", "A2", "B2"]
    assert "#visits" not in state


def test_the_hosts_place_gives_the_addresses() -> None:
    script = ScriptedModel(LINES)

    async def go() -> None:
        at = place(script)
        await load_graph(TALK).compiled.ainvoke({"question": "?"}, context=at / "helpdesk")

    asyncio.run(go())
    assert script.requests[0].address.local == "0/0/helpdesk/one#1/ann.say"


def test_langgraphs_own_drawing_knows_the_edges() -> None:
    drawn = load_graph(TALK).compiled.get_graph()
    assert {(edge.source, edge.target) for edge in drawn.edges} == {
        ("__start__", "one"),
        ("one", "two"),
        ("two", "one"),
        ("two", "__end__"),
    }


def test_the_example_runs_inside_a_hosts_graph() -> None:
    path = EXAMPLES / "embed_in_langgraph.py"
    spec = importlib.util.spec_from_file_location("embed_in_langgraph", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert asyncio.run(module.main()) == "Dear reader, the answer is 5/6."
