"""A long debate: what it takes on the disk and in memory grows with its length, not with its square."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import tracemalloc
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import LLMRequest


class Talker:
    """Says something new each time and remembers nothing; at each of some turns it calls `look`."""

    def __init__(self, look: Callable[[int], None], at: Collection[int]) -> None:
        self._look, self._at = look, at
        self._said = 0

    async def complete(self, request: LLMRequest, on_text: Any = None) -> mt.LLMReply:
        if self._said in self._at:
            self._look(self._said)
        self._said += 1
        if request.output is not None:
            return mt.LLMReply(text='{"answer": "yes", "reason": "So.", "confidence": 1}', model=request.model.model)
        text = f"Turn {self._said}: " + " ".join(f"word{self._said * 20 + n}" for n in range(20)) + "."
        return mt.LLMReply(text=text, model=request.model.model)

    async def aclose(self) -> None:
        pass


def talk(store: Path, turns: int, look: Callable[[int], None] = print, at: Collection[int] = ()) -> mt.Run:
    debaters = [mt.Debater("Ada", "long/x"), mt.Debater("Bo", "long/x")]
    debate = mt.Debate(debaters, judge=mt.Judge("June", "long/x"), rounds=turns // 2, probes="never")

    async def run() -> mt.Run:
        async with mt.Workspace(store, backends={"long": Talker(look, at)}) as place:
            return await place.run(debate, "Should cities ban cars?")

    return asyncio.run(run())


@pytest.mark.slow
def test_a_thousand_turns_grow_the_journal_linearly(tmp_path: Path) -> None:
    store, sizes = tmp_path / "runs.db", {0: 0}

    def measure(turn: int) -> None:
        """Bytes of everything that is committed, the write-ahead log included."""
        with closing(sqlite3.connect(store)) as db:
            sizes[turn] = db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]

    run = talk(store, 1000, measure, (250, 500, 1000))
    assert len(run.turns) == 1002
    assert (sizes[1000] - sizes[500]) / (sizes[500] - sizes[250]) == pytest.approx(2.0, rel=0.15)
    assert store.stat().st_size < 2000 * len(run.turns)  # the outcome included, which has every turn once more


@pytest.mark.slow
def test_what_a_run_holds_in_memory_grows_with_its_turns(tmp_path: Path) -> None:
    talk(tmp_path / "warm.db", 20)
    held: dict[int, int] = {}

    def measure(turn: int) -> None:
        gc.collect()
        held[turn] = tracemalloc.get_traced_memory()[1]  # at its highest so far

    tracemalloc.start()
    try:
        talk(tmp_path / "runs.db", 320, measure, (80, 320))
    finally:
        tracemalloc.stop()
    assert held[320] < 4 * held[80] * 1.5  # a square would be sixteen times as much
