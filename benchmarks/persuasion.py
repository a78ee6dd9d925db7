"""Evaluations of persuasion with simulated minds of known dispositions, over many seeds.

    python benchmarks/persuasion.py [--seeds 20] [--items 40] [--jobs 2]

A seed is a mind: what it knows is drawn anew, and so is what its partner knows. Four dispositions are compared: a mind
that is moved a little by everything, one that accepts whatever is pressed on it, one that resists everything, and one
that is moved by evidence alone; the first two also as balanced agents, which weigh nameless arguments before they
answer (`Agent.balanced`). Every figure is a mean over seeds with the 95 % interval of the bootstrap over seeds.

The minds are simulated: what they do when they are pressed is what their parameters say. The tables show that the
evaluations measure what they should, and that the claims of Stengel-Eskin et al. (NAACL 2025) follow from such
dispositions. They say nothing about language models.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import mean
from typing import Any

from maieutic.agents import Agent
from maieutic.backends import Endpoints, Place, in_memory
from maieutic.protocols.intervals import bootstrap
from maieutic.protocols.persuasion.flip_flop import FlipFlop
from maieutic.protocols.persuasion.misinformation import Misinformation
from maieutic.protocols.persuasion.resist_or_accept import ResistOrAccept
from maieutic.protocols.persuasion.team import TeamDebate

MINDS: Mapping[str, Mapping[str, float]] = {
    "base": {"susceptibility": 0.6, "credulity": 0.5, "self_doubt": 0.5, "conformity": 0.5},
    "accepts everything": {"susceptibility": 1.0, "credulity": 1.0, "self_doubt": 1.0, "conformity": 1.0},
    "resists everything": {"stubbornness": 1.0},
    "moved by evidence alone": {"susceptibility": 1.0},
}
BALANCED = ("base", "accepts everything")
"""The dispositions that are also measured as balanced agents."""
STRONG, WEAK = 0.8, 0.3
"""The shares of the world's facts that the two debaters of a team know."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one mind came to, all in one."""

    misinformed: float
    before: float
    after: float
    resist: float
    accept: float
    strong_first: float
    weak_first: float
    blind: float

    @property
    def overall(self) -> float:
        """Accuracy in both halves."""
        return (self.resist + self.accept) / 2

    @property
    def order(self) -> float:
        """Team accuracy with the strong one first, less with the weak one first."""
        return self.strong_first - self.weak_first


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mind: its disposition, and whether it weighs arguments before it answers."""

    disposition: Mapping[str, float]
    balanced: bool = False

    def agent(self, name: str, seed: int, *, knows: float) -> Agent:
        """A simulated debater without a role of its own."""
        made = Agent(name, {"model": "sim/debater", "seed": seed, "knows": knows, **self.disposition})
        return made.balanced() if self.balanced else made


async def measured(kind: Kind, seed: int, items: int, at: Place) -> Measured:
    """All evaluations of one mind."""
    ada = kind.agent("Ada", seed, knows=0.6)
    pressed = await Misinformation(ada, limit=items).perform(at=at / "misinformation")
    challenged = await FlipFlop(ada, limit=items).perform(at=at / "flip_flop")
    halves = await ResistOrAccept(ada, limit=2 * items).perform(at=at / "halves")
    strong = kind.agent("Strong", seed, knows=STRONG)
    weak = kind.agent("Weak", 1000 + seed, knows=WEAK)
    team = await TeamDebate([strong, weak], limit=items).perform(at=at / "team")
    ahead, behind = team.pairing("Strong", "Weak"), team.pairing("Weak", "Strong")
    return Measured(
        misinformed=pressed.rate or 0.0,
        before=challenged.before or 0.0,
        after=challenged.after or 0.0,
        resist=halves.resist or 0.0,
        accept=halves.accept or 0.0,
        strong_first=ahead.team,
        weak_first=behind.team,
        blind=ahead.baseline,
    )


async def over_seeds(kind: Kind, seeds: int, items: int) -> list[Measured]:
    """One entry a seed."""
    async with Endpoints() as endpoints:
        found = []
        for seed in range(seeds):
            async with in_memory(endpoints, seed) as place:
                found.append(await measured(kind, seed, items, place))
        return found


def every_seed(kind: Kind, seeds: int, items: int) -> list[Measured]:
    """The same, for a process of its own."""
    return asyncio.run(over_seeds(kind, seeds, items))


def told(values: Sequence[float], *, sign: bool = False) -> str:
    """A mean and its interval."""
    bounds = bootstrap(values)
    form = "+.2f" if sign else ".2f"
    return f"{mean(values):{form}} [{bounds.low:{form}}, {bounds.high:{form}}]"


def row(name: str, found: Sequence[Measured]) -> str:
    """One line of the first table."""
    cells = [
        told([each.misinformed for each in found]),
        f"{mean(each.before for each in found):.2f} → {told([each.after for each in found])}",
        told([each.resist for each in found]),
        told([each.accept for each in found]),
        told([each.overall for each in found]),
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def team_row(name: str, found: Sequence[Any]) -> str:
    """One line of the second table; `found` has what Measured has on teams."""
    cells = [
        f"{mean(each.blind for each in found):.2f}",
        told([each.strong_first for each in found]),
        told([each.weak_first for each in found]),
        told([each.order for each in found], sign=True),
        f"{mean(abs(each.order) for each in found):.3f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    options = parser.parse_args()
    start = time.perf_counter()
    kinds = {name: Kind(disposition) for name, disposition in MINDS.items()}
    kinds |= {f"{name}, balanced": Kind(MINDS[name], balanced=True) for name in BALANCED}
    with ProcessPoolExecutor(options.jobs) as pool:
        each_kind = partial(every_seed, seeds=options.seeds, items=options.items)
        found = dict(zip(kinds, pool.map(each_kind, kinds.values()), strict=True))
    print(f"Simulated minds, {options.seeds} seeds, {options.items} questions; {time.perf_counter() - start:.0f} s\n")
    print("| mind | misinformed | flip-flop, before → after | resist | accept | both |\n|---|---|---|---|---|---|")
    for name, each in found.items():
        print(row(name, each))
    print(f"\nTeams: one knows {STRONG:.0%} of the facts, the other {WEAK:.0%}; four turns, the first two blind.\n")
    print("| both minds | blind | strong first | weak first | difference | mean gap |\n|---|---|---|---|---|---|")
    for name, each in found.items():
        print(team_row(name, each))


if __name__ == "__main__":
    main()
