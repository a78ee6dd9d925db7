"""LLM judges that mark one run at a time by a rubric."""

from __future__ import annotations

from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, Field, create_model, model_validator

from maieutic.runs.scoring.base import RecordedRun, SampleItem, Score
from maieutic.runs.scoring.panel import Panel, dialogue_of, unjudged

if TYPE_CHECKING:
    from maieutic.backends import Place

__all__ = ["Judged"]


class Judged(Panel):
    """The mean of the judges' marks, from 0 (all gave the worst) to 1 (all gave the best).

    Attributes:
        rubric: What is marked, in words; or several criteria by name, whose marks count the same.
        low, high: The scale, whole numbers.
    """

    name: str = "judge"
    rubric: Annotated[str, Field(min_length=1)] | Annotated[dict[str, str], Field(min_length=1)]
    low: int = 1
    high: int = 5

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        if bad := [name for name in self.criteria if not name.isidentifier() or name == "reason"]:
            raise ValueError(f"a criterion is called by one word, other than 'reason'; not {bad[0]!r}")
        return self

    @property
    def criteria(self) -> dict[str, str]:
        """The criteria by name; a rubric in words is the only one, called `mark`."""
        return {"mark": self.rubric} if isinstance(self.rubric, str) else self.rubric

    async def score(self, run: RecordedRun, item: SampleItem, at: Place | None) -> Score:
        """The score of a run.

        Raises:
            BudgetExceeded, WaitingForPerson: See maieutic.errors.
        """
        given = {
            "question": item.question,
            "answer": run.answer if run.answer is not None else "(no answer)",
            "reference": self.told(item),
            "dialogue": dialogue_of(run) if self.reads == "dialogue" else "",
            "criteria": self.criteria,
            "low": self.low,
            "high": self.high,
        }
        replies, failed = await self.ask("mark", given, _marks(tuple(self.criteria), self.low, self.high), at)
        marks = {judge: reply.model_dump() for judge, reply in replies.items()}
        data: dict[str, Any] = {"marks": marks, "scale": [self.low, self.high]} | ({"failed": failed} if failed else {})
        if not marks:
            return unjudged(failed)
        mean = fmean(given[criterion] for given in marks.values() for criterion in self.criteria)
        said = next((str(given["reason"]) for given in marks.values() if given["reason"]), "")
        return Score((mean - self.low) / (self.high - self.low), said, data)


@lru_cache(maxsize=256)
def _marks(criteria: tuple[str, ...], low: int, high: int) -> type[BaseModel]:
    """The form of a judge's reply: its reasons, then a mark for each criterion."""
    said = Annotated[str, Field(description="Your reasons, in one or two sentences.")]
    mark = Annotated[int, Field(ge=low, le=high, description=f"From {low} (worst) to {high} (best).")]
    fields: dict[str, Any] = {"reason": (said, ...), **{criterion: (mark, ...) for criterion in criteria}}
    return create_model("Marks", **fields)
