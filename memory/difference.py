"""What differs between a request that was never recorded and the nearest one that was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher, unified_diff
from typing import Any

from maieutic.memory.entries import Entry
from maieutic.memory.transcript import Message

__all__ = ["explain_miss", "nearest"]

_COMPARED = 2000  # characters of a text that count for its likeness
_CLOSE = 8  # candidates that are compared thoroughly
_SHOWN = 12  # lines of a text's difference, and parameters


def nearest(wanted: Entry, same_place: Entry | None, others: Iterable[Entry]) -> Entry | None:
    """The recorded entry most like `wanted`: the one at its address; else, of the same agent where there is one, the
    one with the same request, the longest common beginning, the most similar text after it."""
    if same_place is not None:
        return same_place
    candidates = list(others)
    same = [entry for entry in candidates if wanted.fingerprint and entry.fingerprint == wanted.fingerprint]
    if same:
        return same[0]
    candidates = [entry for entry in candidates if entry.agent == wanted.agent] or candidates
    rough = sorted(candidates, key=lambda entry: _likeness(wanted, entry, quick=True), reverse=True)[:_CLOSE]
    return max(rough, key=lambda entry: _likeness(wanted, entry, quick=False), default=None)


def _likeness(wanted: Entry, entry: Entry, *, quick: bool) -> tuple[float, float]:
    common = _common(wanted.messages, entry.messages)
    matcher = SequenceMatcher(None, _text_at(entry.messages, common), _text_at(wanted.messages, common))
    return common, matcher.quick_ratio() if quick else matcher.ratio()


def _common(one: Sequence[Message], other: Sequence[Message]) -> int:
    common = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        common += 1
    return common


def _text_at(messages: Sequence[Message], place: int) -> str:
    return messages[min(place, len(messages) - 1)].content[:_COMPARED] if messages else ""


def explain_miss(wanted: Entry, nearest: Entry | None) -> str:
    """Why a replay has no answer: the nearest recorded entry, and what differs, as a person reads it."""
    who = f" of {wanted.agent}" if wanted.agent else ""
    first = f"Nothing is recorded for the {wanted.kind} entry{who} at {wanted.at}."
    if nearest is None:
        return f"{first}\nThe run has no recorded entry of this kind at all."
    lines = list(_differences(nearest, wanted))
    if nearest.at == wanted.at:
        first = f"Another request is recorded for the {wanted.kind} entry{who} at {wanted.at}."
        return "\n".join(
            [first, "It differs:", *lines] if lines else [first, "Its parameters and messages are not kept."]
        )
    if not lines:
        return (
            f"{first}\nThe same request is recorded at {nearest.at}: the place changed, not the request "
            "(was a node renamed or a step added?)."
        )
    return "\n".join([first, f"The nearest recorded request is at {nearest.at}. It differs:", *lines])


def _differences(recorded: Entry, now: Entry) -> Iterator[str]:
    if recorded.kind != now.kind:
        yield f"  kind: recorded {recorded.kind}, now {now.kind}"
    if recorded.agent != now.agent:
        yield f"  agent: recorded {recorded.agent or 'nobody'}, now {now.agent or 'nobody'}"
    yield from _parameters(recorded.request, now.request)
    count = max(len(recorded.messages), len(now.messages))
    apart = [n for n in range(count) if _pick(recorded.messages, n) != _pick(now.messages, n)]
    for number in apart[:1]:
        yield from _message(number, _pick(recorded.messages, number), _pick(now.messages, number))
    if apart[1:]:
        yield f"  messages {', '.join(str(n + 1) for n in apart[1:_SHOWN])} of {count} differ, too"


def _pick(messages: Sequence[Message], number: int) -> Message | None:
    return messages[number] if number < len(messages) else None


def _parameters(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(_leaves(recorded)), dict(_leaves(now))
    names = [name for name in sorted(old | new) if old.get(name, _NONE) != new.get(name, _NONE)]
    for name in names[:_SHOWN]:
        yield f"  {name}: recorded {_brief(old.get(name, _NONE))}, now {_brief(new.get(name, _NONE))}"
    if len(names) > _SHOWN:
        yield f"  and {len(names) - _SHOWN} more parameters"


_NONE = object()


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _brief(value: Any) -> str:
    if value is _NONE:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _message(number: int, recorded: Message | None, now: Message | None) -> Iterator[str]:
    one = now or recorded
    assert one is not None  # one of them is there, or they would not differ
    if recorded is None or now is None:
        verb = "is new" if recorded is None else "was recorded and is missing now"
        yield f"  message {number + 1} ({one.role}) {verb}: {_brief(one.content)}"
        return
    role = now.role if recorded.role == now.role else f"recorded {recorded.role}, now {now.role}"
    yield f"  message {number + 1} ({role}):"
    diff = list(unified_diff(_lines(recorded.content), _lines(now.content), "recorded", "now", n=1, lineterm=""))
    for line in diff[:_SHOWN]:
        yield f"    {line if len(line) <= 160 else line[:157] + '…'}"
    if len(diff) > _SHOWN:
        yield f"    … and {len(diff) - _SHOWN} more lines"


def _lines(text: str) -> list[str]:
    """Lines, and sentences within them: a model's text is often one long line."""
    return [part for line in text.splitlines() for part in re.split(r"(?<=[.!?])\s+", line)]
