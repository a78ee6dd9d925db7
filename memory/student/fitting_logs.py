"""Logs of many students as the flat chains that fitting works on, and what ties the chains together.

Two things reach over from other concepts and are plugged in, then refreshed between rounds of EM: whether the other
concepts that an item needs were known, and whether the prerequisites of what is explained were. Both are what the other
chain gave just before the event: from its own events until then, and from what all concepts say of the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain as joined

import numpy as np
from numpy.typing import NDArray

from maieutic.errors import StudentModelError
from maieutic.files.problems import did_you_mean
from maieutic.memory.student.answering import Question
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.fitting_chains import Chains, Rates
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.tracing import Chain

__all__ = ["Compiled", "Questions", "compile_logs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


class Questions:
    """The items, resolved against the concepts.

    Args:
        concepts: The concepts.
        items: The items by id.
        order: The concepts' names; their positions are used for them.
    """

    def __init__(self, concepts: ConceptGraph, items: Mapping[str, Item], order: Sequence[str]) -> None:
        self.position = {name: number for number, name in enumerate(order)}
        self._chains = [Chain(concepts.concept(name)) for name in order]
        self._items = items
        self._made: dict[object, Question] = {}

    def of(self, observation: Observation) -> Question:
        """What an observation is about.

        Raises:
            StudentModelError: An item or a concept that is not there.
        """
        key = observation.item if observation.item is not None else observation.concepts
        if key not in self._made:
            self._made[key] = Question(self._item(observation), self.position, self._chains)
        return self._made[key]

    def right(self, observation: Observation) -> bool:
        """Whether an answer was right.

        Raises:
            StudentModelError: Nothing says so.
        """
        question, right = self.of(observation), observation.correct
        if right is None and observation.choice is not None:
            right = question.is_right(observation.choice)
        if right is None:
            raise StudentModelError(
                f"nothing says whether the answer {observation.choice!r} to {question.item.id!r} was right; give the "
                "observation `correct`, or the item its answer"
            )
        return right

    def _item(self, observation: Observation) -> Item:
        if observation.item is None:
            return Item(id="an open question", concepts=observation.concepts)
        if observation.item not in self._items:
            hint = did_you_mean(observation.item, self._items)
            raise StudentModelError(f"there is no item {observation.item!r}; {hint}")
        return self._items[observation.item]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Logs, ready for EM.

    Attributes:
        chains: The chains.
        students: How many students there are, with or without events.
        answers: How many answers.
        event, sibling, rescued: Items with several concepts: event numbers of one concept's chain and of another's, and
            whether an explanation at hand could make up for not knowing the other.
        lesson, look, weight: Explanations: event numbers in the explained concept's chain and in a prerequisite's, and
            the weight of the edge.
    """

    chains: Chains
    students: int
    answers: int
    event: Ints
    sibling: Ints
    rescued: NDArray[np.bool_]
    lesson: Ints
    look: Ints
    weight: Floats

    @property
    def linked(self) -> bool:
        """Whether anything has to be plugged in."""
        return bool(len(self.event) or len(self.lesson))

    def plug_in(self, before: Floats, rates: Rates) -> None:
        """Refresh what chains take from one another.

        Args:
            before: P(known) before each event, [event].
            rates: The parameters as they are now.
        """
        chains = self.chains
        other = chains.concept[self.sibling]
        known = before[self.sibling]
        chains.others[:] = 1.0
        usable = known + (1 - known) * self.rescued * rates.helped[other]
        np.multiply.at(chains.others, self.event, usable)
        chains.ready[:] = 1.0
        np.multiply.at(chains.ready, self.lesson, 1 - self.weight * (1 - before[self.look]))
        for rest, share, own in (
            (chains.slip_rest, chains.slip_share, rates.slip),
            (chains.guess_rest, chains.guess_share, rates.guess),
        ):
            shared = np.unique(self.event[share[self.event] > 0])
            rest[shared] = 0.0
            np.add.at(rest, self.event, share[self.event] * own[other])


@dataclass(slots=True)
class _Sheet:
    """Events as they are read, column by column; one row each."""

    row: list[int] = field(default_factory=list)
    concept: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    with_help: list[bool] = field(default_factory=list)
    slip: list[tuple[float, float]] = field(default_factory=list)
    guess: list[tuple[float, float]] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    siblings: list[tuple[int, int, bool]] = field(default_factory=list)
    lessons: list[tuple[int, int, float]] = field(default_factory=list)
    rows: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self,
        row: int,
        kind: str,
        *,
        right: bool = False,
        with_help: bool = False,
        slip: tuple[float, float] = (0.0, 0.0),
        guess: tuple[float, float] = (0.0, 0.0),
        days: float = 0.0,
    ) -> int:
        self.row.append(row)
        self.concept.append(self.rows[row][1])
        self.kind.append(kind)
        self.right.append(right)
        self.with_help.append(with_help)
        self.slip.append(slip)
        self.guess.append(guess)
        self.days.append(days)
        return len(self.row) - 1


