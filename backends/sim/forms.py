"""Putting a thought into the form that a reply must have: any pydantic model, known fields by what they mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin
from weakref import WeakKeyDictionary

import orjson
from pydantic import BaseModel, ValidationError

from maieutic.backends.sim.language import normal_form
from maieutic.backends.sim.reading import as_candidate
from maieutic.backends.sim.thought import Thought

__all__ = ["Form", "form_of"]

_DEPTH = 12
"""Recursive forms end here: deeper values are left empty."""
_FORMATS = {
    "date": "2000-01-01", "date-time": "2000-01-01T00:00:00Z", "time": "00:00:00Z", "duration": "PT0S",
    "uuid": "00000000-0000-4000-8000-000000000000", "email": "nobody@example.org", "uri": "https://example.org/",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "binary": "", "base64": "", "base64url": "",
}  # fmt: skip

_MEANINGS: Mapping[str, Callable[[Thought], Any]] = {
    **dict.fromkeys(("answer", "verdict", "choice", "label", "decision", "position", "winner", "option", "final_answer",
                     "vote", "guess", "prediction", "stance"), lambda t: t.answer),
    **dict.fromkeys(("confidence", "probability", "certainty", "p", "score", "sure"), lambda t: t.confidence),
    **dict.fromkeys(("reason", "reasoning", "explanation", "rationale", "why", "justification", "because", "thought",
                     "thoughts", "feedback", "comment", "evidence"), lambda t: t.reason or t.text),
    **dict.fromkeys(("enough", "ok", "done", "correct", "valid", "good", "accept", "accepted", "agree", "approve",
                     "stop"), lambda t: t.ok),
    **dict.fromkeys(("mark", "grade"), lambda t: 1.0 if t.ok else 0.0),
    **dict.fromkeys(("problem", "issue", "error", "critique", "flaw"), lambda t: t.problem),
    **dict.fromkeys(("ranking", "ranked", "order"), lambda t: list(t.ranking)),
    **dict.fromkeys(("approved", "acceptable", "approvals"), lambda t: list(t.approved)),
    **dict.fromkeys(("text", "content", "message", "question", "hint", "argument", "reply", "response", "summary"),
                    lambda t: t.text),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What a reply model asks for.

    Attributes:
        model: The pydantic model.
        schema: Its JSON schema.
        fields: The names of its fields.
        options: The answers to which an enumeration limits it, or empty.
    """

    model: type[BaseModel]
    schema: Mapping[str, Any]
    fields: frozenset[str]
    options: tuple[str, ...]

    def fill(self, thought: Thought) -> str:
        """The thought as JSON that fits the model (as far as a JSON schema can say what fits)."""
        value = _fit(self.schema, None, thought, self.schema, _DEPTH)
        try:
            self.model.model_validate(value)
        except (ValidationError, RecursionError):
            plain = Thought(text="", confidence=0.0)
            needed = self.schema.get("required", ())
            bare = {k: v for k, v in value.items() if k in needed} if isinstance(value, dict) else value
            value = bare if _fits(self.model, bare) else _fit(self.schema, None, plain, self.schema, _DEPTH)
        return orjson.dumps(value).decode()


_forms: WeakKeyDictionary[type[BaseModel], Form] = WeakKeyDictionary()


def form_of(model: type[BaseModel]) -> Form:
    """The form of a reply model; looked at once per model."""
    if (known := _forms.get(model)) is None:
        schema = model.model_json_schema()
        options = next((o for info in model.model_fields.values() if (o := _literals(info.annotation))), ())
        _forms[model] = known = Form(model, schema, frozenset(model.model_fields), options)
    return known


def _fits(model: type[BaseModel], value: Any) -> bool:
    try:
        model.model_validate(value)
    except (ValidationError, RecursionError):
        return False
    return True


def _literals(kind: Any) -> tuple[str, ...]:
    """The texts of a Literal, or of one inside a list or Optional."""
    args = get_args(kind)
    if args and all(isinstance(arg, str) for arg in args):
        return tuple(args)
    return next((found for arg in args if get_origin(arg) is not None and (found := _literals(arg))), ())


def _fit(schema: Mapping[str, Any], name: str | None, thought: Thought, root: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _among(schema["enum"], _meant(name, thought), thought)
    if parts := schema.get("anyOf") or schema.get("oneOf"):
        return _either(parts, name, thought, root, depth)
    if parts := schema.get("allOf"):
        return _fit(parts[0], name, thought, root, depth)
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, thought, root, depth)
    if kind == "array":
        return _array(schema, name, thought, root, depth)
    return _scalar(schema, str(kind), _meant(name, thought), thought)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_DEPTH):
        if "$ref" not in schema:
            break
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _meant(name: str | None, thought: Thought) -> Any:
    if name is not None and name in thought.lists:
        return list(thought.lists[name])
    meaning = _MEANINGS.get((name or "").lower())
    return meaning(thought) if meaning else None


