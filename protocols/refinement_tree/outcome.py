"""What a refinement tree came to."""

from __future__ import annotations

from maieutic.protocols.trees.outcome import TreeOutcome

__all__ = ["RefinementTreeOutcome"]


class RefinementTreeOutcome(TreeOutcome):
    """What a refinement tree came to; its answer is the response with the highest value, the first if several have it.

    Attributes:
        question: The instruction.
        original: The node of the response that was refined: the first that failed; None if all passed.
        refined: The node of the best refinement, if its value is higher than the original's: with it, a preference
            pair (refined over original).
        value: The value of the answer.
    """

    question: str = ""
    original: str | None = None
    refined: str | None = None
    value: float | None = None

    def table(self) -> str:
        """The tree's size and cost, and what the refinement gained."""
        lines = super().table()
        if self.original is None:
            return f"{lines}\nno response failed; there was nothing to refine" if len(self.tree) else lines
        before = f"response {self.original}: {self.tree[self.original].scores.rank:.0%} of its judgements pass it"
        if self.refined is None:
            return f"{lines}\n{before}; no refinement was better"
        return f"{lines}\n{before}; refined at {self.refined}: {self.tree[self.refined].scores.rank:.0%}"
