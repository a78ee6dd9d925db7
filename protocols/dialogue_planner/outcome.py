"""What a planned dialogue came to."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from maieutic.protocols.trees.outcome import TreeOutcome
from maieutic.wording import amount

__all__ = ["DialoguePlannerOutcome", "PlannedTurn"]


class PlannedTurn(BaseModel):
    """How one turn of the system was chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    turn: Annotated[int, Field(description="Which of the system's turns, from 1.")]
    act: Annotated[str, Field(description="What it did.")]
    by: Annotated[str, Field(description="policy (System 1) or plan (System 2).")]
    node: Annotated[str, Field(description="Its node in the tree.")]
    probabilities: Annotated[dict[str, float], Field(description="The policy's, by act.")]
    gap: Annotated[float, Field(description="By how much the policy preferred its best act to the next.")]
    threshold: Annotated[float | None, Field(description="The gap above which it was not planned.")]
    reward: Annotated[float | None, Field(description="Where the dialogue stood after the user's reply.")] = None


class DialoguePlannerOutcome(TreeOutcome):
    """What a planned dialogue came to.

    Its tree holds the dialogue that was led (nodes whose notes say `led`) and all that was tried out beside it; its
    `transcript` is the dialogue that was led.

    Attributes:
        question: What it was about.
        solved: Whether the goal was reached.
        steps: How each turn of the system was chosen.
        gaps: The policy's gaps, those given as a parameter first: the `gaps` of a dialogue to come.
        weighed: How often the policy was asked. Its calls are not in `calls`: each takes one, or as many as samples.
    """

    question: str = ""
    solved: bool = False
    steps: list[PlannedTurn] = []
    gaps: list[float] = []
    weighed: int = 0

    def table(self) -> str:
        """How each turn was chosen, and what it came to."""
        if not self.steps:
            return "nothing was said"
        width = max(len("act"), *(len(step.act) for step in self.steps))
        head = f"turn  {'act':<{width}}  by      gap   threshold  reward"
        rows = [self._row(step, width) for step in self.steps]
        planned = sum(step.by == "plan" for step in self.steps)
        end = "solved" if self.solved else "not solved"
        turns = f"{amount(len(self.steps), 'turn')}, {planned} of them planned"
        last = (
            f"{end} in {turns}; {amount(self.calls, 'call')}, and the policy was asked {amount(self.weighed, 'time')}"
        )
        return "\n".join((head, *rows, "", last))

    def _row(self, step: PlannedTurn, width: int) -> str:
        threshold = "–" if step.threshold is None else f"{step.threshold:.2f}"
        reward = "–" if step.reward is None else f"{step.reward:+.2f}"
        return f"{step.turn:>4}  {step.act:<{width}}  {step.by:<6}  {step.gap:.2f}  {threshold:>9}  {reward:>6}"
