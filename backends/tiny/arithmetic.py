"""The task of the tiny models: running arithmetic modulo 10 in words, with worked steps and hints.

    Start 3; add 4; times 2; minus 5.                   the question
    3+4=7; 7*2=4; 4-5=9. Answer: 9                      the worked steps
    Hint: 3+4=7; 7*2=4.                                 an explanation: every step but the last

A tenth of the questions, chosen by a hash of their text, is kept out of training: `items` draws only from those, so
that every seed gives questions that no tiny model has seen. (Questions of one operation are the 250 facts that have
to be learned, and are all trained.)
"""

from __future__ import annotations

import random
import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

__all__ = [
    "CONCEPTS",
    "GAP",
    "Operation",
    "Problem",
    "answer_in",
    "draw",
    "held_out",
    "hint",
    "items",
    "steps_in",
    "wrong_steps",
]

_SIGNS = {"add": "+", "minus": "-", "times": "*"}
_NUMBERS = {"add": range(1, 10), "minus": range(1, 10), "times": (2, 3, 4, 6, 7, 8, 9)}
_OPERATION = re.compile(r"(add|minus|times) (\d)")
_QUESTION = re.compile(r"Start (\d)((?:; (?:add|minus|times) \d)+)\.")
_STEP = re.compile(r"\d[-+*]\d=\d")
_ANSWER = re.compile(r"Answer: (\d)")
_KEPT_OUT_OF = 10
_EACH_LENGTH = 0.8
"""Of the 10 × 25^k questions of k operations a tenth is kept out; nearly all of those can be drawn without waiting."""


@dataclass(frozen=True)
class Operation:
    """One step: `add`, `minus` or `times` a number of one digit."""

    name: str
    number: int

    @property
    def concept(self) -> str:
        """The id of the concept it needs, such as `times-7`."""
        return f"{self.name}-{self.number}"

    def on(self, state: int) -> int:
        """The state after it, 0 to 9."""
        if self.name == "add":
            return (state + self.number) % 10
        if self.name == "minus":
            return (state - self.number) % 10
        return state * self.number % 10

    def written(self, state: int, result: int) -> str:
        """The step as the models write it: `7*2=4`."""
        return f"{state}{_SIGNS[self.name]}{self.number}={result}"


OPERATIONS = tuple(Operation(name, number) for name, numbers in _NUMBERS.items() for number in numbers)
"""All 25: factors 0, 1 and 5 are left out of `times`, for they collapse or keep the state."""

CONCEPTS = tuple(operation.concept for operation in OPERATIONS)
"""The ids of all 25 concepts."""

GAP = frozenset({"add-8", "add-9", "minus-9", "times-8", "times-9"})
"""What the student models never computed in training and read in hints only: a fifth of all operations."""


@dataclass(frozen=True)
class Problem:
    """A number to start from and the operations on it, in order."""

    start: int
    operations: tuple[Operation, ...]

    @classmethod
    def all_in(cls, text: str) -> list[Problem]:
        """The questions that stand in a text, in order."""
        return [
            cls(int(start), tuple(Operation(name, int(number)) for name, number in _OPERATION.findall(operations)))
            for start, operations in _QUESTION.findall(text)
        ]

    @cached_property
    def question(self) -> str:
        """The question as the models read it."""
        return f"Start {self.start}; " + "; ".join(f"{o.name} {o.number}" for o in self.operations) + "."

    @cached_property
    def states(self) -> tuple[int, ...]:
        """The start and the state after every operation."""
        states = [self.start]
        for operation in self.operations:
            states.append(operation.on(states[-1]))
        return tuple(states)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The worked steps."""
        return tuple(o.written(a, b) for o, a, b in zip(self.operations, self.states, self.states[1:], strict=False))

    @property
    def answer(self) -> int:
        """The last state."""
        return self.states[-1]

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts of its operations in order, each once."""
        return tuple(dict.fromkeys(o.concept for o in self.operations))

    @property
    def explained(self) -> tuple[str, ...]:
        """The concepts of the steps that an explanation shows: all but the last."""
        return tuple(dict.fromkeys(o.concept for o in self.operations[:-1]))


