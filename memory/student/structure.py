"""What was known at first, over the whole graph: belief propagation along the prerequisites.

K0_c is binary, and P(K0_c = 1 | prerequisites) = prior_c * prod over prerequisites p with K0_p = 0 of (1 - w_p): a
noisy-AND, for which the messages of Pearl (Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3) take
O(prerequisites) instead of O(2^prerequisites). Messages are odds, precise near 0 and near 1. Exact where the graph,
without its directions, is a forest; approximate on loops.

The concept whose incoming messages changed most is worked out next, and sends what would change the receiver by more
than a tolerance (residual belief propagation: Elidan, McGraw and Koller, UAI 2006). On loops it may swing; so messages
that do not settle soon go only half the way. What an observation costs is bounded by `steps`; what is left over then is
settled by the next ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

__all__ = ["Structure"]

_LEAST, _MOST = 1e-30, 1e30  # a message's odds
_FAINT, _STRONG = 1e-120, 1e120  # products of messages
_SURE = 250.0  # logarithms of odds beyond this say the same


class Structure:
    """P(K0 = known | evidence) of every concept.

    Args:
        priors: `prior` of each concept, in topological order.
        needs: For each concept its prerequisites as (position, weight).
        tolerance: Change of a receiver, as a probability, for which nothing is sent.
        steps: Concepts worked out per observation at most, besides those observed.

    Attributes:
        first: P(K0 = known | evidence) of each concept.
    """

    def __init__(
        self, priors: Sequence[float], needs: Sequence[Sequence[tuple[int, float]]], tolerance: float, steps: int
    ) -> None:
        self._priors = list(priors)
        self._steps = steps
        # (edge, prerequisite, 1 - weight), and (edge, concept that needs it, how much a message can matter to it)
        self._above: list[list[tuple[int, int, float]]] = [[] for _ in priors]
        self._below: list[list[tuple[int, int, float]]] = [[] for _ in priors]
        edges = 0
        for concept, prerequisites in enumerate(needs):
            for prerequisite, weight in prerequisites:
                self._above[concept].append((edges, prerequisite, 1.0 - weight))
                self._below[prerequisite].append((edges, concept, weight * priors[concept]))
                edges += 1
        self._down = [1.0] * edges  # odds of the prerequisite, to the concept that needs it
        self._up = [1.0] * edges  # likelihood ratio of the prerequisite, from the concept that needs it
        self._local = [1.0] * len(priors)  # likelihood ratio of each concept's own observations
        self.first = [0.0] * len(priors)
        self._pending = [0.0] * len(priors)  # how much came in since a concept was last worked out
        self._queued = [0.0] * len(priors)  # the same when it was put into the queue last
        self._queue: list[tuple[float, int]] = []  # (-queued, concept); void where it was queued again since
        self._tolerance = 0.0
        self._damped = False
        for concept in range(len(priors)):  # without evidence only messages down say anything: once in order is enough
            self._work(concept)
        self._queue.clear()
        self._pending = [0.0] * len(priors)
        self._queued = [0.0] * len(priors)
        self._tolerance = tolerance

    def copy(self) -> Structure:
        """An independent one with the same beliefs."""
        other = Structure.__new__(Structure)
        other.__dict__.update(self.__dict__)
        for name in ("_down", "_up", "_local", "first", "_pending", "_queued", "_queue"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def tell(self, evidence: Iterable[tuple[int, float]], steps: int | None = None) -> None:
        """Take the evidence of some concepts, ln P(observations | known) - ln P(observations | not known)."""
        for concept, log_odds in evidence:
            self._local[concept] = math.exp(min(max(log_odds, -_SURE), _SURE))
            self._work(concept)
        self._settle(self._steps if steps is None else steps)

    def joint(self, cluster: Sequence[int]) -> list[float]:
        """P(K0 of these concepts together | evidence), by case: bit i is the i-th of them.

        What lies between them counts in full, the rest of the graph by its messages.
        """
        inside = {concept: bit for bit, concept in enumerate(cluster)}
        chances = [1.0] * (1 << len(cluster))
        for concept, bit in inside.items():
            ratio, alone = self._local[concept], self._priors[concept]
            for edge, other, _ in self._below[concept]:
                ratio *= 1.0 if other in inside else self._up[edge]
            ratio = min(ratio, _STRONG)
            within = []
            for edge, other, leak in self._above[concept]:
                if other in inside:
                    within.append((inside[other], leak))
                else:
                    alone *= (self._down[edge] + leak) / (self._down[edge] + 1.0)
            for case in range(len(chances)):
                chance = alone
                for other, leak in within:
                    chance *= 1.0 if case >> other & 1 else leak
                chances[case] *= (chance * ratio if case >> bit & 1 else 1.0 - chance) / (1.0 + ratio)
        total = sum(chances)
        return [chance / total for chance in chances] if total > 0 else chances

    def _settle(self, steps: int) -> None:
        """Work out what changed, for so many steps at most."""
        queued = self._queued
        patience = 20 * len(queued) + 100
        while self._queue and steps > 0:
            least, concept = heappop(self._queue)
            if -least == queued[concept]:
                self._work(concept)
                steps -= 1
                patience -= 1
                self._damped = patience < 0
        self._damped = False

    def _work(self, concept: int) -> None:
        """Work out a concept's belief and its messages; send those that matter."""
        self._pending[concept] = self._queued[concept] = 0.0
        down, up, tolerance = self._down, self._up, self._tolerance
        ratio = self._local[concept]
        for edge, _, _ in self._below[concept]:
            ratio *= up[edge]
        ratio = _FAINT if ratio < _FAINT else _STRONG if ratio > _STRONG else ratio
        chance = self._priors[concept]
        for edge, _, leak in self._above[concept]:
            chance *= (down[edge] + leak) / (down[edge] + 1.0)
        odds = chance / (1.0 - chance if chance < 1.0 else _LEAST) * ratio
        self.first[concept] = odds / (1.0 + odds)
        for edge, other, matters in self._below[concept]:
            new, old = odds / up[edge], down[edge]
            new = _LEAST if new < _LEAST else _MOST if new > _MOST else new
            new = math.sqrt(new * old) if self._damped else new
            moved = matters * abs(new - old) / ((1.0 + new) * (1.0 + old))
            if moved > tolerance:
                down[edge] = new
                self._note(other, moved)
        if self._above[concept]:
            self._work_up(concept, chance, ratio)

    def _work_up(self, concept: int, chance: float, ratio: float) -> None:
        down, up, first, tolerance = self._down, self._up, self.first, self._tolerance
        for edge, other, leak in self._above[concept]:
            if chance > _FAINT:
                rest = chance * (down[edge] + 1.0) / (down[edge] + leak)
            else:  # the quotient would not be exact
                rest = self._without(concept, edge)
            weight = (ratio - 1.0) * rest
            below = 1.0 + weight * leak
            new, old = (1.0 + weight) / (below if below > _LEAST else _LEAST), up[edge]
            new = _LEAST if new < _LEAST else _MOST if new > _MOST else new
            new = math.sqrt(new * old) if self._damped else new
            believed = first[other]
            moved = believed * (1.0 - believed) * abs(new - old) / (new if new < old else old)
            if moved > tolerance:
                up[edge] = new
                self._note(other, moved)

    def _without(self, concept: int, edge: int) -> float:
        """The chance of being known at first if one prerequisite is known."""
        factors = ((self._down[e] + leak) / (self._down[e] + 1.0) for e, _, leak in self._above[concept] if e != edge)
        return self._priors[concept] * math.prod(factors)

    def _note(self, concept: int, moved: float) -> None:
        self._pending[concept] += moved
        if self._pending[concept] > 2.0 * self._queued[concept]:  # so the queue stays short
            self._queued[concept] = self._pending[concept]
            heappush(self._queue, (-self._pending[concept], concept))
            if len(self._queue) > 4 * len(self._queued) + 16:  # most entries are void
                self._queue = [(-queued, at) for at, queued in enumerate(self._queued) if queued > 0]
                heapify(self._queue)
