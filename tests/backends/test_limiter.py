"""How many calls may be in flight at one endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.backends.limiter import Limiter
from maieutic.backends.retry import LONGEST_WAIT
from maieutic.errors import ModelError


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += seconds


def too_many(retry_after: float | None = None) -> ModelError:
    return ModelError("429", kind="rate_limit", retryable=True, retry_after=retry_after, status=429)


async def call(limiter: Limiter, error: BaseException | None = None, turns: int = 1) -> None:
    async with limiter.slot():
        for _ in range(turns):
            await asyncio.sleep(0)
        if error is not None:
            raise error


def run(*calls: Coroutine[Any, Any, None]) -> None:
    async def together() -> None:
        await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(together())


def test_no_more_than_the_maximum_are_in_flight() -> None:
    seen: list[int] = []

    async def watched(limiter: Limiter) -> None:
        async with limiter.slot():
            seen.append(limiter.in_flight)
            await asyncio.sleep(0)

    limiter = Limiter(3)
    run(*(watched(limiter) for _ in range(20)))
    assert max(seen) == 3
    assert limiter.in_flight == 0


def test_first_come_first_served() -> None:
    order: list[int] = []

    async def numbered(limiter: Limiter, n: int) -> None:
        async with limiter.slot():
            order.append(n)
            await asyncio.sleep(0)

    limiter = Limiter(1)
    run(*(numbered(limiter, n) for n in range(10)))
    assert order == list(range(10))


def test_a_429_halves_the_limit_once_for_all_that_were_in_flight_together() -> None:
    limiter = Limiter(16)
    run(*(call(limiter, too_many()) for _ in range(8)))
    assert limiter.limit == 8


def test_the_limit_never_falls_below_one() -> None:
    limiter = Limiter(4)
    for _ in range(5):
        run(call(limiter, too_many()))
    assert limiter.limit == 1


def test_as_many_successes_as_the_limit_raise_it_by_one_up_to_the_maximum() -> None:
    limiter = Limiter(4)
    run(call(limiter, too_many()))
    assert limiter.limit == 2
    run(*(call(limiter) for _ in range(2)))
    assert limiter.limit == 3
    run(*(call(limiter) for _ in range(50)))
    assert limiter.limit == 4


def test_other_failures_leave_the_limit_alone() -> None:
    limiter = Limiter(4)
    run(call(limiter, ModelError("500", kind="server", retryable=True)))
    assert limiter.limit == 4


def test_retry_after_pauses_every_call_at_the_endpoint() -> None:
    clock = Clock()
    limiter = Limiter(4, clock=clock, sleep=clock.sleep)
    began: list[float] = []

    async def timed() -> None:
        async with limiter.slot():
            began.append(clock.now)

    run(call(limiter, too_many(retry_after=30.0)))
    run(timed(), timed())
    assert min(began) >= 130.0


def test_a_retry_after_that_no_call_would_wait_for_pauses_nobody() -> None:
    clock = Clock()
    limiter = Limiter(4, clock=clock, sleep=clock.sleep)
    run(call(limiter, too_many(retry_after=LONGEST_WAIT + 1)))
    run(call(limiter))
    assert clock.now == 100.0


def test_the_most_careful_of_several_models_counts() -> None:
    limiter = Limiter(32)
    limiter.narrow(5)
    limiter.narrow(9)
    assert (limiter.maximum, limiter.limit) == (5, 5)


def test_cancelling_during_a_pause_gives_the_slot_back() -> None:
    async def scenario() -> None:
        limiter = Limiter(1)
        with pytest.raises(ModelError):
            await call(limiter, too_many(retry_after=200.0))
        waiting = asyncio.create_task(call(limiter))
        await asyncio.sleep(0.01)
        assert limiter.in_flight == 1
        waiting.cancel()
        await asyncio.wait([waiting])
        assert limiter.in_flight == 0

    asyncio.run(scenario())


@settings(max_examples=60, deadline=None)
@given(
    maximum=st.integers(1, 4),
    plans=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6), st.booleans()), min_size=1, max_size=25),
)
def test_whatever_is_cancelled_no_slot_is_lost_and_everybody_gets_a_turn(
    maximum: int, plans: list[tuple[int, int, bool]]
) -> None:
    async def scenario() -> None:
        limiter = Limiter(maximum)
        tasks = [asyncio.create_task(call(limiter, turns=turns)) for turns, _, _ in plans]
        for step in range(7):
            for task, (_, when, cancelled) in zip(tasks, plans, strict=True):
                if cancelled and when == step:
                    task.cancel()
            await asyncio.sleep(0)
            assert limiter.in_flight <= maximum
        await asyncio.wait_for(asyncio.wait(tasks), 5)
        assert limiter.in_flight == 0
        assert all(task.cancelled() or task.exception() is None for task in tasks)
        await asyncio.wait_for(call(limiter), 5)

    asyncio.run(scenario())
