"""An experiment whose workers Ray places: killed, cancelled and short of money, and the same table as without Ray."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import maieutic as mt
from maieutic.backends.sim.backend import SimBackend
from maieutic.cli.app import app
from maieutic.errors import UsageError
from maieutic.runs.experiments import Experiment, ExperimentRun, Progress, load_experiment
from maieutic.runs.experiments.ray_cluster import check_reach
from maieutic.runs.scoring import Function
from maieutic.testing import LoopbackServer, faults
from maieutic.testing.sums import sums_file, sums_results, until

CONCURRENCY = 6


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A Ray of two processors on this machine."""
    library = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LOOP_KEY", "x")
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        library.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=80 * 2**20,
            log_to_driver=False,
            logging_level="ERROR",
        )
        yield library
        library.shutdown()


def workers(store: Path) -> dict[int, int]:
    """Processes that have claimed units, with how many."""
    with sqlite3.connect(f"{store}-experiments") as db:
        names = db.execute("SELECT worker FROM units WHERE state = 'claimed'").fetchall()
    return Counter(int(name.split(":")[1]) for (name,) in names)


Whole = tuple[list[dict[str, Any]], Counter[str]]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_KEY", "x")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Undisturbed and without Ray: the results, and what the models' server was asked."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as environment, LoopbackServer() as server:
        environment.setenv("LOOP_KEY", "x")
        load_experiment(sums_file(folder, server, concurrency=CONCURRENCY)).run_sync(folder / "j.db")
        return sums_results(folder / "j.db"), Counter(server.received.by_body)


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_workers_on_ray_share_an_experiment_and_its_results_are_those_of_one_process(
    tmp_path: Path, whole: Whole
) -> None:
    seen: set[int] = set()
    with LoopbackServer(latency=0.1) as server:
        file = sums_file(tmp_path, server, concurrency=CONCURRENCY)
        words = ["eval", str(file), "--store", str(tmp_path / "j.db"), "--ray", "--workers", "2"]
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.05):
                if (tmp_path / "j.db-experiments").exists():
                    seen.update(workers(tmp_path / "j.db"))

        looking = threading.Thread(target=look)
        looking.start()
        told = CliRunner().invoke(app, words, catch_exceptions=False)
        stop.set()
        looking.join()
        again = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert told.exit_code == 0, told.stderr
    assert "24/24" in told.stdout
    assert f"This time 48 dialogues and {whole[1].total()} calls" in told.stderr
    assert server.received.by_body == whole[1]
    assert sums_results(tmp_path / "j.db") == whole[0]
    assert len(seen) == 2
    assert os.getpid() not in seen
    assert json.loads(again.stdout)["calls"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_workers_on_ray_share_a_database_and_their_driver_tells_how_far_they_are(
    tmp_path: Path, database: str, whole: Whole
) -> None:
    told: list[Progress] = []
    with LoopbackServer() as server:
        done = load_experiment(sums_file(tmp_path, server, concurrency=CONCURRENCY)).run_sync(
            database, ray="local", workers=2, on_begin=told.append
        )
    assert (done.status, done.calls, done.finished) == ("done", whole[1].total(), 48)
    assert server.received.by_body == whole[1]
    assert sums_results(database) == whole[0]
    (progress,) = told
    assert (progress.total.done, progress.calls, progress.rate > 0) == (48, whole[1].total(), True)


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_a_worker_on_ray_that_is_killed_costs_only_its_calls_in_flight(tmp_path: Path, whole: Whole) -> None:
    killed: list[int] = []

    def kill() -> None:
        until(lambda: server.received.total >= 20 and bool(workers(store)), seconds=180)
        killed.append(workers(store).popitem()[0])
        os.kill(killed[0], signal.SIGKILL)

    with LoopbackServer(latency=0.1) as server:
        file, store = sums_file(tmp_path, server, concurrency=CONCURRENCY), tmp_path / "j.db"
        killer = threading.Thread(target=kill)
        killer.start()
        done = load_experiment(file).run_sync(store, ray="local", workers=2)
        killer.join()
        asked = Counter(server.received.by_body)
    assert (done.status, done.error) == ("done", None)
    assert killed
    assert sums_results(store) == whole[0]
    assert not whole[1] - asked
    assert (
        asked - whole[1]
    ).total() <= CONCURRENCY  # half of the dialogues, and of one two samples are asked side by side


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_cancelled_workers_give_back_what_they_had_and_the_next_run_goes_on(tmp_path: Path, whole: Whole) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(load_experiment(file).run(store, ray="local", workers=2))
        await asyncio.to_thread(until, lambda: server.received.total >= 20, seconds=180)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with LoopbackServer(latency=0.1) as server:
        file, store = sums_file(tmp_path, server, concurrency=CONCURRENCY), tmp_path / "j.db"
        asyncio.run(cancelled())
        assert not workers(store)
        until(lambda: server.received.in_flight == 0, seconds=180)
        before = server.received.total
        assert before < whole[1].total()
        assert load_experiment(file).run_sync(store).status == "done"
        asked = Counter(server.received.by_body)
    assert sums_results(store) == whole[0]
    assert (asked - whole[1]).total() <= 2 * CONCURRENCY


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_workers_on_ray_share_a_budget_and_never_pass_it(tmp_path: Path, whole: Whole) -> None:
    with LoopbackServer() as server:
        file, store = sums_file(tmp_path, server, concurrency=CONCURRENCY), tmp_path / "j.db"

        def run(calls: int) -> ExperimentRun:
            experiment = load_experiment(file)
            experiment.budget = experiment.budget.model_copy(update={"calls": calls})
            return experiment.run_sync(store, ray="local", workers=2)

        first = run(31)
        assert first.status == "stopped"
        assert "The experiment's budget is 31 calls" in str(first.error)
        assert server.received.total <= 31
        assert run(1000).status == "done"
        assert server.received.by_body == whole[1]
    assert sums_results(store) == whole[0]


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
def test_workers_on_ray_end_when_too_many_dialogues_fail(tmp_path: Path) -> None:
    with LoopbackServer(latency=0.05, faults=lambda number: faults.status(400)) as server:
        file = sums_file(tmp_path, server, concurrency=CONCURRENCY, items=200)
        done = load_experiment(file).run_sync(tmp_path / "j.db", ray="local", workers=2, fail_on_error=3)
    assert done.status == "failed"
    assert "more than --fail-on-error allows" in str(done.error)
    assert 3 < done.total.failed < 400


def small(**how: Any) -> Experiment:
    ada, bo = mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater")
    told: dict[str, Any] = {
        "data": [{"id": "star", "question": "From what does a star get its energy?", "answer": "nuclear fusion"}],
        "conditions": {"debate": mt.Debate([ada, bo], judge=mt.Judge("June", "sim/judge"), rounds=1)},
    }
    return Experiment("small", **{**told, **how})


@pytest.mark.parametrize(
    ("experiment", "how", "message"),
    [
        ({}, {"store": None}, "need a store that they share"),
        ({}, {"backends": {"person": SimBackend()}}, "live in this process"),
        ({"scorers": [Function("short", lambda run, item: True)]}, {}, "The scorer 'short' is a Python function"),
        ({}, {"ray": None, "workers": 2}, "run on Ray: ray='local'"),
        ({}, {"ray": "nowhere"}, "write HOST:PORT"),
    ],
)
def test_what_cannot_be_on_ray_is_said_before_it_is_started(
    tmp_path: Path, experiment: dict[str, Any], how: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        small(**experiment).run_sync(**{"store": tmp_path / "j.db", "ray": "local", **how})


def test_a_cluster_that_is_not_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UsageError, match=f"Nothing answers at '127.0.0.1:{port}'.*ray status"):
        small().run_sync(tmp_path / "j.db", ray=f"127.0.0.1:{port}")


def test_a_file_is_refused_as_the_store_of_several_machines_and_a_database_is_not() -> None:
    here = socket.gethostname()
    check_reach("/data/j.db", {here})
    check_reach("postgresql://db/research", {here, "other"})
    with pytest.raises(UsageError, match=r"is a file.*other machines.*\(other\).*postgresql://"):
        check_reach("/data/j.db", {here, "other"})


def test_the_file_behind_a_bare_ray_is_not_taken_for_an_address(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        told = CliRunner().invoke(app, ["eval", "--ray", str(sums_file(tmp_path, server, concurrency=CONCURRENCY))])
    assert told.exit_code == 2
    assert "is a file; write it before --ray" in told.stderr
