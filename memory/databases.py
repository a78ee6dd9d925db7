"""What a journal needs of a database: SQLite for one machine, PostgreSQL for several."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from maieutic.errors import JournalError

__all__ = ["Claiming", "Cursor", "Database", "is_url", "shown", "without_password"]

T = TypeVar("T")


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it touched."""
        ...

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...


class Claiming(Protocol):
    """Who works on a run: one process at a time (see maieutic.memory.claims.Claims)."""

    def take(self, run_id: str) -> None:
        """Claim a run; a JournalError if somebody works on it."""
        ...

    def release(self, run_id: str) -> None:
        """Let go of a run; nothing happens if it is not held."""
        ...

    def kept_if_all_goes_well(self, run_id: str) -> AbstractContextManager[None]:
        """Let go of a claim if what comes next fails."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Database(Protocol):
    """A database with the journal's tables (see maieutic.memory.database.TABLES). Queries mark their values by "?".

    `read` may be called in any thread at any time. What is said in `write` happens in one transaction, all or nothing;
    `execute`, `executemany`, `insert`, `conclude` and `keys` are for use inside it. All raise JournalError.

    Attributes:
        place: Where it is, for people: a file, an address without its password, or None (in memory).
        lost: Runs that this process worked on and that another one has taken up since.
    """

    place: Path | str | None
    lost: Collection[str]

    def read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        ...

    def write(self, act: Callable[[], T]) -> T:
        """Do something in one transaction; it may be done again from the start where a transaction was broken off."""
        ...

    def execute(self, query: str, values: Sequence[Any] = ()) -> Cursor:
        """One statement."""
        ...

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for each row of values."""
        ...

    def insert(self, table: str, rows: Iterable[Sequence[Any]]) -> int:
        """Insert rows (columns as in TABLES); one whose unique key exists already is left out. How many were put in."""
        ...

    def conclude(self, ends: Sequence[tuple[Any, ...]]) -> int:
        """Set the status, reason and outcome of runs (id first); the number of runs set."""
        ...

    def keys(self, ids: Sequence[str]) -> Mapping[str, int]:
        """The numbers of runs; those that are not there are left out."""
        ...

    def alone(self) -> None:
        """From here to the end of the transaction nobody else writes."""
        ...

    def fingerprint(self, text: str) -> Any:
        """A fingerprint as it is kept, or None for none."""
        ...

    def keeps(self, name: str) -> bool:
        """Whether a name can be stored as it is."""
        ...

    def size(self) -> int:
        """Bytes that it takes."""
        ...

    def shrink(self) -> None:
        """Give back what deleted rows took, as far as that can be done beside others who read and write."""
        ...

    def claims(self) -> Claiming:
        """What keeps two processes from working on one run."""
        ...

    def meaning(self, error: Exception) -> JournalError:
        """An error of the database, or a sign of damage, in words for a user."""
        ...

    def close(self) -> None:
        """Close it; closing twice is fine."""
        ...


def is_url(place: Path | str | None) -> bool:
    """Whether a store is named by a database's address, not by a file."""
    return isinstance(place, str) and place.startswith(("postgresql://", "postgres://"))


def shown(place: Path | str | None) -> str:
    """A store's place as it may be shown."""
    return without_password(place) if isinstance(place, str) and is_url(place) else str(place)


def without_password(url: str) -> str:
    """An address as it may be shown: without a password, and without what may hold one."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, f"{user.partition(':')[0]}{at}{host}", parts.path, "", ""))
