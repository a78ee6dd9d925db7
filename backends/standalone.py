"""Places for protocols that are used without the run layer: in a script, in a test, inside a host's own graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from maieutic.backends.endpoints import Endpoints
from maieutic.backends.gateway import Gateway
from maieutic.backends.place import Place
from maieutic.memory import Address, Emit, silent
from maieutic.memory.entries import Entry

if TYPE_CHECKING:
    from maieutic.memory.journal import Journal

__all__ = ["in_memory", "standalone"]


class _Unwritten:
    """A journal that keeps nothing, for runs that nobody will resume or replay."""

    def find(self, run: str, at: str) -> Entry | None:
        return None

    def cached(self, fingerprint: str) -> Entry | None:
        return None

    def nearest(self, run: str, entry: Entry) -> Entry | None:
        return None

    async def record(self, run: str, entry: Entry) -> None:
        pass


def standalone(endpoints: Endpoints | None = None, *, seed: int = 0, emit: Emit = silent) -> Place:
    """A place with a gateway of its own and no journal, which lives as long as you keep it.

    Args:
        endpoints: The host's endpoints; left out, it makes its own, whose connections close with the process.
        seed: The seed of everything drawn there.
        emit: Who is told of events.
    """
    gateway = Gateway(endpoints or Endpoints(), cast("Journal", _Unwritten()), replay="off", emit=emit)
    return Place(gateway, Address("standalone"), seed, emit)


@asynccontextmanager
async def in_memory(endpoints: Endpoints | None = None, seed: int = 0, emit: Emit = silent) -> AsyncIterator[Place]:
    """A place for one run that leaves nothing behind; endpoints of its own are closed at the end.

    Args:
        endpoints: The host's endpoints; they stay open.
        seed: The seed of everything drawn there.
        emit: Who is told of events.
    """
    if endpoints is not None:
        yield standalone(endpoints, seed=seed, emit=emit)
        return
    async with Endpoints() as own:
        yield standalone(own, seed=seed, emit=emit)
