"""What every router is: something that learns from records and names one candidate for a question, with reasons."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["VERSION", "Decision", "Query", "Router", "best", "kept", "opened"]

VERSION = 1
"""Of the JSON in which routers keep what they have learned."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is to be routed.

    Attributes:
        question: Its text.
        family: Its task family; "" if nobody knows.
        vector: Its embedding by a model, for routers that were trained on such; the others hash the words.
    """

    question: str
    family: str = ""
    vector: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who shall answer, and why.

    Attributes:
        name: The candidate, by its name in the pool.
        scores: What each candidate was compared by; the greater the better. What it measures is the router's matter.
        reasons: Why, in words with numbers; one sentence each.
        explored: Whether the choice was made to learn, and not because it looked best.
    """

    name: str
    scores: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    explored: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as the journal keeps it."""
        return {
            "name": self.name, "scores": dict(self.scores), "reasons": list(self.reasons), "explored": self.explored
        }  # fmt: skip

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Decision:
        """The decision that `to_json` wrote."""
        return cls(raw["name"], dict(raw["scores"]), tuple(raw["reasons"]), raw["explored"])


@runtime_checkable
class Router(Protocol):
    """Chooses one candidate for a question without asking any model.

    Attributes:
        name: As it stands after `--router`.
        embedding: What the questions are compared by: "" for nothing, "hashing" for their words, else the model whose
            embeddings were in the records it was trained on.
    """

    name: ClassVar[str]
    embedding: str

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """Learn from all these records and forget what was learned before.

        Args:
            records: Replies of known quality.
            vectors: Embeddings by question, where a model made them.

        Raises:
            UsageError: It cannot learn from these records.
        """
        ...

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """Choose.

        Raises:
            UsageError: It cannot choose from this pool; the message says what is missing.
        """
        ...

    def to_json(self) -> dict[str, Any]:
        """What it has learned, as plain JSON with `router` and `version`."""
        ...

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Router:
        """The router that `to_json` wrote.

        Raises:
            UsageError: This is another router's state, or of another version.
        """
        ...


def best(scores: Mapping[str, float], cheaper: Sequence[str] = ()) -> str:
    """The name of the highest score; of equals the one that stands first in `cheaper`, then in the scores."""
    order = {name: n for n, name in enumerate((*cheaper, *scores))} | {name: n for n, name in enumerate(cheaper)}
    return min(scores, key=lambda name: (-round(scores[name], 12), order[name]))


def kept(router: Router, **state: Any) -> dict[str, Any]:
    """State with the router's name and the version before it."""
    return {"router": router.name, "version": VERSION, **state}


def opened(kind: type[Router], raw: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """The fields of a state, if it is one of this kind of router.

    Raises:
        UsageError: It is not, or a field is missing or unknown.
    """
    if raw.get("router") != kind.name or raw.get("version") != VERSION:
        raise UsageError(
            f"this is the state of router {raw.get('router')!r}, version {raw.get('version')!r}; "
            f"wanted is {kind.name!r}, version {VERSION}. Train it anew: maieutic route train --router {kind.name}"
        )
    wanted, given = set(fields), set(raw) - {"router", "version"}
    if wanted != given:
        raise UsageError(
            f"the state of router {kind.name!r} is damaged: "
            f"missing {', '.join(sorted(wanted - given)) or 'nothing'}, "
            f"unknown {', '.join(sorted(given - wanted)) or 'nothing'}. Train it anew with `maieutic route train`"
        )
    return {name: raw[name] for name in wanted}
