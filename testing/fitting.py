"""Make a value fit a JSON schema: what a server that enforces schemas does, without a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

__all__ = ["fit", "fit_text"]

_DEPTH = 20
"""Recursive schemas end here: deeper values are left empty."""


def fit_text(schema: Mapping[str, Any], text: str) -> str:
    """The text if it is JSON that fits `schema`, else JSON that does, made from as much of the text as fits."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    return orjson.dumps(fit(schema, value, text)).decode()


def fit(schema: Mapping[str, Any], value: Any, text: str = "") -> Any:
    """The value that fits `schema` and is nearest to `value`; `text` fills strings that have nothing else to say."""
    return _fit(schema, value, text, schema, _DEPTH)


def _fit(schema: Mapping[str, Any], value: Any, text: str, root: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return value if value in schema["enum"] else schema["enum"][0]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        resolved = [_resolved(option, root) for option in options]
        chosen = next((option for option in resolved if _is(option.get("type"), value)), resolved[0])
        return _fit(chosen, value, text, root, depth)
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, value, text, root, depth)
    if kind == "array":
        return _array(schema, value, text, root, depth)
    return _scalar(schema, kind, value, text)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _is(kind: object, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(str(kind), ()))


def _object(schema: Mapping[str, Any], value: Any, text: str, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    given = value if isinstance(value, dict) else {}
    if depth == 0:
        return {}
    return {
        name: _fit(part, given.get(name), text, root, depth - 1) for name, part in schema.get("properties", {}).items()
    }


def _array(schema: Mapping[str, Any], value: Any, text: str, root: Mapping[str, Any], depth: int) -> list[Any]:
    given = value if isinstance(value, list) else []
    items = schema.get("items", {})
    wanted = max(len(given), schema.get("minItems", 0))
    wanted = min(wanted, schema.get("maxItems", wanted)) if depth else 0
    return [_fit(items, given[i] if i < len(given) else None, text, root, depth - 1) for i in range(wanted)]


def _scalar(schema: Mapping[str, Any], kind: object, value: Any, text: str) -> Any:
    if kind == "string":
        chosen = value if isinstance(value, str) else text
        return chosen[: schema.get("maxLength", len(chosen))]
    if kind in ("integer", "number"):
        return _number(schema, kind == "integer", value)
    if kind == "boolean":
        return value if isinstance(value, bool) else False
    return None if kind == "null" else value


def _number(schema: Mapping[str, Any], whole: bool, value: Any) -> float:
    chosen = value if _is("number", value) else schema.get("minimum", 0)
    chosen = max(schema.get("minimum", chosen), min(schema.get("maximum", chosen), chosen))
    return int(chosen) if whole else float(chosen)
