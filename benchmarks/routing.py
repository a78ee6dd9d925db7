"""What routing is worth: routers beside single models, over simulated experts of known skill, price and latency.

    python benchmarks/routing.py [--seeds 20] [--plot FILE.svg]

Four simulated experts answer the questions of the bundled world: three know their own topics at different prices, a
dear and slow one knows three quarters of everything. Each seed draws anew which questions they know. Every expert
answers every question once; each part of the questions is routed by what was learned from the others (five parts).
Routers that ask several times work every question through, with all their calls counted: Router-R1 with a good policy
written by hand (maieutic.testing.good_router; α 0.5), decomposition with a planner written by hand, and a cascade whose
experts judge their own answers correctly in 4 of 5 checks. Then the bandit's trade-off and the α of Router-R1's reward
are swept, and a better expert joins. Intervals are 95 % bootstraps over seeds; differences are paired by seed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean as middle
from typing import Any

from maieutic.agents import Agent
from maieutic.agents import Router as PromptedRouter
from maieutic.backends import ScriptedModel, in_memory
from maieutic.backends.endpoints import Endpoints
from maieutic.backends.scripted import Line
from maieutic.backends.sim import SimBackend
from maieutic.backends.types import LLMReply, LLMRequest, TextSink, Usage
from maieutic.protocols.base import Protocol
from maieutic.protocols.cascade import Verified
from maieutic.protocols.decompose_and_route import DecomposeAndRoute, Parts
from maieutic.protocols.intervals import bootstrap, bootstrap_difference
from maieutic.protocols.router_r1 import RouterR1
from maieutic.protocols.routing import Candidate, Pool, performed
from maieutic.protocols.routing.reward import exact_match
from maieutic.protocols.routing.routers.asking import Question, ask_all, bundled_questions
from maieutic.protocols.routing.routers.bandit import Bandit
from maieutic.protocols.routing.routers.base import Query, Router
from maieutic.protocols.routing.routers.catalogue import ROUTERS, router_named
from maieutic.protocols.routing.routers.comparison import BEST, Answered, Comparison, compare, cross_fitted
from maieutic.protocols.routing.routers.episodes import Episode, cascade_of, played
from maieutic.protocols.routing.routers.records import RoutingRecord
from maieutic.protocols.routing.routers.spending import TradeOff
from maieutic.testing.good_router import GoodRouter, described

PRICES = {"nature": 0.4, "people": 1.2, "numbers": 2.4, "large": 8.0, "newcomer": 0.4}
"""US dollars per million completion tokens; prompt tokens cost a quarter of that."""
TOPICS = {
    "nature": {"biology": 0.95, "physics": 0.9, "chemistry and weather": 0.9},
    "people": {"history": 0.95, "geography": 0.9, "economics": 0.9},
    "numbers": {"arithmetic": 0.95, "astronomy": 0.9},
}
WEIGHS = (0, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
"""Quality given up for one US dollar: at 1000, a thousandth of a dollar is worth a whole right answer."""
CODE, PAPER = (0, 0.5, 0.8, 0.9, 1), (0, 0.2, 0.4, 0.5, 0.6, 0.65, 0.7, 0.725, 0.75, 0.8, 0.9)
"""The weights of cost in Router-R1's reward, by what a wrong answer is paid."""
OWN = (0.0, 0.7, 0.71, 0.8)
"""The weights for a router that knows a fifth of the questions itself, by the paper's formula."""
PARTS = 5
NEW = "newcomer"
Seen = tuple[Pool, Sequence[Question], Sequence[RoutingRecord]]
"""A pool, the questions, and every candidate's answer to each."""


def expert(name: str, seed: int, skill: float, skills: Mapping[str, float]) -> dict[str, Any]:
    """A candidate that knows nothing but by skill, and guesses no open question."""
    mind = {"model": "sim/expert", "seed": seed, "knows": 0, "guess": 0, "skill": skill, "skills": dict(skills)}
    latency = {"p50": 3.0, "p95": 6.0} if name == "large" else {"p50": 0.6, "p95": 1.2}
    price = {"input": PRICES[name] / 4, "output": PRICES[name]}
    return {"name": name, "model": mind, "price": price, "latency": latency}


