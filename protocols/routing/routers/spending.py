"""What a candidate's answer takes, in dollars and seconds, and what that is worth against its quality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Candidate, Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["Spending", "Take", "TradeOff", "cheapest_first"]

TYPICAL = (300, 200)
"""Prompt and completion tokens of a call, where nothing was recorded yet and only a price is known."""


class TradeOff(BaseModel):
    """How much quality one would give up for money and time: utility = quality - per_usd * usd - per_second * seconds.

    Quality goes from 0 to 1. With per_usd = 50 a reply that costs 1 cent more must be better by 0.5 to be worth it;
    with per_second = 0.01 one that takes 10 s longer by 0.1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    per_usd: Annotated[float, Field(ge=0, description="Quality given up for one US dollar.")] = 0.0
    per_second: Annotated[float, Field(ge=0, description="Quality given up for one second.")] = 0.0

    def utility(self, quality: float, usd: float | None, seconds: float | None) -> float:
        """Quality less what it takes; what is unknown takes nothing here, so fill it in before (see `Spending`)."""
        return quality - self.per_usd * (usd or 0.0) - self.per_second * (seconds or 0.0)


@dataclass(frozen=True, slots=True)
class Take:
    """What one call is expected to take.

    Attributes:
        usd, seconds: None where neither a record nor the pool tells.
        assumed: Whether a number was taken over from the dearest or slowest of the pool because its own is unknown.
    """

    usd: float | None
    seconds: float | None
    assumed: bool = False


@dataclass(slots=True)
class Spending:
    """Sums and counts of what calls took, by candidate (names with case folded)."""

    usd: dict[str, tuple[float, int]] = field(default_factory=dict)
    seconds: dict[str, tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[RoutingRecord]) -> Spending:
        """From records; a number that is unknown is left out."""
        made = cls()
        for record in records:
            made.add(record)
        return made

    def add(self, record: RoutingRecord) -> None:
        """Count one record more."""
        for sums, value in ((self.usd, record.usd), (self.seconds, record.seconds)):
            if value is not None:
                total, n = sums.get(record.key, (0.0, 0))
                sums[record.key] = total + value, n + 1

    def expected(self, pool: Pool) -> dict[str, Take]:
        """What a call of each candidate is expected to take.

        The mean of what was recorded; else by its price for a call of 300 and 200 tokens, and its median latency as the
        pool tells it; else as much as the dearest (slowest) of the pool, since unknown is not free.
        """
        usd = {c.name: _mean(self.usd.get(c.key), _by_price(c)) for c in pool.each()}
        seconds = {
            c.name: _mean(self.seconds.get(c.key), None if c.latency is None else c.latency.p50) for c in pool.each()
        }
        dearest = max((x for x in usd.values() if x is not None), default=None)
        slowest = max((x for x in seconds.values() if x is not None), default=None)
        return {
            name: Take(
                dearest if usd[name] is None else usd[name],
                slowest if seconds[name] is None else seconds[name],
                (usd[name] is None and dearest is not None) or (seconds[name] is None and slowest is not None),
            )
            for name in pool.names
        }

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"usd": {k: list(v) for k, v in self.usd.items()},
                "seconds": {k: list(v) for k, v in self.seconds.items()}}  # fmt: skip

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Spending:
        """What `to_json` wrote."""
        return cls(*({k: (float(v[0]), int(v[1])) for k, v in raw[name].items()} for name in ("usd", "seconds")))


def cheapest_first(pool: Pool, spending: Spending | None = None) -> Sequence[str]:
    """The names by expected cost of a call, the unknown ones last; equals in the pool's order."""
    found = spending or Spending()
    usd = {c.name: _mean(found.usd.get(c.key), _by_price(c)) for c in pool.each()}
    return sorted(usd, key=lambda name: (usd[name] is None, usd[name] or 0.0))


def _mean(recorded: tuple[float, int] | None, otherwise: float | None) -> float | None:
    return otherwise if recorded is None else recorded[0] / recorded[1]


def _by_price(candidate: Candidate) -> float | None:
    price = candidate.known_price
    return None if price is None else (TYPICAL[0] * price.input + TYPICAL[1] * price.output) / 1e6
