"""What holds of every text and every JSON that goes through the journal."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maieutic.errors import JournalError
from maieutic.memory import Entry, Journal, Message, RunRecord, fingerprint

RUN = RunRecord("run", "any", 5.0, "debate")

# Lone surrogates, NUL and odd line ends included: models emit them.
texts = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["\ud800", "a\x00b", "\u2028", "\x85\r\n", "", "x" * 5000]
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("same"), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, anything, max_size=4)
roles = st.sampled_from(["system", "user", "assistant"])
messages = st.lists(st.builds(Message, roles, texts), max_size=6).map(tuple)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
entries = st.builds(
    Entry,
    at=names,
    kind=st.sampled_from(["model", "tool", "edge"]),
    fingerprint=st.sampled_from(["", "plain", "ab" * 32, "AB" * 32]),
    request=objects,
    messages=messages,
    reply=objects,
    agent=names,
)


def write(journal: Journal, written: list[Entry]) -> None:
    async def record() -> None:
        for entry in written:
            await journal.record("run", entry)

    journal.begin(RUN)
    asyncio.run(record())


@settings(max_examples=150, deadline=None)
@given(st.lists(entries, max_size=5, unique_by=lambda e: e.at))
def test_every_entry_comes_back_as_it_was_written(written: list[Entry]) -> None:
    with Journal.open(None) as journal:
        write(journal, written)
        assert list(journal.entries("run")) == written
        for entry in written:
            found = journal.find("run", entry.at)
            assert found == entry
            assert repr(found.reply) == repr(dict(entry.reply))  # 1 is not 1.0, and the order of keys stays


@settings(max_examples=60, deadline=None)
@given(st.lists(messages, min_size=1, max_size=12))
def test_chains_give_back_exactly_the_messages_whatever_they_share(views: list[tuple[Message, ...]]) -> None:
    views += [(*view, *views[0]) for view in views]
    with Journal.open(None) as journal:
        write(journal, [Entry(str(n), "model", messages=view) for n, view in enumerate(views)])
        assert [e.messages for e in journal.entries("run")] == views
        assert [e.messages for e in reversed(list(journal.entries("run")))] == views[::-1]


@settings(max_examples=150, deadline=None)
@given(st.lists(entries, max_size=5, unique_by=lambda e: e.at), objects, st.none() | objects)
@example([Entry("a", "model", reply={"x": {"same": None, "is": 1}, "same": "y" * 60, "z": ["y" * 60]})], {}, None)
def test_a_cassette_gives_back_the_run_it_was_made_of(
    written: list[Entry], definition: Mapping[str, Any], outcome: Mapping[str, Any] | None
) -> None:
    run = replace(RUN, definition=definition, outcome=outcome, status="done", reason="agreed")
    with tempfile.TemporaryDirectory() as folder, Journal.open(None) as one, Journal.open(None) as other:
        write(one, written)
        one.export("run", Path(folder) / "run.jsonl")
        assert other.import_(Path(folder) / "run.jsonl") == "run"
        assert list(other.entries("run")) == written
        other.begin(replace(run, id="defined"))
        other.export("defined", Path(folder) / "defined.jsonl")
        assert one.import_(Path(folder) / "defined.jsonl") == "defined"
        assert one.run("defined") == replace(run, id="defined")


def spelled(request: Mapping[str, Any], read: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    return repr(sorted(request.items(), key=repr)), read


@settings(max_examples=300, deadline=None)
@given(objects, messages, objects, messages)
def test_fingerprints_differ_when_anything_differs(
    one: Mapping[str, Any], read: tuple[Message, ...], other: Mapping[str, Any], others: tuple[Message, ...]
) -> None:
    same = one == other and read == others
    if not same:
        assert fingerprint(one, read) != fingerprint(other, others)
    for n, message in enumerate(read):
        for changed in (replace(message, content=message.content + " "), Message("tool", message.content)):  # type: ignore[arg-type]
            assert fingerprint(one, (*read[:n], changed, *read[n + 1 :])) != fingerprint(one, read)
        assert fingerprint(one, read[:n] + read[n + 1 :]) != fingerprint(one, read)
    assert fingerprint(one, read) == fingerprint(dict(reversed(list(one.items()))), list(read))


def test_where_a_message_ends_matters() -> None:
    split = (Message("user", "a"), Message("user", "b"))
    assert fingerprint({}, split) != fingerprint({}, (Message("user", "a\x00user\x00b"),))
    assert fingerprint({"a": ""}, ()) != fingerprint({}, (Message("user", "a"),))


KNOWN = "cefdb537c15f475461e2ad3fb5b82d237751b548e07372272197e44befd41f00"
REQUEST = {
    "model": "openai/gpt-5-mini",
    "temperature": 0.2,
    "top": [1, 2.5e-7, None, True],
    "größe": {"b": 1, "a": "ä\ud83d"},
}
READ = (Message("system", "You are ada."), Message("user", "Ünïcode \ud83d and 中文 " * 300))


def test_a_fingerprint_is_the_same_in_every_process_and_version() -> None:
    script = (
        "from maieutic.memory import Message, fingerprint\n"
        f"print(fingerprint({REQUEST!a}, [Message(r, c) for r, c in {[(m.role, m.content) for m in READ]!a}]))"
    )
    for seed in ("0", "1"):
        run = [sys.executable, "-X", "utf8", "-c", script]
        done = subprocess.run(run, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        assert done.stdout.strip() == fingerprint(REQUEST, READ)
    # Written down: changing this number makes every journal's replies unusable for replay.
    assert fingerprint(REQUEST, READ) == KNOWN


def test_what_is_no_json_has_no_fingerprint() -> None:
    for wrong in ({"x": float("nan")}, {"x": {1}}, {"x": object()}):
        with pytest.raises(JournalError, match="A request is not plain JSON"):
            fingerprint(wrong, ())


def test_a_reply_that_was_paid_for_is_kept_even_with_infinite_numbers() -> None:
    with Journal.open(None) as journal:
        write(journal, [Entry("a", "model", reply={"logprob": float("-inf")})])
        found = journal.find("run", "a")
        assert found is not None
        assert found.reply == {"logprob": float("-inf")}
