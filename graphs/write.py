"""From a spec to the file that says the same."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from maieutic.backends.models import ModelSpec
from maieutic.files.source import parse
from maieutic.graphs.expressions import Expression
from maieutic.graphs.nodes import Flow
from maieutic.graphs.spec import GraphSpec

__all__ = ["to_yaml"]

_FLOW_WIDTH = 100
_BARE = re.compile(r"[A-Za-z_]([\w ./<>=+*()%!'-]*[\w.)'])?", re.ASCII)
_BOOLEANS = ("yes", "no", "on", "off", "y", "n")
"""Texts to us, but true and false to tools that read YAML 1.1."""
_LINES = re.compile(r"([!-~][ -~]*\n)+([!-~][ -~]*)?")
_LAST = ("visits", "next", "routes")


def to_yaml(spec: GraphSpec) -> str:
    """The YAML of a spec: `load_text(to_yaml(spec)) == spec`. What stands at its default is left out."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_laid_out(_plain(spec)), out)
    return out.getvalue()


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
    value = _read_back(text)
    return value if isinstance(value, bool | int) and str(Expression.of(value)) == text else text


def _laid_out(value: Any, depth: int = 0) -> Any:
    """Short mappings and lists below the first levels on one line, the others line by line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        laid: Any = CommentedMap()
        for key, item in value.items():
            laid[key] = _laid_out(item, 1 if key == "routes" else depth + 1)
    elif isinstance(value, list):
        laid = CommentedSeq([_laid_out(item, depth + 1) for item in value])
    else:
        return _quoted(value) if isinstance(value, str) else value
    if not value or (depth > 1 and _is_short(value) and "routes" not in value):
        laid.fa.set_flow_style()
    return laid


def _quoted(text: str) -> Any:
    """A text as it is written: bare where that is safe in every place, several lines as they are, else in quotes."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

    if _BARE.fullmatch(text) and text.lower() not in _BOOLEANS and isinstance(_read_back(text), str):
        return text
    if _LINES.fullmatch(text):
        return LiteralScalarString(text)
    single = text.isprintable() and ("'" not in text or '"' in text)
    return SingleQuotedScalarString(text) if single else DoubleQuotedScalarString(text)


def _read_back(text: str) -> Any:
    source, _ = parse(text, "")
    return source.root.value if source.root is not None else None


def _is_short(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    flat = all(not isinstance(part, dict | list) or _is_short(part) for part in parts)
    return flat and len(str(value)) < _FLOW_WIDTH and "\\n" not in str(value)
