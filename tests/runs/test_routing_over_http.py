"""Routers compared over a real HTTP endpoint: costs by the pool's prices, Router-R1 and the bandit, a resumed run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Router
from maieutic.backends.types import Usage
from maieutic.protocols.router_r1 import RouterR1
from maieutic.protocols.routing import Pool, measured, performed
from maieutic.protocols.routing.routers import Bandit, TradeOff
from maieutic.protocols.routing.routers.asking import Question, ask_all
from maieutic.protocols.routing.routers.comparison import Answered, Comparison, compare, cross_fitted
from maieutic.protocols.routing.routers.episodes import played
from maieutic.runs import Workspace
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest
from maieutic.testing.good_router import GoodRouter

QUESTIONS = [
    Question(question=f"Which {noun} is number {n}?", answer=[answer], family=family)
    for n in range(6)
    for noun, answer, family in (("plant", "leaf", "plants"), ("king", "crown", "kings"))
]
GOOD = GoodRouter({question.question: question.family for question in QUESTIONS}, alpha=0.5)
KNOWN = {"gardener": {"plant": "leaf"}, "herald": {"king": "crown"}, "sage": {"plant": "leaf", "king": "crown"}}
USED = Usage(prompt=10, completion=5)


def answer(request: ParsedRequest) -> CannedReply:
    """Each expert answers what it knows, as JSON where a form is asked for; the router follows its policy."""
    if request.model == "rita":
        return CannedReply(GOOD(request), usage=USED)
    asked = request.messages[-1].content
    known = next((text for noun, text in KNOWN[request.model].items() if f"Which {noun}" in asked), "nothing")
    if "one of several experts" in request.messages[0].content:
        return CannedReply(f"I think so.\nAnswer: {known}", usage=USED)
    return CannedReply(json.dumps({"reasoning": "r", "answer": known, "confidence": 0.9}), usage=USED)


def pool(server: LoopbackServer) -> Pool:
    def model(name: str) -> dict[str, Any]:
        return {"model": f"openai/{name}", "api_base": server.base("openai"), "timeout": 20}

    prices = {"gardener": 1.0, "herald": 2.0, "sage": 10.0}
    return Pool.model_validate(
        {name: {"model": model(name), "price": {"input": price, "output": price}} for name, price in prices.items()}
    )


def compared(folder: Path, times: int = 1) -> tuple[Comparison, Any, Any]:
    """The table, what the server received, and the latencies of the journal; the same run, so many times."""

    async def once(server: LoopbackServer, given: Pool) -> tuple[Comparison, Any]:
        async with Workspace(folder / "runs.db") as workspace, workspace.place("compare", run_id="one") as at:
            records = await ask_all(given, QUESTIONS, at)
            answered, weigh = Answered.of(records, given), TradeOff(per_usd=500)
            make = lambda: Bandit({"explore": 0, "trade_off": weigh.model_dump()})  # noqa: E731
            told = given.updated(performance=performed((r.model, r.family, r.quality) for r in records))
            rita = {"model": "openai/rita", "api_base": server.base("openai"), "price": {"input": 0, "output": 3}}
            episodes = await played(RouterR1(router=Router("rita", rita), pool=told), QUESTIONS, told, at)
            chosen = {"bandit": cross_fitted(answered, given, make, folds=3)}
            table = compare(answered, chosen, weigh, folds=3, episodes={"router-r1": episodes})
            return table, measured(workspace.journal.entries("one"))

    async def go() -> tuple[Comparison, Any, Any]:
        async with LoopbackServer(answer) as server:
            for _ in range(times):
                table, latency = await once(server, pool(server))
            return table, server.received, latency

    return asyncio.run(go())


def test_costs_are_those_of_the_pools_prices_and_routers_beat_every_single_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    table, received, latency = compared(tmp_path)
    rows: dict[str, Any] = {row.name: (row.quality.value, row.usd.value if row.usd else None) for row in table.rows}
    call = 15e-6  # 15 tokens at 1 USD a million
    assert rows["always gardener"] == (0.5, pytest.approx(call))
    assert rows["always herald"] == (0.5, pytest.approx(2 * call))
    assert rows["always sage"] == (1.0, pytest.approx(10 * call))
    assert rows["bandit"] == (1.0, pytest.approx(1.5 * call))  # the gardener for plants, the herald for kings
    own = 2 * 5 * 3e-6  # the router's two messages
    assert rows["router-r1"] == (1.0, pytest.approx(1.5 * call + own))
    assert table.row("router-r1").shares == {"gardener": 0.5, "herald": 0.5}
    assert table.simulated is False
    assert received.total == 12 * 3 + 12 * 3
    assert latency["gardener"].calls == 12 + 6
    assert 0 < latency["gardener"].p50 <= latency["gardener"].p95


def test_an_evaluation_that_is_taken_up_asks_nothing_twice_and_tells_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    once, first, _ = compared(tmp_path / "a")
    twice, second, _ = compared(tmp_path / "b", times=2)
    assert (first.total, max(second.by_body.values())) == (second.total, 1)
    assert [row.usd for row in once.rows] == [row.usd for row in twice.rows]
