"""Preference pairs from dialogue trees: two replies to the same turn, of which one leads to more right answers.

Stengel-Eskin, Hase and Bansal, "Teaching Models to Balance Resisting and Accepting Persuasion", NAACL 2025 (arXiv
2410.14596), section 3. What differs from its code is told in docs/persuasion.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from maieutic.protocols.trees.scoring import Compared, Rule, compared, rescored
from maieutic.protocols.trees.tree import Node, Tree

__all__ = ["Kind", "Pair", "PairRules", "Side", "label_of", "mined"]

Kind = Literal["resist", "accept"]
"""What a pair teaches: to keep a right answer, or to take over one in place of a wrong one."""


class PairRules(BaseModel):
    """Which siblings make a pair. The defaults are those of the paper, but for the gap.

    The paper's code asks for a gap above 0.50, a comment in it for 0.25. Above 0.50 the last turn of two agents can
    teach nobody to accept: both right against one right is a gap of exactly one half.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gap: Annotated[
        float,
        Field(ge=0, le=1, description="The gap of the sub-tree scores, as a share of the better one, must be above."),
    ] = 0.25
    same_children: Annotated[bool, Field(description="Whether both replies must have been answered equally often.")] = (
        True
    )
    different_stances: Annotated[bool, Field(description="Whether the stances of the two must differ.")] = True
    skip_all_right: Annotated[
        bool, Field(description="Whether to leave out siblings at both of which everybody is right.")
    ] = True
    totals: Annotated[
        bool,
        Field(
            description="Whether the number of right answers must have stayed (resist) or risen (accept) since the "
            "turn before the preferred reply."
        ),
    ] = True
    rule: Annotated[
        Rule | None,
        Field(description="How sub-trees are scored anew; left out: as the tree was grown, else by the sum."),
    ] = None
    most_per_turn: Annotated[
        int | None, Field(ge=1, description="Most pairs of one turn, the widest gaps first; left out: all.")
    ] = None


class Side(BaseModel):
    """One of the two replies of a pair.

    Attributes:
        node: Its node's id in the tree.
        text: What was said.
        stance: The stance in which it was said.
        answer: The answer that the speaker holds with it.
        score: Of the sub-tree below it, itself included.
        model: The model that said it, if it is known.
        address: Where the reply stands in the run's journal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str
    text: str
    stance: str | None = None
    answer: str | None = None
    score: float
    model: str | None = None
    address: str = ""


class Pair(BaseModel):
    """A preference between two replies to the same dialogue.

    Attributes:
        kind: What it teaches.
        question, accepted: What the dialogue is about, and its right answers.
        speaker: Whose replies they are.
        before: The answer that the speaker held before.
        prompt: What the speaker read: system prompt, question, dialogue, and the instruction without any stance.
        chosen, rejected: The two replies.
        gap: By how much the rejected reply's score lies below the chosen one's, as a share of that.
        tree_at: Which tree of its run, where there are several: the keys to it in the run's outcome.
        run, simulated: The run that it comes from, and whether simulated minds spoke in it.
        group: What lies in one split as a whole; the question if empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    question: str
    accepted: tuple[str, ...]
    speaker: str
    before: str | None
    prompt: tuple[Mapping[str, str], ...]
    chosen: Side
    rejected: Side
    gap: float
    tree_at: str = ""
    run: str = ""
    simulated: bool = False
    group: str = ""

    @property
    def task(self) -> str:
        """What lies in one split as a whole."""
        return self.group or self.question

    @property
    def id(self) -> str:
        """Its name, unique over runs."""
        return f"{self.run}:{self.tree_at}:{self.chosen.node}>{self.rejected.node}"


