"""How a budget of explanations is spent on items that arrive one by one: rules that decide before the answer is seen.

Every rule spends at most floor(budget x items) explanations over a series whose length is known.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["RULES", "Decision", "RuleName", "adaptive", "affordable", "by_lot", "fixed"]

RuleName = Literal["adaptive", "myopic", "open_ended", "fixed", "random", "offline", "never"]

RULES: dict[RuleName, str] = {
    "adaptive": "the best of what is left, counting what each does for later items; planned anew at every item",
    "myopic": "a threshold that follows what the items still to come are expected to gain, each for itself",
    "open_ended": "a threshold that follows what was met so far, for series whose length nobody knows",
    "fixed": "a threshold that stays where it is, while the budget lasts",
    "random": "by lot, so that the budget is spent exactly",
    "offline": "the best items of all, chosen after every item has been answered alone",
    "never": "no explanations",
}
"""The rules by name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to explain, and the threshold that the utility was held against, if the rule has one."""

    explain: bool
    threshold: float | None = None


def affordable(budget: float, items: int) -> int:
    """How many of the items may be explained: floor(budget x items)."""
    return math.floor(budget * items + 1e-9)


def adaptive(left: int, utility: float, ahead: Sequence[float], *, least: float = 0.0) -> Decision:
    """Explain an item if it is among the best of those that are left: as many of them as can still be afforded.

    With m explanations left for an item and r items after it, the threshold is the m-th greatest utility of the r + 1,
    which is their (1 - m / (r + 1)) quantile. It falls when less is expected of the items to come, or when budget has
    been saved, and rises after much was spent early.

    Args:
        left: m, 0 or more.
        utility: What explaining the item is expected to gain.
        ahead: The same for each of the r items still to come, as far as it is known now.
        least: What has to be exceeded in any case; by default an explanation must be expected to gain something.
    """
    if not left:
        return Decision(False, None)
    best = sorted((utility, *ahead), reverse=True)
    threshold = max(best[min(left, len(best)) - 1], least)
    return Decision(utility >= threshold and utility > least, threshold)


def fixed(left: int, utility: float, threshold: float) -> Decision:
    """Explain every item whose utility reaches a threshold, while the budget lasts."""
    return Decision(left > 0 and utility >= threshold, threshold)


def by_lot(left: int, items: int, rng: random.Random) -> Decision:
    """Draw lots so that the whole budget is spent and every item has the same chance.

    Selection sampling: with m left to spend on r items, an item is taken with chance m / r (Knuth, The Art of Computer
    Programming 2, section 3.4.2, algorithm S).
    """
    return Decision(rng.random() * items < left)
