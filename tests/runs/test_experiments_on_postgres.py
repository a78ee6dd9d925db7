"""One experiment, several processes, one PostgreSQL database: killed workers, cut connections, and the same table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from maieutic.cli.app import app
from maieutic.runs.experiments import load_experiment
from maieutic.testing import LoopbackServer
from maieutic.testing.postgres import PostgresServer
from maieutic.testing.sums import sums_file, sums_results, until

CONCURRENCY = 5


def begun(file: Path, store: str) -> subprocess.Popen[str]:
    """`maieutic eval` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "maieutic", "eval", file.name],
        cwd=file.parent,
        env={**os.environ, "LOOP_KEY": "x", "NO_COLOR": "1", "MAIEUTIC_STORE": store},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_KEY", "x")


Whole = tuple[list[dict[str, Any]], Counter[str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Undisturbed, by one process, with SQLite: the results, and what the models' server was asked."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as environment, LoopbackServer() as server:
        environment.setenv("LOOP_KEY", "x")
        load_experiment(sums_file(folder, server, concurrency=CONCURRENCY)).run_sync(folder / "j.db")
        yield sums_results(folder / "j.db"), Counter(server.received.by_body)


def test_two_processes_share_an_experiment_and_a_killed_one_costs_only_its_calls_in_flight(
    tmp_path: Path, database: str, whole: Whole
) -> None:
    with LoopbackServer(latency=0.1) as server:
        file = sums_file(tmp_path, server, concurrency=CONCURRENCY)
        first = begun(file, database)
        until(lambda: server.received.total >= 15, seconds=180)
        second = begun(file, database)
        until(lambda: server.received.total >= 40, seconds=180)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        assert ended(second)
        asked = Counter(server.received.by_body)
    assert sums_results(database) == whole[0]
    assert not whole[1] - asked
    assert (asked - whole[1]).total() <= CONCURRENCY * 2


def test_connections_that_are_cut_change_nothing(
    tmp_path: Path, postgres: PostgresServer, database: str, whole: Whole
) -> None:
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        for calls in (5, 30, 60, 90):
            until(lambda calls=calls: server.received.total >= calls, seconds=180)  # type: ignore[misc]
            cuts += postgres.cut(database.rpartition("/")[2])

    with LoopbackServer(latency=0.05) as server:
        cutter = threading.Thread(target=cut)
        cutter.start()
        done = load_experiment(sums_file(tmp_path, server, concurrency=CONCURRENCY)).run_sync(database)
        cutter.join()
        asked = Counter(server.received.by_body)
    assert done.status == "done"
    assert cuts >= 8
    assert sums_results(database) == whole[0]
    assert asked == whole[1]  # not one call was made twice


def test_an_experiment_in_a_database_is_read_by_report_and_never_with_its_password(
    tmp_path: Path, database: str
) -> None:
    store = database.replace("postgres@", "postgres:very-secret@")
    with LoopbackServer() as server:
        file = sums_file(tmp_path, server, concurrency=CONCURRENCY)
        told = [
            CliRunner().invoke(app, words, env={"MAIEUTIC_STORE": store}, catch_exceptions=False)
            for words in (["eval", str(file)], ["eval", str(file), "--dry-run"], ["report", "sums"])
        ]
    assert [result.exit_code for result in told] == [0, 0, 0]
    assert "24/24" in told[0].stdout
    assert "debate" in told[2].stdout
    assert "secret" not in "".join(result.output + result.stderr for result in told)
