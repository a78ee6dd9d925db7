"""An event loop whose time passes only when nothing is left to do: hours of waiting in seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from maieutic.memory import RunRecord
from maieutic.memory.entries import Entry
from maieutic.memory.journal import Journal

__all__ = ["VirtualJournal", "VirtualLoop", "virtually"]

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps take no time, and whatever runs takes none of the loop's time.

    What would be done in a thread is done at once. Where another thread will report (see VirtualJournal), time stands
    still until it has.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.elsewhere = 0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Do it now."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for the next timer, says that it is time."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or (timeout > 0 and self._loop.elsewhere):
            return super().select(None)
        events = super().select(0)
        if not events and timeout > 0:
            self._loop.now += timeout
        return events


class VirtualJournal(Journal):
    """A journal whose thread is waited for before time goes on."""

    async def record(self, run: str, entry: Entry) -> None:
        """See Journal."""
        await _elsewhere(super().record(run, entry))

    async def begin_soon(self, run: RunRecord) -> None:
        """See Journal."""
        await _elsewhere(super().begin_soon(run))

    async def finish_soon(self, run_id: str, **ending: Any) -> None:
        """See Journal."""
        await _elsewhere(super().finish_soon(run_id, **ending))


async def _elsewhere(act: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.elsewhere += 1
    try:
        await act
    finally:
        loop.elsewhere -= 1


def virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
