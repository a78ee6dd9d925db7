"""What was read and said in a run, reply by reply and branch by branch, and whether each reply was right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maieutic.backends.structured import REPAIR
from maieutic.memory import MODERATOR, Entry, Message, Turn
from maieutic.protocols.trees.tree import Node, Tree
from maieutic.runs.history import transcript_of
from maieutic.runs.training.sources import Source, is_accepted, trees_in
from maieutic.runs.turns import entry_behind

__all__ = ["Reply", "branches_of"]

_SPOILT = frozenset(("content_filter", "error"))


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of an agent.

    Attributes:
        speaker: Who spoke.
        read: What the speaker read, its instruction last; in a tree the instruction that tells no stance.
        text: What it wrote: a typed reply in its JSON, any other as it stands in the dialogue.
        said: As the others read it.
        turn: Its number in the dialogue, from 1.
        right: Whether the speaker holds a right answer with it; None where that is not known.
        model: The model that answered, if it is known.
        address: Where it stands in the run's journal.
        node, tree_at, stance: Its place in a dialogue tree, which tree of the run, and how it was told to speak.
        tools, tool_calls: What it could call and what it called, as recorded.
    """

    speaker: str
    read: tuple[Message, ...]
    text: str
    said: str
    turn: int
    right: bool | None = None
    model: str | None = None
    address: str = ""
    node: str | None = None
    tree_at: str = ""
    stance: str | None = None
    tools: tuple[dict[str, Any], ...] = ()
    tool_calls: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the other replies of its run."""
        return (self.tree_at, self.address if self.node is None else self.node)


def branches_of(source: Source) -> list[list[Reply]]:
    """The dialogues of a run: its one dialogue, or one for each leaf of its trees, which share what they begin with.

    Where nobody spoke to anybody, each answer that was asked for (a sample) is one.

    What is no reply of a model (a tool's word, a person's) and what went wrong while it was generated (nothing was
    said, a filter cut it off, another model stood in) is left out.
    """
    trees = list(trees_in(source.record))
    if trees:
        return [branch for at, tree in trees for branch in _grown(tree, at if len(trees) > 1 else "")]
    if source.journal is None or source.broken:
        return []
    branch = list(_led(source, "say"))
    return [branch] if branch else [[reply] for reply in _led(source, "probe")]


def _grown(tree: Tree, at: str) -> Iterator[list[Reply]]:
    known = {node.id: _of_node(tree, node, at) for node in tree if node.id and node.turn.content.strip()}
    for leaf in tree.leaves():
        branch = [known[node.id] for node in tree.path(leaf.id) if node.id in known]
        if branch:
            yield branch


def _of_node(tree: Tree, node: Node, at: str) -> Reply:
    held = node.answers.get(node.speaker)
    return Reply(
        node.speaker,
        tree.read(node.id),
        node.turn.content,
        node.turn.content,
        node.level,
        tree.right(held) if tree.accepted and held is not None else None,
        node.notes.get("model"),
        node.address,
        node.id,
        at,
        node.stance,
    )


def _led(source: Source, kind: Literal["say", "probe"]) -> Iterator[Reply]:
    journal, record = source.journal, source.record
    assert journal is not None
    turns = list(transcript_of(journal, record))
    said = [place for place, turn in enumerate(turns) if turn.kind == kind and turn.speaker != MODERATOR]
    for number, (place, entry) in enumerate(zip(said, entry_behind(journal, record, kind), strict=True), 1):
        if entry is None or entry.kind != "model" or _spoilt(entry):
            continue
        turn, reply = turns[place], entry.reply
        at = entry.at.removesuffix(f"/{REPAIR}")
        asked = entry if at == entry.at else journal.find(record.id, at) or entry
        yield Reply(
            turn.speaker,
            asked.messages,
            str(reply["text"]).strip() if "schema" in entry.request else turn.content,
            turn.content,
            number if kind == "say" else 1,
            _right(source.accepted, turns, place),
            reply.get("model"),
            entry.at,
            tools=tuple(entry.request.get("tools") or ()),
            tool_calls=tuple((str(name), str(told)) for name, told in reply.get("tool_calls") or ()),
        )


def _spoilt(entry: Entry) -> bool:
    reply = entry.reply
    empty = not str(reply.get("text", "")).strip() and not reply.get("tool_calls")
    return empty or reply.get("finish") in _SPOILT or bool(reply.get("degraded"))


def _right(accepted: Sequence[str], turns: Sequence[Turn], place: int) -> bool | None:
    """As the turn was marked, by its answer, or by the position that its speaker was asked for right after it."""
    turn = turns[place]
    if isinstance(turn.data.get("correct"), bool):
        return bool(turn.data["correct"])
    if not accepted:
        return None
    if "answer" in turn.data:
        return _accepted(accepted, turn.data["answer"])
    for later in turns[place + 1 :]:
        if later.speaker != turn.speaker:
            continue
        asked = later.kind == "probe" and later.round == turn.round and later.data.keys() <= {"answer", "confidence"}
        return _accepted(accepted, later.data["answer"]) if asked and "answer" in later.data else None
    return None


def _accepted(accepted: Sequence[str], answer: Any) -> bool | None:
    return None if answer is None else is_accepted(accepted, answer)
