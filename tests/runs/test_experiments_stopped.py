"""An experiment that is killed, stopped or extended: nothing is lost, and only what was in flight is asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.runs.experiments import results_of
from maieutic.testing import LoopbackServer
from maieutic.testing.sums import until

CONCURRENCY = 6
FILE = """
version: 1
name: cars
data: questions.jsonl
models:
  m: {{model: openai/loop, api_base: "{base}", api_key: {{secret: LOOP_KEY}}, structured: native, temperature: 1.0}}
agents:
  ada: {{role: debater, model: m}}
  bo: {{role: debater, model: m}}
  june: {{role: judge, model: m}}
conditions:
  debate:
    use: debate
    with: {{debaters: [ada, bo], judge: june, rounds: 1, probes: never}}
  alone:
    use: self_consistency
    with: {{agents: [ada], samples: 2}}
{more}
repeats: {repeats}
concurrency: {concurrency}
"""


def written(folder: Path, server: LoopbackServer, *, items: int = 10, repeats: int = 1, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    lines = [
        json.dumps({"id": f"q{n}", "question": f"How much is {n} + 1?", "answer": str(n + 1)}) for n in range(items)
    ]
    (folder / "questions.jsonl").write_text("\n".join(lines))
    file = folder / "experiment.yaml"
    base = server.base("openai")
    file.write_text(FILE.format(base=base, repeats=repeats, more=more, concurrency=CONCURRENCY))
    return file


COMMANDS = """
import asyncio, json, os, sys, threading
import maieutic as mt
from maieutic.backends.litellm_backend import LiteLLMBackend
from maieutic.cli.app import app
from maieutic.runs import experiments

