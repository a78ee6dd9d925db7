"""What a waiting debate weighs: resident memory of a process with many debates that wait for a model's reply.

    python benchmarks/memory.py

A local server that does not answer keeps every debate of a process waiting for its first speech. One process holds
few debates, another one many; the difference between their resident memories, over the difference in their numbers,
is the weight of one debate, with its open connection and its row in the journal. LangGraph + aiohttp is weighed the
same way. Linux only: it reads /proc.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import overhead  # type: ignore[import-not-found]  # the script beside this one

CONTESTANTS = ("LangGraph + aiohttp", "maieutic")
NEVER = 3600.0
"""Seconds after which the server would answer."""


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def weigh(name: str, quick: str, slow: str, debates: int) -> int:
    """Bytes of a process in which so many debates wait."""
    async with AsyncExitStack() as stack:
        prepare = overhead.CONTESTANTS[name](stack)
        once = await prepare(quick, debates)
        for _ in range(3):
            await once(quick)
        once = await prepare(slow, debates)
        tasks = [asyncio.ensure_future(once(slow)) for _ in range(debates)]
        before = -1
        while (now := resident()) != before:  # all have asked, and nothing moves any more
            before = now
            await asyncio.sleep(1.0)
        gc.collect()
        weight = resident()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return weight


def serve(latency: float) -> tuple["subprocess.Popen[str]", str]:
    """A server in a process of its own, and its address."""
    server = subprocess.Popen(
        [sys.executable, overhead.__file__, "--serve", str(latency)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


def weighed(name: str, quick: str, slow: str, debates: int) -> int:
    """As `weigh`, in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--weigh", name, quick, slow, str(debates)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=overhead.ENVIRONMENT,
    )
    weight: int = json.loads(done.stdout.splitlines()[-1])
    return weight


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--few", type=int, default=200)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--weigh", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.weigh:
        name, quick, slow, debates = given.weigh
        print(asyncio.run(weigh(name, quick, slow, int(debates))))
        return
    servers = [serve(0.0), serve(NEVER)]
    try:
        (_, quick), (_, slow) = servers
        print(f"{'':26}{'kB per waiting debate':>24}{'MB at ' + str(given.many):>16}")
        for name in CONTESTANTS:
            few = [weighed(name, quick, slow, given.few) for _ in range(given.repeats)]
            many = [weighed(name, quick, slow, given.many) for _ in range(given.repeats)]
            each = (statistics.median(many) - statistics.median(few)) / (given.many - given.few)
            print(f"{name:26}{each / 1e3:24.0f}{statistics.median(many) / 1e6:16.0f}")
    finally:
        for server, _ in servers:
            server.kill()


if __name__ == "__main__":
    main()
