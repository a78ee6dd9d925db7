"""The one journal: every effect from outside, written once at its address before anything uses it."""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from maieutic.errors import JournalError, UsageError
from maieutic.memory import cassette, difference
from maieutic.memory.database import TABLES, stored, translate
from maieutic.memory.databases import Database, is_url
from maieutic.memory.entries import Entry, RunRecord, plain
from maieutic.memory.prune import PruneReport, prune
from maieutic.memory.reader import Reader, read_run
from maieutic.memory.salvage import SalvageReport, is_damaged
from maieutic.memory.salvage import salvage as repair
from maieutic.memory.sqlite import SQLite
from maieutic.memory.writer import Writer

__all__ = ["Journal"]

_RUN_COLUMNS = ", ".join(TABLES["runs"][1:])


class Journal:
    """The journal of many runs in one SQLite file, in a PostgreSQL database, or in memory.

    Reading is immediate and may happen in any thread. `record` returns when the entry is on the disk; whatever waits
    at the same time shares one commit. Several processes may open the same journal; one run is recorded by one of them
    at a time. Use it as a (sync or async) context manager, or close it.

    Attributes:
        place: The file, the database's address without its password, or None.
        salvaged: What was rescued, if `open` had to repair the file.
    """

    def __init__(self, db: Database) -> None:
        self.place = db.place
        self.salvaged: SalvageReport | None = None
        self._db = db
        self._claims = db.claims()
        self._begun: dict[str, set[str]] = {}  # of runs begun here and not over: where they have entries
        self._writer = Writer(db)
        self._reader = Reader(db)
        # Also at the interpreter's end: what is queued is written even if nobody closes the journal.
        self._finalizer = weakref.finalize(self, _shut, self._writer, db)

    @classmethod
    def open(cls, place: Path | str | None, *, salvage: bool = False, busy_timeout: float = 30.0) -> Journal:
        """Open a journal, and make it (and its folder, or its tables) if there is none.

        Args:
            place: A file; or the address of a PostgreSQL database, "postgresql://user@host/name"; None keeps the
                journal in memory.
            salvage: Repair a damaged file first (see `maieutic.memory.salvage`) instead of failing.
            busy_timeout: Seconds to wait for another process that is writing, or for a server that is away.

        Raises:
            JournalError: It cannot be opened, is no journal, is of a newer format, or is damaged.
            UsageError: PostgreSQL's driver is not installed.
        """
        if is_url(place):
            from maieutic.memory.postgres import Postgres

            return cls(Postgres(str(place), patience=busy_timeout))
        file = None if place is None else Path(place)
        report = repair(file) if salvage and file is not None and is_damaged(file) else None
        try:
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(SQLite(file, busy_timeout=busy_timeout))
        except (sqlite3.Error, OSError) as error:
            raise translate(error, file) from error
        journal.salvaged = report
        return journal

    # -- runs ---------------------------------------------------------------------------------------------------

    def begin(self, run: RunRecord) -> None:
        """Enter a new run.

        Raises:
            JournalError: The journal has a run with this id.
        """
        row = _run_row(run)
        if self.holds(run.id):
            raise JournalError(f"The journal has a run '{run.id}' already; resume it, or choose another id.")
        self._claims.release(run.id)  # of a run with this id that was pruned since
        self._claims.take(run.id)
        with self._claims.kept_if_all_goes_well(run.id):
            self._enter(row)
        self._begun[run.id] = set()

    def run(self, id_or_unique_prefix: str) -> RunRecord:
        """The run with this id, or the only one whose id begins so.

        Raises:
            UsageError: There is none, or there are several.
        """
        asked = id_or_unique_prefix
        chosen = f"SELECT {_RUN_COLUMNS} FROM runs WHERE"
        rows = self._reader.rows(f"{chosen} id = ?", (asked,))  # by its index; a prefix is looked for in all ids
        rows = rows or self._reader.rows(
            f"{chosen} substr(id, 1, ?) = ? ORDER BY key DESC LIMIT 6", (len(asked), asked)
        )
        if not asked or not rows:
            raise UsageError(f"There is no run '{asked}' in this journal; `maieutic runs list` shows those there are.")
        if len(rows) > 1:
            names = ", ".join(row[0] for row in rows[:5]) + (", …" if len(rows) > 5 else "")
            raise UsageError(f"Several runs begin with '{asked}': {names}. Write more of the id.")
        return read_run(rows[0])

    def runs(self, newest: int | None = None) -> list[RunRecord]:
        """All runs, the newest first, or only so many: an experiment's journal has tens of thousands."""
        query = f"SELECT {_RUN_COLUMNS} FROM runs ORDER BY created DESC, key DESC"
        rows = self._reader.rows(query) if newest is None else self._reader.rows(f"{query} LIMIT ?", (newest,))
        return [read_run(row) for row in rows]

    def __len__(self) -> int:
        """How many runs there are."""
        return int(self._reader.rows("SELECT count(*) FROM runs")[0][0])

    def __bool__(self) -> bool:
        """A journal without runs is a journal."""
        return True

    def holds(self, run_id: str) -> bool:
        """Whether there is a run with exactly this id."""
        return bool(self._reader.rows("SELECT 1 FROM runs WHERE id = ?", (run_id,)))

    def reopen(self, run_id: str) -> RunRecord:
        """Take a run up again (resume): it is "running" once more, and the journal answers for what it has.

        Raises:
            JournalError: Somebody works on it, in this process or another.
            UsageError: There is no such run.
        """
        self._claims.take(run_id)
        with self._claims.kept_if_all_goes_well(run_id):
            self._conclude(run_id, "running", None, None)
            return self.run(run_id)

    def finish(
        self, run_id: str, *, status: str, reason: str | None = None, outcome: Mapping[str, Any] | None = None
    ) -> None:
        """Close a run, after everything that was recorded of it is on the disk.

        Raises:
            UsageError: There is no such run.
            JournalError: `outcome` is not plain JSON.
        """
        self._writer.flush()
        self._conclude(run_id, status, reason, None if outcome is None else plain(outcome, f"The outcome of {run_id}"))
        self._begun.pop(run_id, None)
        self._claims.release(run_id)

    async def begin_soon(self, run: RunRecord) -> None:
        """As `begin`, sharing one commit with whatever else waits to be written.

        Raises:
            JournalError: The journal has a run with this id.
        """
        if self.holds(run.id):
            raise JournalError(f"The journal has a run '{run.id}' already; resume it, or choose another id.")
        self._claims.take(run.id)
        self._begun[run.id] = set()
        await self._writer.notice(begun=_run_row(run))

    async def finish_soon(
        self, run_id: str, *, status: str, reason: str | None = None, outcome: dict[str, Any] | None = None
    ) -> None:
        """As `finish`, sharing one commit with whatever else waits to be written.

        Raises:
            JournalError: `outcome` is not plain JSON.
        """
        told = None if outcome is None else stored(plain(outcome, f"The outcome of {run_id}"))
        await self._writer.notice(ended=(run_id, status, reason, told))
        self._begun.pop(run_id, None)
        self._claims.release(run_id)

    def withdraw(self, run_id: str) -> bool:
        """Take back a run of which nothing is recorded, as if it had never begun; whether that was so."""
        self._writer.flush()
        empty = "DELETE FROM runs WHERE id = ? AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.run = runs.key)"
        gone = self._db.write(lambda: self._db.execute(empty, (run_id,)).rowcount)
        if gone:
            self._begun.pop(run_id, None)
            self._claims.release(run_id)
        return bool(gone)

    def _conclude(self, run_id: str, status: str, reason: str | None, outcome: str | None) -> None:
        told = None if outcome is None else stored(outcome)
        if not self._db.write(lambda: self._db.conclude([(run_id, status, reason, told)])):
            raise UsageError(f"There is no run '{run_id}' in this journal; begin it first.")

    # -- entries ------------------------------------------------------------------------------------------------

    def find(self, run: str, at: str) -> Entry | None:
        """What is recorded at an address of a run, if anything."""
        known = self._begun.get(run)
        return self._reader.at(run, at) if known is None or at in known else None

    def cached(self, fingerprint: str) -> Entry | None:
        """The first model entry of any run with this fingerprint: the response cache."""
        return self._reader.of(fingerprint)

    async def record(self, run: str, entry: Entry) -> None:
        """Write an entry; returns when it is on the disk. Where the address is taken, what stands there stays.

        A caller that is cancelled while it waits loses nothing: the entry is written all the same.

        Raises:
            JournalError: The entry is not plain JSON, the run is unknown, or the file cannot be written.
        """
        if run in self._begun:
            self._begun[run].add(entry.at)
        await self._writer.submit(run, entry)

    def entries(self, run: str, *, kind: str | None = None, under: str = "") -> Iterator[Entry]:
        """A run's entries in the order of recording, streamed.

        Args:
            run: The run's id.
            kind: Only entries of this kind.
            under: Only entries at this address and below it.
        """
        return self._reader.stream(run, kind=kind, under=under)

    def nearest(self, run: str, entry: Entry) -> Entry | None:
        """The recorded entry that an unrecorded one resembles most: for the message of a replay miss."""
        return difference.nearest(entry, self._reader.at(run, entry.at), self._reader.around(run, entry, 100))

    def fork(self, run: str, new: RunRecord, *, keep: Callable[[Entry], bool]) -> None:
        """Enter a new run that has those entries of another that `keep` says yes to; they share their messages.

        The copies have no fingerprint: they answer whatever is asked at their place, since what was said before
        the fork stays said though prompts, models or settings differ now.

        Raises:
            UsageError: There is no run `run`.
            JournalError: The journal has the new run already.
        """
        source = self.run(run).id
        self._writer.flush()
        kept = [entry.seq for entry in self._reader.stream(source) if keep(entry)]
        columns = TABLES["entries"][1:]
        taken = ", ".join("NULL" if column == "fingerprint" else column for column in columns)
        copied = f"INSERT INTO entries (run, {', '.join(columns)}) SELECT ?, {taken} FROM entries WHERE seq = ?"

        def enter() -> bool:
            if not self._db.insert("runs", [_run_row(new)]):
                return False
            key = self._db.keys([new.id])[new.id]
            self._db.executemany(copied, ((key, seq) for seq in kept))
            return True

        if not self._db.write(enter):
            raise JournalError(f"The journal has a run '{new.id}' already; choose another id for the fork.")

    # -- the whole ----------------------------------------------------------------------------------------------

    def prune(
        self,
        *,
        ids: Sequence[str] = (),
        before: float | None = None,
        keep: int | None = None,
        dry_run: bool = False,
    ) -> PruneReport:
        """Delete runs, and every message that no other run refers to; then shrink the file.

        Args:
            ids: These runs, whatever state they are in.
            before: Runs created before this time (unix seconds).
            keep: All but the newest `keep` runs; together with `before`, only those that are also older than that.
            dry_run: Report what would go, and delete nothing.

        Raises:
            UsageError: Nothing is selected, or one of `ids` is unknown.
        """
        chosen = [self.run(name).id for name in ids]
        self._writer.flush()
        report = prune(self._db, ids=chosen, before=before, keep=keep, dry_run=dry_run)
        for gone in report.runs:
            self._begun.pop(gone, None)
        return report

    def export(self, run: str, path: Path | str) -> None:
        """Write a run as a cassette: one readable file of JSON Lines that `import_` takes back.

        Raises:
            UsageError: There is no such run.
            JournalError: The file cannot be written.
        """
        record = self.run(run)
        self._writer.flush()
        cassette.write(record, self._reader.stream(record.id), Path(path))

    def import_(self, path: Path | str) -> str:
        """Take in a cassette as a run, and say its id: the recorded one, or if that is taken, one with a number.

        Raises:
            JournalError: The file is missing, of a newer format, or broken; the message names the line.
        """
        run, entries = cassette.read(Path(path))
        taken = {row[0] for row in self._reader.rows("SELECT id FROM runs")}
        run_id = next(name for name in cassette.names(run.id) if name not in taken)
        self.begin(cassette.renamed(run, run_id))
        self._writer.write_now(run_id, entries, created=run.created)
        self._begun.pop(run_id)
        self._claims.release(run_id)
        return run_id

    def close(self) -> None:
        """Write what is queued and close the file. Closing twice is fine."""
        self._finalizer()
        self._claims.close()

    async def aclose(self) -> None:
        """As `close`, without holding up the event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    def _enter(self, row: tuple[Any, ...]) -> None:
        """Write a run's row, of which there is none yet."""
        if not self._db.write(lambda: self._db.insert("runs", [row])) and self.run(row[1]).created != row[3]:
            raise JournalError(f"The journal has a run '{row[1]}' already; resume it, or choose another id.")


def _run_row(run: RunRecord) -> tuple[Any, ...]:
    definition = stored(plain(run.definition, f"The definition of run {run.id}"))
    outcome = None if run.outcome is None else stored(plain(run.outcome, f"The outcome of run {run.id}"))
    head = (None, run.id, run.name, run.created, run.kind, definition, run.status, run.reason, outcome)
    return (*head, run.parent, run.forked_at, int(run.simulated))


def _shut(writer: Writer, db: Database) -> None:
    if writer.close():
        db.close()
