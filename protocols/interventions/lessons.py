"""Lessons that stay in a student's or a teacher's view: questions explained before, as turns of a dialogue."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from maieutic.agents import Agent, Prompt
from maieutic.memory import MODERATOR, Turn
from maieutic.memory.student.items import Item
from maieutic.protocols.given import read_items
from maieutic.protocols.interventions.asking import explanation_turn
from maieutic.protocols.parameters import FromFile
from maieutic.protocols.together import together

__all__ = ["Demonstration", "ItemList", "all_of", "item_turn", "lesson", "prompt_file"]

T = TypeVar("T")
ItemList = Annotated[
    list[Item],
    FromFile(read_items),
    BeforeValidator(lambda given: list(given) if isinstance(given, tuple) else given),
]
"""Items as a parameter: a list of them, or the path of a file."""


class Demonstration(BaseModel):
    """One question that was explained, to be shown to a teacher or a student."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(description="The item's id.")]
    question: Annotated[str, Field(description="As it was asked.")]
    options: Annotated[tuple[str, ...], Field(description="The answers to choose from.")] = ()
    explanation: Annotated[str, Field(description="The explanation.")]
    answer: Annotated[str | None, Field(description="The answer that is shown with it, if any.")] = None

    @classmethod
    def of(cls, item: Item, explanation: str, answer: str | None = None) -> Demonstration:
        """An item and its explanation."""
        return cls(item=item.id, question=item.question, options=item.options, explanation=explanation, answer=answer)


def item_turn(item: Item | Demonstration, *hearers: Agent) -> Turn:
    """The turn by which a question comes before those who hear it, and nobody else."""
    text = prompt_file("interventions/item").render({"question": item.question, "options": list(item.options)})
    return Turn(MODERATOR, text, audience=frozenset(agent.name for agent in hearers))


def lesson(shown: Demonstration, teacher: Agent, student: Agent) -> tuple[Turn, Turn]:
    """The question and its explanation as the student remembers them."""
    text = shown.explanation if shown.answer is None else f"{shown.explanation}\nAnswer: {shown.answer}"
    return item_turn(shown, student), explanation_turn(teacher, student, text)


async def all_of(acts: Mapping[str, Coroutine[Any, Any, T]]) -> dict[str, T]:
    """Do all the acts at the same time; if any fails, the first failure is raised when the others are done.

    What the others came to is in the run's journal by then, so that a resumed run does not ask again.
    """
    done = await together(acts)
    for failure in done.failures.values():
        raise failure
    return done.replies


@cache
def prompt_file(name: str) -> Prompt:
    """A prompt under protocols/prompts, by its path without `.md.j2`."""
    return Prompt.load(Path(__file__).parents[1] / "prompts" / f"{name}.md.j2")