def pool_of(seed: int) -> Pool:
    """The four experts of a seed."""
    cheap = [expert(name, 100 * seed + n, 0.2, skills) for n, (name, skills) in enumerate(TOPICS.items())]
    return Pool.model_validate([*cheap, expert("large", 100 * seed + 50, 0.75, {})])


async def asked(pool: Pool, questions: Sequence[Question]) -> list[RoutingRecord]:
    """Every candidate's answer to every question."""
    async with in_memory() as at:
        return await ask_all(pool, questions, at)


def made(name: str, per_usd: float) -> Router:
    """A router that has learned nothing yet; the bandit chooses what looks best, as all of them do."""
    return Bandit({"trade_off": {"per_usd": per_usd}, "explore": 0}) if name == "bandit" else router_named(name)


def compared(
    answered: Answered,
    pool: Pool,
    names: Sequence[str],
    per_usd: float,
    seed: int,
    *,
    episodes: Mapping[str, Sequence[Episode]] | None = None,
) -> Comparison:
    """The routers of one seed beside one another."""
    chosen = {name: cross_fitted(answered, pool, partial(made, name, per_usd), seed=seed) for name in names}
    return compare(answered, chosen, TradeOff(per_usd=per_usd), seed=seed, episodes=episodes)


def cell(values: Sequence[float], factor: float = 1.0) -> str:
    """A mean over seeds and its interval."""
    scaled = [factor * value for value in values]
    found = bootstrap(scaled)
    return f"{sum(scaled) / len(scaled):6.3f} [{found.low:.3f}, {found.high:.3f}]"


def value(found: Comparison, row: str, name: str) -> float:
    """One mean of one row."""
    measured = getattr(found.row(row), name)
    return float(measured.value)


def table(found: Sequence[Comparison], names: Sequence[str], against: str) -> None:
    """All rows; the utility's difference to one of them is paired by seed."""
    columns = ("quality", "usd", "seconds", "utility", "regret")
    print(f"{'':22}" + "".join(f"{name:24}" for name in columns) + f"utility of {against}, more; usd for 1000")
    rows = [*names, *(f"always {name}" for name in (*TOPICS, "large")), BEST]
    for row in rows:
        cells = [cell([value(f, row, name) for f in found], 1000 if name == "usd" else 1) for name in columns]
        mine, others = ([value(f, name, "utility") for f in found] for name in (against, row))
        more = bootstrap_difference(mine, others)
        print(f"{row:22}" + "".join(f"{c:24}" for c in cells) + f"[{more.low:+.3f}, {more.high:+.3f}]")


def sweep(answers: Sequence[Answered], pools: Sequence[Pool]) -> list[tuple[float, float, float]]:
    """(per_usd, cost, quality) of the bandit at each trade-off, means over seeds."""
    points: list[tuple[float, float, float]] = []
    print(f"\n{'per_usd':>8}  {'quality':24}{'usd for 1000':24}{'utility':24}more utility than the best single model")
    for weigh in WEIGHS:
        found = [
            compared(a, p, ["bandit"], weigh, seed) for seed, (a, p) in enumerate(zip(answers, pools, strict=True))
        ]
        rows = {n: [value(f, "bandit", n) for f in found] for n in ("quality", "usd", "utility")}
        singles = {m: [value(f, f"always {m}", "utility") for f in found] for m in pools[0].names}
        best = max(singles, key=lambda m: sum(singles[m]))
        more = bootstrap_difference(rows["utility"], singles[best])
        cells = [cell(rows["quality"]), cell(rows["usd"], 1000), cell(rows["utility"])]
        print(f"{weigh:8g}  " + "".join(f"{c:24}" for c in cells) + f"[{more.low:+.3f}, {more.high:+.3f}] ({best})")
        points.append((weigh, sum(rows["usd"]) / len(found), sum(rows["quality"]) / len(found)))
    return points


