"""Who did well on the questions most like this one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.routing.routers.base import Decision, Query, best, kept, opened
from maieutic.protocols.routing.routers.features import HASHING, features, features_of
from maieutic.protocols.routing.routers.records import RoutingRecord
from maieutic.protocols.routing.routers.spending import Spending, cheapest_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.protocols.routing.pool import Pool

__all__ = ["Neighbours"]

_FIELDS = ("k", "embedding", "records", "vectors")


class Neighbours:
    """The candidate with the best mean quality on the k most similar questions that it answered (cosine similarity).

    Args:
        k: How many questions.
        embedding: "hashing" (the words), or the name of the model whose embeddings the records come with.

    Raises:
        UsageError: k below 1.
    """

    name: ClassVar[str] = "knn"

    def __init__(self, k: int = 5, embedding: str = HASHING) -> None:
        if k < 1:
            raise UsageError(f"knn needs 1 neighbour or more, not {k}")
        self.k = k
        self.embedding = embedding
        self._records: list[RoutingRecord] = []
        self._vectors: dict[str, list[float]] = {}

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """See Router.

        Raises:
            UsageError: There are no records.
        """
        if not records:
            raise UsageError("knn needs records of questions that were answered")
        self._records = list(records)
        asked = {record.question for record in records}
        self._vectors = {question: list(vector) for question, vector in (vectors or {}).items() if question in asked}
        self.__dict__.pop("_rows", None)

    @cached_property
    def _rows(self) -> NDArray[np.float64]:
        return features_of(self._records, self._vectors, self.embedding)

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router. The scores are mean qualities; a candidate without records has none."""
        if not self._records:
            raise UsageError("knn has learned nothing yet; train it: maieutic route train --router knn")
        near = self._rows @ features(query, self.embedding)
        scores, seen = {}, {}
        for candidate in pool.each():
            mine = [n for n, record in enumerate(self._records) if record.key == candidate.key]
            nearest = sorted(mine, key=lambda n: -round(float(near[n]), 12))[: self.k]
            if nearest:
                scores[candidate.name] = sum(self._records[n].quality for n in nearest) / len(nearest)
                seen[candidate.name] = nearest
        if not scores:
            raise UsageError(f"knn has no records of any candidate of this pool ({', '.join(pool.names)})")
        chosen = best(scores, cheapest_first(pool, Spending.of(self._records)))
        like = self._records[seen[chosen][0]].question
        count = len(seen[chosen])
        words = (
            f"{chosen} has mean quality {scores[chosen]:.2f} on the {count} most similar questions, such as {like!r}."
        )
        return Decision(chosen, scores, (words,))

    def to_json(self) -> dict[str, Any]:
        """See Router."""
        records = [record.model_dump(exclude_defaults=True) for record in self._records]
        return kept(self, k=self.k, embedding=self.embedding, records=records, vectors=self._vectors)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """See Router."""
        state = opened(cls, raw, _FIELDS)
        made = cls(state["k"], state["embedding"])
        made._records = [RoutingRecord.model_validate(record) for record in state["records"]]
        made._vectors = state["vectors"]
        return made
