"""A journal's database in one SQLite file, or in memory."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from maieutic.errors import JournalError
from maieutic.memory.claims import Claims
from maieutic.memory.database import conclude, connect, insert, pack_fingerprint, prepare, size, transaction, translate

__all__ = ["SQLite"]

T = TypeVar("T")
_KEYS = 500


class SQLite:
    """See maieutic.memory.databases.Database. A file is read over a connection of its own while it is written.

    Raises:
        sqlite3.Error: The file cannot be read; see `translate`.
        JournalError: It is none of ours, or of a newer format.
    """

    def __init__(self, path: Path | None, *, busy_timeout: float) -> None:
        self.place: Path | str | None = path
        self.lost: Collection[str] = ()
        self._path = path
        self._lock = threading.RLock()
        with contextlib.ExitStack() as undo:
            self._db = connect(path, busy_timeout=busy_timeout)
            undo.callback(self._db.close)
            prepare(self._db, path)
            # A database in memory belongs to one connection; a file is read while it is written.
            self._reading = self._db if path is None else connect(path, busy_timeout=busy_timeout)
            undo.pop_all()
        self._reading_lock = self._lock if path is None else threading.RLock()

    def read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """See Database."""
        try:
            with self._reading_lock:
                return self._reading.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self.meaning(error) from error

    def write(self, act: Callable[[], T]) -> T:
        """See Database."""
        try:
            with self._lock, transaction(self._db):
                return act()
        except sqlite3.Error as error:
            raise self.meaning(error) from error

    def execute(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """See Database."""
        return self._db.execute(query, values)

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """See Database."""
        self._db.executemany(query, rows)

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> int:
        """See Database."""
        before = self._db.total_changes
        insert(self._db, table, rows)
        return self._db.total_changes - before

    def conclude(self, ends: Sequence[tuple[Any, ...]]) -> int:
        """See Database."""
        return conclude(self._db, ends)

    def keys(self, ids: Sequence[str]) -> Mapping[str, int]:
        """See Database. All in one row of one statement (see `insert` for why)."""
        found: dict[str, int] = {}
        for start in range(0, len(ids), _KEYS):
            part = ids[start : start + _KEYS]
            marks = ", ".join("?" * len(part))
            (told,) = self._db.execute(
                f"SELECT json_group_object(id, key) FROM runs WHERE id IN ({marks})", part
            ).fetchone()
            found.update(json.loads(told))
        return found

    def alone(self) -> None:
        """See Database: every transaction of SQLite is."""

    def fingerprint(self, text: str) -> bytes | str | None:
        """See Database."""
        return pack_fingerprint(text)

    def keeps(self, name: str) -> bool:
        """See Database."""
        return True

    def size(self) -> int:
        """See Database."""
        if self._path is None:
            return size(self._db)
        parts = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def shrink(self) -> None:
        """See Database."""
        # Another process that reads keeps the file from shrinking; the space is free for new entries all the same.
        with self._lock, contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def claims(self) -> Claims:
        """See Database."""
        return Claims(self._path)

    def meaning(self, error: Exception) -> JournalError:
        """See Database."""
        return translate(error, self._path)

    def close(self) -> None:
        """See Database."""
        for lock, connection in ((self._reading_lock, self._reading), (self._lock, self._db)):
            with lock:  # SQLite crashes if a connection is closed while another thread uses it
                connection.close()
