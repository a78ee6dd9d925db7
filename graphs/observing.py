"""What a step tells the student model: from `observe` and the values of a run to observations as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from maieutic.errors import StudentModelError
from maieutic.graphs.acts import Act, Dialogue, Done, Formulas, Values
from maieutic.graphs.failing import Formula, Spot, StepFailed
from maieutic.graphs.functions import is_number
from maieutic.memory import Event
from maieutic.memory.student.grading import chosen, is_right
from maieutic.memory.student.observations import Observation

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.graphs.merging import StateFields
    from maieutic.graphs.nodes import Observe, Observes
    from maieutic.graphs.pupils import Pupils
    from maieutic.memory.student.items import Item

__all__ = ["KINDS", "ObservingAct", "Watch", "in_words", "listed", "parts", "watches"]

KINDS = ("item", "explained", "asked", "claimed", "waited", "log")
"""The keys of `observe` of which there is exactly one: what was observed."""


def listed(observes: Observes | None) -> list[tuple[Observe, tuple[str | int, ...]]]:
    """The things that a step tells the student model, each with its path under the step."""
    if observes is None:
        return []
    if not isinstance(observes, list):
        return [(observes, ("observe",))]
    return [(one, ("observe", i)) for i, one in enumerate(observes)]


def parts(observe: Observe) -> dict[str, Any]:
    """The expressions of one `observe` by their keys; `concepts` only if it is an expression."""
    given = {name: getattr(observe, name) for name in type(observe).model_fields}
    return {name: value for name, value in given.items() if value is not None and not isinstance(value, list)}


def in_words(observe: Observe) -> str:
    """What is observed, for people: `answered question, answer = reply.answer`."""
    given = {name: value for name in type(observe).model_fields if (value := getattr(observe, name)) is not None}
    first = next((name for name in KINDS if name in given), "")
    listed = {name: f"[{', '.join(value)}]" if isinstance(value, list) else value for name, value in given.items()}
    rest = [f"{name} = {value}" for name, value in listed.items() if name != first]
    return ", ".join([f"{'answered' if first == 'item' else first} {listed.get(first, '')}", *rest])


@dataclass(frozen=True, slots=True)
class Watch:
    """One thing to observe.

    Attributes:
        parts: Its expressions by their keys.
        concepts: The concepts that the file lists, if it does.
        spot: Where it stands.
        pupils: What the student model knows of concepts and items.
    """

    parts: Formulas
    concepts: tuple[str, ...]
    spot: Spot
    pupils: Pupils

    def observed(self, values: Values, warn: Callable[[str], None]) -> list[dict[str, Any]]:
        """The observations, as plain JSON.

        Args:
            values: The state, and what the step came to.
            warn: Told what was left out.

        Raises:
            StepFailed: A value is not what it must be, or the student model knows no such item or concept.
        """
        given = {name: formula.value(values) for name, formula in self.parts.items()}
        try:
            if "log" in given:
                found = self.pupils.observations(given["log"])
            else:
                told = self._observation(given, warn)
                found = [] if told is None else [Observation(**told)]
            self.pupils.check(found)
        except (StudentModelError, ValidationError, ValueError) as error:
            raise StepFailed(f"{self.spot}: {_said(error)}", kind="student") from error
        return [one.to_json() for one in found]

    def _observation(self, given: Mapping[str, Any], warn: Callable[[str], None]) -> dict[str, Any] | None:
        kind = next(key for key in KINDS if key in given)
        told: dict[str, Any] = {"kind": "answered" if kind == "item" else kind}
        if (sure := self._confidence(given, warn)) is not None:
            told["confidence"] = sure
        elif kind == "claimed":
            return None
        if kind == "waited":
            return {**told, "days": _number(given["waited"], "waited")}
        if kind == "item":
            return {**told, **self._answered(given)}
        return {**told, **self._about(_text(given[kind], kind), given)}

    def _about(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """An item or a concept, or the concepts of an item that is not listed."""
        if (item := self.pupils.item(name)) is not None:
            return {"item": item.id}
        if name in self.pupils.concepts:
            return {"concepts": (name,)}
        return {"concepts": self._unlisted(name, given, "item or concept")}

    def _answered(self, given: Mapping[str, Any]) -> dict[str, Any]:
        name = _text(given["item"], "item")
        item = self.pupils.item(name)
        told: dict[str, Any] = {"concepts": self._unlisted(name, given, "item")} if item is None else {"item": item.id}
        if "with_explanation" in given:
            told["with_explanation"] = _truth(given["with_explanation"], "with_explanation")
        if "correct" in given:
            told["correct"] = _truth(given["correct"], "correct")
        if "answer" in given:
            told |= self._graded(item, _text(given["answer"], "answer"), told.get("correct"))
        if "correct" not in told:
            raise ValueError(f"the right answer to {name!r} is not known; say correct: EXPRESSION instead")
        return told

    def _graded(self, item: Item | None, answer: str, correct: bool | None) -> dict[str, Any]:
        """Whether an answer is right, if that is not said already, and which wrong one it is, if the item tells."""
        right = correct if correct is not None or item is None else is_right(item, answer)
        if right is None:
            return {}
        wrong = None if right or item is None else chosen(item, answer)
        return {"correct": right} if wrong is None else {"correct": right, "choice": wrong}

    def _unlisted(self, name: str, given: Mapping[str, Any], what: str) -> tuple[str, ...]:
        named = given.get("concepts", self.concepts)
        names = (named,) if isinstance(named, str) else tuple(named) if isinstance(named, list | tuple) else ()
        if not names or not all(isinstance(one, str) for one in names):
            raise self.pupils.stranger(name, what, "or name its concepts: observe: {…, concepts: […]}")
        return names

    def _confidence(self, given: Mapping[str, Any], warn: Callable[[str], None]) -> float | None:
        """A confidence that a model gave outside its bounds is no mistake of the file, and is told and left out."""
        if "confidence" not in given:
            return None
        sure = _number(given["confidence"], "confidence")
        if 0 <= sure <= 1:
            return sure
        warn(f"{self.spot}: the confidence {sure:g} is not between 0 and 1 and was left out")
        return None


def _said(error: Exception) -> str:
    """What an error says; of pydantic's, what it says of the first value."""
    if isinstance(error, ValidationError):
        return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
    return str(error)


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    if is_number(value):  # an answer such as 7
        return f"{value}"
    raise ValueError(f"{what} must be a text, not {value!r:.60}")


