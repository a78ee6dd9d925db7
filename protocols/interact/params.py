"""What can be said of an INTERACT run beforehand."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from maieutic.errors import MaieuticError
from maieutic.files.documents import read_document
from maieutic.memory import MODERATOR
from maieutic.memory.student.items import Item
from maieutic.protocols.debate_params import twice
from maieutic.protocols.interact.sources import Exchange, read_dialogue, read_items
from maieutic.protocols.parameters import FromFile, Params, Plays
from maieutic.protocols.together import OnFailure

__all__ = ["CONDITIONS", "Choice", "Condition", "InteractParams", "Material"]

Condition = Literal["nothing", "lesson", "interaction", "lesson_interaction", "teacher_bound", "borrowed"]
Choice = Literal["free", "self_estimate", "student_model"]
CONDITIONS: tuple[Condition, ...] = (
    "nothing", "lesson", "borrowed", "interaction", "lesson_interaction", "teacher_bound",
)  # fmt: skip


class Material(BaseModel):
    """A text that the lesson is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(description="What it is called.")] = ""
    text: Annotated[str, Field(min_length=1, description="What it says.")]


def _read_material(path: Path) -> Material:
    document = read_document(path)
    return Material(title=document.title, text=document.text)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value if value is None else [value]


def _borrowed(value: Any, info: ValidationInfo) -> Any:
    """A dialogue as it is given: exchanges, another run's turns or outcome, or the path of a file with them."""
    home = Path((info.context or {}).get("home", ""))
    try:
        return read_dialogue(home / value if isinstance(value, str | Path) else value)
    except MaieuticError as error:
        raise ValueError(str(error)) from error


def _concept_file(value: str, info: ValidationInfo) -> str:
    """The path of a file of concepts, which must be sound."""
    if not value:
        return value
    from maieutic.memory.student import ConceptGraph

    path = (Path((info.context or {}).get("home", "")) / value).resolve()
    try:
        ConceptGraph.load(path)
    except MaieuticError as error:
        raise ValueError(str(error)) from error
    return str(path)


