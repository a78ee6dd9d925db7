"""Router-R1 over a real HTTP endpoint: stop strings, its own message gone on with, turns, failures, resumed runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends.types import Usage
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest, faults

ROUTE = "<think>Hm.</think>\n<search>Large: Who wrote Emma?</search> and what I make up after it"
EPISODE = """<think>Hm.</think> <search>Large: Who wrote Emma?</search>
<information>Jane Austen wrote Emma.</information> <think>So.</think> <answer>Jane Austen</answer>"""
ANSWER = "<think>So.</think>\n<answer>Jane Austen</answer> I hope"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "test")


def policy(request: ParsedRequest) -> str | CannedReply:
    """Asks Large, and answers when it has read something; Large knows."""
    if "one of several experts" in request.messages[0].content:
        return CannedReply("Jane Austen wrote Emma.", usage=Usage(prompt=30, completion=10))
    return ANSWER if any("Jane Austen wrote Emma." in m.content for m in request.messages) else ROUTE


def program(server: LoopbackServer, model: str = "openai/router", **params: Any) -> mt.RouterR1:
    family: Any = "anthropic" if model.startswith("anthropic") else "openai"
    router = {"model": model, "api_base": server.base(family), "retries": 0, "timeout": 20}
    large = {"model": "openai/large", "api_base": server.base("openai"), "retries": 0, "timeout": 20}
    pool = {"Large": {"model": large, "price": {"input": 1, "output": 3}}}
    return mt.RouterR1(router=mt.Router("rita", router), pool=pool, **params)


def run(model: str = "openai/router", *, plan: Any = (), stream: bool = False, **params: Any) -> tuple[mt.Run, Any]:
    async def go() -> tuple[mt.Run, Any]:
        async with LoopbackServer(policy, faults=plan) as server, mt.Workspace() as workspace:
            inputs = {"question": "Who wrote Emma?", "accepted": ["Jane Austen"]}
            return await workspace.run(program(server, model, **params), inputs, stream=stream), server.received

    return asyncio.run(go())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "rendering"),
    [
        ("openai/router", "auto"),
        ("hosted_vllm/router", "auto"),
        ("hosted_vllm/router", "turns"),
        ("anthropic/router", "auto"),
        ("anthropic/router", "continue"),
    ],
)
def test_the_same_episode_whatever_the_endpoint(model: str, rendering: str, stream: bool) -> None:
    done, received = run(model, rendering=rendering, stream=stream)
    outcome: Any = done.outcome
    assert outcome.answer == "Jane Austen"
    assert outcome.text.split() == EPISODE.split()
    assert outcome.reward.format == 0
    assert (outcome.reward.raw_cost, outcome.calls[0].completion) == (30.0, 10)
    assert outcome.flags == []
    assert outcome.calls[0].seconds > 0
    goes_on = rendering == "continue" or (model.startswith("hosted_vllm") and rendering == "auto")
    assert received.requests[2].messages[-1].role == ("assistant" if goes_on else "user")
    assert set(received.requests[0].stop) == {"</search>", "</answer>", "<information>"}


def test_a_vllm_is_told_to_go_on_with_the_message() -> None:
    _, received = run("hosted_vllm/router")
    first, _, last = (json.loads(body) for body in received.bodies)
    assert (last["continue_final_message"], last["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in first
    assert last["messages"][-1]["content"].endswith("</information>\n\n")


def test_a_thought_that_a_server_tells_apart_is_put_back() -> None:
    def reasoning(request: ParsedRequest) -> str | CannedReply:
        said = policy(request)
        if isinstance(said, CannedReply):
            return said
        thought, _, action = said.partition("</think>")
        return CannedReply(action, reasoning=thought.removeprefix("<think>"))

    async def go() -> mt.Run:
        async with LoopbackServer(reasoning) as server, mt.Workspace() as workspace:
            return await workspace.run(program(server, "hosted_vllm/router"), "Who wrote Emma?")

    outcome: Any = asyncio.run(go()).outcome
    assert outcome.segments[0].text == "<think>Hm.</think>\n<search>Large: Who wrote Emma?</search>"
    assert outcome.reward.format == 0


def test_a_candidate_that_cannot_be_reached_is_read_about() -> None:
    done, _ = run(plan=lambda number: faults.status(500) if number == 1 else None, rounds=2)
    outcome: Any = done.outcome
    assert done.status == "done"
    assert [call.flags for call in outcome.calls] == [["call_failed"], []]
    assert "Large cannot be reached now (server)" in outcome.text
    assert outcome.answer == "Jane Austen"


def test_a_run_that_was_cut_off_is_taken_up_without_paying_twice(tmp_path: Path) -> None:
    async def go() -> tuple[mt.Run, mt.Run, Any]:
        async with LoopbackServer(policy) as server:
            runs = []
            for budget in (mt.Budget(calls=2), None):
                async with mt.Workspace(tmp_path / "runs.db") as workspace:
                    runs.append(await workspace.run(program(server), "Who?", run_id="case", budget=budget))
            return runs[0], runs[1], server.received

    cut, whole, received = asyncio.run(go())
    assert (cut.status, whole.status) == ("stopped", "done")
    assert (received.total, max(received.by_body.values())) == (3, 1)
    assert whole.ledger.total.from_journal == 2


def test_latency_and_tokens_are_measured_from_the_journal(tmp_path: Path) -> None:
    from maieutic.memory import Journal
    from maieutic.protocols.routing import measured

    async def go() -> None:
        async with LoopbackServer(policy, latency=0.02) as server, mt.Workspace(tmp_path / "runs.db") as workspace:
            await workspace.run(program(server), "Who?", run_id="case")

    asyncio.run(go())
    with Journal.open(tmp_path / "runs.db") as journal:
        found = measured(journal.entries("case"))
    assert found["Large"].calls == 1
    assert found["openai/router"].calls == found["rita"].calls == 2
    assert 0.02 <= found["Large"].p50 <= found["rita"].p95 + 20
