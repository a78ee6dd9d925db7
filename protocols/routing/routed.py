"""A model that is chosen anew for each call: what stands behind `model: {router: …}` in a graph file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maieutic.backends.models import ModelSpec
from maieutic.memory import Event
from maieutic.protocols.routing.routers.base import Decision, Query, Router
from maieutic.protocols.routing.routers.choosing import choose
from maieutic.protocols.routing.routers.harvest import ROUTE

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.protocols.routing.pool import Candidate, Pool

__all__ = ["RoutedModel"]


class RoutedModel:
    """Chooses the model of each call of an agent; the journal keeps each decision.

    A resumed or replayed run repeats the decisions that it has, whatever the router has learned since. What the router
    knows does not change while a run goes on: rate the run (`maieutic route rate`), and train the router again.

    Args:
        router: Decides; it must have learned what it needs.
        pool: The candidates.
        family: The task family of what the agent is asked; "" if it is not known.

    Attributes:
        stand_in: The candidate with the highest declared price, for estimates before the run.
    """

    def __init__(self, router: Router, pool: Pool, *, family: str = "") -> None:
        self.router = router
        self.pool = pool
        self.family = family
        self.stand_in = max(pool.each(), key=_declared).model

    @property
    def described(self) -> str:
        """In words: who chooses, and from whom."""
        return f"whatever {self.router.name} chooses from {', '.join(self.pool.names)}"

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """All models that it may choose."""
        return tuple(candidate.model for candidate in self.pool.each())

    async def choose(self, question: str, at: Place) -> ModelSpec:
        """The model for one call, with the candidate's own price.

        Args:
            question: What the agent is asked.
            at: The call's place; the decision stands at `route` below it.

        Raises:
            UsageError: The router cannot choose from this pool.
            ModelError: The question had to be embedded, and the endpoint failed.
            ReplayMiss: The journal has a decision about something else here.
        """
        here = at / ROUTE
        names = list(self.pool.names)
        inputs = {"router": self.router.name, "pool": names, "question": question, "family": self.family}

        async def call() -> dict[str, Any]:
            return (await choose(self.router, Query(question, self.family), self.pool, here)).to_json()

        decision = Decision.of_json(await at.gateway.effect(here.address, ROUTE, inputs, call))
        at.emit(Event("routed", here.address.local, decision.to_json()))
        return self.pool.the(decision.name).priced


def _declared(candidate: Candidate) -> float:
    price = candidate.price or candidate.model.price
    return -1.0 if price is None else price.output
