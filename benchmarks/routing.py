"""What routing is worth: routers beside single models, over simulated experts of known skill, price and latency.

    python benchmarks/routing.py [--seeds 20] [--plot FILE.svg]

Four simulated experts answer the questions of the bundled world: three know their own topics at different prices, a
dear and slow one knows three quarters of everything. Each seed draws anew which questions they know. Every expert
answers every question once; each part of the questions is routed by what was learned from the others (five parts). Then
the trade-off is swept, and a better expert joins while a bandit, which sees only the answers that it chose, goes on
deciding. Intervals are 95 % bootstraps over seeds; differences are paired by seed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from maieutic.backends import in_memory
from maieutic.protocols.intervals import bootstrap, bootstrap_difference
from maieutic.protocols.routing import Candidate, Pool
from maieutic.protocols.routing.routers.asking import Question, ask_all, bundled_questions
from maieutic.protocols.routing.routers.bandit import Bandit
from maieutic.protocols.routing.routers.base import Query, Router
from maieutic.protocols.routing.routers.catalogue import ROUTERS, router_named
from maieutic.protocols.routing.routers.comparison import BEST, Answered, Comparison, compare, cross_fitted
from maieutic.protocols.routing.routers.records import RoutingRecord
from maieutic.protocols.routing.routers.spending import TradeOff

PRICES = {"nature": 0.4, "people": 1.2, "numbers": 2.4, "large": 8.0, "newcomer": 0.4}
"""US dollars per million completion tokens; prompt tokens cost a quarter of that."""
TOPICS = {
    "nature": {"biology": 0.95, "physics": 0.9, "chemistry and weather": 0.9},
    "people": {"history": 0.95, "geography": 0.9, "economics": 0.9},
    "numbers": {"arithmetic": 0.95, "astronomy": 0.9},
}
WEIGHS = (0, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
"""Quality given up for one US dollar: at 1000, a thousandth of a dollar is worth a whole right answer."""
NEW = "newcomer"


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


def compared(answered: Answered, pool: Pool, names: Sequence[str], per_usd: float, seed: int) -> Comparison:
    """The routers of one seed beside one another."""
    chosen = {name: cross_fitted(answered, pool, partial(made, name, per_usd), seed=seed) for name in names}
    return compare(answered, chosen, TradeOff(per_usd=per_usd), seed=seed)


def cell(values: Sequence[float], factor: float = 1.0) -> str:
    """A mean over seeds and its interval."""
    scaled = [factor * value for value in values]
    found = bootstrap(scaled)
    return f"{sum(scaled) / len(scaled):6.3f} [{found.low:.3f}, {found.high:.3f}]"


def value(found: Comparison, row: str, name: str) -> float:
    """One mean of one row."""
    measured = getattr(found.row(row), name)
    assert measured is not None
    return float(measured.value)


def table(found: Sequence[Comparison], names: Sequence[str], against: str) -> None:
    """All rows; the utility's difference to one of them is paired by seed."""
    print(
        f"{'':22}{'quality':24}{'usd for 1000':24}{'seconds':24}{'utility':24}{'regret':24}utility of {against}, more"
    )
    rows = [*names, *(f"always {name}" for name in (*TOPICS, "large")), BEST]
    for row in rows:
        cells = [cell([value(f, row, n) for f in found], 1000 if n == "usd" else 1) for n in
                 ("quality", "usd", "seconds", "utility", "regret")]  # fmt: skip
        more = bootstrap_difference(
            [value(f, against, "utility") for f in found], [value(f, row, "utility") for f in found]
        )
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


def draw(points: Sequence[tuple[float, float, float]], found: Sequence[Comparison], path: Path) -> None:
    """The bandit's curve over the trade-off, and the single models."""
    from maieutic.files.plotting import COLOURS, figure, legend, save

    picture, [panel] = figure(width=8.0, height=4.6)
    panel.plot([1000 * usd for _, usd, _ in points], [q for *_, q in points], marker="o", label="bandit, by trade-off")
    for n, name in enumerate((*TOPICS, "large")):
        usd = [value(f, f"always {name}", "usd") * 1000 for f in found]
        quality = [value(f, f"always {name}", "quality") for f in found]
        panel.plot(
            [sum(usd) / len(usd)], [sum(quality) / len(quality)], "s", color=COLOURS[n + 1], label=f"always {name}"
        )
    panel.set_xscale("log")
    panel.set_xlabel("US dollars for 1,000 questions")
    panel.set_ylabel("quality")
    legend(panel)
    print(f"Drawn in {save(picture, path)}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    questions = bundled_questions()
    pools = [pool_of(seed) for seed in range(given.seeds)]
    answers = [Answered.of(asyncio.run(asked(pool, questions)), pool) for pool in pools]
    print(f"{given.seeds} seeds, {len(questions)} questions, simulated experts; utility = quality - 300 per USD\n")
    names = list(ROUTERS)
    found = [compared(a, p, names, 300, seed) for seed, (a, p) in enumerate(zip(answers, pools, strict=True))]
    table(found, names, "bandit")
    points = sweep(answers, pools)
    newcomers(given.seeds, questions)
    if given.plot is not None:
        draw(points, found, given.plot)


if __name__ == "__main__":
    main()
