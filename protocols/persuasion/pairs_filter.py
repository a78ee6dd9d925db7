"""Preference pairs checked by a judge, as the paper does optionally: which answers say the same, and who disagrees.

The judge is a language model: it is asked for one word, and its log-probabilities (or samples, where the endpoint gives
none) are read. Simulated minds cannot judge this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Prompt
from maieutic.errors import UsageError
from maieutic.memory.answers import normal
from maieutic.protocols.persuasion.pairs import Pair, PairRules, mined
from maieutic.protocols.together import together
from maieutic.protocols.trees.tree import Tree

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["judged_pairs", "merged", "verified"]


async def judged_pairs(
    tree: Tree, judge: Agent, at: Place, rules: PairRules | None = None, *, threshold: float = 0.5, **provenance: Any
) -> list[Pair]:
    """The pairs of a tree, after its equivalent answers are merged, and of which the judge says what their label says.

    Args:
        tree: The tree; scores it was grown with are computed anew from the merged answers.
        judge: Who judges; any agent with a language model.
        at: Where in a run; each question has an address of its own below it.
        rules, provenance: See `mined`.
        threshold: Above this probability two answers say the same, and a reply agrees.

    Raises:
        UsageError: The judge is simulated or a person.
        ModelError, ReplyError, BudgetExceeded, ReplayMiss: The first call that failed.
    """
    if judge.model.provider in ("sim", "person"):
        raise UsageError(f"{judge.name!r} cannot judge pairs: name a language model, not {judge.model.model}")
    tree = await merged(tree, judge, at / "same", threshold=threshold)
    pairs = mined(tree, rules, **provenance)
    return await verified(tree, pairs, judge, at / "sides", threshold=threshold)


async def merged(tree: Tree, judge: Agent, at: Place, *, threshold: float = 0.5) -> Tree:
    """The tree with answers that say the same, in the judge's eyes, written alike: as the right one, if one of them is.

    It is asked about every two different answers that two agents hold at one node, once. Own scores are left to be
    counted anew.
    """
    met: dict[tuple[str, str], tuple[str, str]] = {}
    for node in tree:
        held = {normal(each): each for each in node.answers.values() if each is not None}
        for one, other in combinations(sorted(held, key=lambda form: (not tree.right(held[form]), form)), 2):
            if not tree.right(held[other]):
                met.setdefault((one, other), (held[one], held[other]))
    asked = list(met.values())
    found = await _likely(
        judge, at, ("yes", "no"), {f"{n}": _words("same", tree, one=a, other=b) for n, (a, b) in enumerate(asked)}
    )
    name: dict[str, str] = {}
    for n, (one, other) in enumerate(asked):
        if found[str(n)] > threshold:
            name.setdefault(normal(other), name.get(normal(one), one))
    return replace(
        tree,
        nodes={
            node.id: replace(
                node,
                answers={
                    who: None if held is None else name.get(normal(held), held) for who, held in node.answers.items()
                },
                scores=replace(node.scores, own=None, subtree=None),
            )
            for node in tree
        },
    )


async def verified(tree: Tree, pairs: Sequence[Pair], judge: Agent, at: Place, *, threshold: float = 0.5) -> list[Pair]:
    """The pairs whose chosen reply disagrees (resist) or agrees (accept) with the turn before, and whose rejected one
    does the opposite.
    """
    ids = sorted({side.node for pair in pairs for side in (pair.chosen, pair.rejected)})
    words = {id_: _sides(tree, id_) for id_ in ids}
    agrees = {id_: share > threshold for id_, share in (await _likely(judge, at, ("agree", "disagree"), words)).items()}
    return [
        pair
        for pair in pairs
        if agrees[pair.chosen.node] == (pair.kind == "accept") and agrees[pair.rejected.node] == (pair.kind == "resist")
    ]


async def _likely(judge: Agent, at: Place, labels: tuple[str, str], words: Mapping[str, str]) -> dict[str, float]:
    """The probability of the first label, by question."""
    done = await together({key: judge.weigh(labels, text, at / (key or "root")) for key, text in words.items()})
    for error in done.failures.values():
        raise error
    return {key: found.probabilities[labels[0]] for key, found in done.replies.items()}


def _sides(tree: Tree, id_: str) -> str:
    node, before = tree[id_], tree.parent(id_)
    return _words("sides", tree, said=before.turn.content if before else "", reply=node.turn.content)


def _words(name: str, tree: Tree, **given: str) -> str:
    return _prompt(name).render({"question": tree.question, **given})


@cache
def _prompt(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "persuasion" / f"{name}.md.j2")
