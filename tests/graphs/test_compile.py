"""Routes, bounds and paths of compiled graphs."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.backends import LLMRequest
from maieutic.graphs import load_graph, to_yaml
from maieutic.graphs.spec import GraphSpec
from maieutic.testing.plays import play

TUTOR = Path(__file__).parents[2] / "examples" / "graphs" / "fractions-tutor.yaml"


def tutor() -> str:
    """The tutor of the examples with scripted models."""
    text = TUTOR.read_text()
    for mind in (
        "{model: sim/teacher}",
        "{model: sim/critic, knows: 1.0}",
        "{model: sim/student, knows: 0.1, seed: 7}",
    ):
        text = text.replace(mind, "scripted/x")
    return text


def bad(answer: str) -> dict[str, str]:
    return {"answer": answer, "reason": ""}


NO, YES = {"ok": False, "problem": "wrong"}, {"ok": True, "problem": ""}


def test_a_tutor_explains_until_the_critic_is_content() -> None:
    played = play(
        tutor(),
        {"student": [bad("2/5"), bad("5/6")], "critic": [NO, YES], "teacher": ["Common denominators."]},
        {"question": "What is 1/2 + 1/3?"},
    )
    assert played.path == ["review", "explain", "attempt", "review", "end"]
    assert played.run.answer == "5/6"
    assert played.state["tries"] == 2
    assert "teacher: Common denominators." in played.read("attempt#2/student.answer")


def test_every_edge_says_why_it_was_taken_and_what_was_not() -> None:
    played = play(
        tutor(),
        {"student": [bad("2/5"), bad("5/6")], "critic": [NO, YES], "teacher": ["So."]},
        {"question": "What?"},
    )
    assert played.run.edges[1] == {
        "at": "0/0/review#1",
        "source": "review",
        "target": "explain",
        "when": "tries < 3",
        "values": {"tries": 1},
        "rejected": [
            {"when": "review != null and review.ok", "to": "end", "values": {"review": NO, "review.ok": False}}
        ],
    }
    assert [edge["when"] for edge in played.run.edges] == [
        "next",
        "tries < 3",
        "next",
        "next",
        "review != null and review.ok",
    ]


def test_after_three_tries_it_comes_to_a_debate_whose_turns_join_the_dialogue() -> None:
    def speak(request: LLMRequest) -> Any:
        fields = request.output.model_fields if request.output else {}
        if "ok" in fields:
            return NO
        whole = {"answer": "5/6", "reason": "So.", "confidence": 0.9, "enough": True}
        return {name: whole[name] for name in fields} if fields else "I say 5/6."

    played = play(tutor(), speak, {"question": "What?"})
    assert played.path[-2:] == ["settle", "end"]
    assert played.state["tries"] == 3
    assert played.run.answer == "5/6"
    assert {turn["speaker"] for turn in played.run.outcome.transcript} >= {"student", "teacher", "critic", "moderator"}
    assert len(played.run.outcome.transcript) == len(played.run.turns)  # told once, kept once
    assert any(request.address.path[0] == "settle#1" for request in played.requests)


LOOP = """
version: 1
name: loop
state:
  n: {type: int, default: 0, merge: add}
graph:
  start: count
  nodes:
    count:
      set: {n: 1}
      visits: {max: 3, then: last}
      routes: [{when: n > 100, to: end}, {else: count}]
    last: {set: {n: 10}, next: end}
