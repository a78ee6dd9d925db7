"""Trees in runs: what they begin with is paid for once, stopped runs go on, forks at a node ask what is below it."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.backends.scripted import Line
from maieutic.backends.types import TokenLogprob
from maieutic.errors import UsageError
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest, ScriptedModel

INPUTS: Mapping[str, Any] = {"question": "What is the capital of France?", "accepted": ["Paris"]}


def tree(**params: Any) -> mt.PersuasionTree:
    debaters = [mt.Debater("ada", "scripted/a"), mt.Debater("bo", "scripted/b")]
    return mt.PersuasionTree(debaters, first="logical", **params)


def stubborn(request: LLMRequest) -> Line:
    return f"Answer: {'Paris' if request.agent == 'ada' else 'Rome'}\nSo {request.model.model} says."


def places(script: ScriptedModel) -> list[str]:
    return ["/".join(request.address.path) for request in script.requests]


def with_workspace(script: ScriptedModel, act: Callable[[mt.Workspace], Any], store: Path | None = None) -> Any:
    async def go() -> Any:
        async with mt.Workspace(store, backends={"scripted": script}) as workspace:
            return await act(workspace)

    return asyncio.run(go())


def test_every_reply_has_an_address_of_its_own_by_its_path() -> None:
    script = ScriptedModel(stubborn)
    run = with_workspace(script, lambda w: w.run(tree(), INPUTS, run_id="t"))
    assert len(set(places(script))) == len(places(script)) == 21
    assert places(script)[:3] == ["0/ada.turn", "0.0/bo.turn", "0.1/bo.turn"]
    assert {node.address for node in run.outcome.tree if node.id} == {f"0/0/{place}" for place in places(script)}
    assert (run.outcome.calls, run.outcome.calls_apart) == (run.ledger.total.calls, 48)


@pytest.mark.parametrize("order", ["breadth", "depth", "best"])
@pytest.mark.parametrize("calls", [1, 2, 4, 9, 20])
def test_a_tree_that_its_budget_stopped_goes_on_and_asks_only_what_is_missing(calls: int, order: str) -> None:
    script = ScriptedModel(stubborn)
    program = tree(order=order)

    async def twice(workspace: mt.Workspace) -> tuple[mt.Run, mt.Run, int]:
        stopped = await workspace.run(program, INPUTS, run_id="t", budget=mt.Budget(calls=calls))
        asked = len(script.requests)
        return stopped, await workspace.run(program, INPUTS, run_id="t"), asked

    stopped, whole, asked = with_workspace(script, twice)
    assert (stopped.reason, asked) == ("budget", calls)
    assert len(stopped.outcome.tree) <= calls
    assert len(script.requests) == len(set(places(script))) == 21
    assert whole.outcome.tree == tree_alone(order)


def tree_alone(order: str) -> Any:
    return with_workspace(ScriptedModel(stubborn), lambda w: w.run(tree(order=order), INPUTS)).outcome.tree


def test_replies_that_were_made_beside_the_one_that_failed_are_not_bought_again() -> None:
    failing = {"0.0.1/ada.turn"}

    def lines(request: LLMRequest) -> Line:
        if "/".join(request.address.path) in failing:
            return mt.ModelError("down", kind="auth")
        return stubborn(request)

    script = ScriptedModel(lines)

    async def twice(workspace: mt.Workspace) -> tuple[mt.Run, mt.Run]:
        first = await workspace.run(tree(), INPUTS, run_id="t")
        failing.clear()
        return first, await workspace.run(tree(), INPUTS, run_id="t")

    first, second = with_workspace(script, twice)
    assert first.reason == "failed:auth"
    assert len(first.outcome.tree) == 1 + 2 + 5
    assert len(second.outcome.tree) == 21
    assert len(script.requests) == 21 + 1


def test_a_fork_at_a_node_asks_the_node_and_what_hangs_below_it(tmp_path: Path) -> None:
    script = ScriptedModel(stubborn)

    async def fork(workspace: mt.Workspace) -> tuple[mt.Run, mt.Run]:
        run = await workspace.run(tree(), INPUTS, run_id="t")
        return run, await workspace.fork("t", node="0.1.2", models={"*": "scripted/new"}, new_run_id="f")

    first, branch = with_workspace(script, fork, tmp_path / "runs.db")
    assert places(script)[21:] == ["0.1.2/ada.turn", "0.1.2.0/bo.turn", "0.1.2.1/bo.turn"]
    told = {node.id: node.turn.content for node in branch.outcome.tree}
    anew = {"0.1.2", "0.1.2.0", "0.1.2.1"}
    assert {id_ for id_, words in told.items() if "scripted/new" in words} == anew
    assert all(told[node.id] == node.turn.content for node in first.outcome.tree if node.id not in anew)


def test_a_tree_with_more_than_ten_replies_forks_at_the_first_alone() -> None:
    script = ScriptedModel(stubborn)

    async def fork(workspace: mt.Workspace) -> None:
        await workspace.run(tree(turns=1, samples=11), INPUTS, run_id="t")
        await workspace.fork("t", node="1", new_run_id="f")

    with_workspace(script, fork)
    assert places(script)[11:] == ["1/ada.turn"]


def test_a_turn_is_found_by_its_place_though_others_say_the_same() -> None:
    script = ScriptedModel(lambda _: "Answer: no")

    async def fork(workspace: mt.Workspace) -> mt.Run:
        await workspace.run(tree(turns=2, stop="never"), INPUTS, run_id="t")
        return await workspace.fork("t", turn=3, new_run_id="f")

    with_workspace(script, fork)
    assert places(script) == ["0/ada.turn", "0.0/bo.turn", "0.1/bo.turn", "0.1/bo.turn"]


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ({"node": "0.9"}, r"no node '0\.9'; below 0 it has: 0\.0, 0\.1"),
        ({"node": ""}, "is its question, which nobody was asked for"),
        ({"node": "root"}, "is its question, which nobody was asked for"),
        ({"node": "x"}, "no node 'x'"),
        ({}, "at a turn or at a node"),
        ({"turn": 1, "node": "0"}, "at a turn or at a node"),
    ],
)
def test_a_fork_needs_a_node_that_is_there(where: dict[str, Any], problem: str) -> None:
    async def fork(workspace: mt.Workspace) -> None:
        await workspace.run(tree(), INPUTS, run_id="t")
        await workspace.fork("t", **where)

    with pytest.raises(UsageError, match=problem):
        with_workspace(ScriptedModel(stubborn), fork)


def test_a_debate_has_no_node_to_fork_at(script: ScriptedModel) -> None:
    async def fork(workspace: mt.Workspace) -> None:
        debaters = [mt.Debater("Ada", "scripted/a"), mt.Debater("Bo", "scripted/b")]
        debate = mt.Debate(debaters, judge=mt.Judge("June", "scripted/j"), rounds=1, probes="never")
        await workspace.run(debate, "Why?", run_id="d")
        await workspace.fork("d", node="0")

    with pytest.raises(UsageError, match="run d kept no tree; name a turn"):
        with_workspace(script, fork)


# -- over HTTP -----------------------------------------------------------------------------------------------------


def over_http(request: ParsedRequest) -> str | CannedReply:
    """Ada is the model that knows it; Bo takes it over once it is told to and has heard it."""
    words = request.messages[-1].content
    if "Take over their answer" in words and any("ada: Answer: Paris" in m.content for m in request.messages):
        return "Answer: Paris\nI agree."
    return f"Answer: {'Paris' if 'speak with bo' in words else 'Rome'}\nSo I learnt."


def test_a_tree_over_a_real_endpoint_shares_its_beginnings_and_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    async def go() -> tuple[mt.Run[Any], mt.Run[Any], Any]:
        async with LoopbackServer(over_http) as server, mt.Workspace() as workspace:
            base = {"api_base": server.base("openai"), "retries": 0, "timeout": 20}
            ada = mt.Debater("ada", {"model": "openai/one", **base})
            bo = mt.Debater("bo", {"model": "hosted_vllm/two", **base})
            program = mt.PersuasionTree([ada, bo], first="logical")
            stopped = await workspace.run(program, INPUTS, run_id="t", budget=mt.Budget(calls=5))
            return stopped, await workspace.run(program, INPUTS, run_id="t"), server.received

    stopped, run, received = asyncio.run(go())
    assert (stopped.reason, len(stopped.outcome.tree)) == ("budget", 5)
    assert received.total == len(run.outcome.tree) == 21
    assert [leaf.stopped for leaf in run.outcome.tree.leaves()] == ["depth", "agreed"] * 6
    assert run.outcome.tree.root.scores.subtree == 27
    bodies = [body for body in received.bodies if b'"two"' in body]
    assert all(b'"min_tokens":8' in body.replace(b" ", b"") for body in bodies)
    assert all(b"min_tokens" not in body for body in received.bodies if b'"one"' in body)


# -- the other trees -----------------------------------------------------------------------------------------------

ACTS = {"ask": "Ask what troubles him.", "reassure": "Say that it will be well."}


def planner() -> mt.DialoguePlanner:
    agents = {"system": mt.Agent("sue", "scripted/s"), "user": mt.Agent("ulf", "scripted/u")}
    return mt.DialoguePlanner(
        **agents, critic=mt.Critic("cora", "scripted/c"), acts=ACTS, planned=1, turns=2, simulations=4, samples=2
    )


def refinement() -> mt.RefinementTree:
    return mt.RefinementTree(
        actor=mt.Agent("ann", "scripted/a"), refiner=mt.Critic("rob", "scripted/r"), responses=2, judgements=2, turns=2
    )


def others(request: LLMRequest) -> Line:
    step = request.address.path[-1]
    if step == "cora.assess":
        return {"reason": "", "standing": "better"}
    if step == "rob.review":
        return {"ok": False, "problem": "no rhyme"}
    if "weigh" in "/".join(request.address.path):
        return "ask" if request.sample else "reassure"
    return f"said at {'/'.join(request.address.path)}"


@pytest.mark.parametrize("program", [planner(), refinement()], ids=["planner", "refinement"])
def test_planned_dialogues_and_refinements_go_on_where_a_budget_stopped_them(program: Any) -> None:
    alone = ScriptedModel(others)
    whole = with_workspace(alone, lambda w: w.run(program, "Why?"))
    needed = whole.ledger.total.calls
    assert len(set(places(alone))) == len(places(alone)) == needed
    for calls in (1, needed // 3, needed - 1):
        script = ScriptedModel(others)

        async def twice(workspace: mt.Workspace, calls: int = calls) -> tuple[mt.Run, mt.Run]:
            stopped = await workspace.run(program, "Why?", run_id="t", budget=mt.Budget(calls=calls))
            return stopped, await workspace.run(program, "Why?", run_id="t")

        stopped, again = with_workspace(script, twice)
        assert stopped.reason == "budget"
        assert len(script.requests) == needed
        assert again.outcome == whole.outcome


def test_a_planned_dialogue_forks_at_a_node_of_it() -> None:
    script = ScriptedModel(others)

    async def fork(workspace: mt.Workspace) -> mt.Run:
        run = await workspace.run(planner(), "Why?", run_id="t")
        return await workspace.fork("t", node=run.outcome.steps[1].node, new_run_id="f")

    branch = with_workspace(script, fork)
    first = branch.outcome.steps[1].node
    anew = places(script)[len(places(script)) - (branch.ledger.total.calls - branch.ledger.total.from_journal) :]
    assert anew
    assert all(place.split("/")[0].startswith(first) for place in anew)


def plainly(request: ParsedRequest) -> str | CannedReply:
    words = request.messages[-1].content
    if "Review the draft" in words:
        return '{"ok": %s, "problem": "no rhyme"}' % ("true" if "with a rhyme" in words else "false")
    return "A line with a rhyme." if "What is wrong with it: no rhyme" in words else "A line."


def test_a_refinement_over_a_real_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    async def go() -> tuple[mt.Run[Any], Any]:
        async with LoopbackServer(plainly, latency=0.01) as server, mt.Workspace() as workspace:
            model = {"model": "openai/one", "api_base": server.base("openai"), "retries": 0, "timeout": 20}
            program = mt.RefinementTree(actor=mt.Agent("ann", model), refiner=mt.Critic("rob", model))
            return await workspace.run(program, "Write a line."), server.received

    run, received = asyncio.run(go())
    assert (run.outcome.original, run.outcome.refined, run.answer) == ("0", "0.0", "A line with a rhyme.")
    assert run.outcome.calls == run.ledger.total.calls == 5 + 5 + 3 + 5
    assert [request.n for request in received.requests] == [5, 5, 3, 5], "samples share a request"


def test_a_tree_that_was_cancelled_midway_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    async def go() -> tuple[int, int | None, mt.Run[Any], Any]:
        async with LoopbackServer(over_http, latency=0.02) as server:
            model = {"model": "openai/one", "api_base": server.base("openai"), "retries": 0, "timeout": 20}
            program = mt.PersuasionTree([mt.Debater("ada", model), mt.Debater("bo", model)], first="logical")
            async with mt.Workspace(tmp_path / "runs.db") as workspace:
                calls: list[mt.Event] = []

                def count(event: mt.Event) -> None:
                    calls.extend([event] * (event.kind == "call"))
                    if len(calls) == 4:
                        running.cancel()

                running = asyncio.ensure_future(workspace.run(program, INPUTS, run_id="t", on_event=count))
                await asyncio.wait([running])
                kept = len(list(workspace.journal.entries("t", kind="model")))
            async with mt.Workspace(tmp_path / "runs.db") as workspace:
                run = await workspace.run(program, INPUTS, run_id="t")
            return kept, run.ledger.total.from_journal, run, server.received

    kept, from_journal, run, received = asyncio.run(go())
    assert 3 <= kept < 21
    assert from_journal == kept
    assert len(run.outcome.tree) == 21
    assert 21 <= received.total <= 21 + 6
    assert received.most_in_flight >= 6


def supportive(request: ParsedRequest) -> str | CannedReply:
    """Sue's policy is sure of reassuring at first sight, Cora finds it solved once she suggests something."""
    words = request.messages[-1].content
    if "What should sue do next" in words:
        first, last = math.log(0.6), math.log(0.4)
        token = TokenLogprob("ask", first, {"ask": first, "reassure": last})
        return CannedReply("ask", logprobs=(token,))
    if "judge where it stands" in words:
        solved = "sue: It will be well." in words
        return '{"reason": "so it is", "standing": "%s"}' % ("solved" if solved else "same")
    if "What to do in this turn" in words:
        return "It will be well." if "will be well" in words else "What troubles you?"
    return "I see."


