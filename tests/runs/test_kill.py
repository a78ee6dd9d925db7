"""kill -9 at any moment loses no reply that was paid for."""

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

BATCH = """
import asyncio, sys
import maieutic as mt

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

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def reply(request: ParsedRequest) -> str:
    """Something that follows from the request alone, so that an undisturbed run says the same."""
    digest = hashlib.sha256(request.text.encode()).hexdigest()
    if request.schema:
        return orjson.dumps({"answer": f"case {digest[:4]}", "reason": "It follows.", "confidence": 0.5}).decode()
    return f"I say {digest[:12]}."


def start(url: str, store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BATCH, url, str(store), str(DEBATES)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENAI_API_KEY": "test"},
    )


def finished(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return sorted(out.splitlines())


def recorded_calls(store: Path) -> Counter[tuple[str, str]]:
    """(run, address) of every reply in the journal."""
    with Journal.open(store) as journal:
        return Counter((run.id, e.at) for run in journal.runs() for e in journal.entries(run.id, kind="model"))


@pytest.mark.slow
def test_a_killed_batch_repeats_only_calls_in_flight_and_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    store, rng = tmp_path / "killed.db", random.Random(7)
    in_flight = repeated = 0
    with LoopbackServer(reply, latency=0.05) as server:
        url = server.base("openai")
        for kill in range(7):
            process = start(url, store)
            if kill < 6:
                target = min(CALLS - DEBATES, server.received.total + rng.randint(1, 24))
                while server.received.total < target and process.poll() is None:
                    time.sleep(rng.random() / 100)
                process.send_signal(signal.SIGKILL)
                process.communicate(timeout=60)
                time.sleep(0.1)  # what was on its way to the server has arrived
            else:
                ended = finished(process)
            seen = server.received.by_body
            again = sum(seen.values()) - len(seen)
            # Whatever this process asked a second time had been in flight when the one before it was killed.
            assert again - repeated <= in_flight
            journaled = sum(recorded_calls(store).values()) if store.exists() else 0
            repeated, in_flight = again, len(seen) - journaled
            assert 0 <= in_flight <= DEBATES
    assert in_flight == 0

    with LoopbackServer(reply) as quiet:
        undisturbed = finished(start(quiet.base("openai"), tmp_path / "quiet.db"))
        assert quiet.received.total == CALLS

    assert ended == undisturbed
    assert set(seen) == set(quiet.received.by_body)
    assert recorded_calls(store) == recorded_calls(tmp_path / "quiet.db")
