"""How sure a dialogue sounds whose answers are blotted out: PBT records it at every node, and uses it nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.agents import Agent, Prompt
from maieutic.memory.answers import normal
from maieutic.protocols.together import together
from maieutic.protocols.trees.growing import node_place
from maieutic.protocols.trees.tree import Id, Node, Tree

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["SAMPLES", "blotted", "with_confidence"]

SAMPLES = 10
"""How many replies are sampled where the reader's endpoint gives no log-probabilities."""
_NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


async def with_confidence(reader: Agent, tree: Tree, fresh: Sequence[Node], at: Place) -> list[Node]:
    """The nodes with the probability, in their notes, that a reader accepts what is held there by its sound alone.

    The reader is asked for one word, yes or no, and P(yes) / (P(yes) + P(no)) is noted as `confidence`.

    Args:
        reader: Any agent with a language model.
        tree: The tree; it holds the nodes.
        fresh: The nodes. The root is left as it is.
        at: The tree's place.

    Raises:
        ModelError, ReplyError, BudgetExceeded, …: The first of the questions that failed.
    """
    asked = {node.id: _words(tree, node.id) for node in fresh if node.id}
    done = await together(
        {id_: reader.weigh(("yes", "no"), words, node_place(at, id_), samples=SAMPLES) for id_, words in asked.items()}
    )
    for error in done.failures.values():
        raise error
    found = dict(done.replies)
    return [
        replace(
            node,
            calls=node.calls + 1 + SAMPLES * (found[node.id].source == "samples"),
            notes={**node.notes, "confidence": round(found[node.id].probabilities["yes"], 6)},
        )
        if node.id in found
        else node
        for node in fresh
    ]


def blotted(words: str, letters: Mapping[str, str]) -> str:
    """A text with every answer replaced by its letter, the longest answers first; case does not count.

    Example:
        >>> blotted("New York, I say, not York.", {"York": "[A]", "New York": "[B]"})
        '[B], I say, not [A].'
    """
    known = {answer.casefold(): letter for answer, letter in letters.items()}
    any_ = "|".join(re.escape(answer) for answer in sorted(letters, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{any_})(?!\w)", re.IGNORECASE)
    return found.sub(lambda match: known.get(match[0].casefold(), "[?]"), words) if letters else words


def _words(tree: Tree, id_: Id) -> str:
    path = tree.path(id_)
    names: dict[str, str] = {}
    letters: dict[str, str] = {}
    for answer in (held for node in path for held in node.answers.values() if held):
        letters[answer] = names.setdefault(normal(answer), f"[{_NAMES[len(names) % len(_NAMES)]}]")
    held = {who: "none" if answer is None else letters[answer] for who, answer in path[-1].answers.items()}
    said = [(node.speaker, blotted(node.turn.content, letters)) for node in path if node.id]
    return _prompt().render({"question": tree.question, "said": said, "held": held})


@cache
def _prompt() -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "persuasion_tree" / "confidence.md.j2")
