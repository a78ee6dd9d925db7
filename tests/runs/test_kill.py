"""kill -9 at any moment loses no reply that was paid for."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from maieutic.memory import Journal
from maieutic.testing import LoopbackServer, ParsedRequest

DEBATES = 12
CALLS = DEBATES * 7
KILLS = 12

BATCHES = """
import asyncio, os, sys
import maieutic as mt
from maieutic.backends.litellm_backend import LiteLLMBackend

async def main(url, store, debates):
    model = mt.ModelSpec(model="openai/test", api_base=url, structured="native")
    debate = mt.Debate(
        [mt.Debater("Ada", model), mt.Debater("Bo", model)], judge=mt.Judge("June", model), rounds=3, probes="never"
    )
    async with mt.Workspace(store) as workspace, asyncio.TaskGroup() as group:
        runs = [
            group.create_task(workspace.run(debate, f"Question {i}: is it so?", run_id=f"batch-{i}"))
            for i in range(debates)
        ]
    for run in (task.result() for task in runs):
        print(run.id, run.reason, run.answer, len(run.turns), run.ledger.total.calls)

# What takes seconds is done once; every batch is a process that has it done.
asyncio.run(LiteLLMBackend().ready())
mt.Debate([mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater")], rounds=1).run_sync("Warm?")
for line in sys.stdin:
    url, store, out, debates = line.rstrip().split("\\t")
    child = os.fork()
    if not child:
        with open(out, "w") as sys.stdout:
            asyncio.run(main(url, store, int(debates)))
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Batches:
    """Starts batches, each in a process of its own."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._parent = subprocess.Popen(
            [sys.executable, "-c", BATCHES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENAI_API_KEY": "test"},
        )

    def start(self, url: str, store: Path) -> int:
        """The process's id."""
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{url}\t{store}\t{self._out}\t{DEBATES}\n")
        self._parent.stdin.flush()
        return int(self._told())

    def ended(self) -> int:
        """The exit status of the process started last."""
        return int(self._told())

    def finished(self) -> list[str]:
        """What the process started last printed."""
        assert self.ended() == 0
        return sorted(self._out.read_text().splitlines())

    def _told(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline()

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *error: object) -> None:
        self._parent.communicate(timeout=60)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def reply(request: ParsedRequest) -> str:
    """Something that follows from the request alone, so that an undisturbed run says the same."""
    digest = hashlib.sha256(request.text.encode()).hexdigest()
    if request.schema:
        return orjson.dumps({"answer": f"case {digest[:4]}", "reason": "It follows.", "confidence": 0.5}).decode()
    return f"I say {digest[:12]}."


def recorded_calls(store: Path) -> Counter[tuple[str, str]]:
    """(run, address) of every reply in the journal."""
    with Journal.open(store) as journal:
        return Counter((run.id, e.at) for run in journal.runs() for e in journal.entries(run.id, kind="model"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_batch_repeats_only_calls_in_flight_and_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    store, rng = tmp_path / "killed.db", random.Random(7)
    in_flight = repeated = killed = 0
    with Batches(tmp_path / "printed") as batches:
        with LoopbackServer(reply, latency=0.05) as server:
            url = server.base("openai")
            for kill in range(KILLS + 1):
                process = batches.start(url, store)
                if kill < KILLS:
                    target = min(CALLS - DEBATES, server.received.total + rng.randint(1, DEBATES))
                    while server.received.total < target and alive(process):
                        time.sleep(rng.random() / 100)
                    if alive(process):
                        os.kill(process, signal.SIGKILL)
                    killed += batches.ended() == -signal.SIGKILL
                    time.sleep(0.1)  # what was on its way to the server has arrived
                else:
                    ended = batches.finished()
                seen = server.received.by_body
                again = sum(seen.values()) - len(seen)
                # Whatever this process asked a second time had been in flight when the one before it was killed.
                assert again - repeated <= in_flight
                journaled = sum(recorded_calls(store).values()) if store.exists() else 0
                repeated, in_flight = again, len(seen) - journaled
                assert 0 <= in_flight <= DEBATES
        assert in_flight == 0
        assert killed == KILLS

        with LoopbackServer(reply) as quiet:
            batches.start(quiet.base("openai"), tmp_path / "quiet.db")
            undisturbed = batches.finished()
            assert quiet.received.total == CALLS

    assert ended == undisturbed
    assert set(seen) == set(quiet.received.by_body)
    assert recorded_calls(store) == recorded_calls(tmp_path / "quiet.db")
