"""What the journal promises: written once, durable when acknowledged, found at its address."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from maieutic.errors import JournalError, UsageError
from maieutic.memory import Entry, Journal, Message, RunRecord, fingerprint


def a_run(name: str = "run-1", **changes: object) -> RunRecord:
    return replace(RunRecord(name, "cars", 1000.0, "debate", {"rounds": 3}), **changes)  # type: ignore[arg-type]


def an_entry(at: str, text: str = "Yes.", *messages: str) -> Entry:
    read = tuple(Message("user", content) for content in messages)
    request = {"model": "sim/debater", "temperature": 0.5}
    return Entry(at, "model", fingerprint(request, read), request, read, {"text": text}, "ada")


def record(journal: Journal, run: str, *entries: Entry) -> None:
    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for entry in entries:
                group.create_task(journal.record(run, entry))

    asyncio.run(all_of_them())


@pytest.fixture(params=["file", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a journal can be that several processes share."""
    found: str = request.getfixturevalue("database") if request.param == "postgres" else ""
    return found or tmp_path / "deep" / "journal.db"


@pytest.fixture(params=["file", "memory", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    found: str | None = request.getfixturevalue("database") if request.param == "postgres" else None
    with Journal.open(tmp_path / "deep" / "journal.db" if request.param == "file" else found) as opened:
        opened.begin(a_run())
        yield opened


def test_what_was_recorded_is_found_at_its_address_and_nowhere_else(journal: Journal) -> None:
    entry = an_entry("0/0/ask#1/ada.argue", "Cars are loud.", "Should cities ban cars?")
    record(journal, "run-1", entry)
    found = journal.find("run-1", entry.at)
    assert found == entry
    assert found.seq == 1
    assert abs(found.created - time.time()) < 60
    assert journal.find("run-1", "0/0/ask#2/ada.argue") is None
    assert journal.find("run-2", entry.at) is None


def test_the_first_writer_wins_an_address(journal: Journal) -> None:
    record(journal, "run-1", an_entry("0/0/a", "first"))
    record(journal, "run-1", an_entry("0/0/a", "second"))
    found = journal.find("run-1", "0/0/a")
    assert found is not None
    assert found.reply == {"text": "first"}
    assert len(list(journal.entries("run-1"))) == 1


def test_entries_come_in_the_order_of_recording_and_can_be_narrowed(journal: Journal) -> None:
    for at in ("0/0/ask#2/x", "0/0/ask#1", "0/0/ask#1/y", "0/0/ask#10", "1/0/ask#1"):
        record(journal, "run-1", an_entry(at))
    record(journal, "run-1", Entry("0/0/ask#1/edge", "edge", reply={"target": "end"}))
    assert [e.at for e in journal.entries("run-1")][:3] == ["0/0/ask#2/x", "0/0/ask#1", "0/0/ask#1/y"]
    assert [e.at for e in journal.entries("run-1", under="0/0/ask#1")] == ["0/0/ask#1", "0/0/ask#1/y", "0/0/ask#1/edge"]
    assert [e.at for e in journal.entries("run-1", kind="edge")] == ["0/0/ask#1/edge"]


def test_entries_stream_over_many_pages_while_more_are_written(journal: Journal) -> None:
    record(journal, "run-1", *(an_entry(f"{n}/0/a") for n in range(600)))
    stream = journal.entries("run-1")
    first = next(stream)
    record(journal, "run-1", an_entry("late"))
    rest = [e.at for e in stream]
    assert len({first.at, *rest}) == 601
    assert rest[-1] == "late"


def test_the_cache_answers_by_fingerprint_with_a_model_entry_of_any_run(journal: Journal) -> None:
    entry = an_entry("0/0/a", "cached", "question")
    record(journal, "run-1", replace(entry, at="0/0/b", kind="attempt"))
    assert journal.cached(entry.fingerprint) is None
    record(journal, "run-1", entry)
    assert journal.cached(entry.fingerprint) == entry
    assert journal.cached("0" * 64) is None
    assert journal.cached("") is None


def test_a_new_run_is_known_to_be_empty_without_a_query(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        journal.begin(a_run())
        other = sqlite3.connect(tmp_path / "j.db")
        other.execute("ALTER TABLE entries RENAME TO hidden")
        other.commit()
        assert journal.find("run-1", "0/0/a") is None  # any query would fail
        other.execute("ALTER TABLE hidden RENAME TO entries")
        other.commit()
        other.close()
        record(journal, "run-1", an_entry("0/0/a"))
        assert journal.find("run-1", "0/0/a") is not None


def test_a_caller_that_is_cancelled_while_it_waits_loses_nothing(journal: Journal) -> None:
    async def impatient() -> None:
        waiting = asyncio.create_task(journal.record("run-1", an_entry("0/0/a")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await journal.record("run-1", an_entry("0/0/b"))

    asyncio.run(impatient())
    assert journal.find("run-1", "0/0/a") is not None


def test_a_loop_that_is_gone_does_not_stop_the_others(journal: Journal) -> None:
    loop = asyncio.new_event_loop()
    waiting = journal.record("run-1", an_entry("0/0/gone"))
    loop.call_soon(lambda: loop.create_task(waiting))
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    record(journal, "run-1", an_entry("0/0/there"))
    assert [e.at for e in journal.entries("run-1")] == ["0/0/gone", "0/0/there"]


def test_several_event_loops_record_at_the_same_time(journal: Journal) -> None:
    async def threads() -> None:
        async with asyncio.TaskGroup() as group:
            for n in range(4):
                own = [an_entry(f"{n}/{m}/a") for m in range(25)]
                group.create_task(asyncio.to_thread(record, journal, "run-1", *own))

    asyncio.run(threads())
    assert len(list(journal.entries("run-1"))) == 100


def test_closing_writes_what_is_queued(place: Path | str) -> None:
    async def leave_in_a_hurry() -> None:
        async with Journal.open(place) as journal:
            journal.begin(a_run())
            waiting = [asyncio.ensure_future(journal.record("run-1", an_entry(f"{n}/0/a"))) for n in range(50)]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    asyncio.run(leave_in_a_hurry())
    with Journal.open(place) as again:
        assert len(list(again.entries("run-1"))) == 50
    if isinstance(place, Path):
        assert not place.with_name(place.name + "-wal").exists()


def test_a_closed_journal_says_so(journal: Journal) -> None:
    record(journal, "run-1", an_entry("0/0/a"))
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="The journal is closed; open it again"):
        record_one(journal, an_entry("0/0/b"))


def record_one(journal: Journal, entry: Entry, run: str = "run-1") -> None:
    asyncio.run(journal.record(run, entry))


def test_what_cannot_be_written_is_told_to_whoever_waits(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db", busy_timeout=0.1) as journal:
        journal.begin(a_run())
        other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=r"j\.db is being written by another process .* Wait for it"):
            record_one(journal, an_entry("0/0/a"))
        other.execute("ROLLBACK")
        other.close()
        record_one(journal, an_entry("0/0/a"))
        assert journal.find("run-1", "0/0/a") == an_entry("0/0/a")


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        journal.begin(a_run())
        record_one(journal, an_entry("0/0/a", "small", "hello"))
        journal._db.execute("PRAGMA max_page_count=20")
        with pytest.raises(JournalError, match=r"cannot grow: .* Free some space; what was acknowledged is safe"):
            record_one(journal, an_entry("0/0/b", "big" * 100_000, "hello", "again"))
        journal._db.execute("PRAGMA max_page_count=100000")
        record_one(journal, an_entry("0/0/c", "small", "hello", "again"))
        assert [e.messages[-1].content for e in journal.entries("run-1")] == ["hello", "again"]


def test_one_bad_entry_does_not_spoil_the_others(journal: Journal) -> None:
    async def mixed() -> list[BaseException | None]:
        good, bad = an_entry("0/0/a"), replace(an_entry("0/0/b"), reply={"text": {1, 2}})
        misnamed = replace(good, at="0/0/\ud800")
        waiting = [journal.record(run, e) for run, e in (("run-1", good), ("run-1", bad), ("elsewhere", good))]
        waiting.append(journal.record("run-1", misnamed))
        return await asyncio.gather(*waiting, return_exceptions=True)

    fine, bad, homeless, misnamed = asyncio.run(mixed())
    assert "Entry '0/0/\\ud800' has a name that is no proper text" in str(misnamed)
    assert fine is None
    assert str(bad).startswith("The reply of entry 0/0/b is not plain JSON")
    assert "belongs to run 'elsewhere', which is not in the journal: begin the run first" in str(homeless)
    assert [e.at for e in journal.entries("run-1")] == ["0/0/a"]


# -- runs --------------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_id_and_by_unique_prefix(journal: Journal) -> None:
    journal.begin(a_run("run-12", created=2000.0))
    journal.begin(a_run("other", definition={"text": "größer"}, outcome={"answer": None}, simulated=True))
    assert journal.run("run-1") == a_run()
    assert journal.run("run-12").created == 2000.0
    assert journal.run("o") == a_run("other", definition={"text": "größer"}, outcome={"answer": None}, simulated=True)
    assert [run.id for run in journal.runs()] == ["run-12", "other", "run-1"]
    assert [run.id for run in journal.runs(2)] == ["run-12", "other"]
    assert len(journal) == 3
    with pytest.raises(UsageError, match=r"Several runs begin with 'run': .*run-12.* Write more of the id"):
        journal.run("run")
    with pytest.raises(UsageError, match=r"There is no run 'x' in this journal; `maieutic runs list`"):
        journal.run("x")
    with pytest.raises(UsageError, match="There is no run ''"):
        journal.run("")


def test_a_run_ends_with_status_reason_and_outcome_and_may_be_taken_up_again(journal: Journal) -> None:
    journal.finish("run-1", status="done", reason="agreed", outcome={"answer": "yes"})
    assert journal.run("run-1") == a_run(status="done", reason="agreed", outcome={"answer": "yes"})
    assert journal.reopen("run-1") == a_run()
    with pytest.raises(UsageError, match="There is no run 'run'"):
        journal.finish("run", status="done", reason=None, outcome=None)


def test_a_run_begins_once(journal: Journal) -> None:
    with pytest.raises(JournalError, match="has a run 'run-1' already; resume it, or choose another id"):
        journal.begin(a_run())


def test_a_fork_keeps_what_it_is_told_to_and_is_a_run_of_its_own(journal: Journal) -> None:
    record(journal, "run-1", *(an_entry(f"0/0/turn#{n}", f"reply {n}", "question") for n in range(20)))
    forked = a_run("run-2", parent="run-1", forked_at="0/0/turn#3")
    journal.fork("run-1", forked, keep=lambda e: e.reply != {"text": "reply 3"})
    assert journal.run("run-2") == forked
    assert len(list(journal.entries("run-2"))) == 19
    assert journal.find("run-2", "0/0/turn#3") is None
    mine, theirs = journal.find("run-2", "0/0/turn#5"), journal.find("run-1", "0/0/turn#5")
    assert mine is not None
    assert theirs is not None
    assert mine == replace(theirs, fingerprint="")  # it answers whatever is asked there
    record(journal, "run-2", an_entry("0/0/turn#3", "another reply"))
    assert journal.find("run-1", "0/0/turn#3") != journal.find("run-2", "0/0/turn#3")
    with pytest.raises(JournalError, match="has a run 'run-2' already; choose another id for the fork"):
        journal.fork("run-1", a_run("run-2"), keep=lambda e: True)
    with pytest.raises(UsageError, match="There is no run 'nobody'"):
        journal.fork("nobody", a_run("run-3"), keep=lambda e: True)


def test_a_fork_shares_the_messages_with_its_parent(tmp_path: Path) -> None:
    view = [f"turn {n} " * 100 for n in range(100)]
    sizes = []
    for forks in (0, 5):
        path = tmp_path / f"{forks}.db"
        with Journal.open(path) as journal:
            journal.begin(a_run())
            record(journal, "run-1", *(an_entry(f"0/0/turn#{n}", "Yes.", *view[: n + 1]) for n in range(100)))
            for n in range(forks):
                journal.fork("run-1", a_run(f"fork-{n}"), keep=lambda e: True)
        sizes.append(path.stat().st_size)
    assert sizes[1] - sizes[0] < 5 * 100 * 250


# -- pruning -----------------------------------------------------------------------------------------------------


def test_pruning_frees_what_nobody_refers_to_and_shrinks_the_file(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        for n in range(4):
            journal.begin(a_run(f"run-{n}", created=float(n), status="done"))
            own = [an_entry(f"{m}/0/a", f"{n} {m} " * 200, "shared", f"own {n} {m} " * 200) for m in range(50)]
            record(journal, f"run-{n}", *own)
        journal.begin(a_run("live", created=0.0))
        planned = journal.prune(keep=1, before=3.0, dry_run=True)
        report = journal.prune(keep=1, before=3.0)
        assert planned.runs == report.runs == ("run-2", "run-1", "run-0")
        assert report.spared == ("live",)
        assert report.entries == 150
        assert report.texts == 150
        assert report.bytes_after < report.bytes_before / 2
        assert [run.id for run in journal.runs()] == ["run-3", "live"]
        assert len(list(journal.entries("run-3"))) == 50
        record(journal, "run-3", an_entry("again", "x", "shared", "own 0 1 " * 200))
        found = journal.find("run-3", "again")
        assert found is not None
        assert found.messages[1].content == "own 0 1 " * 200
    with Journal.open(tmp_path / "j.db") as journal:
        assert len(list(journal.entries("run-3"))) == 51


def test_pruning_by_id_takes_a_live_run_too_and_its_writer_is_told(place: Path | str) -> None:
    with Journal.open(place) as mine, Journal.open(place) as another:
        mine.begin(a_run())
        record(mine, "run-1", an_entry("0/0/a", "x", "kept text"))
        assert another.prune(ids=["run"]).runs == ("run-1",)
        with pytest.raises(JournalError, match="do not prune it while it goes on"):
            record_one(mine, an_entry("0/0/b"))
        mine.begin(a_run())
        record(mine, "run-1", an_entry("0/0/a", "x", "kept text"))
        found = another.find("run-1", "0/0/a")
        assert found is not None
        assert found.messages == (Message("user", "kept text"),)


def test_pruning_wants_to_know_what(journal: Journal) -> None:
    with pytest.raises(UsageError, match="Say which runs to prune"):
        journal.prune()
    with pytest.raises(UsageError, match="it cannot be -1"):
        journal.prune(keep=-1)
    with pytest.raises(UsageError, match="There is no run 'x'"):
        journal.prune(ids=["x"])


# -- growth ------------------------------------------------------------------------------------------------------


def dialogue(path: Path, turns: int) -> tuple[int, int]:
    """Bytes of the journal after so many turns of two agents, and bytes of the text that was said."""
    said: list[tuple[str, str]] = []
    text = 0
    with Journal.open(path) as journal:
        journal.begin(a_run())
        for n in range(turns):
            who = ("ada", "bo")[n % 2]
            view = [Message("system", f"You are {who}. " * 20)]
            view += [Message("assistant" if s == who else "user", t if s == who else f"{s}: {t}") for s, t in said]
            view.append(Message("user", "Give your next argument, in three sentences."))
            reply = f"argument {n}: " + "streets are for people and not for cars. " * 12
            request = {"model": "sim/debater", "temperature": 0.5}
            messages = tuple(view)
            entry = Entry(
                f"0/0/t#{n}", "model", fingerprint(request, messages), request, messages, {"text": reply}, who
            )
            record_one(journal, entry)
            said.append((who, reply))
            text += len(reply)
        assert journal.find("run-1", f"0/0/t#{turns - 1}") == entry
    return path.stat().st_size, text


def test_a_thousand_turns_grow_the_journal_linearly(tmp_path: Path) -> None:
    small, middle, large = (dialogue(tmp_path / f"{turns}.db", turns) for turns in (250, 500, 1000))
    first, second = middle[0] - small[0], large[0] - middle[0]
    assert second / first == pytest.approx(2.0, rel=0.1)
    assert large[0] < 5 * large[1]


# -- several processes, killed at any moment ---------------------------------------------------------------------

CHILD = """
import asyncio, sys
from maieutic.memory import Entry, Journal, Message, RunRecord

async def main():
    journal = Journal.open(sys.argv[1])
    run = sys.argv[2]
    journal.begin(RunRecord(run, "killed", 0.0, "debate"))
    async def one(task):
        for n in range(10**9):
            at = f"{task}/0/a#{n}"
            await journal.record(run, Entry(at, "model", "", {}, (Message("user", f"{at} " * 50),), {"text": at}))
            print(at, flush=True)
    await asyncio.gather(*(one(task) for task in range(20)))

asyncio.run(main())
"""


@pytest.mark.parametrize("milliseconds", [5, 40, 90, 150, 260])
def test_kill_9_loses_no_entry_that_was_acknowledged(place: Path | str, milliseconds: int) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(place), f"run-{n}"], stdout=subprocess.PIPE, text=True)
        for n in (1, 2)
    ]
    for child in children:
        assert child.stdout is not None
        first = child.stdout.readline().strip()
        assert first
    time.sleep(milliseconds / 1000)
    for child in children:
        child.kill()
    acknowledged = [child.communicate()[0].split("\n") for child in children]
    with Journal.open(place) as journal:
        for n, lines in enumerate(acknowledged, 1):
            there = {e.at for e in journal.entries(f"run-{n}")}
            assert set(lines[:-1]) <= there
            assert all(e.messages[0].content == f"{e.at} " * 50 for e in journal.entries(f"run-{n}"))


def test_what_one_process_records_another_reads(place: Path | str) -> None:
    with Journal.open(place) as writer, Journal.open(place) as reader:
        writer.begin(a_run())
        record(writer, "run-1", an_entry("0/0/a"))
        assert reader.find("run-1", "0/0/a") == an_entry("0/0/a")
        record(reader, "run-1", an_entry("0/0/b"))
        assert [e.at for e in writer.entries("run-1")] == ["0/0/a", "0/0/b"]


def test_runs_that_begin_and_end_together_share_a_commit(place: Path | str) -> None:
    async def main() -> None:
        async with Journal.open(place) as journal:
            async with asyncio.TaskGroup() as group:
                for n in range(50):
                    group.create_task(journal.begin_soon(RunRecord(f"run-{n}", "many", 0.0, "debate")))
            await journal.record("run-7", Entry("0/0/a", "model", reply={"text": "yes"}))
            async with asyncio.TaskGroup() as group:
                for n in range(50):
                    group.create_task(journal.finish_soon(f"run-{n}", status="done", reason="agreed", outcome={"n": n}))
            assert all((r.status, r.reason, r.outcome) == ("done", "agreed", {"n": n_of(r)}) for r in journal.runs())
            with pytest.raises(JournalError, match="has a run 'run-7' already"):
                await journal.begin_soon(RunRecord("run-7", "again", 0.0, "debate"))

    def n_of(run: RunRecord) -> int:
        return int(run.id.removeprefix("run-"))

    asyncio.run(main())
