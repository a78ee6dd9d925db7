"""The parameters of a tutoring dialogue, what it keeps as its state, and what it comes to."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.files.documents import read_document
from maieutic.protocols.base import FromFile, Outcome, Params, Plays
from maieutic.protocols.given import Course, read_concepts
from maieutic.protocols.tutor.moves import Rules

__all__ = ["Attempt", "State", "Sure", "TutorOutcome", "TutorParams", "bars"]


def _text_of(path: Path) -> str:
    return read_document(path).text


class TutorParams(Params):
    """The parameters of a tutoring dialogue."""

    teacher: Annotated[str, Plays("teacher"), Field(description="Who teaches.")]
    student: Annotated[str, Plays("student"), Field(description="Who is taught: a model or a person.")]
    concepts: Annotated[
        Course | None,
        FromFile(read_concepts),
        Field(description="What is to be learned, with exercises: a concept file. Left out, the text says."),
    ] = None
    context: Annotated[str, Field(description="A text that the lesson is about, known to the teacher alone.")] = ""
    source: Annotated[
        str, FromFile(_text_of), Field(description="The same from a document, or from a folder of documents.")
    ] = ""
    exercises: Annotated[
        int, Field(ge=1, le=50, description="How many exercises the teacher makes from the context.")
    ] = 9
    turns: Annotated[int, Field(ge=1, le=1000, description="Most exchanges (a move and what the student says).")] = 20
    mastered: Annotated[float, Field(gt=0, lt=1, description="From which mastery on a concept counts as known.")] = 0.9
    ready: Annotated[
        float, Field(ge=0, le=1, description="From which mastery of its prerequisites on a concept is ready.")
    ] = 0.7
    tries: Annotated[int, Field(ge=1, le=10, description="Wrong answers to one exercise before the next.")] = 3

    confidence: Annotated[
        bool, Field(description="Whether a person is asked how sure it is of each answer; models always say.")
    ] = False

    @property
    def text(self) -> str:
        """What the teacher teaches from, if there is a text."""
        return "\n\n".join(part for part in (self.context.strip(), self.source.strip()) if part)

    @property
    def rules(self) -> Rules:
        """The numbers that the choice of moves turns on."""
        return Rules(mastered=self.mastered, ready=self.ready, tries=self.tries)


class Attempt(BaseModel):
    """What a person answers to an exercise."""

    answer: Annotated[str, Field(min_length=1, description="or a question of yours, or stop")]


class Sure(BaseModel):
    """How sure a person is of what it answered."""

    confidence: Annotated[float | None, Field(ge=0, le=1, description="from 0 to 1; Enter to skip")] = None


class State(TypedDict, total=False):
    """The state of the graph: plain JSON.

    Attributes:
        question, log: The inputs: what the lesson is about in words, and what was observed of the student before.
        turns: The transcript.
        observed: What was observed in this lesson, in order (see Observation).
        concepts: What is to be learned, as JSON (see ConceptGraph.to_json), once it is known.
        moves: The moves made, each with its reasons.
        exercise: The exercise that was last answered wrong, or null.
        asked: What the student is to answer now: the concept, the item's id or null, the words; or null.
        over: Why the lesson ended; empty as long as it goes on.
    """

    question: str
    log: list[dict[str, Any]]
    turns: Annotated[list[dict[str, Any]], operator.add]
    observed: Annotated[list[dict[str, Any]], operator.add]
    concepts: dict[str, Any]
    moves: Annotated[list[dict[str, Any]], operator.add]
    exercise: dict[str, Any] | None
    asked: dict[str, Any] | None
    over: str


class TutorOutcome(Outcome):
    """What a lesson came to.

    Attributes:
        mastery: By concept, what the model believes at the end.
        before: By concept, what it believed at the beginning.
        moves: The teacher's moves in order: move, concept, item, why.
        observed: What was observed in this lesson, in order.
        student: The student model at the end, as JSON (see StudentModel.from_json).
    """

    model_config = ConfigDict(extra="forbid")

    mastery: dict[str, float] = {}
    before: dict[str, float] = {}
    moves: list[dict[str, Any]] = []
    observed: list[dict[str, Any]] = []
    student: dict[str, Any] = {}

    def table(self) -> str:
        """The mastery of every concept, before and after."""
        return bars(self.before, self.mastery)


def bars(before: Mapping[str, float], after: Mapping[str, float], width: int = 20) -> str:
    """Mastery before and after, one concept a line, with a bar."""
    if not after:
        return ""
    longest = max(map(len, after))
    lines = []
    for concept, mastery in after.items():
        bar = ("#" * round(mastery * width)).ljust(width, ".")
        lines.append(f"{concept:<{longest}}  {before.get(concept, mastery):.2f} -> {mastery:.2f}  {bar}")
    return "\n".join(lines)
