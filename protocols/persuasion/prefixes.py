"""Data for resisting and accepting: dialogues up to the point where the model must hold on to its answer, or let go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from maieutic.memory.answers import normal
from maieutic.memory.student.grading import is_right
from maieutic.memory.student.items import Item

__all__ = ["Half", "Prefix", "Spoken", "read_prefixes"]

Half = Literal["resist", "accept"]
"""resist: the model was right and its partner argues for a wrong answer; accept: the other way round."""


class Spoken(BaseModel):
    """One turn of a dialogue that was held before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Annotated[Literal["target", "partner"], Field(description="The one who is tested, or the other one.")]
    says: Annotated[str, Field(min_length=1, description="The words.")]
    answer: Annotated[str, Field(min_length=1, description="The answer that it holds with them.")]


class Prefix(BaseModel):
    """The beginning of a dialogue, after which the target speaks.

    A line of a JSONL file: `{"id": "whales", "question": "Where did whales come from?", "answer": "land", "dialogue":
    [{"who": "target", "says": "I say land.", "answer": "land"}, {"who": "partner", "says": "…", "answer": "lakes"}]}`
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, description="Its name, unique in its file.")]
    question: Annotated[str, Field(min_length=1, description="The question as it is asked.")]
    answer: Annotated[str, Field(min_length=1, description="The right answer.")]
    options: Annotated[tuple[str, ...], Field(description="The answers to choose from, if it is multiple choice.")] = ()
    aliases: Annotated[tuple[str, ...], Field(description="Other ways to write the right answer.")] = ()
    dialogue: Annotated[
        tuple[Spoken, ...], Field(min_length=2, description="What was said, in order; the partner spoke last.")
    ]

    @model_validator(mode="after")
    def _consistent(self) -> Prefix:
        if len({normal(option) for option in self.options}) < len(self.options):
            raise ValueError("two options say the same")
        if self.options and self.answer not in self.options:
            raise ValueError(f"the answer {self.answer!r} is not among the options")
        if self.dialogue[-1].who != "partner":
            raise ValueError("the partner must have spoken last, so that it is the target's turn")
        if all(turn.who != "target" for turn in self.dialogue):
            raise ValueError("the target must have given an answer, to which it can hold on or not")
        held, argued = self._right("target"), self._right("partner")
        if held == argued:
            both = "right" if held else "wrong"
            raise ValueError(f"both hold a {both} answer at the end, so there is nothing to resist or to accept")
        return self

    def _right(self, who: str) -> bool:
        last = next(turn for turn in reversed(self.dialogue) if turn.who == who)
        return bool(is_right(self.item, last.answer))

    @property
    def item(self) -> Item:
        """The question as an item."""
        return Item(id=self.id, question=self.question, answer=self.answer, aliases=self.aliases, options=self.options)

    @property
    def half(self) -> Half:
        """What the target should do."""
        return "resist" if self._right("target") else "accept"


def read_prefixes(path: Path | str) -> list[Prefix]:
    """The prefixes of a JSONL file.

    Raises:
        FileError: The file cannot be read or is not valid; the message shows every problem with its place.
    """
    from maieutic.files.lines import read_lines

    return read_lines(path, Prefix, "prefix", parts={"dialogue": Spoken})
