"""The belief itself: every concept's chain, tied together by the structure. It changes only by being told something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import networkx as nx

from maieutic.memory.student.answering import Term, messages
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.structure import Structure
from maieutic.memory.student.tracing import Chain, Trace

__all__ = ["Belief"]

_MANY = 200
_FINE, _COARSE = 1e-12, 1e-3
_STEPS, _ENOUGH = 8, 200  # per observation; per concept, where it is to settle


class Belief:
    """What is believed of one student, by positions of concepts.

    Args:
        concepts: A checked graph. It is read once; later changes to it are not seen.
        tolerance: See Structure; None is 1e-12 up to 200 concepts, 1e-3 and at most 8 steps per observation beyond.

    Attributes:
        names: The concepts in topological order; `where` is the position of each.
        chains: Their chains.
        needs: For each its prerequisites as (position, weight).
        at_first: Mastery of each before anything was observed.
        day: Days that have passed.
    """

    def __init__(self, concepts: ConceptGraph, tolerance: float | None = None) -> None:
        self.names: tuple[str, ...] = tuple(nx.topological_sort(concepts.graph))
        self.where = {name: at for at, name in enumerate(self.names)}
        self.chains = [Chain(concepts.concept(name)) for name in self.names]
        self.needs = [[(self.where[p], w) for p, w in concepts.needs(name).items()] for name in self.names]
        small = len(self.names) <= _MANY
        self.tolerance = (_FINE if small else _COARSE) if tolerance is None else tolerance
        self.day = 0.0
        self._traces = [Trace(chain) for chain in self.chains]
        priors = [chain.concept.prior for chain in self.chains]
        self._structure = Structure(priors, self.needs, self.tolerance, _ENOUGH * len(priors) if small else _STEPS)
        self.at_first = [self.mastery(concept) for concept in range(len(priors))]

    def copy(self) -> Belief:
        """An independent belief of the same."""
        other = Belief.__new__(Belief)
        other.__dict__.update(self.__dict__)
        other._traces = [trace.copy() for trace in self._traces]
        other._structure = self._structure.copy()
        return other

    def states(self, concept: int) -> list[float]:
        """P(s) of a concept now; see `maieutic.memory.student.tracing` for the states."""
        return self._traces[concept].belief(self._structure.first[concept], self.day)

    def mastery(self, concept: int) -> float:
        """P(known now)."""
        states = self.states(concept)
        return states[0] + states[1]

    def readiness(self, concept: int) -> float:
        """How much of what it needs is known: the product of 1 - weight * P(prerequisite not known)."""
        return math.prod(1 - weight * (1 - self.mastery(p)) for p, weight in self.needs[concept])

    def learning(self, concept: int) -> float:
        """P(learned from an explanation now | not known)."""
        return self.chains[concept].concept.learn * self.readiness(concept)

    def weigh(self, concepts: Sequence[int], terms: Sequence[Term]) -> None:
        """Take in a sign that depends on these concepts."""
        beliefs = [self.states(concept) for concept in concepts] if len(concepts) > 1 else [()]
        chains = [self.chains[concept] for concept in concepts]
        likelihoods = [_alone(terms, chains[0])] if len(concepts) == 1 else messages(terms, beliefs, chains)
        for concept, likelihood in zip(concepts, likelihoods, strict=True):
            trace = self._traces[concept]
            trace.wait_until(self.day)
            trace.weigh(likelihood)
        self._structure.tell([(concept, self._traces[concept].evidence) for concept in concepts])

    def practise(self, concepts: Sequence[int]) -> None:
        """The student worked on these: it may have learned them."""
        for concept in concepts:
            rate = self.chains[concept].concept.learn_practice
            if rate > 0:
                self._traces[concept].wait_until(self.day)
                self._traces[concept].learn(rate)

    def explain(self, concepts: Sequence[int]) -> None:
        """These were explained together."""
        rates = [self.learning(concept) for concept in concepts]
        for concept, rate in zip(concepts, rates, strict=True):
            self._traces[concept].wait_until(self.day)
            self._traces[concept].learn(rate)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without the graph."""
        traces = {
            name: {"known": trace.if_known, "not": trace.if_not, "evidence": trace.evidence, "day": trace.day}
            for name, trace in zip(self.names, self._traces, strict=True)
        }
        return {"day": self.day, "concepts": traces}

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `to_json` wrote of the same graph."""
        self.day = data["day"]
        for name, trace in zip(self.names, self._traces, strict=True):
            saved = data["concepts"][name]
            trace.if_known, trace.if_not = list(saved["known"]), list(saved["not"])
            trace.evidence, trace.day = saved["evidence"], saved["day"]
        evidence = [(at, trace.evidence) for at, trace in enumerate(self._traces)]
        self._structure.tell(evidence, _ENOUGH * len(evidence))


def _alone(terms: Sequence[Term], chain: Chain) -> list[float]:
    """The likelihood of a sign of one concept alone."""
    out = [0.0] * chain.size
    for coefficient, (vector,) in terms:
        out = [total + coefficient * value for total, value in zip(out, vector or chain.ones, strict=True)]
    return out
