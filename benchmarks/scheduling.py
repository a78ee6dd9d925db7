"""Many debates at one endpoint: naive concurrency beside the oldest dialogue first, at the same limit.

    python benchmarks/scheduling.py                                           # a simulated engine, in virtual time
    python benchmarks/scheduling.py --limits 4 8 12 16 32                     # long documents at other limits
    MAIEUTIC_VLLM_PYTHON=…/bin/python python benchmarks/scheduling.py --vllm  # a real one, over a network of noise

Contestants, all with the same limit of calls in flight:

- naive: all dialogues begin at once, calls are answered in the order in which they come;
- oldest first: all dialogues begin at once, calls of the dialogue that began first go first (what Workspace.run does);
- as many as slots: the same, as an experiment with `concurrency` at the limit;
- experiment: the same, as an experiment that leaves `concurrency` out.

Columns: seconds until everything is done; mean and 95th percentile of a dialogue's seconds from its first call to its
end; seconds until half of the dialogues are done; the share of prompt tokens that the prefix cache had; the tail, which
is the share of all the time after the last moment at which every slot was taken; the share of the slots that was empty
over all the time. With --vllm contestants take turns, and the medians are printed; the engine keeps so few blocks that
not all dialogues have room.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import maieutic as mt
from maieutic.backends import Backend, Endpoints, LLMReply, LLMRequest
from maieutic.backends.tiny.catalogue import WEIGHTS
from maieutic.runs.experiments.execution import Selection, Work
from maieutic.runs.experiments.store import open_store
from maieutic.testing.cached_engine import CachedEngine
from maieutic.testing.engine import Engine, long_context
from maieutic.testing.virtual import VirtualJournal, virtually

WORDS = ["street", "quiet", "safe", "city", "trip", "short", "walk", "plan", "cost", "rule", "law", "claim", "reason"]
VERDICT = '{"answer": "yes", "reason": "The case for quiet streets was better supported.", "confidence": 0.7}'
CONTESTANTS = ("naive", "oldest first", "as many as slots", "experiment")


@dataclass(frozen=True)
class Setting:
    """What is run: questions under conditions that differ in their rounds, one debate each."""

    name: str
    questions: int
    rounds: tuple[int, ...]
    limit: int
    words: int
    room: int

    @property
    def dialogues(self) -> int:
        """All of them."""
        return self.questions * len(self.rounds)


SIMULATED = (
    Setting("short questions", 200, (3,), limit=16, words=300, room=60_000),
    Setting("long documents", 100, (3,), limit=8, words=3000, room=100_000),
    Setting("debates of 1, 2 and 8 rounds", 60, (1, 2, 8), limit=16, words=300, room=60_000),
    Setting("room for all", 200, (3,), limit=16, words=300, room=10_000_000),
)
REAL = Setting("a real vLLM", 24, (3,), limit=4, words=150, room=0)


class FirstCome(Endpoints):
    """Endpoints at which all dialogues are of the same age."""

    def begun(self) -> int:
        """See Endpoints."""
        return 0


@dataclass
class Watch:
    """Stands before a backend and notes when each dialogue's calls are in flight."""

    inner: Backend
    limit: int
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    in_flight: int = 0
    taken: float = 0.0
    full: float = 0.0
    now: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def complete(self, request: LLMRequest, on_text: Any = None) -> LLMReply:
        """See Backend."""
        self._note(+1)
        self.first.setdefault(request.address.run, self.now)
        try:
            return await self.inner.complete(request, on_text)
        finally:
            self._note(-1)
            self.last[request.address.run] = self.now

    async def aclose(self) -> None:
        """See Backend."""
        await self.inner.aclose()

    def _note(self, change: int) -> None:
        now = asyncio.get_running_loop().time()
        self.taken += self.in_flight * (now - self.now)
        self.now = now
        if self.in_flight >= self.limit:
            self.full = now
        self.in_flight += change

    def begin(self) -> None:
        """Forget what was before, the time included."""
        self.now = asyncio.get_running_loop().time()
        self.first, self.last, self.taken, self.full, self.began = {}, {}, 0.0, self.now, self.now

    def figures(self) -> dict[str, float]:
        """What was seen since."""
        whole = self.now - self.began
        spans = sorted(self.last[run] - first for run, first in self.first.items())
        ends = sorted(end - self.began for end in self.last.values())
        return {
            "seconds": whole,
            "mean": statistics.mean(spans),
            "p95": spans[int(0.95 * len(spans))],
            "half": ends[len(ends) // 2],
            "tail": 1 - (self.full - self.began) / whole,
            "empty": 1 - self.taken / self.limit / whole,
        }


def speech(request: LLMRequest) -> str:
    """What a simulated engine replies: 60 to 180 words, the same ones in every contest."""
    if request.output is not None:
        return VERDICT
    chance = random.Random("".join(message.content for message in request.messages))
    return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(60, 180)))


