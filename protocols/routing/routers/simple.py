"""Routers that learn nothing: the cheapest, the largest, any."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from maieutic.errors import UsageError
from maieutic.protocols.routing.routers.base import Decision, Query, best, kept, opened

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["Cheapest", "Largest", "Random"]


class _Untaught:
    """A router that takes no notice of records and has no state."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self.embedding = ""

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """There is nothing to learn."""

    def to_json(self) -> dict[str, Any]:
        """Its name alone."""
        return kept(self)  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """See Router."""
        opened(cls, raw, ())  # type: ignore[arg-type]
        return cls()


class Cheapest(_Untaught):
    """Always the model with the lowest price per completion token; an unknown price is never the lowest."""

    name = "cheapest"

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router."""
        prices = _prices(pool, self.name)
        chosen = best({name: -price for name, price in prices.items()})
        words = f"{chosen} has the lowest price: {prices[chosen]:g} USD per million completion tokens."
        return Decision(chosen, {name: -price for name, price in prices.items()}, (words,))


class Largest(_Untaught):
    """Always the model with the highest price per completion token, which stands for the largest.

    Few providers tell the size of a model; all tell its price.
    """

    name = "largest"

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router."""
        prices = _prices(pool, self.name)
        chosen = best(prices)
        words = f"{chosen} has the highest price, which stands for size: {prices[chosen]:g} USD per million tokens."
        return Decision(chosen, prices, (words,))


class Random(_Untaught):
    """Any of the pool, each as likely as the others."""

    name = "random"

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router."""
        share = 1 / len(pool)
        chosen = rng.choice(pool.names)
        return Decision(chosen, dict.fromkeys(pool.names, share), (f"{chosen} was drawn from {len(pool)} at random.",))


def _prices(pool: Pool, router: str) -> dict[str, float]:
    prices = {c.name: price.output for c in pool.each() if (price := c.known_price) is not None}
    if not prices:
        raise UsageError(
            f"the router {router!r} chooses by price, and no candidate of the pool has one; "
            "give it one: price: {input: 0.1, output: 0.4} (USD per million tokens)"
        )
    return prices
