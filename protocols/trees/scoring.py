"""Scores that rise from the leaves, and siblings compared by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from maieutic.protocols.trees.tree import Id, Node, Tree

__all__ = ["Compared", "Rule", "compared", "rescored", "subtree_scores"]

Rule = Literal["sum", "mean", "max", "leaves"]
"""What a sub-tree is worth.

- sum: the node's own score and those of all below it (PBT).
- mean: the mean of its children's worth; a leaf's own score.
- max: the best of its children's worth; a leaf's own score.
- leaves: the mean own score of the leaves below it, however they are spread over the children.
"""


def subtree_scores(tree: Tree, rule: Rule) -> dict[Id, float]:
    """The worth of every node by a rule; an own score that is not known counts 0. Linear in the size of the tree."""
    found: dict[Id, tuple[float, int]] = {}
    for node in reversed(list(tree)):
        found[node.id] = _worth(node.scores.rank, [found[child.id] for child in tree.children(node.id)], rule)
    return {node.id: found[node.id][0] for node in tree}


def _worth(own: float, below: list[tuple[float, int]], rule: Rule) -> tuple[float, int]:
    """The worth of a node and how many leaves it has."""
    leaves = sum(count for _, count in below) or 1
    if rule == "sum":
        return own + sum(worth for worth, _ in below), leaves
    if not below:
        return own, leaves
    if rule == "max":
        return max(worth for worth, _ in below), leaves
    if rule == "mean":
        return sum(worth for worth, _ in below) / len(below), leaves
    return sum(worth * count for worth, count in below) / leaves, leaves


def rescored(tree: Tree, rule: Rule) -> Tree:
    """The same tree with `scores.subtree` by a rule."""
    worth = subtree_scores(tree, rule)
    nodes = {n.id: replace(n, scores=replace(n.scores, subtree=worth[n.id])) for n in tree}
    return replace(tree, nodes=nodes)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two replies to the same turn.

    Attributes:
        better, worse: By sub-tree score; where they are equal, in their order.
        gap: How far apart they are, as a share of the better one's score: (better - worse) / |better|. 0 where both
            scores are equal; where the better one's is 0 and the other's below it, 1.
    """

    better: Node
    worse: Node
    gap: float


def compared(tree: Tree) -> Iterator[Compared]:
    """Every pair of siblings, by their sub-tree scores (see `rescored`); siblings without scores are left out."""
    for node in tree:
        known = [child for child in tree.children(node.id) if child.scores.subtree is not None]
        for one, other in combinations(known, 2):
            yield _pair(one, other)


def _pair(one: Node, other: Node) -> Compared:
    scores: Mapping[Id, float] = {n.id: n.scores.subtree or 0.0 for n in (one, other)}
    better, worse = (other, one) if scores[other.id] > scores[one.id] else (one, other)
    high, low = scores[better.id], scores[worse.id]
    if high == low:
        return Compared(better, worse, 0.0)
    return Compared(better, worse, (high - low) / abs(high) if high else 1.0)
