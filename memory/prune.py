"""Forgetting: old runs go, then whatever nobody refers to any more."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maieutic.errors import UsageError
from maieutic.memory.database import size, transaction

__all__ = ["PruneReport", "prune"]


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What a pruning freed, or would free.

    Attributes:
        runs: Ids of the runs that went.
        spared: Ids of runs that were old enough but still go on ("running", "waiting"); name them to prune them.
        entries: How many entries went with them.
        texts: How many texts nobody referred to any more (0 in a dry run).
        bytes_before: Size of the file before.
        bytes_after: Size of the file after; as before if another process was reading, which puts off the shrinking.
    """

    runs: tuple[str, ...]
    spared: tuple[str, ...]
    entries: int
    texts: int
    bytes_before: int
    bytes_after: int


def prune(
    db: sqlite3.Connection,
    path: Path | None,
    *,
    ids: Sequence[str],
    before: float | None,
    keep: int | None,
    dry_run: bool,
) -> PruneReport:
    """Delete runs; see `Journal.prune`."""
    if not ids and before is None and keep is None:
        raise UsageError("Say which runs to prune: by id, by age (`before`), or all but the newest (`keep`).")
    if keep is not None and keep < 0:
        raise UsageError(f"`keep` is how many of the newest runs stay; it cannot be {keep}.")
    first = _bytes(db, path)
    with transaction(db):
        going, spared = _choose(db, ids, before, keep)
        db.execute("CREATE TEMP TABLE going (key INTEGER PRIMARY KEY)")
        try:
            db.executemany("INSERT INTO going VALUES (?)", ((key,) for key, _ in going))
            (entries,) = db.execute("SELECT count(*) FROM entries WHERE run IN (SELECT key FROM going)").fetchone()
            texts = 0 if dry_run or not going else _delete(db)
        finally:
            db.execute("DROP TABLE going")
    if going and not dry_run:
        # Another process that reads keeps the file from shrinking; the space is free for new entries all the same.
        with contextlib.suppress(sqlite3.OperationalError):
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return PruneReport(tuple(name for _, name in going), spared, entries, texts, first, _bytes(db, path))


def _choose(
    db: sqlite3.Connection, ids: Sequence[str], before: float | None, keep: int | None
) -> tuple[list[tuple[int, str]], tuple[str, ...]]:
    going: list[tuple[int, str]] = []
    spared: list[str] = []
    by_rule = before is not None or keep is not None
    runs = db.execute("SELECT key, id, created, status FROM runs ORDER BY created DESC, key DESC").fetchall()
    for place, (key, name, created, status) in enumerate(runs):
        if name in ids:
            going.append((key, name))
        elif by_rule and place >= (keep or 0) and (before is None or created < before):
            if status in ("running", "waiting"):
                spared.append(name)
            else:
                going.append((key, name))
    return going, tuple(spared)


def _delete(db: sqlite3.Connection) -> int:
    """Delete the runs in `going` and what only they used; how many texts that freed."""
    db.execute("DELETE FROM entries WHERE run IN (SELECT key FROM going)")
    db.execute("DELETE FROM runs WHERE key IN (SELECT key FROM going)")
    db.execute(
        "DELETE FROM messages WHERE id NOT IN (WITH RECURSIVE used (id) AS ("
        " SELECT head FROM entries WHERE head IS NOT NULL"
        " UNION SELECT m.parent FROM used JOIN messages m ON m.id = used.id) SELECT id FROM used)"
    )
    freed = db.execute(
        "DELETE FROM texts WHERE id NOT IN"
        " (SELECT text FROM messages UNION SELECT request FROM entries WHERE request IS NOT NULL)"
    ).rowcount
    # Other writers, in whatever process, learn from this that texts they wrote may be gone.
    db.execute("UPDATE state SET value = value + 1 WHERE name = 'prunings'")
    return freed


def _bytes(db: sqlite3.Connection, path: Path | None) -> int:
    if path is None:
        return size(db)
    parts = (path, path.with_name(path.name + "-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
