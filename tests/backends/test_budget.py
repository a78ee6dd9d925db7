"""What a run may spend, held exactly while many calls are in flight."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.backends import LLMReply, LLMRequest, ModelSpec, Price, TextSink, Usage
from maieutic.backends.budget import Budget, Budgeted, Spend, estimated_tokens
from maieutic.errors import BudgetExceeded, UsageError
from maieutic.memory import Address, Event, Message

STRONG = ModelSpec(model="openai/strong", max_tokens=100, price=Price(input=10, output=100))
CHEAP = ModelSpec(model="openai/cheap", max_tokens=100, price=Price(input=0.1, output=1))
REPORTED = Usage(prompt=10, completion=20)
QUESTION = "Should cities ban cars?"


def request(model: ModelSpec = STRONG, text: str = QUESTION, name: str = "ask") -> LLMRequest:
    return LLMRequest(model, (Message("user", text),), Address("run7") / name, agent="ada")


class Model:
    """Answers with the usage it was told to report, or the most it may."""

    def __init__(self, usage: Usage = REPORTED, usd: float | None = 0.002) -> None:
        self.usage = usage
        self.usd = usd
        self.asked: list[str] = []

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        self.asked.append(request.model.model)
        await asyncio.sleep(0)
        return LLMReply("Yes.", request.model.model, self.usage, self.usd)


def layer(budget: Budget, model: Model, events: list[Event] | None = None) -> Budgeted:
    told = [] if events is None else events
    return Budgeted(model, budget, price=lambda spec: spec.price, emit=told.append)


def ask(budgeted: Budgeted, *requests: LLMRequest) -> list[LLMReply | BaseException]:
    async def together() -> list[LLMReply | BaseException]:
        return await asyncio.gather(*(budgeted(r) for r in requests or (request(),)), return_exceptions=True)

    return asyncio.run(together())


def test_a_call_is_booked_at_what_it_really_took() -> None:
    budget = Budget(usd=1.0, tokens=1000, calls=5)
    ask(layer(budget, Model()))
    assert budget.spent == Spend(usd=0.002, tokens=30, calls=1)
    assert budget.reserved == Spend()


@pytest.mark.parametrize(
    ("budget", "limit", "words"),
    [
        (Budget(usd=0.005), "usd", r"The budget of \$0.005 has \$0 spent and \$0 in flight, and this call may take up"),
        (
            Budget(tokens=50),
            "tokens",
            r"The budget of 50 tokens has 0 spent and 0 in flight, and this call may take up",
        ),
        (
            Budget(calls=0),
            "calls",
            r"The budget of 0 calls has 0 made and 0 in flight, and this call may take up to one",
        ),
        (Budget(seconds=0), "seconds", r"The budget of 0 seconds is over, after \d.\d, and no call is begun any more"),
    ],
)
def test_a_call_that_might_pass_a_limit_is_not_made(budget: Budget, limit: str, words: str) -> None:
    model = Model()
    (error,) = ask(layer(budget, model))
    assert isinstance(error, BudgetExceeded)
    assert error.limit == limit
    with pytest.raises(BudgetExceeded, match=words):
        raise error
    advice = f"(ada at run7/0/0/ask). What there is is kept. Raise the limit (`--budget …`, or `limits: {limit}`)"
    assert advice in str(error)
    assert model.asked == []


def test_pause_says_how_to_go_on() -> None:
    (error,) = ask(layer(Budget(calls=0, on_exceed="pause"), Model()))
    assert "The run pauses; go on with more: `maieutic resume run7 --budget …`." in str(error)


def test_seconds_run_from_the_start_and_cut_no_call_in_flight() -> None:
    now = 0.0
    budget = Budget(seconds=10, clock=lambda: now)
    budget.start()
    now = 9.9
    assert isinstance(ask(layer(budget, Model()))[0], LLMReply)
    now = 10.0
    budget.start()  # a second start changes nothing
    assert isinstance(ask(layer(budget, Model()))[0], BudgetExceeded)


def test_a_call_waits_for_those_in_flight_before_it_is_refused() -> None:
    """Each call may take 108 tokens or more but takes 30, so two at once do not fit and yet all three are made."""
    model = Model()
    budget = Budget(tokens=200)
    replies = ask(layer(budget, model), *(request(name=f"n{n}") for n in range(3)))
    assert all(isinstance(reply, LLMReply) for reply in replies)
    assert budget.spent.tokens == 90


def test_warn_tells_once_and_goes_on() -> None:
    events: list[Event] = []
    budgeted = layer(Budget(calls=1, on_exceed="warn"), Model(), events)
    for _ in range(3):
        assert isinstance(ask(budgeted)[0], LLMReply)
    assert [event.data["message"] for event in events] == [
        "The budget of 1 calls has 1 made and 0 in flight; the run goes on (on_exceed: warn)."
    ]


def test_degrade_changes_to_the_cheaper_model_for_good() -> None:
    events: list[Event] = []
    model = Model()
    budgeted = layer(Budget(usd=0.013, on_exceed="degrade", degrade_to=CHEAP), model, events)
    replies = [ask(budgeted, request(name=f"n{n}"))[0] for n in range(3)]
    assert model.asked == ["openai/strong", "openai/strong", "openai/cheap"]
    assert isinstance(replies[-1], LLMReply)
    assert replies[-1].model == "openai/cheap"
    assert len(events) == 1
    assert "from here on openai/cheap answers" in events[0].data["message"]


def test_calls_that_waited_together_degrade_together() -> None:
    """The first of them changes to the cheaper model; the others are no worse off for having waited beside it."""
    events: list[Event] = []
    model = Model(Usage(prompt=20, completion=100), usd=0.0102)
    budgeted = layer(Budget(usd=0.025, on_exceed="degrade", degrade_to=CHEAP), model, events)
    replies = ask(budgeted, *(request(name=f"ask{n}") for n in range(4)))
    assert [r.model for r in replies if isinstance(r, LLMReply)] == [STRONG.model] * 2 + [CHEAP.model] * 2
    assert len(events) == 1


def test_degrade_stops_when_not_even_the_cheaper_model_fits() -> None:
    (error,) = ask(layer(Budget(usd=0.00001, on_exceed="degrade", degrade_to=CHEAP), Model()))
    assert isinstance(error, BudgetExceeded)


def test_a_cheaper_model_is_no_help_against_a_limit_of_calls_or_seconds() -> None:
    for budget in (
        Budget(calls=0, on_exceed="degrade", degrade_to=CHEAP),
        Budget(seconds=0, on_exceed="degrade", degrade_to=CHEAP),
    ):
        events: list[Event] = []
        (error,) = ask(layer(budget, Model(), events))
        assert isinstance(error, BudgetExceeded)
        assert events == []


def test_degrade_needs_a_model_and_limits_are_not_negative() -> None:
    with pytest.raises(UsageError, match="degrade_to"):
        Budget(usd=1, on_exceed="degrade")
    with pytest.raises(UsageError, match="negative"):
        Budget(tokens=-1)


def test_an_unknown_price_counts_nothing_and_is_told_once() -> None:
    events: list[Event] = []
    budget = Budget(usd=1.0)
    budgeted = layer(budget, Model(usd=None), events)
    for _ in range(2):
        ask(budgeted, request(ModelSpec(model="hosted_vllm/own")))
    assert budget.spent.usd == 0.0
    (event,) = events
    assert "The price of hosted_vllm/own is unknown" in event.data["message"]


def test_tokens_that_nobody_reported_are_estimated_from_above() -> None:
    budget = Budget(tokens=1000)
    ask(layer(budget, Model(usage=Usage())))
    assert budget.spent.tokens == estimated_tokens(request()) + len("Yes.") // 2


def test_a_journaled_reply_is_charged_like_the_call_it_was() -> None:
    budget = Budget(usd=1.0)
    layer(budget, Model()).charge(
        request(), LLMReply("Yes.", "m", Usage(prompt=1, completion=2), 0.5, from_journal=True)
    )
    assert budget.spent == Spend(0.5, 3, 1)


def test_a_call_that_fails_or_is_cancelled_frees_its_reservation() -> None:
    async def hang(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        await asyncio.sleep(3600)
        raise AssertionError

    async def scenario() -> None:
        budget = Budget(tokens=200)
        budgeted = Budgeted(hang, budget, price=lambda spec: None)
        first, second, third = (asyncio.create_task(budgeted(request(name=str(n)))) for n in range(3))
        await asyncio.sleep(0)
        second.cancel()  # while it waits
        await asyncio.sleep(0)
        first.cancel()  # while it is in flight: the third takes its place
        await asyncio.sleep(0.01)
        assert budget.reserved.calls == 1
        third.cancel()
        await asyncio.wait([first, second, third])
        assert budget.reserved == Spend()
        assert budget.spent.tokens == 0

    asyncio.run(scenario())


Plan = tuple[int, int, int, Literal["ok", "fail", "cancel"]]


async def spend(budget: Budget, plan: Plan) -> None:
    """One call: what it may take, how many per cent of that it takes, after how many turns, and how it ends."""
    bound, part, turns, how = plan
    reserved, actual = Spend(tokens=bound, calls=1), Spend(calls=1)
    if await budget.reserve(reserved) is not None:
        assert not within(budget, budget.spent + reserved)
        return
    try:
        for _ in range(turns):
            assert within(budget, budget.spent + budget.reserved)
            await asyncio.sleep(0)
        actual = Spend(tokens=0 if how == "fail" else bound * part // 100, calls=1)
    finally:
        budget.settle(reserved, actual)
        assert within(budget, budget.spent + budget.reserved)


def within(budget: Budget, total: Spend) -> bool:
    return total.tokens <= (budget.tokens or 0) and total.calls <= (budget.calls or 0)


@settings(max_examples=150, deadline=None)
@given(
    tokens=st.integers(0, 3000),
    calls=st.integers(0, 25),
    plans=st.lists(
        st.tuples(
            st.integers(1, 400), st.integers(0, 100), st.integers(0, 5), st.sampled_from(["ok", "fail", "cancel"])
        ),
        min_size=1,
        max_size=40,
    ),
)
def test_limits_hold_at_every_moment_and_nobody_waits_for_ever(tokens: int, calls: int, plans: list[Plan]) -> None:
    """Whatever mix of long, short, failing and cancelled calls runs at once."""

    async def scenario() -> None:
        budget = Budget(tokens=tokens, calls=calls)
        tasks = [asyncio.create_task(spend(budget, plan)) for plan in plans]
        for turn in range(4):
            await asyncio.sleep(0)
            for task in (t for t, (*_, when, how) in zip(tasks, plans, strict=True) if (when, how) == (turn, "cancel")):
                task.cancel()
        await asyncio.wait_for(asyncio.wait(tasks), 5)
        assert all(task.cancelled() or task.exception() is None for task in tasks)
        assert budget.reserved == Spend()

    asyncio.run(scenario())
