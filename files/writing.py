"""YAML as people write it: short mappings on one line, texts bare where that is safe, lines of a text as lines."""

from __future__ import annotations

import io
import re
from collections.abc import Collection
from typing import Any

from maieutic.files.scalars import scalar

__all__ = ["written"]

_FLOW_WIDTH = 100
_BARE = re.compile(r"[A-Za-z_]([\w ./<>=+*()%!'-]*[\w.)'])?", re.ASCII)
_BOOLEANS = ("yes", "no", "on", "off", "y", "n")
"""Texts to us, but true and false to tools that read YAML 1.1."""
_LINES = re.compile(r"([!-~][ -~]*\n)+([!-~][ -~]*)?")


def written(data: Any, apart: Collection[str] = ()) -> str:
    """The YAML text of plain data: mappings, lists, texts, numbers, true, false and null.

    Args:
        data: What to write; keys are texts.
        apart: Keys whose entries stand line by line, however short they are.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_laid_out(data, apart), out)
    return out.getvalue()


def _laid_out(value: Any, apart: Collection[str], depth: int = 0) -> Any:
    """Short mappings and lists below the first levels on one line, the others line by line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        laid: Any = CommentedMap()
        for key, item in value.items():
            laid[_quoted(key)] = _laid_out(item, apart, 1 if key in apart else depth + 1)
    elif isinstance(value, list):
        laid = CommentedSeq([_laid_out(item, apart, depth + 1) for item in value])
    else:
        return _quoted(value) if isinstance(value, str) else value
    if not value or (depth > 1 and _is_short(value) and not any(key in value for key in apart)):
        laid.fa.set_flow_style()
    return laid


def _quoted(text: str) -> Any:
    """A text as it is written: bare where that is safe in every place, several lines as they are, else in quotes."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

    if _BARE.fullmatch(text) and text.lower() not in _BOOLEANS and isinstance(scalar(text), str):
        return text
    if _LINES.fullmatch(text):
        return LiteralScalarString(text)
    single = text.isprintable() and ("'" not in text or '"' in text)
    return SingleQuotedScalarString(text) if single else DoubleQuotedScalarString(text)


def _is_short(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    flat = all(not isinstance(part, dict | list) or _is_short(part) for part in parts)
    return flat and len(str(value)) < _FLOW_WIDTH and "\\n" not in str(value)
