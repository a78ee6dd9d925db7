"""A journal's database in PostgreSQL, which many processes on many machines may share.

Everything lives in the schema `maieutic` of the database. Whoever works on runs holds an advisory lock of its session,
to which its claims refer and which ends with the process or its connection; so connect to the server itself and not by
way of a pool that hands sessions around (pgbouncer's transaction mode).
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from maieutic.errors import JournalError
from maieutic.memory.claims import being_worked_on
from maieutic.memory.databases import Cursor, without_password
from maieutic.memory.postgres_link import Link, said
from maieutic.memory.postgres_schema import COLUMNS, SCHEMA, made

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Postgres"]

T = TypeVar("T")
_WRITING = 0x6D61_6965_0002
"""Held by all who write, together; by one who prunes, alone."""
_SORTED = frozenset({"runs", "texts", "messages"})
"""Rows that other writers may be writing too: always in one order, or two transactions would wait for each other."""
_DYING = 2.0
"""Seconds that the server may need to end a session."""


class Postgres:
    """See maieutic.memory.databases.Database.

    Args:
        url: "postgresql://user:password@host:port/database".
        patience: Seconds for which a server that goes away is tried again before anything fails.

    Raises:
        JournalError: It cannot be reached, the user may not make the tables, or they are of a newer format.
        UsageError: The driver is not installed.
    """

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        self.place: Path | str | None = without_password(url)
        self._claims = _Claims(secrets.randbits(62))
        self.lost: Collection[str] = self._claims.lost
        self._current: Connection[Any] | None = None
        self._shown = str(self.place)
        self._writing = Link(url, self._shown, self._claims.name, patience=patience, greet=self._greeted)
        try:
            self._reading = Link(url, self._shown, "maieutic reading", patience=patience, greet=_settled)
        except BaseException:
            self._writing.close()
            raise
        self._claims.link = self._reading  # no commit is waited for in order to claim a run

    def _greeted(self, db: Connection[Any]) -> None:
        made(db, self._shown)
        _settled(db)
        self._claims.hold_again(db)

    def read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """See Database."""
        return self._reading.do(lambda db: db.execute(_marked(query), values).fetchall())

    def write(self, act: Callable[[], T]) -> T:
        """See Database."""

        def once(db: Connection[Any]) -> T:
            with db.transaction():
                db.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_WRITING,))
                self._current = db
                return act()

        return self._writing.do(once)

    @property
    def _db(self) -> Connection[Any]:
        assert self._current is not None, "only inside `write`"
        return self._current

    def execute(self, query: str, values: Sequence[Any] = ()) -> Cursor:
        """See Database."""
        return self._db.execute(_marked(query), values)

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """See Database."""
        with self._db.cursor() as cursor:
            cursor.executemany(_marked(query), rows)

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> int:
        """See Database. Each column goes over as one array, so that the statement is always the same."""
        columns = COLUMNS[table]
        todo = [row[-len(columns) :] for row in rows]
        if not todo:
            return 0
        if table in _SORTED:
            todo.sort(key=lambda row: row[0])
        arrays = [
            [_as(kind, value) for value in column]
            for kind, column in zip(columns.values(), zip(*todo, strict=True), strict=True)
        ]
        return self._db.execute(_inserting(table), arrays).rowcount

    def conclude(self, ends: Sequence[tuple[Any, ...]]) -> int:
        """See Database. How a run ended that another process has now is for that one to say."""
        last = {end[0]: end for end in ends if end[0] not in self.lost}
        left = len({end[0] for end in ends}) - len(last)
        if not last:
            return left
        kinds = ("text", "text", "text", "bytea")
        arrays = [
            [_as(kind, value) for value in column]
            for kind, column in zip(kinds, zip(*(last[name] for name in sorted(last)), strict=True), strict=True)
        ]
        return left + self._db.execute(_CONCLUDING, arrays).rowcount

    def keys(self, ids: Sequence[str]) -> Mapping[str, int]:
        """See Database."""
        return dict(self._db.execute("SELECT id, key FROM runs WHERE id = ANY(%s)", (list(ids),)).fetchall())

    def alone(self) -> None:
        """See Database."""
        self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITING,))

    def fingerprint(self, text: str) -> str | None:
        """See Database."""
        return text or None

    def keeps(self, name: str) -> bool:
        """See Database. PostgreSQL's texts hold everything but NUL."""
        return "\0" not in name

    def size(self) -> int:
        """See Database."""
        tables = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relnamespace = to_regnamespace(?)"
        return int(self.read(f"{tables} AND c.relkind = 'r'", (SCHEMA,))[0][0])

    def shrink(self) -> None:
        """See Database. The tables keep their space for what comes next; nobody has to wait."""
        self._writing.do(lambda db: db.execute(f"VACUUM {', '.join(COLUMNS)}".encode()))

    def claims(self) -> _Claims:
        """See Database."""
        return self._claims

    def meaning(self, error: Exception) -> JournalError:
        """See Database."""
        return said(error, self._shown)

    def close(self) -> None:
        """See Database."""
        self._reading.close()
        self._writing.close()


