"""What a run's routed calls took, as records to learn from, once somebody says how good its outcome was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from maieutic.backends.journaled import reply_from_json
from maieutic.protocols.routing.routers.asking import taken
from maieutic.protocols.routing.routers.records import RoutingRecord

if TYPE_CHECKING:
    from maieutic.memory.entries import Entry
    from maieutic.protocols.routing.pool import Pool

__all__ = ["ROUTE", "routed_calls"]

ROUTE = "route"
"""The kind of a journaled decision, and the last step of its address; the call that it decided stands above it."""


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
