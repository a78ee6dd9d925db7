"""A Python function as a scorer: one that another package registers, or that the host passes in."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.errors import UsageError
from maieutic.runs.scoring.base import Needs, RecordedRun, SampleItem, Score

if TYPE_CHECKING:
    from maieutic.backends import Place

__all__ = ["Function", "Scoring"]

Value = Score | float | bool | None
Scoring = Callable[[RecordedRun, SampleItem], Value | Awaitable[Value]]
"""Scores a run, now or when it is awaited: a Score, a number from 0 to 1, a truth, or None where it cannot tell."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a scorer.

    Attributes:
        name: Under which its scores stand.
        function: The function.
        needs: "nothing": it calls no model.
    """

    name: str
    function: Scoring
    needs: Needs = "nothing"

    async def score(self, run: RecordedRun, item: SampleItem, at: Place | None = None) -> Score:
        """What the function says.

        Raises:
            UsageError: It says something that is no score.
        """
        found = self.function(run, item)
        if inspect.isawaitable(found):
            found = await found
        if found is None or isinstance(found, bool | int | float):
            try:
                return Score(None if found is None else float(found))
            except UsageError as error:
                raise UsageError(f"the scorer {self.name!r}: {error}") from error
        if not isinstance(found, Score):
            raise UsageError(
                f"the scorer {self.name!r} gave {found!r}; give a Score, a number from 0 to 1, a bool or None"
            )
        return found
