"""What a run's routed calls took, as records to learn from, once somebody says how good its outcome was.

The records are kept in the run's journal, so that they are where the run is: in a file, in a database, on a cassette.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from maieutic.backends.journaled import reply_from_json
from maieutic.errors import UsageError
from maieutic.memory import Address
from maieutic.memory.entries import Entry
from maieutic.protocols.routing.routers.asking import taken
from maieutic.protocols.routing.routers.records import RoutingRecord

if TYPE_CHECKING:
    from maieutic.memory import Journal
    from maieutic.protocols.routing.pool import Pool

__all__ = ["ROUTE", "keep", "kept", "routed_calls"]

ROUTE = "route"
"""The kind of a journaled decision, and the last step of its address; the call that it decided stands above it."""
RATING = "rating"
"""The kind of what somebody said about a run, and the first step of its address; an agent's name may follow."""


def routed_calls(
    entries: Iterable[Entry], pool: Pool, quality: float, run: str, agent: str = ""
) -> list[RoutingRecord]:
    """One record for each routed call of a run whose reply came.

    Args:
        entries: The run's entries (`Journal.entries`).
        pool: The candidates; calls of others are left out.
        quality: How good the run's outcome was, from 0 to 1; every routed call in it has its share in that.
        run: The run's id.
        agent: Whose calls count; everybody's if left out.
    """
    decided, replies = {}, {}
    for entry in entries:
        if entry.kind == ROUTE:
            decided[entry.at.removesuffix(f"/{ROUTE}")] = entry
        elif entry.kind == "model" and agent in ("", entry.agent):
            replies[entry.at] = entry
    found = []
    for at, decision in decided.items():
        candidate = pool.find(str(decision.reply["value"]["name"]))
        if candidate is None or at not in replies:
            continue
        reply = reply_from_json(replies[at].reply)
        usd, seconds = taken(candidate, reply)
        asked = decision.request["inputs"]
        found.append(
            RoutingRecord(
                question=asked["question"],
                model=candidate.name,
                quality=quality,
                family=asked["family"],
                usd=usd,
                tokens=reply.usage.total,
                seconds=seconds,
                run=run,
                simulated=reply.simulated,
            )
        )
    return found


async def keep(journal: Journal, run: str, records: Iterable[RoutingRecord], agent: str = "") -> None:
    """Keep what is known about a run's calls in its journal.

    Args:
        journal: It has the run.
        run: The run's id.
        records: What is known; their `run` is this one.
        agent: Whose calls they are; everybody's if left out.

    Raises:
        UsageError: The run was rated already, as a whole or for this agent.
    """
    place = Address(run) / RATING
    rated = {entry.agent for entry in journal.entries(run, kind=RATING)}
    if "" in rated or agent in rated or (rated and not agent):
        whom = "" if "" in rated else f" for {', '.join(sorted(rated))}"
        raise UsageError(f"run {run} was rated already{whom}; what was said first counts")
    lines = [record.model_dump(mode="json", exclude_defaults=True) for record in records]
    at = (place / agent if agent else place).local
    await journal.record(run, Entry(at, RATING, reply={"records": lines}, agent=agent))


def kept(journal: Journal) -> list[RoutingRecord]:
    """What is known about the calls of all runs of a journal, the oldest run first. A fork's copies are left out."""
    return [
        record
        for run in reversed(journal.runs())
        for entry in journal.entries(run.id, kind=RATING)
        for record in map(RoutingRecord.model_validate, entry.reply["records"])
        if record.run == run.id
    ]
