"""Several samples of one request: bought together, kept apart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from maieutic.backends import Budget, Endpoints, Gateway, Ledger, LLMReply, LLMRequest, ModelSpec, ScriptedModel
from maieutic.backends.samples import MOST
from maieutic.errors import BudgetExceeded, MaieuticError, ModelError
from maieutic.memory import Address, Message
from maieutic.memory.entries import RunRecord
from maieutic.memory.journal import Journal
from maieutic.testing import LoopbackServer, ParsedRequest, faults

RUN = Address("run")
VLLM = "hosted_vllm/some-model"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-for-tests")


def numbered(request: ParsedRequest) -> str:
    """What a sampler says whose seeds count on, as vLLM's do."""
    return f"answer {(request.params.get('seed') or 0) + request.choice}"


class Bench:
    """A server, a journal that lasts, and gateways over them: each stands for an execution of the same run."""

    def __init__(self, server: LoopbackServer, endpoints: Endpoints, journal: Journal, model: str) -> None:
        self.server, self.endpoints, self.journal, self.model = server, endpoints, journal, model

    def gateway(self, **options: Any) -> Gateway:
        return Gateway(self.endpoints, self.journal, **options)

    def request(self, **settings: Any) -> LLMRequest:
        spec = ModelSpec(model=self.model, api_base=self.server.base("openai"), **{"retries": 0, **settings})
        return LLMRequest(spec, (Message("user", "What is it?"),), RUN / "ask", agent="ada")

    @property
    def asked(self) -> list[tuple[int, int | None]]:
        """Of each HTTP request: how many samples, and the seed."""
        return [(request.params.get("n", 1), request.params.get("seed")) for request in self.server.received.requests]

    @property
    def entries(self) -> dict[str, str]:
        """What the journal has, by address."""
        return {e.at: e.reply.get("text", "-") for e in self.journal.entries("run")}


def bench(act: Callable[[Bench], Awaitable[None]], *, model: str = VLLM, **server: Any) -> None:
    async def scenario() -> None:
        with Journal.open(None) as journal:
            journal.begin(RunRecord("run", "run", 0.0, "test"))
            async with LoopbackServer(**{"reply": numbered, **server}) as loopback, Endpoints() as endpoints:
                await act(Bench(loopback, endpoints, journal, model))

    asyncio.run(scenario())


def texts(replies: Sequence[LLMReply]) -> list[str]:
    return [reply.text for reply in replies]


@pytest.mark.parametrize("model", [VLLM, "openai/some-model"])
@pytest.mark.parametrize("lane", ["transforms", "acompletion"])
def test_one_request_buys_all_samples_and_each_keeps_its_own_place(model: str, lane: str) -> None:
    async def act(at: Bench) -> None:
        replies = await at.gateway().samples(at.request(lane=lane), 3)
        assert texts(replies) == ["answer 0", "answer 1", "answer 2"]
        assert at.asked == [(3, None)]
        assert at.entries == {f"0/0/ask/sample#{i}": f"answer {i}" for i in range(3)}
        assert [(reply.finish, reply.model) for reply in replies] == [("stop", "some-model")] * 3

    bench(act, model=model)


@pytest.mark.parametrize("setting", ["together", "apart"])
def test_the_replies_of_a_seeded_vllm_are_the_same_bought_together_or_apart(setting: str) -> None:
    async def act(at: Bench) -> None:
        replies = await at.gateway().samples(at.request(seed=41, samples=setting), 3)
        assert texts(replies) == ["answer 41", "answer 42", "answer 43"]
        assert at.asked == ([(3, 41)] if setting == "together" else [(1, 41), (1, 42), (1, 43)])

    bench(act)


