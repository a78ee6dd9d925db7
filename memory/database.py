"""The journal's SQLite file: its tables, its version, and what its errors mean to a user."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maieutic.errors import JournalError

__all__ = [
    "FORMAT",
    "TABLES",
    "as_text",
    "conclude",
    "connect",
    "insert",
    "pack_fingerprint",
    "prepare",
    "size",
    "stored",
    "transaction",
    "translate",
    "write_ahead",
]

FORMAT = 1
"""Version of the tables below, kept in the file as `user_version`."""

_APPLICATION = 0x6D616965  # "maie": tells a journal from any other SQLite file

_ROWS = 500  # most rows of one statement
_STATEMENTS = 24  # kept ready; a statement of many rows is large

TABLES: dict[str, tuple[str, ...]] = {
    "runs": (
        *("key", "id", "name", "created", "kind", "definition"),
        *("status", "reason", "outcome", "parent", "forked_at", "simulated"),
    ),
    "texts": ("id", "content"),
    "messages": ("id", "parent", "role", "text"),
    "entries": ("run", "at", "kind", "agent", "created", "fingerprint", "request", "head", "reply"),
}
"""Columns of each table, without the row numbers. Texts are known by their hash, and so is a message, together with
everything before it: a view that grew by a turn costs one row, and a request is one reference to its last message."""

_SCHEMA = """
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
    kind TEXT NOT NULL, definition BLOB NOT NULL, status TEXT NOT NULL, reason TEXT, outcome BLOB, parent TEXT,
    forked_at TEXT, simulated INTEGER NOT NULL);
CREATE TABLE texts (n INTEGER PRIMARY KEY, id BLOB NOT NULL, content BLOB NOT NULL);
CREATE TABLE messages (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL, parent BLOB NOT NULL, role TEXT NOT NULL, text BLOB NOT NULL);
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, agent TEXT NOT NULL,
    created REAL NOT NULL, fingerprint BLOB, request BLOB, head BLOB, reply BLOB NOT NULL);