def test_a_planned_dialogue_over_a_real_endpoint_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    async def go() -> tuple[mt.Run[Any], mt.Run[Any], Any]:
        async with LoopbackServer(supportive) as server, mt.Workspace() as workspace:
            model = {"model": "openai/one", "api_base": server.base("openai"), "retries": 0, "timeout": 20}
            agents = {
                "system": mt.Agent("sue", model),
                "user": mt.Agent("ulf", model),
                "critic": mt.Critic("cora", model),
            }
            program = mt.DialoguePlanner(**agents, acts=ACTS, planned=1, turns=2, simulations=4)
            stopped = await workspace.run(program, "Why?", run_id="t", budget=mt.Budget(calls=5))
            return stopped, await workspace.run(program, "Why?", run_id="t"), server.received

    stopped, run, received = asyncio.run(go())
    assert stopped.reason == "budget"
    assert [step.act for step in run.outcome.steps] == ["reassure"], "the policy asks, planning finds what helps"
    assert run.outcome.solved
    assert received.total == run.ledger.total.calls == run.outcome.calls + run.outcome.weighed


CHILD = """
import sys
import maieutic as mt
base = {"model": "openai/one", "api_base": sys.argv[1], "retries": 0, "timeout": 20}
program = mt.PersuasionTree([mt.Debater("ada", base), mt.Debater("bo", base)], first="logical", stop="never")
question = {"question": "What is the capital of France?", "accepted": ["Paris"]}
run = program.run_sync(question, run_id="t", store=sys.argv[2])
print(run.reason, len(run.outcome.tree), run.ledger.total.from_journal)
"""


def test_after_kill_9_a_tree_asks_again_only_what_was_in_flight(tmp_path: Path) -> None:
    with LoopbackServer(over_http, latency=0.1) as server:
        told = [sys.executable, "-c", CHILD, server.base("openai"), str(tmp_path / "runs.db")]
        environment = {**os.environ, "OPENAI_API_KEY": "test"}
        with subprocess.Popen(told, env=environment) as child:
            while server.received.total < 4 and child.poll() is None:
                time.sleep(0.01)
            child.kill()
        assert child.returncode == -signal.SIGKILL
        before = server.received.total
        again = subprocess.run(told, env=environment, capture_output=True, text=True, timeout=60, check=True)
        reason, turns, from_journal = again.stdout.split()
        asked = server.received.total
    assert (reason, turns) == ("answered", "21")
    assert 3 <= int(from_journal) < 21
    assert asked == before + 21 - int(from_journal)
    assert before - int(from_journal) <= 12, "no more than the replies of one level are in flight"
