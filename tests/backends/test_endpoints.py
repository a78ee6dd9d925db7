"""Where models are reached: limits, circuit breakers, backends, streams, as the gateway uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from pydantic import BaseModel

from maieutic.backends import (
    CallFailed,
    Endpoints,
    Gateway,
    LLMReply,
    LLMRequest,
    ModelSpec,
    ScriptedModel,
    TextDelta,
    TextSink,
)
from maieutic.errors import ModelError, ReplyError, UsageError
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

    def gateway(self) -> Gateway:
        return Gateway(self.endpoints, self.journal, emit=self.events.append)


def play(scenario: Callable[[World], Awaitable[None]], *lines: str | BaseModel | LLMReply | Exception) -> World:
    """Run a scenario in a world whose model says the lines, all of them."""

    async def scene() -> World:
        world = World(*lines)
        with world.journal:
            async with world.endpoints:
                await scenario(world)
        return world

    return asyncio.run(scene())


def down() -> ModelError:
    return ModelError("down", kind="server", retryable=True)


def test_the_journal_keeps_the_attempts_of_a_call_that_failed_for_good_but_they_never_answer() -> None:
    model = ModelSpec(model="scripted/x", retries=1)

    async def scenario(world: World) -> None:
        gateway = world.gateway()
        for _ in range(2):
            with pytest.raises(CallFailed, match="failed 2 times"):
                await gateway.complete(request(model=model))
        assert [e.at for e in world.journal.entries("run", kind="attempt")] == ["0/0/ask/failed#1", "0/0/ask/failed#2"]
        assert (await gateway.complete(request(model=model))).text == "Ada."
        assert gateway.ledger.total.failed == {"server": 4}
        assert gateway.ledger.total.attempts == 5

    assert [e.kind for e in play(scenario, down(), down(), down(), down(), "Ada.").events] == ["retry", "retry", "call"]


def test_a_call_that_waits_for_its_next_attempt_holds_no_slot() -> None:
    model = ModelSpec(model="scripted/x", max_concurrency=1)

    async def scenario(world: World) -> None:
        release = asyncio.Event()

        async def wait(seconds: float) -> None:
            await release.wait()

        gateway = Gateway(Endpoints({"scripted": world.model}, sleep=wait), world.journal)
        first = asyncio.create_task(gateway.complete(request(model=model, at="one")))
        await asyncio.sleep(0.01)
        assert (await gateway.complete(request(model=model, at="two"))).text == "second"
        release.set()
        assert (await first).text == "first"

    play(scenario, down(), "second", "first")


def test_the_limiter_sees_every_429() -> None:
    async def scenario(world: World) -> None:
        await world.gateway().complete(request(model=ModelSpec(model="scripted/x", max_concurrency=16)))
        assert world.endpoints.endpoint(SCRIPTED).limiter.limit == 4

    slow_down = ModelError("429", kind="rate_limit", retryable=True, status=429)
    play(scenario, slow_down, slow_down, "Ada.")


def test_a_dead_endpoint_is_left_alone_until_it_comes_back() -> None:
    """Twelve failures in a row: ten open the circuit, the others are never sent."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        await asyncio.sleep(0)
        now += seconds

    async def scenario(world: World) -> None:
        endpoints = Endpoints({"scripted": world.model}, sleep=sleep, clock=lambda: now)
        gateway = Gateway(endpoints, world.journal)
        impatient = ModelSpec(model="scripted/x", retries=0)
        kinds = []
        for n in range(12):
            with pytest.raises(CallFailed) as caught:
                await gateway.complete(request(model=impatient, at=f"turn#{n}"))
            kinds.append(caught.value.kind)
        assert kinds == ["server"] * 10 + ["circuit_open"] * 2
        patient = await gateway.complete(request())
        assert [attempt.kind for attempt in patient.failed] == ["circuit_open"]

    play(scenario, *(down() for _ in range(10)), "Ada.")


def test_a_reply_error_names_agent_and_place_and_both_calls_are_in_the_ledger() -> None:
    async def scenario(world: World) -> None:
        gateway = world.gateway()
        with pytest.raises(ReplyError, match="asked by ada at run/0/0/ask"):
            await gateway.complete(request(output=Verdict))
        assert gateway.ledger.total.calls == 2

    play(scenario, "hm", "hm hm")


def test_offline_refuses_models_that_need_the_network_and_says_how_to_allow_them() -> None:
    async def scenario(world: World) -> None:
        gateway = Gateway(world.endpoints, world.journal, offline=True)
        with pytest.raises(
            UsageError, match=r"'openai/gpt-x' \(asked by ada at run/0/0/ask\) needs the network.*--offline"
        ):
            await gateway.complete(request(model=ModelSpec(model="openai/gpt-x")))
        assert (await gateway.complete(request(at="other"))).text == "Ada."

    play(scenario, "Ada.")