CREATE UNIQUE INDEX runs_by_id ON runs (id);
CREATE UNIQUE INDEX texts_by_id ON texts (id);
CREATE UNIQUE INDEX messages_by_id ON messages (id);
CREATE UNIQUE INDEX entries_by_place ON entries (run, at);
CREATE INDEX entries_by_run ON entries (run);
CREATE INDEX entries_by_fingerprint ON entries (fingerprint) WHERE kind = 'model';
INSERT INTO state VALUES ('prunings', 0);
"""


def connect(path: Path | None, *, busy_timeout: float) -> sqlite3.Connection:
    """A connection in which every commit is on the disk when it returns; None is a database in memory."""
    target = ":memory:" if path is None else str(path)
    db = sqlite3.connect(
        target, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    try:
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA cache_size=-16000")
    except BaseException:
        db.close()
        raise
    return db


def prepare(db: sqlite3.Connection, path: Path | None) -> None:
    """Make a new file a journal, and refuse what is none or is of a newer format.

    Raises:
        JournalError: As said.
        sqlite3.Error: The file cannot be read; see `translate`.
    """
    if not _check(db, path):
        write_ahead(db)
        with transaction(db):
            if not _check(db, path):  # another process may have been faster
                for statement in _SCHEMA.split(";\n"):
                    db.execute(statement)
                db.execute(f"PRAGMA application_id={_APPLICATION}")
                db.execute(f"PRAGMA user_version={FORMAT}")
    write_ahead(db)


def _check(db: sqlite3.Connection, path: Path | None) -> bool:
    """Whether this is a journal that we can read; False if the file is still empty."""
    # One statement, so that another process that makes the file a journal does so before all three, or after.
    tables, application, version = db.execute(
        "SELECT (SELECT count(*) FROM sqlite_master), application_id, user_version "
        "FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if not application and not version and not tables:
        return False
    if application != _APPLICATION:
        raise JournalError(f"{path} is an SQLite database, but not a journal of maieutic. Name another file.")
    if version > FORMAT:
        raise JournalError(
            f"{path} is a journal of format {version}; this maieutic reads formats up to {FORMAT}. "
            "Upgrade maieutic, or name another file."
        )
    return True


def write_ahead(db: sqlite3.Connection) -> None:
    """Let a file be read while it is written, and commits be appended.

    Raises:
        sqlite3.OperationalError: Others hold it locked for more than a second.
    """
    # Switching a new file fails at once, whatever the timeout, while another process does the same.
    for pause in (0.01, 0.03, 0.1, 0.3, 1.0, 0.0):
        try:
            db.execute("PRAGMA journal_mode=WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or not pause:
                raise
            time.sleep(pause)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; waits for other writers as long as the connection's timeout says."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def insert(
    db: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]], *, numbered: tuple[str, ...] = ()
) -> None:
    """Insert rows (columns as in TABLES, after those in `numbered`); one whose unique key exists already is left out.

    As many rows as can be go into one statement: every statement gives the interpreter lock away and has to win it
    back, which takes milliseconds while an event loop is busy.
    """
    columns = (*numbered, *TABLES[table])
    head = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES "
    row = f"({', '.join('?' * len(columns))})"
    todo = list(rows)
    most = min(_ROWS, db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(columns))
    for start in range(0, len(todo), most):
        part = todo[start : start + most]
        db.execute(head + ", ".join([row] * len(part)), [value for one in part for value in one])


def conclude(db: sqlite3.Connection, ends: Sequence[tuple[Any, ...]]) -> int:
    """Set the status, reason and outcome of runs (id first), in as few statements as can be; the number of runs set."""
    changed = 0
    most = min(_ROWS, db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // 4)
    for start in range(0, len(ends), most):
        part = ends[start : start + most]
        rows = ", ".join(["(?, ?, ?, ?)"] * len(part))
        changed += db.execute(
            "UPDATE runs SET status = new.column2, reason = new.column3, outcome = new.column4 "
            f"FROM (VALUES {rows}) AS new WHERE runs.id = new.column1",
            [value for one in part for value in one],
        ).rowcount
    return changed


def pack_fingerprint(text: str) -> bytes | str | None:
    """A fingerprint as the database keeps it: 32 bytes where it is 64 hex digits."""
    if len(text) == 64:
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            return text
        return raw if raw.hex() == text else text
    return text or None


def stored(text: str) -> str | bytes:
    """A text as SQLite takes it: itself, or bytes if it holds lone surrogates, which some models emit."""
    return text if text.isascii() or not _surrogates(text) else text.encode("utf-8", "surrogatepass")


def _surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def as_text(value: str | bytes) -> str:
    """The text that `stored` made."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def size(db: sqlite3.Connection) -> int:
    """Bytes of the database, without what waits in the write-ahead log."""
    pages, page = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size"))
    return pages * page


def translate(error: Exception, path: Path | None) -> JournalError:
    """What an error of SQLite means: what happened, where, and what to do."""
    where, text = path or "The journal in memory", str(error)
    if isinstance(error, sqlite3.OperationalError):
        if "locked" in text or "busy" in text:
            return JournalError(f"{where} is being written by another process ({text}). Wait for it, then try again.")
        if "full" in text:
            return JournalError(f"{where} cannot grow: {text}. Free some space; what was acknowledged is safe.")
        if "unable to open" in text or "readonly" in text or "permission" in text:
            return JournalError(f"{where} cannot be opened for writing ({text}). Check the folder and its permissions.")
        if "disk I/O" in text:
            return JournalError(
                f"{where} cannot be read or written ({text}). Check the disk; what was acknowledged is safe."
            )
    damaged = isinstance(error, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text)
    if damaged or any(sign in text for sign in ("decode to UTF-8", "corrupt", "no such table")):
        return JournalError(
            f"{where} is damaged ({text}). Run `maieutic runs repair --store {path}`: it copies every readable run "
            "into a fresh journal and keeps the damaged file beside it."
        )
    return JournalError(f"{where} cannot be used: {text}.")
