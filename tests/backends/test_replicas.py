"""Replicas of one model: dialogues stay, move when they must, and lose no call. Over real servers on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import maieutic as mt
from maieutic.backends import CallFailed, Endpoints, Gateway, LLMReply, LLMRequest, ModelSpec
from maieutic.backends.replicas import FIRST_REST, Health, ranked
from maieutic.memory import Address, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal
from maieutic.testing.faults import FaultPlan, status
from maieutic.testing.server import LoopbackServer

SERVERS = tuple(f"http://gpu{n}:8000/v1" for n in range(5))


async def soon(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.01))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Farm:
    """Servers that serve one model, and a gateway that knows them."""

    def __init__(self, servers: list[LoopbackServer], endpoints: Endpoints, journal: Journal, concurrency: int) -> None:
        self.servers = servers
        self.endpoints = endpoints
        self.addresses = tuple(server.base("openai") for server in servers)
        self.model = ModelSpec(
            model="hosted_vllm/tiny", replicas=self.addresses, max_concurrency=concurrency, timeout=5
        )
        self._journal = journal
        self._gateway = Gateway(endpoints, journal)

    def another_run(self) -> Gateway:
        """The door of a run that begins now."""
        return Gateway(self.endpoints, self._journal)

    @property
    def calls(self) -> list[int]:
        return [server.received.total for server in self.servers]

    def asked(self, server: int) -> list[str]:
        """The items that a server was asked about, in order."""
        return [request.messages[-1].content.split()[1] for request in self.servers[server].received.requests]

    async def ask(self, item: str, turn: int = 0, said: str = "", of: Gateway | None = None) -> LLMReply:
        messages = (
            Message("system", "You are Ada."),
            Message("user", f"Question {item}"),
            Message("user", said or "-"),
        )
        at = Address("run", item) / f"turn{turn}"
        return await (of or self._gateway).complete(LLMRequest(self.model, messages, at, agent="ada"))

    def home(self, item: str) -> int:
        """Which server a dialogue belongs to."""
        messages = (Message("system", "You are Ada."), Message("user", f"Question {item}"))
        first, *_ = ranked(LLMRequest(self.model, messages, Address("run", item) / "turn0"))
        return self.addresses.index(first)

    def items(self, home: int, count: int) -> list[str]:
        return [name for n in range(1000) if self.home(name := f"item{n}") == home][:count]


def play(
    scenario: Callable[[Farm], Awaitable[None]],
    *,
    faults: tuple[FaultPlan, ...] = ((), ()),
    latency: float = 0.0,
    concurrency: int = 32,
) -> None:
    async def go() -> None:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(LoopbackServer(faults=plan, latency=latency)) for plan in faults]
            endpoints = await stack.enter_async_context(Endpoints(sleep=soon))
            journal = stack.enter_context(Journal.open(None))
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            await scenario(Farm(servers, endpoints, journal, concurrency))

    asyncio.run(go())


def test_a_dialogue_stays_at_one_replica_and_dialogues_spread() -> None:
    async def scenario(farm: Farm) -> None:
        for item in range(20):
            before = farm.calls
            for turn in range(3):
                await farm.ask(f"item{item}", turn, said="word " * turn)
            assert sorted(after - b for after, b in zip(farm.calls, before, strict=True)) == [0, 3]
        assert min(farm.calls) >= 12

    play(scenario)


def test_a_replica_that_goes_down_in_the_middle_loses_no_call() -> None:
    async def scenario(farm: Farm) -> None:
        async def stop() -> None:
            while farm.servers[0].received.answered < 3:  # noqa: ASYNC110 - a server tells no news
                await asyncio.sleep(0.005)
            await farm.servers[0].__aexit__(None, None, None)

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(farm.ask(f"item{n}")) for n in range(60)]
            group.create_task(stop())
        assert all(task.result().text for task in asked)
        first, second = (server.received.answered for server in farm.servers)
        assert first + second == 60
        assert 3 <= first <= 8
        assert any(attempt.kind == "connection" for task in asked for attempt in task.result().failed)
        # From now on nobody tries the one that is down.
        later = [await farm.ask(item, turn=1) for item in farm.items(home=0, count=3)]
        assert [reply.failed for reply in later] == [(), (), ()]

    play(scenario, latency=0.05, concurrency=4)


def test_a_replica_that_comes_back_gets_its_dialogues_back() -> None:
    clock = Clock()
    well = {"http://a/v1": False}
    checks: list[str] = []

    async def check(address: str) -> bool:
        checks.append(address)
        return well[address]

    async def scenario() -> None:
        health = Health(check, clock)
        await asyncio.gather(*(health.suspect("http://a/v1") for _ in range(10)))
        assert checks == ["http://a/v1"]  # ten calls failed together: one check
        assert not await health.up("http://a/v1")
        assert len(checks) == 1
        clock.now += FIRST_REST
        assert not await health.up("http://a/v1")  # checked again, still down: now it rests twice as long
        clock.now += FIRST_REST
        assert not await health.up("http://a/v1")
        assert len(checks) == 2
        well["http://a/v1"] = True
        clock.now += FIRST_REST
        assert await health.up("http://a/v1")
        assert await health.up("http://a/v1")
        assert len(checks) == 3

    asyncio.run(scenario())


def test_a_failure_of_a_replica_that_is_well_is_no_outage() -> None:
    async def scenario(farm: Farm) -> None:
        [item] = farm.items(home=0, count=1)
        reply = await farm.ask(item)
        assert [attempt.kind for attempt in reply.failed] == ["server"]
        assert farm.calls == [2, 0]  # repeated where it was

    play(scenario, faults=([status(500)], ()))


def test_a_replica_with_a_whole_round_waiting_is_passed_over() -> None:
    async def scenario(farm: Farm) -> None:
        items = farm.items(home=0, count=7)
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(farm.ask(item))
        assert farm.calls == [4, 3]  # two in flight, two waiting; the rest goes to the other

    play(scenario, latency=0.1, concurrency=2)


def test_an_old_dialogue_stays_where_only_calls_of_younger_ones_wait() -> None:
    async def scenario(farm: Farm) -> None:
        first, *others = farm.items(home=0, count=5)
        younger = farm.another_run()
        async with asyncio.TaskGroup() as group:
            for item in others:
                group.create_task(farm.ask(item, of=younger))
            await asyncio.sleep(0.1)  # two are in flight, two wait: a whole round
            group.create_task(farm.ask(first))
        assert farm.calls == [5, 0]
        assert farm.asked(0).index(first) == 2  # before those that waited

    play(scenario, latency=0.3, concurrency=2)


def test_the_oldest_dialogue_goes_first_at_every_replica() -> None:
    async def scenario(farm: Farm) -> None:
        homes = [farm.items(home, count=4) for home in (0, 1)]
        pairs = [(farm.another_run(), pair) for pair in zip(*homes, strict=True)]
        async with asyncio.TaskGroup() as group:
            for gateway, pair in (pairs[0], *reversed(pairs[1:])):  # the oldest take the slots, the youngest ask next
                for item in pair:
                    group.create_task(farm.ask(item, of=gateway))
                await asyncio.sleep(0.02)
        assert [farm.asked(0), farm.asked(1)] == homes

    play(scenario, latency=0.2, concurrency=1)


def test_all_down_is_told_with_all_addresses() -> None:
    async def scenario(farm: Farm) -> None:
        for server in farm.servers:
            await server.__aexit__(None, None, None)
        with pytest.raises(CallFailed) as caught:
            await farm.ask("item0")
        for address in farm.addresses:
            assert address in str(caught.value)
        assert "`maieutic doctor` probes the endpoint" in str(caught.value)

    play(scenario)


def test_a_run_in_which_a_replica_dies_says_the_same_and_is_replayed_without_any() -> None:
    question = "Should cities ban cars?"

    async def debate(kill: bool) -> tuple[mt.Run, mt.Run]:
        async with LoopbackServer() as one, LoopbackServer() as two, mt.Workspace() as workspace:
            model = mt.ModelSpec(
                model="hosted_vllm/tiny", replicas=(one.base("openai"), two.base("openai")), structured="prompt"
            )
            judge = mt.Judge("June", "sim/judge")
            program = mt.Debate(
                [mt.Debater("Ada", model), mt.Debater("Bo", model)], judge=judge, rounds=2, probes="never"
            )
            if kill:
                await one.__aexit__(None, None, None)
            run = await workspace.run(program, question, run_id="case")
            return run, await workspace.replay("case")

    whole, _ = asyncio.run(debate(kill=False))
    broken, replayed = asyncio.run(debate(kill=True))
    assert [turn.content for turn in broken.turns] == [turn.content for turn in whole.turns]
    assert [turn.content for turn in replayed.turns] == [turn.content for turn in whole.turns]
    assert replayed.ledger.total.calls == replayed.ledger.total.from_journal


def test_address_and_replicas_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="give api_base or replicas, not both"):
        ModelSpec(model="hosted_vllm/x", api_base=SERVERS[0], replicas=SERVERS)
    with pytest.raises(ValidationError, match="stands twice"):
        ModelSpec(model="hosted_vllm/x", replicas=(SERVERS[0], SERVERS[0]))
    with pytest.raises(ValidationError, match="begins with http:// or https://, and 'gpu:8000' does not"):
        ModelSpec(model="hosted_vllm/x", replicas=(SERVERS[0], "gpu:8000"))


def asked(run: str, question: str, replicas: tuple[str, ...]) -> LLMRequest:
    model = ModelSpec(model="hosted_vllm/x", replicas=replicas)
    return LLMRequest(model, (Message("system", "s"), Message("user", question)), Address(run) / "a")


@given(st.text(max_size=8), st.text(max_size=20), st.permutations(SERVERS))
def test_the_order_of_the_list_does_not_matter_and_only_the_lost_ones_move(
    run: str, question: str, shuffled: list[str]
) -> None:
    order = ranked(asked(run, question, SERVERS))
    assert sorted(order) == sorted(SERVERS)
    assert ranked(asked(run, question, tuple(shuffled))) == order
    without = tuple(address for address in SERVERS if address != order[0])
    assert ranked(asked(run, question, without)) == order[1:]


def test_dialogues_spread_evenly() -> None:
    homes = Counter(ranked(asked("run", f"question {n}", SERVERS))[0] for n in range(2000))
    assert all(320 < homes[address] < 480 for address in SERVERS)
