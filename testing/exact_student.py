"""The student model by enumeration of everything that can be the case: slow, exact, for small graphs.

Written from the definition in `maieutic.memory.student`, not from its code, so that the two can be compared.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from maieutic.memory.student import Concept, ConceptGraph, Item, Observation

__all__ = ["ExactStudent"]

State = tuple[int, bool]
"""Of one concept: 0 known, 1 unknown, 2 and up a misconception; and whether the student thinks that it knows."""
Floats = npt.NDArray[np.float64]


class ExactStudent:
    """The joint distribution over the states of all concepts, filtered observation by observation.

    Args:
        concepts: At most about eight.
        items: The items that observations name.
    """

    def __init__(self, concepts: ConceptGraph, items: Iterable[Item] = ()) -> None:
        self.names = list(concepts)
        self.parameters: dict[str, Concept] = {name: concepts.concept(name) for name in self.names}
        self.needs = {name: concepts.needs(name) for name in self.names}
        self.items = {item.id: item for item in (*concepts.items.values(), *items)}
        self.states: dict[str, list[State]] = {
            name: [(k, j) for k in range(2 + len(each.misconceptions)) for j in (True, False)]
            for name, each in self.parameters.items()
        }
        self.joint: Floats = np.zeros([len(self.states[name]) for name in self.names])
        for first in itertools.product((True, False), repeat=len(self.names)):
            self.joint += self._at_first(dict(zip(self.names, first, strict=True)))

    def observe(self, observation: Observation) -> None:
        """Condition on one observation, or let it change the student."""
        if observation.kind == "waited":
            for name in self.names:
                self._move(name, self._forgetting(name, observation.days or 0.0))
            return
        item = self._item(observation)
        if observation.kind == "explained":
            rates = {name: self.parameters[name].learn * self.readiness(name) for name in item.explained}
            for name, rate in rates.items():
                self._move(name, self._learning(name, rate))
            return
        self._weigh(item.concepts, lambda states: self._likelihood(item, observation, states))
        if observation.kind == "answered":
            for name in item.concepts:
                self._move(name, self._learning(name, self.parameters[name].learn_practice))

    def marginal(self, name: str) -> Floats:
        """P(state) of one concept, in the order of `states`."""
        others = tuple(axis for axis, other in enumerate(self.names) if other != name)
        return np.asarray(self.joint.sum(axis=others) / self.joint.sum())

    def chance(self, name: str, holds: Callable[[State], bool]) -> float:
        """P(a concept's state is such)."""
        return float(sum(p for p, state in zip(self.marginal(name), self.states[name], strict=True) if holds(state)))

    def mastery(self, name: str) -> float:
        """P(known)."""
        return self.chance(name, lambda state: state[0] == 0)

    def thinks(self, name: str) -> float:
        """P(thinks it knows)."""
        return self.chance(name, lambda state: state[1])

    def readiness(self, name: str) -> float:
        """The product over what it needs of 1 - weight * P(not known)."""
        return math.prod(1 - weight * (1 - self.mastery(p)) for p, weight in self.needs[name].items())

    def right(self, item: Item, *, explained: bool = False) -> float:
        """P(right)."""
        answer = Observation(kind="answered", item=item.id, correct=True, with_explanation=explained)
        return self._mean(item.concepts, lambda states: self._likelihood(item, answer, states))

    def chooses(self, item: Item, option: str) -> float:
        """P(this wrong option is chosen)."""
        answer = Observation(kind="answered", item=item.id, correct=False, choice=option)
        return self._mean(item.concepts, lambda states: self._likelihood(item, answer, states))

    def _at_first(self, first: dict[str, bool]) -> Floats:
        out: Floats = np.ones(self.joint.shape)
        for name in self.names:
            own = self.parameters[name]
            chance = own.prior
            for prerequisite, weight in self.needs[name].items():
                chance *= 1.0 if first[prerequisite] else 1 - weight
            held = list(own.shares.values())
            spread = [1.0, *[0.0] * (1 + len(held))] if first[name] else [0.0, 1 - sum(held), *held]
            vector = [spread[k] * self._sure(name, k, j) for k, j in self.states[name]]
            out = out * self._along(name, np.array(vector) * (chance if first[name] else 1 - chance))
        return out

    def _sure(self, name: str, k: int, j: bool) -> float:
        own = self.parameters[name]
        yes = [own.aware, own.overconfident, *(each.believed for each in own.misconceptions.values())][k]
        return yes if j else 1 - yes

    def _along(self, name: str, vector: Floats) -> Floats:
        shape = [1] * len(self.names)
        shape[self.names.index(name)] = len(vector)
        return vector.reshape(shape)

    def _table(self, names: Sequence[str], function: Callable[[dict[str, State]], float]) -> Floats:
        shape = [len(self.states[name]) if name in names else 1 for name in self.names]
        table: Floats = np.zeros(shape)
        for index in np.ndindex(*shape):
            states = {name: self.states[name][i] for name, i in zip(self.names, index, strict=True) if name in names}
            table[index] = function(states)
        return table

    def _weigh(self, names: Sequence[str], likelihood: Callable[[dict[str, State]], float]) -> None:
        self.joint = self.joint * self._table(names, likelihood)
        self.joint /= self.joint.sum()

    def _mean(self, names: Sequence[str], function: Callable[[dict[str, State]], float]) -> float:
        return float((self.joint * self._table(names, function)).sum() / self.joint.sum())

    def _item(self, observation: Observation) -> Item:
        if observation.item is not None:
            return self.items[observation.item]
        return Item(id="open", concepts=observation.concepts)

    def _likelihood(self, item: Item, observation: Observation, states: dict[str, State]) -> float:
        sure = all(j for _, j in states.values())
        if observation.kind == "asked":
            return 0.1 if sure else 0.5
        said = observation.confidence
        density = 1.0 if said is None else 0.2 + 1.6 * said if sure else 1.8 - 1.6 * said
        if observation.kind == "claimed":
            return density
        right = self._right(item, observation.with_explanation, states)
        if observation.correct:
            return density * right
        chosen = 1.0 if observation.choice is None else self._chosen(item, observation.choice, states)
        return density * (1 - right) * chosen

    def _right(self, item: Item, explained: bool, states: dict[str, State]) -> float:
        own = [self.parameters[name] for name in item.concepts]
        slip = sum(each.slip for each in own) / len(own) if item.slip is None else item.slip
        guess = sum(each.guess for each in own) / len(own)
        if item.options:
            guess = 1 / len(item.options)
        if item.guess is not None:
            guess = item.guess
        usable = 1.0
        for name in item.concepts:
            if states[name][0] != 0:
                usable *= self.parameters[name].helped if explained and name in item.explained else 0.0
        return guess + (1 - slip - guess) * usable

    def _chosen(self, item: Item, option: str, states: dict[str, State]) -> float:
        """P(this option | the answer is wrong)."""
        wrong = [each for each in item.options if each != item.answer]
        chance, free = 0.0, 1.0
        for name in item.concepts:
            for k, (misconception, each) in enumerate(self.parameters[name].misconceptions.items(), start=2):
                leads = [o for o, told in item.distractors.items() if told == misconception]
                if states[name][0] == k and leads:
                    chance += free * each.pull * (option in leads) / len(leads)
                    free *= 1 - each.pull
        return chance + free / len(wrong)

    def _learning(self, name: str, rate: float) -> Floats:
        return self._matrix(name, {k: {0: rate} for k in range(1, len(self.states[name]) // 2)})

    def _forgetting(self, name: str, days: float) -> Floats:
        return self._matrix(name, {0: {1: 1 - (1 - self.parameters[name].forget) ** days}})

    def _matrix(self, name: str, moves: dict[int, dict[int, float]]) -> Floats:
        """Transitions of one concept; who moves to another k comes to think as those there do."""
        states = self.states[name]
        matrix: Floats = np.zeros((len(states), len(states)))
        for i, (k, _) in enumerate(states):
            matrix[i, i] = 1 - sum(moves.get(k, {}).values())
            for target, chance in moves.get(k, {}).items():
                for j in (True, False):
                    matrix[i, states.index((target, j))] += chance * self._sure(name, target, j)
        return matrix

    def _move(self, name: str, matrix: Floats) -> None:
        axis = self.names.index(name)
        self.joint = np.moveaxis(np.tensordot(self.joint, matrix, axes=(axis, 0)), -1, axis)