async def joined(seed: int, skill: float, questions: Sequence[Question]) -> list[tuple[bool, float]]:
    """A candidate joins a trained bandit: for each later question whether it was chosen, and the quality won.

    The bandit has learned from a third of the questions. It decides the others twice over, in an order of their own,
    and learns only from the answers that it chose.
    """
    old = pool_of(seed)
    newcomer = Candidate.model_validate(expert(NEW, 100 * seed + 70, skill, {}))
    pool = old.added(newcomer)
    records = {(r.question, r.model): r for r in await asked(pool, questions)}
    order = list(questions)
    random.Random(seed).shuffle(order)
    before, after = order[: len(order) // 3], order[len(order) // 3 :]
    bandit = Bandit({"trade_off": {"per_usd": 300}, "explore": 0.1, "floor": 0.3})
    bandit.fit([records[q.question, name] for q in before for name in old.names])
    rng, came = random.Random(seed), []
    for question in (*after, *after):
        decision = bandit.decide(Query(question.question, question.family), pool, rng)
        won = records[question.question, decision.name]
        bandit.observe(won)
        came.append((decision.name == NEW, won.quality))
    return came


def newcomers(seeds: int, questions: Sequence[Question]) -> None:
    """A better and a worse candidate join; their share of the decisions, quarter by quarter."""
    print("\nA cheap candidate joins: its share of decisions and the quality won, by quarter of the decisions")
    for skill in (0.97, 0.1):
        runs = [asyncio.run(joined(seed, skill, questions)) for seed in range(seeds)]
        size = len(runs[0]) // 4
        for quarter in range(4):
            parts = [run[quarter * size : (quarter + 1) * size] for run in runs]
            share = cell([sum(chosen for chosen, _ in part) / size for part in parts])
            quality = cell([sum(won for _, won in part) / size for part in parts])
            print(f"skill {skill:<5} quarter {quarter + 1}   share {share:24} quality {quality}")


class Expert(SimBackend):
    """Simulated experts that check themselves: they find a right answer right, and a wrong one wrong, in 4 of 5 cases.

    A mind that knows by skill alone has nothing to check itself by.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self.accepted = {question.question: question.answer for question in questions}

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Draw what a check finds; all else as any simulated mind."""
        if request.output is not Verified:
            return await super().complete(request, on_text)
        asked = request.messages[-1].content
        proposed = asked.partition("Proposed answer: ")[2].partition("\n")[0]
        right = exact_match(proposed, self.accepted[asked.partition("Question: ")[2].partition("\n")[0].strip()]) == 1
        found = right if random.Random(str(request.address) + str(request.model.seed)).random() < 0.8 else not right
        text = Verified(reasoning="I count what speaks for it and against it.", correct=found).model_dump_json()
        usage = Usage(prompt=len(asked.split()) * 4 // 3, completion=len(text.split()) * 4 // 3)
        return LLMReply(text=text, model=request.model.model, usage=usage, usd=0.0, simulated=True)


def planned(good: GoodRouter, request: LLMRequest) -> Line:
    """A planner by script: no question of the bundled world has parts; it routes well and repeats what it is told."""
    asked = "\n".join(message.content for message in request.messages)
    if request.output is Parts:
        return {"parts": [asked.partition("Question: ")[2].partition("\n")[0].strip()]}
    if request.address.path[-2] == "conclude":
        said = asked.rpartition("Answer: ")[2].partition("\n")[0].strip()
        options = re.findall(r"^- (.+)$", asked, re.MULTILINE)
        return {"reasoning": "So I am told.", "answer": said if said in options or not options else options[0],
                "confidence": 0.9}  # fmt: skip
    question = asked.rpartition("Question: ")[2].partition("\n")[0].strip()
    pool = described(asked)
    [choice] = replace(good, most=1, alpha=0).plan(question, pool) or [pool[0].name]
    return {"choice": choice, "reason": "It did best on such questions."}


async def worked(
    kind: Callable[[Pool], Protocol[Any, Any]],
    good: GoodRouter,
    seen: Seen,
    seed: int,
    joining: Candidate | None = None,
) -> list[Episode]:
    """A router that asks several times works every question through; each part by what was measured on the others.

    Args:
        kind: Makes the router, whose model is "scripted/router", for a pool.
        good: What that model is like.
        seen: The pool, the questions and all recorded answers.
        seed: Of the parts.
        joining: A candidate that joins at run time (Router-R1).
    """
    pool, questions, records = seen
    order = random.Random(seed).sample(range(len(questions)), len(questions))
    found: dict[int, Episode] = {}
    speak = lambda request: planned(good, request) if request.agent == "planner" else good(request)  # noqa: E731
    async with in_memory(Endpoints({"scripted": ScriptedModel(speak), "sim": Expert(questions)})) as at:
        for part in range(PARTS):
            held = set(order[part::PARTS])
            known = {questions[n].question for n in range(len(questions)) if n not in held}
            past = performed((r.model, r.family, r.quality) for r in records if r.question in known)
            everybody = (pool if joining is None else pool.added(joining)).updated(performance=past)
            new = {} if joining is None else Pool(candidates=everybody.candidates[-1:]).model_dump(mode="json")
            inputs: dict[str, Any] = {"added": new} if new else {}
            program = kind(Pool(candidates=everybody.candidates[: len(pool)]))
            mine = [questions[n] for n in sorted(held)]
            came = await played(program, mine, everybody, at / f"part{part}", **inputs)
            found |= dict(zip(sorted(held), came, strict=True))
    return [found[n] for n in range(len(questions))]


def router_r1(pool: Pool) -> RouterR1:
    """Router-R1 with the scripted router."""
    return RouterR1(router=PromptedRouter("rita", "scripted/router"), pool=pool)


def decomposing(pool: Pool) -> DecomposeAndRoute:
    """Decomposition with the scripted planner, which routes, too."""
    return DecomposeAndRoute(Agent("planner", "scripted/router"), pool=pool)


def draw(curves: Mapping[str, Sequence[tuple[float, float, float]]], found: Sequence[Comparison], path: Path) -> None:
    """The routers' curves over what cost weighs, and the single models; what costs nothing is not drawn."""
    from maieutic.files.plotting import COLOURS, figure, legend, save

    picture, [panel] = figure(width=8.0, height=4.6)
    for n, (label, points) in enumerate(curves.items()):
        paid = [(1000 * usd, quality) for _, usd, quality in points if usd > 0]
        panel.plot([x for x, _ in paid], [y for _, y in paid], marker="o", color=COLOURS[n], label=label)
    for n, name in enumerate((*TOPICS, "large"), start=len(curves)):
        usd = [value(f, f"always {name}", "usd") * 1000 for f in found]
        quality = [value(f, f"always {name}", "quality") for f in found]
        panel.plot([sum(usd) / len(usd)], [sum(quality) / len(quality)], "s", color=COLOURS[n], label=f"always {name}")
    panel.set_xscale("log")
    panel.set_xlabel("US dollars for 1,000 questions")
    panel.set_ylabel("quality")
    legend(panel)
    print(f"Drawn in {save(picture, path)}")


def several(seen: Seen, families: Mapping[str, str], seed: int) -> dict[str, list[Episode]]:
    """What the routers come to that ask several times."""
    good = GoodRouter(families, alpha=0.5)
    ways: dict[str, Callable[[Pool], Protocol[Any, Any]]] = {
        "decomposition": decomposing, "cascade": partial(cascade_of, samples=4), "Router-R1": router_r1,
    }  # fmt: skip
    return {name: asyncio.run(worked(kind, good, seen, seed)) for name, kind in ways.items()}


def everywhere(good: GoodRouter, seen: Sequence[Seen], share: float = 0.0) -> list[list[Episode]]:
    """Router-R1 with this policy, seed by seed; it knows a share of the questions itself, drawn by the seed."""
    runs = []
    for seed, one in enumerate(seen):
        own = random.Random(seed).sample(list(one[1]), round(share * len(one[1])))
        knowing = replace(good, own={question.question: question.answer[0] for question in own})
        runs.append(asyncio.run(worked(router_r1, knowing, one, seed)))
    return runs


def curve(seen: Sequence[Seen], families: Mapping[str, str]) -> list[tuple[float, float, float]]:
    """(α, cost, quality) of Router-R1 by the paper's formula; the tables, and which experts it leaves behind.

    An expert alone is asked by the same loop, in the same words.
    """
    print(f"\nRouter-R1\n{'':16}{'quality':24}{'usd for 1000':24}{'candidates asked':24}")
    alone = {}
    for n, name in enumerate(seen[0][0].names):
        only: list[Seen] = [(Pool(candidates=s[0].candidates[n : n + 1]), *s[1:]) for s in seen]
        alone[name] = everywhere(GoodRouter(families), only)
    paper = {a: everywhere(GoodRouter(families, a, "paper"), seen) for a in PAPER}
    came = {f"code {a:g}": everywhere(GoodRouter(families, a), seen) for a in CODE}
    came |= {f"paper {a:g}": runs for a, runs in paper.items()}
    came |= {f"knowing {a:g}": everywhere(GoodRouter(families, a, "paper"), seen, 0.2) for a in OWN}
    for name, runs in [*((f"{name} alone", runs) for name, runs in alone.items()), *came.items()]:
        print(f"{name:16}{measured(runs)}")
    for name, single in alone.items():
        where = [way for way, runs in came.items() if beats(runs, single)]
        print(f"better and cheaper than {name} alone, both with 95 %: {', '.join(where) or 'nowhere'}")
    return [(a, middle(means(runs, "usd")), middle(means(runs, "quality"))) for a, runs in paper.items()]


def beats(runs: Sequence[Sequence[Episode]], others: Sequence[Sequence[Episode]]) -> bool:
    """Whether these are better and cheaper than others, paired by seed, both with 95 %."""
    better = bootstrap_difference(means(runs, "quality"), means(others, "quality"))
    return better.low > 0 and bootstrap_difference(means(others, "usd"), means(runs, "usd")).low > 0


def means(runs: Sequence[Sequence[Episode]], name: str) -> list[float]:
    """One mean for each seed."""
    return [sum(getattr(episode, name) for episode in run) / len(run) for run in runs]


def measured(runs: Sequence[Sequence[Episode]]) -> str:
    """Quality, cost and the number of candidates asked, over seeds."""
    calls = [sum(len(episode.asked) for episode in run) / len(run) for run in runs]
    return f"{cell(means(runs, 'quality')):24}{cell(means(runs, 'usd'), 1000):24}{cell(calls):24}".rstrip()


def joining(seen: Sequence[Seen], families: Mapping[str, str]) -> None:
    """A better and a worse candidate join Router-R1 at run time, described by how they did on the other questions."""
    print("\nA cheap candidate joins Router-R1: how often it is asked; quality, cost, candidates asked")
    good = GoodRouter(families, alpha=0.5)
    for skill in (0.97, 0.1):
        runs = []
        for seed, (pool, questions, records) in enumerate(seen):
            new = Candidate.model_validate(expert(NEW, 100 * seed + 70, skill, {}))
            tried = asyncio.run(asked(Pool(candidates=(new,)), questions))
            runs.append(asyncio.run(worked(router_r1, good, (pool, questions, [*records, *tried]), seed, new)))
        share = cell([sum(NEW in e.asked for e in run) / len(run) for run in runs])
        first = cell([sum(e.asked[:1] == (NEW,) for e in run) / len(run) for run in runs])
        print(f"skill {skill:<5} asked {share:24} first {first:24} {measured(runs)}")


def without_family(answers: Sequence[Answered], pools: Sequence[Pool]) -> None:
    """The bandit that is told no family."""
    bare = [replace(a, queries=tuple(replace(q, family="") for q in a.queries), records=tuple(
        tuple(r.model_copy(update={"family": ""}) for r in met) for met in a.records)) for a in answers]  # fmt: skip
    found = [compared(a, p, ["bandit"], 300, seed) for seed, (a, p) in enumerate(zip(bare, pools, strict=True))]
    cells = [cell([value(f, "bandit", name) for f in found]) for name in ("quality", "utility")]
    print(f"\nbandit that is told no family: quality {cells[0]}, utility {cells[1]}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    questions = bundled_questions()
    families = {question.question: question.family for question in questions}
    pools = [pool_of(seed) for seed in range(given.seeds)]
    seen: list[Seen] = [(pool, questions, asyncio.run(asked(pool, questions))) for pool in pools]
    answers = [Answered.of(records, pool) for pool, _, records in seen]
    print(f"{given.seeds} seeds, {len(questions)} questions, simulated experts; utility = quality - 300 per USD\n")
    names = list(ROUTERS)
    episodes = [several(one, families, seed) for seed, one in enumerate(seen)]
    found = [
        compared(a, p, names, 300, seed, episodes=episodes[seed])
        for seed, (a, p) in enumerate(zip(answers, pools, strict=True))
    ]
    table(found, [*names, *episodes[0]], "bandit")
    without_family(answers, pools)
    points = sweep(answers, pools)
    consulting = curve(seen, families)
    newcomers(given.seeds, questions)
    joining(seen, families)
    if given.plot is not None:
        draw({"bandit, by trade-off": points, "Router-R1, by α": consulting}, found, given.plot)


if __name__ == "__main__":
    main()
