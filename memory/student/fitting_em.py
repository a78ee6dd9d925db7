"""Expectation-maximisation over compiled logs: rounds of steps between which the plug-ins are refreshed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maieutic.memory.student.fitting_chains import Counts, Paths, Rates
from maieutic.memory.student.fitting_initial import Initial
from maieutic.memory.student.fitting_logs import Compiled

__all__ = ["BOUNDS", "Plan", "Rounds", "expectation_maximisation"]

Floats = NDArray[np.float64]

BOUNDS: Mapping[str, tuple[float, float]] = {
    "prior": (0.01, 0.99),
    "slip": (0.001, 0.4),
    "guess": (0.001, 0.5),
    "learn": (0.001, 0.999),
    "learn_practice": (0.0001, 0.9),
    "forget": (0.0001, 0.5),
    "helped": (0.01, 0.99),
}
"""Lowest and highest value of each parameter that can be fitted."""

MOST_STEPS = 1000
MOST_ROUNDS = 6
STILL = 1e-3
"""Rounds end when no parameter moves by more than this between them."""
MARGIN = 0.05
"""Starts keep this share of the range away from the bounds: at 0 a chance of learning would stay 0 for ever."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit; see `maieutic.memory.student.fitting.fit`."""

    parameters: tuple[str, ...]
    tied: frozenset[str]
    bounds: Mapping[str, tuple[float, float]]
    strength: float
    restarts: int
    tol: float
    seed: int


@dataclass(frozen=True, slots=True)
class Rounds:
    """Where EM ended.

    Attributes:
        rates: The fitted parameters, [concept] each.
        informed: For each of them, of which concepts the log says anything.
        objectives: The penalised log-likelihood after each step, by round.
        converged: Whether the last round ended for want of gain.
    """

    rates: Mapping[str, Floats]
    informed: Mapping[str, NDArray[np.bool_]]
    objectives: tuple[tuple[float, ...], ...]
    converged: bool


def expectation_maximisation(
    compiled: Compiled, given: Mapping[str, Floats], needs: Sequence[Mapping[int, float]], plan: Plan
) -> Rounds:
    """Fit, from the given parameters and from random ones, and take the best end."""
    search = _Search(compiled, given, needs, plan)
    rng = np.random.default_rng(plan.seed)
    starts = [given] + [search.drawn(rng) for _ in range(plan.restarts)]
    ends = [search.climb(search.inside(start)) for start in starts]
    return max(ends, key=lambda end: end.objectives[-1][-1])


class _Search:
    def __init__(
        self, compiled: Compiled, given: Mapping[str, Floats], needs: Sequence[Mapping[int, float]], plan: Plan
    ) -> None:
        self.compiled = compiled
        self.given = given
        self.plan = plan
        edges = [(p, concept, weight) for concept, each in enumerate(needs) for p, weight in each.items()]
        self.initial = Initial(len(needs), edges)
        chains = compiled.chains
        self.rows = (chains.row_concept, chains.row_student)
        self.counted = np.zeros((len(needs), compiled.students), dtype=np.bool_)  # whose start the log tells of
        self.counted[self.rows] = True
        self.counted[self.initial.linked] = True

    def drawn(self, rng: np.random.Generator) -> dict[str, Floats]:
        """Random parameters within the bounds."""
        return {name: rng.uniform(*self.plan.bounds[name], len(values)) for name, values in self.given.items()}

    def inside(self, start: Mapping[str, Floats]) -> Rates:
        """A start with room to move; what is not fitted stays as it was given."""
        rates = dict(self.given)
        for name in self.plan.parameters:
            low, high = self.plan.bounds[name]
            room = MARGIN * (high - low)
            value = start[name].mean() if name in self.plan.tied else start[name]
            rates[name] = np.clip(np.broadcast_to(value, start[name].shape), low + room, high - room)
        return Rates(**rates)

    def climb(self, rates: Rates) -> Rounds:
        """EM from one start to its end."""
        before = rates.prior[self.compiled.chains.concept]
        objectives = []
        for _ in range(MOST_ROUNDS if self.compiled.linked else 1):
            self.compiled.plug_in(before, rates)
            moved, values, converged = self._round(rates)
            objectives.append(tuple(values))
            paths, _, counts = self._expect(moved)
            before = paths.before
            still = self._distance(rates, moved) < STILL
            rates = moved
            if still:
                break
        informed = {name: self._told(name, counts[name]) for name in self.plan.parameters}
        fitted = {name: rates.arrays()[name] for name in self.plan.parameters}
        return Rounds(fitted, informed, tuple(objectives), converged)

    def _round(self, rates: Rates) -> tuple[Rates, list[float], bool]:
        values: list[float] = []
        least = self.plan.tol * self.compiled.answers
        for _ in range(MOST_STEPS):
            _, value, counts = self._expect(rates)
            values.append(value)
            if len(values) > 1 and values[-1] - values[-2] < least:
                return rates, values, True
            rates = self._maximise(rates, counts)
        return rates, values, False

    def _expect(self, rates: Rates) -> tuple[Paths, float, dict[str, Counts]]:
        paths = Paths(self.compiled.chains, rates)
        evidence = np.ones((2, *self.counted.shape))
        evidence[:, self.rows[0], self.rows[1]] = paths.evidence
        start = self.initial.infer(rates.prior, evidence)
        paths.forward(start.cavity[self.rows])
        counts = paths.counts()
        counts["prior"] = Counts((start.bases * self.counted).sum(axis=1), self.counted.sum(axis=1).astype(np.float64))
        return paths, start.log_likelihood + paths.log_scale + self._log_prior(rates), counts

    def _maximise(self, rates: Rates, counts: Mapping[str, Counts]) -> Rates:
        changed = {}
        for name in self.plan.parameters:
            drawn = _hazard(self.given[name]) if name == "forget" else self.given[name]
            happened = counts[name].happened + self.plan.strength * drawn
            possible = counts[name].possible + self.plan.strength
            if name in self.plan.tied:
                happened, possible = np.full_like(happened, happened.sum()), np.full_like(possible, possible.sum())
            value = np.divide(happened, possible, out=np.array(rates.arrays()[name]), where=possible > 0)
            changed[name] = np.clip(-np.expm1(-value) if name == "forget" else value, *self.plan.bounds[name])
        return rates.with_(**changed)

    def _log_prior(self, rates: Rates) -> float:
        """Beta priors with their mode at the given value; for the hazard of forgetting, a Gamma prior."""
        total = 0.0
        for name in self.plan.parameters:
            value, drawn = rates.arrays()[name], self.given[name]
            if name == "forget":
                value, drawn = _hazard(value), _hazard(drawn)
                total += float((drawn * np.log(value) - value).sum())
            else:
                total += float((drawn * np.log(value) + (1 - drawn) * np.log1p(-value)).sum())
        return self.plan.strength * total

    def _told(self, name: str, counts: Counts) -> NDArray[np.bool_]:
        told = counts.possible > 0
        return np.full_like(told, told.any()) if name in self.plan.tied else told

    def _distance(self, one: Rates, other: Rates) -> float:
        arrays = other.arrays()
        return max(float(np.abs(value - arrays[name]).max()) for name, value in one.arrays().items())


def _hazard(chance: Floats) -> Floats:
    """Forgetting per day as a rate: -ln(1 - chance)."""
    return np.asarray(-np.log1p(-np.minimum(chance, 1 - 1e-9)), dtype=np.float64)
