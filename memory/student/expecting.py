"""What is expected of a student: its answers, and what an explanation is worth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from maieutic.memory.student.answering import Question, both, expectation
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
    """P(right), alone and with an explanation at hand; the concepts of the item are taken as independent."""
    states = [belief.states(concept) for concept in question.concepts]
    alone, explained = (expectation(question.answered(True, helped), states) for helped in (False, True))
    return Prediction(alone, explained)


def chances(belief: Belief, question: Question, explained: bool) -> dict[str, float]:
    """P(chosen) of each answer that the item names, the right one first.

    Raises:
        StudentModelError: The item has neither a right answer nor anything to choose from.
    """
    answer, *others = question.choices()
    states = [belief.states(concept) for concept in question.concepts]
    wrong = question.answered(False, explained)
    return {
        answer: expectation(question.answered(True, explained), states),
        **{option: expectation(both(wrong, question.drawn(option)), states) for option in others},
    }


def gain(belief: Belief, taught: Collection[int], question: Question) -> float:
    """How much P(right alone) rises if these concepts are explained, which does not happen here."""
    if not set(taught) & set(question.concepts):
        return 0.0
    before = [belief.states(concept) for concept in question.concepts]
    after = [
        belief.chains[concept].learned(states, belief.learning(concept)) if concept in taught else states
        for concept, states in zip(question.concepts, before, strict=True)
    ]
    terms = question.answered(True, explained=False)
    return expectation(terms, after) - expectation(terms, before)
