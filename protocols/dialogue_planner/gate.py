"""When to think twice: the gap between the policy's two best acts against those that it had before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.protocols.routing.quantiles import quantile

__all__ = ["Gate", "gap_of"]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a policy may act alone (System 1), or its acts are tried out first (System 2).

    It may if the gap between its two best acts exceeds the `share`-quantile of the gaps before this one. So about
    `share` of all turns are planned. Before there is any gap to compare with, a turn is planned, unless `share` is 0.

    Attributes:
        share: Which part of the turns to plan, 0 to 1.
        gaps: The gaps so far, in any order.

    Source: DPDP ("Planning Like Human: A Dual-process Framework for Dialogue Planning", ACL 2024).

    Example:
        >>> gate = Gate(0.5, (0.1, 0.3, 0.5))
        >>> gate.threshold, gate.plans(0.2), gate.plans(0.4)
        (0.3, True, False)
    """

    share: float
    gaps: Sequence[float] = ()

    @property
    def threshold(self) -> float | None:
        """The gap from which on a turn is not planned; None if there is nothing to compare with."""
        return quantile(self.gaps, self.share) if self.gaps else None

    def plans(self, gap: float) -> bool:
        """Whether a turn with this gap is planned."""
        if self.share in (0, 1):
            return self.share == 1
        threshold = self.threshold
        return threshold is None or gap <= threshold


def gap_of(probabilities: Mapping[str, float]) -> float:
    """By how much a policy prefers its best act to the next; 1 if there is one act alone."""
    best, second, *_ = [*sorted(probabilities.values(), reverse=True), 0.0, 0.0]
    return 1.0 if len(probabilities) == 1 else best - second