@pytest.mark.parametrize(
    ("model", "settings", "together"),
    [
        (VLLM, {"seed": 1}, True),
        (VLLM, {"temperature": 0}, False),
        (VLLM, {"temperature": 0, "samples": "together"}, False),
        (VLLM, {"samples": "apart"}, False),
        ("openai/m", {}, True),
        ("openai/m", {"seed": 1}, False),
        ("openai/m", {"seed": 1, "samples": "together"}, True),
        ("lm_studio/m", {}, False),
        ("lm_studio/m", {"samples": "together"}, True),
        ("cerebras/m", {"samples": "together"}, False),
    ],
)
def test_which_models_samples_are_bought_together(
    model: str, settings: dict[str, Any], together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEREBRAS_API_KEY", "key-for-tests")

    async def act(at: Bench) -> None:
        await at.gateway().samples(at.request(**settings), 2)
        assert [n for n, _ in at.asked] == ([2] if together else [1, 1])

    bench(act, model=model)


def test_the_prompt_is_paid_once_and_the_ledger_tells_it() -> None:
    async def act(at: Bench) -> None:
        gateway = at.gateway()
        replies = await gateway.samples(at.request(price={"input": 1.0, "output": 10.0}), 3)
        assert [(r.usage.prompt, r.usage.completion, r.shared) for r in replies] == [(3, 6, False)] + [(0, 0, True)] * 2
        told = gateway.ledger.by_agent["ada"]
        assert (told.calls, told.attempts, told.shared, told.prompt, told.completion) == (3, 1, 2, 3, 6)
        assert told.usd == pytest.approx((3 * 1 + 6 * 10) / 1e6)
        assert told.unknown_price == 0
        again = at.gateway()
        await again.samples(at.request(), 3)
        kept = Ledger.from_entries(at.journal.entries("run")).to_json()
        for tally in (again.ledger.to_json()["total"], kept["total"]):
            assert {**tally, "from_journal": 0} == gateway.ledger.to_json()["total"]
        assert len(at.asked) == 1

    bench(act)


def test_what_the_endpoint_does_not_tell_stays_unknown() -> None:
    async def act(at: Bench) -> None:
        gateway = at.gateway()
        await gateway.samples(at.request(), 3)
        assert (gateway.ledger.total.unknown_price, gateway.ledger.total.usd) == (3, 0.0)

    bench(act)


@pytest.mark.parametrize(
    ("seed", "asked"), [(None, [(3, None)]), (10, [(1, 11), (2, 13)])], ids=["without a seed", "with a seed"]
)
def test_only_what_the_journal_lacks_is_bought(seed: int | None, asked: list[tuple[int, int | None]]) -> None:
    async def act(at: Bench) -> None:
        request = at.request(seed=seed)
        for i in (0, 2):
            await at.gateway().complete(replace(request, address=request.address / f"sample#{i}", sample=i))
        before = at.entries
        del at.server.received.requests[:]
        replies = await at.gateway().samples(request, 5)
        assert sorted(at.asked) == sorted(asked)
        assert [reply.from_journal for reply in replies] == [True, False, True, False, False]
        assert {k: at.entries[k] for k in before} == before
        replayed = await at.gateway(replay="only").samples(request, 5)
        assert texts(replayed) == texts(replies)
        if seed is not None:
            assert texts(replies) == [f"answer {seed + i}" for i in range(5)]

    bench(act)


@pytest.mark.parametrize("choices", ["ignore", "refuse"])
def test_an_endpoint_that_does_not_give_several_loses_none_and_is_not_asked_again(choices: str) -> None:
    async def act(at: Bench) -> None:
        first, second = at.gateway(), at.gateway(replay="off")
        assert texts(await first.samples(at.request(seed=5), 3)) == ["answer 5", "answer 6", "answer 7"]
        tried = (3, 5)
        rest = [(1, 6), (1, 7)] if choices == "ignore" else [(1, 5), (1, 6), (1, 7)]
        assert at.asked == [tried, *rest]
        assert first.ledger.total.attempts == len(at.asked)
        assert first.ledger.total.failed == ({} if choices == "ignore" else {"bad_request": 1})
        assert first.ledger.total.shared == 0
        await second.samples(replace(at.request(seed=5), address=RUN / "later"), 3)
        assert at.asked[1 + len(rest) :] == [(1, 5), (1, 6), (1, 7)]

    bench(act, choices=choices)


def test_a_request_that_is_refused_whatever_its_number_says_nothing_about_samples() -> None:
    async def act(at: Bench) -> None:
        with pytest.raises(ModelError):
            await at.gateway().samples(at.request(), 2)
        await at.gateway(replay="off").samples(at.request(), 2)
        assert [n for n, _ in at.asked] == [2, 1, 1, 2]

    bench(act, faults=[faults.status(400)] * 3)


def test_many_samples_are_bought_in_parts() -> None:
    async def act(at: Bench) -> None:
        replies = await at.gateway().samples(at.request(seed=0), MOST + 8)
        assert sorted(at.asked) == [(8, MOST), (MOST, 0)]
        assert texts(replies) == [f"answer {i}" for i in range(MOST + 8)]

    bench(act)


def test_a_budget_reserves_the_prompt_once() -> None:
    async def act(at: Bench) -> None:
        budget = Budget(tokens=130)  # the prompt is estimated at 13
        replies = await at.gateway(budget=budget).samples(at.request(max_tokens=28), 4)
        assert (len(replies), at.asked) == (4, [(4, None)])
        assert (budget.spent.tokens, budget.spent.calls, budget.reserved.calls) == (3 + 4 * 2, 4, 0)
        resumed = Budget(tokens=130)
        await at.gateway(budget=resumed).samples(at.request(max_tokens=28), 4)
        assert resumed.spent == budget.spent

    bench(act)


def test_where_not_all_fit_into_the_budget_as_many_are_bought_as_do() -> None:
    async def act(at: Bench) -> None:
        gateway = at.gateway(budget=Budget(calls=2))
        request = at.request()
        made = [replace(request, address=request.address / f"sample#{i}", sample=i) for i in range(3)]
        came = await asyncio.gather(*map(gateway.complete, made), return_exceptions=True)
        assert [type(one) for one in came] == [LLMReply, LLMReply, BudgetExceeded]

    bench(act)


def test_a_cheaper_model_that_gives_no_several_is_no_word_about_the_dear_one() -> None:
    async def act(at: Bench) -> None:
        cheap = ModelSpec(model="openai/cheap", api_base=at.server.base("openai"))
        price = {"input": 1.0, "output": 1000.0}
        budget = Budget(usd=0.01, on_exceed="degrade", degrade_to=cheap)
        replies = await at.gateway(budget=budget).samples(at.request(price=price), 3)
        assert [reply.degraded for reply in replies] == [True] * 3
        assert at.endpoints.shares(at.request().model)

    bench(act, choices="ignore")


def test_a_request_that_fails_is_counted_once_and_fails_again_in_a_replay() -> None:
    async def act(at: Bench) -> None:
        gateway = at.gateway()

        async def fail(gateway: Gateway) -> set[str]:
            request = at.request(retries=1)
            made = [replace(request, address=request.address / f"sample#{i}", sample=i) for i in range(3)]
            came = await asyncio.gather(*map(gateway.complete, made), return_exceptions=True)
            assert all(isinstance(one, ModelError) for one in came)
            return {one.kind for one in came if isinstance(one, ModelError)}

        assert await fail(gateway) == {"server"}
        assert at.asked == [(3, None)] * 2
        assert (gateway.ledger.total.attempts, gateway.ledger.total.failed) == (2, {"server": 2})
        assert Ledger.from_entries(at.journal.entries("run")).total.failed == {"server": 2}
        assert await fail(at.gateway(replay="only")) == {"server"}
        assert texts(await at.gateway().samples(at.request(), 3)) == ["answer 0", "answer 1", "answer 2"]

    bench(act, faults=[faults.status(500)] * 2)


@pytest.mark.parametrize("gone", [0, 1], ids=["the first", "another"])
def test_a_sample_that_is_no_longer_wanted_takes_none_of_the_others_with_it(gone: int) -> None:
    async def act(at: Bench) -> None:
        gateway, request = at.gateway(), at.request()
        made = [replace(request, address=request.address / f"sample#{i}", sample=i) for i in range(3)]
        tasks = [asyncio.ensure_future(gateway.complete(one)) for one in made]
        while not at.server.received.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        tasks[gone].cancel()
        came = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, LLMReply) for one in came] == [i != gone for i in range(3)]

    bench(act, latency=0.2)


