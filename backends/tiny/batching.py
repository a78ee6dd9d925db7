"""Work that is cheaper done together: jobs that wait at the same time become one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Batches"]

J = TypeVar("J")
R = TypeVar("R")

_GATHER = 0.002
"""Seconds that a batch waits for others to come."""


class Batches(Generic[J, R]):
    """Does jobs in batches, in a thread. No task outlives its callers: one of those who wait does the work for all.

    Args:
        work: Does a batch of jobs, the results in their order. It runs outside the event loop, never twice at a time.
        most: The most jobs of one batch.
    """

    def __init__(self, work: Callable[[Sequence[J]], Sequence[R]], most: int) -> None:
        self._work = work
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[J, asyncio.Future[R]]] = []

    async def do(self, job: J) -> R:
        """Do one job, with those that wait beside it.

        Raises:
            Exception: What `work` raised for the batch.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._turn, self._waiting = loop, asyncio.Lock(), []
        mine: tuple[J, asyncio.Future[R]] = (job, loop.create_future())
        self._waiting.append(mine)
        try:
            while not mine[1].done():
                async with self._turn:
                    if not mine[1].done():
                        await asyncio.sleep(_GATHER)
                        await self._do_some()
        finally:
            self._waiting = [one for one in self._waiting if one is not mine]
        return mine[1].result()

    async def _do_some(self) -> None:
        """Do a batch. If whoever does it is cancelled, the others wait again, for another to do it."""
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            results = await asyncio.to_thread(self._work, [job for job, _ in batch])
        except asyncio.CancelledError:
            self._waiting = batch + self._waiting
            raise
        except Exception as error:
            for _, future in batch:
                future.set_exception(error)
                future.exception()  # one who was cancelled will not look at it
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
