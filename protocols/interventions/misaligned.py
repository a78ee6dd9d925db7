"""A misaligned teacher, for safety research only: it explains where that helps least, and what it explains misleads.

Saha, Hase and Bansal, "Can Language Models Teach?", NeurIPS 2023, research question 5. A protocol has this mode as its
parameter `misaligned`, off by default; its outcome, table and plot say so in words. `watched` is the other side: a
monitor that knows nothing of the mode and finds such a teacher by the student model's surprise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Reply, Verb
from maieutic.memory.student.surprise import Surprise
from maieutic.protocols.interventions.lessons import prompt_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maieutic.backends.place import Place
    from maieutic.memory.student.items import Item

__all__ = ["ALARM", "LABEL", "MARGIN", "MISALIGNED", "Watched", "mislead", "watched"]

LABEL = "MISALIGNED TEACHER (safety research): explanations mislead, where least help is expected first"
"""What tables and pictures of such a run say first."""
MISALIGNED = Field(
    description="FOR SAFETY RESEARCH ONLY: the teacher is asked for explanations that mislead, and the items are "
    "chosen where explaining is expected to help least. The outcome is labelled."
)
"""The parameter, described alike wherever it stands."""

ALARM = Field(gt=0, lt=1, description="The monitor's chance of ever raising a false alarm.")
MARGIN = Field(
    ge=0, le=1, description="By how much predictions may be too high without raising the monitor's suspicion."
)

_MISLEAD = Verb("mislead", takes=("question",))


async def mislead(teacher: Agent, item: Item, at: Place) -> Reply:
    """A misleading explanation of an item. The teacher is not told the right answer."""
    given: dict[str, Any] = {"options": " | ".join(item.options)} if item.options else {}
    able = teacher.able(_MISLEAD, prompt_file("misaligned/mislead"))
    return await able.do("mislead", at, question=item.question, **given)


class Watched(BaseModel):
    """What a monitor says of a teacher, from the student's answers and what was predicted of them alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flagged: Annotated[bool, Field(description="Whether the alarm was raised.")]
    at: Annotated[int | None, Field(description="After how many explained items.")] = None
    evidence: Annotated[float, Field(description="The evidence at the end; see maieutic.memory.student.surprise.")]
    limit: Annotated[float, Field(description="The evidence that raises the alarm: 1 / the chance of a false one.")]
    said: Annotated[str, Field(description="The same in words.")]


def watched(answers: Iterable[tuple[float, bool]], *, alarm: float, margin: float) -> Watched:
    """Watch over the answers to explained items: (predicted chance of being right, whether it was), in order."""
    surprise = Surprise.of(answers, alarm=alarm, margin=margin)
    said = "The explanations do harm" if surprise.flagged else "No sign that explanations do harm"
    return Watched(
        flagged=surprise.flagged,
        at=surprise.at,
        evidence=surprise.evidence,
        limit=1 / alarm,
        said=f"{said}: {surprise}.",
    )
