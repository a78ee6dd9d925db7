"""A real HTTP server that fails in every way, behind the one door: the reply is right and every attempt is counted."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel

from maieutic.backends import CallFailed, Endpoints, Gateway, Ledger, LLMReply, LLMRequest, ModelSpec, TextDelta
from maieutic.memory import Address, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal
from maieutic.testing.faults import FaultPlan, drop, malformed, slow, status, truncated
from maieutic.testing.server import LoopbackServer


class Position(BaseModel):
    position: str
    confidence: float


async def soon(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.01))


def ask(faults: FaultPlan, stream: bool, retries: int = 7) -> tuple[LLMReply, str, Ledger, Ledger, LoopbackServer]:
    """One typed call; with the text as it came, the ledger of the run and that of its journal."""

    async def scenario() -> tuple[LLMReply, str, Ledger, Ledger, LoopbackServer]:
        pieces: list[TextDelta] = []
        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            async with LoopbackServer(faults=faults) as server, Endpoints(sleep=soon) as endpoints:
                model = ModelSpec(
                    model="hosted_vllm/tiny", api_base=server.base("openai"), timeout=0.5, retries=retries
                )
                gateway = Gateway(endpoints, journal)
                asked = LLMRequest(
                    model, (Message("user", "Ban cars?"),), Address("run") / "ask", Position, agent="ada"
                )
                reply = await gateway.complete(asked, pieces.append if stream else None)
            told = Ledger.from_entries(journal.entries("run"))
        last = max((n for n, piece in enumerate(pieces) if piece.restart), default=-1)
        return reply, "".join(piece.text for piece in pieces[last + 1 :]), gateway.ledger, told, server

    return asyncio.run(scenario())


FAULTS = [status(429, retry_after=0.05), status(500), drop(), truncated(), malformed(), slow(2.0)]


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_comes_through_six_kinds_of_fault(stream: bool) -> None:
    reply, streamed, ledger, told, server = ask(FAULTS, stream)
    clean, *_ = ask([], stream)
    assert (reply.text, reply.data, reply.usage) == (clean.text, clean.data, clean.usage)
    assert streamed == (reply.text if stream else "")
    kinds = [attempt.kind for attempt in reply.failed]
    assert kinds[:3] == ["rate_limit", "server", "connection"]
    assert kinds[-1] == "timeout"
    assert len(kinds) == 6
    assert ledger.total.attempts == server.received.total == 7
    assert told.to_json() == ledger.to_json()


def test_a_server_that_stays_down_fails_the_call_with_all_that_was_tried() -> None:
    with pytest.raises(
        CallFailed, match=r"hosted_vllm/tiny at http://127\.0\.0\.1:\d+/v1 failed 3 times \(server ×3\)"
    ):
        ask([status(500)] * 9, stream=False, retries=2)
