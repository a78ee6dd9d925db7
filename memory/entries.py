"""One journaled effect, the run it belongs to, and the canonical form that a request's fingerprint is taken of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from maieutic.errors import JournalError
from maieutic.memory.transcript import Message

__all__ = ["ROOT", "Entry", "RunRecord", "canonical", "chain", "fingerprint", "plain", "text_id"]

ROOT = bytes(16)
"""What stands before the first message of every chain."""

_LONG = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect from outside, as the journal keeps it.

    Attributes:
        at: Its place within the run (`Address.local`).
        kind: "model" (a reply that may answer again), "person", "tool", "edge", "attempt", ….
        fingerprint: Of the canonical request (see `fingerprint`); "" where there is none.
        request: What was asked apart from the messages, as plain JSON: model, sampling, schema. No secrets.
        messages: What was read.
        reply: What came back, as plain JSON.
        agent: Who asked.
        seq: Place in the order of recording, set by the journal; no part of equality.
        created: Unix seconds at which it was recorded, set by the journal; no part of equality.
    """

    at: str
    kind: str
    fingerprint: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    reply: Mapping[str, Any] = field(default_factory=dict)
    agent: str = ""
    seq: int = field(default=0, compare=False)
    created: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: what it executes, how far it came, and where it branched off.

    Attributes:
        id: Unique in the journal.
        name: What people call it.
        created: Unix seconds.
        kind: "debate", "graph", ….
        definition: All that is needed to execute it again (graph file, parameters, inputs, seed, limits) as plain JSON,
            without secrets.
        status: "running", "done", "failed", "cancelled", "waiting", ….
        reason: Why it ended, if it did.
        outcome: Its result as plain JSON, if it has one.
        parent: Id of the run it was forked from.
        forked_at: The address from which it goes its own way.
        simulated: Whether simulated minds answered.
    """

    id: str
    name: str
    created: float
    kind: str
    definition: Mapping[str, Any] = field(default_factory=dict)
    status: str = "running"
    reason: str | None = None
    outcome: Mapping[str, Any] | None = None
    parent: str | None = None
    forked_at: str | None = None
    simulated: bool = False


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def canonical(value: Mapping[str, Any]) -> str:
    """The one spelling of a JSON object: ASCII, sorted keys, no spaces, numbers as Python's `repr` writes them.

    Raises:
        JournalError: The value is not plain JSON (NaN and infinity are not).
    """
    try:
        return _canonical(value if isinstance(value, dict) else dict(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(
            f"A request is not plain JSON ({error}); pass only text, numbers, lists and objects."
        ) from error


def plain(value: Mapping[str, Any], what: str) -> str:
    """JSON in the order given, for storage; NaN and infinity are let through, as a reply paid for is never refused.

    Raises:
        JournalError: The value holds something that JSON has no form for; `what` says whose value it is.
    """
    try:
        return _plain(value if isinstance(value, dict) else dict(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(
            f"{what} is not plain JSON ({error}); pass only text, numbers, lists and objects."
        ) from error


def text_id(text: str) -> bytes:
    """The 16 bytes by which the journal knows a text. Lone surrogates, which some models emit, are fine."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _link(parent: bytes, role: str, content: str) -> bytes:
    head = b"%b%b\0%b" % (parent, role.encode(), content.encode("utf-8", "surrogatepass"))
    return hashlib.sha256(head).digest()[:16]


# A view is asked for again at every turn with all its earlier messages: remembering links makes that 20 times cheaper.
# Long documents are hashed anew, so that the memory kept is bounded by some tens of megabytes.
_remembered = lru_cache(maxsize=16384)(_link)


def chain(messages: Sequence[Message]) -> list[bytes]:
    """For each message the 16 bytes that stand for it and everything before it."""
    ids, parent = [], ROOT
    for message in messages:
        link = _remembered if len(message.content) <= _LONG else _link
        parent = link(parent, message.role, message.content)
        ids.append(parent)
    return ids


def fingerprint(request: Mapping[str, Any], messages: Sequence[Message]) -> str:
    """What a request is known by, in any process and on any Python: SHA-256, in hex, of its canonical form.

    Args:
        request: Everything that changes the reply apart from the messages: model, sampling, schema, sample number.
            Leave out what does not (address of the endpoint, keys, time limits).
        messages: What the model reads.

    Raises:
        JournalError: `request` is not plain JSON.
    """
    ids = chain(messages)
    return hashlib.sha256(canonical(request).encode() + b"\0" + (ids[-1] if ids else ROOT)).hexdigest()
