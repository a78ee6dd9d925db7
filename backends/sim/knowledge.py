"""What a mind knows of its world, and what it learns from what it reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from maieutic.backends.sim.chance import unit
from maieutic.backends.sim.params import MindParams
from maieutic.backends.sim.reading import Reading, known_world, world_key
from maieutic.backends.sim.world import Question, World

__all__ = ["Mind", "knowledge", "learned", "share_known"]

_FACT_SPREAD = 0.7
"""How much facts of one concept differ in difficulty, where concepts differ by 1."""
_UNPREPARED = 0.4
"""Share of `learn` that is left where the prerequisites are missing."""


@dataclass(frozen=True, slots=True)
class Mind:
    """One simulated mind: what it is like, its world, and who it is.

    Attributes:
        kind: The name after `sim/`.
        params: Its parameters.
        world: The world it knows of.
        who: What its own draws depend on: its seed, or its name where it has none.
    """

    kind: str
    params: MindParams
    world: World
    who: str

    @property
    def known(self) -> frozenset[str]:
        """The facts it knew before it read anything."""
        return knowledge(world_key(self.world), self.who, self.params.knows)


@lru_cache(maxsize=4096)
def knowledge(world: int, who: str, share: float) -> frozenset[str]:
    """Exactly this share of the world's facts, the easier ones for this mind.

    A concept is harder than each of its prerequisites, so whoever knows it mostly knows those too, and whoever knows a
    larger share knows all that the same mind knows with a smaller one.
    """
    known = known_world(world)
    hard: dict[str, float] = {}
    for concept in known.order:
        before = max((hard[need] for need in known.concepts[concept].needs), default=0.0)
        hard[concept] = before + unit(who, "concept", concept)
    order = sorted(known.facts, key=lambda f: hard[known.facts[f].concept] + _FACT_SPREAD * unit(who, "fact", f))
    return frozenset(order[: round(share * len(order))])


def learned(mind: Mind, reading: Reading) -> frozenset[str]:
    """The facts it has learned from the messages and not lost again.

    Read are all messages but its own. Each reading of a fact teaches it with chance `learn`, and with less where more
    than half of the facts of a prerequisite are missing; each later turn it is lost with chance `forget` until it is
    read again.
    """
    kept: dict[str, bool] = {}
    times: Counter[str] = Counter()
    known = set(mind.known)
    messages = [*reading.told, *reading.heard]
    for at, said in enumerate(messages):
        later = max(0, len(messages) - 2 - at)  # the instruction at the end is no turn
        for fact in said.facts if not said.own else ():
            times[fact] += 1
            if fact not in known and not _takes_in(mind, fact, known, times[fact]):
                continue
            known.add(fact)
            kept[fact] = unit(mind.who, "keeps", fact, at) < (1 - mind.params.forget) ** later
    return frozenset(fact for fact, still in kept.items() if still)


def _takes_in(mind: Mind, fact: str, known: set[str], time: int) -> bool:
    needs = mind.world.concepts[mind.world.facts[fact].concept].needs
    ready = all(_understood(mind.world, concept, known) for concept in needs)
    chance = mind.params.learn if ready else mind.params.learn * _UNPREPARED
    return unit(mind.who, "learns", fact, time) < chance


def _understood(world: World, concept: str, known: set[str]) -> bool:
    facts = world.facts_of[concept]
    return not facts or 2 * sum(fact in known for fact in facts) >= len(facts)


def share_known(question: Question, facts: frozenset[str] | set[str]) -> float:
    """The share of a question's needed facts that are among `facts`: 1 where it can be answered."""
    return sum(need in facts for need in question.needs) / len(question.needs)
