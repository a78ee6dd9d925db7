"""Asking again, where that can help."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from maieutic.backends import LLMReply, LLMRequest, ModelSpec, TextDelta, TextSink
from maieutic.backends.retry import LONGEST_WAIT, CallFailed, Retried
from maieutic.errors import ModelError
from maieutic.memory import Address, Event, Message

REQUEST = LLMRequest(
    ModelSpec(model="openai/gpt-x", api_base="http://localhost:1", retries=3),
    (Message("user", "Why?"),),
    Address("run") / "ask",
    agent="ada",
)


class Flaky:
    """Fails with the given errors in order, then answers. Time passes only when somebody sleeps or it is asked."""

    def __init__(self, *errors: ModelError) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.now = 0.0
        self.slept: list[float] = []
        self.events: list[Event] = []

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        self.calls += 1
        self.now += 1.0
        if on_text is not None:
            on_text(TextDelta("Be"))
        if self.errors:
            raise self.errors.pop(0)
        return LLMReply("Because.", "gpt-x", seconds=1.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def ask(self, request: LLMRequest = REQUEST, on_text: TextSink | None = None) -> LLMReply:
        layer = Retried(self, emit=self.events.append, clock=lambda: self.now, sleep=self.sleep)
        return asyncio.run(layer(request, on_text))


def server(retry_after: float | None = None) -> ModelError:
    return ModelError("the server said 500", kind="server", retryable=True, retry_after=retry_after, status=500)


def test_a_first_success_is_passed_on_untouched() -> None:
    flaky = Flaky()
    assert flaky.ask() == LLMReply("Because.", "gpt-x", seconds=1.0)
    assert flaky.slept == []


def test_failures_that_can_pass_are_repeated_and_listed_in_the_reply() -> None:
    flaky = Flaky(server(), ModelError("gone", kind="connection", retryable=True))
    reply = flaky.ask()
    assert [a.kind for a in reply.failed] == ["server", "connection"]
    assert [a.seconds for a in reply.failed] == pytest.approx([1.0, 1.0])
    assert reply.seconds == pytest.approx(3.0 + sum(flaky.slept))
    assert flaky.calls == 3


def test_waits_are_drawn_from_a_range_that_doubles() -> None:
    waits = Flaky(server(), server(), server())
    waits.ask()
    assert all(0.25 <= wait <= most for most, wait in zip((1.0, 2.0, 4.0), waits.slept, strict=True))


def test_retry_after_is_the_least_wait() -> None:
    flaky = Flaky(server(retry_after=17.0))
    flaky.ask()
    assert flaky.slept == [17.0]


def test_an_endpoint_that_asks_for_hours_has_said_no() -> None:
    flaky = Flaky(server(retry_after=LONGEST_WAIT + 1))
    with pytest.raises(CallFailed, match=r"failed once \(server ×1\).*asks to wait 301 s"):
        flaky.ask()
    assert flaky.slept == []


def test_failures_that_cannot_pass_fail_at_once_with_their_own_message() -> None:
    flaky = Flaky(ModelError("no key: set OPENAI_API_KEY", kind="auth", status=401))
    with pytest.raises(CallFailed, match=r"^no key: set OPENAI_API_KEY$") as caught:
        flaky.ask()
    assert (caught.value.kind, caught.value.status, caught.value.retryable) == ("auth", 401, False)
    assert flaky.calls == 1


def test_the_final_error_counts_the_attempts_and_says_what_to_do() -> None:
    limited = ModelError("slow down", kind="rate_limit", retryable=True, status=429)
    flaky = Flaky(server(), limited, limited, limited)
    with pytest.raises(CallFailed) as caught:
        flaky.ask()
    assert str(caught.value) == (
        "openai/gpt-x at http://localhost:1 failed 4 times (server ×1, rate_limit ×3); the last time: slow down "
        "Lower this model's `max_concurrency`, raise its `retries`, or try again later."
    )
    assert [attempt.kind for attempt in caught.value.attempts] == ["server", "rate_limit", "rate_limit", "rate_limit"]


def test_each_repetition_is_told() -> None:
    flaky = Flaky(server(retry_after=3.0))
    flaky.ask()
    (event,) = flaky.events
    assert (event.kind, event.at) == ("retry", "0/0/ask")
    assert event.data == {
        "agent": "ada",
        "model": "openai/gpt-x",
        "kind": "server",
        "message": "the server said 500",
        "attempt": 1,
        "wait": 3.0,
    }


def test_a_repeated_stream_begins_anew() -> None:
    pieces: list[TextDelta] = []
    Flaky(server()).ask(on_text=pieces.append)
    assert pieces == [TextDelta("Be"), TextDelta("", restart=True), TextDelta("Be")]


def test_cancelling_stops_the_waiting() -> None:
    async def scenario() -> int:
        flaky = Flaky(server(), server())
        layer = Retried(flaky, sleep=lambda _: asyncio.sleep(3600))
        call = asyncio.create_task(layer(REQUEST))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return flaky.calls

    assert asyncio.run(scenario()) == 1


def held_back() -> ModelError:
    return ModelError("left alone", kind="circuit_open", retryable=True, retry_after=1.0)


def test_what_the_circuit_breaker_holds_back_uses_up_no_attempt() -> None:
    flaky = Flaky(*(held_back() for _ in range(5)), server(), held_back(), server(), server())
    assert flaky.ask().text == "Because."
    assert flaky.calls == 10


def test_a_call_is_not_held_back_for_ever() -> None:
    flaky = Flaky(*(held_back() for _ in range(20)))
    with pytest.raises(CallFailed, match=r"failed 8 times \(circuit_open ×8\)"):
        flaky.ask()


def test_who_wants_no_repetition_is_not_kept_waiting_by_the_circuit_breaker() -> None:
    flaky = Flaky(held_back())
    with pytest.raises(CallFailed, match="left alone"):
        flaky.ask(replace(REQUEST, model=ModelSpec(model="openai/gpt-x", retries=0)))
    assert flaky.slept == []
