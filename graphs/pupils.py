"""The student models of a graph file's runs, each told by what was observed.

A run keeps the observations, as plain JSON; a model is what they add up to. So a run that is resumed, forked or taken
from a host's checkpoint decides as it did before, and nothing else has to be kept. Models are made of longer lists from
those of their beginnings, as far as they are at hand: asking after every observation replays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from maieutic.errors import StudentModelError, UsageError
from maieutic.files.problems import did_you_mean
from maieutic.graphs.questions import QUESTIONS, STUDENT
from maieutic.memory.student.observations import Observation

if TYPE_CHECKING:
    from maieutic.graphs.spec import GraphSpec
    from maieutic.memory.student.concepts import ConceptGraph
    from maieutic.memory.student.decisions import Decisions
    from maieutic.memory.student.items import Item
    from maieutic.memory.student.model import StudentModel

__all__ = ["Answer", "Log", "Pupil", "Pupils", "observed"]

Log = Sequence[Mapping[str, Any]]
"""Observations in order, as plain JSON."""

_SHOWN = 12
"""Names that an error lists if none of them is near to what was written."""
_MOST = 64
"""Models kept at hand: of so many runs at once. Of more, a model is made again from what was observed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the student model answered, and why, in words with numbers."""

    value: Any
    reasons: tuple[str, ...] = ()


def observed(given: Any) -> list[dict[str, Any]]:
    """The observations in what a caller hands in: a list of them, a mapping that has it as `log`, or nothing.

    Raises:
        StudentModelError: It is none of these.
    """
    log = given.get("log") if isinstance(given, Mapping) else given
    if log is None:
        return []
    if not isinstance(log, list | tuple) or not all(isinstance(one, Mapping) for one in log):
        raise StudentModelError(f"a list of observations is expected, or a saved student model, not {given!r:.60}")
    return list(log)


class Pupils:
    """What a graph file knows of concepts and items, and the student models of its runs.

    Args:
        concepts: The concepts and items.
        budget: The share of the items that may be explained, or None.
    """

    def __init__(self, concepts: ConceptGraph, budget: float | None = None) -> None:
        self.graph = concepts
        self.budget = budget
        self.concepts = frozenset(concepts.graph.nodes)
        self._items = {_folded(item.question): item for item in concepts.items.values() if item.question}
        self._lock = Lock()
        self._first: Decisions | None = None
        self._kept: list[tuple[list[Mapping[str, Any]], Decisions]] = []

    @classmethod
    def of(cls, spec: GraphSpec) -> Pupils:
        """Those of a checked file.

        Raises:
            UsageError: Its concepts were not loaded with it.
        """
        if spec.origin.concepts is None or spec.student_model is None:
            raise UsageError(f"{spec.origin.file}: the concepts were not loaded with it; use load_spec")
        return cls(spec.origin.concepts, spec.student_model.budget)

    def item(self, name: str) -> Item | None:
        """The item of this id, or with this question."""
        found: Item | None = self.graph.items.get(name) or self._items.get(_folded(name))
        return found

    def stranger(self, name: str, what: str, otherwise: str = "") -> StudentModelError:
        """The error for a name that the model does not know, with what may have been meant."""
        items = [*self.graph.items, *(item.question for item in self.graph.items.values())]
        known = [*(items if "item" in what else ()), *(self.concepts if "concept" in what else ())]
        meant = did_you_mean(name, known, otherwise="" if len(known) <= _SHOWN else "-")
        advice = " ".join(part for part in (meant.removeprefix("-"), otherwise) if part)
        return StudentModelError(f"the student model knows no {what} {name!r:.80}" + (f"; {advice}" if advice else ""))

    def observations(self, given: Any) -> list[Observation]:
        """Checked observations from plain JSON.

        Raises:
            StudentModelError: One of them is none.
        """
        found = []
        for number, one in enumerate(observed(given), 1):
            try:
                found.append(Observation.model_validate(dict(one)))
            except ValidationError as error:
                told = error.errors(include_url=False)[0]
                place = ".".join(str(part) for part in told["loc"])
                message = f"observation {number} is not valid: {place + ': ' if place else ''}{told['msg']}"
                raise StudentModelError(message) from error
        return found

    def check_given(self, given: Any) -> None:
        """Refuse what a caller hands in as the input `student`, if it cannot have been observed.

        Raises:
            UsageError: It is no list of observations, or one of them is not of these concepts and items.
        """
        try:
            self.check(self.observations(given))
        except StudentModelError as error:
            raise UsageError(f"the input {STUDENT!r}: {error}") from error

    def at(self, given: Any) -> Pupil:
        """The student as far as it was observed."""
        return Pupil(self, observed(given))

    def model(self, log: Log) -> StudentModel:
        """A model of its own that these observations add up to."""
        with self._lock:
            return self._at(log).model.copy()

    def ask(self, log: Log, question: str, arguments: Sequence[Any]) -> Answer:
        """The answer of the model that these observations add up to.

        Raises:
            StudentModelError: The question cannot be asked so.
        """
        asked = QUESTIONS[question]
        for value, parameter in zip(arguments, asked.takes, strict=False):
            if not parameter.takes(value):
                raise StudentModelError(f"student.{question} needs {parameter.words}, not {value!r:.60}")
        with self._lock:
            student = self._at(log)
            if asked.ask is None:
                return self._decided(student, *arguments)
            return Answer(asked.ask(student.model, *arguments))

    def _decided(self, student: Decisions, name: str) -> Answer:
        item = self.item(name)
        if item is None:
            raise self.stranger(name, "item")
        decision = student.decide(item.id)
        return Answer(decision.intervene, (*decision.reasons, *_grounds(student.model, item.id)))

    def _at(self, log: Log) -> Decisions:
        """The student of these observations. The one at hand that has seen most of them is told the rest, in place."""
        best = max(
            (index for index, (seen, _) in enumerate(self._kept) if list(log[: len(seen)]) == seen),
            key=lambda index: len(self._kept[index][0]),
            default=None,
        )
        seen, student = ([], self._new()) if best is None else self._kept.pop(best)
        for one in self.observations(list(log[len(seen) :])):
            student.observe(one)
        self._kept = [*self._kept, (list(log), student)][-_MOST:]
        return student

    def _new(self) -> Decisions:
        """A student of whom nothing was observed."""
        if self._first is None:
            from maieutic.memory.student.decisions import Decisions
            from maieutic.memory.student.model import StudentModel

            self._first = Decisions(StudentModel(self.graph), self.budget or 0.0)
        return self._first.copy()

    def check(self, found: Iterable[Observation]) -> None:
        """Refuse observations of concepts or items that are not known.

        Raises:
            StudentModelError: Naming the first, with what may have been meant.
        """
        for one in found:
            if one.item is not None and self.item(one.item) is None:
                raise self.stranger(one.item, "item")
            for name in one.concepts:
                if name not in self.concepts:
                    raise self.stranger(name, "concept")


@dataclass(frozen=True, slots=True)
class Pupil:
    """The student of one run at one moment: what was observed, and what can be asked."""

    pupils: Pupils
    log: list[dict[str, Any]]

    def after(self, told: Iterable[dict[str, Any]]) -> Pupil:
        """The student when these were observed too."""
        return Pupil(self.pupils, [*self.log, *told])

    def ask(self, question: str, arguments: Sequence[Any]) -> Answer:
        """The student model's answer; see Pupils.ask."""
        return self.pupils.ask(self.log, question, arguments)

    def report(self) -> dict[str, Any]:
        """What is kept with a run's outcome: the observations, and what they tell."""
        model = self.pupils.model(self.log)
        mastery = {name: model.mastery(name) for name in self.pupils.graph.graph.nodes}
        return {"log": list(self.log), "mastery": mastery, "zone": list(model.zone())}


def _grounds(model: StudentModel, item: str) -> list[str]:
    """What the expected utility of an item comes from: what is believed, without how that came about."""
    prediction = model.predict(item)
    known = [f"mastery of {name} {model.mastery(name):.2f}" for name in model.items[item].concepts]
    return [f"right alone {prediction.alone:.2f}, explained {prediction.explained:.2f}", *known]


def _folded(question: str) -> str:
    return " ".join(question.split()).casefold()
