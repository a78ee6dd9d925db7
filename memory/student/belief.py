"""The belief itself: every concept's chain, tied together by the structure. It changes only by being told something."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import networkx as nx

from maieutic.memory.student.answering import Term, expectation, messages
from maieutic.memory.student.clusters import Rows, between, expected, over, weighed
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.structure import Structure
from maieutic.memory.student.tracing import Chain, Trace

__all__ = ["Belief"]

_MANY = 200
_FINE, _COARSE = 1e-12, 3e-4
_STEPS, _ENOUGH = 24, 200  # per observation; per concept, where it is to settle


class Belief:
    """What is believed of one student, by positions of concepts.

    Args:
        concepts: A checked graph. It is read once; later changes to it are not seen.
        tolerance: See Structure; None is 1e-12 up to 200 concepts, 3e-4 and at most 24 steps per observation beyond.

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
        self._neighbours: list[list[int]] = [[p for p, _ in needed] for needed in self.needs]
        for concept, needed in enumerate(self.needs):
            for prerequisite, _ in needed:
                self._neighbours[prerequisite].append(concept)
        self._clusters: dict[tuple[int, ...], tuple[int, ...]] = {}
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

    def expect(self, concepts: tuple[int, ...], terms: Sequence[Term], taught: Collection[int] = ()) -> float:
        """The mean of a likelihood that depends on these concepts; as if those `taught` had been explained."""
        if cluster := self._cluster(concepts):
            joint = over(self._structure.joint(cluster), len(concepts))
            rows = [self._traces[concept].rows(self.day) for concept in concepts]
            return expected(joint, terms, [self._taught(c, row, taught) for c, row in zip(concepts, rows, strict=True)])
        states = [self.states(concept) for concept in concepts]
        return expectation(
            terms,
            [
                self.chains[concept].learned(row, self.learning(concept)) if concept in taught else row
                for concept, row in zip(concepts, states, strict=True)
            ],
        )

    def _taught(self, concept: int, rows: Rows, taught: Collection[int]) -> Rows:
        if concept not in taught:
            return rows
        rate = self.learning(concept)
        return self.chains[concept].learned(rows[0], rate), self.chains[concept].learned(rows[1], rate)

    def _cluster(self, concepts: tuple[int, ...]) -> tuple[int, ...]:
        """The concepts and those between them, if they depend on one another; else nothing."""
        if concepts not in self._clusters:
            self._clusters[concepts] = between(concepts, self._neighbours)
        return self._clusters[concepts]

    def weigh(self, concepts: tuple[int, ...], terms: Sequence[Term]) -> None:
        """Take in a sign that depends on these concepts."""
        traces = [self._traces[concept] for concept in concepts]
        for trace in traces:
            trace.wait_until(self.day)
        if cluster := self._cluster(concepts):
            joint = over(self._structure.joint(cluster), len(concepts))
            updates = weighed(joint, terms, [(trace.if_not, trace.if_known) for trace in traces])
            for trace, update in zip(traces, updates, strict=True):
                trace.update(update.if_known, update.if_not, update.evidence)
        else:
            for trace, likelihood in zip(traces, self._messages(concepts, terms), strict=True):
                trace.weigh(likelihood)
        evidence = [trace.evidence for trace in traces]
        self._structure.tell(list(zip(concepts, evidence, strict=True)))

    def _messages(self, concepts: tuple[int, ...], terms: Sequence[Term]) -> list[list[float]]:
        """What a sign says about each of these concepts, which do not depend on one another."""
        chains = [self.chains[concept] for concept in concepts]
        if len(concepts) == 1:
            return [_alone(terms, chains[0])]
        return messages(terms, [self.states(concept) for concept in concepts], chains)

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
