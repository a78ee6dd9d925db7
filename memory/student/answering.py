"""How an item is answered: its chance of success, and what an answer says about each of its concepts.

P(right | states) = guess + (1 - slip - guess) * prod over its concepts of u_c, where u_c is 1 if c is known, `helped`
if it is not but an explanation that covers it is at hand, else 0: a noisy-AND, as in DINA models of cognitive diagnosis
(Junker and Sijtsma 2001). A wrong answer comes from the misconceptions held, in the order of the item's concepts, each
with its `pull`; if none pulls, it is any of the wrong answers with the same chance.

Each of these is a sum of products of functions of single concepts. So its expectation over concepts that are
independent is exact and costs as much as the item has concepts; `maieutic.memory.student.clusters` is for those that
are not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.errors import StudentModelError
from maieutic.files.problems import did_you_mean
from maieutic.memory.student.concepts import contradiction, slip_and_guess
from maieutic.memory.student.grading import chosen, is_right
from maieutic.memory.student.items import Item
from maieutic.memory.student.tracing import Chain, Vector

__all__ = ["ASKS", "OTHER", "Question", "Term", "both", "claims", "expectation", "mean", "messages"]

OTHER = "(another answer)"
"""What `distractor` calls the answers to an open item that have no name."""

ASKS = (0.1, 0.5)
"""P(asks a question about it | thinks that it knows it), and if it thinks that it does not."""

Term = tuple[float, tuple[Vector | None, ...]]
"""A coefficient times one function per concept; None stands for the function that is 1."""


def claims(confidence: float) -> tuple[float, float]:
    """Density of a stated confidence if the student thinks that it knows, and if not: linear, at most 9 to 1."""
    return 0.2 + 1.6 * confidence, 1.8 - 1.6 * confidence


@dataclass(frozen=True, slots=True)
class _Tag:
    """A wrong option, and whom it draws: the position of the concept in the item, and P(drawn | state)."""

    option: str
    position: int
    drawn: Vector


class Question:
    """An item, compiled for a concept graph.

    Args:
        item: The item.
        where: Position of each concept in the graph.
        chains: The concepts' chains, by position.

    Raises:
        StudentModelError: It needs no concept, or names one (or a misconception) that is not there, or whoever knows
            would be right less often than whoever does not.

    Attributes:
        item: The item.
        concepts: The positions of the concepts that it needs.
        covered: For each of them, whether an explanation of the item covers it.
        slip, guess: As used: the item's own, else the mean of its concepts' (1 / options for a guess among options).
    """

    def __init__(self, item: Item, where: Mapping[str, int], chains: Sequence[Chain]) -> None:
        if not item.concepts:
            raise StudentModelError(f"the item {item.id!r} needs no concept; list those that it needs")
        for name in item.concepts:
            if name not in where:
                hint = did_you_mean(name, where)
                raise StudentModelError(f"the item {item.id!r} needs the concept {name!r}, which is not there; {hint}")
        self.item = item
        self.concepts = tuple(where[name] for name in dict.fromkeys(item.concepts))
        self._chains = [chains[at] for at in self.concepts]
        names = tuple(dict.fromkeys(item.concepts))
        self.covered = tuple(name in item.explained for name in names)
        own = [chain.concept for chain in self._chains]
        self.slip, self.guess = slip_and_guess(item, own)
        if said := contradiction(self.slip, self.guess):
            raise StudentModelError(f"the item {item.id!r}: {said}; lower one of them")
        self._tags = self._tagged()
        self._wrong = tuple(option for option in item.options or item.distractors if option != item.answer)
        self._number = max(len(self._wrong) + (0 if item.options else 1), 1)
        self._known: tuple[Vector, ...] = tuple(chain.known for chain in self._chains)
        self._helped: tuple[Vector, ...] = tuple(
            self._usable(chain) if covered else chain.known
            for chain, covered in zip(self._chains, self.covered, strict=True)
        )

    def _tagged(self) -> tuple[_Tag, ...]:
        owners = {
            name: (position, index)
            for position, chain in enumerate(self._chains)
            for index, name in enumerate(chain.misconceptions)
        }
        tags = []
        for option, misconception in self.item.distractors.items():
            if misconception not in owners:
                raise StudentModelError(
                    f"the item {self.item.id!r}: {option!r} tells of {misconception!r}, which is no misconception of "
                    f"its concepts; {did_you_mean(misconception, owners)}"
                )
            position, index = owners[misconception]
            chain = self._chains[position]
            by_k = [0.0] * len(chain.thinks)
            alike = sum(other == misconception for other in self.item.distractors.values())
            by_k[index + 2] = chain.concept.misconceptions[misconception].pull / alike
            tags.append(_Tag(option, position, chain.per_state(by_k)))
        return tuple(sorted(tags, key=lambda tag: tag.position))

    @staticmethod
    def _usable(chain: Chain) -> Vector:
        return chain.per_state([1.0] + [chain.concept.helped] * (len(chain.thinks) - 1))

    def usable(self, explained: bool) -> tuple[Vector, ...]:
        """For each concept, P(it can be used | state)."""
        return self._helped if explained else self._known

    def is_right(self, answer: str) -> bool | None:
        """Whether an answer as it was given is right; None if the right answer is not known."""
        return is_right(self.item, answer)

    def option(self, answer: str | None) -> str | None:
        """The wrong answer, of those with a name, that a wrong answer is; OTHER of an open item; None if unknown."""
        if answer is None or not self._wrong:
            return None
        return chosen(self.item, answer) or (None if self.item.options else OTHER)

    def answered(self, correct: bool, explained: bool, option: str | None = None) -> tuple[Term, ...]:
        """The likelihood of an answer: right, wrong, or wrong in that way."""
        ones: tuple[Vector | None, ...] = (None,) * len(self.concepts)
        usable = self.usable(explained)
        spread = 1.0 - self.slip - self.guess
        if correct:
            return ((self.guess, ones), (spread, usable))
        wrong: tuple[Term, ...] = ((1.0 - self.guess, ones), (-spread, usable))
        return wrong if option is None else both(wrong, self.drawn(option))

    def drawn(self, option: str) -> tuple[Term, ...]:
        """P(this wrong option | the answer is wrong, states)."""
        terms: list[Term] = []
        free: list[Vector | None] = [None] * len(self.concepts)
        for position in dict.fromkeys(tag.position for tag in self._tags):
            of_concept = [tag for tag in self._tags if tag.position == position]
            terms += [(1.0, _with(free, position, tag.drawn)) for tag in of_concept if tag.option == option]
            free[position] = tuple(1.0 - sum(each) for each in zip(*(tag.drawn for tag in of_concept), strict=True))
        share = 1.0 / self._number
        return (*terms, (share, tuple(free)))

    def choices(self) -> tuple[str, ...]:
        """The right answer, then the wrong ones that have a name, and OTHER if there may be more.

        Raises:
            StudentModelError: The item has neither a right answer nor anything to choose from.
        """
        if self.item.answer is None or not self._wrong:
            raise StudentModelError(
                f"the item {self.item.id!r} has nothing to choose from; give its answer, and its options or distractors"
            )
        return (self.item.answer, *self._wrong, *(() if self.item.options else (OTHER,)))

    def sure(self, density: tuple[float, float]) -> tuple[Term, ...]:
        """The likelihood of a sign that depends on whether the student thinks that it knows all of the concepts.

        Args:
            density: Of the sign if it does, and if it does not.
        """
        if_sure, if_not = density
        ones: tuple[Vector | None, ...] = (None,) * len(self.concepts)
        return ((if_not, ones), (if_sure - if_not, tuple(chain.confident for chain in self._chains)))


def _with(vectors: Sequence[Vector | None], position: int, vector: Vector) -> tuple[Vector | None, ...]:
    return (*vectors[:position], _times(vectors[position], vector), *vectors[position + 1 :])


def _times(one: Vector | None, other: Vector | None) -> Vector | None:
    if one is None or other is None:
        return one or other
    return tuple(map(float.__mul__, one, other))


def both(one: Sequence[Term], other: Sequence[Term]) -> tuple[Term, ...]:
    """The likelihood of two signs that are independent given the states."""
    return tuple((a * b, tuple(_times(x, y) for x, y in zip(xs, ys, strict=True))) for a, xs in one for b, ys in other)


def expectation(terms: Sequence[Term], beliefs: Sequence[Sequence[float]]) -> float:
    """The mean of a likelihood over independent concepts with these beliefs."""
    return sum(
        each * math.prod(mean(vector, belief) for vector, belief in zip(vectors, beliefs, strict=True))
        for each, vectors in terms
    )


def messages(terms: Sequence[Term], beliefs: Sequence[Sequence[float]], chains: Sequence[Chain]) -> list[list[float]]:
    """What a likelihood says about each concept: its mean over the others, which are independent with these beliefs."""
    out = [[0.0] * chain.size for chain in chains]
    for coefficient, vectors in terms:
        means = [mean(vector, belief) for vector, belief in zip(vectors, beliefs, strict=True)]
        for position, (total, vector) in enumerate(zip(out, vectors, strict=True)):
            rest = coefficient * math.prod(other for i, other in enumerate(means) if i != position)
            if vector is None:
                out[position] = [each + rest for each in total]
            else:
                out[position] = [each + rest * value for each, value in zip(total, vector, strict=True)]
    return out


def mean(vector: Vector | None, belief: Sequence[float]) -> float:
    """The mean of a function of the states of one concept."""
    return 1.0 if vector is None else sum(map(float.__mul__, vector, belief))
