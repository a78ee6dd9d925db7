"""How good predictions of right answers are: proper scores, calibration, and the bins of a reliability diagram.

`predicted` is always the chance of a right answer that was stated beforehand, 0 to 1, and `observed` whether the answer
came right (True, False, 1 or 0), in the same order. Every function raises UsageError where the two are empty, differ in
length, or hold something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from maieutic.errors import UsageError
from maieutic.wording import amount

__all__ = ["Bin", "Calibration", "Equal", "auc", "brier", "expected_calibration_error", "log_loss", "reliability"]

Equal = Literal["width", "mass"]
"""How bins are cut: into equal stretches of probability, or into equal numbers of predictions."""

SUREST = 1e-15
"""Log-loss counts no prediction as closer to 0 or 1 than this, so that a certain error costs 34.5, not infinity."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions that lie together in a reliability diagram.

    Attributes:
        low: Where the bin begins: its edge if bins are equally wide, its lowest prediction if they are equally full.
        high: Where it ends, likewise.
        predicted: Mean prediction in it.
        observed: Share of right answers in it.
        n: How many predictions lie in it, at least 1.
    """

    low: float
    high: float
    predicted: float
    observed: float
    n: int

    @property
    def gap(self) -> float:
        """How far the mean prediction lies above the share of right answers; negative where it lies below."""
        return self.predicted - self.observed


@dataclass(frozen=True, slots=True)
class Calibration:
    """What predictions were worth.

    Attributes:
        log_loss: Mean negative log-likelihood in nats; lower is better; 0.693 is a coin's.
        brier: Mean squared error, 0 to 1; lower is better; 0.25 is a coin's.
        ece: Expected calibration error over `bins`, 0 to 1; lower is better.
        n: How many answers were predicted.
        bins: The filled bins of the reliability diagram, by rising prediction.
    """

    log_loss: float
    brier: float
    ece: float
    n: int
    bins: tuple[Bin, ...]

    @classmethod
    def of(
        cls, predicted: Sequence[float], observed: Sequence[bool | int], *, bins: int = 10, equal: Equal = "width"
    ) -> Calibration:
        """Everything at once; see the functions of this module.

        Example:
            >>> print(Calibration.of([0.9, 0.8, 0.3, 0.2], [True, True, False, True]))
            log-loss 0.574, Brier 0.195, ECE 0.350 over 4 answers
        """
        cut = tuple(reliability(predicted, observed, bins, equal=equal))
        return cls(log_loss(predicted, observed), brier(predicted, observed), _error(cut), len(predicted), cut)

    def __str__(self) -> str:
        scores = f"log-loss {self.log_loss:.3f}, Brier {self.brier:.3f}, ECE {self.ece:.3f}"
        return f"{scores} over {amount(self.n, 'answer')}"


def log_loss(predicted: Sequence[float], observed: Sequence[bool | int]) -> float:
    """Mean negative log-likelihood in nats (Good, "Rational decisions", J. R. Stat. Soc. B 14, 1952).

    A prediction closer than 1e-15 to 0 or 1 counts as 1e-15 away from it.
    """
    _check(predicted, observed)
    chances = (p if right else 1 - p for p, right in zip(predicted, observed, strict=True))
    return -math.fsum(math.log(max(chance, SUREST)) for chance in chances) / len(predicted)


def brier(predicted: Sequence[float], observed: Sequence[bool | int]) -> float:
    """Mean squared difference between prediction and outcome (Brier, Monthly Weather Review 78, 1950)."""
    _check(predicted, observed)
    return math.fsum((p - right) ** 2 for p, right in zip(predicted, observed, strict=True)) / len(predicted)


def expected_calibration_error(
    predicted: Sequence[float], observed: Sequence[bool | int], bins: int = 10, *, equal: Equal = "width"
) -> float:
    """Mean distance between what a bin predicts and what came of it, weighted by how many answers lie in the bin.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    With few answers it is above 0 for perfect predictions too, and the more bins the more so: compare it only between
    predictions of the same answers with the same bins.
    """
    return _error(tuple(reliability(predicted, observed, bins, equal=equal)))


def reliability(
    predicted: Sequence[float], observed: Sequence[bool | int], bins: int = 10, *, equal: Equal = "width"
) -> list[Bin]:
    """The bins of a reliability diagram, by rising prediction; empty ones are left out.

    Args:
        predicted: Chances of a right answer, 0 to 1.
        observed: Whether each came right.
        bins: How many bins at most, 1 or more.
        equal: "width" cuts 0 to 1 into equal stretches (a prediction on an edge belongs to the upper one, 1 to the
            last); "mass" puts about equally many predictions into each and never cuts between equal predictions.

    Raises:
        UsageError: Nothing to judge, sequences that do not fit, or no bins.
    """
    _check(predicted, observed)
    if bins < 1:
        raise UsageError(f"a reliability diagram needs at least 1 bin, not {bins}")
    pairs = sorted(zip(map(float, predicted), map(bool, observed), strict=True))
    return _equally_wide(pairs, bins) if equal == "width" else _equally_full(pairs, bins)


def auc(predicted: Sequence[float], observed: Sequence[bool | int]) -> float:
    """The chance that a right answer was given a higher prediction than a wrong one, ties counting half.

    It is the area under the ROC curve (Hanley and McNeil, Radiology 143, 1982); it tells nothing of calibration.

    Raises:
        UsageError: Also where all answers are right or all wrong: there is nothing to tell apart.
    """
    _check(predicted, observed)
    right = sum(map(bool, observed))
    wrong = len(observed) - right
    if not right or not wrong:
        raise UsageError("the area under the ROC curve needs right and wrong answers; here all are the same")
    pairs = sorted(zip(map(float, predicted), map(bool, observed), strict=True))
    ranks = 0.0
    for start, end in _ties(pairs):
        ranks += (start + end + 1) / 2 * sum(came for _, came in pairs[start:end])
    return (ranks - right * (right + 1) / 2) / (right * wrong)


def _check(predicted: Sequence[float], observed: Sequence[bool | int]) -> None:
    if len(predicted) != len(observed):
        raise UsageError(f"{len(predicted)} predictions cannot be judged by {len(observed)} outcomes")
    if not len(predicted):
        raise UsageError("there are no predictions to judge")
    for place, (p, right) in enumerate(zip(predicted, observed, strict=True)):
        if not 0 <= p <= 1:
            raise UsageError(f"prediction {place} is {p}; a prediction is a probability from 0 to 1")
        if right not in (0, 1):
            raise UsageError(f"outcome {place} is {right!r}; an outcome is right (True, 1) or wrong (False, 0)")


def _error(bins: tuple[Bin, ...]) -> float:
    return math.fsum(b.n * abs(b.gap) for b in bins) / sum(b.n for b in bins)


def _equally_wide(pairs: list[tuple[float, bool]], bins: int) -> list[Bin]:
    inside: dict[int, list[tuple[float, bool]]] = {}
    for pair in pairs:
        inside.setdefault(min(int(pair[0] * bins), bins - 1), []).append(pair)
    return [_bin(part, k / bins, (k + 1) / bins) for k, part in inside.items()]


def _equally_full(pairs: list[tuple[float, bool]], bins: int) -> list[Bin]:
    parts: list[list[tuple[float, bool]]] = [[]]
    for start, end in _ties(pairs):
        if parts[-1] and start >= len(pairs) * len(parts) / bins:
            parts.append([])
        parts[-1] += pairs[start:end]
    return [_bin(part, part[0][0], part[-1][0]) for part in parts]


def _bin(part: list[tuple[float, bool]], low: float, high: float) -> Bin:
    n = len(part)
    return Bin(low, high, math.fsum(p for p, _ in part) / n, sum(right for _, right in part) / n, n)


def _ties(pairs: list[tuple[float, bool]]) -> list[tuple[int, int]]:
    """Where runs of equal predictions begin and end."""
    cuts = [k for k in range(1, len(pairs)) if pairs[k][0] != pairs[k - 1][0]]
    return list(zip([0, *cuts], [*cuts, len(pairs)], strict=True))
