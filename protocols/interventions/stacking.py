"""Several estimates made one, calibrated on outcomes that were observed: logistic stacking.

For each condition (alone, explained) the log-odds of a right answer are b + sum over estimators of w_m * logit(p_m).
Fitted is the penalised likelihood of the practice outcomes, with a ridge that draws the weights to 1/M and the constant
to 0: without practice the result is the mean of the log-odds. How strong the ridge is, cross-validation on the practice
items says. With a single estimator this is Platt's scaling.

Wolpert, "Stacked generalization", Neural Networks 5, 1992; Platt, "Probabilistic outputs for support vector machines",
1999. The estimates must not have seen the outcomes that they are stacked on (see `Estimator.estimate_practice`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.protocols.interventions.estimators import Estimates
from maieutic.protocols.interventions.records import Estimate, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Stacking"]

RIDGES = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)
"""Penalties that are tried, the strongest first; among equals the strongest is taken."""
FOLDS = 5
LEAST = 0.01
"""Estimates nearer to 0 or 1 than this count as this far away: a logit must not be infinite."""


@dataclass(frozen=True, slots=True)
class Stacking:
    """Fitted weights.

    Attributes:
        names: The estimators, in the order of the weights.
        alone, explained: The constant, then one weight for each estimator.
        ridge: The penalty taken for each condition.
        n: How many practice items it was fitted on.
    """

    names: tuple[str, ...]
    alone: tuple[float, ...]
    explained: tuple[float, ...]
    ridge: tuple[float, float]
    n: int

    @classmethod
    def fit(cls, estimates: Mapping[str, Estimates], practice: Sequence[Record]) -> Stacking:
        """The weights that fit the practice outcomes.

        Args:
            estimates: By estimator, its estimates of practice items that it had not seen.
            practice: What came of them; only items that every estimator estimated count.
        """
        names = tuple(estimates)
        seen = [record for record in practice if all(record.item in estimates[name] for name in names)]
        alone = _fitted(
            [[estimates[m][r.item].alone for m in names] for r in seen], [r.alone.agrees for r in seen], names
        )
        explained = _fitted(
            [[estimates[m][r.item].explained for m in names] for r in seen], [r.explained.agrees for r in seen], names
        )
        return cls(names, alone[0], explained[0], (alone[1], explained[1]), len(seen))

    def combine(self, estimates: Mapping[str, Estimates]) -> Estimates:
        """One estimate for each item that all the estimators estimated."""
        import numpy as np

        items = [item for item in estimates[self.names[0]] if all(item in estimates[name] for name in self.names)]
        if not items:
            return {}
        alone, explained = (
            _predicted(
                _design([[getattr(estimates[m][i], which) for m in self.names] for i in items]), np.array(weights)
            )
            for which, weights in (("alone", self.alone), ("explained", self.explained))
        )
        return {
            item: Estimate(alone=float(a), explained=float(e))
            for item, a, e in zip(items, alone, explained, strict=True)
        }


def _fitted(
    rows: Sequence[Sequence[float]], right: Sequence[bool], names: Sequence[str]
) -> tuple[tuple[float, ...], float]:
    """Weights and the ridge taken."""
    import numpy as np

    prior = np.array([0.0, *[1 / len(names)] * len(names)])
    if len(rows) < FOLDS:
        return tuple(map(float, prior)), RIDGES[0]
    x, y = _design(rows), np.array(right, dtype=float)
    fold = np.arange(len(y)) % FOLDS
    losses = []
    for ridge in RIDGES:
        loss = 0.0
        for k in range(FOLDS):
            p = _predicted(x[fold == k], _newton(x[fold != k], y[fold != k], prior, ridge))
            loss -= float(np.log(np.where(y[fold == k] > 0, p, 1 - p)).sum())
        losses.append(loss)
    best = next(r for r, loss in zip(RIDGES, losses, strict=True) if loss <= min(losses) + 1e-9)
    return tuple(map(float, _newton(x, y, prior, best))), best


def _design(rows: Sequence[Sequence[float]]) -> Array:
    """A column of ones, then the logits."""
    import numpy as np

    p = np.clip(np.array(rows, dtype=float), LEAST, 1 - LEAST)
    return np.column_stack([np.ones(len(p)), np.log(p / (1 - p))])


def _predicted(x: Array, weights: Array) -> Array:
    import numpy as np

    found: Array = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
    return found


def _newton(x: Array, y: Array, prior: Array, ridge: float) -> Array:
    """The maximum of the penalised likelihood (concave; Newton's method with halved steps where one overshoots)."""
    import numpy as np

    def loss(weights: Array) -> float:
        z = np.clip(x @ weights, -30, 30)
        return float((np.log1p(np.exp(z)) - y * z).sum() + ridge / 2 * ((weights - prior) ** 2).sum())

    weights = prior.copy()
    now = loss(weights)
    for _ in range(50):
        p = _predicted(x, weights)
        slope = x.T @ (p - y) + ridge * (weights - prior)
        curve = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        while loss(weights - step) > now + 1e-12 and np.abs(step).max() > 1e-10:
            step /= 2
        weights = weights - step
        now = loss(weights)
        if np.abs(step).max() < 1e-9:
            break
    return weights
