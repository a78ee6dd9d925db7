"""A journal that cannot be read says so, and what can be rescued is."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from maieutic.errors import JournalError
from maieutic.memory import Entry, Journal, Message, RunRecord, fingerprint, salvage

PAGE = 4096


def entry(n: int) -> Entry:
    messages = tuple(Message("user", f"turn {m} " * 30) for m in range(n + 1))
    request = {"model": "sim/debater"}
    return Entry(
        f"0/0/turn#{n}", "model", fingerprint(request, messages), request, messages, {"text": f"reply {n} " * 60}
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three runs with 100 entries each."""

    async def fill(journal: Journal) -> None:
        for run in ("one", "two", "three"):
            journal.begin(RunRecord(run, run, 1.0, "debate", {"rounds": 3}))
            async with asyncio.TaskGroup() as group:
                for n in range(100):
                    group.create_task(journal.record(run, entry(n)))

    with Journal.open(tmp_path / "j.db") as journal:
        asyncio.run(fill(journal))
    return tmp_path / "j.db"


def test_a_journal_of_a_newer_format_is_refused_with_both_versions(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=7")
    db.close()
    with pytest.raises(JournalError) as refused:
        Journal.open(path)
    assert str(refused.value) == (
        f"{path} is a journal of format 7; this maieutic reads formats up to 1. Upgrade maieutic, or name another file."
    )


def test_another_database_is_no_journal(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "x.db")
    db.execute("CREATE TABLE t (a)")
    db.close()
    with pytest.raises(JournalError, match="is an SQLite database, but not a journal of maieutic"):
        Journal.open(tmp_path / "x.db")


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"cannot be opened for writing .* Check the folder"):
        Journal.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be used"):
        Journal.open(tmp_path / "file" / "j.db")
    with pytest.raises(JournalError, match=r"There is no journal .*nowhere\.db to repair"):
        salvage(tmp_path / "nowhere.db")


def read_all(path: Path) -> list[Entry]:
    with Journal.open(path) as journal:
        return [e for run in journal.runs() for e in journal.entries(run.id)]


def test_random_bytes_are_called_damaged_with_the_command_that_repairs(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))
    with pytest.raises(JournalError) as refused:
        Journal.open(path)
    assert f"{path} is damaged (file is not a database). Run `maieutic runs repair --store {path}`" in str(
        refused.value
    )
    report = salvage(path)
    assert (report.runs, report.entries) == (0, 0)
    assert report.kept.read_bytes() == random.Random(1).randbytes(20_000)
    assert read_all(path) == []


def test_broken_pages_are_noticed_and_the_rest_is_rescued(path: Path) -> None:
    whole = {e.at: e for e in read_all(path)}
    damaged = bytearray(path.read_bytes())
    rng = random.Random(2)
    for page in rng.sample(range(12, len(damaged) // PAGE), 12):
        damaged[page * PAGE : (page + 1) * PAGE] = rng.randbytes(PAGE)
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match=r"is damaged .* Run `maieutic runs repair"):
        read_all(path)
    report = salvage(path)
    assert report.kept.read_bytes() == bytes(damaged)
    assert report.runs == 3
    assert 100 < report.entries < 300
    assert report.entries + report.lost <= 300
    rescued = read_all(path)
    assert len(rescued) == report.entries
    assert sum(not e.messages for e in rescued) <= report.bare
    for e in rescued:
        assert e.fingerprint == whole[e.at].fingerprint
        assert e.reply == whole[e.at].reply
        assert e.messages in ((), whole[e.at].messages)
    assert str(report).startswith(f"{path}: kept {report.entries} entries of 3 runs (")


@pytest.mark.parametrize("vacuumed", [False, True])
def test_a_broken_first_page_costs_nothing_else(path: Path, vacuumed: bool) -> None:
    if vacuumed:
        with Journal.open(path) as journal:
            journal.prune(ids=["two"])
    whole = read_all(path)
    damaged = bytearray(path.read_bytes())
    damaged[:PAGE] = bytes(PAGE)
    path.write_bytes(damaged)
    report = salvage(path)
    assert report.entries == len(whole)
    assert report.lost == report.bare == report.nameless == 0
    assert read_all(path) == whole


@pytest.mark.parametrize("table", ["entries", "messages", "texts"])
def test_a_broken_inner_page_hides_nothing_that_stands_on_the_others(path: Path, table: str) -> None:
    whole = read_all(path)
    db = sqlite3.connect(path)
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    db.close()
    damaged = bytearray(path.read_bytes())
    damaged[(root - 1) * PAGE : root * PAGE] = random.Random(4).randbytes(PAGE)
    path.write_bytes(damaged)
    report = salvage(path)
    assert (report.runs, report.entries, report.bare, report.lost) == (3, 300, 0, 0)
    assert read_all(path) == whole


def test_what_stands_only_in_the_log_is_rescued_too(path: Path) -> None:
    with Journal.open(path) as journal:
        asyncio.run(journal.record("one", Entry("0/0/late", "tool", reply={"text": "late " * 5000})))
        copy = path.with_name("copy.db")
        for end in ("", "-wal"):
            copy.with_name(copy.name + end).write_bytes(path.with_name(path.name + end).read_bytes())
    report = salvage(copy)
    assert report.entries == 301
    assert report.kept.with_name(report.kept.name + "-wal").exists()
    with Journal.open(copy) as journal:
        assert journal.find("one", "0/0/late") == Entry("0/0/late", "tool", reply={"text": "late " * 5000})


@pytest.mark.parametrize("part", [0.9, 0.5, 0.1, 0.001])
def test_a_truncated_file_is_noticed_and_what_is_left_is_rescued(path: Path, part: float) -> None:
    whole = {e.at: e for e in read_all(path)}
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(JournalError, match="is damaged"):
        read_all(path)
    report = salvage(path)
    rescued = read_all(path)
    assert len(rescued) == report.entries
    assert all(e.reply == whole[e.at].reply for e in rescued)


def test_a_run_whose_description_is_lost_keeps_its_entries_under_another_name(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("UPDATE runs SET definition = 'no JSON' WHERE id = 'two'")
    db.commit()
    db.close()
    report = salvage(path)
    assert report.nameless == 1
    with Journal.open(path) as journal:
        assert len(list(journal.entries("recovered-2"))) == 100


def test_opening_with_salvage_repairs_what_is_damaged_and_leaves_alone_what_is_not(path: Path) -> None:
    with Journal.open(path, salvage=True) as journal:
        assert journal.salvaged is None
    damaged = bytearray(path.read_bytes())
    damaged[5 * PAGE : 6 * PAGE] = random.Random(3).randbytes(PAGE)
    path.write_bytes(damaged)
    with Journal.open(path, salvage=True) as journal:
        assert journal.salvaged is not None
        assert journal.salvaged.kept.name == "j.db.damaged-1"
        assert journal.salvaged.kept.read_bytes() == bytes(damaged)


def test_two_repairs_keep_both_damaged_files(path: Path) -> None:
    assert salvage(path).kept.name == "j.db.damaged-1"
    report = salvage(path)
    assert report.kept.name == "j.db.damaged-2"
    assert (report.runs, report.entries, report.lost) == (3, 300, 0)