def draw(rng: random.Random, length: int, unknown: Set[str] = frozenset(), known_from: int = 0) -> Problem:
    """A random problem.

    Args:
        rng: Where the choices come from.
        length: How many operations, at least 1.
        unknown: Concepts that no operation from position `known_from` on may need.
        known_from: The first position (from 0) at which the unknown concepts are avoided.
    """
    start = rng.randrange(10)
    operations = []
    for at in range(length):
        while True:
            name = rng.choice(("add", "minus", "times"))
            operation = Operation(name, rng.choice(_NUMBERS[name]))
            if at < known_from or operation.concept not in unknown:
                break
        operations.append(operation)
    return Problem(start, tuple(operations))


def held_out(problem: Problem) -> bool:
    """Whether the question is kept out of all training: a tenth of those with two or more operations."""
    if len(problem.operations) < 2:
        return False
    return int.from_bytes(blake2b(problem.question.encode(), digest_size=8).digest(), "big") % _KEPT_OUT_OF == 0


def items(n: int, seed: int, lengths: tuple[int, ...] = (2, 3, 4, 5)) -> list[dict[str, Any]]:
    """Questions that no tiny model was trained on, none of them twice, as many of each length as can be.

    Args:
        n: How many. The first m of `items(n, seed)` are `items(m, seed)`.
        seed: Any number; two seeds may share a few of their shorter questions.
        lengths: How many operations the questions have, taken in turn; each at least 2.

    Returns:
        One dictionary per question: `id`, `question`, `answer` (a digit as text), `concepts` (of its operations) and
        `explains` (the concepts that an explanation covers which shows all steps but the last).
    """
    if not lengths or min(lengths) < 2:
        raise ValueError(f"only questions of two or more operations are kept out of training, not {lengths}")
    if n > len(lengths) * (there_are := _EACH_LENGTH * len(OPERATIONS) ** min(lengths)):
        raise ValueError(f"there are not {n} questions kept out; of the shortest, ask for {there_are:.0f} at most")
    rng = random.Random(f"tiny items {seed}")
    found: dict[str, Problem] = {}
    while len(found) < n:
        length = lengths[len(found) % len(lengths)]
        problem = draw(rng, length)
        if held_out(problem) and problem.question not in found:
            found[problem.question] = problem
    return [_item(problem, f"{seed}-{number:04}") for number, problem in enumerate(found.values(), start=1)]


def _item(problem: Problem, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "question": problem.question,
        "answer": str(problem.answer),
        "concepts": list(problem.concepts),
        "explains": list(problem.explained),
    }


def hint(steps: tuple[str, ...] | list[str]) -> str:
    """The steps as a hint behind a question, with a blank before it; empty without steps."""
    return f" Hint: {'; '.join(steps)}." if steps else ""


def steps_in(text: str) -> tuple[str, ...]:
    """The worked steps that stand in a text, in order, right or wrong."""
    return tuple(_STEP.findall(text))


def answer_in(text: str) -> str | None:
    """The digit behind the last `Answer:` of a text, or None."""
    found = _ANSWER.findall(text)
    return found[-1] if found else None


def wrong_steps(problem: Problem, rng: random.Random) -> tuple[str, ...]:
    """The worked steps with a wrong result, not in the last step, that is carried on: a plausible wrong explanation."""
    wrong_at = rng.randrange(max(1, len(problem.operations) - 1))
    state, steps = problem.start, []
    for at, operation in enumerate(problem.operations):
        result = operation.on(state)
        if at == wrong_at:
            result = (result + rng.randrange(1, 10)) % 10
        steps.append(operation.written(state, result))
        state = result
    return tuple(steps)
