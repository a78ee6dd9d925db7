"""Experiments in a PostgreSQL database, for workers on many machines.

A unit is handed out by a lease on a row: nobody waits for anybody (`FOR UPDATE SKIP LOCKED`). What a dead worker had is
work again when its lease has run out; for others on its own machine, at once.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from maieutic.errors import UsageError
from maieutic.memory.databases import without_password
from maieutic.memory.postgres_link import Link
from maieutic.runs.experiments import postgres_tables as sql
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.results import Result
from maieutic.runs.experiments.store import LASTING, Counts, Plan, Tally, Unit
from maieutic.runs.experiments.tables import altered, retold, twins, unit_of, unit_row
from maieutic.runs.experiments.workers import is_dead

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["PostgresStore"]

T = TypeVar("T")
_PAGE = 500


class PostgresStore:
    """See maieutic.runs.experiments.store.ExperimentStore.

    Args:
        url: "postgresql://user@host/database", the same as the journal's.
        patience: Seconds for which a server that goes away is tried again before anything fails.

    Raises:
        JournalError: It cannot be reached, or the tables are of a newer format.
        UsageError: The driver is not installed.
    """

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        self.place = without_password(url)
        self._link = Link(url, self.place, "maieutic experiments", patience=patience, greet=self._greeted)

    def _greeted(self, db: Connection[Any]) -> None:
        sql.made(db, self.place)
        db.execute(sql.SETTING.encode())

    # -- planning -----------------------------------------------------------------------------------------------

    async def plan(self, plan: Plan) -> bool:
        """See ExperimentStore."""
        return await self._soon(lambda db: _planned(db, plan))

    async def add(self, experiment: str, items: Sequence[tuple[int, SampleItem]]) -> None:
        """See ExperimentStore."""
        await self._soon(lambda db: _added(db, experiment, items))

    async def added(self, experiment: str, *, whole: bool) -> None:
        """See ExperimentStore."""

        def noted(db: Connection[Any]) -> None:
            key = {"id": self._id(db, experiment)}
            db.execute("UPDATE experiments SET complete = TRUE WHERE id = %(id)s", key)
            if whole:
                db.execute(sql.DROPPING_ITEMS.encode(), key)
                db.execute(sql.DROPPING_UNITS.encode(), key)

        await self._soon(noted)

    # -- working ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def worker(self, name: str) -> AsyncIterator[None]:
        """See ExperimentStore."""
        try:
            yield
        finally:
            free = "UPDATE units SET state = 'waiting', worker = NULL WHERE state = 'claimed' AND worker = %s"
            await asyncio.shield(self._soon(lambda db: db.execute(free, (name,))))

    async def claim(self, experiment: str, worker: str, most: int, *, lease: float) -> list[Unit]:
        """See ExperimentStore."""
        key = await self._soon(lambda db: self._id(db, experiment))
        lot = secrets.token_hex(8)
        given = {"id": key, "most": most, "worker": worker, "lot": lot, "lease": lease}

        def claimed(db: Connection[Any]) -> list[Unit]:
            # If a commit arrived and its answer did not, nobody would know what this call has taken.
            db.execute(
                "UPDATE units SET state = 'waiting', worker = NULL WHERE experiment = %s AND state = 'claimed' "
                "AND worker = %s AND lot = %s",
                (key, worker, lot),
            )
            others = db.execute(
                "SELECT DISTINCT worker FROM units WHERE experiment = %s AND state = 'claimed' AND worker <> %s",
                (key, worker),
            ).fetchall()
            db.execute(sql.FREEING.encode(), (key, [name for (name,) in others if is_dead(name)]))
            return [
                Unit(name, arm, SampleItem.from_json(json.loads(data)), repeat, seed)
                for name, arm, data, repeat, seed in db.execute(sql.CLAIMING.encode(), given).fetchall()
            ]

        return await self._soon(claimed)

    async def renew(self, worker: str, *, lease: float) -> None:
        """See ExperimentStore."""
        await self._soon(lambda db: db.execute(sql.RENEWING.encode(), (lease, worker)))

    async def finish(self, worker: str, results: Sequence[Result]) -> None:
        """See ExperimentStore."""
        over = {
            unit_of(r): (unit_of(r), r.status, r.calls, r.tokens, r.usd, json.dumps(r.to_json()))
            for r in results
            if r.status in LASTING
        }
        columns = [list(column) for column in zip(*(over[key] for key in sorted(over)), strict=True)]
        back = [unit_of(r) for r in results if r.status not in LASTING]

        def finished(db: Connection[Any]) -> None:
            if over:
                db.execute(sql.FINISHING.encode(), columns)
            if back:
                db.execute(
                    "UPDATE units SET state = 'waiting', worker = NULL WHERE state = 'claimed' AND worker = %s "
                    "AND key = ANY(%s)",
                    (worker, back),
                )

        await self._soon(finished)

    async def again(self, experiment: str, *, statuses: Sequence[str]) -> int:
        """See ExperimentStore."""
        statement = (
            "UPDATE units SET state = 'waiting', status = NULL, result = NULL WHERE experiment = %s AND current "
            "AND state = 'over' AND status = ANY(%s)"
        )
        return await self._soon(lambda db: db.execute(statement, (self._id(db, experiment), list(statuses))).rowcount)

    async def over(self, keys: Sequence[str]) -> int:
        """See ExperimentStore."""
        query = "SELECT count(*) FROM units WHERE state = 'over' AND key = ANY(%s)"
        return await self._soon(lambda db: int(_only(db.execute(query, (list(keys),)).fetchone())))

    async def counts(self, experiment: str) -> Counts:
        """See ExperimentStore."""

        def counted(db: Connection[Any]) -> dict[str, Tally]:
            key = self._id(db, experiment)
            found = {name: Tally() for name in _conditions(db, key)}
            for arm, state, status, n, calls, tokens, usd, unpriced in db.execute(sql.COUNTING.encode(), (key,)):
                what = status if state == "over" else state
                spent = {"calls": calls, "tokens": tokens, "usd": usd, "unpriced": unpriced} if state == "over" else {}
                found[arm] = found.get(arm, Tally()) + Tally(**{what: n}, **spent)
            return found

        return await self._soon(counted)

    # -- reading ------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The experiments that are kept here, the newest first."""
        return self._link.do(_names)

    def spec(self, experiment: str) -> dict[str, Any]:
        """The experiment's file as it was when it was last run, plain JSON."""
        query = "SELECT spec FROM experiments WHERE id = %s"
        told = self._link.do(lambda db: _only(db.execute(query, (self._id(db, experiment),)).fetchone()))
        return dict(json.loads(told))

    def conditions(self, experiment: str) -> Sequence[str]:
        """See ResultSource."""
        return self._link.do(lambda db: _conditions(db, self._id(db, experiment)))

    def results(self, experiment: str, *, condition: str | None, status: str | None) -> Iterator[Result]:
        """See ResultSource."""
        asked = self._asked(experiment, condition, status)
        after: tuple[int, ...] = (-1, -1, -1)
        query = (
            f"SELECT result, place, repeat, rank FROM units WHERE {_SEEN} "
            "AND (place, repeat, rank) > (%(place)s, %(after)s, %(rank)s) "
            f"ORDER BY place, repeat, rank LIMIT {_PAGE}"
        ).encode()
        while page := self._page(query, {**asked, **dict(zip(("place", "after", "rank"), after, strict=True))}):
            for told, *_ in page:
                yield Result.from_json(json.loads(told))
            after = tuple(page[-1][1:])

    def _page(self, query: bytes, values: Mapping[str, Any]) -> list[Any]:
        return self._link.do(lambda db: db.execute(query, values).fetchall())

    def count(self, experiment: str, *, condition: str | None, status: str | None) -> int:
        """See ResultSource."""
        asked = self._asked(experiment, condition, status)
        return int(self._page(f"SELECT count(*) FROM units WHERE {_SEEN}".encode(), asked)[0][0])

    def item(self, experiment: str, item_id: str) -> SampleItem | None:
        """See ResultSource."""
        query = "SELECT data FROM items WHERE experiment = %s AND id = %s"
        found = self._link.do(lambda db: db.execute(query, (self._id(db, experiment), item_id)).fetchone())
        return SampleItem.from_json(json.loads(found[0])) if found else None

    def rescore(self, results: Sequence[Result]) -> None:
        """See ResultSource."""
        rows = [(unit_of(r), json.dumps(r.to_json())) for r in results]
        self._now(lambda db: _put(db, rows))

    # -- the connection -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close it; closing twice is fine."""
        self._link.close()

    async def aclose(self) -> None:
        """See ExperimentStore."""
        await asyncio.to_thread(self.close)

    def _asked(self, experiment: str, condition: str | None, status: str | None) -> dict[str, Any]:
        return {"id": self._link.do(lambda db: self._id(db, experiment)), "condition": condition, "status": status}

    def _id(self, db: Connection[Any], experiment: str) -> int:
        row = db.execute("SELECT id FROM experiments WHERE name = %s", (experiment,)).fetchone()
        if row is None:
            known = _names(db)
            there = f"there are: {', '.join(known[:10])}" if known else "none has been run here yet"
            raise UsageError(f"There is no experiment {experiment!r} in {self.place}; {there}.")
        return int(row[0])

    async def _soon(self, act: Callable[[Connection[Any]], T]) -> T:
        return await asyncio.to_thread(self._now, act)

    def _now(self, act: Callable[[Connection[Any]], T]) -> T:
        """Do something in one transaction; again from the start where the connection breaks."""

        def once(db: Connection[Any]) -> T:
            with db.transaction():
                return act(db)

        return self._link.do(once)


