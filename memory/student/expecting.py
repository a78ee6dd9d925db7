"""What is expected of a student: its answers, and what an explanation is worth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from maieutic.memory.student.answering import Question, both
from maieutic.memory.student.belief import Belief

__all__ = ["Prediction", "chances", "gain", "predict"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a student is expected to answer an item.

    Attributes:
        alone: P(right | it answers alone).
        explained: P(right | it answers with an explanation of the item at hand).
    """

    alone: float
    explained: float

    @property
    def utility(self) -> float:
        """What the explanation is worth: explained - alone."""
        return self.explained - self.alone


def predict(belief: Belief, question: Question) -> Prediction:
    """P(right), alone and with an explanation at hand."""
    alone, explained = (
        belief.expect(question.concepts, question.answered(True, explained=helped)) for helped in (False, True)
    )
    return Prediction(alone, explained)


def chances(belief: Belief, question: Question, explained: bool) -> dict[str, float]:
    """P(chosen) of each answer that the item names, the right one first.

    Raises:
        StudentModelError: The item has neither a right answer nor anything to choose from.
    """
    answer, *others = question.choices()
    wrong = question.answered(False, explained)
    return {
        answer: belief.expect(question.concepts, question.answered(True, explained)),
        **{option: belief.expect(question.concepts, both(wrong, question.drawn(option))) for option in others},
    }


def gain(belief: Belief, taught: Collection[int], question: Question) -> float:
    """How much P(right alone) rises if these concepts are explained, which does not happen here."""
    if not set(taught) & set(question.concepts):
        return 0.0
    right = question.answered(True, explained=False)
    return belief.expect(question.concepts, right, taught) - belief.expect(question.concepts, right)
