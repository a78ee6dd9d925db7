"""Students drawn from the student model itself: what a fit must recover, and a model that is true must predict.

They answer by the model's own chances and know nothing of language; `sim/…` minds are students that read. Knowledge is
a state here, not a belief: a prerequisite counts as known or not where the student model plugs in its chance.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import networkx as nx

from maieutic.errors import StudentModelError, UsageError
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation

__all__ = ["SimulatedStudent", "simulate"]


class SimulatedStudent:
    """A student that is as the model says. What it does comes back as the observations that a teacher makes.

    Args:
        concepts: The concepts and the student's true parameters.
        rng: Draws everything; two students need two generators, or one after the other the same.

    Attributes:
        misconceptions: The misconception held in the place of each concept that has one.
        known: The concepts known now.
    """

    def __init__(self, concepts: ConceptGraph, rng: random.Random) -> None:
        concepts.check()
        self._rng = rng
        self._concepts = {name: concepts.concept(name) for name in concepts}
        self._needs = {name: concepts.needs(name) for name in concepts}
        self.known: set[str] = set()
        self.misconceptions: dict[str, str] = {}
        for name in nx.lexicographical_topological_sort(concepts.graph):
            if rng.random() < self._concepts[name].prior * self._ready(name):
                self.known.add(name)
            else:
                self._misled(name)

    def answer(self, item: Item, *, with_explanation: bool = False) -> Observation:
        """Answer an item, perhaps with an explanation of it at hand; an answer may teach (`learn_practice`)."""
        own = [self._concepts[name] for name in item.concepts]
        slip = sum(each.slip for each in own) / len(own) if item.slip is None else item.slip
        guess = item.guess
        if guess is None:
            guess = 1 / len(item.options) if len(item.options) > 1 else sum(each.guess for each in own) / len(own)
        able = all([self._able(name, with_explanation and name in item.explained) for name in item.concepts])
        right = self._rng.random() < (1 - slip if able else guess)
        choice = item.answer if right else self._wrong(item)
        for name in item.concepts:
            self._learn(name, self._concepts[name].learn_practice)
        return Observation(
            kind="answered", item=item.id, correct=right, choice=choice, with_explanation=with_explanation
        )

    def explain(self, item: Item) -> Observation:
        """Hear an explanation of an item; what it covers may be learned, the readier the student the likelier."""
        ready = {name: self._ready(name) for name in item.explained}
        for name, chance in ready.items():
            self._learn(name, chance * self._concepts[name].learn)
        return Observation(kind="explained", item=item.id)

    def wait(self, days: float) -> Observation:
        """Let days pass; what was known may be forgotten."""
        for name in sorted(self.known):
            if self._rng.random() >= (1 - self._concepts[name].forget) ** days:
                self.known.discard(name)
        return Observation(kind="waited", days=days)

    def _able(self, name: str, helped: bool) -> bool:
        return name in self.known or (helped and self._rng.random() < self._concepts[name].helped)

    def _ready(self, name: str) -> float:
        chance = 1.0
        for prerequisite, weight in self._needs[name].items():
            chance *= 1.0 if prerequisite in self.known else 1 - weight
        return chance

    def _learn(self, name: str, rate: float) -> None:
        if name not in self.known and self._rng.random() < rate:
            self.known.add(name)
            self.misconceptions.pop(name, None)

    def _misled(self, name: str) -> None:
        at = self._rng.random()
        for misconception, share in self._concepts[name].shares.items():
            at -= share
            if at < 0:
                self.misconceptions[name] = misconception
                return

    def _wrong(self, item: Item) -> str | None:
        """The wrong answer that is given: a misconception's, else any of them; None if they have no names."""
        for name in item.concepts:
            held = self.misconceptions.get(name)
            drawn = [option for option, source in item.distractors.items() if source == held]
            if held is not None and drawn and self._rng.random() < self._concepts[name].misconceptions[held].pull:
                return self._rng.choice(drawn)
        wrong = [option for option in item.options if option != item.answer] if item.answer is not None else []
        return self._rng.choice(wrong) if wrong else None


def simulate(
    concepts: ConceptGraph,
    items: Iterable[Item] | None = None,
    *,
    students: int = 100,
    length: int = 20,
    explain: float = 0.3,
    helped: float = 0.0,
    wait: float = 0.0,
    days: float = 7.0,
    seed: int = 0,
) -> dict[str, list[Observation]]:
    """Logs of students that are as the model says, called s0, s1, …

    Each answers `length` items, drawn with replacement. Explanations and pauses come whatever the answers were.

    Args:
        concepts: The concepts with the true parameters.
        items: The items; left out, the concepts' own.
        students: How many students.
        length: Answers of each.
        explain: Chance that the item is explained after its answer.
        helped: Chance that an answer is given with an explanation at hand.
        wait: Chance that a pause of `days` follows.
        days: Length of a pause.
        seed: The same seed gives the same logs.

    Raises:
        StudentModelError: No items, or one names a concept that is not there.

    Example:
        >>> concepts = ConceptGraph([Item(id="half", concepts=("fractions",))])
        >>> concepts.add("fractions")
        >>> [each.kind for each in simulate(concepts, students=1, length=2, explain=1)["s0"]]
        ['answered', 'explained', 'answered', 'explained']
    """
    if students < 1 or length < 1 or days < 0 or not all(0 <= chance <= 1 for chance in (explain, helped, wait)):
        raise UsageError("a simulation needs 1 student and 1 answer or more, chances from 0 to 1, and no negative days")
    pool = _pool(concepts, list(concepts.items.values() if items is None else items))
    logs: dict[str, list[Observation]] = {}
    for number in range(students):
        rng = random.Random(f"{seed}/{number}")
        student = SimulatedStudent(concepts, rng)
        log = logs.setdefault(f"s{number}", [])
        for _ in range(length):
            item = rng.choice(pool)
            log.append(student.answer(item, with_explanation=rng.random() < helped))
            log += [student.explain(item)] if rng.random() < explain else []
            log += [student.wait(days)] if rng.random() < wait else []
    return logs


def _pool(concepts: ConceptGraph, items: Sequence[Item]) -> Sequence[Item]:
    if not items:
        raise StudentModelError("there are no items that students could answer; give the concepts items")
    for item in items:
        if not item.concepts:
            raise StudentModelError(f"the item {item.id!r} needs no concept; list those that it needs")
        for name in item.concepts:
            concepts.concept(name)  # says what is missing
    return items
