"""Who works on a run: one process at a time, or two would buy the same replies."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maieutic.errors import JournalError

__all__ = ["Claims", "being_worked_on"]


class Claims:
    """Claims on runs, held by this process until it lets go or dies, however it dies.

    A claim is a lock on one byte of a file beside the journal, at a place that follows from the run's id. Such locks
    end with their process, so a run that was killed can be taken up at once. Where the system has none (Windows), and
    for a journal in memory, only this journal object is kept from working on a run twice.
    """

    def __init__(self, journal: Path | None) -> None:
        self._path = None if journal is None else journal.with_name(journal.name + "-claims")
        self._file: int | None = None
        self._held: set[str] = set()

    def take(self, run_id: str) -> None:
        """Claim a run.

        Raises:
            JournalError: Somebody works on it.
        """
        if run_id in self._held or not self._lock(run_id):
            raise being_worked_on(run_id)
        self._held.add(run_id)

    def release(self, run_id: str) -> None:
        """Let go of a run; nothing happens if it is not held."""
        if run_id in self._held:
            self._held.discard(run_id)
            if self._file is not None:
                import fcntl

                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(run_id))

    @contextmanager
    def kept_if_all_goes_well(self, run_id: str) -> Iterator[None]:
        """Let go of a claim if what comes next fails."""
        try:
            yield
        except BaseException:
            self.release(run_id)
            raise

    def close(self) -> None:
        """Let go of everything."""
        self._held.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _lock(self, run_id: str) -> bool:
        if self._path is None:
            return True
        try:
            import fcntl
        except ImportError:
            return True
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(run_id))
        except (BlockingIOError, PermissionError):
            return False
        return True


def being_worked_on(run_id: str) -> JournalError:
    """What somebody is told who wants a run that another process has."""
    return JournalError(
        f"Run '{run_id}' is being worked on already, here or in another process; wait until it has ended, or end it."
    )


def _place(run_id: str) -> int:
    """The byte that stands for a run: 62 bits of a hash, so that two runs never share one."""
    return int.from_bytes(hashlib.sha256(run_id.encode("utf-8", "surrogatepass")).digest()[:8]) >> 2