def _planned(db: Connection[Any], plan: Plan) -> bool:
    told = json.dumps([[a.name, a.digest] for a in plan.arms])
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (plan.experiment,))  # one plans at a time
    known = db.execute(
        "SELECT plan, repeats, seed, signature, complete FROM experiments WHERE name = %s", (plan.experiment,)
    ).fetchone()
    asked = (told, plan.repeats, plan.seed, plan.signature)
    same = known is not None and plan.signature is not None and known[:4] == asked
    key = _only(
        db.execute(
            "INSERT INTO experiments (name, created, spec, plan, repeats, seed, signature) "
            "VALUES (%s, extract(epoch FROM clock_timestamp()), %s, %s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET "
            "spec = excluded.spec, plan = excluded.plan, repeats = excluded.repeats, seed = excluded.seed, "
            "signature = excluded.signature RETURNING id",
            (plan.experiment, json.dumps(plan.spec), *asked),
        ).fetchone()
    )
    if same and known is not None and known[4]:
        return False
    db.execute(  # one that another process fills, or was cut short, is filled on
        "UPDATE experiments SET complete = FALSE, filling = filling + %s WHERE id = %s", (int(not same), key)
    )
    db.execute("DELETE FROM arms WHERE experiment = %s", (key,))
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO arms VALUES (%s, %s, %s, %s, %s)",
            [(key, a.name, a.digest, n, json.dumps(a.definition)) for n, a in enumerate(plan.arms)],
        )
    db.execute(sql.PLANNING.encode(), {"id": key, "repeats": plan.repeats, "seed": plan.seed})
    return True


