"""Items: the questions that a student is given, and which concepts each needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Item"]

Share = Annotated[float, Field(ge=0, le=1)]


class Item(BaseModel):
    """One question of a quiz, an exercise or a test.

    A student answers it right if it knows every concept that the item needs and does not slip, or by guessing
    (a noisy-AND; see `maieutic.memory.student`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, description="Its name, unique in its set.")]
    question: Annotated[str, Field(description="The question as it is asked.")] = ""
    answer: Annotated[str | None, Field(description="The right answer, if it is known.")] = None
    aliases: Annotated[tuple[str, ...], Field(description="Other ways to write the right answer.")] = ()
    options: Annotated[tuple[str, ...], Field(description="The answers to choose from, if it is multiple choice.")] = ()
    concepts: Annotated[tuple[str, ...], Field(description="The concepts that are needed, all of them.")] = ()
    distractors: Annotated[
        Mapping[str, str], Field(description="Wrong options, and the misconception that leads to each.")
    ] = {}
    explains: Annotated[
        tuple[str, ...] | None,
        Field(description="The concepts that an explanation of it covers; left out, all that it needs."),
    ] = None
    explanation: Annotated[str, Field(description="An explanation written beforehand, by a person for instance.")] = ""
    slip: Annotated[Share | None, Field(description="P(wrong | everything known); the model's own if left out.")] = None
    guess: Annotated[
        Share | None, Field(description="P(right | nothing known); 1 / options, or the model's own, if left out.")
    ] = None

    @model_validator(mode="after")
    def _consistent(self) -> Item:
        if self.options and self.answer is not None and self.answer not in self.options:
            raise ValueError(f"the answer {self.answer!r} is not among the options")
        if strangers := [wrong for wrong in self.distractors if self.options and wrong not in self.options]:
            raise ValueError(f"the distractor {strangers[0]!r} is not among the options")
        if self.answer is not None and self.answer in self.distractors:
            raise ValueError(f"the answer {self.answer!r} is among the distractors")
        if strangers := [c for c in self.explains or () if c not in self.concepts]:
            raise ValueError(f"explains {strangers[0]!r}, which is not among the concepts")
        return self

    @property
    def explained(self) -> tuple[str, ...]:
        """The concepts that an explanation of it covers."""
        return self.concepts if self.explains is None else self.explains