def question(n: int, words: int, salt: str = "") -> str:
    """A question with a case that nobody has read before."""
    chance = random.Random(f"{n}{salt}")
    case = " ".join(chance.choice(WORDS) for _ in range(words))
    return f"{chance.randrange(10**9)} {case}. Should city number {n} ban cars?"


async def contest(name: str, setting: Setting, workspace: Any, debates: dict[str, Any], salt: str) -> None:
    """Have all dialogues done in one of the ways."""
    asked = [question(n, setting.words, salt) for n in range(setting.questions)]
    if name in ("naive", "oldest first"):
        runs = await asyncio.gather(*(workspace.run(one, text) for text in asked for one in debates.values()))
        assert all(run.status == "done" for run in runs), [run.error for run in runs if run.error][:1]
        return
    data = [{"id": str(n), "question": text} for n, text in enumerate(asked)]
    fixed = setting.limit if name == "as many as slots" else None
    experiment = mt.Experiment("bench", data=data, conditions=debates, scorers=(), concurrency=fixed)
    async with open_store(None) as store:
        work = Work(experiment, "bench", store, workspace, Selection())
        done = await work.done(retry_failed=False, tolerance=None, on_begin=lambda progress: None)
    assert done.total.done == setting.dialogues, done


def conditions(setting: Setting, model: mt.ModelSpec, judge: mt.ModelSpec) -> dict[str, Any]:
    """The debates."""
    ada, bo, june = mt.Debater("Ada", model), mt.Debater("Bo", model), mt.Judge("June", judge)

    def debate(rounds: int) -> mt.Debate:
        return mt.Debate([ada, bo], judge=june, rounds=rounds, first_round="open", probes="never")

    return {f"rounds={n}": debate(n) for n in setting.rounds}


async def simulated(name: str, setting: Setting) -> dict[str, float]:
    """One contest at a simulated engine."""
    engine = CachedEngine(speech, setting.room)
    watch = Watch(engine, setting.limit)
    model = mt.ModelSpec(model="bench/engine", max_concurrency=setting.limit, structured="native", timeout=1e9)
    async with mt.Workspace(backends={"bench": watch}) as workspace:
        await workspace.journal.aclose()
        workspace.journal = VirtualJournal.open(None)
        if name == "naive":
            workspace.endpoints = FirstCome({"bench": watch})
        watch.begin()
        await contest(name, setting, workspace, conditions(setting, model, model), "")
        return {**watch.figures(), "cached": engine.hit / engine.asked}


async def real(name: str, setting: Setting, engine: Engine, salt: str) -> dict[str, float]:
    """One contest at a real engine."""
    from maieutic.backends.litellm_backend import LiteLLMBackend

    watch = Watch(LiteLLMBackend(), setting.limit)
    model = mt.ModelSpec(
        model="hosted_vllm/noise",
        api_base=engine.base,
        max_concurrency=setting.limit,
        max_tokens=40,
        retries=0,
        extra={"ignore_eos": True},
    )
    async with mt.Workspace(backends={"hosted_vllm": watch}) as workspace:
        if name == "naive":
            workspace.endpoints = FirstCome({"hosted_vllm": watch})
        debates = conditions(setting, model, mt.ModelSpec(model="sim/judge"))
        await workspace.run(next(iter(debates.values())), question(0, 20, f"{salt} warm"))
        hits, read = engine.metric("prefix_cache_hits_total"), engine.metric("prefix_cache_queries_total")
        watch.begin()
        await contest(name, setting, workspace, debates, salt)
        figures = watch.figures()
    hits, read = engine.metric("prefix_cache_hits_total") - hits, engine.metric("prefix_cache_queries_total") - read
    return {**figures, "cached": hits / read}


