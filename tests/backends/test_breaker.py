"""Leaving an endpoint alone that is down."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from maieutic.backends.breaker import Breaker
from maieutic.errors import ModelError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: Breaker, kind: str = "server") -> None:
    with suppress(ModelError), breaker.watch():
        raise ModelError("down", kind=kind, retryable=True)


def succeed(breaker: Breaker) -> None:
    with breaker.watch():
        pass


def opened(clock: Clock) -> Breaker:
    breaker = Breaker("http://vllm", threshold=3, cool=5.0, longest=12.0, clock=clock)
    for _ in range(3):
        fail(breaker)
    return breaker


def state(breaker: Breaker) -> str:
    return breaker.state


def refusal(breaker: Breaker) -> ModelError:
    with pytest.raises(ModelError) as caught, breaker.watch():
        raise AssertionError("let through")
    return caught.value


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = opened(Clock())
    assert state(breaker) == "open"
    error = refusal(breaker)
    assert str(error) == "http://vllm failed 3 times in a row and is left alone for now."
    assert (error.kind, error.retryable, error.retry_after) == ("circuit_open", True, 5.0)


@pytest.mark.parametrize("kind", ["rate_limit", "bad_request", "auth", "malformed"])
def test_any_other_answer_shows_that_the_endpoint_lives(kind: str) -> None:
    breaker = Breaker("http://vllm", threshold=3)
    for _ in range(4):
        fail(breaker, "connection")
        fail(breaker)
        fail(breaker, kind)
    assert state(breaker) == "closed"


def test_a_success_between_failures_starts_the_count_anew() -> None:
    breaker = Breaker("http://vllm", threshold=3)
    for _ in range(5):
        fail(breaker)
        fail(breaker)
        succeed(breaker)
    assert state(breaker) == "closed"


def test_after_a_while_one_probe_goes_through_and_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 5.0
    assert state(breaker) == "half_open"
    with breaker.watch():
        assert refusal(breaker).retry_after == 5.0
    assert state(breaker) == "closed"
    succeed(breaker)


def test_every_failed_probe_doubles_the_time_to_the_next() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 5.0
    fail(breaker)
    assert refusal(breaker).retry_after == 10.0
    clock.now = 15.0
    fail(breaker)
    assert refusal(breaker).retry_after == 12.0


def test_a_cancelled_probe_leaves_room_for_another() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 5.0
    with pytest.raises(asyncio.CancelledError), breaker.watch():
        raise asyncio.CancelledError
    assert state(breaker) == "half_open"
    succeed(breaker)
    assert state(breaker) == "closed"


def test_late_failures_of_calls_begun_before_do_not_prolong_the_rest() -> None:
    clock = Clock()
    breaker = Breaker("http://vllm", threshold=1, cool=5.0, clock=clock)
    with suppress(ModelError), breaker.watch():
        fail(breaker)
        clock.now = 4.0
        raise ModelError("down too", kind="connection", retryable=True)
    assert refusal(breaker).retry_after == 1.0
