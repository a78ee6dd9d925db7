"""The tables of a file of experiments, its transactions, and what its errors mean."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from maieutic.errors import JournalError, UsageError
from maieutic.memory.database import write_ahead
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.results import Result
from maieutic.runs.experiments.store import unit_key, unit_seed

__all__ = ["Writing", "altered", "connect", "meaning", "retold", "twins", "unit_of", "unit_row"]

FORMAT = 1
_APPLICATION = 0x6D616978  # "maix": tells a file of experiments from any other
_BUSY = 60.0

_SCHEMA = """
CREATE TABLE experiments (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created REAL NOT NULL, spec TEXT NOT NULL, plan TEXT NOT NULL,
    repeats INTEGER NOT NULL, seed INTEGER NOT NULL, signature TEXT, complete INTEGER NOT NULL DEFAULT 0,
    filling INTEGER NOT NULL DEFAULT 0);
CREATE TABLE arms (
    experiment INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, rank INTEGER NOT NULL,
    definition TEXT NOT NULL, PRIMARY KEY (experiment, name));
CREATE TABLE items (
    experiment INTEGER NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, place INTEGER NOT NULL,
    filling INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (experiment, id));
CREATE TABLE units (
    key TEXT PRIMARY KEY, experiment INTEGER NOT NULL, arm TEXT NOT NULL, digest TEXT NOT NULL, item TEXT NOT NULL,
    item_digest TEXT NOT NULL, repeat INTEGER NOT NULL, seed INTEGER NOT NULL, base INTEGER NOT NULL,
    place INTEGER NOT NULL, rank INTEGER NOT NULL, current INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL DEFAULT 'waiting', worker TEXT, until REAL, status TEXT, calls INTEGER, tokens INTEGER,
    usd REAL, result TEXT) WITHOUT ROWID;
CREATE INDEX units_waiting ON units (experiment, repeat, place, rank) WHERE state = 'waiting' AND current;
CREATE INDEX units_claimed ON units (experiment, worker) WHERE state = 'claimed';
CREATE INDEX units_over ON units (experiment, place, repeat, rank) WHERE state = 'over' AND current;
CREATE INDEX units_of_item ON units (experiment, item);
CREATE INDEX items_by_place ON items (experiment, place);
"""


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection to a file of experiments, which is made if there is none; None is one in memory.

    Raises:
        JournalError: The file is none of ours, or of a newer format.
        sqlite3.Error: It cannot be read.
    """
    db = sqlite3.connect(
        ":memory:" if path is None else str(path), timeout=_BUSY, isolation_level=None, check_same_thread=False
    )
    try:
        # What a power failure takes of the last commits, the journal has: its runs are done again without a call.
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA cache_size=-8000")
        with Writing(db, threading.RLock(), path):
            _prepare(db, path)
        write_ahead(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path | None) -> None:
    application, version = (int(db.execute(f"PRAGMA {n}").fetchone()[0]) for n in ("application_id", "user_version"))
    if not application and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id={_APPLICATION}")
        db.execute(f"PRAGMA user_version={FORMAT}")
    elif application != _APPLICATION:
        raise JournalError(f"{path} is no file of experiments of maieutic. Name another store.")
    elif version > FORMAT:
        raise JournalError(
            f"{path} is of format {version}; this maieutic reads formats up to {FORMAT}. Upgrade maieutic."
        )


class Writing:
    """A transaction under a lock: all or nothing, its errors told as ours."""

    def __init__(self, db: sqlite3.Connection, lock: threading.RLock, path: Path | None) -> None:
        self._db, self._lock, self._path = db, lock, path

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._lock.release()
            raise meaning(error, self._path) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self._db.execute("COMMIT" if error is None else "ROLLBACK")
        except sqlite3.Error as fault:
            raise meaning(fault, self._path) from fault
        finally:
            self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise meaning(error, self._path) from error


def meaning(error: Exception, path: Path | None) -> JournalError:
    """What an error of SQLite or of the system means."""
    where, text = path or "the experiments in memory", str(error)
    if "locked" in text or "busy" in text:
        return JournalError(f"{where} is being written by another process ({text}). Wait for it, then try again.")
    if "malformed" in text or "not a database" in text:
        return JournalError(
            f"{where} is damaged ({text}). Move it away and run the experiment again: the journal beside it answers "
            "for every call that was made."
        )
    return JournalError(f"{where} cannot be used: {text}. Check the folder, its permissions and the space left.")


def unit_row(
    plan: tuple[str, int, int], placed: tuple[int, SampleItem], arm: Sequence[Any], repeat: int
) -> tuple[Any, ...]:
    """One row of `units`, without what a unit has only later.

    Args:
        plan: The experiment's name, its number in the file, and its seed.
        placed: An item with its position.
        arm: Name, digest and rank of a condition.
        repeat: From 0.
    """
    (experiment, number, base), (place, item) = plan, placed
    seed = unit_seed(base, item.id, repeat)
    key = unit_key(experiment, (arm[0], arm[1]), item, repeat, seed)
    return (key, number, arm[0], arm[1], item.id, item.digest, repeat, seed, base, place, arm[2])


def unit_of(result: Result) -> str:
    """The unit of a result: its run's id, without the mark of a fresh start."""
    return result.run_id.partition("~")[0]


def altered(
    known: Iterable[tuple[str, str]], items: Iterable[tuple[int, SampleItem]]
) -> Mapping[str, tuple[SampleItem, SampleItem]]:
    """Of items those that ask the same as before and say something else of it: as they were, and as they are.

    Args:
        known: Ids and what the store has of the items, JSON.
        items: The items now, with their positions.
    """
    old = {name: SampleItem.from_json(json.loads(data)) for name, data in known}
    pairs = {new.id: (old[new.id], new) for _, new in items if new.id in old}
    return {name: (was, now) for name, (was, now) in pairs.items() if was != now and was.digest == now.digest}


def retold(result: str, was: SampleItem, now: SampleItem) -> str:
    """A result of an altered item, JSON: with the item's target, group and family as they are now, and to be scored
    again. Scores by another target, or other options, are dropped."""
    found = Result.from_json(json.loads(result))
    same = (was.target, was.options) == (now.target, now.options)
    notes = {
        name: {key: value for key, value in note.items() if key != "as"}
        for name, note in found.extra.get("scores", {}).items()
    }
    new = found.scored(found.scores if same else {}, notes if same else {})
    new = replace(new, target=now.target, group=now.group or now.id, family=now.family)
    return json.dumps(new.to_json())


def twins(name: str, one: int, other: int) -> UsageError:
    """What is wrong with two items (positions from 0) of one id."""
    return UsageError(
        f"the id {name!r} stands twice in the data set, at items {one + 1} and {other + 1}; ids must be unique "
        "(without the column `id`, items are numbered)"
    )
