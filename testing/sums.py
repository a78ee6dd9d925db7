"""An experiment over sums, for tests in which several workers share one: its file, its results, and waiting for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maieutic.runs.experiments import results_of
from maieutic.testing.server import LoopbackServer

__all__ = ["sums_file", "sums_results", "until"]

_FILE = """
version: 1
name: sums
data: questions.jsonl
models:
  m: {{model: openai/loop, api_base: "{base}", api_key: {{secret: LOOP_KEY}}, structured: native, temperature: 1.0}}
agents: {{ada: {{role: debater, model: m}}, bo: {{role: debater, model: m}}, june: {{role: judge, model: m}}}}
conditions:
  debate: {{use: debate, with: {{debaters: [ada, bo], judge: june, rounds: 1, probes: never}}}}
  alone: {{use: self_consistency, with: {{agents: [ada], samples: 2}}}}
concurrency: {concurrency}
"""


def sums_file(folder: Path, server: LoopbackServer, *, concurrency: int, items: int = 24) -> Path:
    """Write the experiment, whose models a server answers, and its questions into a folder."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"id": f"q{n}", "question": f"How much is {n} + 1?"}) for n in range(items)]
    (folder / "questions.jsonl").write_text("\n".join(lines))
    (folder / "experiment.yaml").write_text(_FILE.format(base=server.base("openai"), concurrency=concurrency))
    return folder / "experiment.yaml"


def sums_results(store: Path | str) -> list[dict[str, Any]]:
    """All results without what no two executions have in common: the time that they took."""
    return [{**result.to_json(), "seconds": 0} for result in results_of(store, "sums")]


def until(there: Callable[[], bool], *, seconds: float) -> None:
    """Wait until something is true.

    Raises:
        AssertionError: It is not after so many seconds.
    """
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.01)
