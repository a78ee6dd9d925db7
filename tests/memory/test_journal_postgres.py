"""The journal in PostgreSQL: connections that break, sessions that end, several writers, and what its errors say."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maieutic.errors import JournalError, UsageError
from maieutic.memory import Entry, Journal, Message, RunRecord, fingerprint
from maieutic.testing.postgres import PostgresServer, serving


def a_run(name: str = "run-1") -> RunRecord:
    return RunRecord(name, "cars", 1000.0, "debate", {"rounds": 3})


def an_entry(at: str, *messages: str) -> Entry:
    read = tuple(Message("user", content) for content in messages)
    return Entry(at, "model", fingerprint({"model": "m"}, read), {"model": "m"}, read, {"text": at}, "ada")


def record(journal: Journal, run: str, *entries: Entry) -> None:
    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for entry in entries:
                group.create_task(journal.record(run, entry))

    asyncio.run(all_of_them())


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


# -- connections that break ----------------------------------------------------------------------------------------


def test_a_connection_that_is_broken_off_is_made_anew_and_nobody_notices(
    postgres: PostgresServer, database: str
) -> None:
    with Journal.open(database) as journal:
        journal.begin(a_run())
        record(journal, "run-1", an_entry("0/0/a", "hello"))
        acts: list[Callable[[], object]] = [
            lambda: record(journal, "run-1", an_entry("0/0/b", "hello", "again")),
            lambda: journal.begin(a_run("run-2")),
            lambda: journal.finish("run-2", status="done"),
            lambda: list(journal.entries("run-1")),
            lambda: journal.reopen("run-2"),
            lambda: journal.fork("run-1", a_run("run-3"), keep=lambda e: True),
            lambda: journal.prune(ids=["run-3"]),
        ]
        for n, act in enumerate(acts):
            assert postgres.cut(name_of(database)) >= 1, n
            act()
        assert [e.at for e in journal.entries("run-1")] == ["0/0/a", "0/0/b"]
        assert sorted(run.id for run in journal.runs()) == ["run-1", "run-2"]


def test_cut_again_and_again_while_it_writes_every_entry_is_there_once(postgres: PostgresServer, database: str) -> None:
    cuts = 0
    over = threading.Event()

    def cut() -> None:
        nonlocal cuts
        while not over.wait(0.2):
            cuts += postgres.cut(name_of(database))

    with Journal.open(database) as journal:
        journal.begin(a_run())
        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            for n in range(60):
                time.sleep(0.02)
                record(journal, "run-1", *(an_entry(f"{n}/{m}/a", f"shared {n}", f"own {n} {m}") for m in range(25)))
        finally:
            over.set()
            cutter.join()
        assert cuts > 3
        found = list(journal.entries("run-1"))
    assert sorted(e.at for e in found) == sorted(f"{n}/{m}/a" for n in range(60) for m in range(25))
    assert all(e.messages[0].content == f"shared {e.at.split('/')[0]}" for e in found)


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    with serving() as server:
        yield server


@pytest.mark.usefixtures("postgres")
def test_a_server_that_stays_away_is_told_and_what_was_acknowledged_is_there_when_it_is_back(
    own: PostgresServer,
) -> None:
    url = own.fresh().replace("postgres@", "postgres:very-secret@")
    with Journal.open(url, busy_timeout=0.4) as journal:
        journal.begin(a_run())
        record(journal, "run-1", an_entry("0/0/a", "hello"))
        own.stop(at_once=True)
        for act in (lambda: record(journal, "run-1", an_entry("0/0/b")), journal.runs):
            with pytest.raises((JournalError, ExceptionGroup)) as told:
                act()
            error = told.value.exceptions[0] if isinstance(told.value, ExceptionGroup) else told.value
            assert isinstance(error, JournalError)
            assert "cannot be reached" in str(error)
            assert "resume the run and it goes on from there" in str(error)
            assert "secret" not in str(error)
        own.start()
        record(journal, "run-1", an_entry("0/0/b"))
        assert [e.at for e in journal.entries("run-1")] == ["0/0/a", "0/0/b"]


def test_a_server_that_restarts_is_waited_for(own: PostgresServer) -> None:
    with Journal.open(own.fresh()) as journal:
        journal.begin(a_run())
        own.stop(at_once=True)
        back = threading.Timer(0.3, own.start)
        back.start()
        record(journal, "run-1", an_entry("0/0/a"))
        back.join()
        assert journal.find("run-1", "0/0/a") is not None


# -- claims --------------------------------------------------------------------------------------------------------


def test_a_run_that_somebody_works_on_is_not_taken_up_by_another(database: str) -> None:
    with Journal.open(database) as mine, Journal.open(database) as another:
        mine.begin(a_run())
        with pytest.raises(JournalError, match="Run 'run-1' is being worked on already"):
            another.reopen("run-1")
        mine.finish("run-1", status="done")
        assert another.reopen("run-1").status == "running"
        with pytest.raises(JournalError, match="is being worked on already"):
            mine.reopen("run-1")


def test_a_run_whose_process_was_killed_can_be_taken_up_at_once(database: str) -> None:
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from maieutic.memory import *\n"
            "j = Journal.open(sys.argv[1]); j.begin(RunRecord('run-1', 'n', 0.0, 'debate'))\n"
            "print('begun', flush=True); time.sleep(60)",
            database,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    with Journal.open(database, busy_timeout=5) as journal:
        with pytest.raises(JournalError, match="is being worked on already"):
            journal.reopen("run-1")
        child.kill()
        child.wait()
        for _ in range(100):  # the server notices within milliseconds
            try:
                assert journal.reopen("run-1").status == "running"
                break
            except JournalError:
                threading.Event().wait(0.02)
        else:
            pytest.fail("the claim of a process that was killed was never given up")
    child.stdout.close()


def test_claims_outlive_a_connection_that_is_broken_off(postgres: PostgresServer, database: str) -> None:
    with Journal.open(database) as mine, Journal.open(database) as another:
        mine.begin(a_run())
        postgres.cut(name_of(database))
        record(mine, "run-1", an_entry("0/0/a"))
        with pytest.raises(JournalError, match="is being worked on already"):
            another.reopen("run-1")


def test_a_run_that_another_took_while_the_connection_was_lost_is_left_to_it(
    postgres: PostgresServer, database: str
) -> None:
    with Journal.open(database) as mine, Journal.open(database) as another:
        mine.begin(a_run())
        mine.begin(a_run("run-2"))
        postgres.cut(name_of(database))
        another.reopen("run-1")
        with pytest.raises(ExceptionGroup) as told:
            record(mine, "run-1", an_entry("0/0/a"))
        assert "is being worked on already: another process took it up while" in str(told.value.exceptions[0])
        record(mine, "run-2", an_entry("0/0/a"))
        record(another, "run-1", an_entry("0/0/a"))
        mine.finish("run-1", status="failed")
        assert another.run("run-1").status == "running"
        mine.finish("run-2", status="done")
        with pytest.raises(JournalError, match="is being worked on already"):
            mine.reopen("run-1")


def test_there_is_room_for_thousands_of_claims(database: str) -> None:
    async def main() -> None:
        async with Journal.open(database) as journal:
            async with asyncio.TaskGroup() as group:
                for n in range(4000):  # a server has room for some 6,400 locks altogether
                    group.create_task(journal.begin_soon(a_run(f"run-{n}")))
            assert len(journal.runs()) == 4000
            with Journal.open(database) as another, pytest.raises(JournalError, match="is being worked on"):
                another.reopen("run-3999")

    asyncio.run(main())


# -- several writers -----------------------------------------------------------------------------------------------


def test_writers_of_the_same_texts_in_different_orders_do_not_wait_for_each_other_for_ever(database: str) -> None:
    said = [f"text {n}" for n in range(300)]

    def write(run: str, texts: list[str]) -> None:
        with Journal.open(database) as journal:
            journal.begin(a_run(run))
            for start in range(0, 300, 50):
                own = texts[start : start + 50]
                record(journal, run, *(an_entry(f"{start}/{n}/a", text) for n, text in enumerate(own)))

    threads = [threading.Thread(target=write, args=(f"run-{n}", said if n % 2 else said[::-1])) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Journal.open(database) as journal:
        for n in range(6):
            found = [e.messages[0].content for e in journal.entries(f"run-{n}")]
            assert sorted(found) == sorted(said)


def test_pruning_beside_a_writer_leaves_no_message_behind_and_takes_none_that_is_needed(database: str) -> None:
    over = threading.Event()

    def prune() -> None:
        with Journal.open(database) as journal:
            while not over.is_set():
                journal.prune(keep=0)

    with Journal.open(database) as journal:
        journal.begin(a_run())
        pruner = threading.Thread(target=prune)
        pruner.start()
        try:
            for n in range(40):
                with_others = [an_entry(f"{n}/{m}/a", f"shared {m % 7}", f"own {n}") for m in range(10)]
                other = a_run(f"other-{n}")
                journal.begin(other)
                record(journal, other.id, *with_others)
                journal.finish(other.id, status="done")
                record(journal, "run-1", *with_others[:3])
        finally:
            over.set()
            pruner.join()
        journal.prune(keep=0)
        found = list(journal.entries("run-1"))
        assert len(found) == 120
        assert all(e.messages[1].content == f"own {e.at.split('/')[0]}" for e in found)
        with psycopg.connect(database) as db:
            assert db.execute("SELECT count(*) FROM maieutic.texts").fetchone() == (3 + 40 + 1,)


def test_several_processes_may_make_the_tables_at_once(database: str) -> None:
    opened: list[bool] = []

    def open_() -> None:
        with Journal.open(database) as journal:
            opened.append(journal.runs() == [])

    threads = [threading.Thread(target=open_) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [True] * 8


# -- what goes in comes out ----------------------------------------------------------------------------------------

texts = st.text(st.characters(), max_size=30) | st.sampled_from(["\ud800", "a\x00b", "", "x" * 5000])
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
entries = st.builds(
    Entry,
    at=names,
    kind=st.sampled_from(["model", "tool"]),
    fingerprint=st.sampled_from(["", "plain", "ab" * 32, "AB" * 32]),
    request=st.dictionaries(texts, texts, max_size=2),
    messages=st.lists(st.builds(Message, st.sampled_from(["system", "user"]), texts), max_size=4).map(tuple),
    reply=st.dictionaries(texts, texts | st.integers() | st.none(), max_size=3),
    agent=names,
)


@pytest.fixture
def journal(database: str) -> Iterator[Journal]:
    with Journal.open(database) as opened:
        yield opened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(entries, max_size=5, unique_by=lambda e: e.at))
def test_every_entry_comes_back_as_it_was_written(journal: Journal, written: list[Entry]) -> None:
    run = f"run-{len(journal.runs())}"
    journal.begin(a_run(run))
    record(journal, run, *written)
    assert {e.at: e for e in journal.entries(run)} == {e.at: e for e in written}
    for entry in written:
        assert next(iter(journal.entries(run, under=entry.at))) == entry
    journal.finish(run, status="done", outcome={"text": "\ud800\0"})
    assert journal.run(run).outcome == {"text": "\ud800\0"}


def test_a_name_with_a_nul_is_refused_and_spoils_nothing(database: str) -> None:
    async def both(journal: Journal) -> list[BaseException | None]:
        waiting = [journal.record("run-1", an_entry(at)) for at in ("0/0/a", "0/0/\0")]
        return await asyncio.gather(*waiting, return_exceptions=True)

    with Journal.open(database) as journal:
        journal.begin(a_run())
        fine, refused = asyncio.run(both(journal))
        assert fine is None
        assert "has a name that postgresql://" in str(refused)
        assert [e.at for e in journal.entries("run-1")] == ["0/0/a"]


# -- what is wrong is told -----------------------------------------------------------------------------------------


def test_a_database_that_cannot_be_opened_is_told_at_once_and_never_with_its_password(
    postgres: PostgresServer, database: str
) -> None:
    wrong = {
        postgres.url("nowhere").replace("postgres@", "postgres:s3cret@"): 'database "nowhere" does not exist',
        database.replace("postgres@", "nobody-here:s3cret@"): 'role "nobody-here" does not exist',
        "postgresql://u:s3cret@127.0.0.1:1/x?password=s3cret": "cannot be opened .*Check the address",
        "postgresql://u:s3cret@127.0.0.1:1/x?colour=s3cret": "colour",
    }
    for url, message in wrong.items():
        with pytest.raises(JournalError, match=message) as told:
            Journal.open(url)
        assert "s3cret" not in str(told.value)


def test_a_user_who_may_not_make_the_tables_may_use_those_that_an_owner_made(
    postgres: PostgresServer, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS guest")
        db.execute("CREATE ROLE guest LOGIN")
        guest = database.replace("postgres@", "guest@")
        with pytest.raises(JournalError, match=r"the user may not do that .*GRANT CREATE ON DATABASE"):
            Journal.open(guest)
        Journal.open(database).close()
        db.execute("GRANT USAGE ON SCHEMA maieutic TO guest")
        db.execute("GRANT ALL ON ALL TABLES IN SCHEMA maieutic TO guest")
        with Journal.open(guest) as journal:
            journal.begin(a_run())
            record(journal, "run-1", an_entry("0/0/a", "hello"))
            assert journal.find("run-1", "0/0/a") == an_entry("0/0/a", "hello")
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("DROP OWNED BY guest")
        db.execute("DROP ROLE guest")


def test_a_journal_of_a_newer_format_is_refused_with_both_versions(database: str) -> None:
    Journal.open(database).close()
    with psycopg.connect(database) as db:
        db.execute("UPDATE maieutic.state SET value = 9 WHERE name = 'format'")
    with pytest.raises(JournalError, match="has a journal of format 9; this maieutic reads formats up to 1"):
        Journal.open(database)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"needs PostgreSQL's driver; install it: pip install 'maieutic\[postgres\]'"):
        Journal.open("postgresql://somewhere/x")