def _number(value: Any, what: str) -> float:
    if is_number(value):
        return float(value)
    raise ValueError(f"{what} must be a number, not {value!r:.60}")


def _truth(value: Any, what: str) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{what} must be true or false, not {value!r:.60}")


def watches(observes: Observes | None, spot: Spot, pupils: Pupils) -> Iterator[Watch]:
    """What a step's `observe` asks to watch for."""
    for observe, path in listed(observes):
        here = Spot(spot.spec, (*spot.path, *path))
        formulas = {name: Formula(value, here / name) for name, value in parts(observe).items()}
        names = observe.concepts if isinstance(observe.concepts, list) else []
        yield Watch(formulas, tuple(names), here, pupils)


@dataclass(frozen=True, slots=True)
class ObservingAct:
    """An act after which the student model is told what happened.

    What is observed sees the state with the act's own writes in it; the student model itself is told when the node has
    run, after which the routes are asked.
    """

    act: Act
    watches: Sequence[Watch]
    fields: StateFields
    spot: Spot

    async def __call__(self, at: Place, values: Values, dialogue: Dialogue) -> Done:
        """Act, then look at what came of it."""
        done = await self.act(at, values, dialogue)
        after = {**values, **self.fields.merge(values, done.writes, self.spot), **done.result}
        seen = [one for watch in self.watches for one in watch.observed(after, lambda words: _warn(at, words))]
        return replace(done, observed=(*done.observed, *seen))


def _warn(at: Place, message: str) -> None:
    at.emit(Event("warning", at.address.local, {"message": message}))
