"""What a run may spend, held exactly while many calls are in flight."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from maieutic.backends.journaled import schema_text
from maieutic.backends.layers import Layer, marked
from maieutic.backends.models import ModelSpec, Price
from maieutic.backends.types import LLMReply, LLMRequest, TextSink
from maieutic.errors import BudgetExceeded, UsageError
from maieutic.memory import Emit, Event, silent

__all__ = ["Budget", "Budgeted", "Limit", "Spend", "estimated_tokens"]

Limit = Literal["usd", "tokens", "calls", "seconds"]
OnExceed = Literal["stop", "warn", "degrade", "pause"]

_BYTES_PER_TOKEN = 2
"""English takes four or five bytes a token, Chinese and code two or three: two is on the safe side."""

_MESSAGE_OVERHEAD = 8
"""Tokens that a chat template adds to a message, at most."""

_ELASTIC: frozenset[Limit] = frozenset({"usd", "tokens"})
"""Limits of which another model may need less; a call is a call and time is over for every model."""

_ROUNDING = 1e-9
"""US dollars within which sums of floating-point numbers are equal."""


@dataclass(frozen=True, slots=True)
class Spend:
    """What some calls took or may take: US dollars, prompt and completion tokens, number of calls."""

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0

    def __add__(self, other: Spend) -> Spend:
        return Spend(self.usd + other.usd, self.tokens + other.tokens, self.calls + other.calls)

    def __sub__(self, other: Spend) -> Spend:
        return Spend(self.usd - other.usd, self.tokens - other.tokens, self.calls - other.calls)


class Budget:
    """The limits of one run and what was spent of them.

    Before a call its upper bound is reserved, after it what it really took is booked; a call whose bound does not fit
    beside what is spent and reserved is not made. It may wait for calls in flight, which mostly take less than their
    bound. So limits hold exactly however many calls run at once, but for two unknowns: a reply without `max_tokens` can
    be longer than `reply_tokens`, and a prompt can have more tokens than estimated from its length. A model whose price
    is unknown counts nothing towards `usd`; the run is warned once, and the ledger counts such calls.

    Args:
        usd, tokens, calls, seconds: The limits; None for no limit. Tokens are prompt and completion together. Seconds
            are wall-clock time from `start`; no call begins after them, calls in flight are not cut.
        on_exceed: "stop" and "pause" refuse the call (a paused run is meant to be resumed with more), "warn" tells once
            and goes on, "degrade" changes to `degrade_to` when a call of the model asked for no longer fits into the
            US dollars or tokens, for that call and all later ones, and stops when not even a call of the cheaper model
            fits, and at the limits of calls and seconds.
        degrade_to: The cheaper model.
        reply_tokens: Tokens reserved for a reply whose request names no `max_tokens`.
        clock: Seconds, monotonic.

    Raises:
        UsageError: "degrade" without `degrade_to`, or a negative limit.
    """

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        calls: int | None = None,
        seconds: float | None = None,
        on_exceed: OnExceed = "stop",
        degrade_to: ModelSpec | None = None,
        reply_tokens: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if on_exceed == "degrade" and degrade_to is None:
            raise UsageError("A budget with on_exceed: degrade needs the name of the cheaper model (degrade_to).")
        if any(limit is not None and limit < 0 for limit in (usd, tokens, calls, seconds)):
            raise UsageError("A budget's limits cannot be negative.")
        self.usd, self.tokens, self.calls, self.seconds = usd, tokens, calls, seconds
        self.on_exceed = on_exceed
        self.degrade_to = degrade_to
        self.reply_tokens = reply_tokens
        self.spent = Spend()
        self.reserved = Spend()
        self._clock = clock
        self._started: float | None = None
        self._queue: deque[tuple[Spend, asyncio.Future[Limit | None]]] = deque()

    def start(self) -> None:
        """Start the wall clock, unless it runs already."""
        if self._started is None:
            self._started = self._clock()

    @property
    def elapsed(self) -> float:
        """Seconds since `start`."""
        return 0.0 if self._started is None else self._clock() - self._started

    def charge(self, actual: Spend) -> None:
        """Book what needed no reservation: a reply that the journal gave."""
        self.spent += actual

    def take(self, bound: Spend) -> None:
        """Reserve without asking whether it fits."""
        self.reserved += bound

    async def reserve(self, bound: Spend) -> Limit | None:
        """Reserve what a call may take, or name the limit that does not allow it (then nothing is reserved).

        First come, first served: a call waits behind others that wait, and while it does not fit only because of calls
        in flight.
        """
        if not self._queue and self._broken(self.spent + self.reserved + bound) is None:
            self.take(bound)
            return None
        if (limit := self._broken(self.spent + bound)) is not None:
            return limit
        turn: asyncio.Future[Limit | None] = asyncio.get_running_loop().create_future()
        self._queue.append((bound, turn))
        try:
            return await turn
        except BaseException:
            if not turn.cancelled() and turn.result() is None:
                self.reserved -= bound  # it had been granted when the cancellation came
            self._wake()
            raise

    def settle(self, bound: Spend, actual: Spend) -> None:
        """Book what a call took and free its reservation."""
        self.spent += actual
        self.reserved -= bound
        if not self.reserved.calls:
            self.reserved = Spend()  # no remainder of rounding stays
        self._wake()

    def _wake(self) -> None:
        """Answer those who wait, in order, up to the first that must wait on."""
        while self._queue:
            bound, turn = self._queue[0]
            if not turn.done():
                limit = self._broken(self.spent + bound)
                if limit is None:
                    if self._broken(self.spent + self.reserved + bound) is not None:
                        return
                    self.take(bound)
                turn.set_result(limit)
            self._queue.popleft()

    def _broken(self, total: Spend) -> Limit | None:
        """The first limit that this much would pass."""
        if self.seconds is not None and self.elapsed >= self.seconds:
            return "seconds"
        if self.usd is not None and total.usd > self.usd + _ROUNDING:
            return "usd"
        if self.tokens is not None and total.tokens > self.tokens:
            return "tokens"
        return "calls" if self.calls is not None and total.calls > self.calls else None


class Budgeted:
    """Lets a call through if the budget allows it; see Budget for the rules."""

    def __init__(
        self, inner: Layer, budget: Budget, *, price: Callable[[ModelSpec], Price | None], emit: Emit = silent
    ) -> None:
        self._inner = inner
        self._budget = budget
        self._price = price
        self._emit = emit
        self._told: set[str] = set()
        self._degraded = False

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer by the inner layer.

        Raises:
            BudgetExceeded: The call might pass a limit.
        """
        admitted, bound = await self._admit(request)
        actual = Spend(calls=1)
        try:
            reply = await self._inner(admitted, on_text)
            actual = self._took(admitted, reply)
            return reply if admitted is request else marked(reply, degraded=admitted.model != request.model)
        finally:
            self._budget.settle(bound, actual)

    def charge(self, request: LLMRequest, reply: LLMReply) -> None:
        """Book a reply that the journal gave, at the cost recorded with it."""
        self._budget.charge(self._took(request, reply))

    async def _admit(self, request: LLMRequest) -> tuple[LLMRequest, Spend]:
        budget = self._budget
        if self._degraded:
            request = self._cheaper(request)
        bound = self._bound(request)
        limit = await budget.reserve(bound)
        if limit is None:
            return request, bound
        if budget.on_exceed == "degrade" and limit in _ELASTIC and request.model != budget.degrade_to:
            # Other calls that waited beside this one may have changed to the cheaper model meanwhile; it has not.
            self._degrade(request, limit)
            return await self._admit(request)
        if budget.on_exceed != "warn":
            raise BudgetExceeded(_refusal(budget, limit, bound, request), limit=limit)
        self._tell_once(request, limit, f"{_state(budget, limit)}; the run goes on (on_exceed: warn).")
        budget.take(bound)
        return request, bound

    def _degrade(self, request: LLMRequest, limit: Limit) -> None:
        assert self._budget.degrade_to is not None
        self._degraded = True
        words = f"{_state(self._budget, limit)}; from here on {self._budget.degrade_to.model} answers."
        self._tell_once(request, "degrade", words)

    def _cheaper(self, request: LLMRequest) -> LLMRequest:
        cheaper = self._budget.degrade_to
        return request if cheaper is None else replace(request, model=cheaper)

    def _bound(self, request: LLMRequest) -> Spend:
        """The most this call should take; several samples read the prompt once."""
        prompt = estimated_tokens(request)
        reply = request.n * (request.max_tokens or request.model.max_tokens or self._budget.reply_tokens)
        price = self._price(request.model) if self._budget.usd is not None else None
        usd = 0.0 if price is None else (prompt * price.input + reply * price.output) / 1e6
        return Spend(usd, prompt + reply, request.n)

    def _took(self, request: LLMRequest, reply: LLMReply) -> Spend:
        if reply.usd is None and self._budget.usd is not None:
            words = (
                f"The price of {reply.model} is unknown, so its calls do not count towards the limit in US dollars. "
            )
            self._tell_once(request, "price", words + "Give the model a `price`, or limit tokens.")
        tokens = reply.usage.total
        if tokens is None:
            texts = "".join(one.text for one in (reply, *reply.more)).encode("utf-8", "surrogatepass")
            tokens = (0 if reply.shared else estimated_tokens(request)) + len(texts) // _BYTES_PER_TOKEN
        return Spend(reply.usd or 0.0, tokens, 1 + len(reply.more))

    def _tell_once(self, request: LLMRequest, subject: str, words: str) -> None:
        if subject not in self._told:
            self._told.add(subject)
            self._emit(Event("warning", request.address.local, {"message": words}))