def test_samples_that_nobody_wants_any_more_are_not_made() -> None:
    async def act(at: Bench) -> None:
        asking = asyncio.ensure_future(at.gateway().samples(at.request(), 5))
        while not at.server.received.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        while at.server.received.in_flight:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert (at.server.received.total, at.server.received.cancelled) == (1, 1)

    bench(act, latency=5)


class Said(BaseModel):
    answer: int


def test_a_sample_that_does_not_fit_its_form_is_repaired_by_itself() -> None:
    def reply(request: ParsedRequest) -> str:
        if len(request.messages) > 1:
            return '{"answer": 9}'
        return "it is nine" if request.choice == 1 else f'{{"answer": {request.choice}}}'

    async def act(at: Bench) -> None:
        gateway = at.gateway()
        replies = await gateway.samples(replace(at.request(structured="native"), output=Said), 3)
        assert [reply.data for reply in replies] == [Said(answer=0), Said(answer=9), Said(answer=2)]
        assert [reply.structure for reply in replies] == ["native", "repaired", "native"]
        assert [n for n, _ in at.asked] == [3, 1]
        assert (gateway.ledger.total.calls, gateway.ledger.total.attempts) == (4, 2)

    bench(act, reply=reply, schema="ignore")


def test_live_text_of_samples_is_told_when_it_is_there() -> None:
    async def act(at: Bench) -> None:
        gateway, request, told = at.gateway(), at.request(), dict[int, str]()

        async def one(i: int) -> None:
            made = replace(request, address=request.address / f"sample#{i}", sample=i)
            await gateway.complete(made, lambda piece: told.update({i: told.get(i, "") + piece.text}))

        await asyncio.gather(*map(one, range(2)))
        assert told == {0: "answer 0", 1: "answer 1"}
        assert at.asked == [(2, None)]
        await one(2)
        assert (told[2], at.server.received.requests[-1].stream) == ("answer 0", True)

    bench(act)


