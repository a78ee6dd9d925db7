"""How many calls may be in flight at one endpoint."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType

from maieutic.backends.retry import LONGEST_WAIT
from maieutic.errors import ModelError

__all__ = ["Limiter", "Slot"]


class Limiter:
    """First come, first served, with a limit that adapts to the endpoint (additive increase, multiplicative decrease).

    A 429 halves the limit, once for all the calls that were in flight together; as many successes as the limit raise it
    by one, up to the maximum. A Retry-After pauses every call at the endpoint, not only the one that was told.

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
        self._queue: deque[asyncio.Future[None]] = deque()
        self._successes = 0
        self._resume_at = 0.0

    def slot(self) -> Slot:
        """A place among the calls in flight, to be used with `async with` around one attempt."""
        return Slot(self)

    @property
    def overloaded(self) -> bool:
        """Whether a call that comes now would wait for a whole round of others."""
        return len(self._queue) >= self.limit

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

    async def acquire(self) -> None:
        """Wait for a slot, then for the end of a pause that the endpoint asked for."""
        if self._queue or self.in_flight >= self.limit:
            await self._turn()
        else:
            self.in_flight += 1
        try:
            while (pause := self._resume_at - self._clock()) > 0:
                await self._sleep(pause)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give a slot back to whoever waits longest."""
        self.in_flight -= 1
        self._wake()

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._wake()  # drops the dead entry if nobody else will
            else:
                self.release()  # the slot had been handed over when the cancellation came
            raise

    def _wake(self) -> None:
        while self._queue and (self._queue[0].done() or self.in_flight < self.limit):
            turn = self._queue.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)


class Slot:
    """One call in flight; leaving it tells the limiter how the endpoint took the call."""

    __slots__ = ("_limiter", "_seen")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._seen = 0

    async def __aenter__(self) -> Slot:
        await self._limiter.acquire()
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
