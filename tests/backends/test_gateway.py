"""The one door to models: its layers together, replay, persons' and tools' effects, streaming."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel

from maieutic.backends import (
    Budget,
    Endpoints,
    Gateway,
    Ledger,
    LLMReply,
    LLMRequest,
    ModelSpec,
    Place,
    Price,
    ScriptedModel,
    TextDelta,
    TokenLogprob,
    Usage,
)
from maieutic.backends.journaled import reply_from_json, reply_to_json
from maieutic.errors import BudgetExceeded, ReplayMiss
from maieutic.memory import Address, Event, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal

SCRIPTED = ModelSpec(model="scripted/x")


class Verdict(BaseModel):
    winner: str


def request(
    text: str = "Who won?", at: str = "ask", model: ModelSpec = SCRIPTED, output: type[BaseModel] | None = None
) -> LLMRequest:
    return LLMRequest(model, (Message("user", text),), Address("run") / at, output=output, agent="ada")


async def no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


class World:
    """A journal with one run, and endpoints whose only model is scripted."""

    def __init__(self, *lines: str | BaseModel | LLMReply | Exception) -> None:
        self.model = ScriptedModel(lines)
        self.events: list[Event] = []
        self.journal = Journal.open(None)
        self.journal.begin(RunRecord("run", "run", 0.0, "test"))
        self.endpoints = Endpoints({"scripted": self.model}, sleep=no_wait)

    def gateway(
        self,
        *,
        replay: Literal["off", "resume", "only"] = "resume",
        budget: Budget | None = None,
        cache: bool = False,
    ) -> Gateway:
        return Gateway(self.endpoints, self.journal, replay=replay, budget=budget, cache=cache, emit=self.events.append)


def play(scenario: Callable[[World], Awaitable[None]], *lines: str | BaseModel | LLMReply | Exception) -> World:
    """Run a scenario in a world whose model says the lines, all of them."""

    async def scene() -> World:
        world = World(*lines)
        with world.journal:
            async with world.endpoints:
                await scenario(world)
        return world

    return asyncio.run(scene())


def test_a_reply_is_journaled_and_told_before_anybody_uses_it() -> None:
    async def scenario(world: World) -> None:
        reply = await world.gateway().complete(request())
        assert (reply.text, reply.from_journal) == ("Ada.", False)
        entry = world.journal.find("run", "0/0/ask")
        assert entry is not None
        assert (entry.kind, entry.agent, entry.messages) == ("model", "ada", request().messages)
        assert entry.request == {"model": "scripted/x"}
        assert entry.reply["text"] == "Ada."

    (event,) = play(scenario, "Ada.").events
    assert (event.kind, event.at) == ("call", "0/0/ask")
    assert event.data == {
        "agent": "ada",
        "model": "scripted/x",
        "usage": {"prompt": 2, "completion": 1, "cached": None, "reasoning": None},
        "usd": 0.0,
        "seconds": 0.0,
        "attempts": 1,
        "from_journal": False,
    }


def test_everything_about_a_reply_survives_the_journal() -> None:
    reply = LLMReply(
        text="Ada.",
        model="m",
        usage=Usage(1, 2, 3, None),
        usd=None,
        seconds=1.5,
        finish="length",
        reasoning="Hm.",
        logprobs=(TokenLogprob("Ada", -0.5, {"Ada": -0.5, "Bo": -1.0}),),
        simulated=True,
        structure="native",
    )
    assert reply_from_json(reply_to_json(reply)) == reply
    assert reply_from_json(reply_to_json(LLMReply("", "m"))) == LLMReply("", "m")


def test_what_decides_the_reply_is_fingerprinted_and_where_it_is_reached_is_not() -> None:
    async def scenario(world: World) -> None:
        spec = ModelSpec(model="scripted/x", temperature=0.5, seed=3, extra={"top_k": 5})
        await world.gateway().complete(request(model=spec))
        elsewhere = spec.model_copy(
            update={"api_base": "http://other", "timeout": 1.0, "retries": 9, "lane": "acompletion"}
        )
        assert (await world.gateway().complete(request(model=elsewhere))).from_journal
        with pytest.raises(ReplayMiss):
            await world.gateway().complete(request(model=spec.model_copy(update={"temperature": 0.6})))

    play(scenario, "Ada.")


def test_a_resumed_run_buys_no_reply_twice() -> None:
    async def scenario(world: World) -> None:
        first = await world.gateway().complete(request(output=Verdict))
        pieces: list[TextDelta] = []
        again = await world.gateway(replay="resume").complete(request(output=Verdict), pieces.append)
        assert again == replace(first, from_journal=True)
        assert pieces == [TextDelta(first.text)]
        await world.gateway(replay="only").complete(request(output=Verdict))

    assert len(play(scenario, Verdict(winner="ada")).model.requests) == 1


def test_a_repair_turn_is_replayed_too() -> None:
    async def scenario(world: World) -> None:
        for replay in ("resume", "resume", "only"):
            reply = await world.gateway(replay=replay).complete(request(output=Verdict))
            assert (reply.data, reply.structure) == (Verdict(winner="ada"), "repaired")

    assert len(play(scenario, "hm", Verdict(winner="ada")).model.requests) == 2


def test_a_changed_request_at_a_recorded_address_is_a_miss_that_advises_a_fork() -> None:
    async def scenario(world: World) -> None:
        await world.gateway().complete(request("Who won?"))
        with pytest.raises(ReplayMiss, match=r"run/0/0/ask is recorded with another(.|\n)*maieutic fork run --turn N"):
            await world.gateway().complete(request("Who lost?"))

    play(scenario, "Ada.")


def test_a_replay_fails_at_what_was_never_recorded_and_shows_the_nearest() -> None:
    async def scenario(world: World) -> None:
        await world.gateway().complete(request("Who won?"))
        with pytest.raises(ReplayMiss, match=r"(.|\n)*Who won\?"):
            await world.gateway(replay="only").complete(request("Who won at last?", at="other"))

    play(scenario, "Ada.")


def test_replay_off_asks_again_and_keeps_what_was_recorded_first() -> None:
    async def scenario(world: World) -> None:
        await world.gateway().complete(request())
        assert (await world.gateway(replay="off").complete(request())).text == "Bo."
        assert (await world.gateway().complete(request())).text == "Ada."

    play(scenario, "Ada.", "Bo.")


def test_the_cache_answers_the_same_request_elsewhere_at_no_cost() -> None:
    async def scenario(world: World) -> None:
        await world.gateway().complete(request(at="one"))
        budget = Budget(usd=1.0)
        gateway = world.gateway(cache=True, budget=budget)
        reply = await gateway.complete(request(at="two"))
        assert (reply.text, reply.usd, reply.from_journal) == ("Ada.", 0.0, True)
        assert budget.spent.usd == 0.0
        assert (await world.gateway(replay="only").complete(request(at="two"))).text == "Ada."
        told = Ledger.from_entries(world.journal.entries("run"))
        assert (told.total.calls, told.total.usd, told.total.from_journal) == (2, 0.5, 1)

    play(scenario, LLMReply("Ada.", "m", usd=0.5))


def test_a_reply_of_the_cheaper_model_stays_with_its_run_and_is_not_cached_for_the_dearer_one() -> None:
    dear = ModelSpec(model="scripted/dear", max_tokens=10, price=Price(input=1e6, output=1e6))
    cheap = ModelSpec(model="scripted/cheap", price=Price(input=0, output=0))

    async def scenario(world: World) -> None:
        poor = Budget(usd=1.0, on_exceed="degrade", degrade_to=cheap)
        reply = await world.gateway(budget=poor).complete(request(model=dear))
        assert (reply.model, reply.degraded) == ("scripted/cheap", True)
        assert await world.gateway(replay="only").complete(request(model=dear)) == replace(reply, from_journal=True)
        elsewhere = await world.gateway(cache=True).complete(request(at="elsewhere", model=dear))
        assert (elsewhere.model, elsewhere.degraded, elsewhere.from_journal) == ("scripted/dear", False, False)

    play(scenario, "Ada.", "Bo.")


@pytest.mark.parametrize("replay", ["resume", "only"])
def test_a_replayed_run_stops_at_its_budget_where_it_stopped_before(replay: Literal["resume", "only"]) -> None:
    async def until_stopped(gateway: Gateway) -> int:
        for n in range(10):
            try:
                await gateway.complete(request(at=f"turn#{n}"))
            except BudgetExceeded:
                return n
        raise AssertionError("never stopped")

    async def scenario(world: World) -> None:
        assert await until_stopped(world.gateway(budget=Budget(usd=1.0, calls=3))) == 3
        assert await until_stopped(world.gateway(budget=Budget(usd=1.0, calls=3), replay=replay)) == 3

    play(scenario, *(LLMReply("Ada.", "m", Usage(1, 1), 0.25) for _ in range(3)))


def test_a_resumed_run_with_more_budget_goes_on() -> None:
    async def scenario(world: World) -> None:
        await world.gateway(budget=Budget(calls=1)).complete(request(at="one"))
        richer = world.gateway(budget=Budget(calls=2))
        await richer.complete(request(at="one"))
        assert (await richer.complete(request(at="two"))).text == "Bo."

    play(scenario, "Ada.", "Bo.")


def test_an_effect_happens_once_however_often_the_run_is_resumed() -> None:
    done: list[str] = []

    async def search() -> list[str]:
        done.append("search")
        return ["a book"]

    async def scenario(world: World) -> None:
        at = Address("run") / "search"
        for replay in ("resume", "resume", "only"):
            gateway = world.gateway(replay=replay)
            assert await gateway.effect(at, "tool", {"query": "cars"}, search) == ["a book"]
        with pytest.raises(ReplayMiss):
            await world.gateway().effect(at, "tool", {"query": "bikes"}, search)
        with pytest.raises(ReplayMiss):
            await world.gateway(replay="only").effect(at / "again", "tool", {"query": "cars"}, search)
        assert await world.gateway(replay="off").effect(at, "tool", {"query": "bikes"}, search) == ["a book"]

    play(scenario)
    assert done == ["search", "search"]


def test_a_place_has_chance_of_its_own_that_is_the_same_in_every_process() -> None:
    code = (
        "from maieutic.backends.place import Place; from maieutic.memory import Address;"
        "p = Place(None, Address('run', '3', 1), seed=7) / 'ada';"
        "print(p.rng().random(), (p / 'x').rng().random())"
    )
    numbers = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": s}
        ).stdout
        for s in ("1", "2")
    }
    (both,) = numbers
    here, below = map(float, both.split())
    assert here != below

    async def scenario(world: World) -> None:
        place = Place(world.gateway(), Address("another-run", "3", 1), seed=7) / "ada"
        assert place.rng().random() == here

    play(scenario)


def test_the_door_costs_no_heavy_import() -> None:
    code = (
        "import sys, maieutic.backends.gateway, maieutic.backends.scripted, maieutic.backends.person;"
        "print([m for m in ('litellm', 'langgraph', 'networkx', 'tenacity', 'jinja2') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
