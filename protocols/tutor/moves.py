"""The teacher's next move, chosen with the student model, and why.

The rules are those of a tutor who may look at the model's numbers: find out before teaching, give the least help that
is likely to be enough, and go on only where the prerequisites hold (the zone of what is ready to be learned;
Vygotsky 1978; "assistance dilemma", Koedinger & Aleven 2007). Every choice carries its reasons, with the numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from networkx import topological_sort

from maieutic.memory.student import Item, StudentModel

__all__ = ["Choice", "Exercise", "Move", "Rules", "choose"]

Move = Literal["ask", "try", "hint", "explain", "example", "done"]


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers that the choice turns on.

    Attributes:
        mastered: From which mastery on a concept counts as known.
        ready: From which mastery of its prerequisites on a concept is ready to be learned.
        uncertain: From how many bits of uncertainty on the teacher finds out first (1 bit: known or not, even odds;
            more, where there are misconceptions too).
        believes: From which probability of a misconception on it is explained away instead of hinted at.
        near: From which mastery on, after a wrong answer, a hint is tried before an explanation.
        tries: After how many wrong answers to one exercise the teacher goes on to another.
    """

    mastered: float = 0.9
    ready: float = 0.7
    uncertain: float = 0.9
    believes: float = 0.4
    near: float = 0.35
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Exercise:
    """The exercise at hand, if it is not solved yet.

    Attributes:
        item: The item's id.
        wrong: How often it was answered wrong.
        helped: The moves made since it was first set.
    """

    item: str
    wrong: int = 0
    helped: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A move and its reasons.

    Attributes:
        move: "ask" an open question, set an exercise to "try", give a "hint", "explain", show an "example"; "done".
        concept: What it is about; empty if nothing is left.
        item: The exercise it concerns, if it concerns one.
        reasons: Why, in words with numbers.
        believes: What the student probably believes instead, in words; empty if nothing is suspected.
    """

    move: Move
    concept: str = ""
    item: str | None = None
    reasons: tuple[str, ...] = field(default=())
    believes: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the turn's data keep it."""
        return {"move": self.move, "concept": self.concept, "item": self.item, "why": list(self.reasons)}


def choose(
    model: StudentModel,
    items: Mapping[str, Item],
    rules: Rules,
    *,
    exercise: Exercise | None = None,
    taught: Sequence[str] = (),
    used: Mapping[str, int] | None = None,
    told: Collection[str] = (),
) -> Choice:
    """The next move.

    Args:
        model: What is believed of the student.
        items: The exercises there are, by id.
        rules: The numbers that the choice turns on.
        exercise: The exercise that was last answered wrong.
        taught: Concepts that were explained or shown an example of in this lesson.
        used: How often each exercise was set in this lesson.
        told: The exercises whose answer was told in this lesson, and which would find out nothing any more.
    """
    if exercise is not None and exercise.wrong < rules.tries:
        return _help(model, items[exercise.item], exercise, rules)
    concept = _next_concept(model, rules)
    if concept is None:
        return Choice("done", reasons=(f"every concept is mastered (at least {rules.mastered:.2f})",))
    left = {name: item for name, item in items.items() if name not in told}
    avoid = None if exercise is None else exercise.item
    item = _exercise(model, left, concept, used or {}, avoid)
    was_one = any(concept in item.concepts for item in items.values())
    none = "the answers to its exercises were told" if was_one else "there is no exercise for it"
    return _teach(model, concept, item, rules, concept in taught, none=none)


def _help(model: StudentModel, item: Item, exercise: Exercise, rules: Rules) -> Choice:
    """After a wrong answer: the least help that is likely to be enough."""
    concept = min(item.concepts, key=model.mastery)
    mastery, prediction = model.mastery(concept), model.predict(item)
    wrong = f"{item.id} was answered wrong {_times(exercise.wrong)}"
    chance = f"an explanation is expected to raise P(right) from {prediction.alone:.2f} to {prediction.explained:.2f}"
    misled, share = _misconception(model, concept)
    believes = misled if share >= rules.believes else ""
    if "explain" in exercise.helped:
        return Choice("example", concept, item.id, (wrong, f"an explanation of {concept} was not enough"), believes)
    if believes:
        belief = f"it probably believes {misled!r} (P = {share:.2f}), and a hint does not remove a misconception"
        return Choice("explain", concept, item.id, (wrong, belief, chance), believes)
    if not exercise.helped and mastery >= rules.near:
        near = f"{concept} may be known after all (mastery {mastery:.2f}), so a hint can be enough"
        return Choice("hint", concept, item.id, (wrong, near))
    low = f"{concept} is hardly known (mastery {mastery:.2f})" if mastery < rules.near else "a hint was not enough"
    return Choice("explain", concept, item.id, (wrong, low, chance))


def _teach(model: StudentModel, concept: str, item: Item | None, rules: Rules, taught: bool, *, none: str) -> Choice:
    """Without a wrong answer at hand: find out, introduce, or practise. `none` says why there is no exercise."""
    mastery, bits = model.mastery(concept), model.uncertainty(concept)
    known = f"mastery of {concept} is {mastery:.2f}, uncertain by {bits:.2f} bits"
    if item is None:
        if bits >= rules.uncertain or taught:
            return Choice("ask", concept, reasons=(known, f"{none}, so an open question finds out"))
        return Choice("example", concept, reasons=(known, f"it is ready to be learned, and {none}"))
    chance = f"P(right) on {item.id} is {model.predict(item).alone:.2f}"
    if bits >= rules.uncertain:
        return Choice("try", concept, item.id, (known, f"{chance}, so the answer will tell much"))
    if mastery >= 0.5:
        return Choice(
            "try", concept, item.id, (known, f"{chance}; a right answer or two would settle that it is known")
        )
    if taught:
        return Choice(
            "try", concept, item.id, (known, f"{chance}; it was taught, and the answer tells whether it helped")
        )
    return Choice("example", concept, reasons=(known, "it is ready to be learned and probably not known yet"))


def _next_concept(model: StudentModel, rules: Rules) -> str | None:
    """The concept to work on: the best of the zone, else the first of what is not mastered, prerequisites first."""
    zone = model.zone(ready=rules.ready, mastered=rules.mastered)
    if zone:
        return zone[0]
    left = [concept for concept in topological_sort(model.concepts.graph) if model.mastery(concept) < rules.mastered]
    return left[0] if left else None


def _exercise(
    model: StudentModel, items: Mapping[str, Item], concept: str, used: Mapping[str, int], avoid: str | None
) -> Item | None:
    """The exercise of the concept that was set least often; of those, the one whose outcome is least certain."""
    found = [item for item in items.values() if concept in item.concepts and item.id != avoid]
    found = found or [item for item in items.values() if concept in item.concepts]
    return min(
        found,
        key=lambda item: (used.get(item.id, 0), abs(model.predict(item).alone - 0.5), item.id),
        default=None,
    )


def _misconception(model: StudentModel, concept: str) -> tuple[str, float]:
    """The likeliest misconception, in words if it has some, and its probability."""
    held = model.misconception(concept)
    name, share = max(held.items(), key=lambda pair: pair[1], default=("", 0.0))
    return (model.concepts.concept(concept).misconceptions[name].text or name if name else "", share)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
