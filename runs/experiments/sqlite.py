"""Experiments in one SQLite file beside the journal, for one machine; several processes of it may work together."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from maieutic.errors import UsageError
from maieutic.runs.experiments import tables
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.results import Result
from maieutic.runs.experiments.store import LASTING, Counts, Plan, Tally, Unit
from maieutic.runs.experiments.workers import is_dead

__all__ = ["SQLiteStore", "beside"]

T = TypeVar("T")
_PAGE = 500
_ROWS = 500


def beside(journal: Path | str) -> Path:
    """The file of experiments that belongs to a journal's."""
    path = Path(journal)
    return path.with_name(f"{path.name}-experiments")


class SQLiteStore:
    """See maieutic.runs.experiments.store.ExperimentStore."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._db = tables.connect(path)
        self._finalizer = weakref.finalize(self, self._db.close)  # of results that nobody closes

    @classmethod
    def open(cls, journal: Path | str | None) -> SQLiteStore:
        """The experiments of a journal; None keeps them in memory.

        Raises:
            JournalError: The file cannot be opened, or is none of ours.
        """
        path = None if journal is None else beside(journal)
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            return cls(path)
        except (sqlite3.Error, OSError) as error:
            raise tables.meaning(error, path) from error

    # -- planning -----------------------------------------------------------------------------------------------

    async def plan(self, plan: Plan) -> bool:
        """See ExperimentStore."""
        return await self._soon(lambda: self._plan(plan))

    def _plan(self, plan: Plan) -> bool:
        told = json.dumps([[a.name, a.digest] for a in plan.arms])
        known = self._db.execute(
            "SELECT id, plan, repeats, seed, signature, complete FROM experiments WHERE name = ?", (plan.experiment,)
        ).fetchone()
        asked = (told, plan.repeats, plan.seed, plan.signature)
        same = known is not None and plan.signature is not None and known[1:5] == asked
        self._db.execute(
            "INSERT INTO experiments (name, created, spec, plan, repeats, seed, signature) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, "
            "plan = excluded.plan, repeats = excluded.repeats, seed = excluded.seed, signature = excluded.signature",
            (
                *(plan.experiment, time.time(), json.dumps(plan.spec)),
                *asked,
            ),
        )
        if same and known[5]:
            return False
        experiment = self._id(plan.experiment)
        self._db.execute(  # one that another process fills, or was cut short, is filled on
            "UPDATE experiments SET complete = 0, filling = filling + ? WHERE id = ?", (not same, experiment)
        )
        self._db.execute("DELETE FROM arms WHERE experiment = ?", (experiment,))
        rows = [(experiment, a.name, a.digest, n, json.dumps(a.definition)) for n, a in enumerate(plan.arms)]
        self._db.executemany("INSERT INTO arms VALUES (?, ?, ?, ?, ?)", rows)
        self._db.execute(
            "UPDATE units SET state = CASE state WHEN 'waiting' THEN 'aside' ELSE state END, current = "
            "repeat < ?2 AND base = ?3 AND "
            "item_digest = (SELECT digest FROM items WHERE items.experiment = ?1 AND items.id = units.item) AND "
            "EXISTS (SELECT 1 FROM arms a WHERE a.experiment = ?1 AND a.name = units.arm AND a.digest = units.digest) "
            "WHERE experiment = ?1",
            (experiment, plan.repeats, plan.seed),
        )
        return True

    async def add(self, experiment: str, items: Sequence[tuple[int, SampleItem]]) -> None:
        """See ExperimentStore."""
        await self._soon(lambda: self._add(experiment, items))

    def _add(self, experiment: str, items: Sequence[tuple[int, SampleItem]]) -> None:
        key, repeats, seed, filling = self._db.execute(
            "SELECT id, repeats, seed, filling FROM experiments WHERE name = ?", (experiment,)
        ).fetchone()
        arms = self._db.execute(
            "SELECT name, digest, rank FROM arms WHERE experiment = ? ORDER BY rank", (key,)
        ).fetchall()
        self._refuse_twins(key, filling, items)
        self._retell(key, items)
        rows = [(key, i.id, i.digest, place, filling, json.dumps(i.to_json())) for place, i in items]
        self._many(
            "INSERT INTO items (experiment, id, digest, place, filling, data) VALUES {} ON CONFLICT (experiment, id) "
            "DO UPDATE SET digest = excluded.digest, place = excluded.place, filling = excluded.filling, "
            "data = excluded.data",
            rows,
        )
        plan = (experiment, key, seed)
        units = [
            tables.unit_row(plan, (place, item), arm, repeat)
            for place, item in items
            for repeat in range(repeats)
            for arm in arms
        ]
        self._many(
            "INSERT INTO units (key, experiment, arm, digest, item, item_digest, repeat, seed, base, place, rank) "
            "VALUES {} ON CONFLICT (key) DO UPDATE SET current = 1, place = excluded.place, rank = excluded.rank, "
            "state = CASE state WHEN 'aside' THEN 'waiting' ELSE state END",
            units,
        )
        self._db.execute(  # what was computed for items that say something else now
            "UPDATE units SET current = 0, state = CASE state WHEN 'waiting' THEN 'aside' ELSE state END "
            "FROM items WHERE units.experiment = ?1 AND items.experiment = ?1 AND items.id = units.item "
            "AND items.filling = ?2 AND units.current AND units.item_digest <> items.digest "
            "AND items.place BETWEEN ?3 AND ?4",
            (key, filling, min(p for p, _ in items), max(p for p, _ in items)),
        )

    def _refuse_twins(self, key: int, filling: int, items: Sequence[tuple[int, SampleItem]]) -> None:
        places: dict[str, int] = {}
        for place, item in items:
            if places.setdefault(item.id, place) != place:
                raise tables.twins(item.id, places[item.id], place)
        ids = json.dumps(list(places))
        for name, place in self._db.execute(
            "SELECT id, place FROM items WHERE experiment = ? AND filling = ? "
            "AND id IN (SELECT value FROM json_each(?))",
            (key, filling, ids),
        ):
            if place != places[name]:
                raise tables.twins(name, place, places[name])

    def _retell(self, key: int, items: Sequence[tuple[int, SampleItem]]) -> None:
        """Tell results of items that ask the same, but have another target or group, what these are now."""
        query = "SELECT id, data FROM items WHERE experiment = ? AND id IN (SELECT value FROM json_each(?))"
        known = self._db.execute(query, (key, json.dumps([item.id for _, item in items])))
        found = tables.altered(known, items)
        results = self._db.execute(
            "SELECT key, item, result FROM units WHERE experiment = ? AND state = 'over' AND result IS NOT NULL "
            "AND item IN (SELECT value FROM json_each(?))",
            (key, json.dumps(list(found))),
        ).fetchall()
        self._put([(unit, tables.retold(told, *found[item])) for unit, item, told in results])

    async def added(self, experiment: str, *, whole: bool) -> None:
        """See ExperimentStore."""
        await self._soon(lambda: self._added(experiment, whole))

    def _added(self, experiment: str, whole: bool) -> None:
        key = self._id(experiment)
        self._db.execute("UPDATE experiments SET complete = 1 WHERE id = ?", (key,))
        if whole:
            self._db.execute(
                "UPDATE items SET digest = '' WHERE experiment = ?1 AND filling < "
                "(SELECT filling FROM experiments WHERE id = ?1)",
                (key,),
            )
            self._db.execute(
                "UPDATE units SET current = 0, state = CASE state WHEN 'waiting' THEN 'aside' ELSE state END "
                "WHERE experiment = ?1 AND current AND item IN "
                "(SELECT id FROM items WHERE experiment = ?1 AND digest = '')",
                (key,),
            )

    # -- working ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def worker(self, name: str) -> AsyncIterator[None]:
        """See ExperimentStore."""
        try:
            yield
        finally:
            await asyncio.shield(self._soon(lambda: self._let_go(name)))

    def _let_go(self, worker: str) -> None:
        self._db.execute(
            "UPDATE units SET state = 'waiting', worker = NULL WHERE state = 'claimed' AND worker = ?", (worker,)
        )

    async def claim(self, experiment: str, worker: str, most: int, *, lease: float) -> list[Unit]:
        """See ExperimentStore."""
        return await self._soon(lambda: self._claim(experiment, worker, most, lease))

    def _claim(self, experiment: str, worker: str, most: int, lease: float) -> list[Unit]:
        key, now = self._id(experiment), time.time()
        claimed = self._db.execute(
            "SELECT DISTINCT worker FROM units WHERE experiment = ? AND state = 'claimed' AND worker <> ?",
            (key, worker),
        )
        dead = [name for (name,) in claimed.fetchall() if is_dead(name)]
        self._db.execute(
            "UPDATE units SET state = 'waiting', worker = NULL WHERE experiment = ? AND state = 'claimed' "
            "AND (until < ? OR worker IN (SELECT value FROM json_each(?)))",
            (key, now, json.dumps(dead)),
        )
        (told,) = self._db.execute(  # one row, as every row would have to win the interpreter's lock back
            "SELECT json_group_array(json_array(key, arm, json(data), repeat, seed)) FROM ("
            "SELECT u.key, u.arm, i.data, u.repeat, u.seed "
            "FROM units u JOIN items i ON i.experiment = u.experiment AND i.id = u.item "
            "WHERE u.experiment = ? AND u.state = 'waiting' AND u.current ORDER BY u.repeat, u.place, u.rank LIMIT ?)",
            (key, most),
        ).fetchone()
        taken = [
            Unit(k, arm, SampleItem.from_json(data), repeat, seed) for k, arm, data, repeat, seed in json.loads(told)
        ]
        self._db.execute(
            "UPDATE units SET state = 'claimed', worker = ?, until = ? WHERE key IN (SELECT value FROM json_each(?))",
            (worker, now + lease, json.dumps([unit.key for unit in taken])),
        )
        return taken

    async def renew(self, worker: str, *, lease: float) -> None:
        """See ExperimentStore."""
        until = time.time() + lease
        await self._soon(
            lambda: self._db.execute(
                "UPDATE units SET until = ? WHERE state = 'claimed' AND worker = ?", (until, worker)
            )
        )

    async def finish(self, worker: str, results: Sequence[Result]) -> None:
        """See ExperimentStore."""
        await self._soon(lambda: self._finish(worker, results))

    def _finish(self, worker: str, results: Sequence[Result]) -> None:
        over = [
            (tables.unit_of(r), r.status, r.calls, r.tokens, r.usd, json.dumps(r.to_json()))
            for r in results
            if r.status in LASTING
        ]
        self._many(
            "UPDATE units SET state = 'over', worker = NULL, status = new.column2, calls = new.column3, "
            "tokens = new.column4, usd = new.column5, result = new.column6 FROM (VALUES {}) AS new "
            "WHERE units.key = new.column1",
            over,
        )
        back = [tables.unit_of(r) for r in results if r.status not in LASTING]
        self._db.execute(
            "UPDATE units SET state = 'waiting', worker = NULL WHERE state = 'claimed' AND worker = ? "
            "AND key IN (SELECT value FROM json_each(?))",
            (worker, json.dumps(back)),
        )

    async def again(self, experiment: str, *, statuses: Sequence[str]) -> int:
        """See ExperimentStore."""
        return await self._soon(
            lambda: (
                self._db.execute(
                    "UPDATE units SET state = 'waiting', status = NULL, result = NULL WHERE experiment = ? AND current "
                    "AND state = 'over' AND status IN (SELECT value FROM json_each(?))",
                    (self._id(experiment), json.dumps(list(statuses))),
                ).rowcount
            )
        )

    async def over(self, keys: Sequence[str]) -> int:
        """See ExperimentStore."""
        query = "SELECT count(*) FROM units WHERE state = 'over' AND key IN (SELECT value FROM json_each(?))"
        return int(self._read(query, (json.dumps(list(keys)),))[0][0])

    async def counts(self, experiment: str) -> Counts:
        """See ExperimentStore."""
        return await self._soon(lambda: self._counts(experiment))

    def _counts(self, experiment: str) -> Counts:
        key = self._id(experiment)
        found: dict[str, Tally] = {name: Tally() for name in self.conditions(experiment)}
        for arm, state, status, n, calls, tokens, usd, unpriced in self._db.execute(
            "SELECT arm, state, status, count(*), sum(calls), sum(tokens), total(usd), "
            "sum(state = 'over' AND usd IS NULL) FROM units "
            "WHERE experiment = ? AND current AND state <> 'aside' GROUP BY arm, state, status",
            (key,),
        ):
            what = status if state == "over" else state
            spent = {"calls": calls, "tokens": tokens, "usd": usd, "unpriced": unpriced} if state == "over" else {}
            found[arm] = found.get(arm, Tally()) + Tally(**{what: n}, **spent)
        return found

    # -- reading ------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The experiments that are kept here, the newest first."""
        return [name for (name,) in self._read("SELECT name FROM experiments ORDER BY created DESC")]

    def spec(self, experiment: str) -> dict[str, Any]:
        """The experiment's file as it was when it was last run, plain JSON."""
        (row,) = self._read("SELECT spec FROM experiments WHERE id = ?", (self._id(experiment),))
        return dict(json.loads(row[0]))

    def conditions(self, experiment: str) -> Sequence[str]:
        """See ResultSource."""
        found = self._read("SELECT name FROM arms WHERE experiment = ? ORDER BY rank", (self._id(experiment),))
        return [name for (name,) in found]

    def results(self, experiment: str, *, condition: str | None, status: str | None) -> Iterator[Result]:
        """See ResultSource."""
        key, after = self._id(experiment), (-1, -1, -1)
        while page := self._read(
            f"SELECT result, place, repeat, rank FROM units WHERE {_SEEN} AND (place, repeat, rank) > (?, ?, ?) "
            f"ORDER BY place, repeat, rank LIMIT {_PAGE}",
            (key, condition, condition, status, status, *after),
        ):
            for told, *_ in page:
                yield Result.from_json(json.loads(told))
            after = tuple(page[-1][1:])

    def count(self, experiment: str, *, condition: str | None, status: str | None) -> int:
        """See ResultSource."""
        asked = (self._id(experiment), condition, condition, status, status)
        return int(self._read(f"SELECT count(*) FROM units WHERE {_SEEN}", asked)[0][0])

    def item(self, experiment: str, item_id: str) -> SampleItem | None:
        """See ResultSource."""
        asked = (self._id(experiment), item_id)
        found = self._read("SELECT data FROM items WHERE experiment = ? AND id = ?", asked)
        return SampleItem.from_json(json.loads(found[0][0])) if found else None

    def rescore(self, results: Sequence[Result]) -> None:
        """See ResultSource."""
        with self._writing():
            self._put([(tables.unit_of(r), json.dumps(r.to_json())) for r in results])

    def _put(self, rows: Sequence[tuple[str, str]]) -> None:
        """Write results, JSON by unit, over those that are kept."""
        self._many("UPDATE units SET result = new.column2 FROM (VALUES {}) AS new WHERE units.key = new.column1", rows)

    # -- the file -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close it; closing twice is fine."""
        with self._lock:
            self._finalizer()

    async def aclose(self) -> None:
        """See ExperimentStore."""
        await asyncio.to_thread(self.close)

    def _id(self, experiment: str) -> int:
        row = self._read("SELECT id FROM experiments WHERE name = ?", (experiment,))
        if not row:
            known = self.names()
            there = f"there are: {', '.join(known[:10])}" if known else "none has been run here yet"
            raise UsageError(f"There is no experiment {experiment!r} in {self.path or 'this store'}; {there}.")
        return int(row[0][0])

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            with self._lock:
                return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise tables.meaning(error, self.path) from error

    async def _soon(self, act: Callable[[], T]) -> T:
        return await asyncio.to_thread(self._now, act)

    def _now(self, act: Callable[[], T]) -> T:
        with self._writing():
            return act()

    def _writing(self) -> tables.Writing:
        return tables.Writing(self._db, self._lock, self.path)

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """A statement with `VALUES {}` for rows, as many at a time as can be (see memory.database.insert)."""
        todo = list(rows)
        if not todo:
            return
        most = min(_ROWS, self._db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(todo[0]))
        row = f"({', '.join('?' * len(todo[0]))})"
        for start in range(0, len(todo), most):
            part = todo[start : start + most]
            self._db.execute(statement.format(", ".join([row] * len(part))), [value for one in part for value in one])


_SEEN = "experiment = ? AND current AND state = 'over' AND (? IS NULL OR arm = ?) AND (? IS NULL OR status = ?)"
