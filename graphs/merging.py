"""How a write combines with the value that a state field has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from maieutic.graphs.failing import StepFailed
from maieutic.graphs.spec import StateField

__all__ = ["merge_all", "merged"]


def merged(how: str | None, old: Any, new: Any) -> Any:
    """The value of a field after a write.

    Args:
        how: The field's `merge`; see `StateField`.
        old: Its value; null counts as none yet.
        new: What is written.

    Raises:
        ValueError: The two cannot be combined this way.
    """
    if how == "append":
        return [*(old or []), new]
    if how == "union":
        return _union(old or [], new)
    if how in (None, "last") or old is None:
        return new
    if new is None:
        raise ValueError(f"null cannot be merged by {how}")
    if how == "add":
        return _added(old, new)
    if not (_number(old) and _number(new)) and not (isinstance(old, str) and isinstance(new, str)):
        raise ValueError(f"there is no {how} of {old!r:.40} and {new!r:.40}")
    return max(old, new) if how == "max" else min(old, new)


def merge_all(
    fields: Mapping[str, StateField], values: Mapping[str, Any], writes: Iterable[tuple[str, Any]]
) -> dict[str, Any]:
    """The new values of all fields that are written, the writes taken in order.

    Raises:
        StepFailed: A write cannot be combined with the value there is.
    """
    new: dict[str, Any] = {}
    for name, value in writes:
        old = new[name] if name in new else values.get(name)
        try:
            new[name] = merged(fields[name].merge, old, value)
        except ValueError as error:
            raise StepFailed(f"the state field {name!r} cannot take {value!r:.60}: {error}", kind="state") from error
    return new


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _added(old: Any, new: Any) -> Any:
    alike = any(isinstance(old, kind) and isinstance(new, kind) for kind in (str, list))
    if not alike and not (_number(old) and _number(new)):
        raise ValueError(f"{old!r:.40} and {new!r:.40} cannot be added")
    return old + new


def _union(old: list[Any], new: Any) -> list[Any]:
    if not isinstance(new, list):
        raise ValueError("a union needs a list")
    out = list(old)
    out += [item for place, item in enumerate(new) if item not in old and item not in new[:place]]
    return out
