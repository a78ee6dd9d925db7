"""Trees of dialogues on a terminal: `maieutic runs show` of a run that grew one, and one node of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from maieutic.cli.scene import clean
from maieutic.cli.tables import shortened
from maieutic.wording import amount

if TYPE_CHECKING:
    from rich.tree import Tree as Branch

    from maieutic.memory import RunRecord
    from maieutic.protocols.trees import Node, Tree

__all__ = ["show_node", "show_tree", "show_trees"]

_WORDS = 60


def show_trees(trees: Mapping[str, Tree]) -> None:
    """Every tree that a run kept, each under its name unless it is what the run itself came to."""
    for name, tree in trees.items():
        if name != "tree":
            click.echo(f"\nTree {name}:")
        show_tree(tree)


def show_tree(tree: Tree) -> None:
    """The whole tree: a line a turn, in a pipe plain and indented, on a terminal with branches and colours."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_branches(tree))
        return
    for node in tree:
        click.echo("  " * node.level + _line(tree, node))


def _branches(tree: Tree) -> Branch:
    from rich.text import Text
    from rich.tree import Tree as Branch

    found: dict[str, Branch] = {}
    for node in tree:
        right = tree.correct(node.id).get(node.speaker) if tree.accepted else None
        style = "" if right is None else "green" if right else "yellow"
        label = Text(_line(tree, node), style=style)
        above = tree.parent(node.id)
        found[node.id] = Branch(label) if above is None else found[above.id].add(label)
    return found[""]


def _line(tree: Tree, node: Node) -> str:
    """A node in a line: id, speaker, stance, answer or words, scores, why it ends."""
    if not node.id:
        return shortened(tree.question, _WORDS)
    stance = f" ({node.stance})" if node.stance else ""
    answer = node.answers.get(node.speaker)
    mark = ("✓ " if tree.right(answer) else "✗ ") if answer is not None and tree.accepted else ""
    said = shortened(answer if answer is not None else node.turn.content, _WORDS)
    return clean(" · ".join([f"{node.id} {node.speaker}{stance}: {mark}{said}", *_scores(node)]))


def _scores(node: Node) -> Iterable[str]:
    scores = node.scores
    if scores.subtree is not None:
        yield f"Σ {scores.subtree:.3g}"
    if scores.own is not None and scores.own != scores.subtree:
        yield f"own {scores.own:.3g}"
    if scores.visits:
        yield f"{scores.visits}× {scores.value or 0:.2f}"
    if node.stopped:
        yield node.stopped


def show_node(record: RunRecord, id_: str, *, as_json: bool) -> None:
    """One dialogue of a tree, from the question to a node, and what stands beside and below it.

    Raises:
        UsageError: See `maieutic.runs.turns.tree_and_node`.
    """
    from maieutic.runs.turns import tree_and_node

    tree, id_ = tree_and_node(record, id_)
    node = tree[id_]
    if as_json:
        told: dict[str, Any] = {"node": node.to_json(), "path": [each.to_json() for each in tree.path(node.id)]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"Node {node.id or 'root'} of {record.id}, a dialogue of {amount(node.level, 'turn')}\n")
    for each in tree.path(node.id):
        click.echo(_turn(each))
    held = [f"{name}: {answer}" for name, answer in node.answers.items() if answer is not None]
    facts = {
        "held": ", ".join(held),
        "right": ", ".join(name for name, right in tree.correct(node.id).items() if right) if tree.accepted else "",
        "scores": " · ".join(_scores(node)),
        "confidence": f"{node.notes['confidence']:.2f}" if "confidence" in node.notes else "",
        "beside it": "; ".join(_line(tree, other) for other in tree.siblings(node.id)),
        "below it": "; ".join(_line(tree, other) for other in tree.children(node.id)),
        "recorded at": node.address,
    }
    click.echo("")
    for name, words in facts.items():
        if words:
            click.echo(f"{name:<12}{clean(words)}")


def _turn(node: Node) -> str:
    if not node.id:
        return clean(node.turn.content).strip()
    stance = f" ({node.stance})" if node.stance else ""
    words = clean(node.turn.content).strip().replace("\n", "\n     ")
    return f"\n{node.id} {node.speaker}{stance}:\n     {words}"
