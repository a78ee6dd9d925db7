"""Numbers with their intervals, as outcomes keep them, and tables of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from maieutic.protocols.intervals import bootstrap, bootstrap_difference, wilson
from maieutic.protocols.interventions.curves import Measured

__all__ = ["Measure", "aligned"]


class Measure(BaseModel):
    """A number that was measured, and its interval of confidence (95 %)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Annotated[float, Field(description="The number.")]
    low: Annotated[float, Field(description="Where the interval begins.")]
    high: Annotated[float, Field(description="Where it ends.")]
    n: Annotated[int | None, Field(ge=1, description="Over how many units (items, or students), where it is told.")] = (
        None
    )

    @classmethod
    def of(cls, measured: Measured) -> Self:
        """What a curve measures, as plain values."""
        return cls(value=measured.value, low=measured.interval.low, high=measured.interval.high)

    @classmethod
    def share(cls, right: Sequence[bool]) -> Self:
        """The share of right answers, with Wilson's interval."""
        interval = wilson(sum(right), len(right))
        return cls(value=sum(right) / len(right), low=interval.low, high=interval.high, n=len(right))

    @classmethod
    def mean(cls, values: Sequence[float]) -> Self:
        """The mean over independent units, with the bootstrap's interval."""
        interval = bootstrap(values)
        return cls(value=sum(values) / len(values), low=interval.low, high=interval.high, n=len(values))

    @classmethod
    def difference(cls, first: Sequence[float], second: Sequence[float]) -> Self:
        """mean(first) - mean(second), measured on the same units in one order, with the paired bootstrap's interval."""
        interval = bootstrap_difference(first, second)
        value = sum(first) / len(first) - sum(second) / len(second)
        return cls(value=value, low=interval.low, high=interval.high, n=len(first))

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines of text: columns of one width, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(w) if column else cell.ljust(w) for column, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
