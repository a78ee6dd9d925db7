"""Virtual time, and the engine that is simulated in it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from maieutic.backends import LLMReply, LLMRequest, ModelSpec
from maieutic.memory import Address, Message
from maieutic.memory.entries import Entry, RunRecord
from maieutic.testing.cached_engine import CachedEngine, Costs
from maieutic.testing.virtual import VirtualJournal, virtually

TOKENS = 4  # characters


def request(text: str) -> LLMRequest:
    return LLMRequest(ModelSpec(model="fake/m"), (Message("user", text),), Address("run"))


def test_a_day_of_sleep_takes_no_time_and_the_loop_has_lived_through_it() -> None:
    async def sleep() -> float:
        async with asyncio.TaskGroup() as group:
            for hours in range(24):
                group.create_task(asyncio.sleep(3600 * hours))
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert virtually(sleep()) == pytest.approx(23 * 3600)
    assert time.monotonic() - began < 60


def test_what_is_done_in_a_thread_elsewhere_is_done_at_once_and_fails_as_it_would() -> None:
    async def divide(by: int) -> float:
        return await asyncio.to_thread(lambda: 6 / by)

    assert virtually(divide(3)) == 2
    with pytest.raises(ZeroDivisionError):
        virtually(divide(0))


def test_time_stands_still_until_the_journal_has_written() -> None:
    async def write() -> float:
        with VirtualJournal.open(None) as journal:
            await journal.begin_soon(RunRecord("run", "run", 0.0, "test"))
            ticking = asyncio.create_task(asyncio.sleep(100))
            for n in range(50):
                await journal.record("run", Entry(f"0/0/{n}", "model", "f", {}, (), {}))
            now = asyncio.get_running_loop().time()
            await ticking
            return now

    assert virtually(write()) == 0


def ask(engine: CachedEngine, *texts: str, together: bool = False) -> tuple[list[LLMReply], float]:
    async def go() -> tuple[list[LLMReply], float]:
        if together:
            replies = await asyncio.gather(*(engine.complete(request(text)) for text in texts))
        else:
            replies = [await engine.complete(request(text)) for text in texts]
        return replies, asyncio.get_running_loop().time()

    return virtually(go())


def test_a_prompt_that_goes_on_is_computed_only_where_it_is_new() -> None:
    engine = CachedEngine(lambda _: "word " * 8, room=10_000)
    text = "".join(f"{n:4}" for n in range(400))
    (first, second), _ = ask(engine, text, text + "more")
    assert (first.usage.cached, second.usage.cached) == (0, 400)
    assert (first.usage.prompt, second.usage.prompt) == (402, 403)
    assert (engine.asked, engine.hit) == (805, 400)


def test_what_there_is_no_room_for_is_forgotten_the_longest_unused_first() -> None:
    one, two = ("".join(f"{name}{n:3}" for n in range(400)) for name in "ab")

    def cached(room: int) -> list[int | None]:
        return [reply.usage.cached for reply in ask(CachedEngine(lambda _: "x", room), one, two, one)[0]]

    assert cached(room=1200) == [0, 0, 400]
    assert cached(room=600) == [0, 0, 176]  # the beginning stays longest


def test_replies_are_written_side_by_side_and_wait_for_room() -> None:
    costs = Costs(step=1.0, token=0.0)
    reply = "x" * TOKENS * 9
    _, alone = ask(CachedEngine(lambda _: reply, 10_000, costs), "a")
    _, together = ask(CachedEngine(lambda _: reply, 10_000, costs), *"abcdef", together=True)
    _, waiting = ask(CachedEngine(lambda _: reply, 32, replace(costs, block=16)), *"abcdef", together=True)
    assert together == alone
    assert waiting == 3 * alone
