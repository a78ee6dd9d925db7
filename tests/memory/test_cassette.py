"""A cassette is one small file that people read, keep beside tests, edit and replay."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from maieutic.errors import JournalError, UsageError
from maieutic.memory import Entry, Journal, Message, RunRecord, fingerprint

ASKED = {"model": "openai/gpt-5-mini", "temperature": 0.2}
SYSTEM = Message("system", "You are a debater. Argue as well as you can, and be brief.")
QUESTION = Message("user", "Should cities ban cars?")
SAID = "Cars are loud and dangerous; most of a city's people own none of them."


def entry(at: str, agent: str, text: str, *read: Message) -> Entry:
    return Entry(at, "model", fingerprint(ASKED, read), ASKED, read, {"text": text}, agent)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    async def fill(journal: Journal) -> None:
        await journal.record("r1", entry("0/0/ada.argue#1", "ada", SAID, SYSTEM, QUESTION))
        await journal.record("r1", entry("0/0/bo.argue#1", "bo", "No.", SYSTEM, QUESTION, Message("user", SAID)))
        await journal.record("r1", Entry("0/0/edge#1", "edge", reply={"target": "end"}))

    journal = Journal.open(tmp_path / "j.db")
    journal.begin(RunRecord("r1", "cars", 1000.0, "debate", {"file": "graph: {}\n"}))
    asyncio.run(fill(journal))
    return journal


def test_a_cassette_reads_like_the_dialogue_and_tells_each_thing_once(journal: Journal, tmp_path: Path) -> None:
    journal.export("r1", tmp_path / "cars.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "cars.jsonl").read_text().splitlines()]
    assert lines[0]["cassette"] == 1
    assert lines[0]["run"]["definition"] == {"file": "graph: {}\n"}
    asked, system, question, first, said, second, edge = lines[1:]
    assert asked["is"] == ASKED
    assert system == {"message": system["message"], "system": SYSTEM.content}
    assert question == {"message": question["message"], "after": system["message"], "user": QUESTION.content}
    assert first == {
        **{"at": "0/0/ada.argue#1", "kind": "model", "agent": "ada"},
        **{"asks": asked["request"], "reads": question["message"], "reply": {"text": SAID}},
    }
    assert said["user"] == {"same": said["user"]["same"], "starts": "Cars are loud and danger…"}
    assert second["reads"] == said["message"]
    assert edge == {"at": "0/0/edge#1", "kind": "edge", "reply": {"target": "end"}}
    assert (tmp_path / "cars.jsonl").read_text().count(SAID) == 1


def test_recording_again_changes_only_the_lines_that_differ(journal: Journal, tmp_path: Path) -> None:
    journal.export("r1", tmp_path / "one.jsonl")
    with Journal.open(None) as other:
        other.import_(tmp_path / "one.jsonl")
        other.export("r1", tmp_path / "two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_a_run_whose_id_is_taken_is_taken_in_under_another(journal: Journal, tmp_path: Path) -> None:
    journal.export("r1", tmp_path / "cars.jsonl")
    assert journal.import_(tmp_path / "cars.jsonl") == "r1-2"
    assert journal.import_(tmp_path / "cars.jsonl") == "r1-3"
    assert list(journal.entries("r1-3")) == list(journal.entries("r1"))
    assert journal.run("r1-3") == replace(journal.run("r1-2"), id="r1-3")


def test_a_cassette_may_be_edited_by_hand_and_still_replays(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "cars.jsonl"
    journal.export("r1", file)
    file.write_text(file.read_text().replace(QUESTION.content, "Should towns ban cars?") + "\n\n")
    with Journal.open(None) as other:
        other.import_(file)
        found = other.find("r1", "0/0/ada.argue#1")
        assert found is not None
        assert found.fingerprint == fingerprint(ASKED, (SYSTEM, Message("user", "Should towns ban cars?")))


def test_a_long_dialogue_makes_a_cassette_that_grows_linearly(tmp_path: Path) -> None:
    async def fill(journal: Journal, turns: int) -> None:
        journal.begin(RunRecord("r", "long", 0.0, "debate"))
        read: tuple[Message, ...] = (SYSTEM,)
        for n in range(turns):
            await journal.record("r", entry(f"0/0/t#{n}", "ada", f"{n}: {SAID}", *read))
            read = (*read, Message("user", f"{n}: {SAID}"))

    sizes = []
    for turns in (100, 200, 400):
        with Journal.open(None) as journal:
            asyncio.run(fill(journal, turns))
            journal.export("r", tmp_path / "long.jsonl")
        sizes.append((tmp_path / "long.jsonl").stat().st_size)
    assert (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) == pytest.approx(2.0, rel=0.02)


GOOD = '{"cassette": 1, "run": {"id": "r", "name": "n", "created": 0.0, "kind": "debate"}}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"c\.jsonl is no cassette: it is empty"),
        (
            GOOD.replace("1", "3", 1),
            r"c\.jsonl is a cassette of format 3; this maieutic reads formats up to 1\. Upgrade",
        ),
        ("{", r"c\.jsonl:1: this is no line of a cassette: .* Record it again"),
        ("[]", r"c\.jsonl:1: this is no line"),
        ('{"x": 1}', r"c\.jsonl:1: .* it has no 'cassette'"),
        (GOOD + '{"x": 1}', r"c\.jsonl:2: .* it tells neither an entry"),
        (GOOD + '{"at": "a", "kind": "model"}', r"c\.jsonl:2: .* it has no 'reply'"),
        (
            GOOD + '{"at": "a", "kind": "m", "reads": "77", "reply": {}}',
            r":2: .* refers to a message \(77\) that no line",
        ),
        (
            GOOD + '{"at": "a", "kind": "m", "asks": "77", "reply": {}}',
            r":2: .* refers to a request \(77\) that no line",
        ),
        (
            GOOD + '{"message": "7", "user": {"same": "8", "starts": "Cars"}}',
            r":2: .* refers to a text beginning 'Cars'",
        ),
        (GOOD + '{"message": "7", "user": 8}', r":2: .* the content of a message is a text"),
    ],
)
def test_a_broken_cassette_is_refused_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.jsonl").write_text(text)
    with Journal.open(None) as journal:
        with pytest.raises(JournalError, match=message):
            journal.import_(tmp_path / "c.jsonl")
        assert journal.runs() == []


def test_files_that_cannot_be_read_or_written_are_named(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JournalError, match="binary is no cassette: it is not UTF-8"):
        journal.import_(tmp_path / "binary")
    with pytest.raises(JournalError, match=r"The cassette .*nowhere cannot be read: No such file"):
        journal.import_(tmp_path / "nowhere")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.export("r1", tmp_path / "binary" / "c.jsonl")
    with pytest.raises(UsageError, match="There is no run 'r9'"):
        journal.export("r9", tmp_path / "c.jsonl")
