"""How fast the journal takes entries, how much room they need, and what a fingerprint costs.

    python benchmarks/journal.py [--entries 20000] [--tasks 1000] [--folder DIR] [--postgres]

Every entry is on the disk (fsync) when `record` returns. A second run keeps the event loop busy meanwhile. With
--postgres the same is measured beside it with a PostgreSQL server of its own on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from maieutic.memory.entries import Entry, RunRecord, fingerprint
from maieutic.memory.journal import Journal
from maieutic.memory.transcript import Message

REQUEST = {"model": "openai/gpt-5-mini", "temperature": 0.2, "schema": {"type": "object", "required": ["answer"]}}
SYSTEM = Message("system", "You are ada, a debater. " * 12)


def entry(task: int, call: int) -> Entry:
    """The seventh part of a debate: a system prompt, what was said so far, an instruction."""
    said = tuple(
        Message("user", f"bo: argument {n} of item {task}. " + "Cars are loud. " * 20) for n in range(call % 7)
    )
    messages = (SYSTEM, *said, Message("user", "Give your next argument."))
    text = f"argument {call} of item {task}. " + "Streets are for people. " * 15
    reply = {"text": text, "model": "gpt-5-mini", "seconds": 1.25, "usage": {"prompt": 400, "completion": 90}}
    at = f"{task}/0/debate#1/ada.argue#{call}"
    return Entry(at, "model", fingerprint(REQUEST, messages), REQUEST, messages, reply, "ada")


async def fill(journal: Journal, entries: list[list[Entry]]) -> float:
    """Seconds until every task has recorded its entries one after the other."""

    async def one(own: list[Entry]) -> None:
        for each in own:
            await journal.record("bench", each)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for own in entries:
            group.create_task(one(own))
    return time.perf_counter() - start


async def busy(milliseconds: float) -> None:
    """Hold the event loop over and over, as a program that does other things does."""
    while True:
        end = time.perf_counter() + milliseconds / 1000
        while time.perf_counter() < end:
            pass
        await asyncio.sleep(0)


def measure(place: Path | str, tasks: int, calls: int, *, beside: float | None) -> tuple[float, float]:
    """Entries a second and bytes an entry."""
    entries = [[entry(task, call) for call in range(calls)] for task in range(tasks)]

    async def main(journal: Journal) -> float:
        other = None if beside is None else asyncio.create_task(busy(beside))
        try:
            return await fill(journal, entries)
        finally:
            if other is not None:
                other.cancel()

    with Journal.open(place) as journal:
        journal.begin(RunRecord("bench", "bench", time.time(), "debate"))
        seconds = asyncio.run(main(journal))
        one = entries[-1][-1]
        start = time.perf_counter()
        for task in range(tasks):
            journal.find("bench", f"{task}/0/debate#1/ada.argue#0")
        found = (time.perf_counter() - start) / tasks * 1e6
        assert journal.find("bench", one.at) == one
    with Journal.open(place) as journal:
        size = journal.prune(keep=1, dry_run=True).bytes_after
    count = tasks * calls
    print(f"  find: {found:.0f} µs")
    return count / seconds, size / count


def told(place: Callable[[int], Path | str], tasks: int, entries: int) -> None:
    """Measure with an idle event loop and with a busy one, each in a place of its own, and print."""
    for n, (beside, name) in enumerate(((None, "an idle loop"), (1.0, "a loop that is always busy"))):
        rate, size = measure(place(n), tasks, max(entries // tasks, 1), beside=beside)
        print(f"{name}: {rate:,.0f} durable entries/s from {tasks} tasks, {size:,.0f} bytes/entry")


def fingerprints() -> tuple[float, float]:
    """Microseconds for the fingerprint of a 50-message view that was never seen, and of one that grew by a turn."""
    turns = [Message("user", f"turn {n}: " + "a thought about streets. " * 40) for n in range(2000)]
    start = time.perf_counter()
    fingerprint(REQUEST, turns[:50])
    cold = time.perf_counter() - start
    start = time.perf_counter()
    for n in range(51, 1051):
        fingerprint(REQUEST, turns[:50] + turns[n : n + 1])
    return cold * 1e6, (time.perf_counter() - start) / 1000 * 1e6


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entries", type=int, default=20_000)
    options.add_argument("--tasks", type=int, default=1_000)
    options.add_argument("--folder", type=Path, default=None, help="where to write; the disk that is measured")
    options.add_argument("--postgres", action="store_true", help="also with PostgreSQL, which must be installed")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        told(lambda n: Path(folder) / f"journal-{n}.db", chosen.tasks, chosen.entries)
    if chosen.postgres:
        from maieutic.testing.postgres import serving

        print("PostgreSQL:")
        with serving(durable=True) as server:
            told(lambda _: server.fresh(), chosen.tasks, chosen.entries)
    cold, warm = fingerprints()
    print(f"fingerprint of 50 messages: {cold:.0f} µs when new, {warm:.0f} µs when it grew by a turn")


if __name__ == "__main__":
    main()
