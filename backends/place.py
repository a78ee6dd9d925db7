"""Where in a run something happens, and the way to the run's resources; and places of their own outside any run."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maieutic.memory import Address, Emit, silent

if TYPE_CHECKING:
    from maieutic.backends.endpoints import Endpoints
    from maieutic.backends.gateway import Gateway
    from maieutic.memory.entries import Entry

__all__ = ["Place", "in_memory", "standalone"]


@dataclass(frozen=True, slots=True)
class Place:
    """Handed down explicitly from graph to node to agent; each step down appends to the address.

    Attributes:
        gateway: The run's door to models.
        address: The journal address.
        seed: The run's seed.
        emit: Who is told of events.
        stream: Whether anybody watches text as it comes; if not, replies are not streamed.
    """

    gateway: Gateway
    address: Address
    seed: int = 0
    emit: Emit = silent
    stream: bool = False

    def __truediv__(self, step: str) -> Place:
        return replace(self, address=self.address / step)

    def rng(self) -> random.Random:
        """A generator of this place's own: the same in every execution, different at every other place."""
        return random.Random(f"{self.seed}/{self.address.local}")


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
    from maieutic.backends.endpoints import Endpoints
    from maieutic.backends.gateway import Gateway

    gateway = Gateway(endpoints or Endpoints(), _Unwritten(), replay="off", emit=emit)
    return Place(gateway, Address("standalone"), seed, emit)


@asynccontextmanager
async def in_memory(endpoints: Endpoints | None = None, seed: int = 0, emit: Emit = silent) -> AsyncIterator[Place]:
    """A place for one run that leaves nothing behind; endpoints of its own are closed at the end.

    Args:
        endpoints: The host's endpoints; they stay open.
        seed: The seed of everything drawn there.
        emit: Who is told of events.
    """
    from maieutic.backends.endpoints import Endpoints

    if endpoints is not None:
        yield standalone(endpoints, seed=seed, emit=emit)
        return
    async with Endpoints() as own:
        yield standalone(own, seed=seed, emit=emit)