class _Claims:
    """Claims on runs (see maieutic.memory.claims): rows that refer to a session, valid while that has its lock.

    One lock for all of them, as a server has room for some thousands of locks only. Where its connection breaks, the
    session's lock is taken again on the next one; a run that somebody else took meanwhile is lost.
    """

    def __init__(self, session: int) -> None:
        self.name = f"maieutic writing {session:x}"
        self.link: Link | None = None
        self.lost: set[str] = set()
        self._session = session
        self._held: set[str] = set()

    def take(self, run_id: str) -> None:
        """Claim a run.

        Raises:
            JournalError: Somebody works on it.
        """
        if run_id in self._held or not self._do(_TAKING, (self._session, [run_id])):
            raise being_worked_on(run_id)
        self._held.add(run_id)
        self.lost.discard(run_id)

    def release(self, run_id: str) -> None:
        """Let go of a run; nothing happens if it is not held."""
        if run_id in self._held:
            self._do("DELETE FROM claims WHERE run = %s AND session = %s", (run_id, self._session))
            self._held.discard(run_id)
            self.lost.discard(run_id)

    @contextlib.contextmanager
    def kept_if_all_goes_well(self, run_id: str) -> Iterator[None]:
        """Let go of a claim if what comes next fails."""
        try:
            yield
        except BaseException:
            self.release(run_id)
            raise

    def close(self) -> None:
        """Let go of everything: the session is over."""
        self._held.clear()

    def hold_again(self, db: Connection[Any]) -> None:
        """Begin the session on a new connection; the server may not know yet that the one before is dead."""
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s "
            "AND datname = current_database() AND pid <> pg_backend_pid()",
            (self.name,),
        )
        until = time.monotonic() + _DYING
        while db.execute("SELECT pg_try_advisory_lock(%s)", (self._session,)).fetchone() != (True,):
            if time.monotonic() > until:
                raise JournalError("The server keeps a session of this process that is over; try again in a minute.")
            time.sleep(0.02)
        db.execute(f"DELETE FROM claims WHERE NOT {_ALIVE}".encode())
        if self._held:  # a server that crashed has forgotten all claims, and another process may have tidied up
            db.execute(_TAKING.encode(), (self._session, sorted(self._held - self.lost)))
            mine = db.execute("SELECT run FROM claims WHERE session = %s", (self._session,)).fetchall()
            self.lost |= self._held - {run for (run,) in mine}

    def _do(self, statement: str, values: Sequence[Any]) -> int:
        assert self.link is not None
        return self.link.do(lambda db: db.execute(statement.encode(), values).rowcount)


_ALIVE = (
    "EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (classid::bigint << 32 | objid::bigint) = claims.session)"
)
_TAKING = (
    "INSERT INTO claims (session, run) SELECT %s::bigint, unnest(%s::text[]) "
    "ON CONFLICT (run) DO UPDATE SET session = excluded.session "
    f"WHERE claims.session = excluded.session OR NOT {_ALIVE}"
)


def _settled(db: Connection[Any]) -> None:
    db.execute(f"SET search_path TO {SCHEMA}".encode())


@lru_cache(maxsize=256)
def _marked(query: str) -> bytes:
    """A query in the driver's way of marking values."""
    return query.replace("%", "%%").replace("?", "%s").encode()


@lru_cache(maxsize=8)
def _inserting(table: str) -> bytes:
    columns = COLUMNS[table]
    names, arrays = ", ".join(columns), ", ".join(f"%s::{kind}[]" for kind in columns.values())
    return (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM unnest({arrays}) WITH ORDINALITY AS new ({names}, place_) "
        "ORDER BY place_ ON CONFLICT DO NOTHING"
    ).encode()


_CONCLUDING = (
    "UPDATE runs SET status = new.status, reason = new.reason, outcome = new.outcome "
    "FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[]) AS new (id, status, reason, outcome) "
    "WHERE runs.id = new.id"
)


def _as(kind: str, value: Any) -> Any:
    """A value in its column's type: contents are bytes, and fingerprints texts."""
    if kind == "bytea" and isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return value.hex() if kind == "text" and isinstance(value, bytes) else value
