"""What a run took: calls, tokens, money, time, by agent and by model."""

from __future__ import annotations

import asyncio
import json

from pydantic import BaseModel

from maieutic.backends import (
    Attempt,
    CallFailed,
    Endpoints,
    Gateway,
    Ledger,
    LLMReply,
    LLMRequest,
    ModelSpec,
    ScriptedModel,
    Usage,
)
from maieutic.backends.scripted import Line
from maieutic.errors import ModelError
from maieutic.memory import Address, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal

UNKNOWN = Usage()


class Verdict(BaseModel):
    winner: str


def bought(usage: Usage = UNKNOWN, usd: float | None = None, failed: tuple[Attempt, ...] = ()) -> LLMReply:
    return LLMReply("Yes.", "gpt-x", usage, usd, seconds=2.0, failed=failed)


def test_sums_stand_under_the_whole_the_agent_and_the_model() -> None:
    ledger = Ledger()
    ledger.add_reply("ada", bought(Usage(prompt=10, completion=5, cached=4, reasoning=2), usd=0.25))
    ledger.add_reply("bo", bought(Usage(prompt=1, completion=1), usd=0.5))
    assert (ledger.total.calls, ledger.total.prompt, ledger.total.completion) == (2, 11, 6)
    assert (ledger.total.cached, ledger.total.reasoning, ledger.total.usd) == (4, 2, 0.75)
    assert ledger.by_agent["ada"].usd == 0.25
    assert ledger.by_model["gpt-x"].seconds == 4.0


def test_unknown_tokens_and_prices_are_counted_apart_and_never_as_nothing() -> None:
    ledger = Ledger()
    ledger.add_reply("ada", bought(Usage(prompt=10), usd=None))
    ledger.add_reply("ada", bought(Usage(prompt=10, completion=1), usd=0.5))
    assert (ledger.total.unknown_usage, ledger.total.unknown_price, ledger.total.usd) == (1, 1, 0.5)


def test_every_attempt_is_counted_with_its_kind() -> None:
    ledger = Ledger()
    ledger.add_reply("ada", bought(failed=(Attempt("server", 1.0, "500"), Attempt("rate_limit", 1.0, "429"))))
    ledger.add_failure("bo", "openai/gpt-x", (Attempt("server", 1.0, "500"),))
    assert (ledger.total.calls, ledger.total.attempts) == (1, 4)
    assert ledger.total.failed == {"server": 2, "rate_limit": 1}
    assert ledger.by_model["openai/gpt-x"].attempts == 1


def test_ledgers_of_several_runs_add_up() -> None:
    one, two = Ledger(), Ledger()
    for ledger in (one, two):
        ledger.add_reply("ada", bought(Usage(prompt=1, completion=1), usd=0.5))
        ledger.add_structure("ada", "gpt-x", "native")
    two.add_reply("bo", bought())
    one.merge(two)
    assert one.total.calls == 3
    assert one.total.structure == {"native": 2}
    assert one.by_agent["ada"].usd == 1.0
    assert one.by_agent["bo"].unknown_price == 1


def test_it_is_plain_json() -> None:
    ledger = Ledger()
    ledger.add_reply("ada", bought(Usage(prompt=1, completion=1), usd=0.5))
    told = json.loads(json.dumps(ledger.to_json()))
    assert told["total"]["usd"] == told["by_agent"]["ada"]["usd"] == told["by_model"]["gpt-x"]["usd"] == 0.5


def test_the_journal_tells_the_same_ledger_as_the_run_itself() -> None:
    down = ModelError("down", kind="server", retryable=True)
    refused = ModelError("no", kind="bad_request")
    lines: list[Line] = [
        "Hi.",
        down,
        {"winner": "ada"},
        'I say {"winner": "bo"}',
        "hm",
        {"winner": "cy"},
        down,
        refused,
        refused,
    ]

    async def scenario() -> tuple[Ledger, Ledger, Ledger]:
        async def no_wait(_: float) -> None:
            return None

        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            async with Endpoints({"scripted": ScriptedModel(lines)}, sleep=no_wait, clock=lambda: 0.0) as endpoints:
                gateway = Gateway(endpoints, journal)
                for n in range(6):
                    request = LLMRequest(
                        ModelSpec(model="scripted/x"),
                        (Message("user", f"question {n}"),),
                        Address("run") / f"ask#{n}",
                        output=Verdict if n in {1, 2, 3} else None,
                        agent=("ada", "bo")[n % 2],
                    )
                    try:
                        await gateway.complete(request)
                    except CallFailed as error:
                        assert error.kind == "bad_request"  # noqa: PT017
                again = Gateway(endpoints, journal)
                await again.complete(
                    LLMRequest(
                        ModelSpec(model="scripted/x"),
                        (Message("user", "question 0"),),
                        Address("run") / "ask#0",
                        agent="ada",
                    )
                )
            return gateway.ledger, Ledger.from_entries(journal.entries("run")), again.ledger

    live, told, resumed = asyncio.run(scenario())
    assert told.to_json() == live.to_json()
    assert live.total.failed == {"server": 2, "bad_request": 2}
    assert live.total.structure == {"native": 1, "unwrapped": 1, "repaired": 1}
    assert (resumed.total.calls, resumed.total.from_journal) == (1, 1)