"""


def test_a_node_without_visits_left_sends_the_run_on() -> None:
    played = play(LOOP)
    assert played.path == ["count", "count", "count", "last", "end"]
    assert played.state["n"] == 13
    bounce = played.run.edges[3]
    assert (bounce["source"], bounce["when"], bounce["values"]) == ("count", "visits", {"visits": 3})


def test_the_bound_on_steps_ends_a_run_with_what_there_is() -> None:
    played = play(LOOP.replace("{max: 3,", "{max: 90,") + "limits: {steps: 5}\n")
    assert (played.run.status, played.run.reason) == ("stopped", "limit")
    assert played.state["n"] == 5


@pytest.mark.parametrize(
    ("merge", "kind", "first", "then", "value"),
    [
        ("add", "int", "1", "2", 3),
        ("add", "str", "'a'", "'b'", "ab"),
        ("add", "list[int]", "[1]", "[2]", [1, 2]),
        ("append", "list[int]", "1", "2", [1, 2]),
        ("union", "list[int]", "[1, 2]", "[2, 3, 3]", [1, 2, 3]),
        ("max", "int", "3", "2", 3),
        ("min", "float", "3", "2", 2),
        ("last", "int", "3", "2", 2),
        ("", "int", "3", "2", 2),
    ],
)
def test_a_write_combines_with_the_value_there_is(merge: str, kind: str, first: str, then: str, value: object) -> None:
    how = f", merge: {merge}" if merge else ""
    played = play(
        f'version: 1\nname: merges\nstate: {{x: {{type: "{kind}?", default: null{how}}}}}\n'
        "graph:\n  start: a\n  nodes:\n"
        f'    a: {{set: {{x: "{first}"}}, next: b}}\n    b: {{set: {{x: "{then}"}}, next: end}}\n'
    )
    assert played.state["x"] == value


def test_inputs_replace_a_field_and_are_not_merged_into_its_default() -> None:
    text = LOOP.replace("{type: int, default: 0, merge: add}", "{type: int, default: 5, merge: add, input: true}")
    assert play(text, inputs={"n": 1}).state["n"] == 14


@st.composite
def forward_graphs(draw: st.DrawFn) -> dict[str, Any]:
    """Small graphs whose routes only lead forward, with conditions on a counter that nodes raise."""
    size = draw(st.integers(1, 6))
    names = [*(f"n{i}" for i in range(size)), "end"]
    nodes: dict[str, Any] = {}
    for i in range(size):
        ahead = st.sampled_from(names[i + 1 :])
        routes: list[dict[str, Any]] = [
            {"when": f"x {draw(st.sampled_from(['<', '>', '==']))} {draw(st.integers(-3, 3))}", "to": draw(ahead)}
            for _ in range(draw(st.integers(0, 3)))
        ]
        node: dict[str, Any] = {"set": {"x": draw(st.integers(-2, 2))}}
        nodes[names[i]] = (
            {**node, "routes": [*routes, {"else": draw(ahead)}]} if routes else {**node, "next": draw(ahead)}
        )
    state = {"x": {"type": "int", "default": draw(st.integers(-2, 2)), "merge": "add"}}
    return {"version": 1, "name": "forward", "state": state, "graph": {"start": "n0", "nodes": nodes}}


def interpreted(raw: dict[str, Any]) -> tuple[list[str], int]:
    """The path and the counter at the end, found in the simplest way."""
    x, at, path = raw["state"]["x"]["default"], "n0", []
    compare = {"<": int.__lt__, ">": int.__gt__, "==": int.__eq__}
    while at != "end":
        node = raw["graph"]["nodes"][at]
        x += node["set"]["x"]
        at = node.get("next") or next(
            route.get("to") or route["else"]
            for route in node["routes"]
            if "else" in route or compare[route["when"].split()[1]](x, int(route["when"].split()[2]))
        )
        path.append(at)
    return path, x


@settings(max_examples=40, deadline=None)
@given(forward_graphs())
def test_a_compiled_graph_takes_the_path_of_a_simple_interpreter(raw: dict[str, Any]) -> None:
    import asyncio

    from maieutic.graphs import Graph
    from maieutic.runs.workspace import Workspace

    async def go() -> Any:
        async with Workspace() as workspace:
            return await workspace.run(Graph(GraphSpec.model_validate(raw)), {})

    run = asyncio.run(go())
    assert ([edge["target"] for edge in run.edges], run.outcome.state["x"]) == interpreted(raw)


def test_a_plan_counts_the_cheapest_way_and_the_dearest() -> None:
    plan = load_graph(TUTOR).plan()
    assert plan.fewest == 2  # one try, one review
    assert plan.calls["teacher"][0] == 0
    assert plan.calls["student"][1] > 20  # sixty steps, three a round, and the debate


def test_a_plan_obeys_visits() -> None:
    text = """
version: 1
name: rounds
models: {m: scripted/x}
agents: {ann: {model: m}, bob: {model: m}}
graph:
  start: ask
  nodes:
    ask: {agent: ann, next: reply, visits: {max: 3, then: end}}
    reply: {agent: bob, next: ask}
"""
    assert dict(load_graph(text).plan().calls) == {"ann": (1, 3), "bob": (1, 4)}


def test_a_graph_built_in_python_runs_as_its_file_does() -> None:
    graph = load_graph(LOOP)
    again = load_graph(to_yaml(graph.spec))
    assert again.spec == graph.spec
