"""How many calls may be in flight at one endpoint."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from types import TracebackType

from maieutic.backends.retry import LONGEST_WAIT
from maieutic.errors import ModelError

__all__ = ["TURN_OF_THE_LONGEST_WAIT", "Limiter", "Slot"]

TURN_OF_THE_LONGEST_WAIT = 32
"""Every so many-th slot that waiting calls are given goes to the one that waits longest, whatever its age."""


class Limiter:
    """Who may call now: the oldest dialogue first, within a limit that adapts to the endpoint.

    Of the calls that wait, those of the dialogue that began first are given a slot first; those of one dialogue in the
    order in which they came. So what was started is finished before more of what waits is started, and while the engine
    still keeps the beginnings of its prompts.

    Nobody starves. Dialogues of a batch are finite, so the youngest gets on when the older ones are through. And
    whatever goes on without an end, every so many-th slot (`TURN_OF_THE_LONGEST_WAIT`) goes to the call that waits
    longest: a call before which p others came is given one of the next (p + 1) · `TURN_OF_THE_LONGEST_WAIT` slots.

    The limit rises by addition and falls by halves. A 429 halves it, once for all the calls that were in flight
    together; as many successes as the limit raise it by one, up to the maximum. A Retry-After pauses every call at the
    endpoint, not only the one that was told.

    Args:
        maximum: Most calls in flight, at least 1.
        clock: Seconds, monotonic.
        sleep: How to wait.
    """

    def __init__(
        self,
        maximum: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.maximum = maximum
        self.limit = maximum
        self.in_flight = 0
        self.decreases = 0
        self._clock = clock
        self._sleep = sleep
        self._waiting: OrderedDict[int, tuple[asyncio.Future[None], int]] = OrderedDict()  # by arrival
        self._order: list[tuple[int, int]] = []  # the same as (age, arrival), sorted
        self._arrivals = 0
        self._turns = 0
        self._successes = 0
        self._resume_at = 0.0

    def slot(self, age: int = 0) -> Slot:
        """A place among the calls in flight, to be used with `async with` around one attempt.

        Args:
            age: The calling dialogue's place among all: a smaller number began earlier.
        """
        return Slot(self, age)

    @property
    def waiting(self) -> int:
        """How many calls wait for a slot."""
        return len(self._order)

    def overloaded(self, age: int = 0) -> bool:
        """Whether a call of a dialogue of this age that comes now would wait for a whole round of others."""
        return len(self._order) >= self.limit and self._order[self.limit - 1][0] <= age

    def narrow(self, maximum: int) -> None:
        """Lower the maximum; of several models that share an endpoint the most careful one counts."""
        self.maximum = min(self.maximum, maximum)
        self.limit = min(self.limit, self.maximum)

    def succeeded(self) -> None:
        """One call was answered."""
        self._successes += 1
        if self._successes >= self.limit:
            self._successes = 0
            self.limit = min(self.maximum, self.limit + 1)

    def throttled(self, error: ModelError, seen: int) -> None:
        """One call was told to slow down; `seen` is the number of decreases when it started."""
        if seen == self.decreases:
            self.decreases += 1
            self._successes = 0
            self.limit = max(1, self.limit // 2)
        pause = error.retry_after or 0.0
        if pause <= LONGEST_WAIT:  # a longer one fails its call, and each of the others may as well find out
            self._resume_at = max(self._resume_at, self._clock() + pause)

    async def acquire(self, age: int = 0) -> None:
        """Wait for a slot, then for the end of a pause that the endpoint asked for."""
        if self._order or self.in_flight >= self.limit:
            await self._turn(age)
        else:
            self.in_flight += 1
        try:
            while (pause := self._resume_at - self._clock()) > 0:
                await self._sleep(pause)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give a slot back to whoever is next."""
        self.in_flight -= 1
        self._wake()

    async def _turn(self, age: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        place = (age, self._arrivals)
        self._waiting[self._arrivals] = turn, age
        insort(self._order, place)
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._drop(place)
            else:
                self.release()  # the slot had been handed over when the cancellation came
            raise

    def _wake(self) -> None:
        while self._order and self.in_flight < self.limit:
            turn = self._next()
            if not turn.done():
                self.in_flight += 1
                self._turns += 1
                turn.set_result(None)

    def _next(self) -> asyncio.Future[None]:
        """Take the next call out of those that wait."""
        arrival = self._order[0][1]
        if (self._turns + 1) % TURN_OF_THE_LONGEST_WAIT == 0:
            arrival = next(iter(self._waiting))
        turn, age = self._waiting[arrival]
        self._drop((age, arrival))
        return turn

    def _drop(self, place: tuple[int, int]) -> None:
        if self._waiting.pop(place[1], None) is not None:
            del self._order[bisect_left(self._order, place)]


class Slot:
    """One call in flight; leaving it tells the limiter how the endpoint took the call."""

    __slots__ = ("_age", "_limiter", "_seen")

    def __init__(self, limiter: Limiter, age: int) -> None:
        self._limiter = limiter
        self._age = age
        self._seen = 0

    async def __aenter__(self) -> Slot:
        await self._limiter.acquire(self._age)
        self._seen = self._limiter.decreases
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._limiter.succeeded()
        elif isinstance(error, ModelError) and error.kind == "rate_limit":
            self._limiter.throttled(error, self._seen)
        self._limiter.release()
