"""Limits hold for whole runs, exactly, and a run that met one goes on with more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest
from maieutic.backends.types import Usage
from maieutic.graphs.spec import Limits
from maieutic.testing import ScriptedModel

QUESTION = "Should cities ban cars?"
FILE = """
version: 1
name: limited
models:
  dear: {{model: scripted/dear, max_tokens: 50, price: {{input: 0, output: 1000}}}}
  {cheap}
agents:
  ada: {{role: debater, model: dear}}
  bo: {{role: debater, model: dear}}
  june: {{role: judge, model: dear}}
use: debate
with: {{debaters: [ada, bo], judge: june, rounds: 3, probes: never}}
limits: {limits}
"""
CHEAP = "cheap: {model: scripted/cheap, max_tokens: 50, price: {input: 0, output: 1}}"
CALLS, TOKENS, USD = 7, 120, 0.02
"""What the whole debate takes, and what each call takes."""


def line(request: LLMRequest) -> mt.LLMReply:
    text = "Yes." if request.output is None else '{"answer": "yes", "reason": "So.", "confidence": 1}'
    dear = request.model.model == "scripted/dear"
    usage = Usage(prompt=TOKENS - 20, completion=20)
    return mt.LLMReply(text=text, model=request.model.model, usage=usage, usd=USD if dear else USD / 1000)


@pytest.fixture
def script() -> ScriptedModel:
    return ScriptedModel(line)


def run(limits: str, script: ScriptedModel, store: Path | None = None, **options: Any) -> mt.Run:
    async def go() -> mt.Run:
        async with mt.Workspace(store, backends={"scripted": script}) as place:
            graph = mt.load(FILE.format(limits=limits, cheap=CHEAP if "cheap" in limits else ""))
            return await place.run(graph, QUESTION, run_id="case", **options)

    return asyncio.run(go())


def resumed(script: ScriptedModel, store: Path, limits: Limits | None) -> mt.Run:
    async def go() -> mt.Run:
        async with mt.Workspace(store, backends={"scripted": script}) as place:
            return await place.resume("case", limits=limits)

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        ("{calls: 7}", 7),
        # A call is let through if its upper bound (50 tokens of reply, 0.05 US dollars) fits beside what was spent.
        ("{usd: 0.09}", 3),
        ("{usd: 0.05}", 1),
        ("{usd: 0.049}", 0),
        ("{usd: 0.17}", 7),
    ],
)
def test_a_run_makes_as_many_calls_as_its_budget_surely_allows(script: ScriptedModel, limits: str, calls: int) -> None:
    ended = run(limits, script)
    assert len(script.requests) == ended.ledger.total.calls == calls
    expected = ("done", "answered") if calls == CALLS else ("stopped", "budget")
    assert (ended.status, ended.reason) == expected
    assert len(ended.turns) == calls + 1  # what was said is kept


def test_a_budget_given_to_the_run_counts_instead_of_the_files(script: ScriptedModel) -> None:
    ended = run("{usd: 0.09}", script, budget=mt.Budget(calls=5))
    assert (ended.reason, len(script.requests)) == ("budget", 5)


def test_tokens_are_never_more_than_the_limit(script: ScriptedModel) -> None:
    ended = run("{tokens: 1000}", script)
    total = ended.ledger.total
    assert ended.reason == "budget"
    assert 0 < total.prompt + total.completion <= 1000
    assert ended.error is not None
    assert "tokens" in ended.error


def test_no_call_begins_after_the_time_is_up(script: ScriptedModel) -> None:
    now = 0.0

    def timed(request: LLMRequest) -> mt.LLMReply:
        nonlocal now
        now += 10.0
        return line(request)

    clocked = ScriptedModel(timed)
    budget = mt.Budget(seconds=25, clock=lambda: now)
    ended = run("{}", clocked, budget=budget)
    assert (ended.reason, len(clocked.requests)) == ("budget", 3)


def test_a_run_at_its_limit_goes_on_with_more_and_pays_only_for_the_rest(script: ScriptedModel, tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    whole = run("{}", script, tmp_path / "whole.db")
    ended = run("{usd: 0.09}", script, store)
    assert (ended.status, len(script.requests)) == ("stopped", CALLS + 3)
    still = resumed(script, store, None)
    assert (still.reason, len(script.requests)) == ("budget", CALLS + 3)  # what it spent before counts
    more = resumed(script, store, Limits(usd=0.13))
    assert (more.reason, more.ledger.total.calls, len(script.requests)) == ("budget", 5, CALLS + 5)
    done = resumed(script, store, Limits(calls=CALLS, usd=1))
    assert (done.reason, len(script.requests)) == ("answered", 2 * CALLS)
    assert done.outcome == whole.outcome


def test_a_run_told_to_pause_is_paused(script: ScriptedModel, tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    ended = run("{usd: 0.09, on_exceed: pause}", script, store)
    assert (ended.status, ended.reason, ended.outcome.reason) == ("paused", "paused", "paused")
    assert len(ended.outcome.transcript) == 4
    with mt.Journal.open(store) as journal:
        assert journal.run("case").status == "paused"
    assert resumed(script, store, Limits(calls=10)).status == "done"
    assert len(script.requests) == CALLS


def test_a_run_told_to_warn_says_so_once_and_goes_on(script: ScriptedModel) -> None:
    events: list[mt.Event] = []
    ended = run("{usd: 0.09, on_exceed: warn}", script, on_event=events.append)
    warned = [event.data["message"] for event in events if event.kind == "warning"]
    assert (ended.reason, ended.ledger.total.calls, len(warned)) == ("answered", CALLS, 1)
    assert "on_exceed: warn" in warned[0]


def test_a_run_told_to_degrade_goes_on_with_the_cheaper_model(script: ScriptedModel) -> None:
    ended = run("{usd: 0.1, on_exceed: degrade, degrade_to: cheap}", script)
    assert [request.model.model for request in script.requests] == ["scripted/dear"] * 3 + ["scripted/cheap"] * 4
    assert ended.reason == "answered"
    assert ended.ledger.total.usd == pytest.approx(3 * USD + 4 * USD / 1000)
    assert ended.ledger.total.usd <= 0.1


def test_a_degraded_run_is_replayed_as_it_was(script: ScriptedModel, tmp_path: Path) -> None:
    ended = run("{usd: 0.1, on_exceed: degrade, degrade_to: cheap}", script, tmp_path / "runs.db")

    async def go() -> mt.Run:
        async with mt.Workspace(tmp_path / "runs.db", backends={"scripted": ScriptedModel([])}) as place:
            return await place.replay("case")

    assert asyncio.run(go()).outcome == ended.outcome


# -- many at once -------------------------------------------------------------------------------------------------


class Late:
    """Answers a moment later, so that calls are in flight together."""

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: LLMRequest, on_text: Any = None) -> mt.LLMReply:
        self.asked += 1
        await asyncio.sleep(0.001)
        return line(request)

    async def aclose(self) -> None:
        pass


def at_once(budget: Callable[[], mt.Budget], programs: Sequence[mt.Debate]) -> tuple[list[mt.Run], Late]:
    """Programs that run at the same time on one budget."""
    late = Late()

    async def go() -> list[mt.Run]:
        async with mt.Workspace(backends={"scripted": late}) as place:
            shared = budget()
            return await asyncio.gather(*(place.run(program, QUESTION, budget=shared) for program in programs))

    return asyncio.run(go()), late


def debate(debaters: int, **params: Any) -> mt.Debate:
    model = {"model": "scripted/dear", "max_tokens": 50, "price": {"input": 0, "output": 1000}}
    speakers = [mt.Debater(f"D{n}", model) for n in range(debaters)]
    return mt.Debate(speakers, **{"rounds": 3, "probes": "never", "decide": "majority", **params})


@pytest.mark.parametrize("calls", [1, 5, 11])
def test_limits_hold_exactly_while_all_speak_at_once(calls: int) -> None:
    [ended], late = at_once(lambda: mt.Budget(calls=calls), [debate(6, order="simultaneous")])
    assert late.asked == ended.ledger.total.calls == calls
    assert ended.reason == "budget"
    assert len(ended.turns) == calls + 1  # those who could speak in the last round are heard


def test_limits_hold_exactly_over_many_runs_on_one_budget() -> None:
    runs, late = at_once(lambda: mt.Budget(calls=25), [debate(2) for _ in range(10)])
    assert late.asked == sum(run.ledger.total.calls for run in runs) == 25
    spent, late = at_once(lambda: mt.Budget(usd=0.5), [debate(2) for _ in range(10)])
    usd = sum(run.ledger.total.usd for run in spent)
    # Nothing else would have fitted: a call is 0.02, its upper bound 0.05.
    assert 0.45 < usd <= 0.5
    assert usd == pytest.approx(late.asked * USD)