class InteractParams(Params):
    """The parameters of an INTERACT run, as they stand under `with:`."""

    teacher: Annotated[
        list[str],
        Plays("teacher"),
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
        Field(min_length=1, description="Who has the text and teaches; several are compared with one another."),
    ]
    student: Annotated[str, Plays("student"), Field(description="Who learns.")]
    context: Annotated[str, Field(description="The text itself; also an input.")] = ""
    source: Annotated[
        list[Annotated[Material, FromFile(_read_material)]],
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
        Field(description="Paths of the text, where it stands in files or folders; relative to the graph file."),
    ] = []
    topic: Annotated[
        str, Field(description="What the text is about, in a few words; the input question replaces it.")
    ] = ""
    turns: Annotated[int, Field(ge=1, description="Turns of a dialogue: one question and one answer each.")] = 5
    conditions: Annotated[
        Annotated[list[Condition], Field(min_length=1)] | None,
        Field(
            description="What is measured: nothing, the lesson alone, a dialogue from a cold start, one after the "
            "lesson, the teacher with its text, another student's dialogue. Left out: all that apply.",
        ),
    ] = None
    quiz: Annotated[
        Annotated[list[Item], Field(min_length=1)] | None,
        FromFile(read_items),
        Field(description="The questions, or a file of them; left out, the examiner writes them."),
    ] = None
    levels: Annotated[int, Field(ge=1, le=9, description="Levels of difficulty of a quiz that is written.")] = 3
    per_level: Annotated[int, Field(ge=1, le=50, description="Questions on each level of a quiz that is written.")] = 3
    examiner: Annotated[
        str | None, Plays("teacher"), Field(description="Who writes the quiz; the first teacher if left out.")
    ] = None
    closed_book_filter: Annotated[
        bool, Field(description="Whether questions are dropped that are answered right without the text.")
    ] = False
    filter_by: Annotated[
        str | None, Plays("student"), Field(description="Who answers without the text; the student if left out.")
    ] = None
    quiz_every: Annotated[
        Literal["turn", "end"], Field(description="Whether the quiz is taken after every turn, or first and last only.")
    ] = "turn"
    quiz_temperature: Annotated[
        float | None,
        Field(ge=0, le=2, description="Temperature of everything off the record; null leaves it to the models."),
    ] = 0.0
    question_choice: Annotated[
        list[Choice],
        BeforeValidator(_listed, json_schema_input_type=Choice | list[Choice]),
        Field(
            min_length=1,
            description="How the student finds its question: freely, from what it says it is least sure of, or as a "
            "student model advises that follows the dialogue. Several are compared with one another.",
        ),
    ] = ["free"]
    syllabus: Annotated[
        bool, Field(description="Whether the student reads the list of the quiz's concepts beside the topic.")
    ] = False
    concepts: Annotated[
        str,
        AfterValidator(_concept_file),
        Field(description="A file of concepts for the student model; left out, it has the quiz's, all unconnected."),
    ] = ""
    borrowed: Annotated[
        list[Exchange],
        BeforeValidator(_borrowed, json_schema_input_type=str | list[Exchange]),
        Field(description="Another student's dialogue, or a file of one, which the student reads in place of its own."),
    ] = []
    shared_first: Annotated[
        bool,
        Field(
            description="Whether the text stands before who its readers are. An engine with a prefix cache then "
            "computes it once for all teachers and the examiner, and not once for each."
        ),
    ] = False
    on_failure: Annotated[
        OnFailure,
        Field(description="When an answer to the quiz fails: the run fails, or the answer counts as not given."),
    ] = "fail"

    @property
    def measured(self) -> tuple[Condition, ...]:
        """The conditions, the default filled in, in the order of the tables."""
        wanted = self.conditions or [c for c in CONDITIONS if c != "borrowed" or self.borrowed]
        return tuple(c for c in CONDITIONS if c in wanted)

    @property
    def writer(self) -> str:
        """Who writes the quiz if nobody brings one."""
        return self.examiner or self.teacher[0]

    @property
    def sieve(self) -> str:
        """Who answers without the text, if questions are filtered."""
        return self.filter_by or self.student

    @property
    def material(self) -> tuple[Material, ...]:
        """All the texts, those given in words first."""
        return (*([Material(title=self.topic, text=self.context)] if self.context.strip() else []), *self.source)

    def _problems(self) -> Iterator[str]:
        for field, values in (("teacher", self.teacher), ("question_choice", [*map(str, self.question_choice)])):
            if again := twice(values):
                yield f"{field}: {again!r} is there twice"
        yield from self._problems_of_cast()
        if self.conditions and "borrowed" in self.conditions and not self.borrowed:
            yield "conditions: borrowed needs a dialogue; give it as borrowed"
        if self.filter_by and not self.closed_book_filter:
            yield "filter_by: nothing is filtered; set closed_book_filter"
        if self.concepts and "student_model" not in self.question_choice:
            yield "concepts: only question_choice student_model uses them; choose it, or leave them out"
        yield from _problems_of_quiz(self.quiz or [])

    def _problems_of_cast(self) -> Iterator[str]:
        students = {self.student, *filter(None, [self.filter_by])}
        teachers = {*self.teacher, *filter(None, [self.examiner])}
        if both := sorted(students & teachers):
            yield f"{both[0]!r} cannot be teacher and student at once; name another agent"
        if MODERATOR in students | teachers:
            yield f"nobody can be called {MODERATOR!r}: that is who opens the lesson"


def _problems_of_quiz(items: list[Item]) -> Iterator[str]:
    if again := twice([item.id for item in items]):
        yield f"quiz: the id {again!r} is there twice"
    for item in items:
        if item.answer is None:
            yield f"quiz: item {item.id!r} has no answer, so nobody can tell what is right; give it one"
        if not item.question.strip():
            yield f"quiz: item {item.id!r} has no question; give it one"
        if len(item.options) == 1:
            yield f"quiz: item {item.id!r} has one option; give two or more, or none for a short answer"
