"""A balanced debater beside a plain one, and beside what the same calls buy otherwise, over many seeds.

    python benchmarks/balanced_debater.py [--seeds 20] [--items 40]

A strong and a weak simulated mind of the same disposition debate every question in both orders, four turns, the first
two blind. They do it plainly, balanced (each weighs the nameless arguments in three orders before it answers), plainly
with as many turns as the balanced debate takes calls, and the models are asked alone as often, with a vote
(self-consistency). A figure is a mean over seeds with the 95 % interval of the bootstrap over seeds; `gap` is the
absolute difference of the team's accuracy between the two orders.

The minds are simulated: what moves them is what their parameters say, and that nobody can be conformed to where no
names stand is built into them. The tables show what a balanced debater does where those are the causes. They say
nothing about language models.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from maieutic.agents import Agent
from maieutic.backends import Endpoints, Place, in_memory
from maieutic.memory.student.grading import is_right
from maieutic.protocols.intervals import bootstrap
from maieutic.protocols.persuasion.bundled import bundled_items
from maieutic.protocols.persuasion.team import TeamDebate
from maieutic.protocols.self_consistency import SelfConsistency

MINDS: Mapping[str, Mapping[str, float]] = {
    "base": {"susceptibility": 0.6, "credulity": 0.5, "conformity": 0.5},
    "accepts everything": {"susceptibility": 1.0, "credulity": 1.0, "conformity": 1.0},
    "resists everything": {"stubbornness": 1.0},
    "moved by evidence alone": {"susceptibility": 1.0},
}
STRONG, WEAK = 0.8, 0.3
"""The shares of the world's facts that the two debaters know."""
TURNS = 4


@dataclass(frozen=True, slots=True)
class Arm:
    """What one way to decide came to with one seed.

    Attributes:
        strong_first, weak_first: Accuracy of both final answers by who speaks first.
        calls: Calls per question and order.
    """

    strong_first: float
    weak_first: float
    calls: float

    @property
    def team(self) -> float:
        """Accuracy over both orders."""
        return (self.strong_first + self.weak_first) / 2

    @property
    def gap(self) -> float:
        """How much it matters who speaks first."""
        return abs(self.strong_first - self.weak_first)


def agent(name: str, seed: int, mind: Mapping[str, float], knows: float) -> Agent:
    """A simulated debater."""
    return Agent(name, {"model": "sim/debater", "seed": seed, "knows": knows, **mind})


async def debated(pair: Sequence[Agent], items: int, turns: int, at: Place) -> Arm:
    """A team debate in both orders; the blind answers, which both orders share, count in each."""
    team = await TeamDebate(pair, limit=items, turns=turns).perform(at=at)
    one, other = (each.name for each in pair)
    calls = team.calls / items  # two blind answers, and the turns after them in two orders
    return Arm(team.pairing(one, other).team, team.pairing(other, one).team, 2 + (calls - 2) / 2)


async def voted(pair: Sequence[Agent], items: int, samples: int, at: Place) -> Arm:
    """The same models asked alone, with a vote; the order is the one in which samples are dealt."""
    shares = []
    for order in (pair, pair[::-1]):
        right = []
        for item in bundled_items()[:items]:
            ask = SelfConsistency(order, samples=samples, options=list(item.options))
            found = await ask.perform(item.question, at=at / order[0].name / item.id)
            right.append(float(found.answer is not None and bool(is_right(item, found.answer))))
        shares.append(mean(right))
    return Arm(shares[0], shares[1], samples)


async def measured(mind: Mapping[str, float], seed: int, items: int, at: Place) -> dict[str, Arm]:
    """All arms with one seed."""
    pair = [agent("Strong", seed, mind, STRONG), agent("Weak", 1000 + seed, mind, WEAK)]
    balanced = await debated([each.balanced() for each in pair], items, TURNS, at / "balanced")
    same = max(TURNS, round(balanced.calls))
    return {
        "plain": await debated(pair, items, TURNS, at / "plain"),
        "balanced": balanced,
        "plain, as many calls": await debated(pair, items, same, at / "longer"),
        "alone, as many calls": await voted(pair, items, same, at / "alone"),
    }


async def over_seeds(mind: Mapping[str, float], seeds: int, items: int) -> dict[str, list[Arm]]:
    """By arm, one entry a seed."""
    found: dict[str, list[Arm]] = {}
    async with Endpoints() as endpoints:
        for seed in range(seeds):
            async with in_memory(endpoints, seed) as place:
                for name, arm in (await measured(mind, seed, items, place)).items():
                    found.setdefault(name, []).append(arm)
    return found


def told(values: Sequence[float], *, sign: bool = False) -> str:
    """A mean and its interval."""
    bounds = bootstrap(values)
    form = "+.3f" if sign else ".3f"
    return f"{mean(values):{form}} [{bounds.low:{form}}, {bounds.high:{form}}]"


def rows(mind: str, found: Mapping[str, Sequence[Arm]]) -> list[str]:
    """A line for each arm; differences are paired by seed."""
    lines = []
    for name, arms in found.items():
        cells = [
            told([arm.team for arm in arms]),
            told([arm.gap for arm in arms]),
            told([a.team - b.team for a, b in zip(arms, found["plain"], strict=True)], sign=True),
            told([a.gap - b.gap for a, b in zip(arms, found["plain"], strict=True)], sign=True),
            f"{mean(arm.calls for arm in arms):.1f}",
        ]
        lines.append(f"| {mind} | {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--items", type=int, default=40)
    options = parser.parse_args()
    start = time.perf_counter()
    found = {name: asyncio.run(over_seeds(mind, options.seeds, options.items)) for name, mind in MINDS.items()}
    print(f"Simulated minds, {options.seeds} seeds, {options.items} questions; {time.perf_counter() - start:.0f} s")
    print(f"One knows {STRONG:.0%} of the facts, the other {WEAK:.0%}.\n")
    print("| both minds | how | team accuracy | gap | accuracy − plain | gap − plain | calls |")
    print("|---|---|---|---|---|---|---|")
    for mind, arms in found.items():
        print("\n".join(rows(mind, arms)))


if __name__ == "__main__":
    main()
