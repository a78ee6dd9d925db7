"""When to explain, if only a share of the items may be explained and the next ones are not known yet."""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from maieutic.errors import StudentModelError

__all__ = ["InterventionPolicy"]


class InterventionPolicy:
    """Spends a budget of interventions on the items where they pay most, online.

    An item is taken if its utility reaches a threshold: the quantile of the utilities met lately (those expected, until
    enough were met) that leaves the share of items that may be taken. That share is the budget, plus what was left over
    (or less what was overspent) so far, spread over the next `horizon` items: the threshold adapts where the utilities
    drift, because the student learns for instance. Never more than budget * seen + slack are taken, nothing is taken
    whose utility is not above 0, and nothing at a budget of 0.

    Args:
        budget: Share of the items that may be taken, 0 to 1.
        expected: Utilities to expect, of the items that are known for instance.
        slack: How far the spending may run ahead of the budget, in interventions; at least 1, or nothing could begin.
        horizon: Items over which what is left over is spread.
        window: How many utilities are remembered.

    Raises:
        StudentModelError: A number lies outside of its range.

    Attributes:
        seen: Items decided on.
        spent: Items taken.
    """

    def __init__(
        self,
        budget: float,
        expected: Iterable[float] = (),
        *,
        slack: float = 1.0,
        horizon: int = 20,
        window: int = 500,
    ) -> None:
        if not 0 <= budget <= 1:
            raise StudentModelError(f"the budget is the share of items that may be explained, 0 to 1, not {budget}")
        if slack < 1 or horizon < 1 or window < 1:
            raise StudentModelError("slack, horizon and window are 1 or more")
        self.budget = budget
        self.slack = slack
        self.horizon = horizon
        self.window = window
        self.seen = 0
        self.spent = 0
        self._met: deque[float] = deque()
        self._sorted: list[float] = []
        self.expect(expected)

    def expect(self, utilities: Iterable[float]) -> None:
        """Utilities to expect; each makes room for one that is met once the window is full."""
        for utility in utilities:
            self._remember(utility)

    @property
    def knows_what_to_expect(self) -> bool:
        """Whether any utility was expected or met."""
        return bool(self._met)

    @property
    def threshold(self) -> float:
        """The least utility that is taken next, as far as the budget allows; infinite if nothing is."""
        share = self.budget + (self.budget * self.seen - self.spent) / self.horizon
        if self.budget == 0 or share <= 0:
            return math.inf
        if not self._sorted or share >= 1:
            return 0.0
        at = len(self._sorted) * (1 - share)
        return self._sorted[min(math.ceil(at - 1e-9), len(self._sorted) - 1)]

    def would(self, utility: float) -> bool:
        """Whether an item of this utility would be taken; changes nothing."""
        affordable = self.spent + 1 <= self.budget * (self.seen + 1) + self.slack + 1e-9
        return affordable and utility > 0 and utility >= self.threshold

    def decide(self, utility: float) -> bool:
        """Decide on one item: whether to spend an intervention on it."""
        take = self.would(utility)
        self._remember(utility)
        self.seen += 1
        self.spent += take
        return take

    def _remember(self, utility: float) -> None:
        if not math.isfinite(utility):
            raise StudentModelError(f"a utility is a finite number, not {utility}")
        self._met.append(utility)
        insort(self._sorted, utility)
        if len(self._met) > self.window:
            self._sorted.remove(self._met.popleft())

    def copy(self) -> InterventionPolicy:
        """An independent policy that has met the same."""
        return InterventionPolicy.from_json(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: parameters and what was met."""
        return {
            "budget": self.budget,
            "slack": self.slack,
            "horizon": self.horizon,
            "window": self.window,
            "seen": self.seen,
            "spent": self.spent,
            "met": list(self._met),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> InterventionPolicy:
        """The policy that `to_json` wrote."""
        policy = cls(data["budget"], data["met"], slack=data["slack"], horizon=data["horizon"], window=data["window"])
        policy.seen, policy.spent = data["seen"], data["spent"]
        return policy
