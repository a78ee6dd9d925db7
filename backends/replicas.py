"""Several replicas of one model: a dialogue stays at one of them, and no call is lost when one goes down."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maieutic.backends.types import LLMReply, LLMRequest, TextSink
from maieutic.errors import ModelError

if TYPE_CHECKING:
    from maieutic.backends.endpoints import Endpoints
    from maieutic.backends.layers import Layer

__all__ = ["Health", "alive", "ranked", "replicated"]

_SUSPICIOUS = frozenset({"connection", "server", "timeout"})
"""Kinds of failure after which a replica's health is checked."""

CHECK_TIMEOUT = 3.0
"""Seconds within which a replica that is well answers a health check."""

FIRST_REST, LONGEST_REST = 5.0, 60.0
"""Seconds until a replica that is down is checked again, doubled each time."""


@dataclass(slots=True)
class _Down:
    until: float
    rest: float
    checking: bool = False


class Health:
    """Which replicas are down. A failed call raises the suspicion, a check decides; so a slow reply is no outage.

    Args:
        check: Whether the replica at an address is well.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, check: Callable[[str], Awaitable[bool]] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._check = check or alive
        self._clock = clock
        self._down: dict[str, _Down] = {}
        self._well: dict[str, float] = {}
        self._checking: dict[str, asyncio.Lock] = {}

    async def up(self, address: str) -> bool:
        """Whether calls may go there. One that was down is checked when its rest is over, by one caller at a time."""
        down = self._down.get(address)
        if down is None:
            return True
        if down.checking or self._clock() < down.until:
            return False
        down.checking = True
        try:
            well = await self._check(address)
        finally:
            down.checking = False
        if well:
            self._down.pop(address, None)
        else:
            down.rest = min(LONGEST_REST, 2 * down.rest)
            down.until = self._clock() + down.rest
        return well

    async def suspect(self, address: str) -> None:
        """A call failed there in a way that speaks of an outage. Calls that fail together share one check."""
        failed = self._clock()
        checking = self._checking.get(address)
        if checking is None or not checking.locked():
            checking = self._checking[address] = asyncio.Lock()
        async with checking:
            if address in self._down or self._well.get(address, -math.inf) >= failed:
                return
            if await self._check(address):
                self._well[address] = self._clock()
            else:
                self._down[address] = _Down(self._clock() + FIRST_REST, FIRST_REST)


async def alive(address: str) -> bool:
    """Whether a server answers `GET …/models` in three seconds: a refusal is an answer, an error of its own is none."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=CHECK_TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(f"{address.rstrip('/')}/models") as response,
        ):
            return response.status < 500
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def ranked(request: LLMRequest) -> list[str]:
    """The replicas in the order in which this request's dialogue prefers them.

    Rendezvous hashing (Thaler and Ravishankar 1998): when a replica comes or goes, only its own dialogues move. A
    dialogue is told by its run, item and repeat, and within them by the first message that is not the system's, which
    differs from item to item in a protocol over many items and stays the same as a view grows.
    """
    first = next((message.content for message in request.messages if message.role != "system"), "")
    at = request.address
    dialogue = "\0".join((at.run, at.item, str(at.repeat), first)).encode()

    def weight(address: str) -> bytes:
        return hashlib.blake2b(dialogue, key=hashlib.blake2b(address.encode(), digest_size=32).digest()).digest()

    return sorted(request.model.replicas, key=weight, reverse=True)


def replicated(inner: Layer, endpoints: Endpoints, age: int) -> Layer:
    """Send each attempt to one replica: the dialogue's own, unless that is down or a whole round of calls comes first.

    It stands inside the retries: a call that fails as its replica goes down is repeated at another one.

    Args:
        inner: What makes an attempt.
        endpoints: Those of the host.
        age: The run's (see `Endpoints.begun`): calls of younger ones that wait at its replica are not in its way.
    """

    async def attempt(request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        if not request.model.replicas:
            return await inner(request, on_text)
        address = await _chosen(request, endpoints, age)
        there = replace(request, model=request.model.model_copy(update={"api_base": address}))
        try:
            return await inner(there, on_text)
        except ModelError as error:
            if error.kind in _SUSPICIOUS:
                await endpoints.health.suspect(address)
            raise

    return attempt


async def _chosen(request: LLMRequest, endpoints: Endpoints, age: int) -> str:
    """The first replica by rank that is up and not overloaded; else one that is up; else the first."""
    order = ranked(request)
    well: str | None = None
    for address in order:  # a replica is looked at only if those before it will not do
        if not await endpoints.health.up(address):
            continue
        endpoint = endpoints.endpoint(request.model.model_copy(update={"api_base": address}))
        if not endpoint.limiter.overloaded(age) and endpoint.breaker.state != "open":
            return address
        well = well or address
    return well or order[0]
