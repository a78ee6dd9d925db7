"""Balanced debaters in debates, trees and graph files: what they cost, and what is kept of their weighing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.agents import Balance, Debater
from maieutic.backends import LLMRequest
from maieutic.graphs.graph import load_graph
from maieutic.protocols.debate import Debate
from maieutic.protocols.persuasion.tree import PersuasionTree
from maieutic.testing.staged import play

OPTIONS = ["tabs", "spaces"]


def reply(request: LLMRequest) -> str:
    """Ada is for tabs and Bo for spaces, but spaces are what everybody finds plausible."""
    step = request.address.path[-1]
    side = "tabs" if step.startswith("Ada") else "spaces"
    asked = request.messages[-1].content
    if "weigh" in step:
        found = [{"answer": "spaces", "plausibility": 0.9}, {"answer": "tabs", "plausibility": 0.2}]
        return json.dumps({"plausibilities": found})
    if 'your answer is now "spaces"' in asked or 'your answer stays "spaces"' in asked:
        side = "spaces"
    return f"Answer: {side}" if step.endswith((".argue", ".turn")) else json.dumps({"answer": side, "confidence": 0.5})


def debaters(**fields: Any) -> list[Debater]:
    return [Debater("Ada", "scripted/a").balanced(Balance(**fields)), Debater("Bo", "scripted/b")]


def test_a_debate_is_weighed_once_others_have_spoken() -> None:
    debate = Debate(debaters(), rounds=2, first_round="blind", options=OPTIONS)
    played = play(debate, reply)
    asked = ["/".join(request.address.path) for request in played.requests if request.agent == "Ada"]
    assert asked == [
        "round0/Ada.position",
        "round1/Ada.argue",
        "round1/Ada.position/Ada.weigh1",
        "round1/Ada.position/Ada.weigh2",
        "round1/Ada.position",
        "round2/Ada.argue/Ada.weigh1",
        "round2/Ada.argue/Ada.weigh2",
        "round2/Ada.argue",
        "round2/Ada.position/Ada.weigh1",
        "round2/Ada.position/Ada.weigh2",
        "round2/Ada.position",
    ]
    held = [each.answer for each in played.outcome.positions["Ada"]]
    assert held == ["tabs", "spaces", "spaces"]
    assert played.outcome.answer == "spaces"


def test_the_calls_of_weighing_count_and_lie_within_the_plan() -> None:
    debate = Debate(debaters(orders=5), rounds=2, first_round="blind", options=OPTIONS)
    played = play(debate, reply)
    assert played.outcome.calls == len(played.requests) == 10 + 6
    assert debate.plan().calls == {"Ada": (5, 5 * 6), "Bo": (5, 5)}
    assert debate.plan().fewest <= played.outcome.calls <= debate.plan().most


def test_the_baseline_has_as_many_calls_as_the_debate_with_its_weighing() -> None:
    def answered(request: LLMRequest) -> str:
        if "baseline" in request.address.path:
            return json.dumps({"reasoning": "x", "answer": "tabs", "confidence": 1})
        return reply(request)

    debate = Debate(debaters(), rounds=1, first_round="blind", options=OPTIONS, baseline="self_consistency")
    outcome = play(debate, answered).outcome
    assert outcome.baseline is not None
    assert outcome.baseline.calls == outcome.calls == 6 + 2


def test_what_was_weighed_stands_in_the_record_and_not_in_the_dialogue() -> None:
    played = play(Debate(debaters(), rounds=1, first_round="blind", options=OPTIONS), reply)
    kept = [turn for turn in played.outcome.transcript if "weighed" in turn.get("data", {})]
    assert [(turn["speaker"], turn["kind"]) for turn in kept] == [("Ada", "probe")]
    assert kept[0]["data"]["weighed"] == {
        "plausible": {"spaces": 0.9, "tabs": 0.2}, "held": "tabs", "decided": "spaces", "calls": 2}  # fmt: skip
    read = [message.content for request in played.requests if request.agent == "Bo" for message in request.messages]
    assert not any("plausible" in content for content in read)


def test_a_debater_with_a_side_to_defend_costs_nothing_more() -> None:
    debate = Debate(debaters(), rounds=1, options=OPTIONS, stances={"Ada": "tabs"})
    assert debate.plan().calls["Ada"] == debate.plan().calls["Bo"]
    assert not any("weigh" in step for step in play(debate, reply).asked)


def test_in_a_tree_it_weighs_before_neutral_turns_and_never_before_stances() -> None:
    plain: dict[str, Any] = {"answers": "line", "turns": 3, "stop": "never"}
    neutral = PersuasionTree(debaters(), stances={}, first="neutral", **plain)
    played = play(neutral, reply, options=OPTIONS)
    assert played.asked == ["Ada.turn", "Bo.turn", "Ada.weigh1", "Ada.weigh2", "Ada.turn"]
    assert played.outcome.calls == 5 <= neutral.plan().most
    last = played.outcome.tree.leaves()[0]
    assert last.answers["Ada"] == "spaces"
    assert last.notes["weighed"]["decided"] == "spaces"
    assert "plausible" not in (last.told or "") + (last.neutral or "")
    stances = play(PersuasionTree(debaters(), **plain), reply, options=OPTIONS)
    assert not any("weigh" in step for step in stances.asked)


FILE = """\
version: 1
name: unsettled
models: {m: scripted/x}
agents:
  Ada: {role: debater, model: m, balance: BALANCE}
  Bo: {role: debater, model: m}
use: debate
with: {debaters: [Ada, Bo], rounds: 1, options: [tabs, spaces]}
"""


@pytest.mark.parametrize(
    ("written", "balance"),
    [
        ("true", Balance()),
        ("false", None),
        ("{}", Balance()),
        ("{orders: 2, margin: 0.3}", Balance(orders=2, margin=0.3)),
    ],
)
def test_a_graph_file_says_who_is_balanced(written: str, balance: Balance | None) -> None:
    graph = load_graph(FILE.replace("BALANCE", written))
    assert graph.cast["Ada"].balance == balance
    assert graph.cast["Bo"].balance is None
    low, high = graph.plan().calls["Ada"]
    assert high == low * (1 + (balance.orders if balance else 0))


def test_a_balanced_debate_of_python_is_written_down_and_replayed(tmp_path: Path) -> None:
    minds = [{"model": "sim/debater", "seed": seed} for seed in (1, 2)]
    ada, bo = (
        mt.Debater(name, mind).balanced(mt.Balance(orders=2)) for name, mind in zip(("Ada", "Bo"), minds, strict=True)
    )

    async def twice() -> tuple[mt.Run, mt.Run]:
        async with mt.Workspace(tmp_path / "journal.db") as workspace:
            run = await workspace.run(mt.Debate([ada, bo], rounds=2), "Should cities ban cars?")
            definition = mt.runs.Definition.of(workspace.journal.run(run.id))
            again = await workspace.run(definition.program(), definition.inputs, run_id=run.id, replay="only")
            return run, again

    run, again = asyncio.run(twice())
    assert again.outcome == run.outcome
    assert any(turn.data.get("weighed") for turn in run.turns)
