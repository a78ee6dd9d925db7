"""The student model: told what is observed, it answers what the student knows, thinks it knows, and will answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from maieutic.errors import StudentModelError
from maieutic.files.problems import did_you_mean
from maieutic.memory.student.answering import ASKS, Question, both, claims
from maieutic.memory.student.belief import Belief
from maieutic.memory.student.concepts import ConceptGraph, first_of
from maieutic.memory.student.expecting import Prediction, chances, gain, predict
from maieutic.memory.student.items import Item
from maieutic.memory.student.library import Library
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.policy import InterventionPolicy
from maieutic.memory.student.reasons import Effect, Reason, Reasons

__all__ = ["Prediction", "StudentModel"]


class StudentModel:
    """What a teacher believes that one student knows, and thinks that it knows.

    See `maieutic.memory.student` for the statistical model. The same observations in the same order give the same
    model; questions change nothing.

    Args:
        concepts: What there is to know, with the items that stand there. Read once.
        items: More items.
        policy: When to intervene; left out, whenever it is expected to help.
        keep_log: Keep the observations and their effects, for `log`, `why` and saving. Without it nothing grows.
        tolerance: Change of a belief, as a probability, below which it is not passed on along the prerequisites. None:
            1e-12 up to 200 concepts, 3e-4 beyond.

    Raises:
        StudentModelError: The graph has a cycle, or an item names what is not there.

    Example:
        >>> concepts = ConceptGraph()
        >>> concepts.add("division")
        >>> concepts.add("fractions", needs={"division": 0.9})
        >>> student = StudentModel(concepts, items=[Item(id="q1", concepts=("fractions",))])
        >>> student.answered("q1", correct=True)
        >>> round(student.mastery("fractions"), 2), round(student.mastery("division"), 2)
        (0.63, 0.7)
    """

    def __init__(
        self,
        concepts: ConceptGraph,
        items: Iterable[Item] = (),
        *,
        policy: InterventionPolicy | None = None,
        keep_log: bool = True,
        tolerance: float | None = None,
    ) -> None:
        concepts.check()
        self.concepts = concepts
        self.policy = policy or InterventionPolicy(1.0)
        self.keep_log = keep_log
        self._belief = Belief(concepts, tolerance)
        self._library = Library(self._belief.where, self._belief.chains)
        self._log: list[Observation] = []
        self._effects: list[tuple[Effect, ...]] = []
        self.add(*concepts.items.values())
        self.add(*items)

    @classmethod
    def of(
        cls, concepts: ConceptGraph, log: Iterable[Observation], items: Iterable[Item] = (), **how: Any
    ) -> StudentModel:
        """The model that these observations add up to; `how` goes to the constructor."""
        model = cls(concepts, items, **how)
        for observation in log:
            model.observe(observation)
        return model

    def copy(self) -> StudentModel:
        """An independent model of the same student."""
        other = StudentModel.__new__(StudentModel)
        other.__dict__.update(self.__dict__)
        other.policy = self.policy.copy()
        other._belief = self._belief.copy()
        other._library = self._library.copy()
        other._log, other._effects = self._log.copy(), self._effects.copy()
        return other

    def add(self, *items: Item) -> None:
        """Make items known.

        Raises:
            StudentModelError: Another item has the same id, or one names what is not there.
        """
        for item in items:
            self._library.add(item)

    @property
    def items(self) -> Mapping[str, Item]:
        """The items that are known, by id."""
        return self._library.items

    @property
    def log(self) -> list[Observation]:
        """What was observed, in order; empty if the log is not kept."""
        return list(self._log)

    @property
    def days(self) -> float:
        """Days that have passed."""
        return self._belief.day

    # -- what was observed

    def observe(self, observation: Observation) -> None:
        """Take in one observation.

        Raises:
            StudentModelError: It names an item or a concept that is not there, or an answer that cannot be judged.
        """
        if observation.item is not None and observation.item not in self.items:  # named by its question
            observation = observation.model_copy(update={"item": self._library.question(observation.item).item.id})
        concepts = self._meant(observation)
        before = self._now(concepts) if self.keep_log else []
        if observation.kind == "answered":
            self._take_answer(observation)
        elif observation.kind == "explained":
            self._belief.explain(concepts)
        elif observation.kind == "waited":
            assert observation.days is not None  # the observation saw to it
            self._belief.day += observation.days
        else:
            density = ASKS if observation.kind == "asked" else claims(observation.confidence or 0.0)
            self._belief.weigh(concepts, self._question(observation).sure(density))
        if self.keep_log:
            self._log.append(observation)
            changes = zip(concepts, before, self._now(concepts), strict=True)
            self._effects.append(tuple(Effect(concept, *old, *new) for concept, old, new in changes))

    def answered(
        self,
        item: str | Item | None = None,
        *,
        correct: bool | None = None,
        choice: str | None = None,
        confidence: float | None = None,
        with_explanation: bool = False,
        concepts: Iterable[str] = (),
    ) -> None:
        """The student answered an item, or an open question that needs these concepts.

        Args:
            item: The item, by id, by its question, or itself.
            correct: Whether it was right; left out, `choice` is compared with the item's answer and aliases.
            choice: The answer as it was given.
            confidence: How sure the student says it is, 0 to 1.
            with_explanation: Whether it had an explanation of the item at hand. That helps with this answer and teaches
                nothing by itself: say `explained` too where the student may keep it.
            concepts: What the question needs, if it is no item.

        Raises:
            StudentModelError: See `observe`.
        """
        self._tell(
            kind="answered",
            item=None if item is None else self._known(item),
            concepts=tuple(concepts),
            correct=correct,
            choice=choice,
            confidence=confidence,
            with_explanation=with_explanation,
        )

    def explained(self, *of: str | Item) -> None:
        """The student was given an explanation of an item, or of concepts."""
        self._tell(kind="explained", **self._naming(of))

    def asked(self, *about: str | Item) -> None:
        """The student asked a question about an item, or about concepts: it thinks that it does not know."""
        self._tell(kind="asked", **self._naming(about))

    def claimed(self, about: str | Item, confidence: float) -> None:
        """The student said how sure it is of an item or a concept, 0 to 1."""
        self._tell(kind="claimed", confidence=confidence, **self._naming((about,)))

    def waited(self, days: float) -> None:
        """Days passed."""
        self._tell(kind="waited", days=days)

    # -- what is believed

    def mastery(self, concept: str) -> float:
        """P(the student knows the concept)."""
        return self._belief.mastery(self._at(concept))

    def uncertainty(self, concept: str) -> float:
        """Entropy, in bits, of the belief about the concept: known, unknown, or which misconception."""
        states = self._belief.states(self._at(concept))
        by_k = [states[i] + states[i + 1] for i in range(0, len(states), 2)]
        return max(-sum(p * math.log2(p) for p in by_k if p > 0), 0.0)

    def thinks(self, concept: str) -> float:
        """P(the student thinks that it knows the concept)."""
        return sum(self._belief.states(self._at(concept))[0::2])

    def overconfidence(self, concept: str) -> float:
        """P(the student does not know the concept, and thinks that it does)."""
        return sum(self._belief.states(self._at(concept))[2::2])

    def unawareness(self, concept: str) -> float:
        """P(the student knows the concept, and thinks that it does not)."""
        return self._belief.states(self._at(concept))[1]

    def misconception(self, concept: str) -> dict[str, float]:
        """P(held) of each misconception of the concept."""
        at = self._at(concept)
        states = self._belief.states(at)
        names = self._belief.chains[at].misconceptions
        return {name: states[4 + 2 * i] + states[5 + 2 * i] for i, name in enumerate(names)}

    def readiness(self, concept: str) -> float:
        """How much of what the concept needs is known: the product of 1 - weight * P(prerequisite not known)."""
        return self._belief.readiness(self._at(concept))

    # -- what is expected

    def predict(self, item: str | Item) -> Prediction:
        """P(right) of an item, alone and with an explanation at hand."""
        return predict(self._belief, self._library.question(item))

    def distractor(self, item: str | Item, *, explained: bool = False) -> dict[str, float]:
        """P(chosen) of each answer that the item names, the right one included; they add up to 1.

        An open item's distractors are its named wrong answers; "(another answer)" stands for all others.

        Raises:
            StudentModelError: The item has neither a right answer nor anything to choose from.
        """
        return chances(self._belief, self._library.question(item), explained)

    def expected_utility(self, item_or_concept: str | Item, ahead: Iterable[str | Item] = ()) -> float:
        """What explaining now is expected to gain, in right answers.

        Args:
            item_or_concept: An item: the utility of its explanation for its own answer, plus what the student is
                expected to learn from it for the items `ahead`, answered alone. A concept: what explaining it is
                expected to gain on all known items that need it, answered alone; if none does, on one item of its own.
            ahead: Items that come later.
        """
        if isinstance(item_or_concept, str) and item_or_concept in self._belief.where:
            at = self._belief.where[item_or_concept]
            questions = self._library.needing(at) or [self._library.plain((item_or_concept,))]
            return sum(gain(self._belief, (at,), question) for question in questions)
        question = self._library.question(item_or_concept)
        covered = tuple(c for c, is_covered in zip(question.concepts, question.covered, strict=True) if is_covered)
        others = (self._library.question(other) for other in ahead)
        later = sum(gain(self._belief, covered, other) for other in others if other.item.id != question.item.id)
        return predict(self._belief, question).utility + later

    def zone(self, ready: float = 0.7, mastered: float = 0.9) -> list[str]:
        """What is ready to be learned: not mastered, but what it needs is known; most expected gain first.

        Args:
            ready: Least `readiness`.
            mastered: Least mastery that counts as mastered.
        """
        belief = self._belief
        open_ = [
            name
            for at, name in enumerate(belief.names)
            if belief.mastery(at) < mastered and belief.readiness(at) >= ready
        ]
        return sorted(open_, key=self.expected_utility, reverse=True)

    def why(self, item_or_concept: str | Item) -> list[Reason]:
        """What the belief about an item or a concept rests on, in words with numbers.

        What was observed is among it if the log is kept.
        """
        reasons = Reasons(self, self._belief, self._log, self._effects)
        if isinstance(item_or_concept, str) and item_or_concept in self._belief.where:
            return reasons.of_concept(item_or_concept)
        return reasons.of_item(self._library.question(item_or_concept))

    def should_intervene(self, item: str | Item) -> bool:
        """Whether to explain this item now, by the policy, which counts it as decided on."""
        if not self.policy.knows_what_to_expect:
            self.policy.expect(self.predict(name).utility for name in self.items)
        return self.policy.decide(self.expected_utility(item))

    # -- kept

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: concepts, items, and the log, or the beliefs where there is no log."""
        from maieutic.memory.student.saving import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StudentModel:
        """The model that `to_json` wrote.

        Raises:
            StudentModelError: The data are not of that shape, or of a later version.
        """
        from maieutic.memory.student.saving import from_json

        return from_json(data)

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file."""
        from maieutic.memory.student.saving import save

        save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> StudentModel:
        """Read what `save` wrote.

        Raises:
            StudentModelError: The file cannot be read, or is not of that shape.
        """
        from maieutic.memory.student.saving import load

        return load(path)

    def __repr__(self) -> str:
        seen = f", {len(self._log)} observations" if self.keep_log else ""
        return f"StudentModel({len(self.concepts)} concepts, {len(self.items)} items{seen})"

    # -- steps

    def _tell(self, **what: Any) -> None:
        try:
            self.observe(Observation(**what))
        except ValidationError as error:
            raise StudentModelError(f"this cannot have been observed: {first_of(error)}") from None

    def _take_answer(self, observation: Observation) -> None:
        question = self._question(observation)
        correct = observation.correct
        if correct is None:
            assert observation.choice is not None  # the observation saw to it
            correct = question.is_right(observation.choice)
        if correct is None:
            raise StudentModelError(
                f"whether {observation.choice!r} is right cannot be told: the item {question.item.id!r} has no answer; "
                "give it one, or say correct=True or False"
            )
        option = None if correct else question.option(observation.choice)
        terms = question.answered(correct, observation.with_explanation, option)
        if observation.confidence is not None:
            terms = both(terms, question.sure(claims(observation.confidence)))
        self._belief.weigh(question.concepts, terms)
        self._belief.practise(question.concepts)

    def _at(self, concept: str) -> int:
        if concept not in self._belief.where:
            raise StudentModelError(f"there is no concept {concept!r}; {did_you_mean(concept, self._belief.where)}")
        return self._belief.where[concept]

    def _known(self, item: str | Item) -> str:
        """The id of an item; one that is new is added."""
        if isinstance(item, Item):
            self._library.add(item)
        return self._library.question(item).item.id

    def _naming(self, of: tuple[str | Item, ...]) -> dict[str, Any]:
        """An item's or concepts' place in an observation. A concept's name goes before an item's id."""
        names = [each for each in of if isinstance(each, str) and each in self._belief.where]
        if len(names) == len(of):
            return {"concepts": tuple(names)}
        if len(of) == 1:
            return {"item": self._known(of[0])}
        stranger = next(str(each) for each in of if each not in names)
        raise StudentModelError(f"there is no concept {stranger!r}; name one item, or concepts alone")

    def _question(self, observation: Observation) -> Question:
        if observation.item is not None:
            return self._library.question(observation.item)
        return self._library.plain(observation.concepts)

    def _meant(self, observation: Observation) -> tuple[int, ...]:
        if observation.kind == "waited":
            return ()
        question = self._question(observation)
        if observation.kind == "explained":
            return tuple(c for c, covered in zip(question.concepts, question.covered, strict=True) if covered)
        return question.concepts

    def _now(self, concepts: tuple[int, ...]) -> list[tuple[float, float]]:
        states = [self._belief.states(concept) for concept in concepts]
        return [(each[0] + each[1], sum(each[0::2])) for each in states]
