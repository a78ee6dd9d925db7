"""Debates a second through maieutic and LiteLLM, beside what the engine does for vLLM's own bench client.

    MAIEUTIC_VLLM_PYTHON=…/bin/python python benchmarks/vllm_throughput.py [--debates 64] [--concurrency 16]

A debate is six calls of two debaters, each after the other; a simulated judge decides, which costs the engine nothing.
Every reply has the same number of tokens. The prompts of one run of all debates are recorded, and the same prompts are
then sent, with the same reply lengths, the same sampling, the same most calls in flight and an empty prefix cache, by

maieutic       the debates themselves: all begun at once, `hosted_vllm/…` through LiteLLM, journal on the disk
bare aiohttp   the recorded bodies, as fast as the engine takes them: no debate waits for its last turn
vllm bench     `vllm bench serve` on the recorded prompts, likewise; it asks for completions and streams them

Contestants take turns. A ratio is the median of the ratios within each turn (and their range), as a shared machine is
not equally fast in all. The clients have the last core, and the engine has the others, as it has its GPU;
with `--share` all have all cores, and without a GPU a client's CPU time is the engine's loss.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import maieutic as mt
from maieutic.backends.tiny.catalogue import WEIGHTS
from maieutic.testing.engine import VARIABLE, Engine, long_context
from maieutic.testing.tap import Tap

CALLS = 6
ASCII = list(range(6, 100))
"""Printable characters: noise of these is read again as the tokens it was."""

BENCH = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
"""`vllm bench serve`; the command itself looks for a distribution called vllm, which a CPU build is not."""


@dataclass(frozen=True, slots=True)
class Contest:
    """What all contestants are given.

    Attributes:
        engine: The server.
        folder: Where files may lie, the model among them.
        debates, concurrency, tokens: How many, most calls in flight, tokens of a reply.
        bodies: The recorded calls.
        prompts: The same after the engine's chat template.
    """

    engine: Engine
    folder: Path
    debates: int
    concurrency: int
    tokens: int
    bodies: Sequence[dict[str, Any]] = ()
    prompts: Sequence[str] = ()

    @property
    def sampling(self) -> dict[str, Any]:
        """Beside what LiteLLM knows."""
        return {"ignore_eos": True, "allowed_token_ids": ASCII}


@dataclass(frozen=True, slots=True)
class Done:
    """Seconds for all calls, and the sum of the seconds that single calls took, where the client tells."""

    seconds: float
    calls: float = math.nan


async def debates(contest: Contest, base: str) -> Done:
    """All debates at once, over an engine at an address."""
    model = mt.ModelSpec(
        model="hosted_vllm/long",
        api_base=base,
        max_tokens=contest.tokens,
        temperature=1.0,
        max_concurrency=contest.concurrency,
        extra=contest.sampling,
    )
    cast = [mt.Debater("Ada", model), mt.Debater("Bo", model)]
    program = mt.Debate(cast, judge=mt.Judge("June", "sim/judge"), rounds=CALLS // 2, probes="never")
    with tempfile.TemporaryDirectory(dir=contest.folder) as folder:
        async with mt.Workspace(Path(folder) / "journal.db") as workspace:
            begin = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                runs = [
                    group.create_task(workspace.run(program, f"Should number {n:03} be banned?", run_id=f"run{n}"))
                    for n in range(contest.debates)
                ]
            seconds = time.perf_counter() - begin
    for run in runs:
        if run.result().error is not None:
            raise SystemExit(str(run.result().error))
    return Done(seconds, sum(run.result().ledger.total.seconds for run in runs))


async def bare(contest: Contest) -> Done:
    """The recorded bodies by aiohttp."""
    took: list[float] = []
    free = asyncio.Semaphore(contest.concurrency)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(body: dict[str, Any]) -> None:
            async with free:
                begin = time.perf_counter()
                async with session.post(f"{contest.engine.base}/chat/completions", json=body) as answer:
                    answer.raise_for_status()
                    await answer.json()
                took.append(time.perf_counter() - begin)

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for body in contest.bodies:
                group.create_task(post(body))
        return Done(time.perf_counter() - begin, sum(took))


async def bench(contest: Contest) -> Done:
    """The recorded prompts by vLLM's bench client, as it reports them."""
    rows = [json.dumps({"prompt": prompt, "output_tokens": contest.tokens}) for prompt in contest.prompts]
    (contest.folder / "prompts.jsonl").write_text("\n".join(rows), encoding="utf-8")
    command = [
        os.environ[VARIABLE], "-c", BENCH, "--backend", "openai",
        "--base-url", contest.engine.url, "--model", str(contest.folder / "long"), "--served-model-name", "long",
        "--dataset-name", "custom", "--dataset-path", str(contest.folder / "prompts.jsonl"), "--skip-chat-template",
        "--disable-shuffle", "--custom-output-len", "-1", "--num-prompts", str(len(rows)), "--num-warmups", "0",
        "--max-concurrency", str(contest.concurrency), "--temperature", "1", "--ignore-eos", "--disable-tqdm",
        "--extra-body", json.dumps(contest.sampling), "--save-result", "--result-dir", str(contest.folder),
        "--result-filename", "bench.json",
    ]  # fmt: skip
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr[-3000:])
    found = json.loads((contest.folder / "bench.json").read_text("utf-8"))
    if found["completed"] != len(rows):
        raise SystemExit(f"the bench client completed {found['completed']} of {len(rows)}: {ended.stdout[-2000:]}")
    return Done(float(found["duration"]))


