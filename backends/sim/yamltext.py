"""YAML read as plain text with places: every scalar is a string, every problem has a line."""

from __future__ import annotations

from typing import Any

from maieutic.errors import UsageError

__all__ = ["Places", "read_yaml"]

Places = dict[tuple[str, ...], tuple[int, int]]
"""Line and column (from 1) of every key and list item, by its path."""


def read_yaml(text: str, origin: str) -> tuple[Any, Places]:
    """The data and where it stands. `yes`, `1/2` and `007` stay what they look like: text.

    Raises:
        UsageError: The text is not YAML, a key stands twice, or an alias is used (a world needs none).
    """
    try:
        root = _compose(text)
    except Exception as error:  # two libraries, each with error classes of its own
        mark = getattr(error, "problem_mark", None)
        place = f"{origin}:{mark.line + 1}:{mark.column + 1}" if mark else origin
        raise UsageError(f"{place}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    places: Places = {(): (1, 1)}
    seen: set[int] = set()
    return (None if root is None else _plain(root, (), places, origin, seen)), places


def _compose(text: str) -> Any:
    """The node tree: by PyYAML where libyaml is there (five times as fast), else by ruamel.yaml."""
    try:
        from yaml import CBaseLoader, compose
    except ImportError:
        from ruamel.yaml import YAML

        return YAML(typ="base", pure=True).compose(text)
    return compose(text, Loader=CBaseLoader)


def _plain(node: Any, path: tuple[str, ...], places: Places, origin: str, seen: set[int]) -> Any:
    if node.id == "scalar":
        return node.value
    if id(node) in seen:
        raise UsageError(f"{_at(node, origin)}: aliases (*name) are not allowed here; write the value out")
    seen.add(id(node))
    if node.id == "sequence":
        items = []
        for i, item in enumerate(node.value):
            here = (*path, str(i))
            places[here] = (item.start_mark.line + 1, item.start_mark.column + 1)
            items.append(_plain(item, here, places, origin, seen))
        return items
    found: dict[str, Any] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise UsageError(f"{_at(key, origin)}: a key must be plain text")
        if key.value in found:
            raise UsageError(f"{_at(key, origin)}: the key {key.value!r} stands twice; keep one of them")
        here = (*path, key.value)
        places[here] = (key.start_mark.line + 1, key.start_mark.column + 1)
        found[key.value] = _plain(value, here, places, origin, seen)
    return found


def _at(node: Any, origin: str) -> str:
    return f"{origin}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