def estimated_tokens(request: LLMRequest) -> int:
    """Tokens of the prompt, from above, by the length of its messages and of its schema."""
    texts = [message.content for message in request.messages]
    if request.output is not None:
        texts.append(schema_text(request.output))
    sizes = (len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN for text in texts)
    return sum(sizes) + _MESSAGE_OVERHEAD * len(texts)


def _state(budget: Budget, limit: Limit) -> str:
    """One clause: which limit, how much of it is gone."""
    spent, reserved = budget.spent, budget.reserved
    match limit:
        case "usd":
            return f"The budget of ${budget.usd:g} has ${spent.usd:.4g} spent and ${reserved.usd:.4g} in flight"
        case "tokens":
            return f"The budget of {budget.tokens} tokens has {spent.tokens} spent and {reserved.tokens} in flight"
        case "calls":
            return f"The budget of {budget.calls} calls has {spent.calls} made and {reserved.calls} in flight"
        case "seconds":
            return f"The budget of {budget.seconds:g} seconds is over, after {budget.elapsed:.1f}"


def _refusal(budget: Budget, limit: Limit, bound: Spend, request: LLMRequest) -> str:
    needs = {"usd": f"${bound.usd:.4g}", "tokens": f"{bound.tokens} tokens", "calls": "one call"}.get(limit)
    reach = "no call is begun any more" if needs is None else f"this call may take up to {needs}"
    who = request.agent or "nobody in particular"
    run = request.address.run
    then = (
        f"The run pauses; go on with more: `maieutic resume {run} --budget …`."
        if budget.on_exceed == "pause"
        else f"What there is is kept. Raise the limit (`--budget …`, or `limits: {limit}`) and resume {run}."
    )
    return f"{_state(budget, limit)}, and {reach} ({who} at {request.address}). {then}"
