"""Elo ratings: who wins how often against whom, whatever the question."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from maieutic.errors import UsageError
from maieutic.protocols.routing.routers.base import Decision, Query, best, kept, opened
from maieutic.protocols.routing.routers.records import by_question
from maieutic.protocols.routing.routers.spending import cheapest_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["SCALE", "START", "Elo", "bradley_terry"]

SCALE = 400.0
"""Points of rating that make the odds 10 to 1."""
START = 1000.0
"""The mean rating, and that of a candidate that has not been compared yet."""
_RIDGE = 1e-4
"""Keeps the rating of a candidate finite that never lost."""


class Elo:
    """Always the candidate with the highest rating (Bradley–Terry, fitted by maximum likelihood to all pairs).

    Two candidates that answered the same question have met; the better answer wins, equals share the point. Source:
    Bradley and Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952; scale and start as for chess.
    """

    name: ClassVar[str] = "elo"

    def __init__(self, ratings: Mapping[str, float] | None = None) -> None:
        self.embedding = ""
        self.ratings = dict(ratings or {})

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """See Router.

        Raises:
            UsageError: No two candidates have answered the same question.
        """
        points: dict[tuple[str, str], float] = {}
        for met in by_question(records).values():
            for one, other in combinations(met, 2):
                if one.key != other.key:
                    won = 0.5 if one.quality == other.quality else float(one.quality > other.quality)
                    points[one.key, other.key] = points.get((one.key, other.key), 0.0) + won
                    points[other.key, one.key] = points.get((other.key, one.key), 0.0) + 1 - won
        if not points:
            raise UsageError("elo needs records of two or more candidates that answered the same question")
        self.ratings = bradley_terry(points)

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router."""
        scores = {c.name: self.ratings.get(c.key, START) for c in pool.each()}
        chosen = best(scores, cheapest_first(pool))
        words = f"{chosen} has the highest rating of {len(pool)} ({scores[chosen]:.0f}; the mean is {START:.0f})."
        return Decision(chosen, scores, (words,))

    def to_json(self) -> dict[str, Any]:
        """See Router."""
        return kept(self, ratings=self.ratings)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """See Router."""
        return cls(**opened(cls, raw, ("ratings",)))


def bradley_terry(points: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Ratings whose odds fit best to the points won: P(a beats b) = 1 / (1 + 10^((R_b - R_a) / 400)), mean 1000.

    Args:
        points: By (winner, loser): how many points the first has won from the second; a draw gives half to each.

    Example: three wins of four are odds of 3 to 1, so 400 · log10 3 ≈ 191 points.
        >>> ratings = bradley_terry({("a", "b"): 3, ("b", "a"): 1})
        >>> round(ratings["a"] - ratings["b"])
        191
    """
    names = sorted({name for pair in points for name in pair})
    place = {name: n for n, name in enumerate(names)}
    won = np.zeros((len(names), len(names)))
    for (winner, loser), n in points.items():
        won[place[winner], place[loser]] += n
    skill = _newton(won)
    ratings = START + (skill - skill.mean()) * SCALE / math.log(10)
    return {name: float(ratings[n]) for name, n in place.items()}


def _newton(won: NDArray[np.float64], steps: int = 100) -> NDArray[np.float64]:
    """The skills, in log-odds, at which the gradient of the likelihood is zero."""
    games, skill = won + won.T, np.zeros(len(won))
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(skill[:, None] - skill[None, :], -30, 30)))
        gradient = won.sum(axis=1) - (games * chance).sum(axis=1) - _RIDGE * skill
        spread = games * chance * (1 - chance)
        hessian = np.diag(spread.sum(axis=1) + _RIDGE) - spread
        step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
        skill = skill + step
        if np.abs(step).max() < 1e-10:
            break
    return skill
