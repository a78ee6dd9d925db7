"""Rows of conversations, of single replies with a label, and of steps, as TRL's trainers read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from maieutic.memory import Message
from maieutic.memory.entries import chain
from maieutic.runs.training.replies import Reply, branches_of
from maieutic.runs.training.sources import Source

__all__ = ["ROWS", "kto_rows", "prm_rows", "prompt_hash", "sft_rows", "with_origin"]

Row = dict[str, Any]


def sft_rows(source: Source, agents: Sequence[str] = ()) -> Iterator[tuple[str, Row]]:
    """Conversations: what an agent had read when it spoke last, its own turns as assistant, and what it said then.

    A dialogue that goes on in several ways is a row for each; `copied` is the number of messages that it begins with
    and that an earlier row of the run ends with or holds: they must not be trained on again. Yields speaker and row.
    """
    replies = list(_once(branches_of(source), agents))
    held: dict[str, set[bytes]] = {}  # by agent: dialogues that a later reply's reading holds up to an own turn
    for reply in replies:
        held.setdefault(reply.speaker, set()).update(link for _, link in _own(reply.read))
    trained: dict[str, set[bytes]] = {}
    for reply in replies:
        ends = _ends(reply)
        before = trained.setdefault(reply.speaker, set())
        if ends & (held[reply.speaker] | before):
            continue
        own = _own(reply.read)
        copied = max((number for number, link in own if link in before), default=0)
        before |= {link for _, link in own} | ends
        row: Row = {"messages": [*_messages(reply.read), _spoken(reply)], "copied": copied}
        if reply.tools:
            row["tools"] = [{"type": "function", "function": dict(tool)} for tool in reply.tools]
        yield reply.speaker, row | _facts(source, reply)


def kto_rows(
    source: Source, agents: Sequence[str] = (), *, scorer: str | None = None, good_from: float = 0.5
) -> Iterator[tuple[str, Row]]:
    """Single replies with a label: whether the speaker holds a right answer with it, else whether its run scored well.

    Args:
        source: The run.
        agents: Only their replies; everybody's if empty.
        scorer: Take the run's score by this scorer for every label, whatever is known of a reply itself.
        good_from: From which score on a run is good.
    """
    name, score = source.score(scorer)
    for reply in _once(branches_of(source), agents):
        by_answer = scorer is None and reply.right is not None
        if not by_answer and score is None:
            continue
        label = bool(reply.right) if by_answer else score is not None and score >= good_from
        row = {"prompt": _messages(reply.read), "completion": [_spoken(reply)], "label": label}
        yield reply.speaker, {**row, "label_from": "answer" if by_answer else name, **_facts(source, reply)}


def prm_rows(source: Source, agents: Sequence[str] = ()) -> Iterator[tuple[str, Row]]:
    """Dialogues in steps, each labelled by whether its speaker holds a right answer there: a row for each branch.

    A row ends before the first turn of which that is not known, or that is no reply of a model. `copied` is the number
    of steps that it begins with and that an earlier row of the run holds. Yields "dialogues" and row.
    """
    seen: set[tuple[str, str]] = set()
    for branch in branches_of(source):
        known = next((n for n, each in enumerate(branch) if each.right is None or each.turn != n + 1), len(branch))
        steps = branch[:known]
        copied = next((n for n, reply in enumerate(steps) if reply.key not in seen), len(steps))
        if copied == len(steps):
            continue
        seen |= {reply.key for reply in steps}
        told = {
            "prompt": next((each.content for each in steps[0].read if each.role == "user"), source.question),
            "completions": [f"{reply.speaker}: {reply.said}" for reply in steps],
            "labels": [bool(reply.right) for reply in steps],
            "copied": copied,
            "addresses": [reply.address for reply in steps],
            "models": [reply.model for reply in steps],
        }
        last = steps[-1]
        yield "dialogues", {**told, **source.facts, "node": last.node, "tree_at": last.tree_at}


ROWS: Mapping[str, Callable[..., Iterator[tuple[str, Row]]]] = {"sft": sft_rows, "kto": kto_rows, "prm": prm_rows}
"""How the replies of a run are written, by format."""


def with_origin(row: Row, source: Source, split: str, scorer: str | None) -> Row:
    """A row with its split, what it is about, where it comes from, and what its run came to.

    A row of verl has all that in its `extra_info`, any other in columns of its own.
    """
    name, score = source.score(scorer)
    told: Row = {
        "split": split,
        "question": source.question,
        "accepted": list(source.accepted),
        **source.facts,
        "answer": (source.record.outcome or {}).get("answer"),
        "scorer": name,
        "score": score,
        "simulated": source.record.simulated,
    }
    if row.get("prompt") and not isinstance(row["prompt"], str):
        told["prompt_hash"] = prompt_hash([Message(each["role"], each["content"]) for each in row["prompt"]])
    if "extra_info" in row:
        return {**row, "extra_info": {**told, **row["extra_info"]}}
    return {**told, **row}


def prompt_hash(messages: Sequence[Message]) -> str:
    """What a prompt is known by, 32 hex digits: equal prompts of any run have the same."""
    return chain(messages)[-1].hex() if messages else ""


def _once(branches: Sequence[Sequence[Reply]], agents: Sequence[str]) -> Iterator[Reply]:
    seen: set[tuple[str, str]] = set()
    for branch in branches:
        for reply in branch:
            if reply.key not in seen and (not agents or reply.speaker in agents):
                seen.add(reply.key)
                yield reply


def _own(messages: Sequence[Message]) -> list[tuple[int, bytes]]:
    """The own turns in what an agent read: how many messages end with it, and what stands for them all."""
    links = chain(messages)
    return [
        (n, link) for n, (link, each) in enumerate(zip(links, messages, strict=True), 1) if each.role == "assistant"
    ]


def _ends(reply: Reply) -> set[bytes]:
    """How a dialogue that ends with a reply stands in what its speaker reads later: without the instruction, if any."""
    said = Message("assistant", reply.said)
    return {chain((*read, said))[-1] for read in (reply.read, reply.read[:-1])}


def _messages(messages: Sequence[Message]) -> list[Row]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _spoken(reply: Reply) -> Row:
    calls = [{"type": "function", "function": {"name": n, "arguments": _arguments(t)}} for n, t in reply.tool_calls]
    return {"role": "assistant", "content": reply.text} | ({"tool_calls": calls} if calls else {})


def _arguments(told: str) -> Any:
    try:
        return json.loads(told)
    except ValueError:
        return told


def _facts(source: Source, reply: Reply) -> Row:
    return {
        **source.facts,
        "agent": reply.speaker,
        "turn": reply.turn,
        "node": reply.node,
        "tree_at": reply.tree_at,
        "stance": reply.stance,
        "right": reply.right,
        "model": reply.model,
        "address": reply.address,
        "prompt_hash": prompt_hash(reply.read),
    }