def _among(options: list[Any], value: Any, thought: Thought) -> Any:
    if value in options:
        return value
    texts = [option for option in options if isinstance(option, str)]
    for wanted in (value, thought.answer, *thought.ranking):
        if isinstance(wanted, str) and wanted and (found := as_candidate(wanted, texts)):
            return found
    return options[0]


def _either(parts: list[Any], name: str | None, thought: Thought, root: Mapping[str, Any], depth: int) -> Any:
    """The first alternative that the field's meaning fits, else the simplest."""
    resolved = [_resolved(part, root) for part in parts]
    value = _meant(name, thought)
    for part in resolved:
        if value not in (None, "") and part.get("type") == _type_of(value):
            return _fit(part, name, thought, root, depth)
    if any(part.get("type") == "null" for part in resolved) and (depth < _DEPTH - 1 or value in (None, "")):
        return None
    return _fit(resolved[0], name, thought, root, depth)


def _type_of(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _object(schema: Mapping[str, Any], thought: Thought, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth == 0:
        return {}
    required = set(schema.get("required", ()))
    return {
        name: _fit(part, name, thought, root, depth - 1)
        for name, part in schema.get("properties", {}).items()
        if name in required or name.lower() in _MEANINGS or "default" not in part
    }


def _array(schema: Mapping[str, Any], name: str | None, thought: Thought, root: Mapping[str, Any], depth: int) -> Any:
    items = _resolved(schema.get("items", {}), root)
    most = schema.get("maxItems", 50)
    if "prefixItems" in schema:
        return [_fit(part, None, thought, root, depth - 1) for part in schema["prefixItems"]]
    value = _meant(name, thought)
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        known = items.get("properties", {})
        value = [{field: each[field] for field in each if field in known} for each in value][:most]
    elif isinstance(value, list) and items.get("type", "string") == "string":
        found = [_among(items["enum"], text, thought) if "enum" in items else text for text in value]
        value = list(dict.fromkeys(found))[:most]
    else:
        value = []
    while depth and len(value) < schema.get("minItems", 0):
        filler = _fit(items, None, thought, root, depth - 1)
        value.append(f"{filler} {len(value) + 1}" if filler in value and isinstance(filler, str) else filler)
    return value


def _scalar(schema: Mapping[str, Any], kind: str, value: Any, thought: Thought) -> Any:
    if kind == "string":
        return _string(schema, value if isinstance(value, str) else thought.answer or thought.text)
    if kind in ("integer", "number"):
        return _number(schema, kind == "integer", value, thought)
    if kind == "boolean":
        return value if isinstance(value, bool) else thought.ok
    return None if kind == "null" else value if value is not None else thought.answer


def _string(schema: Mapping[str, Any], text: str) -> str:
    if "format" in schema:
        return _FORMATS.get(schema["format"], text)
    text = text.ljust(schema.get("minLength", 0), ".")
    return text[: schema.get("maxLength", len(text))]


def _number(schema: Mapping[str, Any], whole: bool, value: Any, thought: Thought) -> float:
    """A number from the mind's confidence, stretched over the range that the schema allows."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    share = value if isinstance(value, int | float) and not isinstance(value, bool) else thought.confidence
    if low is None and high is None:
        return _number_in_words(thought, whole, share)
    low = low if low is not None else min(0, high)
    high = high if high is not None else max(1, low + 1)
    number = low + (high - low) * share
    if whole:
        number = (
            round(number)
            + (number <= low and "exclusiveMinimum" in schema)
            - (number >= high and "exclusiveMaximum" in schema)
        )
    elif number <= low and "exclusiveMinimum" in schema:
        number = low + (high - low) * 1e-3
    elif number >= high and "exclusiveMaximum" in schema:
        number = high - (high - low) * 1e-3
    step = schema.get("multipleOf")
    number = number // step * step if step else number
    return int(number) if whole else float(number)


def _number_in_words(thought: Thought, whole: bool, share: float) -> float:
    """The number that the answer is, if it is one."""
    try:
        number = float(normal_form(thought.answer))
    except ValueError:
        number = share
    if math.isnan(number) or abs(number) > 1e15:
        number = share
    return round(number) if whole else number
