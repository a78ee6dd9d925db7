"""Where an experiment is kept and its work handed out: what SQLite does for one machine, PostgreSQL for many.

The unit of work is one dialogue: one item under one condition, once. Whoever works claims units for a while (a lease),
renews the leases while it lives, and reports results. A unit whose worker died is handed out again; its run goes on
where the journal has it, so that only calls in flight are made twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from maieutic.memory.databases import is_url
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.results import Result, ResultSource

__all__ = [
    "LASTING",
    "Arm",
    "Counts",
    "ExperimentStore",
    "Plan",
    "Tally",
    "Unit",
    "is_there",
    "open_store",
    "store_at",
    "unit_key",
    "unit_seed",
]

LASTING = frozenset({"done", "failed", "stopped"})
"""How a dialogue can end for good. One that was cancelled, or stopped by the experiment's own budget, is work again."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One condition of an experiment as the store knows it.

    Attributes:
        name: Unique in the experiment.
        digest: Of everything that decides what is asked: a condition that was edited is another, though its name stays.
        definition: What another machine needs to run it: a graph file's text and home, plain JSON.
    """

    name: str
    digest: str
    definition: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be computed.

    Attributes:
        experiment: The name under which its results stand.
        arms: The conditions, in the order of the file.
        repeats: How often each item is run under each condition.
        seed: The experiment's.
        spec: The experiment file as plain JSON, for other processes and reports.
        signature: Of the data set and the selection; a plan whose signature is known needs no second look at the data.
            None if that cannot be told.
    """

    experiment: str
    arms: tuple[Arm, ...]
    repeats: int
    seed: int
    spec: Mapping[str, object] = field(default_factory=dict)
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """One dialogue to be run.

    Attributes:
        key: Its id in the store, and the id of its run in the journal.
        condition: The arm's name.
        item: What it is about.
        repeat: From 0.
        seed: Of everything drawn at random.
    """

    key: str
    condition: str
    item: SampleItem
    repeat: int
    seed: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How far one condition is, in dialogues, and what the finished ones took.

    Attributes:
        waiting, claimed: To be done, and being done by somebody.
        done, failed, stopped: Over, by how they ended.
        calls, tokens: Sums over what is over.
        usd: Sum of the known prices.
        unpriced: Dialogues with a call of unknown price.
    """

    waiting: int = 0
    claimed: int = 0
    done: int = 0
    failed: int = 0
    stopped: int = 0
    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    @property
    def over(self) -> int:
        """Dialogues that are over."""
        return self.done + self.failed + self.stopped

    @property
    def planned(self) -> int:
        """All dialogues."""
        return self.waiting + self.claimed + self.over

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


Counts = Mapping[str, Tally]
"""Tallies by condition, in the order of the file."""


class ExperimentStore(ResultSource, Protocol):
    """Keeps experiments, hands out their units and takes in their results.

    A store is used by one event loop of one process at a time; many processes may have a store of the same place open.
    """

    async def plan(self, plan: Plan) -> bool:
        """Begin or change an experiment; whether its units have to be added (`add`), as the signature is a new one.

        Conditions, repeats and seeds that are no part of the plan any more keep their results, out of sight, and come
        back when they are planned again. Units that wait are set aside until they are added again.
        """
        ...

    async def add(self, experiment: str, items: Sequence[tuple[int, SampleItem]]) -> None:
        """Add items with their positions in the data set, and a unit for every condition and repeat of each.

        What is there already stays: a unit that is over is not computed again. An item whose inputs changed is new; of
        one that asks the same and has another target, group or family, results are told what it is, and lose their
        scores if they were made by another target.

        Raises:
            UsageError: An item's id has been added before, at another position.
        """
        ...

    async def added(self, experiment: str, *, whole: bool) -> None:
        """Note that all units of the plan are there.

        Args:
            experiment: Its name.
            whole: Whether what was added is the whole data set: results of items that are no part of it any more go
                out of sight, and come back with them.
        """
        ...

    def worker(self, name: str) -> AbstractAsyncContextManager[None]:
        """Work under a name that nobody else has; at the end, what it had claimed and not finished is work again."""
        ...

    async def claim(self, experiment: str, worker: str, most: int, *, lease: float) -> list[Unit]:
        """Take up to so many units for so many seconds: those that wait, or whose worker's lease ran out.

        The order is by repeat, item and condition, so that a part of an experiment is already comparable.
        """
        ...

    async def renew(self, worker: str, *, lease: float) -> None:
        """Keep what a worker has claimed for so many more seconds from now: its heartbeat."""
        ...

    async def finish(self, worker: str, results: Sequence[Result]) -> None:
        """Write results down. One whose status is not lasting gives its unit back instead."""
        ...

    async def again(self, experiment: str, *, statuses: Sequence[str]) -> int:
        """Make work of dialogues that ended so (`--retry-failed`); how many there were."""
        ...

    async def over(self, keys: Sequence[str]) -> int:
        """How many of these units are over: what need not be computed (`--dry-run`)."""
        ...

    async def counts(self, experiment: str) -> Counts:
        """How far every condition is."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


def unit_seed(seed: int, item: str, repeat: int) -> int:
    """The seed of an item's repeat under every condition: 31 bits, never 0 (which would leave things to chance)."""
    digest = hashlib.sha256(f"{seed}/{item}/{repeat}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4]) % (2**31 - 1) + 1


def unit_key(experiment: str, arm: tuple[str, str], item: SampleItem, repeat: int, seed: int) -> str:
    """The id of a unit and its run: readable, and different for whatever asks something else.

    Args:
        experiment, item, repeat: Which.
        arm: Name and digest of the condition.
        seed: The unit's (see `unit_seed`).
    """
    told = "\0".join((experiment, *arm, item.digest, str(repeat), str(seed)))
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{_slug(experiment)}.{_slug(arm[0])}.{_slug(item.id)}.{repeat}-{digest}"


def _slug(text: str) -> str:
    return re.sub(r"[^\w=+-]+", "-", text)[:32].strip("-") or "x"


def store_at(place: Path | str | None) -> ExperimentStore:
    """The store that belongs to a journal, opened; see `open_store`."""
    if isinstance(place, str) and is_url(place):
        from maieutic.runs.experiments.postgres import PostgresStore

        return PostgresStore(place)
    from maieutic.runs.experiments.sqlite import SQLiteStore

    return SQLiteStore.open(place)


def is_there(place: Path | str) -> bool:
    """Whether a journal has a store of experiments, as far as that can be told without making one."""
    from maieutic.runs.experiments.sqlite import beside

    return is_url(place) or beside(place).exists()


@asynccontextmanager
async def open_store(place: Path | str | None) -> AsyncIterator[ExperimentStore]:
    """The store that belongs to a journal: the same PostgreSQL database, a file beside it, or in memory if it is.

    Args:
        place: The journal's address or file, or None.
    """
    store = store_at(place)
    try:
        yield store
    finally:
        if place is not None:  # one in memory lives as long as results of it are held
            await store.aclose()
