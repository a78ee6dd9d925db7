"""Belief propagation over what many students knew at the start, all students at once.

The network is the one of `maieutic.memory.student`: concept c is known at the start with probability
prior_c * prod over its unknown prerequisites p of (1 - w_pc). The product is read as a noisy-AND of Bernoulli causes:
a base cause (true with prior_c) and one gate for each prerequisite (open where it is known, else open with 1 - w_pc).
So the expected number of true base causes is what the M-step for prior_c needs, and one factor costs time linear in its
prerequisites. Exact where the prerequisites form a polytree; elsewhere loopy belief propagation (Pearl 1988; Murphy,
Weiss and Jordan 1999) and the Bethe approximation of the likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Initial", "Start"]

Floats = NDArray[np.float64]

CLOSE = 1e-12
SWEEPS = 50
"""Messages are passed until none changes by more than CLOSE, at most SWEEPS times up and down."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is believed of the start, given what each student did afterwards.

    Attributes:
        cavity: P(known at the start) from all other concepts' evidence, [concept, student].
        bases: P(the base cause held | everything), [concept, student].
        log_likelihood: Of everything, in nats; what scaled the evidence is not in it.
    """

    cavity: Floats
    bases: Floats
    log_likelihood: float


class Initial:
    """The prerequisite structure, ready for belief propagation.

    Args:
        count: How many concepts.
        edges: (prerequisite, concept, weight), where a prerequisite's number is lower than the concept's.
    """

    def __init__(self, count: int, edges: Sequence[tuple[int, int, float]]) -> None:
        self.count = count
        self.weights = [weight for _, _, weight in edges]
        self.source = [prerequisite for prerequisite, _, _ in edges]
        self.parents: list[list[int]] = [[] for _ in range(count)]
        self.children: list[list[int]] = [[] for _ in range(count)]
        for number, (prerequisite, concept, _) in enumerate(edges):
            self.parents[concept].append(number)
            self.children[prerequisite].append(number)
        self.linked = [c for c in range(count) if self.parents[c] or self.children[c]]
        self.single = max(map(len, self.parents), default=0) <= 1

    def infer(self, prior: Floats, evidence: Floats) -> Start:
        """Pass messages.

        Args:
            prior: prior_c, [concept].
            evidence: P(all that the student did | known at the start or not), up to a factor,
                [2 (not known, known), concept, student].
        """
        chance = prior[:, None]
        free = chance * evidence[1] + (1 - chance) * evidence[0]
        bases = chance * evidence[1] / free
        cavity = np.repeat(chance, evidence.shape[2], axis=1)
        log_likelihood = np.log(np.delete(free, self.linked, axis=0)).sum()
        if self.linked:
            log_likelihood += self._linked(prior, evidence, cavity, bases)
        return Start(cavity, bases, float(log_likelihood))

    def _linked(self, prior: Floats, evidence: Floats, cavity: Floats, bases: Floats) -> float:
        """The same for the concepts that have prerequisites or are some; fills in `cavity` and `bases`."""
        students = evidence.shape[2]
        up = np.ones((len(self.weights), 2, students))
        down = np.full((len(self.weights), students), 0.5)
        for _ in range(1 if self.single else SWEEPS):
            before = up.copy(), down.copy()
            self._upwards(prior, evidence, up, down)
            self._downwards(prior, evidence, up, down)
            if max(np.abs(up - before[0]).max(), np.abs(down - before[1]).max()) < CLOSE:
                break
        log_likelihood = -np.log(up[:, 0] * (1 - down) + up[:, 1] * down).sum()
        for c in self.linked:
            own, open_ = self._above(c, evidence, up), self._open(self.parents[c], down)
            known, base = own[1] * prior[c] * open_, own[0] * prior[c] * (1 - open_)
            whole = known + base + own[0] * (1 - prior[c])
            bases[c] = (known + base) / whole
            rest = self._messages(c, up)
            yes, no = rest[1] * prior[c] * open_, rest[0] * (1 - prior[c] * open_)
            cavity[c] = yes / (yes + no)
            log_likelihood += np.log(whole).sum()
        return float(log_likelihood)

    def _upwards(self, prior: Floats, evidence: Floats, up: Floats, down: Floats) -> None:
        """What the concepts that need it say of each prerequisite."""
        for c in reversed(self.linked):
            own = self._above(c, evidence, up)
            for edge in self.parents[c]:
                others = [other for other in self.parents[c] if other != edge]
                known = prior[c] * self._open(others, down)
                missing = known * (1 - self.weights[edge])
                up[edge, 1] = own[1] * known + own[0] * (1 - known)
                up[edge, 0] = own[1] * missing + own[0] * (1 - missing)
                up[edge] /= up[edge].max(axis=0)

    def _downwards(self, prior: Floats, evidence: Floats, up: Floats, down: Floats) -> None:
        """What a prerequisite, and all behind it, says to each concept that needs it."""
        for c in self.linked:
            if not self.children[c]:
                continue
            chance = prior[c] * self._open(self.parents[c], down)
            for edge in self.children[c]:
                rest = self._messages(c, up, without=edge)
                yes, no = chance * evidence[1, c] * rest[1], (1 - chance) * evidence[0, c] * rest[0]
                down[edge] = yes / (yes + no)

    def _open(self, edges: Sequence[int], down: Floats) -> Floats:
        """P(all gates are open), gates being independent given the messages."""
        chance = np.ones(down.shape[1])
        for edge in edges:
            chance *= 1 - self.weights[edge] * (1 - down[edge])
        return chance

    def _messages(self, c: int, up: Floats, *, without: int = -1) -> Floats:
        product = np.ones(up.shape[1:])
        for edge in self.children[c]:
            if edge != without:
                product *= up[edge]
        return product

    def _above(self, c: int, evidence: Floats, up: Floats) -> Floats:
        """Own evidence and that of everything that needs c."""
        return np.asarray(self._messages(c, up) * evidence[:, c], dtype=np.float64)
