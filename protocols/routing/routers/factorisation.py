"""Matrix factorisation: candidates and questions in one space, learned from which answer was better."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.routing.routers.base import Decision, Query, best, kept, opened
from maieutic.protocols.routing.routers.beliefs import context
from maieutic.protocols.routing.routers.features import HASHING, features, features_of
from maieutic.protocols.routing.routers.records import by_question
from maieutic.protocols.routing.routers.spending import cheapest_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

    Rows = NDArray[np.float64]

__all__ = ["Factorisation"]

_FIELDS = ("embedding", "names", "candidates", "questions", "weights")
_DECAY = 1e-3
_RATE = 0.02


class Factorisation:
    """score(candidate, question) = w · (v_candidate ∘ W q), fitted to pairs by logistic loss (full-batch Adam).

    Source: Ong et al., "RouteLLM: Learning to Route LLMs with Preference Data", 2024, section 4.2.

    Args:
        embedding: "hashing" (the words), or the name of the model whose embeddings the records come with.
        dimensions: Of the common space.
        steps: Of the fit.
        seed: Of the start.
    """

    name: ClassVar[str] = "factorisation"

    def __init__(self, embedding: str = HASHING, dimensions: int = 16, steps: int = 200, seed: int = 0) -> None:
        self.embedding = embedding
        self._shape = (dimensions, steps, seed)
        self._names: list[str] = []
        self._parts: dict[str, Rows] = {}

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """See Router.

        Raises:
            UsageError: No question was answered better by one candidate than by another.
        """
        self._names = sorted({record.key for record in records})
        place = {name: n for n, name in enumerate(self._names)}
        met = list(by_question(records).values())
        pairs = [
            (q, place[better.key], place[worse.key])
            for q, answers in enumerate(met)
            for one, other in combinations(answers, 2)
            if one.quality != other.quality
            for better, worse in [(one, other) if one.quality > other.quality else (other, one)]
        ]
        if not pairs:
            raise UsageError("factorisation needs questions that one candidate answered better than another")
        rows = context(features_of([answers[0] for answers in met], vectors, self.embedding))
        self._parts = _fitted(rows, np.array(pairs), len(self._names), self._shape)

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router. The scores are log-odds to answer better than a candidate of score 0."""
        known = {name: c.name for name in self._names if (c := pool.find(name)) is not None}
        if not known:
            raise UsageError(
                "factorisation was not trained on any candidate of this pool; train it: "
                "maieutic route train --router factorisation"
            )
        row = context(features(query, self.embedding)[None, :])[0]
        all_scores = self._parts["candidates"] @ (self._parts["weights"] * (self._parts["questions"] @ row))
        scores = {known[name]: float(all_scores[n]) for n, name in enumerate(self._names) if name in known}
        chosen = best(scores, cheapest_first(pool))
        words = f"{chosen} has the highest score for this question, {scores[chosen]:.2f}."
        others = {name: score for name, score in scores.items() if name != chosen}
        if others:
            second = best(others)
            odds = 1 / (1 + np.exp(scores[second] - scores[chosen]))
            words = f"{words[:-1]}; it beats the next, {second}, with probability {odds:.2f}."
        return Decision(chosen, scores, (words,))

    def to_json(self) -> dict[str, Any]:
        """See Router."""
        parts = {name: part.tolist() for name, part in self._parts.items()}
        empty: dict[str, Any] = {"candidates": [], "questions": [], "weights": []}
        return kept(self, embedding=self.embedding, names=self._names, **(parts or empty))

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """See Router."""
        state = opened(cls, raw, _FIELDS)
        made = cls(state["embedding"])
        made._names = list(state["names"])
        made._parts = {name: np.array(state[name]) for name in ("candidates", "questions", "weights")}
        return made


def _fitted(rows: Rows, pairs: NDArray[np.intp], names: int, shape: tuple[int, int, int]) -> dict[str, Rows]:
    dimensions, steps, seed = shape
    rng = np.random.default_rng(seed)
    parts = {
        "candidates": rng.normal(0, 0.3, (names, dimensions)),
        "questions": rng.normal(0, 0.3, (dimensions, rows.shape[1])),
        "weights": np.ones(dimensions),
    }
    moments = {name: (np.zeros_like(part), np.zeros_like(part)) for name, part in parts.items()}
    for step in range(1, steps + 1):
        for name, slope in _slopes(parts, rows, pairs).items():
            first, second = moments[name]
            first = 0.9 * first + 0.1 * slope
            second = 0.999 * second + 0.001 * slope**2
            moments[name] = first, second
            parts[name] = parts[name] - _RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return parts


def _slopes(parts: Mapping[str, Rows], rows: Rows, pairs: NDArray[np.intp]) -> dict[str, Rows]:
    """The gradient of the mean logistic loss over the pairs, with weight decay."""
    asked, better, worse = pairs.T
    hidden = (rows @ parts["questions"].T)[asked]
    apart = parts["candidates"][better] - parts["candidates"][worse]
    margin = (hidden * apart) @ parts["weights"]
    pull = -1 / (1 + np.exp(np.clip(margin, -30, 30)))[:, None] / len(pairs)
    moved, drawn = pull * hidden * parts["weights"], np.zeros((len(rows), hidden.shape[1]))
    candidates = np.zeros_like(parts["candidates"])
    np.add.at(candidates, better, moved)
    np.add.at(candidates, worse, -moved)
    np.add.at(drawn, asked, pull * apart * parts["weights"])
    slopes = {"candidates": candidates, "questions": drawn.T @ rows, "weights": (pull * hidden * apart).sum(axis=0)}
    return {name: slope + _DECAY * parts[name] for name, slope in slopes.items()}