@contextmanager
def noise(blocks: int) -> Iterator[Engine]:
    """A vLLM that serves a network of noise, large enough for prompts to cost something, with so many blocks of 32."""
    with tempfile.TemporaryDirectory() as folder:
        model = long_context(WEIGHTS / "student", Path(folder) / "noise", 8192)
        config = json.loads((model / "config.json").read_text())
        size = {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 4, "num_attention_heads": 4}
        (model / "config.json").write_text(json.dumps({**config, **size, "num_key_value_heads": 4, "head_dim": 64}))
        flags = ["--load-format", "dummy", "--num-gpu-blocks-override", str(blocks)]
        # Without a GPU, vLLM 0.32 ends when the prompt of a request with a seed is computed in several steps.
        flags += ["--max-num-batched-tokens", "16384"]
        with Engine(model, "noise", context=8192, flags=flags) as engine:
            yield engine.ready()


def table(name: str, measured: dict[str, dict[str, float]]) -> None:
    """Print one; seconds also as shares of the naive ones."""
    base = measured["naive"]
    print(f"\n{name}")
    heads = (
        "all done s",
        "of naive",
        "dialogue s",
        "of naive",
        "p95 s",
        "half done s",
        "of naive",
        "cached",
        "tail",
        "empty",
    )
    print(f"{'':18}" + "".join(f"{head:>12}" for head in heads))
    for contestant, m in measured.items():
        row = [f"{m['seconds']:.1f}", f"{m['seconds'] / base['seconds']:.2f}"]
        row += [f"{m['mean']:.1f}", f"{m['mean'] / base['mean']:.2f}", f"{m['p95']:.1f}"]
        row += [f"{m['half']:.1f}", f"{m['half'] / base['half']:.2f}"]
        row += [f"{m['cached']:.1%}", f"{m['tail']:.1%}", f"{m['empty']:.1%}"]
        print(f"{contestant:18}" + "".join(f"{cell:>12}" for cell in row), flush=True)


def of_limits(limits: list[int]) -> None:
    """Long documents, naive and as an experiment, at several limits."""
    for limit in limits:
        setting = replace(SIMULATED[1], limit=limit)
        table(
            f"{setting.name}: {limit} calls in flight, room for {setting.room:,} tokens",
            {name: virtually(simulated(name, setting)) for name in ("naive", "experiment")},
        )


def of_real(blocks: int, repeats: int, say: Callable[[str], None]) -> None:
    """The table of a real engine: medians over the repeats, each contestant in turn."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    with noise(blocks) as engine:
        for turn in range(repeats):
            for name in CONTESTANTS:
                found = asyncio.run(real(name, REAL, engine, f"{turn} {name} {time.time()}"))
                measured[name].append(found)
                say(f"{name}: {found}")
    medians = {
        name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in measured.items()
    }
    about = f"{REAL.dialogues} debates, {REAL.limit} calls in flight, {blocks} blocks of 32 tokens"
    table(f"{REAL.name}: {about}; medians of {repeats}", medians)


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vllm", action="store_true", help="a real engine instead of a simulated one")
    parser.add_argument("--blocks", type=int, default=768, help="blocks of 32 tokens that it has room for")
    parser.add_argument("--limits", type=int, nargs="+", help="long documents at these limits, simulated")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each contestant at the real engine")
    given = parser.parse_args()
    if given.vllm:
        of_real(given.blocks, given.repeats, lambda text: print(text, flush=True))
        return
    if given.limits:
        of_limits(given.limits)
        return
    for setting in SIMULATED:
        about = f"{setting.dialogues} debates, {setting.limit} calls in flight, room for {setting.room:,} tokens"
        table(f"{setting.name}: {about}", {name: virtually(simulated(name, setting)) for name in CONTESTANTS})


if __name__ == "__main__":
    main()
