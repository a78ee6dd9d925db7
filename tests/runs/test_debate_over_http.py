"""A whole debate over a real HTTP server that fails in every way: the outcome is right, every attempt counted."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

import maieutic as mt
from maieutic.backends import Endpoints
from maieutic.runs import ledger_of
from maieutic.testing import LoopbackServer
from maieutic.testing.faults import Fault, FaultPlan, drop, malformed, slow, status, truncated

QUESTION = "Should cities ban cars?"
CALLS = 7
Lane = Literal["transforms", "acompletion"]

FAULTS: Mapping[str, Fault] = {
    "rate_limit": status(429, retry_after=0.05),
    "server": status(500),
    "connection": drop(),
    "truncated": truncated(),
    "malformed": malformed(),
    "timeout": slow(30.0),
}
LATE = 0.8
"""Seconds after which a slow reply is given up."""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


async def soon(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.01))


def workspace(store: Path | None = None) -> mt.Workspace:
    """A workspace that does not wait as long as an endpoint asks it to."""
    made = mt.Workspace(store)
    made.endpoints = Endpoints(sleep=soon)
    return made


def debate(server: LoopbackServer, lane: Lane = "transforms", **settings: Any) -> mt.Debate:
    """Two debaters, three rounds and a judge: seven calls."""
    model = mt.ModelSpec.model_validate(
        {
            "model": "openai/tiny",
            "api_base": server.base("openai"),
            "structured": "native",
            "timeout": 20,
            "lane": lane,
            **settings,
        }
    )
    debaters = [mt.Debater("Ada", model), mt.Debater("Bo", model)]
    return mt.Debate(debaters, judge=mt.Judge("June", model), rounds=3, probes="never")


def said(run: mt.Run) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.content) for turn in run.turns]


def every_second(faults: Mapping[str, Fault]) -> FaultPlan:
    """Each fault meets another call: request 0 fails, 1 repeats it, 2 fails, and so on."""
    return [fault for each in faults.values() for fault in (each, None)]


def perform(
    faults: FaultPlan, *, lane: Lane = "transforms", stream: bool = False, timeout: float = 20
) -> tuple[mt.Run, LoopbackServer]:
    """One debate; what the journal tells must be what the run tells, and each reply stands there once."""

    async def scenario() -> tuple[mt.Run, LoopbackServer]:
        async with LoopbackServer(faults=faults) as server, workspace() as place:
            run = await place.run(debate(server, lane, timeout=timeout), QUESTION, stream=stream)
            record = place.journal.run(run.id)
            assert ledger_of(place.journal, record).to_json() == run.ledger.to_json()
            replies = [entry.at for entry in place.journal.entries(run.id, kind="model")]
            assert len(replies) == len(set(replies)) == server.received.answered == CALLS
        return run, server

    return asyncio.run(scenario())


@pytest.mark.parametrize("lane", ["transforms", "acompletion"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_debate_comes_through_every_fault_as_if_there_had_been_none(lane: Lane, stream: bool) -> None:
    calm, _ = perform([], lane=lane, stream=stream)
    run, server = perform(every_second(FAULTS), lane=lane, stream=stream, timeout=LATE)
    assert run.outcome == calm.outcome
    assert run.reason == "answered"
    assert said(run) == said(calm)
    total = run.ledger.total
    assert total.attempts == server.received.total == CALLS + len(FAULTS)
    assert (total.calls, total.prompt, total.completion) == (
        CALLS,
        calm.ledger.total.prompt,
        calm.ledger.total.completion,
    )
    assert sum(total.failed.values()) == len(FAULTS)
    assert {"rate_limit", "server", "connection", "timeout"} <= set(total.failed)


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind != "timeout"])
@pytest.mark.parametrize("call", [0, 3, 6], ids=["first", "middle", "judge"])
def test_a_fault_at_any_call_is_counted_with_the_agent_who_met_it(kind: str, call: int) -> None:
    run, server = perform([*[None] * call, FAULTS[kind]], stream=True)
    assert run.status == "done"
    assert server.received.total == run.ledger.total.attempts == CALLS + 1
    who = ["Ada", "Bo"][call % 2] if call < 6 else "June"
    assert sum(run.ledger.by_agent[who].failed.values()) == 1
    assert sum(run.ledger.total.failed.values()) == 1


def test_many_debates_at_once_come_through_a_server_that_fails_at_random() -> None:
    debates, rng = 12, random.Random(5)
    quick = [fault for kind, fault in FAULTS.items() if kind != "timeout"]
    drawn = [rng.choice(quick) if rng.random() < 0.2 else None for _ in range(10_000)]

    async def scenario(faults: FaultPlan) -> tuple[list[mt.Run], int]:
        async with LoopbackServer(faults=faults) as server, workspace() as place:
            talk = debate(server, retries=9)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(place.run(talk, f"Question {n}?")) for n in range(debates)]
            return [task.result() for task in tasks], server.received.total

    calm, _ = asyncio.run(scenario([]))
    runs, requests = asyncio.run(scenario(drawn))
    assert [said(run) for run in runs] == [said(run) for run in calm]
    assert sum(run.ledger.total.attempts for run in runs) == requests > debates * CALLS
    failed = sum((Counter(run.ledger.total.failed) for run in runs), Counter[str]())
    assert failed.total() == requests - debates * CALLS


FATAL: Mapping[str, tuple[list[Fault], float, str]] = {
    # what the server does at the fourth call, the model's time limit, why the run ends
    "key refused": ([status(401)], 20, "failed:auth"),
    "server down": ([status(500)] * 3, 20, "failed:server"),
    "never in time": ([status(503), drop(), slow(30.0)], LATE, "failed:timeout"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("what", FATAL)
def test_what_cannot_be_recovered_ends_the_run_and_a_resume_pays_only_for_the_rest(
    what: str, stream: bool, tmp_path: Path
) -> None:
    faults, timeout, reason = FATAL[what]
    calm, _ = perform([])
    until = 3 + len(faults)

    async def scenario() -> None:
        async with LoopbackServer(faults=[None, None, None, *faults]) as server:
            async with workspace(tmp_path / "runs.db") as place:
                ended = await place.run(debate(server, retries=2, timeout=timeout), QUESTION, stream=stream)
            assert (ended.status, ended.reason) == ("failed", reason)
            assert ended.error is not None
            assert "openai/tiny" in ended.error
            assert ended.outcome.reason == reason
            assert said(ended) == said(calm)[:4]  # the question and three turns
            assert ended.outcome.transcript == calm.outcome.transcript[:4]
            assert ended.ledger.total.attempts == server.received.total == until
            assert ended.ledger.total.calls == 3

            async with workspace(tmp_path / "runs.db") as later:
                whole = await later.resume(ended.id, stream=stream)
                recorded = ledger_of(later.journal, later.journal.run(ended.id))
            assert whole.outcome == calm.outcome
            assert said(whole) == said(calm)
            assert server.received.total == until + CALLS - 3
            assert whole.ledger.total.from_journal == 3
            assert recorded.total.attempts == server.received.total
            assert recorded.total.calls == CALLS

    asyncio.run(scenario())


GRAPH = """
version: 1
name: drafted-then-debated
models:
  m: {{model: openai/tiny, api_base: "{base}", structured: native}}
