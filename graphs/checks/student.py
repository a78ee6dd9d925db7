"""The student model: what it is told, whether it is told anything, and whether it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from maieutic.files.problems import did_you_mean
from maieutic.files.sheet import Path
from maieutic.graphs.checks.scene import Scene
from maieutic.graphs.expressions import Expression
from maieutic.graphs.nodes import Observe
from maieutic.graphs.observing import KINDS, listed, parts
from maieutic.graphs.questions import STUDENT, Role, StudentType
from maieutic.graphs.types import Type

__all__ = ["check_student", "unfit"]

_BESIDE: Mapping[str, tuple[str, ...]] = {
    "item": ("answer", "correct", "confidence", "with_explanation", "concepts"),
    "explained": ("concepts",),
    "asked": ("concepts",),
    "claimed": ("confidence", "concepts"),
    "waited": (),
    "log": (),
}
"""The keys that may stand beside each of KINDS."""

_TAKES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("item", "explained", "asked", "claimed"), ("a str", ("str",))),
    "answer": ("a str or a number", ("str", "int", "float")),
    **dict.fromkeys(("correct", "with_explanation"), ("a bool", ("bool",))),
    **dict.fromkeys(("confidence", "waited"), ("a number", ("int", "float"))),
    "concepts": ("a str or a list of them", ("str", "list")),
    "log": ("a list of observations", ("list",)),
}


def check_student(scene: Scene) -> None:
    """Note everything that is wrong with a file's student model and with what it is told."""
    _check_form(scene)
    observed: list[Observe] = []
    for at, step in scene.spec.steps():
        for observe, path in listed(step.observe):
            observed.append(observe)
            if scene.spec.student_model is None:
                hint = "add student_model: {graph: FILE} to the graph file"
                scene.wrong((*at, "observe"), "there is no student model to tell what is observed", hint, key=True)
                break
            _check_observe(scene, (*at, *path), observe)
    if scene.spec.student_model is not None and not scene.sheet.problems:
        _check_use(scene, observed)


def _check_form(scene: Scene) -> None:
    model, at = scene.spec.student_model, ("student_model",)
    if model is None:
        return
    if model.graph is None and model.concepts is None:
        scene.wrong(at, "student_model has no concepts", "add graph: FILE, a file that has them", key=True)
    if model.graph is not None:
        for key in ("concepts", "defaults", "items"):
            if getattr(model, key) is not None:
                hint = "keep one of them; a concept file may have items too"
                scene.wrong((*at, key), f"student_model has both graph and {key}", hint, key=True)
    if scene.spec.graph is None:
        scene.wrong(at, "a file that is only a protocol has no student model", "make it a graph", key=True)


def _check_observe(scene: Scene, at: Path, observe: Observe) -> None:
    given = [name for name in Observe.model_fields if getattr(observe, name) is not None]
    kinds = [name for name in given if name in KINDS]
    if not kinds:
        hint = f"give it one of {', '.join(KINDS)}"
        scene.wrong(at, "observe does not say what was observed", hint)
    elif len(kinds) > 1:
        hint = "make a list of two: observe: [{…}, {…}]"
        scene.wrong((*at, kinds[1]), f"observe has both {kinds[0]} and {kinds[1]}", hint, key=True)
    else:
        _check_company(scene, at, kinds[0], given)
    _check_concepts(scene, at, observe)


def _check_company(scene: Scene, at: Path, kind: str, given: list[str]) -> None:
    """Note keys that do not go with what is observed, and those that it cannot do without."""
    for name in given:
        if name != kind and name not in _BESIDE[kind]:
            beside = ", ".join(_BESIDE[kind]) or "nothing"
            scene.wrong((*at, name), f"{name} does not belong to {kind}", f"beside {kind} stands {beside}", key=True)
    if kind == "item" and "answer" not in given and "correct" not in given:
        hint = "add answer: EXPRESSION, or correct: EXPRESSION where somebody else finds that"
        scene.wrong((*at, "item"), "observe does not say how the item was answered", hint, key=True)
    if kind == "claimed" and "confidence" not in given:
        hint = "add confidence: EXPRESSION, a number from 0 to 1"
        scene.wrong((*at, "claimed"), "observe does not say how sure the student is", hint, key=True)


def _check_concepts(scene: Scene, at: Path, observe: Observe) -> None:
    known = None if scene.student is None else scene.student.concepts
    for i, name in enumerate(observe.concepts if isinstance(observe.concepts, list) else ()):
        if known is not None and name not in known:
            message = f"the student model knows no concept {name!r}"
            scene.wrong((*at, "concepts", i), message, did_you_mean(name, known))


def _check_use(scene: Scene, observed: list[Observe]) -> None:
    """Note a student model that is asked and never told anything, and the reverse of it for a budget."""
    model, at = scene.spec.student_model, ("student_model",)
    assert model is not None
    asked = [one for one in _expressions(scene.spec) if STUDENT in one.names]
    told = bool(observed) or model.input
    if not observed and not asked:
        hint = "tell it what happens (observe: …) and ask it (when: student.mastery('…') >= 0.9), or remove it"
        scene.wrong(at, "the student model is never used", hint, key=True)
    elif not told:
        hint = "add observe: {item: …, answer: …} to the node in which the student answers"
        scene.wrong(at, "the student model is asked, but nothing is ever observed", hint, key=True)
    decides = any("should_intervene" in one.asks for one in asked)
    if model.budget is not None and not decides:
        hint = f"ask {STUDENT}.should_intervene(ITEM) in a route, or remove it"
        scene.wrong((*at, "budget"), "the budget is never used", hint, key=True)
    explains = any(one.explained or one.with_explanation or one.log for one in observed)
    if told and decides and model.budget is not None and not explains:
        hint = "add observe: {explained: ITEM} to the node that explains"
        scene.wrong((*at, "budget"), "the budget is never spent: no explanation is observed", hint, key=True)


def _expressions(value: Any) -> Iterator[Expression]:
    """Every expression of a file."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _expressions(getattr(value, name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _expressions(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _expressions(part)


def unfit(observe: Observe, key: str, kind: Type, student: StudentType | None) -> tuple[str, str] | None:
    """What is wrong with the type of one expression of `observe`, and what to do; None if it can be observed."""
    words, kinds = _TAKES[key]
    value = parts(observe)[key]
    if kind.kind == "any":
        return None
    if kind.kind not in kinds:
        hint = f"write {value}.text" if kind.field("text") is not None and "str" in kinds else ""
        return f"{key} takes {words}, this is of type {kind}", hint
    if kind.nullable:
        return f"{key} takes {words}; {value} may be null", "let a route come here only if it is not, or give a default"
    role: Role | None = {"item": "item", "explained": "topic", "asked": "topic", "claimed": "topic"}.get(key)  # type: ignore[assignment]
    if role is None or observe.concepts is not None or student is None:
        return None
    if strangers := list(student.strangers(role, kind)):
        what = "item" if role == "item" else "item or concept"
        hint = did_you_mean(strangers[0], student.names(role) or ())
        return f"the student model knows no {what} {strangers[0]!r}", hint
    return None
