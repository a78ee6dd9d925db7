"""The one door to models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from maieutic.backends.budget import Budget, Budgeted
from maieutic.backends.endpoints import Endpoints, dispatching, limited, readied
from maieutic.backends.journaled import Journaled, Records, Replay, never
from maieutic.backends.labels import LabelProbabilities, label_probabilities
from maieutic.backends.layers import Accounted, Layer, for_persons
from maieutic.backends.ledger import Ledger
from maieutic.backends.replicas import replicated
from maieutic.backends.retry import Retried
from maieutic.backends.samples import Gathered
from maieutic.backends.structured import Structured
from maieutic.backends.types import LLMReply, LLMRequest, TextDelta, TextSink
from maieutic.errors import ReplayMiss
from maieutic.memory import Address, Emit, silent
from maieutic.memory.difference import explain_miss
from maieutic.memory.entries import Entry, fingerprint

__all__ = ["Gateway"]


class Gateway:
    """Everything that one run asks of models and of the world goes through its gateway.

    A call passes these layers, each a small object around the next: typed reply → ledger → journal → samples gathered →
    budget → retry → replica → limiter and circuit breaker → backend. Persons are journaled like models; budget, retry
    and limits are not for them.

    Args:
        endpoints: The backends and limits that this run shares with the host's other runs.
        journal: Where every reply is written down before it is used.
        budget: The run's limits, if it has any.
        replay: "resume": the journal answers what it knows; "only": it answers everything or the run fails; "off": it
            answers nothing (for a fresh run: what stands at an address already is not written over). What a fork took
            over from its parent answers even where the request has changed since.
        cache: Whether a recorded reply to the same request anywhere in the journal may answer.
        emit: Told "call", "retry" and "warning" events.
        offline: Refuse every model that needs the network.

    Attributes:
        ledger: What the run took so far.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        journal: Records,
        *,
        budget: Budget | None = None,
        replay: Replay = "resume",
        cache: bool = False,
        emit: Emit = silent,
        offline: bool = False,
    ) -> None:
        self.ledger = Ledger()
        self.budget = budget
        self._journal = journal
        self._replay = replay
        persons: Layer = never
        models: Layer = never
        if replay != "only":
            persons = dispatching(endpoints, offline=offline)
            age = endpoints.begun()
            attempt = replicated(limited(persons, endpoints, age), endpoints, age)
            models = Retried(attempt, emit=emit, clock=endpoints.clock, sleep=endpoints.sleep)
        charge: Callable[[LLMRequest, LLMReply], None] = _nothing
        if budget is not None:
            budget.start()
            models = paid = Budgeted(models, budget, price=endpoints.price, emit=emit)
            charge = paid.charge
        if replay != "only" and not offline:
            models = readied(models, endpoints)
        if replay != "only":
            models = Gathered(models, shares=endpoints.shares, alone=endpoints.alone)
        inner = for_persons(persons, models)
        journaled = Journaled(inner, journal, replay=replay, cache=cache, charge=charge)
        self._layers: Layer = Structured(Accounted(journaled, self.ledger, emit), self.ledger)

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer one request; with `on_text`, tell the text as it comes.

        Raises:
            ModelError: The model could not answer (CallFailed, with its attempts).
            ReplyError: It answered, but not in the form of `request.output`.
            BudgetExceeded: The call might pass a limit.
            ReplayMiss: The journal has another request at this address, or none and nobody else may answer.
            WaitingForPerson: A person's answer is needed and nobody is there.
            UsageError: The model cannot be used in this run.
        """
        return await self._layers(request, on_text)

    def observed(self, told: Callable[[LLMRequest, LLMReply], None]) -> Gateway:
        """The same gateway for one part of a run, whose answered calls are also told, the journal's included.

        Args:
            told: Reads each request with its reply; a repaired reply is told once, with the sum of its calls.
        """
        other, inner = copy(self), self._layers

        async def telling(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
            reply = await inner(request, on_text)
            told(request, reply)
            return reply

        other._layers = telling
        return other

    async def stream(self, request: LLMRequest) -> AsyncGenerator[TextDelta | LLMReply, None]:
        """The pieces of a reply as they come, then the reply. Leaving the loop early cancels the call.

        Where the call must have ended before you go on, close the iterator: `async with aclosing(gateway.stream(…))`.

        Raises:
            MaieuticError: As `complete`.
        """
        pieces: asyncio.Queue[TextDelta | None] = asyncio.Queue()
        call = asyncio.ensure_future(self.complete(request, pieces.put_nowait))
        call.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield call.result()
        finally:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    async def samples(self, request: LLMRequest, n: int) -> list[LLMReply]:
        """Several independent samples of a request, which stand at `sample#N` below its address.

        Where the endpoint shares a prompt among samples they are bought in one request, those apart that the journal
        has. The same holds for any requests that are made at the same time and differ in nothing but `sample`.

        Raises:
            MaieuticError: As `complete`; one sample that fails ends the others.
        """
        tasks: list[asyncio.Task[LLMReply]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for i in range(n):
                    one = replace(request, address=request.address / f"sample#{i}", sample=i)
                    tasks.append(group.create_task(self.complete(one)))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def label_probabilities(
        self, request: LLMRequest, labels: Sequence[str], *, samples: int = 10
    ) -> LabelProbabilities:
        """How likely the model finds each label as its answer.

        Log-probabilities at the answer position where the endpoint gives them, else relative frequencies in independent
        samples at temperature 1 (see `samples`); a model's `logprobs` setting makes it one or the other.

        Args:
            request: A question whose prompt asks for nothing but a label.
            labels: Two or more labels, different when case is ignored.
            samples: How many samples to take where there are no log-probabilities.

        Raises:
            UsageError: The labels cannot be told apart.
            ReplyError: No sample names a label.
            ModelError: The model's `logprobs` is "required", and its endpoint gives none.
        """
        return await label_probabilities(self, request, labels, samples=samples, sampled=self._sampled(request))

    async def effect(self, address: Address, kind: str, inputs: Any, call: Callable[[], Awaitable[Any]]) -> Any:
        """Do something in the outside world once, however often the run is resumed: a tool call, a search, ….

        Args:
            address: Where in the run.
            kind: What it is, in a word ("tool", …), for the journal.
            inputs: What decides the result, as plain JSON.
            call: Does it; its result must be plain JSON.

        Raises:
            ReplayMiss: The journal has other inputs at this address, or none and only it may answer.
        """
        asked = {"inputs": inputs}
        wanted = Entry(at=address.local, kind=kind, fingerprint=fingerprint(asked, ()), request=asked)
        known = None if self._replay == "off" else self._journal.find(address.run, wanted.at)
        if known is not None and known.fingerprint in ("", wanted.fingerprint):
            return known.reply["value"]
        if known is not None or self._replay == "only":
            raise ReplayMiss(explain_miss(wanted, known or self._journal.nearest(address.run, wanted)))
        value = await call()
        await self._journal.record(address.run, Entry(wanted.at, kind, wanted.fingerprint, asked, (), {"value": value}))
        return value

    def _sampled(self, request: LLMRequest) -> bool:
        """Whether samples are taken without asking for log-probabilities: as set, or as an earlier execution had to.

        What an earlier execution was given it is given again, whatever the setting is now.
        """
        address = request.address
        if self._replay == "off":
            return request.model.logprobs == "never"
        if self._journal.find(address.run, address.local) is not None:
            return False
        taken = self._journal.find(address.run, (address / "sample#0").local) is not None
        return taken or request.model.logprobs == "never"


def _nothing(request: LLMRequest, reply: LLMReply) -> None:
    """Without a budget there is nothing to charge."""
