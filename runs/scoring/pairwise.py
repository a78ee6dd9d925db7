"""LLM judges that compare two conditions' runs of one item, in both orders."""

from __future__ import annotations

import asyncio
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from maieutic.runs.scoring.base import Needs, RecordedRun, SampleItem, Score
from maieutic.runs.scoring.panel import Failures, Panel, unjudged, work_of

if TYPE_CHECKING:
    from maieutic.backends import Place

__all__ = ["Pairwise", "Preference"]

_POINTS = {"first": 1.0, "neither": 0.5, "second": 0.0}


class Preference(BaseModel):
    """A judge's decision between two."""

    reason: Annotated[str, Field(description="Your reasons, in one or two sentences.")]
    better: Annotated[Literal["first", "second", "neither"], Field(description="Which of the two is better.")]


class Pairwise(Panel):
    """How often a run is preferred to the run of another condition, of the same item and repeat.

    Each judge reads the two in both orders. One that prefers the same both times gives 1 or 0; one that changes its
    mind with the order, or sees no difference, gives 0.5. The score is the mean over the judges. Judges favour
    positions: Wang et al., "Large Language Models are not Fair Evaluators", ACL 2024.

    Attributes:
        against: The condition that all others are compared with.
        rubric: What makes one better, in words.
    """

    needs: ClassVar[Needs] = "pairs"

    name: str = "pairwise"
    against: Annotated[str, Field(min_length=1)]
    rubric: Annotated[str, Field(min_length=1)]

    async def compare(self, run: RecordedRun, other: RecordedRun, item: SampleItem, at: Place) -> Score:
        """1 where all judges prefer the run, 0 where all prefer the other.

        Raises:
            BudgetExceeded, WaitingForPerson: See maieutic.errors.
        """
        works = work_of(run, self.reads), work_of(other, self.reads)
        if works[0] == works[1]:
            return Score(0.5, "both are the same")
        async with asyncio.TaskGroup() as group:
            straight = group.create_task(self._asked(works, item, at / "straight"))
            swapped = group.create_task(self._asked(works[::-1], item, at / "swapped"))
        (one, failed), (two, failed_too) = straight.result(), swapped.result()
        votes = {judge: _vote(one[judge], two[judge]) for judge in one if judge in two}
        data: dict[str, Any] = {"votes": votes} | ({"failed": failed | failed_too} if failed or failed_too else {})
        if not votes:
            return unjudged(failed | failed_too)
        turned = sum(not vote["steady"] for vote in votes.values())
        why = next(iter(one.values())).reason + (f" ({turned} turned with the order)" if turned else "")
        return Score(fmean(float(vote["points"]) for vote in votes.values()), why, data)

    async def _asked(
        self, works: tuple[str, ...], item: SampleItem, at: Place
    ) -> tuple[dict[str, Preference], Failures]:
        given = {
            "question": item.question,
            "first": works[0],
            "second": works[1],
            "rubric": self.rubric,
            "reference": self.told(item),
        }
        replies, failed = await self.ask("prefer", given, Preference, at)
        return {judge: Preference.model_validate(reply.model_dump()) for judge, reply in replies.items()}, failed


def _vote(straight: Preference, swapped: Preference) -> dict[str, Any]:
    """A judge's two decisions as points for the run; steady if both say the same of the two."""
    one, two = _POINTS[straight.better], 1 - _POINTS[swapped.better]
    return {
        "points": one if one == two else 0.5,
        "steady": one == two,
        "straight": straight.better,
        "swapped": swapped.better,
    }
