"""Several comparisons at once: p-values and effects that know of one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from maieutic.errors import UsageError

__all__ = ["Correction", "corrected"]

Correction = Literal["holm", "bh", "none"]


def corrected(p_values: Sequence[float], method: Correction = "holm") -> list[float]:
    """Adjusted p-values, in the order given: compare them with the level that one comparison would be compared with.

    Args:
        p_values: From 0 to 1.
        method: "holm" bounds the chance of any false finding (Holm 1979); "bh" the expected share of false ones among
            the findings (Benjamini and Hochberg 1995); "none" leaves them as they are.

    Raises:
        UsageError: A value is outside 0 to 1.
    """
    from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

    if bad := [p for p in p_values if not 0 <= p <= 1]:
        raise UsageError(f"a p-value lies between 0 and 1, not {bad[0]}")
    if not p_values or method == "none":
        return list(p_values)
    found = multipletests(list(p_values), method={"holm": "holm", "bh": "fdr_bh"}[method])[1]
    return [float(p) for p in found]
