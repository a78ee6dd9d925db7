"""Why the model believes what it believes: in words, with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.memory.student.answering import Question
from maieutic.memory.student.belief import Belief
from maieutic.memory.student.grading import is_right
from maieutic.memory.student.observations import Observation

if TYPE_CHECKING:
    from maieutic.memory.student.model import StudentModel

__all__ = ["Effect", "Reason", "Reasons"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one observation did to one concept.

    Attributes:
        concept: Its position.
        known_before, thinks_before, known_after, thinks_after: P(known), P(thinks it knows).
    """

    concept: int
    known_before: float
    thinks_before: float
    known_after: float
    thinks_after: float


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a belief rests on.

    Attributes:
        text: The reason in words.
        effect: The change of a probability that the text tells of; 0 if it tells of none.
    """

    text: str
    effect: float = 0.0

    def __str__(self) -> str:
        return self.text


class Reasons:
    """The reasons behind a model's belief.

    Args:
        model, belief: The model and what it believes.
        log: What was observed.
        effects: What each observation did.
    """

    def __init__(
        self,
        model: StudentModel,
        belief: Belief,
        log: Sequence[Observation],
        effects: Sequence[Sequence[Effect]],
    ) -> None:
        self._model = model
        self._belief = belief
        self._log = log
        self._effects = effects

    def of_concept(self, name: str) -> list[Reason]:
        """The belief itself, what was observed of the concept, what it needs, and what an explanation would do."""
        model, at = self._model, self._belief.where[name]
        mastery = model.mastery(name)
        first = self._belief.at_first[at]
        reasons = [Reason(f"{name} is known with probability {mastery:.2f}, {first:.2f} before anything was observed")]
        observed = self._observed(at)
        reasons += observed
        rest = mastery - first - sum(reason.effect for reason in observed)
        if abs(rest) >= 0.005:
            reasons.append(Reason(f"what was observed of related concepts, and time ({rest:+.2f})", rest))
        reasons += [
            Reason(f"needs {self._belief.names[p]} (mastery {self._belief.mastery(p):.2f}, weight {weight:g})")
            for p, weight in self._belief.needs[at]
        ]
        reasons += self._second_level(name)
        gain = (1 - mastery) * self._belief.learning(at)
        reasons.append(
            Reason(f"an explanation would raise its mastery from {mastery:.2f} to {mastery + gain:.2f}", gain)
        )
        return reasons

    def of_item(self, question: Question) -> list[Reason]:
        """What is expected, what the item needs, what was observed of that, and what an explanation would do."""
        prediction = self._model.predict(question.item)
        reasons = [
            Reason(f"P(right) alone is {prediction.alone:.2f}: slip {question.slip:.2f}, guess {question.guess:.2f}")
        ]
        for at in question.concepts:
            reasons.append(Reason(f"needs {self._belief.names[at]} (mastery {self._belief.mastery(at):.2f})"))
            reasons += self._observed(at)
        change = "raise" if prediction.utility >= 0 else "lower"
        text = f"an explanation would {change} P(right) from {prediction.alone:.2f} to {prediction.explained:.2f}"
        reasons.append(Reason(text, prediction.utility))
        return reasons

    def _observed(self, at: int) -> list[Reason]:
        reasons = []
        for observation, effects in zip(self._log, self._effects, strict=True):
            for effect in effects:
                if effect.concept == at:
                    reasons.append(self._reason(observation, effect))
        return reasons

    def _reason(self, observation: Observation, effect: Effect) -> Reason:
        name = self._belief.names[effect.concept]
        known = f"{name} known {effect.known_before:.2f} -> {effect.known_after:.2f}"
        thinks = f", thinks it knows {effect.thinks_before:.2f} -> {effect.thinks_after:.2f}"
        second = observation.kind in ("asked", "claimed") or observation.confidence is not None
        correct = observation.correct
        if correct is None and observation.item is not None and observation.choice is not None:
            correct = is_right(self._model.items[observation.item], observation.choice)
        text = f"{_happened(observation, correct)} ({known}{thinks if second else ''})"
        return Reason(text, effect.known_after - effect.known_before)

    def _second_level(self, name: str) -> list[Reason]:
        over, un = self._model.overconfidence(name), self._model.unawareness(name)
        reasons = []
        if over >= 0.25:
            reasons.append(Reason(f"may think that it knows {name} without knowing it (probability {over:.2f})"))
        if un >= 0.25:
            reasons.append(Reason(f"may know {name} without thinking so (probability {un:.2f})"))
        for misconception, chance in self._model.misconception(name).items():
            if chance >= 0.1:
                reasons.append(Reason(f"may hold the misconception {misconception!r} (probability {chance:.2f})"))
        return reasons


def _happened(observation: Observation, correct: bool | None) -> str:
    about = observation.item or ", ".join(observation.concepts)
    if observation.kind == "answered":
        how = "" if correct is None else " right" if correct else " wrong"
        choice = "" if observation.choice is None else f" with {observation.choice!r}"
        helped = " with an explanation at hand" if observation.with_explanation else ""
        sure = "" if observation.confidence is None else f", {observation.confidence:.0%} sure"
        return f"answered {about}{how}{choice}{helped}{sure}"
    if observation.kind == "claimed":
        return f"said to be {observation.confidence:.0%} sure of {about}"
    return f"asked about {about}" if observation.kind == "asked" else f"{about} was explained"
