"""What an expression may ask the student model: `student.mastery('fractions')`, `student.should_intervene(question)`.

Each question takes and gives plain values, and changes nothing: asked twice, it answers twice the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from maieutic.graphs.types import ANY, BOOL, FLOAT, STR, Type

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import ConceptGraph
    from maieutic.memory.student.model import StudentModel

__all__ = ["LOG", "OUTCOME", "QUESTIONS", "STUDENT", "Parameter", "Question", "StudentType", "student_type"]

STUDENT = "student"
"""The name of the student model in expressions, of its observations in the state, and of the input that begins them."""

Role = Literal["concept", "item", "topic", "number"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a question: the name of a concept or an item, either of them ("topic"), or a number."""

    role: Role
    needed: bool = True

    @property
    def words(self) -> str:
        """What it must be, in a sentence."""
        return {
            "concept": "the name of a concept, a str",
            "item": "an item, a str: its id or its question",
            "topic": "an item or a concept, a str",
            "number": "a number",
        }[self.role]

    def fits(self, kind: Type) -> bool:
        """Whether a value of this type can be given for it."""
        wanted = ("int", "float") if self.role == "number" else ("str",)
        return kind.kind == "any" or kind.kind in wanted

    def takes(self, value: Any) -> bool:
        """Whether this value can be given for it."""
        if self.role == "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        takes: Its arguments.
        gives: The type of the answer.
        ask: The answer of a model; raises StudentModelError for names that it does not know. Left out of what the
            model alone cannot answer.
    """

    takes: tuple[Parameter, ...]
    gives: Type
    ask: Callable[..., Any] | None = None

    @property
    def fewest(self) -> int:
        """How many arguments it needs."""
        return sum(parameter.needed for parameter in self.takes)


@dataclass(frozen=True, slots=True)
class StudentType(Type):
    """The type of `student`: what can be asked of a file's student model.

    Attributes:
        concepts: The names of its concepts, or None if they are not known (their file is broken).
        items: The ids and questions of its items, or None.
        budgeted: Whether it has a budget to decide by.
    """

    concepts: frozenset[str] | None = None
    items: frozenset[str] | None = None
    budgeted: bool = True

    def names(self, role: Role) -> frozenset[str] | None:
        """The names that an argument can be, or None if any text may be one."""
        if self.concepts is None or self.items is None or role == "number":
            return None
        return {"concept": self.concepts, "item": self.items, "topic": self.concepts | self.items}[role]

    def strangers(self, role: Role, kind: Type) -> Iterable[str]:
        """Those values of an enumeration (a literal is one of a single value) that are no such name."""
        known = self.names(role)
        return [] if known is None else [value for value in kind.values if value not in known]


LOG = Type("list", Type("dict", ANY))
"""The type of `student.log`."""

OUTCOME = Type(
    "record", fields=(("log", LOG), ("new", LOG), ("mastery", Type("dict", FLOAT)), ("zone", Type("list", STR)))
)
"""The type of `outcome.student`, of a nested graph that has a student model."""


def student_type(concepts: ConceptGraph | None, budgeted: bool) -> StudentType:
    """The type of `student` with these concepts and items (None: they cannot be read)."""
    if concepts is None:
        return StudentType("record", budgeted=budgeted)
    questions = (item.question for item in concepts.items.values() if item.question)
    return StudentType(
        "record",
        concepts=frozenset(concepts.graph.nodes),
        items=frozenset((*concepts.items, *questions)),
        budgeted=budgeted,
    )


_CONCEPT = Parameter("concept")
_ITEM = Parameter("item")
_SHARE = Parameter("number", needed=False)
_PREDICTION = Type(
    "record", fields=(("alone", FLOAT), ("explained", FLOAT), ("utility", FLOAT)), title="student.predict"
)


def _predict(model: StudentModel, item: str) -> dict[str, float]:
    found = model.predict(item)
    return {"alone": found.alone, "explained": found.explained, "utility": found.utility}


def _misconception(model: StudentModel, concept: str) -> dict[str, float]:
    return dict(model.misconception(concept))


def _distractor(model: StudentModel, item: str) -> dict[str, float]:
    return dict(model.distractor(item))


def _zone(model: StudentModel, *shares: float) -> list[str]:
    return list(model.zone(*shares))


def _why(model: StudentModel, topic: str) -> list[str]:
    return [str(reason) for reason in model.why(topic)]


QUESTIONS: Mapping[str, Question] = {
    "mastery": Question((_CONCEPT,), FLOAT, lambda model, concept: model.mastery(concept)),
    "uncertainty": Question((_CONCEPT,), FLOAT, lambda model, concept: model.uncertainty(concept)),
    "thinks": Question((_CONCEPT,), FLOAT, lambda model, concept: model.thinks(concept)),
    "overconfidence": Question((_CONCEPT,), FLOAT, lambda model, concept: model.overconfidence(concept)),
    "unawareness": Question((_CONCEPT,), FLOAT, lambda model, concept: model.unawareness(concept)),
    "misconception": Question((_CONCEPT,), Type("dict", FLOAT), _misconception),
    "predict": Question((_ITEM,), _PREDICTION, _predict),
    "distractor": Question((_ITEM,), Type("dict", FLOAT), _distractor),
    "expected_utility": Question((Parameter("topic"),), FLOAT, lambda model, topic: model.expected_utility(topic)),
    "zone": Question((_SHARE, _SHARE), Type("list", STR), _zone),
    "should_intervene": Question((_ITEM,), BOOL),
    "why": Question((Parameter("topic"),), Type("list", STR), _why),
}