agents:
  ann: {{role: student, model: m}}
  cal: {{role: critic, model: m}}
  ada: {{role: debater, model: m}}
  bo: {{role: debater, model: m}}
  june: {{role: judge, model: m}}
state:
  question: {{type: str, input: true}}
  draft: {{type: str, default: ""}}
  answer: {{type: str, default: ""}}
graph:
  start: attempt
  nodes:
    attempt: {{agent: ann, does: answer, reads: [question], writes: {{draft: reply.text}}, next: look}}
    look: {{agent: cal, does: review, reads: [question, draft], next: settle}}
    settle:
      use: debate
      with: {{debaters: [ada, bo], judge: june, rounds: 2, first_round: blind, probes: never}}
      in: {{question: question}}
      out: {{answer: outcome.answer}}
      next: end
"""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_graph_file_with_a_debate_in_it_comes_through_every_fault(stream: bool) -> None:
    async def scenario(faults: FaultPlan) -> tuple[mt.Run, LoopbackServer]:
        async with LoopbackServer(faults=faults) as server, workspace() as place:
            graph = mt.load(GRAPH.format(base=server.base("openai")))
            return await place.run(graph, QUESTION, stream=stream), server

    faults = {kind: fault for kind, fault in FAULTS.items() if kind != "timeout"}
    calm, quiet = asyncio.run(scenario([]))
    run, server = asyncio.run(scenario(every_second(faults)))
    assert run.reason == "answered"
    assert run.outcome == calm.outcome
    assert [edge["target"] for edge in run.edges] == [edge["target"] for edge in calm.edges]
    assert set(server.received.by_body) == set(quiet.received.by_body)
    assert run.ledger.total.attempts == server.received.total == quiet.received.total + len(faults)
