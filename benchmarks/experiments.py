"""A thousand and ten thousand seven-call debates of simulated minds as an experiment: rate, peak memory, size on disk.

    python benchmarks/experiments.py                  # 1,000 and 10,000 items
    python benchmarks/experiments.py 200 2000

Each size is a process of its own that runs one condition (2 debaters x 3 rounds + judge) once for every item, over a
data set of distinct questions in a file, with the journal and the results on the disk as on the command line. Peak
memory is the process's own (VmHWM); Linux only. A second execution of the same command, which finds everything
computed, is timed as well.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CALLS = 7


def experiment(folder: Path, items: int, concurrency: int) -> Any:
    """The experiment, with its data set written."""
    import maieutic as mt

    data = folder / "questions.jsonl"
    if not data.exists():
        with data.open("w") as file:
            for n in range(items):
                row = {"id": f"q{n}", "question": f"Should city number {n} ban cars?", "answer": "yes"}
                file.write(json.dumps(row) + "\n")
    ada, bo, june = mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater"), mt.Judge("June", "sim/judge")
    debate = mt.Debate([ada, bo], judge=june, rounds=3, probes="never")
    return mt.Experiment("bench", data=data, conditions={"debate": debate}, concurrency=concurrency)


async def measure(items: int, concurrency: int) -> dict[str, float]:
    """Run it, and once more; what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder, store = Path(name), Path(name) / "journal.db"
        begun, cpu = time.perf_counter(), time.process_time()
        run = await experiment(folder, items, concurrency).run(store)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        assert run.total.done == items, run
        assert run.calls == items * CALLS, run.calls
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        begun = time.perf_counter()
        again = await experiment(folder, items, concurrency).run(store)
        assert again.calls == 0
        journal, results = written(folder)
        return {
            "items": items,
            "seconds": seconds,
            "cpu": cpu,
            "peak": peak,
            "again": time.perf_counter() - begun,
            "journal": journal,
            "results": results,
        }


def written(folder: Path) -> tuple[int, int]:
    """Bytes of the journal and of the results, each with what waits in its write-ahead log."""
    sizes = {file.name: file.stat().st_size for file in folder.glob("journal.db*")}
    results = sum(size for name, size in sizes.items() if "-experiments" in name)
    return sum(sizes.values()) - results, results


def measured(items: int, concurrency: int) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, "--measure", str(items), "--concurrency", str(concurrency)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(asyncio.run(measure(given.measure, given.concurrency))))
        return
    head = ("items", "calls/s", "CPU ms/call", "peak MB", "journal kB/item", "results kB/item", "again s")
    print("  ".join(f"{name:>15}" for name in head))
    for size in given.sizes:
        m = measured(size, given.concurrency)
        calls = size * CALLS
        row = (
            f"{size}",
            f"{calls / m['seconds']:.0f}",
            f"{m['cpu'] / calls * 1e3:.2f}",
            f"{m['peak'] / 1e6:.0f}",
            f"{m['journal'] / size / 1e3:.1f}",
            f"{m['results'] / size / 1e3:.1f}",
            f"{m['again']:.2f}",
        )
        print("  ".join(f"{cell:>15}" for cell in row), flush=True)


if __name__ == "__main__":
    main()
