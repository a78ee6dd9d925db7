"""Runs that were begun here: what they have is found, and nothing is looked for that cannot be there."""

import asyncio
from pathlib import Path

import pytest

from maieutic.errors import JournalError
from maieutic.memory import Journal, RunRecord
from maieutic.memory.entries import Entry


def a_run(name: str) -> RunRecord:
    return RunRecord(id=name, name=name, created=1.0, kind="debate")


def an_entry(at: str) -> Entry:
    return Entry(at=at, kind="model", reply={"text": at})


def test_a_run_begun_here_finds_what_it_recorded_and_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with Journal.open(tmp_path / "journal.db") as journal:
            await journal.begin_soon(a_run("one"))
            await journal.record("one", an_entry("0/0/a"))
            found = journal.find("one", "0/0/a")
            assert found is not None
            assert found.reply == {"text": "0/0/a"}
            assert journal.find("one", "0/0/b") is None

    asyncio.run(main())


def test_what_a_run_recorded_is_found_after_its_end_and_in_another_process_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with Journal.open(tmp_path / "journal.db") as journal:
            await journal.begin_soon(a_run("one"))
            await journal.record("one", an_entry("0/0/a"))
            await journal.finish_soon("one", status="done")
            assert journal.find("one", "0/0/a") is not None
            with Journal.open(tmp_path / "journal.db") as other:
                assert other.find("one", "0/0/a") is not None
                await other.record("one", an_entry("0/0/b"))
            assert journal.find("one", "0/0/b") is not None

    asyncio.run(main())


def test_an_entry_that_is_refused_is_not_found() -> None:
    async def main() -> None:
        async with Journal.open(None) as journal:
            await journal.begin_soon(a_run("one"))
            with pytest.raises(JournalError):
                await journal.record("one", Entry(at="0/0/a", kind="model", reply={"text": {1, 2}}))
            assert journal.find("one", "0/0/a") is None

    asyncio.run(main())


def test_many_runs_that_begin_at_once_each_keep_their_own_entries() -> None:
    async def main() -> None:
        names = [f"run {n}" for n in range(1200)]
        async with Journal.open(None) as journal:

            async def one(name: str) -> None:
                await journal.begin_soon(a_run(name))
                await journal.record(name, an_entry(f"0/0/{name}"))

            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(one(name))
            for name in names:
                assert [entry.at for entry in journal.entries(name)] == [f"0/0/{name}"]

    asyncio.run(main())
