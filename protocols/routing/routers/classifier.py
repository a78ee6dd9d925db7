"""A small trained classifier: which candidate is best for a question like this."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.routing.routers.base import Decision, Query, best, kept, opened
from maieutic.protocols.routing.routers.features import HASHING, features, features_of
from maieutic.protocols.routing.routers.records import by_question
from maieutic.protocols.routing.routers.spending import Spending, cheapest_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["Classifier"]

_FIELDS = ("embedding", "classes", "weights", "constants")


class Classifier:
    """Multinomial logistic regression from a question's features to the candidate that answered it best.

    Of equally good answers the one of the cheaper candidate counts as best. Training needs scikit-learn
    (`pip install 'maieutic[routing]'`); deciding does not.

    Args:
        embedding: "hashing" (the words), or the name of the model whose embeddings the records come with.
    """

    name: ClassVar[str] = "classifier"

    def __init__(self, embedding: str = HASHING) -> None:
        self.embedding = embedding
        self._classes: list[str] = []
        self._weights: NDArray[np.float64] = np.zeros((0, 0))
        self._constants: NDArray[np.float64] = np.zeros(0)

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """See Router.

        Raises:
            UsageError: There are no records, or scikit-learn is not installed.
        """
        if not records:
            raise UsageError("classifier needs records of questions that were answered")
        firsts, labels = _labelled(records)
        rows = features_of(firsts, vectors, self.embedding)
        self._classes = sorted(set(labels))
        if len(self._classes) == 1:
            self._weights, self._constants = np.zeros((1, rows.shape[1])), np.zeros(1)
            return
        try:
            from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped,unused-ignore]
        except ImportError as error:
            raise UsageError(
                "The classifier is trained with scikit-learn. Install it with: pip install 'maieutic[routing]'"
            ) from error
        model = LogisticRegression(C=10.0, max_iter=2000).fit(rows, labels)
        weights, constants = np.asarray(model.coef_), np.asarray(model.intercept_)
        if len(self._classes) == 2:  # scikit-learn keeps one row for two classes: that of the second
            weights, constants = np.vstack([np.zeros_like(weights), weights]), np.concatenate([[0.0], constants])
        self._weights, self._constants = weights, constants

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router. The scores are probabilities to be the best, among those of the pool that it knows."""
        known = {name: c.name for name in self._classes if (c := pool.find(name)) is not None}
        if not known:
            raise UsageError(
                "classifier was not trained on any candidate of this pool; train it: "
                "maieutic route train --router classifier"
            )
        row = features(query, self.embedding)
        logits = self._weights @ row + self._constants
        of_pool = {known[name]: float(logits[n]) for n, name in enumerate(self._classes) if name in known}
        top = max(of_pool.values())
        raw = {name: float(np.exp(value - top)) for name, value in of_pool.items()}
        scores = {name: value / sum(raw.values()) for name, value in raw.items()}
        chosen = best(scores, cheapest_first(pool))
        words = f"{chosen} is the best for this question with probability {scores[chosen]:.2f}, as it was trained."
        return Decision(chosen, scores, (words,))

    def to_json(self) -> dict[str, Any]:
        """See Router."""
        weights, constants = self._weights.tolist(), self._constants.tolist()
        return kept(self, embedding=self.embedding, classes=self._classes, weights=weights, constants=constants)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """See Router."""
        state = opened(cls, raw, _FIELDS)
        made = cls(state["embedding"])
        made._classes = list(state["classes"])
        made._weights, made._constants = np.array(state["weights"]), np.array(state["constants"])
        return made


def _labelled(records: Sequence[RoutingRecord]) -> tuple[list[RoutingRecord], list[str]]:
    """One record of each question, and the candidate that answered it best."""
    spent = Spending.of(records).usd
    firsts, labels = [], []
    for met in by_question(records).values():
        cost = {r.key: spent[r.key][0] / spent[r.key][1] if r.key in spent else float("inf") for r in met}
        firsts.append(met[0])
        labels.append(min(met, key=lambda r: (-r.quality, cost[r.key], r.key)).key)
    return firsts, labels
