"""How many calls may be in flight at one endpoint."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.backends.limiter import TURN_OF_THE_LONGEST_WAIT, Limiter
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


async def call(limiter: Limiter, error: BaseException | None = None, turns: int = 1, age: int = 0) -> None:
    async with limiter.slot(age):
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


def granted(limiter: Limiter, ages: list[int], cancelled: frozenset[int] = frozenset()) -> list[int]:
    """The order in which waiting calls of dialogues of these ages are given the only slot; by their indices."""
    order: list[int] = []

    async def ask(n: int, age: int) -> None:
        async with limiter.slot(age):
            order.append(n)

    async def scenario() -> None:
        async with limiter.slot(-1):
            tasks = [asyncio.create_task(ask(n, age)) for n, age in enumerate(ages)]
            await asyncio.sleep(0)
            assert limiter.waiting == len(ages)
            for n in cancelled:
                tasks[n].cancel()
            await asyncio.sleep(0)
            assert limiter.waiting == len(ages) - len(cancelled)
        await asyncio.wait(tasks)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)

    asyncio.run(scenario())
    return order


def test_the_dialogue_that_began_first_goes_first_and_within_it_the_call_that_came_first() -> None:
    ages = [3, 1, 2, 1, 0, 3, 2, 0]
    assert granted(Limiter(1), ages) == [4, 7, 1, 3, 2, 6, 0, 5]


def test_calls_that_are_cancelled_while_they_wait_leave_the_order_of_the_others() -> None:
    ages = [3, 1, 2, 1, 0, 3, 2, 0]
    assert granted(Limiter(1), ages, frozenset({4, 1, 5})) == [7, 3, 2, 6, 0]


def test_the_next_call_of_an_old_dialogue_goes_before_the_first_calls_of_young_ones() -> None:
    order: list[str] = []

    async def dialogue(limiter: Limiter, age: int) -> None:
        for turn in range(3):
            async with limiter.slot(age):
                order.append(f"{age}.{turn}")
                await asyncio.sleep(0)

    limiter = Limiter(1)
    run(*(dialogue(limiter, age) for age in range(4)))
    # Between two of its calls the slot is free and goes to the next one: two dialogues are open, never four.
    assert order == ["0.0", "1.0", "0.1", "1.1", "0.2", "1.2", "2.0", "3.0", "2.1", "3.1", "2.2", "3.2"]


def test_the_call_that_waits_longest_has_a_turn_however_many_older_dialogues_go_on() -> None:
    """An old dialogue whose calls never end holds back a young one for a known number of slots, and no longer."""
    order: list[str] = []

    async def endless(limiter: Limiter) -> None:
        while "young" not in order:
            async with limiter.slot(0):
                order.append("old")
                await asyncio.sleep(0)

    async def young(limiter: Limiter) -> None:
        async with limiter.slot(1):
            order.append("young")

    async def scenario() -> None:
        limiter = Limiter(1)
        old = [asyncio.create_task(endless(limiter)) for _ in range(3)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await young(limiter)
            await asyncio.wait(old)

    asyncio.run(scenario())
    # Two of the old calls had come before it.
    assert order.index("young") <= 3 * TURN_OF_THE_LONGEST_WAIT


def test_the_youngest_of_a_batch_gets_on_when_the_older_ones_are_through() -> None:
    ages = list(range(500))[::-1]
    order = granted(Limiter(1), ages)
    assert sorted(order) == list(range(500))
    early = [n for n in order[:250] if ages[n] >= 250]
    assert len(early) <= 250 // TURN_OF_THE_LONGEST_WAIT + 1


def test_a_dialogue_that_holds_all_slots_and_asks_for_more_gets_them_one_after_the_other() -> None:
    done: list[int] = []

    async def act(limiter: Limiter, age: int) -> None:
        async with limiter.slot(age):
            await asyncio.sleep(0)
            done.append(age)

    async def dialogue(limiter: Limiter, age: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(7):
                group.create_task(act(limiter, age))

    async def scenario() -> None:
        limiter = Limiter(2)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for age in range(5):
                group.create_task(dialogue(limiter, age))

    asyncio.run(scenario())
    assert Counter(done) == dict.fromkeys(range(5), 7)
    assert done[:7] == [0] * 7


def test_what_waits_behind_younger_calls_only_is_no_overload() -> None:
    async def scenario() -> None:
        limiter = Limiter(2)
        async with limiter.slot(0), limiter.slot(0):
            tasks = [asyncio.create_task(call_of(limiter, age)) for age in (5, 6, 7)]
            await asyncio.sleep(0)
            assert [limiter.overloaded(age) for age in (4, 5, 6, 7, 8)] == [False, False, True, True, True]
        await asyncio.wait(tasks)

    async def call_of(limiter: Limiter, age: int) -> None:
        async with limiter.slot(age):
            pass

    asyncio.run(scenario())


def test_of_one_dialogue_first_come_first_served() -> None:
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
    plans=st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 6), st.booleans(), st.integers(0, 5)), min_size=1, max_size=60
    ),
)
def test_whatever_is_cancelled_no_slot_is_lost_and_everybody_gets_a_turn(
    maximum: int, plans: list[tuple[int, int, bool, int]]
) -> None:
    async def scenario() -> None:
        limiter = Limiter(maximum)
        tasks = [asyncio.create_task(call(limiter, turns=turns, age=age)) for turns, _, _, age in plans]
        for step in range(7):
            for task, (_, when, cancelled, _) in zip(tasks, plans, strict=True):
                if cancelled and when == step:
                    task.cancel()
            await asyncio.sleep(0)
            assert limiter.in_flight <= maximum
        await asyncio.wait_for(asyncio.wait(tasks), 5)
        assert (limiter.in_flight, limiter.waiting) == (0, 0)
        assert all(task.cancelled() or task.exception() is None for task in tasks)
        await asyncio.wait_for(call(limiter), 5)

    asyncio.run(scenario())
