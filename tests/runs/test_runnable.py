"""`mt.Debate(…).run("…")` is all there is to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.testing import ScriptedModel

QUESTION = "Should cities ban cars?"
DEBATE = mt.Debate([mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater")], rounds=1)
GRAPH = """
version: 1
name: greeter
models: {m: scripted/x}
agents: {ann: {model: m}}
state:
  guest: {type: str, input: true}
  tone: {type: str, input: true, default: warm}
  answer: {type: str, default: ""}
graph:
  start: greet
  nodes:
    greet: {agent: ann, reads: [guest, tone], writes: {answer: reply.text}, next: end}
"""


def test_a_program_runs_by_itself_with_async_and_without() -> None:
    async def run() -> mt.Run:
        return await DEBATE.run(QUESTION, seed=3)

    assert asyncio.run(run()).outcome == DEBATE.run_sync(QUESTION, seed=3).outcome
    assert mt.run_sync(DEBATE, QUESTION, seed=3).outcome == asyncio.run(mt.run(DEBATE, QUESTION, seed=3)).outcome


def test_the_seed_decides_and_nothing_else() -> None:
    talk = mt.Debate([mt.Debater(n, "sim/debater") for n in ("Ada", "Bo", "Cy", "Di")], order="random", rounds=3)
    orders = {seed: [t.speaker for t in talk.run_sync(QUESTION, seed=seed).turns] for seed in (1, 1, 2, 3)}
    assert len({tuple(order) for order in orders.values()}) > 1
    assert [t.speaker for t in talk.run_sync(QUESTION, seed=1).turns] == orders[1]


def test_run_sync_inside_a_loop_says_what_to_use() -> None:
    async def notebook() -> None:
        DEBATE.run_sync(QUESTION)

    with pytest.raises(mt.UsageError, match=r"inside a running event loop \(a notebook has one\); use `await run"):
        asyncio.run(notebook())


def test_a_bare_text_is_the_question_or_the_only_input_that_is_needed(script: ScriptedModel) -> None:
    assert QUESTION in DEBATE.run_sync(QUESTION).turns.turns[0].content
    assert DEBATE.run_sync({"question": QUESTION}).turns == DEBATE.run_sync(QUESTION).turns
    graph = mt.load(GRAPH)
    bare = graph.run_sync("Eve", backends={"scripted": script})
    named = graph.run_sync({"guest": "Eve", "tone": "warm"}, backends={"scripted": script})
    assert bare.outcome == named.outcome


@pytest.mark.parametrize("inputs", [None, 3, ["a"]])
def test_inputs_are_a_text_or_a_mapping(inputs: Any) -> None:
    debate = mt.Debate([mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater")])
    with pytest.raises(mt.UsageError, match="debate takes a question or its inputs by name, not "):
        debate.run_sync(inputs)


def test_a_bare_text_that_could_mean_several_inputs_is_refused() -> None:
    two = GRAPH.replace("tone: {type: str, input: true, default: warm}", "tone: {type: str, input: true}")
    with pytest.raises(mt.UsageError, match="greeter takes its inputs by name: guest, tone"):
        mt.load(two).run_sync("Eve")
    none = GRAPH.replace("guest: {type: str, input: true}", "guest: {type: str, default: Eve}").replace(
        "input: true, default", "default"
    )
    with pytest.raises(mt.UsageError, match="greeter takes its inputs by name: it has none"):
        mt.load(none).run_sync("Eve")


def test_unknown_and_missing_inputs_are_told_before_anything_is_recorded(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    with pytest.raises(mt.UsageError, match="debate has no input 'topic'; it takes question, options"):
        DEBATE.run_sync({"question": QUESTION, "topic": "cars"}, store=store)
    with pytest.raises(mt.UsageError, match="greeter needs the input 'guest'"):
        mt.load(GRAPH).run_sync({"tone": "cold"}, store=store)
    with mt.Journal.open(store) as journal:
        assert list(journal.runs()) == []


def test_a_run_that_did_not_end_well_raises_on_demand() -> None:
    def line(_: object) -> Exception:
        return mt.ModelError("gone", kind="not_found")

    run = mt.load(GRAPH).run_sync("Eve", backends={"scripted": ScriptedModel(line)})
    with pytest.raises(mt.RunFailed, match=rf"run {run.id} ended as failed:not_found: gone") as told:
        run.raise_for_status()
    assert told.value.run is run
    assert DEBATE.run_sync(QUESTION).raise_for_status().status == "done"


def test_offline_refuses_what_needs_the_network() -> None:
    talk = mt.Debate([mt.Debater("Ada", "openai/x"), mt.Debater("Bo", "sim/debater")], rounds=1)
    with pytest.raises(mt.UsageError, match=r"'openai/x' .*needs the network, and this run is offline"):
        talk.run_sync(QUESTION, offline=True)


def test_a_programs_stream_ends_with_its_run() -> None:
    async def listen() -> list[mt.Event | mt.Run]:
        return [event async for event in DEBATE.stream(QUESTION)]

    *events, run = asyncio.run(listen())
    assert isinstance(run, mt.Run)
    assert run.simulated
    assert [e.data for e in events if isinstance(e, mt.Event) and e.kind == "turn"] == run.outcome.transcript
