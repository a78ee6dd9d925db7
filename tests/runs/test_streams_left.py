"""Leaving a stream early: the run ends as cancelled and is kept, whatever is closed when."""

import asyncio
from pathlib import Path

import pytest

import maieutic as mt
from maieutic.errors import JournalError
from maieutic.memory import Address, Entry, Journal, RunRecord

DEBATE = mt.Debate([mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater")], rounds=3)


async def first_turn(workspace: mt.Workspace) -> None:
    async for event in workspace.stream(DEBATE, "Should cities ban cars?", run_id="case"):
        if isinstance(event, mt.Event) and event.kind == "turn":
            return


def test_a_workspace_that_closes_ends_the_runs_of_streams_that_were_left(tmp_path: Path) -> None:
    async def leave_and_look() -> None:
        async with mt.Workspace(tmp_path / "runs.db") as workspace:
            await first_turn(workspace)
        async with mt.Workspace(tmp_path / "runs.db") as workspace:
            record = workspace.journal.run("case")
            assert (record.status, record.reason) == ("cancelled", "cancelled")
            assert (await workspace.run(DEBATE, "Should cities ban cars?", run_id="case")).status == "done"

    asyncio.run(leave_and_look())


def test_leaving_a_programs_own_stream_keeps_its_run(tmp_path: Path) -> None:
    async def leave() -> None:
        async for event in DEBATE.stream("Should cities ban cars?", store=tmp_path / "runs.db", run_id="case"):
            if isinstance(event, mt.Event) and event.kind == "turn":
                break
        await asyncio.sleep(0.1)  # the loop closes what was left

    asyncio.run(leave())
    with Journal.open(tmp_path / "runs.db") as journal:
        assert journal.run("case").status == "cancelled"


@pytest.mark.parametrize("store", [None, "runs.db"])
def test_a_journal_may_be_closed_while_another_thread_reads_it(tmp_path: Path, store: str | None) -> None:
    """SQLite itself would crash the process."""

    async def read(journal: Journal) -> None:
        for _ in range(100_000):
            journal.find("run", Address("run").local)

    async def main() -> None:
        for _ in range(5):
            journal = Journal.open(None if store is None else tmp_path / store)
            if not journal.holds("run"):
                journal.begin(RunRecord(id="run", name="x", created=0.0, kind="x"))
            await journal.record("run", Entry(Address("run").local, "tool", reply={"value": 1}))
            reading = asyncio.create_task(asyncio.to_thread(asyncio.run, read(journal)))
            await asyncio.sleep(0.01)
            await journal.aclose()
            with pytest.raises(JournalError, match="closed"):
                await reading

    asyncio.run(main())
