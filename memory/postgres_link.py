"""A connection to PostgreSQL that comes back: what was broken off is done again, and what cannot be is told plainly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from maieutic.errors import JournalError, UsageError

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Link", "said"]

T = TypeVar("T")
_FIRST, _LONGEST = 0.05, 2.0
_DEFAULTS = {
    "connect_timeout": 10,
    **{"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3},
    "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
}
"""So that both ends notice within a minute when the other one is gone."""


class Link:
    """One connection to a server, used by one thread at a time; where it breaks, it is made anew.

    Args:
        url: The address.
        place: The same as it may be shown.
        name: What the server calls the connection (`application_name`).
        patience: Seconds for which a server that is away is tried again.
        greet: Called with each new connection before it is used.

    Raises:
        JournalError: There is no such server, database or user. Here nothing is tried twice.
        UsageError: The driver is not installed.
    """

    def __init__(
        self, url: str, place: str, name: str, *, patience: float, greet: Callable[[Connection[Any]], None]
    ) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise UsageError(
                f"{place} needs PostgreSQL's driver; install it: pip install 'maieutic[postgres]'"
            ) from error
        self.place = place
        self.lock = threading.RLock()
        self._psycopg = psycopg
        self._patience, self._greet = patience, greet
        self._closed = False
        self._db: Connection[Any] | None = None
        try:
            own = psycopg.conninfo.conninfo_to_dict(url)  # what the address says wins
            self._settings: dict[str, Any] = {**_DEFAULTS, **own, "application_name": name}
            self._db = self._connected()
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError):
                raise JournalError(
                    f"{place} cannot be opened ({' '.join(str(error).split())}). "
                    "Check the address, the user and the password, and that the server runs."
                ) from error
            raise said(error, place) from error

    def do(self, act: Callable[[Connection[Any]], T]) -> T:
        """Do something with the connection; again from the start on a new one if it breaks, as long as patience lasts.

        What is done must bear being done twice: a commit may have arrived though its answer did not.

        Raises:
            JournalError: The server stays away, or refuses.
        """
        pause, until = _FIRST, time.monotonic() + self._patience
        while True:
            try:
                with self.lock:
                    return act(self._connected())
            except self._psycopg.Error as error:
                if not self._may_pass(error) or time.monotonic() + pause > until or self._closed:
                    raise said(error, self.place) from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)

    def close(self) -> None:
        """Close it; closing twice is fine."""
        with self.lock:
            self._closed = True
            if self._db is not None:
                self._db.close()

    def _connected(self) -> Connection[Any]:
        if self._closed:
            raise JournalError(f"The journal at {self.place} is closed; open it again.")
        if self._db is None or self._db.closed:
            self._db = None
            fresh = self._psycopg.connect(autocommit=True, **self._settings)
            try:
                self._greet(fresh)
            except BaseException:
                fresh.close()
                raise
            self._db = fresh
        return self._db

    def _may_pass(self, error: Exception) -> bool:
        """Whether doing it again can help: the connection broke, the server restarts, or two waited for each other."""
        errors = self._psycopg.errors
        if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
            return True
        gone = self._db is None or self._db.closed
        return gone and isinstance(error, self._psycopg.OperationalError | self._psycopg.InterfaceError)


def said(error: Exception, place: str) -> JournalError:
    """What an error of PostgreSQL means: what happened, where, and what to do."""
    from psycopg import errors

    text = " ".join(str(error).split())
    if isinstance(error, errors.InsufficientPrivilege):
        return JournalError(
            f"{place}: the user may not do that ({text}). Grant it: GRANT CREATE ON DATABASE … TO the user, "
            "or let an owner open it once."
        )
    if isinstance(error, errors.DiskFull):
        return JournalError(f"{place} cannot grow: {text}. Free some space; what was acknowledged is safe.")
    if isinstance(error, errors.OperationalError | errors.InterfaceError):
        return JournalError(
            f"{place} cannot be reached ({text}). What was acknowledged is safe there; "
            "when the server is back, resume the run and it goes on from there."
        )
    if "corrupt" in text:
        return JournalError(f"{place} is damaged ({text}). Restore the database from its backup.")
    return JournalError(f"{place} cannot be used: {text}.")