class Echo:
    """A third party's backend that cannot be sent a schema."""

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        return LLMReply(request.messages[-1].content, "echo")

    def sends_schema(self, model: ModelSpec) -> bool:
        return False

    async def aclose(self) -> None:
        """Nothing to release."""


def test_third_parties_add_backends_by_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("echo", f"{__name__}:Echo", "maieutic.backends")
    monkeypatch.setattr(EntryPoint, "load", lambda self: Echo)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **asked: EntryPoints([point]).select(**asked))
    assert isinstance(Endpoints().backend(ModelSpec(model="echo/loud")), Echo)


def test_an_endpoint_that_takes_no_schema_is_asked_in_words_and_the_journal_keeps_the_plain_request() -> None:
    class Obeys(Echo):
        async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
            assert "JSON schema" in request.messages[-1].content
            return LLMReply('{"winner": "ada"}', "obeys")

    async def scenario(world: World) -> None:
        gateway = Gateway(Endpoints({"obeys": Obeys()}), world.journal)
        asked = request(model=ModelSpec(model="obeys/x"), output=Verdict)
        reply = await gateway.complete(asked)
        assert (reply.data, reply.structure) == (Verdict(winner="ada"), "unwrapped")
        entry = world.journal.find("run", "0/0/ask")
        assert entry is not None
        assert entry.messages == asked.messages
        assert (await Gateway(world.endpoints, world.journal, replay="only").complete(asked)).structure == "unwrapped"

    play(scenario)


def test_models_at_one_address_with_one_key_share_limits() -> None:
    endpoints = Endpoints()
    one = ModelSpec(model="hosted_vllm/a", api_base="http://gpu:8000", max_concurrency=8)
    two = ModelSpec(model="hosted_vllm/b", api_base="http://gpu:8000", max_concurrency=4)
    other = ModelSpec(model="hosted_vllm/a", api_base="http://gpu:8001")
    assert endpoints.endpoint(one) is endpoints.endpoint(two)
    assert endpoints.endpoint(one).limiter.maximum == 4
    assert endpoints.endpoint(other) is not endpoints.endpoint(one)
    slashed = ModelSpec(model="hosted_vllm/c", api_base="http://gpu:8000/")
    assert endpoints.endpoint(slashed) is endpoints.endpoint(one)


def test_models_named_without_a_provider_may_be_of_different_ones_and_share_nothing() -> None:
    endpoints = Endpoints()
    gpt, claude = ModelSpec(model="gpt-5-mini"), ModelSpec(model="claude-haiku-4-5")
    assert endpoints.endpoint(gpt) is not endpoints.endpoint(claude)
    assert endpoints.endpoint(gpt) is endpoints.endpoint(gpt)


def test_a_stream_gives_the_pieces_and_then_the_reply() -> None:
    async def scenario(world: World) -> None:
        gateway = world.gateway()
        pieces = [piece async for piece in gateway.stream(request())]
        assert pieces[:-1] == [TextDelta("One.\n"), TextDelta("Two.")]
        assert isinstance(pieces[-1], LLMReply)
        assert pieces[-1].text == "One.\nTwo."

    play(scenario, "One.\nTwo.")


def test_a_stream_raises_what_the_call_raises() -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(CallFailed, match="no key"):
            async for _ in world.gateway().stream(request()):
                pass

    play(scenario, ModelError("no key", kind="auth"))


class Endless(Echo):
    """Never comes to an end by itself."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        try:
            while True:
                if on_text is not None:
                    on_text(TextDelta("more "))
                await asyncio.sleep(0.001)
        finally:
            self.ended.set()


ENDLESS = request(model=ModelSpec(model="endless/x"))


def test_leaving_a_stream_early_cancels_the_call() -> None:
    async def scenario(world: World) -> None:
        endless = Endless()
        gateway = Gateway(Endpoints({"endless": endless}), world.journal)
        async for _ in gateway.stream(ENDLESS):
            break
        await asyncio.wait_for(endless.ended.wait(), 5)
        assert world.journal.find("run", "0/0/ask") is None

    play(scenario)


def test_a_stream_that_was_closed_has_ended_its_call() -> None:
    async def scenario(world: World) -> None:
        endless = Endless()
        async with aclosing(Gateway(Endpoints({"endless": endless}), world.journal).stream(ENDLESS)) as pieces:
            await anext(pieces)
        assert endless.ended.is_set()

    play(scenario)


def test_cancelling_the_reader_of_a_stream_cancels_the_call() -> None:
    async def scenario(world: World) -> None:
        endless = Endless()

        async def read() -> None:
            async for _ in Gateway(Endpoints({"endless": endless}), world.journal).stream(ENDLESS):
                pass

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.02)
        reading.cancel()
        await asyncio.wait([reading])
        assert endless.ended.is_set()

    play(scenario)
