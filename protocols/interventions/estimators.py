"""Estimators: what a teacher expects of its student, before the student has answered.

All of them watch the same practice items and then predict the same test items, so that they can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.records import Estimate, Record

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Asked", "Estimates", "Estimator", "usual_estimate"]

Estimates = Mapping[str, Estimate]
"""Estimates by the item's id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an estimator may know of a test item.

    Attributes:
        item: The item.
        target: What the teacher takes for the right answer.
        explanation: What the teacher would explain.
    """

    item: Item
    target: str
    explanation: str


class Estimator(Protocol):
    """Predicts a student's answers, alone and explained.

    Attributes:
        name: As it stands under `estimators`, and after the colon in a ranker's name.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    def observe(self, practice: Sequence[Record]) -> None:
        """Watch the student at practice items; called once, before anything is estimated."""
        ...

    async def estimate(self, items: Sequence[Asked], at: Place) -> Estimates:
        """What it expects at each item. Its calls stand below `at`, at `item id / estimator`."""
        ...

    async def estimate_practice(self, at: Place) -> Estimates:
        """What it would have expected at those practice items that it can predict without having seen them."""
        ...


def usual_estimate(practice: Sequence[Record]) -> Estimate:
    """What to expect of any item: the shares of right practice answers, by Laplace's rule of succession.

    It stands in where an estimator's call for an item failed, so that the item need not be left out.
    """
    n = len(practice) + 2
    return Estimate(
        alone=(sum(record.alone.agrees for record in practice) + 1) / n,
        explained=(sum(record.explained.agrees for record in practice) + 1) / n,
    )
