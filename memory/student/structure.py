"""What was known at first, over the whole graph: belief propagation along the prerequisites.

K0_c is binary, P(K0_c = 1 | prerequisites) = prior_c * prod over prerequisites p with K0_p = 0 of (1 - w_p): a noisy-AND,
for which the messages of Pearl (Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3) take O(prerequisites)
instead of O(2^prerequisites). Messages are odds, precise near 0 and near 1. They are sent again only where they would
change by more than a tolerance (residual belief propagation, Elidan, McGraw and Koller, UAI 2006, with a plain queue): an
observation costs as much as it changes. Exact where the graph without directions is a forest, approximate on loops.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

__all__ = ["Structure"]

_LEAST, _MOST = 1e-30, 1e30  # a message's odds
_FAINT, _STRONG = 1e-120, 1e120  # products of messages
_SURE = 250.0  # logarithms of odds beyond this say the same


class Structure:
    """P(K0 = known | evidence) of every concept.

    Args:
        priors: `prior` of each concept, in topological order.
        needs: For each concept its prerequisites as (position, weight).
        tolerance: Change of a message, as a probability, below which it is not sent again.

    Attributes:
        first: P(K0 = known | evidence) of each concept.
    """

    def __init__(self, priors: Sequence[float], needs: Sequence[Sequence[tuple[int, float]]], tolerance: float) -> None:
        self._priors = list(priors)
        self._tolerance = tolerance
        self._above: list[list[tuple[int, int, float]]] = [[] for _ in priors]  # (edge, prerequisite, 1 - weight)
        self._below: list[list[tuple[int, int]]] = [[] for _ in priors]  # (edge, concept that needs it)
        edges = 0
        for concept, prerequisites in enumerate(needs):
            for prerequisite, weight in prerequisites:
                self._above[concept].append((edges, prerequisite, 1.0 - weight))
                self._below[prerequisite].append((edges, concept))
                edges += 1
        self._down = [1.0] * edges  # odds of the prerequisite, to the concept that needs it
        self._up = [1.0] * edges  # likelihood ratio of the prerequisite, from the concept that needs it
        self._local = [1.0] * len(priors)  # likelihood ratio of each concept's own observations
        self.first = [0.0] * len(priors)
        self._most_steps = 100 * len(priors) + 100
        for concept in range(len(priors)):
            self._send(concept, deque(), set())

    def copy(self) -> Structure:
        """An independent one with the same beliefs."""
        other = Structure.__new__(Structure)
        other.__dict__.update(self.__dict__)
        other._down, other._up = self._down.copy(), self._up.copy()
        other._local, other.first = self._local.copy(), self.first.copy()
        return other

    def tell(self, evidence: Iterable[tuple[int, float]]) -> None:
        """Take the evidence of some concepts, ln P(observations | known) - ln P(observations | not), and settle."""
        queue: deque[int] = deque()
        for concept, log_odds in evidence:
            self._local[concept] = math.exp(min(max(log_odds, -_SURE), _SURE))
            queue.append(concept)
        waiting = set(queue)
        steps = 0
        while queue and steps < self._most_steps:
            concept = queue.popleft()
            waiting.discard(concept)
            self._send(concept, queue, waiting)
            steps += 1

    def _send(self, concept: int, queue: deque[int], waiting: set[int]) -> None:
        """Work out a concept's belief and its messages; send those that changed."""
        down, up, tolerance = self._down, self._up, self._tolerance
        ratio = self._local[concept]
        for edge, _ in self._below[concept]:
            ratio *= up[edge]
        ratio = min(max(ratio, _FAINT), _STRONG)
        above = self._above[concept]
        factors = [(down[edge] + leak) / (down[edge] + 1.0) for edge, _, leak in above]
        chance = self._priors[concept] * math.prod(factors)
        odds = chance / max(1.0 - chance, 1e-30) * ratio
        self.first[concept] = odds / (1.0 + odds)
        for edge, other in self._below[concept]:
            new = min(max(odds / up[edge], _LEAST), _MOST)
            if _moved(new, down[edge]) > tolerance:
                down[edge] = new
                if other not in waiting:
                    waiting.add(other)
                    queue.append(other)
        for position, (edge, other, leak) in enumerate(above):
            rest = self._without(concept, factors, position, chance)
            weight = (ratio - 1.0) * rest
            new = min(max((1.0 + weight) / max(1.0 + weight * leak, 1e-30), _LEAST), _MOST)
            if _moved(new, up[edge]) > tolerance:
                up[edge] = new
                if other not in waiting:
                    waiting.add(other)
                    queue.append(other)

    def _without(self, concept: int, factors: Sequence[float], position: int, chance: float) -> float:
        """The chance of being known at first if the prerequisite at `position` is known."""
        if chance > 1e-250:
            return chance / factors[position]
        return self._priors[concept] * math.prod(f for i, f in enumerate(factors) if i != position)


def _moved(new: float, old: float) -> float:
    """By how much two odds differ as probabilities."""
    return abs(new - old) / ((1.0 + new) * (1.0 + old))
