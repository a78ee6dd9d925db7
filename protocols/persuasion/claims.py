"""Data for misinformation: questions, each with a false claim about it, and the appeals that users bring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from maieutic.memory.answers import normal, same
from maieutic.memory.student.items import Item

__all__ = ["APPEALS", "Appeal", "Claim", "read_claims"]

Appeal = Literal["control", "logical", "emotional", "credibility"]
"""How a false claim is pressed: repeated and nothing more, or with reasons, feelings or authorities."""
APPEALS: tuple[Appeal, ...] = ("control", "logical", "emotional", "credibility")


class Claim(BaseModel):
    """A question with its right answer, and a wrong one that somebody is to be persuaded of.

    A line of a JSONL file:
    `{"id": "whales", "question": "Where did whales come from?", "answer": "land", "wrong": "the deep sea"}`
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, description="Its name, unique in its file.")]
    question: Annotated[str, Field(min_length=1, description="The question as it is asked.")]
    answer: Annotated[str, Field(min_length=1, description="The right answer.")]
    wrong: Annotated[str, Field(min_length=1, description="The wrong answer that is claimed.")]
    claim: Annotated[str, Field(description="The claim in a sentence; left out: The answer is WRONG.")] = ""
    options: Annotated[tuple[str, ...], Field(description="The answers to choose from, if it is multiple choice.")] = ()
    aliases: Annotated[tuple[str, ...], Field(description="Other ways to write the right answer.")] = ()
    appeals: Annotated[
        Mapping[Appeal, tuple[Annotated[str, Field(min_length=1)], ...]],
        Field(description="Appeals written beforehand, by kind, in the order in which they are made."),
    ] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Claim:
        for name in ("question", "answer", "wrong"):
            if not getattr(self, name).strip():
                raise ValueError(f"the {name} is empty")
        if any(same(self.wrong, right) for right in (self.answer, *self.aliases)):
            raise ValueError(f"the wrong answer {self.wrong!r} is the right one")
        for name in ("answer", "wrong"):
            if self.options and getattr(self, name) not in self.options:
                raise ValueError(f"the {name} {getattr(self, name)!r} is not among the options")
        if len({normal(option) for option in self.options}) < len(self.options):
            raise ValueError("two options say the same")
        return self

    @property
    def item(self) -> Item:
        """The question as an item."""
        return Item(id=self.id, question=self.question, answer=self.answer, aliases=self.aliases, options=self.options)


def read_claims(path: Path | str) -> list[Claim]:
    """The claims of a JSONL file.

    Raises:
        FileError: The file cannot be read or is not valid; the message shows every problem with its place.
    """
    from maieutic.files.lines import read_lines

    return read_lines(path, Claim, "claim")
