"""Rescue: what can be read of a damaged journal goes into a fresh one, and the damaged file stays beside it."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maieutic.errors import JournalError
from maieutic.memory.database import TABLES, as_text, connect, insert, prepare, transaction, translate
from maieutic.memory.entries import ROOT, text_id
from maieutic.memory.pages import scan

__all__ = ["SalvageReport", "is_damaged", "salvage"]

_Row = tuple[Any, ...]
_NUMBER = {"runs": "key", "texts": "n", "messages": "n", "entries": "seq"}


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What was rescued of a damaged journal.

    Attributes:
        path: The journal, readable again.
        kept: The damaged file, as it was.
        runs: How many runs the journal has now.
        nameless: How many of these lost their description (they are called "recovered-…").
        entries: How many entries it has now.
        bare: How many of these lost their messages or request; their replies and fingerprints still answer.
        lost: How many entries are known to be lost; there may be more of which no trace is left.
    """

    path: Path
    kept: Path
    runs: int
    nameless: int
    entries: int
    bare: int
    lost: int

    def __str__(self) -> str:
        return (
            f"{self.path}: kept {self.entries} entries of {self.runs} runs ({self.bare} without their messages, "
            f"{self.nameless} runs without their description); at least {self.lost} entries are lost. "
            f"The damaged file is {self.kept}."
        )


