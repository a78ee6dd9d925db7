"""What maieutic adds to a model call: a seven-call debate against a local server, beside bare calls in the same run.

    python benchmarks/overhead.py            # CPU per call, as ratios
    python benchmarks/overhead.py --wall     # wall time of 500 concurrent debates with replies of 50 ms and of 1 s

Every contestant makes the same calls (2 debaters x 3 rounds + judge) in a process of its own, with the server in
another process; contestants take turns, and the ratios are of the medians. Only CPU time of the contestant's process
counts in the first table. The journal is a file on the disk, as on the command line.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

CALLS = 7
ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": "none"}
QUESTION = "Should cities ban cars?"
SPEECH = "I hold yes. Streets without cars are quieter and safer, and most trips in a city are short."
VERDICT = '{"answer": "yes", "reason": "The case for quiet streets was better supported.", "confidence": 0.7}'


def serve(latency: float) -> None:
    """Answer until killed; the address is the first line of output."""
    from maieutic.testing import LoopbackServer

    def reply(request: Any) -> str:
        return VERDICT if request.schema else SPEECH

    async def main() -> None:
        async with LoopbackServer(reply, latency=latency, keep=False) as server:
            print(server.base("openai"), flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())


Contest = Callable[[str], Awaitable[None]]
"""Makes the seven calls of one debate against the server at a URL."""


def maieutic(stack: Any, lane: str) -> Any:
    """A contestant: whole debates, with journal, ledger, limiter and retries."""
    import maieutic as mt

    async def prepare(url: str, concurrency: int) -> Contest:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        workspace = await stack.enter_async_context(mt.Workspace(Path(folder) / "journal.db"))
        model = mt.ModelSpec.model_validate(
            {
                "model": "openai/bench",
                "api_base": url,
                "lane": lane,
                "structured": "native",
                "max_concurrency": max(concurrency, 32),
                "price": {"input": 1, "output": 1},
            }
        )
        debaters = [mt.Debater("Ada", model), mt.Debater("Bo", model)]
        debate = mt.Debate(debaters, judge=mt.Judge("June", model), rounds=3, first_round="open", probes="never")

        async def once(_: str) -> None:
            run = await workspace.run(debate, QUESTION)
            assert run.answer == "yes", run.error
            assert run.ledger.total.calls == CALLS, run.ledger.total

        return once

    return prepare


def litellm_alone(stack: Any) -> Any:
    """A contestant: the same calls by bare `litellm.acompletion`, one after the other."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    async def prepare(url: str, concurrency: int) -> Contest:
        async def once(_: str) -> None:
            messages = [{"role": "user", "content": QUESTION}]
            for _turn in range(CALLS):
                reply = await litellm.acompletion(model="openai/bench", api_base=url, api_key="none", messages=messages)
                messages.append({"role": "user", "content": reply.choices[0].message.content})

        return once

    return prepare


def langgraph_aiohttp(stack: Any, *, tuned: bool = False) -> Any:
    """A contestant: a LangGraph graph with one node per turn that posts over one aiohttp session, and nothing else.

    LangGraph runs a plain function as the condition of an edge in a thread; `tuned` makes it a coroutine, which it does
    not.
    """
    import operator
    from typing import Annotated, TypedDict

    import aiohttp
    import orjson
    from langgraph.graph import END, START, StateGraph

    class State(TypedDict, total=False):
        messages: Annotated[list[dict[str, str]], operator.add]

    async def prepare(url: str, concurrency: int) -> Contest:
        connector = aiohttp.TCPConnector(limit=max(concurrency, 32))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))

        async def turn(state: State) -> State:
            body = orjson.dumps({"model": "bench", "messages": state["messages"]})
            headers = {"Content-Type": "application/json"}
            async with session.post(f"{url}/chat/completions", data=body, headers=headers) as response:
                reply = orjson.loads(await response.read())
            return {"messages": [{"role": "user", "content": reply["choices"][0]["message"]["content"]}]}

        def more(state: State) -> bool:
            return len(state["messages"]) <= CALLS

        async def more_without_thread(state: State) -> bool:
            return more(state)

        graph = StateGraph(State)
        graph.add_node("turn", turn)
        graph.add_edge(START, "turn")
        graph.add_conditional_edges("turn", more_without_thread if tuned else more, {True: "turn", False: END})
        compiled = graph.compile()

        async def once(_: str) -> None:
            await compiled.ainvoke({"messages": [{"role": "user", "content": QUESTION}]})

        return once

    return prepare


