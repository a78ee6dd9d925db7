"""How these evaluations write their figures."""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.protocols.intervals import Interval

__all__ = ["aligned", "by_chance", "share_of", "signed"]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, every column as wide as its widest cell."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def share_of(bounds: Interval) -> str:
    """An interval of shares: 0.12-0.34."""
    return f"{bounds.low:.2f}-{bounds.high:.2f}"


def signed(bounds: Interval) -> str:
    """An interval of differences: -0.12 to +0.34."""
    return f"{bounds.low:+.2f} to {bounds.high:+.2f}"


def by_chance(p: float) -> str:
    """A p-value, as precise as it needs to be."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