class _Reader:
    """Reads one student's log into a sheet."""

    def __init__(self, sheet: _Sheet, student: int, questions: Questions, needs: Sequence[Mapping[int, float]]) -> None:
        self.sheet = sheet
        self.student = student
        self.questions = questions
        self.needs = needs
        self.day = 0.0
        self.rows: dict[int, int] = {}
        self.seen: dict[int, float] = {}

    def read(self, observation: Observation) -> int:
        """Take in one observation; how many answers it was."""
        if observation.kind == "waited":
            self.day += observation.days or 0.0
        elif observation.kind == "explained":
            self._explained(observation)
        elif observation.kind == "answered":
            self._answered(observation)
            return 1
        return 0

    def _row(self, concept: int) -> int:
        """The chain of a concept, brought up to this day."""
        if concept not in self.rows:
            self.rows[concept] = len(self.sheet.rows)
            self.sheet.rows.append((self.student, concept))
        row = self.rows[concept]
        if self.day > self.seen.get(concept, 0.0):
            self.sheet.add(row, "wait", days=self.day - self.seen.get(concept, 0.0))
        self.seen[concept] = self.day
        return row

    def _explained(self, observation: Observation) -> None:
        question = self.questions.of(observation)
        taught = [c for c, covered in zip(question.concepts, question.covered, strict=True) if covered]
        looks = {p: self.sheet.add(self._row(p), "look") for c in taught for p in self.needs[c]}
        for concept in taught:
            lesson = self.sheet.add(self._row(concept), "lesson")
            self.sheet.lessons += [(lesson, looks[p], weight) for p, weight in self.needs[concept].items()]

    def _answered(self, observation: Observation) -> None:
        question = self.questions.of(observation)
        right = self.questions.right(observation)
        own = 1 / len(question.concepts)
        fixed_guess = question.item.guess is not None or len(question.item.options) > 1
        slip = (own, 0.0) if question.item.slip is None else (0.0, question.slip)
        guess = (0.0, question.guess) if fixed_guess else (own, 0.0)
        helps = [observation.with_explanation and covered for covered in question.covered]
        events = [
            self.sheet.add(self._row(c), "answer", right=right, with_help=helped, slip=slip, guess=guess)
            for c, helped in zip(question.concepts, helps, strict=True)
        ]
        self.sheet.siblings += [
            (event, other, helped)
            for event in events
            for other, helped in zip(events, helps, strict=True)
            if other != event
        ]


def compile_logs(
    logs: Sequence[Sequence[Observation]], questions: Questions, needs: Sequence[Mapping[int, float]]
) -> Compiled:
    """Flatten logs.

    Args:
        logs: One log per student.
        questions: The items.
        needs: The prerequisites of each concept, with their weights, all by position.

    Raises:
        StudentModelError: An unknown item or concept, or an answer of which nobody knows whether it was right.
    """
    sheet = _Sheet()
    answers = 0
    for student, log in enumerate(logs):
        reader = _Reader(sheet, student, questions, needs)
        answers += sum(map(reader.read, log))
    return _flat(sheet, len(logs), answers)


def _flat(sheet: _Sheet, students: int, answers: int) -> Compiled:
    row = np.array(sheet.row, dtype=np.intp)
    lengths = np.bincount(row, minlength=len(sheet.rows))
    rank = np.empty(len(sheet.rows), dtype=np.intp)
    longest = np.argsort(-lengths, kind="stable")
    rank[longest] = np.arange(len(rank))
    by_row = np.argsort(row, kind="stable")
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    step = np.empty_like(row)
    step[by_row] = np.arange(len(row)) - starts
    order = np.lexsort((rank[row], step))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    kind = np.array(sheet.kind, dtype=object)[order]
    slip = np.array(sheet.slip, dtype=np.float64).reshape(-1, 2)[order]
    guess = np.array(sheet.guess, dtype=np.float64).reshape(-1, 2)[order]
    rows = np.array(sheet.rows, dtype=np.intp).reshape(-1, 2)[longest]
    chains = Chains(
        row_student=rows[:, 0],
        row_concept=rows[:, 1],
        sizes=np.bincount(step),
        concept=np.array(sheet.concept, dtype=np.intp)[order],
        shown=kind == "answer",
        right=np.array(sheet.right, dtype=np.bool_)[order],
        with_help=np.array(sheet.with_help, dtype=np.bool_)[order],
        slip_share=slip[:, 0].copy(),
        slip_rest=slip[:, 1].copy(),
        guess_share=guess[:, 0].copy(),
        guess_rest=guess[:, 1].copy(),
        taught=(kind == "lesson").astype(np.float64),
        practised=(kind == "answer").astype(np.float64),
        days=np.array(sheet.days, dtype=np.float64)[order],
    )
    one, other, rescued = _columns(sheet.siblings)
    lesson, look, weight = _columns(sheet.lessons)
    return Compiled(
        chains,
        students,
        answers,
        event=place[one.astype(np.intp)],
        sibling=place[other.astype(np.intp)],
        rescued=rescued.astype(np.bool_),
        lesson=place[lesson.astype(np.intp)],
        look=place[look.astype(np.intp)],
        weight=weight,
    )


def _columns(triples: Sequence[tuple[float, float, float]]) -> tuple[Floats, Floats, Floats]:
    flat = np.fromiter(joined.from_iterable(triples), dtype=np.float64, count=3 * len(triples)).reshape(-1, 3)
    return flat[:, 0], flat[:, 1], flat[:, 2]
