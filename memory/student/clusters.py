"""Signs that depend on several concepts which depend on one another: a concept and what it needs, in one item.

P(K0 of the item's concepts, together) comes from the structure between them; given it, their chains are independent. A
sign is weighed on that joint distribution, and each concept's evidence is set so that the structure has the joint's
marginals again (assumed density filtering, as Boyen and Koller, UAI 1998; the projection by iterative proportional
fitting, Deming and Stephan 1940). What is lost is only how the sign correlates the concepts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.memory.student.answering import Term, mean

__all__ = ["Rows", "Update", "between", "expected", "over", "weighed"]

Rows = tuple[Sequence[float], Sequence[float]]
"""P(s now | K0 not known) and P(s now | K0 known) of one concept: by the bit of K0."""

_MOST = 6
"""Concepts in a cluster: 2^6 cases are worked out."""
_FAR = 3
_CLOSE = 1e-11


@dataclass(frozen=True, slots=True)
class Update:
    """What a sign does to one concept.

    Attributes:
        if_not, if_known: Its likelihood for the states, given either K0.
        evidence: What it adds to the log odds of K0 = known.
    """

    if_not: list[float]
    if_known: list[float]
    evidence: float


def between(concepts: Sequence[int], neighbours: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The concepts with those on the short ways between them, the concepts first; empty if no way is short.

    Args:
        concepts: Two or more.
        neighbours: Of each concept in the graph, what it needs and what needs it.
    """
    if not 1 < len(concepts) <= _MOST:
        return ()
    found = dict.fromkeys(concepts)
    linked = False
    for i, start in enumerate(concepts):
        for way in _ways(start, set(concepts[i + 1 :]), neighbours):
            if len(found) + len(set(way) - set(found)) <= _MOST:
                found.update(dict.fromkeys(way))
                linked = True
    return tuple(found) if linked else ()


def _ways(start: int, goals: set[int], neighbours: Sequence[Sequence[int]]) -> list[list[int]]:
    """A shortest way to each goal that is not far, without its ends; short ones first."""
    ways: list[list[int]] = []
    seen = {start}
    queue: deque[tuple[int, list[int]]] = deque([(start, [])])
    while queue:
        at, way = queue.popleft()
        for other in neighbours[at]:
            if other in seen:
                continue
            seen.add(other)
            if other in goals:
                ways.append(way)
            if len(way) + 1 < _FAR:
                queue.append((other, [*way, other]))
    return ways


def over(joint: Sequence[float], number: int) -> list[float]:
    """The distribution of the first concepts of a cluster, from that of all: bit i of a case is concept i."""
    out = [0.0] * (1 << number)
    for case, chance in enumerate(joint):
        out[case & ((1 << number) - 1)] += chance
    return out


def expected(joint: Sequence[float], terms: Sequence[Term], rows: Sequence[Rows]) -> float:
    """The mean of a likelihood over the joint distribution of K0."""
    return sum(map(float.__mul__, joint, _likelihoods(terms, _means(terms, rows), len(joint))))


def weighed(joint: Sequence[float], terms: Sequence[Term], rows: Sequence[Rows]) -> list[Update]:
    """What a sign does to each of the concepts.

    Args:
        joint: P(K0 of the concepts together) before it, by case.
        terms: Its likelihood.
        rows: The concepts' states now.
    """
    means = _means(terms, rows)
    after = list(map(float.__mul__, joint, _likelihoods(terms, means, len(joint))))
    total = sum(after)
    if total <= 0:  # it cannot have been; there is nothing to learn from it
        return [Update([1.0] * len(one), [1.0] * len(one), 0.0) for one, _ in rows]
    evidence = _projected(joint, [chance / total for chance in after], len(rows))
    updates = []
    for at, (one, _) in enumerate(rows):
        if_not, if_known = (_given(joint, terms, means, at, bit=bit, size=len(one)) for bit in (0, 1))
        updates.append(Update(if_not, if_known, evidence[at]))
    return updates


def _means(terms: Sequence[Term], rows: Sequence[Rows]) -> list[list[tuple[float, float]]]:
    """For each term and concept, the mean of its function given either K0."""
    return [
        [(mean(vector, row[0]), mean(vector, row[1])) for vector, row in zip(vectors, rows, strict=True)]
        for _, vectors in terms
    ]


def _likelihoods(terms: Sequence[Term], means: Sequence[Sequence[tuple[float, float]]], cases: int) -> list[float]:
    out = [0.0] * cases
    for (coefficient, _), each in zip(terms, means, strict=True):
        for case in range(cases):
            out[case] += coefficient * math.prod(pair[case >> at & 1] for at, pair in enumerate(each))
    return out


def _given(
    joint: Sequence[float],
    terms: Sequence[Term],
    means: Sequence[Sequence[tuple[float, float]]],
    concept: int,
    *,
    bit: int,
    size: int,
) -> list[float]:
    """The likelihood of a concept's states given its K0, averaged over the other concepts given the same."""
    cases = [case for case in range(len(joint)) if case >> concept & 1 == bit]
    total = sum(joint[case] for case in cases)
    if total <= 0:
        return [1.0] * size
    out = [0.0] * size
    for (coefficient, vectors), each in zip(terms, means, strict=True):
        rest = sum(
            joint[case] * math.prod(pair[case >> at & 1] for at, pair in enumerate(each) if at != concept)
            for case in cases
        )
        weight, vector = coefficient * rest / total, vectors[concept]
        if vector is None:
            out = [value + weight for value in out]
        else:
            out = [value + weight * other for value, other in zip(out, vector, strict=True)]
    return out


def _projected(joint: Sequence[float], after: Sequence[float], number: int) -> list[float]:
    """The log odds to add to each concept so that the joint gets the marginals of `after`."""
    goals = [_marginal(after, at) for at in range(number)]
    evidence = [0.0] * number
    now = list(joint)
    for _ in range(100):
        moved = 0.0
        for at, goal in enumerate(goals):
            have = _marginal(now, at)
            if min(goal, 1 - goal, have, 1 - have) <= 0:
                continue  # it is certain, and stays so
            moved = max(moved, abs(goal - have))
            up, down = goal / have, (1 - goal) / (1 - have)
            now = [chance * (up if case >> at & 1 else down) for case, chance in enumerate(now)]
            evidence[at] += math.log(up / down)
        if moved < _CLOSE:
            break
    return evidence


def _marginal(joint: Sequence[float], at: int) -> float:
    return sum(chance for case, chance in enumerate(joint) if case >> at & 1)
