"""The quiz: how it is written, in which order its options stand, and how an answer is marked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from maieutic.agents import Agent, Reply, among
from maieutic.agents.replies import Position
from maieutic.memory import Transcript, Turn
from maieutic.memory.answers import normal
from maieutic.memory.student.grading import is_right
from maieutic.memory.student.items import Item

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Asked", "QuizItem", "WrittenQuestion", "examined", "marked", "quiz_form", "shuffled", "written"]


class QuizItem(BaseModel):
    """One question of the quiz.

    Attributes:
        item: The question, its options in the order in which they are shown, its answer and concepts.
        level: Its level of difficulty, or None if it was brought without one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Item
    level: int | None = None


class WrittenQuestion(BaseModel):
    """One multiple-choice question as an examiner writes it."""

    question: Annotated[str, Field(description="The question, understandable without the text.")]
    options: Annotated[list[str], Field(min_length=2, max_length=6, description="Four different answers.")]
    answer: Annotated[str, Field(description="The right one of the options, word for word.")]
    level: Annotated[int, Field(ge=1, description="Its level, 1 being the easiest.")]
    concept: Annotated[str, Field(description="What part of the text it is about, in a word or two.")]

    @model_validator(mode="after")
    def _sound(self) -> WrittenQuestion:
        if not self.question.strip():
            raise ValueError("the question is empty")
        if len({normal(option) for option in self.options}) < len(self.options):
            raise ValueError(f"two options of {self.question!r} say the same")
        if self.answer not in self.options:
            raise ValueError(f"the answer {self.answer!r} of {self.question!r} is not among its options")
        return self


class _Quiz(BaseModel):
    """A test on a text."""

    questions: list[WrittenQuestion]

    @field_validator("questions")
    @classmethod
    def _different(cls, questions: list[WrittenQuestion]) -> list[WrittenQuestion]:
        seen: set[str] = set()
        for each in questions:
            if (form := normal(each.question)) in seen:
                raise ValueError(f"the question {each.question!r} is there twice")
            seen.add(form)
        return questions


@lru_cache(maxsize=64)
def quiz_form(levels: int, per_level: int) -> type[BaseModel]:
    """The form of a written quiz: at most `levels` times `per_level` questions, none above the highest level."""
    level: Any = Annotated[int, Field(ge=1, le=levels, description=f"Its level, 1 (easiest) to {levels}.")]
    question: Any = create_model("WrittenQuestion", __base__=WrittenQuestion, level=(level, ...))
    questions: Any = Annotated[list[question], Field(min_length=1, max_length=levels * per_level)]
    return create_model("Quiz", __base__=_Quiz, questions=(questions, ...))


def written(reply: Reply) -> list[QuizItem]:
    """The items of a quiz that was written, numbered from the easiest level up: "q1", "q2", …."""
    questions: Sequence[WrittenQuestion] = getattr(reply.data, "questions", ())
    return [
        QuizItem(
            item=Item(
                id=f"q{number}",
                question=each.question,
                answer=each.answer,
                options=tuple(each.options),
                concepts=(each.concept.strip(),) if each.concept.strip() else (),
            ),
            level=each.level,
        )
        for number, each in enumerate(sorted(questions, key=lambda each: each.level), 1)
    ]


def shuffled(item: Item, rng: Random) -> Item:
    """The item with its options in an order of chance, which then stays the same wherever it is asked."""
    options = list(item.options)
    rng.shuffle(options)
    return item.model_copy(update={"options": tuple(options)})


async def examined(agent: Agent, item: Item, at: Place, transcript: Transcript, *, temperature: float | None) -> Reply:
    """An agent's answer to one question, after what it has read (a `Position`)."""
    return await agent.do(
        "exam",
        at,
        transcript,
        output=among(Position, item.options),
        temperature=temperature,
        question=item.question,
        options=list(item.options),
    )


class Asked(BaseModel):
    """The answer to one question as the transcript keeps it, in a probe turn's `data`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arm: str
    item: str
    answer: str | None
    confidence: float | None = None
    correct: bool


def marked(agent: Agent, item: Item, reply: Reply | None, *, arm: str, turn: int) -> Turn:
    """The probe turn that keeps an answer and its mark; an answer that was not given counts as wrong."""
    said = None if reply is None else str(getattr(reply.data, "answer", reply.text))
    data = Asked(
        arm=arm,
        item=item.id,
        answer=said,
        confidence=getattr(reply.data, "confidence", None) if reply else None,
        correct=bool(said is not None and is_right(item, said)),
    )
    return Turn(agent.name, said or "", kind="probe", round=turn, data=data.model_dump(mode="json"))
