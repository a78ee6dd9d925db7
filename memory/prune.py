"""Forgetting: old runs go, then whatever nobody refers to any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.errors import UsageError
from maieutic.memory.databases import Database

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
        bytes_after: Size after. It is not less while another process reads the file, and of PostgreSQL, which keeps the
            space for what comes next.
    """

    runs: tuple[str, ...]
    spared: tuple[str, ...]
    entries: int
    texts: int
    bytes_before: int
    bytes_after: int


def prune(
    db: Database,
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
    first = db.size()
    going, spared, entries, texts = db.write(lambda: _prune(db, ids, before, keep, dry_run))
    if going and not dry_run:
        db.shrink()
    return PruneReport(tuple(name for _, name in going), spared, entries, texts, first, db.size())


def _prune(
    db: Database, ids: Sequence[str], before: float | None, keep: int | None, dry_run: bool
) -> tuple[list[tuple[int, str]], tuple[str, ...], int, int]:
    """Which runs go and which are spared, and how many entries and texts go with them."""
    db.alone()
    going, spared = _choose(db, ids, before, keep)
    db.execute("CREATE TEMP TABLE going (key BIGINT PRIMARY KEY)")
    db.executemany("INSERT INTO going VALUES (?)", ((key,) for key, _ in going))
    (entries,) = db.execute("SELECT count(*) FROM entries WHERE run IN (SELECT key FROM going)").fetchone()
    texts = 0 if dry_run or not going else _delete(db)
    db.execute("DROP TABLE going")
    return going, spared, entries, texts


def _choose(
    db: Database, ids: Sequence[str], before: float | None, keep: int | None
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


def _delete(db: Database) -> int:
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