def is_damaged(path: Path) -> bool:
    """Whether an existing file fails SQLite's own check; takes as long as reading all of it."""
    if not path.exists() or not path.stat().st_size:
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return bool(db.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok")
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "unable to open" in str(error):
            raise translate(error, path) from error
        return True
    except sqlite3.DatabaseError:
        return True


def salvage(path: Path | str) -> SalvageReport:
    """Copy every readable run and entry into a fresh journal at `path`; the damaged file is kept beside it.

    Texts and messages are known by their hashes, so what is kept is known to be what was written.

    Raises:
        JournalError: There is no such file, or no room for the copy.
    """
    path = Path(path)
    if not path.is_file():
        raise JournalError(f"There is no journal {path} to repair.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            # SQLite may write to what it reads (it replays the log): it gets a copy.
            fresh = Path(folder) / "fresh"
            found = _rescue(_copy(path, Path(folder) / "copy"), fresh)
            kept = _set_aside(path)
            fresh.replace(path)
    except OSError as error:
        raise JournalError(f"{path} cannot be repaired: {error.strerror or error}. Nothing was changed.") from error
    return SalvageReport(path, kept, len(found.runs), found.nameless, len(found.places), found.bare, found.lost)


def _copy(path: Path, copy: Path) -> Path:
    shutil.copyfile(path, copy)
    if _log(path).exists():
        shutil.copyfile(_log(path), _log(copy))
    return copy


def _set_aside(path: Path) -> Path:
    """Rename the damaged file (and its log) to a name that is free."""
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.replace(kept)
    if _log(path).exists():
        _log(path).replace(_log(kept))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return kept


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


@dataclass(slots=True)
class _Found:
    """What was rescued so far; everything that does not hold together is left out."""

    runs: set[int] = field(default_factory=set)
    texts: set[bytes] = field(default_factory=set)
    messages: set[bytes] = field(default_factory=set)
    places: set[_Row] = field(default_factory=set)  # run and address of each entry
    bare: int = 0
    nameless: int = 0
    lost: int = 0


def _rescue(copy: Path, fresh: Path) -> _Found:
    """Fill a fresh journal from a damaged one."""
    try:
        with contextlib.closing(connect(fresh, busy_timeout=1.0)) as new, contextlib.closing(_open(copy)) as old:
            prepare(new, fresh)
            with transaction(new):
                return _collect(_Damaged(old, copy), new)
    except sqlite3.Error as error:
        raise translate(error, fresh) from error


def _open(copy: Path) -> sqlite3.Connection:
    db = sqlite3.connect(copy, isolation_level=None)
    with contextlib.suppress(sqlite3.Error):  # bring the log's pages into the file, which is read page by page, too
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return db


class _Damaged:
    """A damaged journal, read as far as it goes."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    def rows(self, table: str) -> Iterator[_Row]:
        """Every row that can be read, with its number first; some may come twice.

        Stretches that SQLite cannot read are leapt over; what it may have missed is looked for page by page.
        """
        number = _NUMBER[table]
        columns = [name for name in TABLES[table] if name != number]
        query = f"SELECT {number}, {', '.join(columns)} FROM {table} NOT INDEXED WHERE {number} > ? ORDER BY {number}"
        last, leap = -1, 1
        while last < 2**62:
            try:
                cursor = self._db.execute(query, (last,))
                while (row := cursor.fetchone()) is not None:
                    last = row[0]
                    yield row
                break
            except (sqlite3.Error, UnicodeDecodeError):
                last += leap
                leap *= 2
        if leap > 1:
            yield from scan(self._path, len(columns) + 1)

    def places(self) -> set[_Row]:
        """The addresses that the index of entries still names."""
        with contextlib.suppress(sqlite3.Error):
            return set(self._db.execute("SELECT run, at FROM entries INDEXED BY entries_by_place"))
        return set()


def _collect(old: _Damaged, new: sqlite3.Connection) -> _Found:
    found = _Found()
    for part in _parts(old.rows("texts")):
        fine = {name: content for _, name, content in part if _matches(name, content)}
        insert(new, "texts", fine.items())
        found.texts.update(fine)
    messages = {row[1]: row[1:] for row in old.rows("messages") if all(isinstance(part, bytes) for part in row[1:3])}
    whole = _whole(messages, found.texts)
    insert(new, "messages", whole.values())
    found.messages.update(whole)
    runs = [row for row in old.rows("runs") if _is_run(row)]
    insert(new, "runs", runs)
    found.runs.update(row[0] for row in runs)
    for part in _parts(old.rows("entries")):
        entries = [entry for row in part if (entry := _entry(row, found)) is not None]
        insert(new, "entries", entries, numbered=("seq",))
    for key in sorted({run for run, _ in found.places} - found.runs):
        name = f"recovered-{key}"
        insert(new, "runs", [(key, name, name, 0.0, "unknown", "{}", "failed", "damaged", None, None, None, 0)])
        found.runs.add(key)
        found.nameless += 1
    found.lost = len(old.places() - found.places)
    return found


def _parts(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while part := list(itertools.islice(rows, 1000)):
        yield part


def _entry(row: _Row, found: _Found) -> _Row | None:
    """The row to keep, without references to what is lost; None if nothing of it can be used."""
    seq, run, at, kind, agent, created, fingerprint, request, head, reply = row
    try:
        json.loads(as_text(reply))
    except (AttributeError, TypeError, ValueError):
        return None
    names = all(isinstance(part, str) for part in (at, kind, agent))
    if not names or not isinstance(run, int) or not isinstance(created, float | int) or (run, at) in found.places:
        return None
    found.places.add((run, at))
    if (request is not None and request not in found.texts) or (head is not None and head not in found.messages):
        found.bare += 1
        request = request if request in found.texts else None
        head = head if head in found.messages else None
    return (seq, run, at, kind, agent, created, fingerprint, request, head, reply)


def _is_run(row: _Row) -> bool:
    _, name, title, created, kind, definition, status, _, outcome, *_ = row
    try:
        for value in (definition, outcome):
            if value is not None:
                json.loads(as_text(value))
    except (AttributeError, TypeError, ValueError):
        return False
    return all(isinstance(value, str) for value in (name, title, kind, status)) and isinstance(created, float | int)


def _matches(name: Any, content: Any) -> bool:
    try:
        return bool(text_id(as_text(content)) == name)
    except (AttributeError, TypeError, ValueError):
        return False


def _whole(messages: dict[Any, _Row], texts: set[bytes]) -> dict[bytes, _Row]:
    """Those messages whose texts and whose whole past are there."""
    good: dict[Any, bool] = {ROOT: True}
    for first in messages:
        name, path = first, []
        while name not in good and name in messages:
            good[name] = False  # until its past is known; breaks a circle, too
            path.append(name)
            name = messages[name][1]
        fine = good.get(name, False)
        for step in reversed(path):
            fine = fine and messages[step][3] in texts and isinstance(messages[step][2], str)
            good[step] = fine
    return {name: row for name, row in messages.items() if good[name]}
