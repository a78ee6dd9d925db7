"""What a tree came to: the tree itself, what it took, its answer."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from maieutic.errors import MaieuticError
from maieutic.memory.answers import Answers
from maieutic.protocols.base import Outcome
from maieutic.protocols.trees.scoring import compared
from maieutic.protocols.trees.tree import Node, Tree
from maieutic.wording import amount

__all__ = ["TreeOutcome", "most_held"]


def _tree(given: Any) -> Tree:
    if isinstance(given, Tree):
        return given
    try:
        return Tree.from_json(given)
    except MaieuticError as error:
        raise ValueError(str(error)) from error


TreeField = Annotated[
    Tree,
    PlainValidator(_tree),
    PlainSerializer(Tree.to_json),
    WithJsonSchema({"type": "object", "description": "A tree of dialogues (see Tree.to_json)."}),
]
"""A tree in a pydantic model: plain JSON outside, a `Tree` inside."""


class TreeOutcome(Outcome):
    """What a tree of dialogues came to.

    Attributes:
        tree: Its nodes with their turns, answers and scores.
        ended_by: What ended its growing: "complete", "nodes", "calls", "simulations", or a word of the protocol's; None
            if it was cut short.
        calls: How many calls its turns took, and what was asked about them.
        calls_apart: How many they would have taken had every dialogue of the tree been led from its beginning.
        skipped: Replies that failed and were left out (`on_failure: skip`): node, agent, stance, kind, error.
    """

    tree: TreeField
    ended_by: str | None = None
    calls: int = 0
    calls_apart: int = 0
    skipped: list[dict[str, Any]] = []

    def table(self) -> str:
        """The tree's size and cost, its stances compared, and the siblings that lie furthest apart."""
        lines = [self._size(), self._cost()]
        lines += [f"growing stopped at the bound on {self.ended_by}"] if self.ended_by in ("nodes", "calls") else []
        return "\n".join((*lines, *self._stances(), *self._widest()))

    def _size(self) -> str:
        leaves = self.tree.leaves() if len(self.tree) else ()
        stops = Counter(leaf.stopped or "open" for leaf in leaves)
        ends = ", ".join(f"{count} {why}" for why, count in stops.items())
        return f"{amount(len(self.tree), 'turn')}, {amount(len(leaves), 'dialogue')}{f' ({ends})' if ends else ''}"

    def _cost(self) -> str:
        saved = 1 - self.calls / self.calls_apart if self.calls_apart else 0.0
        return f"{amount(self.calls, 'call')}; without shared beginnings {self.calls_apart} ({saved:.0%} saved)"

    def _stances(self) -> list[str]:
        """For every speaker in every stance: how many replies, how often it was right, its sub-trees' mean score."""
        rows: dict[str, list[Node]] = {}
        for node in self.tree:
            if node.id and node.stance is not None:
                rows.setdefault(f"{node.speaker} {node.stance}", []).append(node)
        if not rows:
            return []
        width = max(map(len, (*rows, "reply")))
        head = f"{'reply':<{width}}  replies  right  mean sub-tree score"
        return ["", head, *(self._stance(name, nodes, width) for name, nodes in rows.items())]

    def _stance(self, name: str, nodes: list[Node], width: int) -> str:
        known = [self.tree.correct(node.id)[node.speaker] for node in nodes if node.answers.get(node.speaker)]
        right = f"{sum(known) / len(known):.0%}" if known and self.tree.accepted else "–"
        scores = [node.scores.subtree for node in nodes if node.scores.subtree is not None]
        mean = f"{sum(scores) / len(scores):.2f}" if scores else "–"
        return f"{name:<{width}}  {len(nodes):>7}  {right:>5}  {mean:>19}"

    def _widest(self) -> list[str]:
        pair = max(compared(self.tree), key=lambda found: found.gap, default=None)
        if pair is None or not pair.gap:
            return []
        one, other = pair.better, pair.worse
        return [
            "",
            f"furthest apart: {_label(one)} ({one.scores.subtree:g}) and {_label(other)} ({other.scores.subtree:g})",
        ]

    def plot(self, path: Path | str) -> Path:
        """Draw the tree to an .svg, .png or .pdf file: speakers, stances, answers and whether they are right, scores.

        Raises:
            UsageError: Another ending, matplotlib is not installed (for .png and .pdf), or the file cannot be written.
        """
        from maieutic.protocols.trees.picture import save_tree

        return save_tree(self.tree, path)


def _label(node: Node) -> str:
    stance = f" {node.stance}" if node.stance else ""
    return f"{node.id}{stance}"


def most_held(tree: Tree, options: tuple[str, ...] = ()) -> tuple[str | None, Mapping[str, int]]:
    """The answer that is held most often at the ends of the dialogues, and the count of each; ties go to the first."""
    answers = Answers(options)
    held = [a for leaf in tree.leaves() for a in leaf.answers.values() if a is not None]
    counts = Counter(answers.name(answer) for answer in held)
    return (counts.most_common(1)[0][0] if counts else None), dict(counts.most_common())
