"""Quantiles of a few numbers, without numpy."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["quantile"]


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies, interpolated linearly between neighbours.

    With n values in order the share falls at position (n - 1) * share, counted from 0: numpy's default ("linear").

    Args:
        values: At least one number, in any order.
        share: From 0 to 1.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("there is no quantile of nothing; give at least one value")
    ordered = sorted(values)
    at = (len(ordered) - 1) * share
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
