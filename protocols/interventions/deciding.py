"""One rule at work: from the student model and what has happened so far to a decision, before the answer is seen."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.foresight import best_of, utilities
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
        gain, decision = self._decided(model, before, line, rng, chosen)
        limit = decision.threshold
        if limit is None or not math.isfinite(limit):
            return gain, Decision(decision.explain)
        return gain, Decision(decision.explain, self._wanted(limit))

    def _decided(
        self,
        model: StudentModel,
        before: Sequence[Step],
        line: Sequence[Item],
        rng: random.Random,
        chosen: Collection[str],
    ) -> tuple[float | None, Decision]:
        """The same, the threshold as the rule has it: of gains, or of losses where the teacher is misaligned."""
        left = affordable(self.budget, self.items) - sum(step.explain for step in before)
        if self.rule == "never":
            return None, Decision(False)
        if self.rule == "random":
            return None, by_lot(left, len(line), rng)
        if self.rule == "offline":
            return model.expected_utility(line[0]), Decision(line[0].id in chosen)
        if self.rule in ("adaptive", "myopic"):
            return self._among_those_left(model, line, left)
        own = model.expected_utility(line[0])
        if self.rule == "fixed":
            return own, fixed(left, self._wanted(own), self._wanted(self.threshold))
        return own, self._open_ended(before, self._wanted(own), left)

    def _among_those_left(self, model: StudentModel, line: Sequence[Item], left: int) -> tuple[float, Decision]:
        """By what is expected of the items still to come; looking ahead, by the best that can be done with all."""
        looks_ahead = self.look_ahead and self.rule == "adaptive"
        if self.misaligned or not looks_ahead:
            gains = utilities(model, line, looks_ahead)
            own, *later = map(self._wanted, gains)
            return gains[0], adaptive(left, own, later, least=-math.inf if self.misaligned else 0.0)
        best = best_of(model, line, left, look_ahead=True)
        own = model.expected_utility(line[0], ahead=line[1:])
        threshold = max(min(best.values()), 0.0) if best else None
        return own, Decision(line[0].id in best and own > 0, threshold)

    def choose(self, model: StudentModel, line: Sequence[Item]) -> list[str]:
        """The ids of the items that "offline" explains."""
        count = affordable(self.budget, self.items)
        if not self.misaligned:
            return list(best_of(model, line, count, look_ahead=self.look_ahead))
        gains = utilities(model, line, self.look_ahead)
        return [line[at].id for at in sorted(range(len(line)), key=lambda at: round(gains[at], 9))[:count]]

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
