"""Group commit: everything that waits to be written goes to the disk in one transaction."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from maieutic.errors import JournalError
from maieutic.memory.database import pack_fingerprint, stored
from maieutic.memory.databases import Database
from maieutic.memory.entries import ROOT, Entry, canonical, chain, plain, text_id
from maieutic.memory.transcript import Message

__all__ = ["Writer"]

_BATCH = 2000
_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class _Job:
    """One entry on its way to the disk, and who waits for it."""

    run: str
    at: str
    head: tuple[Any, ...]  # kind, agent, created, fingerprint
    request: str
    messages: Sequence[Message]
    ids: Sequence[bytes]
    reply: str
    waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None


@dataclass(frozen=True, slots=True)
class _Notice:
    """A run that begins (`begun`: its row) or ends (`ended`: id, status, reason, outcome), on its way to the disk."""

    waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]
    begun: tuple[Any, ...] = ()
    ended: tuple[Any, ...] = ()


class Writer:
    """The one thread that writes entries; a caller may write by itself in between."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: SimpleQueue[_Job | _Notice | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._starting = threading.Lock()
        self._known: set[bytes] = set()  # texts and messages that are in the file
        self._keys: dict[str, int] = {}  # run id → its number in the file
        self._prunings = -1

    def submit(self, run: str, entry: Entry) -> asyncio.Future[None]:
        """Queue an entry; the future is done when it is on the disk. Whoever stops waiting loses nothing.

        Raises:
            JournalError: The entry cannot be stored (not plain JSON), or the journal is closed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._put(_pack(run, entry, time.time(), (loop, future)))
        return future

    def notice(self, *, begun: tuple[Any, ...] = (), ended: tuple[Any, ...] = ()) -> asyncio.Future[None]:
        """Queue the beginning of a run (its row) or its end (id, status, reason, outcome), as `submit` an entry."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._put(_Notice((loop, future), begun, ended))
        return future

    def write_now(self, run: str, entries: Iterable[Entry], *, created: float) -> None:
        """Write entries in one transaction, while the caller waits.

        Raises:
            JournalError: As `submit`, or the file cannot be written.
        """
        jobs = [_pack(run, entry, created, None) for entry in entries]
        for refusal in self._written(jobs).values():
            raise refusal

    def flush(self) -> None:
        """Wait until everything queued so far is on the disk (or was refused)."""
        if self._thread is not None and not self._closed:
            done = threading.Event()
            self._put(done)
            done.wait()

    def close(self) -> bool:
        """Write what is queued and end the thread; False if it goes on for a moment, as it is the caller itself."""
        with self._starting:
            if not self._closed and self._thread is not None:
                self._queue.put(None)
            self._closed = True
        if self._thread is threading.current_thread():  # the garbage collector struck here
            return False
        if self._thread is not None:
            self._thread.join()
        return True

    def _put(self, job: _Job | _Notice | threading.Event) -> None:
        with self._starting:
            if self._closed:
                raise JournalError("The journal is closed; open it again to record in it.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="maieutic-journal", daemon=True)
                self._thread.start()
            self._queue.put(job)

    def _work(self) -> None:
        open_ = True
        while open_:
            batch: list[_Job | _Notice] = []
            marks: list[threading.Event] = []
            for item in self._waiting():
                if item is None:
                    open_ = False
                elif isinstance(item, _Job | _Notice):
                    batch.append(item)
                else:
                    marks.append(item)
            if batch:
                self._settle(batch)
            for mark in marks:
                mark.set()

    def _waiting(self) -> list[_Job | _Notice | threading.Event | None]:
        """Everything in the queue, at least one thing."""
        items = [self._queue.get()]
        while len(items) < _BATCH:
            try:
                items.append(self._queue.get_nowait())
            except Empty:
                break
        return items

    def _settle(self, batch: list[_Job | _Notice]) -> None:
        try:
            refused = self._written(batch)
        except Exception as error:
            # Whoever waits must hear of it, whatever it was; the thread goes on for the next batch.
            told = error if isinstance(error, JournalError) else self._db.meaning(error)
            refused = dict.fromkeys(range(len(batch)), told)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = defaultdict(
            list
        )
        for place, job in enumerate(batch):
            if job.waiter is not None:
                loop, future = job.waiter
                by_loop[loop].append((future, refused.get(place)))
        for loop, results in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, results)
            except RuntimeError:  # the loop is closed: nobody waits any more
                continue

    def _written(self, batch: Sequence[_Job | _Notice]) -> dict[int, JournalError]:
        """Write a batch in one transaction; the answer holds the jobs that are refused."""
        try:
            refused, names = self._db.write(lambda: self._write(batch))
        except BaseException:
            self._keys.clear()  # a run that was to begin with this batch has not begun
            raise
        self._remember(names)
        return refused

    def _write(self, batch: Sequence[_Job | _Notice]) -> tuple[dict[int, JournalError], list[bytes]]:
        """Write a batch, anew if it is called again; which jobs are refused, and what the file has now."""
        texts: dict[bytes, str | bytes] = {}
        messages: dict[bytes, tuple[Any, ...]] = {}
        rows: list[tuple[Any, ...]] = []
        refused: dict[int, JournalError] = {}
        notices = [job for job in batch if isinstance(job, _Notice)]
        self._heed_prunings()
        self._db.insert("runs", [notice.begun for notice in notices if notice.begun])
        self._learn_keys({job.run for job in batch if isinstance(job, _Job)})
        for place, job in enumerate(batch):
            if isinstance(job, _Notice):
                continue
            if (refusal := self._refusal(job)) is not None:
                refused[place] = refusal
                continue
            self._link(job, texts, messages)
            request = self._text(job.request, texts) if job.request else None
            head = job.ids[-1] if job.ids else None
            rows.append((self._keys[job.run], job.at, *job.head, request, head, stored(job.reply)))
        self._db.insert("texts", texts.items())
        self._db.insert("messages", messages.values())
        self._db.insert("entries", rows)
        ended = [notice.ended for notice in notices if notice.ended]
        self._db.conclude(ended)
        for run, *_ in ended:
            self._keys.pop(run, None)  # a journal of very many runs keeps the numbers of those that go on
        return refused, [*texts, *messages]

    def _refusal(self, job: _Job) -> JournalError | None:
        """Why an entry cannot be written, if it cannot."""
        if job.run in self._db.lost:
            return JournalError(
                f"Run '{job.run}' is being worked on already: another process took it up while the connection to "
                f"{self._db.place} was lost; entry {job.at} is left to that one."
            )
        if job.run not in self._keys:
            return JournalError(
                f"Entry {job.at} belongs to run '{job.run}', which is not in the journal: begin the run first, "
                "and do not prune it while it goes on."
            )
        if not (self._db.keeps(job.at) and self._db.keeps(str(job.head[1]))):
            return JournalError(f"Entry {job.at!a} has a name that {self._db.place} cannot store; rename it.")
        return None

    def _link(self, job: _Job, texts: dict[bytes, str | bytes], messages: dict[bytes, tuple[Any, ...]]) -> None:
        """Add the messages that are not in the file yet: from the last one back to the first that is."""
        for place in range(len(job.ids) - 1, -1, -1):
            name = job.ids[place]
            if name in self._known or name in messages:
                return
            message = job.messages[place]
            parent = job.ids[place - 1] if place else ROOT
            messages[name] = (name, parent, message.role, self._text(message.content, texts))

    def _text(self, text: str, texts: dict[bytes, str | bytes]) -> bytes:
        name = text_id(text)
        if name not in self._known and name not in texts:
            texts[name] = stored(text)
        return name

    def _remember(self, names: Iterable[bytes]) -> None:
        # Forgetting is harmless: what is in the file already is left out when it is inserted again.
        if len(self._known) > _KNOWN:
            self._known.clear()
        self._known.update(names)

    def _heed_prunings(self) -> None:
        """Forget what is known of the file if runs were pruned since, by whatever process."""
        (prunings,) = self._db.execute("SELECT value FROM state WHERE name = 'prunings'").fetchone()
        if prunings != self._prunings:
            self._known.clear()
            self._keys.clear()
            self._prunings = prunings

    def _learn_keys(self, runs: set[str]) -> None:
        """Look up the numbers of new runs."""
        if unknown := sorted(runs - self._keys.keys()):
            self._keys.update(self._db.keys(unknown))


def _pack(
    run: str, entry: Entry, created: float, waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None
) -> _Job:
    """Everything that can be wrong with an entry comes to light here, before it is queued beside others'."""
    try:
        f"{run}{entry.at}{entry.kind}{entry.agent}{entry.fingerprint}".encode()
    except UnicodeEncodeError as error:
        raise JournalError(
            f"Entry {entry.at!a} has a name that is no proper text ({error.reason}); rename it."
        ) from error
    reply = plain(entry.reply, f"The reply of entry {entry.at}")
    request = canonical(entry.request) if entry.request else ""
    head = (entry.kind, entry.agent, created, pack_fingerprint(entry.fingerprint))
    return _Job(run, entry.at, head, request, entry.messages, chain(entry.messages), reply, waiter)


def _resolve(results: list[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for future, error in results:
        if future.done():  # its waiter was cancelled
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
