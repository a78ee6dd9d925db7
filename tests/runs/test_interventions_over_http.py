"""Interventions over a real HTTP endpoint, with and without log-probabilities, and taken up again after a crash."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends.types import TokenLogprob
from maieutic.memory.student import Item
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest

OPTIONS = ("red", "green", "blue")
ITEMS = [
    Item(id=f"q{i}", question=f"Which colour has stone {i}?", answer="red", options=OPTIONS, concepts=(f"c{i % 2}",))
    for i in range(12)
]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def number(request: ParsedRequest) -> int:
    return int(request.messages[-1].content.rpartition("has stone ")[2].partition("?")[0])


def knows(i: int) -> bool:
    """The student knows the stones with even numbers."""
    return i % 2 == 0


def reply(request: ParsedRequest) -> str | CannedReply:
    """The teacher knows every stone; the student the even ones, and, explained, all but the eleventh."""
    i, asked = number(request), request.messages[-1].content
    student = "You are Sam" in request.messages[0].content
    explained = any("It is red" in m.content for m in request.messages[1:])
    if "Explain to the student" in asked:
        return "It is red."
    right = not student or (i != 11 if explained else knows(i))
    if "letter" in asked:
        share = 0.9 if ("reads this explanation" in asked or (student and explained)) else 0.8 if knows(i) else 0.3
        top = {"A": math.log(share), "C": math.log(1 - share)}
        best = max(top, key=lambda letter: top[letter])
        return CannedReply(best, logprobs=(TokenLogprob(best, top[best], top),))
    said = {"answer": "red" if right else "blue", "confidence": 0.6}
    return json.dumps(said if explained else {"reasoning": "So.", **said})


def interventions(server: LoopbackServer, **params: Any) -> mt.Interventions:
    model = mt.ModelSpec.model_validate(
        {"model": "openai/tiny", "api_base": server.base("openai"), "structured": "native", "timeout": 20}
    )
    given = {"practice": 0.5, "shots": 2, "samples": 3, "resamples": 50, "confidence": "measured", **params}
    return mt.Interventions(mt.Teacher("Tess", model), mt.Student("Sam", model), ITEMS, **given)


@pytest.mark.parametrize("logprobs", [True, False])
def test_the_whole_protocol_with_and_without_log_probabilities(logprobs: bool) -> None:
    async def go() -> tuple[mt.Run, mt.Interventions, int]:
        async with LoopbackServer(reply, logprobs=logprobs) as server, mt.Workspace() as workspace:
            program = interventions(server)
            run = await workspace.run(program)
            return run, program, sum(request.n for request in server.received.requests)

    run, program, received = asyncio.run(go())
    outcome: Any = run.outcome
    assert run.status == "done"
    assert len(outcome.records) == len(outcome.practice) == 6
    for record in outcome.records:
        i = int(record.item[1:])
        assert record.alone.correct == knows(i)
        assert record.alone.source == ("logprobs" if logprobs else "samples")
        if logprobs:
            assert record.alone.right == pytest.approx(0.8 if knows(i) else 0.3)
            assert record.estimates["few_shot"].utility == pytest.approx(0.9 - (0.8 if knows(i) else 0.3))
        assert record.estimates["student_model"].alone > 0.5 or not knows(i)
    plan = program.plan()
    assert received == (plan.fewest if logprobs else plan.most)
    best = [outcome.curve(name).points[1].accuracy for name in ("oracle", "expected_utility:few_shot")]
    assert best[0].value >= best[1].value > outcome.curve("random").points[1].accuracy.value


def test_a_run_that_was_cut_off_is_taken_up_without_paying_twice(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"

    async def until(calls: int | None, server: LoopbackServer) -> mt.Run:
        budget = None if calls is None else mt.Budget(calls=calls)
        async with mt.Workspace(store) as workspace:
            return await workspace.run(interventions(server), run_id="pilot", budget=budget)

    async def go() -> tuple[mt.Run, mt.Run, Any]:
        async with LoopbackServer(reply) as server:
            cut = await until(30, server)
            return cut, await until(None, server), server.received

    cut, whole, received = asyncio.run(go())
    assert cut.status == "stopped"
    assert whole.status == "done"
    outcome: Any = whole.outcome
    assert len(outcome.records) == 6
    assert not outcome.skipped
    assert received.total == whole.ledger.total.calls
    assert max(received.by_body.values()) == 1, "no request was sent twice"
    assert whole.ledger.total.from_journal == 30


def test_from_the_store_alone_it_is_resumed_and_replayed(tmp_path: Path) -> None:
    async def go() -> tuple[mt.Run, mt.Run]:
        async with LoopbackServer(reply) as server, mt.Workspace(tmp_path / "runs.db") as workspace:
            first = await workspace.run(interventions(server), run_id="pilot")
            asked = server.received.total
            again = await workspace.replay("pilot")
            assert server.received.total == asked
            return first, again

    first, again = asyncio.run(go())
    assert again.outcome.model_dump() == first.outcome.model_dump()
