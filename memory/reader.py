"""Entries as they come back from the journal's file."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from maieutic.memory.database import as_text
from maieutic.memory.databases import Database
from maieutic.memory.entries import ROOT, Entry, RunRecord
from maieutic.memory.transcript import Message

__all__ = ["Reader", "read_run"]

_COLUMNS = "e.seq, e.at, e.kind, e.agent, e.created, e.fingerprint, e.request, e.head, e.reply"
_RUN = "(SELECT key FROM runs WHERE id = ?)"
_PAGE = 256
_VIEWS = 512


class Reader:
    """Reads entries, from any thread.

    Views are remembered: to read the next, longer one takes only its new messages from the database.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.RLock()
        self._views: OrderedDict[bytes, tuple[Message, ...]] = OrderedDict()
        self.rows = db.read

    def at(self, run: str, at: str) -> Entry | None:
        """The entry at an address of a run."""
        return self._first(f"SELECT {_COLUMNS} FROM entries e WHERE e.run = {_RUN} AND e.at = ?", (run, at))

    def of(self, fingerprint: str) -> Entry | None:
        """The first model entry of any run with this fingerprint."""
        packed = self._db.fingerprint(fingerprint)
        if packed is None:
            return None
        where = "e.kind = 'model' AND e.fingerprint = ? ORDER BY e.seq LIMIT 1"
        return self._first(f"SELECT {_COLUMNS} FROM entries e WHERE {where}", (packed,))

    def stream(self, run: str, *, kind: str | None = None, under: str = "", after: int = 0) -> Iterator[Entry]:
        """A run's entries in the order of recording, a page at a time, so that no reader holds up a writer."""
        query = f"SELECT {_COLUMNS} FROM entries e WHERE e.run = {_RUN} AND e.seq > ?"
        values: list[Any] = []
        if kind is not None:
            query += " AND e.kind = ?"
            values.append(kind)
        if under:
            query += " AND (e.at = ? OR (e.at >= ? AND e.at < ?))"
            values += [under, under + "/", under + "0"]  # "0" follows "/" in ASCII
        query += f" ORDER BY e.seq LIMIT {_PAGE}"
        while page := self.rows(query, (run, after, *values)):
            for row in page:
                yield self._entry(row)
            after = page[-1][0]

    def around(self, run: str, entry: Entry, most: int) -> list[Entry]:
        """Entries of the same kind near an address: those with the same request first, then neighbours by name."""
        base = f"SELECT {_COLUMNS} FROM entries e WHERE e.run = {_RUN} AND e.kind = ?"
        found: list[Any] = []
        packed = self._db.fingerprint(entry.fingerprint)
        if packed is not None:
            found += self.rows(f"{base} AND e.fingerprint = ? LIMIT 1", (run, entry.kind, packed))
        found += self.rows(f"{base} AND e.at >= ? ORDER BY e.at LIMIT ?", (run, entry.kind, entry.at, most))
        found += self.rows(f"{base} AND e.at < ? ORDER BY e.at DESC LIMIT ?", (run, entry.kind, entry.at, most))
        return [self._entry(row) for row in {row[0]: row for row in found}.values()]

    def _first(self, query: str, values: Sequence[Any]) -> Entry | None:
        rows = self.rows(query, values)
        return self._entry(rows[0]) if rows else None

    def _entry(self, row: Any) -> Entry:
        seq, at, kind, agent, created, packed, request, head, reply = row
        try:
            return Entry(
                at=at,
                kind=kind,
                fingerprint="" if packed is None else packed.hex() if isinstance(packed, bytes) else packed,
                request={} if request is None else json.loads(self._text(request)),
                messages=() if head is None else self._view(head),
                reply=json.loads(as_text(reply)),
                agent=agent,
                seq=seq,
                created=created,
            )
        except (ValueError, UnicodeDecodeError) as error:
            raise self._db.meaning(ValueError(f"corrupt entry at {at}: {error}")) from error

    def _view(self, head: bytes) -> tuple[Message, ...]:
        """The messages up to `head`, walking back to the nearest view that is remembered."""
        steps: list[tuple[bytes, Message]] = []
        start: tuple[Message, ...] = ()
        name = head
        query = "SELECT m.parent, m.role, t.content FROM messages m JOIN texts t ON t.id = m.text WHERE m.id = ?"
        while name != ROOT:
            known = self._known(name)
            if known is not None:
                start = known
                break
            rows = self.rows(query, (name,))
            if not rows:
                raise self._db.meaning(ValueError("corrupt: a message is missing"))
            parent, role, content = rows[0]
            steps.append((name, Message(role, as_text(content))))
            name = parent
        view = (*start, *(message for _, message in reversed(steps)))
        if steps:
            # The last message is often an instruction that the next view replaces: remember the view without it, too.
            self._remember(head, view)
            if len(steps) > 1:
                self._remember(steps[1][0], view[:-1])
        return view

    def _known(self, name: bytes) -> tuple[Message, ...] | None:
        with self._lock:
            view = self._views.get(name)
            if view is not None:
                self._views.move_to_end(name)
            return view

    def _remember(self, name: bytes, view: tuple[Message, ...]) -> None:
        with self._lock:
            self._views[name] = view
            self._views.move_to_end(name)
            if len(self._views) > _VIEWS:
                self._views.popitem(last=False)

    def _text(self, name: bytes) -> str:
        rows = self.rows("SELECT content FROM texts WHERE id = ?", (name,))
        if not rows:
            raise self._db.meaning(ValueError("corrupt: a text is missing"))
        return as_text(rows[0][0])


def read_run(row: Sequence[Any]) -> RunRecord:
    """A run from its row (the columns of the table, without the key)."""
    id_, name, created, kind, definition, status, reason, outcome, parent, forked_at, simulated = row
    return RunRecord(
        id=id_,
        name=name,
        created=created,
        kind=kind,
        definition=json.loads(as_text(definition)),
        status=status,
        reason=reason,
        outcome=None if outcome is None else json.loads(as_text(outcome)),
        parent=parent,
        forked_at=forked_at,
        simulated=bool(simulated),
    )
