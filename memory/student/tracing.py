"""One concept in one student: a hidden Markov chain, exact given what was known at first.

States s = 2 k + j. k: 0 known, 1 unknown, 2 and up a misconception. j: 0 thinks that it knows, 1 thinks that it does
not. A trace keeps P(s | observations so far, K0) for both values of K0, and the log of how much better the observations
fit K0 = known than not known, which is the evidence that goes into the structure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from maieutic.memory.student.concepts import Concept

__all__ = ["Chain", "Trace", "Vector"]

Vector = tuple[float, ...]
"""One number per state s of a concept."""

_IMPOSSIBLE = 1e-300


class Chain:
    """The constants of one concept's chain.

    Attributes:
        concept: The parameters.
        size: Number of states s.
        thinks: P(thinks it knows | k) for each k.
        ones, known, confident: Indicator vectors: of everything, of K = known, of J = thinks it knows.
    """

    __slots__ = ("_decay", "concept", "confident", "first", "known", "misconceptions", "ones", "size", "thinks")

    def __init__(self, concept: Concept) -> None:
        self.concept = concept
        shares = concept.shares
        self.misconceptions = tuple(shares)
        believed = [each.believed for each in concept.misconceptions.values()]
        self.thinks = (concept.aware, concept.overconfident, *believed)
        self.size = 2 * len(self.thinks)
        self.ones: Vector = (1.0,) * self.size
        self.known: Vector = self.per_state([1.0] + [0.0] * (len(self.thinks) - 1))
        self.confident: Vector = (1.0, 0.0) * len(self.thinks)
        not_known = [0.0, max(1 - sum(shares.values()), 0.0), *shares.values()]
        self.first = (self.spread([1.0] + [0.0] * (len(self.thinks) - 1)), self.spread(not_known))
        self._decay = math.log1p(-concept.forget) if concept.forget < 1 else -math.inf

    def per_state(self, by_k: Sequence[float]) -> Vector:
        """A function of k as a vector over s."""
        return tuple(value for value in by_k for _ in (0, 1))

    def spread(self, by_k: Sequence[float]) -> Vector:
        """A distribution over k as one over s: j as it is on average for each k."""
        return tuple(p * q for p, sure in zip(by_k, self.thinks, strict=True) for q in (sure, 1 - sure))

    def kept(self, days: float) -> float:
        """P(still known after so many days)."""
        return math.exp(self._decay * days) if days > 0 else 1.0

    def learned(self, row: Sequence[float], rate: float) -> list[float]:
        """A distribution after what is not known was learned with chance `rate`."""
        after = [p * (1 - rate) for p in row]
        moved = rate * (1.0 - row[0] - row[1])
        after[0] = row[0] + moved * self.thinks[0]
        after[1] = row[1] + moved * (1 - self.thinks[0])
        return after

    def forgotten(self, row: Sequence[float], days: float) -> list[float]:
        """A distribution after `days` in which what was known may have been forgotten."""
        kept = self.kept(days)
        after = list(row)
        lost = (1 - kept) * (row[0] + row[1])
        after[0], after[1] = kept * row[0], kept * row[1]
        after[2] += lost * self.thinks[1]
        after[3] += lost * (1 - self.thinks[1])
        return after


class Trace:
    """What was observed of one concept so far.

    Attributes:
        if_known, if_not: P(s now | observations, K0 known / not known).
        evidence: ln P(observations | K0 known) - ln P(observations | K0 not known).
        day: Until which day forgetting is in the rows.
    """

    __slots__ = ("chain", "day", "evidence", "if_known", "if_not")

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.if_known: list[float] = list(chain.first[0])
        self.if_not: list[float] = list(chain.first[1])
        self.evidence = 0.0
        self.day = 0.0

    def copy(self) -> Trace:
        """An independent trace of the same."""
        other = Trace.__new__(Trace)
        other.chain = self.chain
        other.if_known = self.if_known.copy()
        other.if_not = self.if_not.copy()
        other.evidence = self.evidence
        other.day = self.day
        return other

    def weigh(self, likelihood: Sequence[float]) -> None:
        """Take in an observation with these likelihoods of the states."""
        known, of_known = _weighed(self.if_known, likelihood)
        rest, of_rest = _weighed(self.if_not, likelihood)
        self.if_known, self.if_not = known, rest
        self.evidence += math.log(max(of_known, _IMPOSSIBLE)) - math.log(max(of_rest, _IMPOSSIBLE))

    def update(self, if_known: Sequence[float], if_not: Sequence[float], evidence: float) -> None:
        """Take in an observation whose likelihoods differ by K0, and what it says about K0."""
        self.if_known, _ = _weighed(self.if_known, if_known)
        self.if_not, _ = _weighed(self.if_not, if_not)
        self.evidence += evidence

    def learn(self, rate: float) -> None:
        """What is not known may have been learned."""
        self.if_known = self.chain.learned(self.if_known, rate)
        self.if_not = self.chain.learned(self.if_not, rate)

    def wait_until(self, day: float) -> None:
        """Let the days pass until this one."""
        if day > self.day:
            if self.chain.concept.forget > 0:
                self.if_known = self.chain.forgotten(self.if_known, day - self.day)
                self.if_not = self.chain.forgotten(self.if_not, day - self.day)
            self.day = day

    def rows(self, day: float) -> tuple[list[float], list[float]]:
        """P(s) on a day given K0 not known, and given K0 known."""
        if day > self.day and self.chain.concept.forget > 0:
            days = day - self.day
            return self.chain.forgotten(self.if_not, days), self.chain.forgotten(self.if_known, days)
        return self.if_not, self.if_known

    def belief(self, first: float, day: float) -> list[float]:
        """P(s) on a day, where P(K0 known | everything) = `first`."""
        rest = 1.0 - first
        now = [first * p + rest * q for p, q in zip(self.if_known, self.if_not, strict=True)]
        if day > self.day and self.chain.concept.forget > 0:
            return self.chain.forgotten(now, day - self.day)
        return now


def _weighed(row: list[float], likelihood: Sequence[float]) -> tuple[list[float], float]:
    """A distribution after an observation, and the chance of that; as it was if that is impossible."""
    new = list(map(float.__mul__, row, likelihood))
    total = sum(new)
    return ([p / total for p in new], total) if total > 0 else (row, total)
