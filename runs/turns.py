"""From the turns of a recorded dialogue to the replies behind them, and to the place where a fork leaves its parent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from maieutic.backends.structured import REPAIR, unwrap
from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Entry, Journal, RunRecord, Turn
from maieutic.runs.history import transcript_of

if TYPE_CHECKING:
    from maieutic.protocols.trees import Tree

__all__ = ["Cut", "cut_at_node", "cut_before", "entry_of_turn", "tree_and_node"]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a fork leaves its parent.

    Attributes:
        at: The address of the first turn that is spoken anew.
        keep: Whether a recorded entry belongs to what was there before.
    """

    at: str
    keep: Callable[[Entry], bool]


def entry_of_turn(journal: Journal, record: RunRecord, number: int) -> Entry:
    """The recorded reply behind a turn of a run's dialogue, counted from 1 without probes and the moderator.

    Raises:
        UsageError: The run has no such turn.
    """
    return _found(record, entry_behind(journal, record), number)


def cut_before(journal: Journal, record: RunRecord, number: int) -> Cut:
    """What a fork from a turn on keeps: the turns before it in the dialogue, and all that was recorded before it.

    Turns that were spoken at the same time are told apart by their place in the dialogue, not by who was first to
    answer; a reply and its repair stay together.

    Raises:
        UsageError: The run has no such turn.
    """
    behind = entry_behind(journal, record)
    at = _found(record, behind, number).at
    earlier = {_call(entry) for entry in behind[: number - 1] if entry is not None}
    anew = {_call(entry) for entry in behind[number - 1 :] if entry is not None}
    first = min(entry.seq for entry in journal.entries(record.id) if _call(entry) in anew)
    return Cut(at, lambda entry: _call(entry) in earlier or (entry.seq < first and _call(entry) not in anew))


def cut_at_node(record: RunRecord, node: str) -> Cut:
    """What a fork from a node of a tree on keeps: everything but the node and what hangs below it.

    Args:
        record: The run.
        node: As in `tree_and_node`.

    Raises:
        UsageError: The run grew no tree, or the tree has no such node.
    """
    tree, node = tree_and_node(record, node)
    at = tree[node].address
    place, _, _ = at.rpartition(f"/{node}/")
    if not node or not place:
        raise UsageError(f"the root of run {record.id} is its question, which nobody was asked for; name a turn's node")

    def hangs_below(entry: Entry) -> bool:
        step = entry.at.removeprefix(f"{place}/").partition("/")[0]
        return entry.at.startswith(f"{place}/") and (step == node or step.startswith(f"{node}."))

    return Cut(at, lambda entry: not hangs_below(entry))


def tree_and_node(record: RunRecord, name: str) -> tuple[Tree, str]:
    """The tree of a run that a node is in, and the node's id there.

    Args:
        record: The run.
        name: The node's id, "root" or empty for the root; where the run kept several trees, after the tree's name and a
            colon ("state.tree:0.1"; see `trees_in`).

    Raises:
        UsageError: The run kept no tree, or several or no one of this name, or the tree has no such node.
    """
    from maieutic.runs.exporting import trees_in

    trees = dict(trees_in(record))
    which, colon, id_ = name.rpartition(":")
    if not trees:
        raise UsageError(
            f"run {record.id} kept no tree; name a turn (a graph keeps a node's tree where the node writes "
            "outcome.tree to a field called tree)"
        )
    if not colon and len(trees) > 1:
        first, count = next(iter(trees)), len(trees)
        raise UsageError(
            f"run {record.id} kept {count} trees: {', '.join(trees)}; name one, as in {first}:{id_ or 'root'}"
        )
    if colon and which not in trees:
        raise UsageError(f"run {record.id} kept no tree {which!r}; it has: {', '.join(trees)}")
    tree = trees[which] if colon else next(iter(trees.values()))
    return tree, tree["" if id_ == "root" else id_].id


def entry_behind(journal: Journal, record: RunRecord, kind: Literal["say", "probe"] = "say") -> list[Entry | None]:
    """For each turn of the dialogue, or each probe, the recorded reply behind it; None where there is none.

    A tool's word has none.
    """
    replies: dict[str, list[Entry]] = {}
    for entry in journal.entries(record.id):
        if entry.kind in ("model", "person"):
            replies.setdefault(entry.agent, []).append(entry)
    behind: list[Entry | None] = []
    for turn in transcript_of(journal, record):
        if turn.kind == kind and turn.speaker != MODERATOR:
            left = replies.get(turn.speaker, [])
            place = next((n for n, entry in enumerate(left) if _is(entry, turn)), None)
            behind.append(None if place is None else left.pop(place))
    return behind


def _found(record: RunRecord, behind: list[Entry | None], number: int) -> Entry:
    if not 1 <= number <= len(behind):
        raise UsageError(f"run {record.id} has {len(behind)} turns; there is no turn {number}")
    entry = behind[number - 1]
    if entry is None:
        raise UsageError(f"turn {number} of run {record.id} is not a recorded reply; name another turn")
    return entry


def _call(entry: Entry) -> str:
    """The address of the call that an entry belongs to: its own, or that of the call it repaired."""
    return entry.at.removesuffix(f"/{REPAIR}")


def _is(entry: Entry, turn: Turn) -> bool:
    if "at" in turn.data:  # a turn of a tree knows its place: others may have said the same
        return entry.at == str(turn.data["at"])
    text = str(entry.reply.get("text", "")).strip()
    if text == turn.content:
        return True
    try:
        said = json.loads(unwrap(text) or text)
    except ValueError:
        return False
    if not turn.data or not isinstance(said, dict):
        return False
    common = said.keys() & turn.data.keys()
    return bool(common) and all(_same(said[name], turn.data[name]) for name in common)


def _same(said: object, taken: object) -> bool:
    """Whether a value is the one that a typed reply was read from it: "0.5" is 0.5."""
    return said == taken or str(said) == str(taken)