CONTESTANTS: dict[str, Callable[[Contest], Awaitable[Done]]] = {
    "maieutic": lambda contest: debates(contest, contest.engine.base),
    "bare aiohttp": bare,
    "vllm bench": bench,
}


async def recorded(contest: Contest) -> Contest:
    """With the calls of one run of all debates."""
    async with Tap(contest.engine.url) as tap:
        await debates(contest, tap.base)
    async with aiohttp.ClientSession() as session:

        async def words(tokens: Sequence[int]) -> str:
            body = {"model": "long", "tokens": list(tokens)}
            async with session.post(f"{contest.engine.url}/detokenize", json=body) as answer:
                return str((await answer.json())["prompt"])

        prompts = [await words(call.prompt) for call in tap.sent]
    return Contest(
        contest.engine, contest.folder, contest.debates, contest.concurrency, contest.tokens, tap.bodies, prompts
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """One turn of a contestant: seconds, the client's CPU seconds, calls in flight, tokens sent, hit and written."""

    wall: float
    cpu: float
    in_flight: float
    sent: float
    hit: float
    written: float


METRICS = ("prefix_cache_queries_total", "prefix_cache_hits_total", "generation_tokens_total")


async def turn(contest: Contest, name: str) -> Measured:
    """One contestant, with an empty prefix cache."""
    async with aiohttp.ClientSession() as session, session.post(f"{contest.engine.url}/reset_prefix_cache") as answer:
        answer.raise_for_status()
    before = [contest.engine.metric(metric) for metric in METRICS]
    cpu = time.process_time()
    done = await CONTESTANTS[name](contest)
    cpu = time.process_time() - cpu
    told = [contest.engine.metric(m) - then for m, then in zip(METRICS, before, strict=True)]
    return Measured(done.seconds, cpu, done.calls / done.seconds, *told)


async def compare(contest: Contest, repeats: int) -> None:
    """Print the medians."""
    contest = await recorded(contest)
    turns: dict[str, list[Measured]] = {name: [] for name in CONTESTANTS}
    for _ in range(repeats):
        for name, kept in turns.items():
            kept.append(await turn(contest, name))
    calls = contest.debates * CALLS
    print(
        f"{contest.debates} debates of {CALLS} calls, {contest.concurrency} calls in flight, {contest.tokens} tokens a"
    )
    print(f"reply; medians of {repeats} turns; ± half of the range\n")
    print(
        "| | debates/s | calls/s | of vllm bench | of bare aiohttp | prompt tokens | hit | written | in flight |",
        end="",
    )
    print(" CPU ms a call |\n|---|---|---|---|---|---|---|---|---|---|")
    speeds = {name: [contest.debates / one.wall for one in kept] for name, kept in turns.items()}
    for name, kept in turns.items():
        speed, own = statistics.median(speeds[name]), statistics.median(1000 * one.cpu / calls for one in kept)
        half = (max(speeds[name]) - min(speeds[name])) / 2
        last, busy = kept[-1], statistics.median(one.in_flight for one in kept)
        client = "– | –" if name == "vllm bench" else f"{busy:.1f} | {own:.2f}"
        print(
            f"| {name} | {speed:.2f} ± {half:.2f} | {speed * CALLS:.1f} | {beside(speeds, name, 'vllm bench')} "
            f"| {beside(speeds, name, 'bare aiohttp')} | {last.sent:,.0f} | {last.hit / last.sent:.0%} "
            f"| {last.written:,.0f} | {client} |"
        )


def beside(speeds: Mapping[str, Sequence[float]], name: str, other: str) -> str:
    """How fast one contestant was beside another: the median over the turns, and the range."""
    ratios = [mine / theirs for mine, theirs in zip(speeds[name], speeds[other], strict=True)]
    return "1" if name == other else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--debates", type=int, default=64)
    parser.add_argument("--concurrency", type=int, default=16, help="most calls in flight")
    parser.add_argument("--tokens", type=int, default=60, help="tokens of a reply")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--share", action="store_true", help="engine and clients share all cores")
    given = parser.parse_args()
    os.environ["VLLM_SERVER_DEV_MODE"] = "1"  # for /reset_prefix_cache
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = long_context(WEIGHTS / "student", folder / "long", 16384)
        *engines, clients = sorted(os.sched_getaffinity(0))
        apart = bool(engines) and not given.share
        if apart:  # what is started inherits it
            os.sched_setaffinity(0, engines)
        with Engine(model, "long", context=16384, flags=["--load-format", "dummy"]) as engine:
            if apart:
                os.sched_setaffinity(0, {clients})
            contest = Contest(engine.ready(), folder, given.debates, given.concurrency, given.tokens)
            asyncio.run(compare(contest, given.repeats))


if __name__ == "__main__":
    main()