def mined(tree: Tree, rules: PairRules | None = None, **provenance: Any) -> list[Pair]:
    """The preference pairs of a tree whose right answers are known, in the order of its nodes.

    Siblings are compared by the scores of their sub-trees; where a node's own score is not known, it is the number of
    agents that hold a right answer there. A tree without accepted answers, or in which all answers are equally right,
    has no pairs.

    Args:
        tree: The tree.
        rules: Which siblings count; the paper's if left out.
        **provenance: `run`, `tree_at`, `simulated` and `group` of the pairs.
    """
    rules = rules or PairRules()
    if not tree.accepted:
        return []
    tree = _scored(tree, rules.rule)
    found: list[Pair] = []
    for _, siblings in groupby(compared(tree), key=lambda two: two.better.id.rpartition(".")[0]):
        labelled = [
            (two, kind) for two in siblings if _candidate(tree, two, rules) and (kind := label_of(tree, two, rules))
        ]
        labelled.sort(key=lambda each: -each[0].gap)
        found += [_pair(tree, two, kind, provenance) for two, kind in labelled[: rules.most_per_turn]]
    return found


def label_of(tree: Tree, two: Compared, rules: PairRules) -> Kind | None:
    """What preferring the better of two siblings teaches their speaker, or None if nothing clear.

    - resist: the speaker was right the last time it spoke, stays right in the better reply and not in the worse one.
    - accept: it was wrong, becomes right in the better reply and not in the worse one.

    Answers are looked up by the speaker's name. (The paper's released code writes the speaker's answer into the other's
    slot of a pair, and its labeller reads the speaker's: so it labels neither of two textbook trees.)
    """
    speaker, parent = two.better.speaker, tree.parent(two.better.id)
    before = tree.before(two.better.id)
    if before is None or parent is None or parent.answers.get(parent.speaker) is None:
        return None
    held = before.answers.get(speaker)
    if held is None or not tree.right(two.better.answers.get(speaker)) or tree.right(two.worse.answers.get(speaker)):
        return None
    kind: Kind = "resist" if tree.right(held) else "accept"
    if rules.totals:
        since = _total(tree, two.better) - _total(tree, parent)
        if (since != 0) if kind == "resist" else (since <= 0):
            return None
    return kind


def _candidate(tree: Tree, two: Compared, rules: PairRules) -> bool:
    one, other = two.better, two.worse
    if not two.gap > rules.gap or one.speaker != other.speaker or one.turn.content == other.turn.content:
        return False
    if rules.same_children and len(tree.children(one.id)) != len(tree.children(other.id)):
        return False
    if rules.different_stances and one.stance == other.stance:
        return False
    return not (rules.skip_all_right and _all_right(tree, one) and _all_right(tree, other))


def _total(tree: Tree, node: Node) -> int:
    return sum(tree.right(answer) for answer in node.answers.values())


def _all_right(tree: Tree, node: Node) -> bool:
    return bool(node.answers) and _total(tree, node) == len(node.answers)


def _scored(tree: Tree, rule: Rule | None) -> Tree:
    """The tree with all scores: those it was grown with, unless a rule is asked for or some are missing."""
    if rule is None and all(node.scores.subtree is not None for node in tree):
        return tree
    nodes = {
        node.id: node
        if node.scores.own is not None
        else replace(node, scores=replace(node.scores, own=float(_total(tree, node))))
        for node in tree
    }
    return rescored(replace(tree, nodes=nodes), rule or "sum")


def _pair(tree: Tree, two: Compared, kind: Kind, provenance: Mapping[str, Any]) -> Pair:
    speaker = two.better.speaker
    before = tree.before(two.better.id)
    messages = tree.read(two.better.id)
    return Pair(
        kind=kind,
        question=tree.question,
        accepted=tree.accepted,
        speaker=speaker,
        before=before.answers.get(speaker) if before is not None else None,
        prompt=tuple({"role": message.role, "content": message.content} for message in messages),
        chosen=_side(two.better),
        rejected=_side(two.worse),
        gap=round(two.gap, 6),
        **provenance,
    )


def _side(node: Node) -> Side:
    return Side(
        node=node.id,
        text=node.turn.content,
        stance=node.stance,
        answer=node.answers.get(node.speaker),
        score=node.scores.subtree or 0.0,
        model=node.notes.get("model"),
        address=node.address,
    )
