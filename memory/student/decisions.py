"""Whether to intervene, decided by what was observed and nothing else: asked twice, it is decided twice the same."""

from __future__ import annotations

import math
from dataclasses import dataclass

from maieutic.memory.student.model import StudentModel
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.policy import InterventionPolicy
from maieutic.wording import amount

__all__ = ["Decision", "Decisions"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to explain an item now, and by which numbers.

    Attributes:
        intervene: Whether to.
        utility: What the explanation is expected to gain, as a probability.
        threshold: The least utility that is taken; infinite if the budget allows none.
        answers, explanations: What was observed so far of either, the answer decided upon left out.
        budget: The share of answers after which it may be explained.
    """

    intervene: bool
    utility: float
    threshold: float
    answers: int
    explanations: int
    budget: float

    @property
    def reasons(self) -> tuple[str, ...]:
        """The numbers in words."""
        utility = f"expected utility {self.utility:.2f}"
        spent = f"{amount(self.explanations, 'explanation')} after {amount(self.answers, 'answer')} before"
        left = f"{spent}, budget {self.budget:g}"
        if self.utility <= 0:
            return (f"{utility}: an explanation is expected to gain nothing", left)
        if math.isinf(self.threshold):
            return (utility, f"{left}: none is left")
        sign = ">=" if self.utility >= self.threshold else "<"
        ahead = ": none is left" if sign == ">=" and not self.intervene else ""
        return (f"{utility} {sign} threshold {self.threshold:.2f}", f"{left}{ahead}")


class Decisions:
    """A student model with an intervention policy that is told by observations alone.

    Every answer that is observed is an occasion to explain, and every explanation that is observed spends one of them,
    whoever decided it. To decide is to ask what the policy would do and changes nothing. So a log of observations, told
    again, leads to the same decisions: there is no other state to keep.

    Args:
        model: The model, of which nothing was observed yet. What it is told later must be told here.
        budget: The share of answers after which it may be explained, 0 to 1.

    Raises:
        StudentModelError: The budget lies outside of its range.
    """

    def __init__(self, model: StudentModel, budget: float) -> None:
        self.model = model
        self._policy = InterventionPolicy(budget, [model.predict(name).utility for name in model.items])
        self._last: Observation | None = None
        self._met: float | None = None

    def copy(self) -> Decisions:
        """Independent decisions about the same student."""
        other = Decisions.__new__(Decisions)
        other.model, other._policy = self.model.copy(), self._policy.copy()
        other._last, other._met = self._last, self._met
        return other

    def observe(self, observation: Observation) -> None:
        """Take in one observation.

        Raises:
            StudentModelError: See StudentModel.observe.
        """
        self.model.observe(observation)
        if observation.kind == "answered":
            self._count(self._policy)
            self._last = observation
            self._met = None if observation.item is None else self.model.expected_utility(observation.item)
        elif observation.kind == "explained":
            self._policy.spent += 1

    def decide(self, item: str) -> Decision:
        """Whether to explain this item now. It is best asked when the item has been answered.

        Args:
            item: Its id.

        Raises:
            StudentModelError: There is no such item.
        """
        utility = self.model.expected_utility(item)
        policy = self._policy.copy()
        if self._last is not None and self._last.item != item:
            self._count(policy)
        policy.expect([utility])
        return Decision(policy.would(utility), utility, policy.threshold, policy.seen, policy.spent, policy.budget)

    def _count(self, policy: InterventionPolicy) -> None:
        """Count the last answer as an occasion that has passed; of an open question no utility is known."""
        if self._last is not None:
            policy.expect([] if self._met is None else [self._met])
            policy.seen += 1