def _added(db: Connection[Any], experiment: str, items: Sequence[tuple[int, SampleItem]]) -> None:
    found = db.execute("SELECT id, repeats, seed, filling FROM experiments WHERE name = %s", (experiment,)).fetchone()
    assert found is not None
    key, repeats, seed, filling = found
    _refuse_twins(db, key, filling, items)
    _retell(db, key, items)
    arms = db.execute("SELECT name, digest, rank FROM arms WHERE experiment = %s ORDER BY rank", (key,)).fetchall()
    columns = [
        *([item.id for _, item in items], [item.digest for _, item in items], [place for place, _ in items]),
        [json.dumps(item.to_json()) for _, item in items],
    ]
    db.execute(sql.ADDING_ITEMS.encode(), (key, filling, *columns))
    units = [
        unit_row((experiment, key, seed), placed, arm, repeat)
        for placed in items
        for repeat in range(repeats)
        for arm in arms
    ]
    if units:
        db.execute(sql.ADDING_UNITS.encode(), [list(column) for column in zip(*units, strict=True)])
    db.execute(  # what was computed for items that say something else now
        "UPDATE units SET current = FALSE, state = CASE state WHEN 'waiting' THEN 'aside' ELSE state END FROM items i "
        "WHERE units.experiment = %s AND i.experiment = %s AND i.id = units.item AND i.id = ANY(%s) "
        "AND units.current AND units.item_digest <> i.digest",
        (key, key, columns[0]),
    )


def _refuse_twins(db: Connection[Any], key: int, filling: int, items: Sequence[tuple[int, SampleItem]]) -> None:
    places: dict[str, int] = {}
    for place, item in items:
        if places.setdefault(item.id, place) != place:
            raise twins(item.id, places[item.id], place)
    there = db.execute(
        "SELECT id, place FROM items WHERE experiment = %s AND filling = %s AND id = ANY(%s)",
        (key, filling, list(places)),
    )
    for name, place in there:
        if place != places[name]:
            raise twins(name, place, places[name])


def _retell(db: Connection[Any], key: int, items: Sequence[tuple[int, SampleItem]]) -> None:
    """Tell results of items that ask the same, but have another target or group, what these are now."""
    query = "SELECT id, data FROM items WHERE experiment = %s AND id = ANY(%s)"
    found = altered(db.execute(query, (key, [item.id for _, item in items])), items)
    results = db.execute(
        "SELECT key, item, result FROM units WHERE experiment = %s AND state = 'over' AND result IS NOT NULL "
        "AND item = ANY(%s)",
        (key, list(found)),
    ).fetchall()
    _put(db, [(unit, retold(told, *found[item])) for unit, item, told in results])


def _put(db: Connection[Any], rows: Sequence[tuple[str, str]]) -> None:
    """Write results, JSON by unit, over those that are kept."""
    columns = [[row[n] for row in sorted(rows)] for n in range(2)]
    db.execute(
        "UPDATE units SET result = new.result FROM unnest(%s::text[], %s::text[]) AS new (key, result) "
        "WHERE units.key = new.key",
        columns,
    )


def _names(db: Connection[Any]) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM experiments ORDER BY created DESC")]


def _conditions(db: Connection[Any], key: int) -> list[str]:
    found = db.execute("SELECT name FROM arms WHERE experiment = %s ORDER BY rank", (key,))
    return [name for (name,) in found]


def _only(row: Any) -> Any:
    return row[0]


_SEEN = (
    "experiment = %(id)s AND current AND state = 'over' AND (%(condition)s::text IS NULL OR arm = %(condition)s) "
    "AND (%(status)s::text IS NULL OR status = %(status)s)"
)
