"""What a plain word of YAML means: YAML 1.2's core schema, in which `on`, `yes`, `no` and `off` are texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["TWO_FACED", "as_bool", "scalar", "whole_characters"]

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}
TWO_FACED = frozenset(("on", "off", "yes", "no"))
"""Words that are texts in YAML 1.2, and true or false in YAML 1.1."""


def whole_characters(text: str) -> str | None:
    """A text whose escaped halves (as JSON writes them) are put together; None if a half stands alone."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return None


def as_bool(key: str) -> str:
    """What readers of YAML 1.1 take a two-faced word for."""
    return "true" if key.lower() in ("on", "yes") else "false"


def scalar(text: str) -> Any:
    """A plain scalar's value by the YAML 1.2 core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text) if len(text) < 400 else float("inf")
    return float(text) if _FLOAT.fullmatch(text) else text