CONTESTANTS: dict[str, Callable[[Any], Any]] = {
    "litellm.acompletion": litellm_alone,
    "LangGraph + aiohttp": langgraph_aiohttp,
    "the same without threads": lambda stack: langgraph_aiohttp(stack, tuned=True),
    "maieutic": lambda stack: maieutic(stack, "auto"),
    "maieutic, acompletion lane": lambda stack: maieutic(stack, "acompletion"),
}


async def contest(name: str, url: str, debates: int, concurrency: int) -> dict[str, float]:
    """CPU and wall seconds of so many debates, so many at once, after a warm-up."""
    from contextlib import AsyncExitStack

    class Stack(AsyncExitStack):
        def enter_context(self, cm: Any) -> Any:
            return super().enter_context(cm)

    async with Stack() as stack:
        once = await CONTESTANTS[name](stack)(url, concurrency)
        for _ in range(3):
            await once(url)
        todo = iter(range(debates))

        async def work() -> None:
            for _ in todo:
                await once(url)

        cpu, wall = time.process_time(), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def child(*arguments: str) -> dict[str, float]:
    """Run this file as a child and read what it measured."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(names: list[str], *, debates: int, concurrency: int, latency: float, repeats: int) -> dict[str, Any]:
    """Medians over the repeats, each contestant in turn."""
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(latency)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(repeats):
            for name in names:
                measured[name].append(child("--contest", name, url, str(debates), str(concurrency)))
    finally:
        server.kill()
    return {
        name: {key: statistics.median(one[key] for one in runs) for key in ("cpu", "wall")}
        for name, runs in measured.items()
    }


def cpu_table(repeats: int, debates: int) -> None:
    """CPU per call at 50 debates at once."""
    figures = compare(list(CONTESTANTS), debates=debates, concurrency=50, latency=0.0, repeats=repeats)
    bare, graph = figures["litellm.acompletion"]["cpu"], figures["LangGraph + aiohttp"]["cpu"]
    print(f"{'':30}{'CPU ms/call':>12}{'of litellm':>12}{'of LG+aiohttp':>15}")
    for name, figure in figures.items():
        cpu = figure["cpu"]
        print(f"{name:30}{1000 * cpu / debates / CALLS:12.2f}{cpu / bare:12.2f}{cpu / graph:15.2f}")


def wall_table(repeats: int, debates: int, latency: float) -> None:
    """Wall time of many debates at once, against the ideal: seven replies one after the other."""
    ideal = CALLS * latency
    names = ["LangGraph + aiohttp", "maieutic"]
    figures = compare(names, debates=debates, concurrency=debates, latency=latency, repeats=repeats)
    graph = figures["LangGraph + aiohttp"]["wall"]
    print(f"{debates} debates at once, {1000 * latency:.0f} ms a reply; ideal {ideal:.2f} s")
    print(f"{'':30}{'wall s':>12}{'of ideal':>12}{'of LG+aiohttp':>15}")
    for name, figure in figures.items():
        print(f"{name:30}{figure['wall']:12.2f}{figure['wall'] / ideal:12.2f}{figure['wall'] / graph:15.2f}")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wall", action="store_true", help="wall time of concurrent debates instead of CPU per call")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--debates", type=int, help="300 for CPU, 500 for wall time")
    parser.add_argument("--latency", type=float, nargs="+", default=[0.05, 1.0], help="seconds a reply takes (--wall)")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--contest", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        serve(given.serve)
    elif given.contest:
        name, url, debates, concurrency = given.contest
        print(json.dumps(asyncio.run(contest(name, url, int(debates), int(concurrency)))))
    elif given.wall:
        for latency in given.latency:
            wall_table(given.repeats, given.debates or 500, latency)
    else:
        cpu_table(given.repeats, given.debates or 300)


if __name__ == "__main__":
    main()