# What takes seconds is done once; every command is a process that has it done.
asyncio.run(LiteLLMBackend().ready())
mt.Debate([mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater")], rounds=1).run_sync("Warm?")
experiments.Experiment

def ended(child, name):
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(name + ".part", "w") as file:
        file.write(str(code))
    os.rename(name + ".part", name + ".code")

for line in sys.stdin:
    folder, name, words = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        for number, kind in ((1, ".out"), (2, ".err")):
            os.dup2(os.open(name + kind, os.O_WRONLY | os.O_CREAT), number)
        app.main(words, prog_name="maieutic")
    print(child, flush=True)
    threading.Thread(target=ended, args=(child, name)).start()
"""


class Command:
    """A `maieutic` command in a process of its own."""

    def __init__(self, pid: int, name: Path) -> None:
        self.pid, self._name = pid, name

    @property
    def code(self) -> int | None:
        """The exit code, once there is one."""
        told = self._name.with_suffix(".code")
        return int(told.read_text()) if told.exists() else None

    def wait(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        until(lambda: self.code is not None, seconds=60)
        code = self.code
        assert code is not None
        return code, self._name.with_suffix(".out").read_text(), self._name.with_suffix(".err").read_text()

    def send(self, number: int) -> tuple[int, str, str]:
        """Send a signal, and wait."""
        os.kill(self.pid, number)
        return self.wait()


class Shell:
    """Begins commands."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        self._parent = subprocess.Popen(
            [sys.executable, "-c", COMMANDS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LOOP_KEY": "x", "NO_COLOR": "1"},
        )

    def begin(self, file: Path, *words: str) -> Command:
        """`maieutic eval` of a file."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._number += 1
        name = self._folder / f"command{self._number}"
        told = [str(file.parent), str(name), ["eval", file.name, "--store", "j.db", *words]]
        self._parent.stdin.write(json.dumps(told) + "\n")
        self._parent.stdin.flush()
        return Command(int(self._parent.stdout.readline()), name)

    def done(self, file: Path, *words: str) -> str:
        """The same, to its end; what it printed."""
        code, out, err = self.begin(file, *words).wait()
        assert code == 0, err
        return out

    def close(self) -> None:
        """End."""
        self._parent.communicate(timeout=60)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(tmp_path_factory.mktemp("commands"))
    yield shell
    shell.close()


def table(file: Path) -> list[dict[str, Any]]:
    """All results without what no two executions have in common: the time that they took."""
    return [{**result.to_json(), "seconds": 0} for result in results_of(file.parent / "j.db", "cars")]


@dataclass(frozen=True)
class Whole:
    """What comes of it if nothing disturbs it: the results, the table as printed, and what the server was asked."""

    results: list[dict[str, Any]]
    printed: str
    asked: Counter[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, shell: Shell) -> Whole:
    with LoopbackServer() as server:
        file = written(tmp_path_factory.mktemp("whole"), server)
        out = shell.done(file)
        return Whole(table(file), out, Counter(server.received.by_body))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOP_KEY", "x")


def test_a_process_that_is_killed_loses_nothing_and_repeats_only_the_calls_in_flight(
    tmp_path: Path, whole: Whole, shell: Shell
) -> None:
    with LoopbackServer(latency=0.05) as server:
        file = written(tmp_path / "killed", server)
        in_flight = 0
        for calls in (12, 30):
            process = shell.begin(file)
            until(lambda calls=calls: server.received.total >= calls, seconds=60)  # type: ignore[misc]
            assert process.send(signal.SIGKILL)[0] == -signal.SIGKILL
            in_flight += CONCURRENCY * 2  # samples of one dialogue are asked side by side
        assert len(table(file)) < len(whole.results)
        out = shell.done(file)
        repeated = server.received.by_body - whole.asked
    assert table(file) == whole.results
    assert out == whole.printed
    assert whole.asked - server.received.by_body == Counter()
    assert sum(repeated.values()) <= in_flight
    assert server.received.total < 2 * whole.asked.total()


def test_after_ctrl_c_the_same_command_goes_on(tmp_path: Path, whole: Whole, shell: Shell) -> None:
    with LoopbackServer(latency=0.05) as server:
        file = written(tmp_path / "stopped", server)
        process = shell.begin(file)
        until(lambda: server.received.total >= 20, seconds=60)
        code, _, err = process.send(signal.SIGINT)
        assert code == 130, err
        kept = len(table(file))
        assert f"Cancelled; {kept} dialogues are kept. Go on with: maieutic eval experiment.yaml --store j.db" in err
        assert server.received.in_flight == 0
        assert shell.done(file) == whole.printed
    assert table(file) == whole.results
    assert sum((server.received.by_body - whole.asked).values()) <= CONCURRENCY * 2


def test_more_items_repeats_and_conditions_compute_only_what_is_new(tmp_path: Path) -> None:
    with LoopbackServer() as server:

        def calls(**how: Any) -> int:
            before = server.received.total
            file = written(tmp_path / "grown", server, **how)
            assert mt.load_experiment(file).run_sync(file.parent / "j.db").status == "done"
            return server.received.total - before

        once = 3 + 2
        assert calls(items=4) == 4 * once
        assert calls(items=4) == 0
        assert calls(items=6) == 2 * once
        assert calls(items=6, repeats=2) == 6 * once
        third = "  twice:\n    use: self_consistency\n    with: {agents: [bo], samples: 3}\n"
        assert calls(items=6, repeats=2, more=third) == 6 * 2 * 3
        longer = third.replace("3}", "4}")
        assert calls(items=6, repeats=2, more=longer) == 6 * 2 * 4, "an edited condition is another"
        assert calls(items=6, repeats=2, more=third) == 0, "and the old one is not forgotten"
        results = results_of(tmp_path / "grown" / "j.db", "cars")
        assert Counter(r.condition for r in results) == {"debate": 12, "alone": 12, "twice": 12}
        assert {r.calls for r in results.where(condition="twice")} == {3}


def test_two_processes_share_the_work(tmp_path: Path, whole: Whole, shell: Shell) -> None:
    with LoopbackServer(latency=0.05) as server:
        file = written(tmp_path / "shared", server)
        first = shell.begin(file)
        until(lambda: server.received.total >= 5, seconds=60)
        second = shell.begin(file, "--json")
        (code, _, err), (other, told, more) = first.wait(), second.wait()
    assert (code, other) == (0, 0), err + more
    assert server.received.by_body == whole.asked
    assert table(file) == whole.results
    assert json.loads(told)["status"] == "done"


def test_what_a_process_that_was_killed_had_claimed_is_taken_over_by_one_that_lives(
    tmp_path: Path, whole: Whole, shell: Shell
) -> None:
    with LoopbackServer(latency=0.1) as server:
        file = written(tmp_path / "shared", server)
        first, second = shell.begin(file), shell.begin(file)
        until(lambda: server.received.total >= 10, seconds=60)
        first.send(signal.SIGKILL)
        code, _, err = second.wait()
        assert code == 0, err
    assert table(file) == whole.results
    assert sum((server.received.by_body - whole.asked).values()) <= CONCURRENCY * 2


def test_the_seed_of_an_item_is_the_same_under_every_condition(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        run = mt.load_experiment(written(tmp_path, server, items=3, repeats=2)).run_sync()
    seeds: dict[tuple[str, int], set[int]] = {}
    for result in run.results:
        seeds.setdefault((result.item, result.repeat), set()).add(result.seed)
    assert all(len(found) == 1 for found in seeds.values())
    assert len(set.union(*seeds.values())) == 6


def test_it_is_the_same_from_python(tmp_path: Path, whole: Whole) -> None:
    with LoopbackServer() as server:
        file = written(tmp_path / "python", server)
        run = mt.load_experiment(file).run_sync(tmp_path / "python" / "j.db")
    assert run.status == "done"
    assert run.calls == whole.asked.total()
    assert [{**result.to_json(), "seconds": 0} for result in run.results] == whole.results
