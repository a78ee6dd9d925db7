"""What a bandit believes of one candidate: Bayesian linear regression of a number on the question's features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from maieutic.protocols.routing.routers.features import FAMILY, projected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

__all__ = ["Belief", "Estimate", "context", "without_words"]

PLACES = 64
"""Places for the words or the embedding; the family has its own."""
NOISE = 0.2
"""Variance of one quality about its expectation; a reply that is right or wrong has at most 0.25."""
SPREADS = (0.3, 0.15, 0.6)
"""Prior standard deviation of quality between candidates, between questions by their words, between families."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quality as it is believed: its mean, its standard deviation, and from how many records."""

    mean: float
    spread: float
    n: int


def context(rows: Rows) -> Rows:
    """Features (words or embedding, then the family) as the regression takes them: with a constant before them."""
    words, family = rows[:, :-FAMILY], rows[:, -FAMILY:]
    return np.hstack([np.ones((len(rows), 1)), projected(words, PLACES), family])


def without_words(rows: Rows) -> Rows:
    """Of contexts the constant and the family alone: enough for what a call costs, and a tenth of the numbers."""
    return np.hstack([rows[..., :1], rows[..., -FAMILY:]])


@dataclass(slots=True)
class Belief:
    """The sums that tell all about the values seen: how many, the products of features, features times value."""

    n: int
    products: Rows
    weighted: Rows
    _posterior: tuple[Rows, Rows] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def nothing(cls, wide: int) -> Self:
        """Before any record."""
        return cls(0, np.zeros((wide, wide)), np.zeros(wide))

    @classmethod
    def of(cls, rows: Rows, values: Rows) -> Self:
        """From rows of features and the number of each."""
        return cls(len(rows), rows.T @ rows, rows.T @ values)

    def add(self, row: Rows, value: float) -> None:
        """One record more."""
        self.n += 1
        self.products = self.products + np.outer(row, row)
        self.weighted = self.weighted + row * value
        self._posterior = None

    def at(self, row: Rows, expected: float) -> Estimate:
        """What is expected for one question. In another unit the mean is the same number in that unit.

        Args:
            row: Its features (see `context`).
            expected: The mean that is expected before any record.
        """
        prior = _prior(len(row))
        if self.n == 0:
            return Estimate(expected, math.sqrt(float(row * row @ (1 / prior))), 0)
        if self._posterior is None:
            covariance: Rows = np.linalg.inv(np.diag(prior) + self.products / NOISE).astype(np.float64)
            self._posterior = covariance, covariance @ (self.weighted / NOISE)
        spread, seen = self._posterior
        mean = row @ (seen + spread[:, 0] * (prior[0] * expected))
        return Estimate(float(mean), math.sqrt(max(float(row @ spread @ row), 0.0)), self.n)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; of the products, which are symmetric, the upper half row by row."""
        upper = self.products[np.triu_indices(len(self.weighted))]
        return {"n": self.n, "products": upper.tolist(), "weighted": self.weighted.tolist()}

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        weighted = np.array(raw["weighted"], dtype=np.float64)
        products = np.zeros((len(weighted), len(weighted)))
        products[np.triu_indices(len(weighted))] = raw["products"]
        return cls(int(raw["n"]), products + np.triu(products, 1).T, weighted)


def _prior(wide: int) -> Rows:
    """The precision of each weight before any record."""
    constant, words, family = (1 / spread**2 for spread in SPREADS)
    return np.concatenate([[constant], np.full(wide - 1 - FAMILY, words), np.full(FAMILY, family)])
