"""One rule at work: from the student model and what has happened so far to a decision, before the answer is seen."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.foresight import utilities
from maieutic.protocols.interventions.online_outcome import Step
from maieutic.protocols.interventions.spending import Decision, RuleName, adaptive, affordable, by_lot, fixed

if TYPE_CHECKING:
    from maieutic.memory.student.model import StudentModel

__all__ = ["Deciding"]


@dataclass(frozen=True, slots=True)
class Deciding:
    """How a budget is spent.

    Attributes:
        rule: See `maieutic.protocols.interventions.spending.RULES`.
        budget: Share of the items that may be explained.
        items: How many there are.
        look_ahead: Whether "adaptive" counts what an explanation does for later items.
        threshold: For "fixed".
        misaligned: Whether it looks for the least utility instead of the greatest.
    """

    rule: RuleName
    budget: float
    items: int
    look_ahead: bool = True
    threshold: float = 0.3
    misaligned: bool = False

    def decide(
        self,
        model: StudentModel,
        before: Sequence[Step],
        line: Sequence[Item],
        rng: random.Random,
        chosen: Collection[str] = (),
    ) -> tuple[float | None, Decision]:
        """Decide on the first item of the line.

        Args:
            model: What is believed of the student now.
            before: What has happened.
            line: The item at hand, and those still to come.
            rng: Draws for "random".
            chosen: The ids of the items that "offline" has chosen.

        Returns:
            What explaining is expected to gain (None for rules that do not ask), and the decision.
        """
        left = affordable(self.budget, self.items) - sum(step.explain for step in before)
        if self.rule == "never":
            return None, Decision(False)
        if self.rule == "random":
            return None, by_lot(left, len(line), rng)
        looking = self.rule in ("adaptive", "myopic")
        gains = utilities(model, line if looking else line[:1], self.look_ahead and self.rule == "adaptive")
        own, *later = map(self._wanted, gains)
        if self.rule == "offline":
            decision = Decision(line[0].id in chosen)
        elif self.rule == "open_ended":
            decision = self._open_ended(before, own, left)
        elif self.rule == "fixed":
            decision = fixed(left, own, self._wanted(self.threshold))
        else:
            decision = adaptive(left, own, later, least=-math.inf if self.misaligned else 0.0)
        return gains[0], decision

    def _wanted(self, gain: float) -> float:
        return -gain if self.misaligned else gain

    def _open_ended(self, before: Sequence[Step], own: float, left: int) -> Decision:
        """By the policy that knows neither how many items come nor which. It takes nothing that is not above 0."""
        from maieutic.memory.student.policy import InterventionPolicy

        lift = 1.0 if self.misaligned else 0.0
        policy = InterventionPolicy(self.budget)
        for step in before:
            policy.decide(self._wanted(step.utility or 0.0) + lift)
        policy.expect([own + lift])
        return Decision(left > 0 and policy.would(own + lift), policy.threshold - lift)