def test_requests_that_differ_in_more_than_the_sample_stay_apart() -> None:
    async def act(at: Bench) -> None:
        gateway, first = at.gateway(), at.request()
        others = [
            replace(first, sample=1, agent="bo"),
            replace(first, sample=1, temperature=0.3),
            replace(first, sample=1, messages=(Message("user", "What was it?"),)),
            replace(first, sample=1, address=replace(RUN, item="other")),
            first,
        ]
        made = [replace(one, address=one.address / f"n{n}") for n, one in enumerate([first, *others])]
        await asyncio.gather(*map(gateway.complete, made))
        assert [n for n, _ in at.asked] == [1] * 6

    bench(act)


def test_samples_go_to_one_replica() -> None:
    async def scenario() -> None:
        async with LoopbackServer(numbered) as one, LoopbackServer(numbered) as two, Endpoints() as endpoints:
            with Journal.open(None) as journal:
                journal.begin(RunRecord("run", "run", 0.0, "test"))
                spec = ModelSpec(model=VLLM, replicas=(one.base("openai"), two.base("openai")))
                request = LLMRequest(spec, (Message("user", "What is it?"),), RUN / "ask")
                await Gateway(endpoints, journal).samples(request, 4)
        assert sorted((one.received.total, two.received.total)) == [0, 1]

    asyncio.run(scenario())


def test_a_backend_that_knows_nothing_of_it_is_asked_as_ever() -> None:
    async def scenario() -> None:
        model = ScriptedModel(["one", "two", "three"])
        async with Endpoints({"scripted": model}) as endpoints:
            with Journal.open(None) as journal:
                journal.begin(RunRecord("run", "run", 0.0, "test"))
                request = LLMRequest(ModelSpec(model="scripted/x"), (Message("user", "Well?"),), RUN / "ask")
                assert texts(await Gateway(endpoints, journal).samples(request, 3)) == ["one", "two", "three"]
        assert [(request.n, request.sample) for request in model.requests] == [(1, 0), (1, 1), (1, 2)]

    asyncio.run(scenario())


def test_one_sample_that_fails_ends_the_others() -> None:
    async def act(at: Bench) -> None:
        with pytest.raises(MaieuticError, match="500"):
            await at.gateway().samples(at.request(samples="apart"), 3)

    bench(act, faults=[None, faults.status(500)])
