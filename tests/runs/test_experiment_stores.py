"""One suite for all stores of experiments, SQLite and PostgreSQL: what is planned, handed out and kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maieutic.errors import UsageError
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.results import Result
from maieutic.runs.experiments.store import Arm, ExperimentStore, Plan, Tally, Unit, store_at
from maieutic.runs.experiments.workers import worker_name
from maieutic.testing.postgres import PostgresServer

DEBATE, SINGLE = Arm("debate", "d1", {"use": "debate"}), Arm("single", "s1")
PLAN = Plan("cars", (DEBATE, SINGLE), 2, 7, {"name": "cars"}, "sig-1")
ITEMS = [SampleItem(f"q{n}", {"question": f"Why {n}?"}, ("yes",)) for n in range(5)]


@pytest.fixture(params=["memory", "file", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str | None:
    if request.param == "postgres":
        found: str = request.getfixturevalue("database")
        return found
    return tmp_path / "deep" / "journal.db" if request.param == "file" else None


@pytest.fixture
def store(place: Path | str | None) -> Iterator[ExperimentStore]:
    opened = store_at(place)
    yield opened
    asyncio.run(opened.aclose())


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def planned(
    store: ExperimentStore, plan: Plan = PLAN, items: list[SampleItem] | None = None, *, whole: bool = False
) -> None:
    if await store.plan(plan):
        await store.add(plan.experiment, list(enumerate(ITEMS if items is None else items)))
        await store.added(plan.experiment, whole=whole)


def result_of(unit: Unit, status: str = "done", **more: Any) -> Result:
    told: dict[str, Any] = {"calls": 3, "tokens_in": 10, "tokens_out": 5, "usd": 0.5, "answer": "yes", **more}
    return Result("cars", unit.condition, unit.item.id, unit.repeat, unit.seed, unit.key, status, **told)


async def finish_all(store: ExperimentStore, status: str = "done") -> list[Unit]:
    async with store.worker("w"):
        units = await store.claim("cars", "w", 5000, lease=60)
        await store.finish("w", [result_of(unit, status) for unit in units])
    return units


def test_units_come_by_repeat_item_and_condition_each_with_its_item_and_seed(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        units = await store.claim("cars", "w", 1000, lease=60)
        assert [(u.repeat, u.item.id, u.condition) for u in units] == [
            (repeat, item.id, arm) for repeat in range(2) for item in ITEMS for arm in ("debate", "single")
        ]
        assert units[0].item == ITEMS[0]
        assert len({u.key for u in units}) == 20
        same = [u.seed for u in units if u.item.id == "q0" and u.repeat == 0]
        assert len(set(same)) == 1  # conditions are paired
        assert await store.claim("cars", "other", 1, lease=60) == []

    run(story)


def test_what_is_finished_is_counted_and_read_in_order(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        units = await store.claim("cars", "w", 3, lease=60)
        done, failed, unpriced = units
        await store.finish(
            "w", [result_of(unpriced, usd=None), result_of(done), result_of(failed, "failed", error="\ud800\0")]
        )
        counts = await store.counts("cars")
        assert list(counts) == ["debate", "single"]
        assert counts["debate"] == Tally(8, 0, 2, 0, 0, 6, 30, 0.5, 1)
        assert counts["single"] == Tally(9, 0, 0, 1, 0, 3, 15, 0.5, 0)
        found = list(store.results("cars", condition=None, status=None))
        assert found == [result_of(done), result_of(failed, "failed", error="\ud800\0"), result_of(unpriced, usd=None)]
        assert [r.item for r in store.results("cars", condition="debate", status="done")] == ["q0", "q1"]
        assert store.count("cars", condition=None, status="failed") == 1
        assert await store.over([unit.key for unit in units] + ["none"]) == 3
        assert store.item("cars", "q1") == ITEMS[1]
        assert store.item("cars", "nobody") is None
        assert store.conditions("cars") == ["debate", "single"]

    run(story)


def test_thousands_of_results_stream_by_the_page(store: ExperimentStore) -> None:
    async def story() -> None:
        many = [SampleItem(f"q{n}", {"question": f"{n}?"}) for n in range(700)]
        await planned(store, replace(PLAN, repeats=1), many)
        await finish_all(store)
        found = [r.item for r in store.results("cars", condition=None, status=None)]
        assert found == [item.id for item in many for _ in range(2)]

    run(story)


def test_a_result_that_does_not_last_gives_its_unit_back(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        [unit] = await store.claim("cars", "w", 1, lease=60)
        await store.finish("w", [result_of(unit, "cancelled")])
        assert store.count("cars", condition=None, status=None) == 0
        assert [u.key for u in await store.claim("cars", "w", 1, lease=60)] == [unit.key]

    run(story)


def test_what_a_worker_leaves_is_work_again_and_what_its_lease_lost_too(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        async with store.worker("w"):
            first = await store.claim("cars", "w", 2, lease=60)
        assert [u.key for u in await store.claim("cars", "v", 2, lease=0.05)] == [u.key for u in first]
        assert first[0].key not in [u.key for u in await store.claim("cars", "w", 2, lease=60)]
        await asyncio.sleep(0.06)
        assert [u.key for u in await store.claim("cars", "w", 2, lease=60)] == [u.key for u in first]

    run(story)


def test_a_heartbeat_keeps_what_was_claimed(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store, replace(PLAN, arms=(SINGLE,), repeats=1), ITEMS[:1])
        assert len(await store.claim("cars", "w", 1, lease=0.2)) == 1
        for _ in range(4):
            await asyncio.sleep(0.08)
            await store.renew("w", lease=0.2)
            assert await store.claim("cars", "v", 1, lease=60) == []
        await asyncio.sleep(0.25)
        assert len(await store.claim("cars", "v", 1, lease=60)) == 1

    run(story)


def test_what_a_process_of_this_machine_had_that_is_dead_is_work_at_once(store: ExperimentStore) -> None:
    host = worker_name().partition(":")[0]

    async def story() -> None:
        await planned(store)
        elsewhere = await store.claim("cars", "other-machine:1:1:aa", 2, lease=3600)
        first = await store.claim("cars", f"{host}:999999999:1:aa", 2, lease=3600)
        again = await store.claim("cars", "w", 1000, lease=60)
        assert {u.key for u in first} <= {u.key for u in again}
        assert not {u.key for u in elsewhere} & {u.key for u in again}

    run(story)


def test_a_plan_that_is_known_needs_no_second_look_and_computes_nothing_again(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        await finish_all(store)
        assert await store.plan(PLAN) is False
        assert await store.claim("cars", "w", 1, lease=60) == []
        assert await store.plan(replace(PLAN, signature=None)) is True

    run(story)


def test_an_experiment_that_grows_computes_only_what_is_new_and_forgets_nothing(store: ExperimentStore) -> None:
    async def story() -> None:
        small = replace(PLAN, arms=(SINGLE,), repeats=1, signature="a")
        await planned(store, small, ITEMS[:3])
        await finish_all(store)
        await planned(store, replace(PLAN, signature="b"), ITEMS)
        units = await finish_all(store)
        assert len(units) == 20 - 3
        assert store.count("cars", condition=None, status=None) == 20
        await planned(store, replace(small, signature="c"), ITEMS[:3])
        assert store.count("cars", condition=None, status=None) == 5  # an item that was computed stays in sight
        assert store.conditions("cars") == ["single"]
        await planned(store, replace(PLAN, signature="d"), ITEMS)
        assert store.count("cars", condition=None, status=None) == 20
        assert await store.claim("cars", "w", 1, lease=60) == []

    run(story)


def test_what_was_edited_is_computed_anew(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        await finish_all(store)
        edited = replace(PLAN, arms=(DEBATE, replace(SINGLE, digest="s2")), signature="b")
        await planned(store, edited)
        assert {u.condition for u in await finish_all(store)} == {"single"}
        other = [replace(ITEMS[0], inputs={"question": "Another?"}), *ITEMS[1:]]
        await planned(store, replace(edited, signature="c"), other)
        assert {u.item.id for u in await finish_all(store)} == {"q0"}
        await planned(store, replace(edited, seed=8, signature="d"), other)
        assert len(await finish_all(store)) == 20
        assert store.count("cars", condition=None, status=None) == 20

    run(story)


def test_items_that_left_the_data_set_are_out_of_sight_until_they_are_back(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        await finish_all(store)
        await planned(store, replace(PLAN, signature="b"), ITEMS[2:], whole=True)
        assert {r.item for r in store.results("cars", condition=None, status=None)} == {i.id for i in ITEMS[2:]}
        assert sum(tally.planned for tally in (await store.counts("cars")).values()) == 4 * len(ITEMS[2:])
        await planned(store, replace(PLAN, signature="c"), ITEMS[2:3])  # a part of the data set
        assert store.count("cars", condition=None, status=None) == 4 * len(ITEMS[2:])
        await planned(store, replace(PLAN, signature="d"), ITEMS, whole=True)
        assert store.count("cars", condition=None, status=None) == 20
        assert await store.claim("cars", "w", 1, lease=60) == []

    run(story)


def test_another_process_that_fills_at_the_same_time_loses_nothing_of_it(store: ExperimentStore) -> None:
    async def story() -> None:
        assert await store.plan(PLAN)
        await store.add("cars", [(0, ITEMS[0])])
        assert await store.plan(PLAN), "the other process, while the first still fills"
        await store.add("cars", list(enumerate(ITEMS))[1:])
        await store.added("cars", whole=True)
        await store.add("cars", list(enumerate(ITEMS)))
        await store.added("cars", whole=True)
        assert len(await finish_all(store)) == 20

    run(story)


def test_results_of_an_item_with_another_target_lose_their_scores_and_learn_it(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        units = await finish_all(store)
        notes = {"exact": {"why": "as it was", "as": "12345678"}}
        store.rescore([result_of(unit).scored({"exact": 1.0}, notes) for unit in units])
        mended = [replace(ITEMS[0], target=("no",)), replace(ITEMS[1], group="g"), *ITEMS[2:]]
        await planned(store, replace(PLAN, signature="b"), mended)
        found = {r.item: r for r in store.results("cars", condition="single", status=None)}
        assert (found["q0"].target, found["q0"].scores, found["q0"].extra["scores"]) == (("no",), {}, {})
        assert (found["q1"].group, found["q1"].scores) == ("g", {"exact": 1.0})
        assert found["q1"].extra["scores"] == {"exact": {"why": "as it was"}}, "to be scored again"
        assert found["q2"].extra["scores"] == notes
        assert await store.claim("cars", "w", 1, lease=60) == [], "nothing is computed again"

    run(story)


def test_failures_are_retried_when_told_so(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        await finish_all(store, "failed")
        assert await store.again("cars", statuses=("failed", "stopped")) == 20
        assert len(await finish_all(store)) == 20
        assert await store.again("cars", statuses=("failed", "stopped")) == 0

    run(story)


def test_scores_are_written_over_results(store: ExperimentStore) -> None:
    async def story() -> None:
        await planned(store)
        units = await finish_all(store)
        store.rescore([result_of(unit).scored({"exact": 1.0}) for unit in units[:2]])
        scored = [r for r in store.results("cars", condition=None, status=None) if r.scores]
        assert {r.run_id for r in scored} == {unit.key for unit in units[:2]}

    run(story)


def test_an_id_that_stands_twice_is_told_with_both_places(store: ExperimentStore) -> None:
    async def story() -> None:
        await store.plan(PLAN)
        with pytest.raises(UsageError, match="the id 'q1' stands twice in the data set, at items 2 and 3"):
            await store.add("cars", [(1, ITEMS[1]), (2, ITEMS[1])])
        await store.add("cars", [(1, ITEMS[1])])
        with pytest.raises(UsageError, match="stands twice in the data set, at items 2 and 6"):
            await store.add("cars", [(5, ITEMS[1])])

    run(story)


def test_an_experiment_that_is_not_there_is_told_with_those_that_are(store: ExperimentStore) -> None:
    async def story() -> None:
        with pytest.raises(UsageError, match=r"There is no experiment 'cars' .*; none has been run here yet"):
            store.conditions("cars")
        await planned(store)
        with pytest.raises(UsageError, match=r"There is no experiment 'buses' .*; there are: cars"):
            await store.claim("buses", "w", 1, lease=60)

    run(story)


# -- several workers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["file", "postgres"], indirect=True)
def test_no_unit_is_had_by_two_workers_and_none_is_forgotten(place: Path | str) -> None:
    many = [SampleItem(f"q{n}", {"question": f"{n}?"}) for n in range(60)]
    had: dict[str, list[str]] = {}

    async def work(name: str) -> None:
        store = store_at(place)
        async with store.worker(name):
            while units := await store.claim("cars", name, 7, lease=60):
                had.setdefault(name, []).extend(unit.key for unit in units)
                await store.finish(name, [result_of(unit) for unit in units])
        await store.aclose()

    async def begin() -> None:
        store = store_at(place)
        await planned(store, items=many)
        await store.aclose()

    asyncio.run(begin())
    threads = [threading.Thread(target=lambda n=n: asyncio.run(work(f"w{n}"))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [key for own in had.values() for key in own]
    assert len(keys) == len(set(keys)) == 240
    assert len(had) > 1


def test_workers_whose_connections_are_cut_do_everything_once(postgres: PostgresServer, database: str) -> None:
    many = [SampleItem(f"q{n}", {"question": f"{n}?"}) for n in range(60)]
    over = threading.Event()
    finished: list[str] = []

    def cut() -> None:
        while not over.wait(0.15):
            postgres.cut(database.rpartition("/")[2])

    async def work(name: str) -> None:
        store = store_at(database)
        async with store.worker(name):
            while units := await store.claim("cars", name, 5, lease=60):
                await asyncio.sleep(0.01)
                await store.renew(name, lease=60)
                await store.finish(name, [result_of(unit) for unit in units])
                finished.extend(unit.key for unit in units)
        await store.aclose()

    async def story() -> None:
        store = store_at(database)
        await planned(store, items=many)
        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            async with asyncio.TaskGroup() as group:
                for n in range(3):
                    group.create_task(work(f"w{n}"))
        finally:
            over.set()
            cutter.join()
        counts = await store.counts("cars")
        assert sum(tally.done for tally in counts.values()) == 240
        assert sum(tally.waiting + tally.claimed for tally in counts.values()) == 0
        await store.aclose()

    asyncio.run(story())
    assert len(finished) == len(set(finished)) == 240
