"""From a spec to the file that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from maieutic.backends.models import ModelSpec
from maieutic.files.scalars import scalar
from maieutic.files.writing import written
from maieutic.graphs.expressions import Expression
from maieutic.graphs.nodes import Flow
from maieutic.graphs.spec import GraphSpec

__all__ = ["to_yaml"]

_LAST = ("visits", "next", "routes")


def to_yaml(spec: GraphSpec) -> str:
    """The YAML of a spec: `load_text(to_yaml(spec)) == spec`. What stands at its default is left out."""
    return written(_plain(spec), apart=("routes",))


def _plain(value: Any) -> Any:
    """Plain data as the file would have it."""
    if isinstance(value, Expression):
        return _expression(value.text)
    if isinstance(value, ModelSpec):
        return _model(value)
    if isinstance(value, BaseModel):
        return _mapping(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value


def _mapping(model: BaseModel) -> dict[str, Any]:
    fields = type(model).model_fields
    last = [name for name in _LAST if isinstance(model, Flow)]
    order = [*(["description"] if last else []), *(name for name in fields if name not in last), *last]
    return {
        fields[name].alias or name: _plain(getattr(model, name))
        for name in dict.fromkeys(order)
        if name in model.model_fields_set and not _is_default(model, name)
    }


def _is_default(model: BaseModel, name: str) -> bool:
    info = type(model).model_fields[name]
    if info.is_required() or name == "default":
        return False
    return bool(getattr(model, name) == info.get_default(call_default_factory=True))


def _model(model: ModelSpec) -> Any:
    plain = _mapping(model)
    if model.provider == "sim" and not set(plain.get("params", ())) & set(ModelSpec.model_fields):
        plain |= plain.pop("params", {})
    return plain["model"] if list(plain) == ["model"] else plain


def _expression(text: str) -> Any:
    """A number, true, false or null as itself, anything else as text."""
    value = scalar(text)
    return value if isinstance(value, bool | int) and str(Expression.of(value)) == text else text
