"""Several samples of one request, bought together where the endpoint reads the prompt once for all of them (`n`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from maieutic.backends.layers import Layer
from maieutic.backends.models import ModelSpec
from maieutic.backends.retry import CallFailed
from maieutic.backends.types import Attempt, LLMReply, LLMRequest, TextDelta, TextSink, Usage
from maieutic.errors import BudgetExceeded, ModelError

__all__ = ["MOST", "Gathered"]

MOST = 32
"""Samples of one request. More are asked for in several requests: what fails is lost together."""

_NOTHING = Usage(prompt=0, completion=0, cached=0, reasoning=0)


@dataclass(frozen=True, slots=True)
class _Member:
    """One sample that is waited for. None in its future sends it to ask for itself."""

    request: LLMRequest
    on_text: TextSink | None
    came: asyncio.Future[LLMReply | None]

    @property
    def answered(self) -> bool:
        return self.came.done() and not self.came.cancelled() and self.came.exception() is None

    def take(self, reply: LLMReply) -> None:
        if not self.came.done():
            self.came.set_result(reply)

    def fail(self, error: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(error)


class Gathered:
    """Makes one request of samples that are asked for at the same time and differ in nothing but `sample`.

    It stands below the journal, so that only samples that the journal lacks are bought, each for its own address. The
    first of them carries the tokens and the money of the request; `shared` says so of the others. Samples of a model
    with a seed are bought together only where they follow one another, because an endpoint counts on from the first
    one's seed. At temperature 0 all samples would be alike, and endpoints refuse to give several.

    An endpoint that gives fewer replies than it was asked for, or refuses to give several, is asked for the others one
    by one, and is told to `alone`.

    Args:
        inner: Answers a request, with `LLMReply.more` where the request's `n` is above 1.
        shares: Whether samples of this model may be asked for together.
        alone: Told of a model whose endpoint does not give several.
    """

    def __init__(
        self, inner: Layer, *, shares: Callable[[ModelSpec], bool], alone: Callable[[ModelSpec], None]
    ) -> None:
        self._inner = inner
        self._shares = shares
        self._alone = alone
        self._open: dict[Hashable, list[_Member]] = {}

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer one sample."""
        if _temperature(request) == 0 or not self._shares(request.model):
            return await self._inner(request, on_text)
        at = request.address
        key = (at.run, at.item, at.repeat, request.agent, request.model.model, request.messages)
        members = self._open.get(key)
        me = _Member(request, on_text, asyncio.get_running_loop().create_future())
        if members is None:
            return await self._lead(key, me)
        if not _company(members[0].request, request) or any(m.request.sample == request.sample for m in members):
            return await self._inner(request, on_text)
        members.append(me)
        reply = await me.came
        return await self._inner(request, on_text) if reply is None else reply

    async def _lead(self, key: Hashable, me: _Member) -> LLMReply:
        """Ask for all samples that come before the loop turns once."""
        members = self._open[key] = [me]
        try:
            try:
                await asyncio.sleep(0)
            finally:
                del self._open[key]
            if len(members) == 1:
                return await self._inner(me.request, me.on_text)
            async with asyncio.TaskGroup() as group:
                for part in _parts(members):
                    group.create_task(self._buy(part))
            reply = me.came.result()
            assert reply is not None
            return reply
        finally:
            if me.came.done():
                me.came.exception()  # which nobody else looks at, where this call was cancelled
            for member in members:  # where this call was cancelled, the others live on
                if not member.came.done():
                    member.came.set_result(None)

    async def _buy(self, members: Sequence[_Member]) -> None:
        """One request for these samples; what is lacking then, one by one."""
        if len(members) == 1:
            await self._ask(members[0])
            return
        try:
            reply = await self._inner(replace(members[0].request, n=len(members)), None)
        except Exception as error:
            await self._refused(members, error)
        else:
            await self._share_out(members, reply)

    async def _refused(self, members: Sequence[_Member], error: Exception) -> None:
        if isinstance(error, BudgetExceeded):
            await self._each(members)  # some of them may still fit
        elif isinstance(error, ModelError) and error.kind == "bad_request":
            await self._each(members, error.attempts if isinstance(error, CallFailed) else ())
            if any(member.answered for member in members):
                self._alone(members[0].request.model)
        else:
            _fail(members, error)

    async def _share_out(self, members: Sequence[_Member], reply: LLMReply) -> None:
        replies = _told_apart(reply)
        for member, one in zip(members, replies, strict=False):
            if member.on_text is not None:
                member.on_text(TextDelta(one.text))
            member.take(one)
        if len(replies) < len(members):
            if not reply.degraded:  # which another endpoint gave
                self._alone(members[0].request.model)
            await self._each(members[len(replies) :])

    async def _each(self, members: Sequence[_Member], failed: Sequence[Attempt] = ()) -> None:
        """Ask for each by itself; what failed before is told with the first."""
        async with asyncio.TaskGroup() as group:
            for n, member in enumerate(members):
                group.create_task(self._ask(member, () if n else failed))

    async def _ask(self, member: _Member, failed: Sequence[Attempt] = ()) -> None:
        try:
            reply = await self._inner(member.request, member.on_text)
        except CallFailed as error:
            member.fail(CallFailed(str(error), error, (*failed, *error.attempts)))
        except Exception as error:
            member.fail(error)
        else:
            member.take(replace(reply, failed=(*failed, *reply.failed)))


def _temperature(request: LLMRequest) -> float | None:
    return request.model.temperature if request.temperature is None else request.temperature


def _company(one: LLMRequest, other: LLMRequest) -> bool:
    return replace(other, address=one.address, sample=one.sample) == one


def _parts(members: Sequence[_Member]) -> Iterator[list[_Member]]:
    """The samples in order, in parts of at most `MOST`; those of a model with a seed without a gap in any part."""
    part: list[_Member] = []
    for member in sorted(members, key=lambda m: m.request.sample):
        gap = part and member.request.sample != part[-1].request.sample + 1
        if len(part) == MOST or (gap and member.request.model.seed is not None):
            yield part
            part = []
        part.append(member)
    yield part


def _fail(members: Sequence[_Member], error: Exception) -> None:
    """A failure of all of them, whose attempts the first one tells."""
    for n, member in enumerate(members):
        if n and isinstance(error, CallFailed):
            member.fail(CallFailed(str(error), error, error.attempts, shared=True))
        else:
            member.fail(error)


def _told_apart(reply: LLMReply) -> list[LLMReply]:
    """The replies, each by itself. What the endpoint told of tokens and money, and what failed, is in the first."""
    known = reply.usage.total is not None
    others = [
        replace(
            other,
            usage=_NOTHING if known else Usage(),
            usd=None if reply.usd is None else 0.0,
            seconds=reply.seconds,
            shared=True,
        )
        for other in reply.more
    ]
    return [replace(reply, more=()), *others]
