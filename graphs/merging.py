"""How a write combines with the value that a state field has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maieutic.errors import UsageError
from maieutic.graphs.failing import Spot, StepFailed
from maieutic.graphs.spec import StateField
from maieutic.graphs.types import ANY, Type, fits

__all__ = ["StateFields", "fitting", "merged"]


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


def fitting(value: Any, kind: Type) -> Any:
    """The value as a field of this type keeps it: of a record only the fields that the type has.

    Raises:
        ValueError: It has another type.
    """
    if value is not None and kind.kind == "record" and isinstance(value, Mapping):
        if missing := [name for name, inner in kind.fields if name not in value and not inner.nullable]:
            raise ValueError(f"{kind} needs {', '.join(missing)}")
        return {name: fitting(value.get(name), inner) for name, inner in kind.fields}
    if kind.kind == "list" and isinstance(value, list) and kind.item is not None and kind.item.kind != "any":
        return [fitting(item, kind.item) for item in value]
    if not fits(value, kind):
        raise ValueError(f"it must be of type {kind}")
    return value


@dataclass(frozen=True, slots=True)
class StateFields:
    """The declared state fields and their types."""

    fields: Mapping[str, StateField]
    types: Mapping[str, Type]

    def values(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the declared fields: as the state has them, else their defaults; the others are left out."""
        values = {name: field.default for name, field in self.fields.items() if field.has_default}
        values.update((name, state[name]) for name in self.fields if name in state)
        return values

    def check_inputs(self, state: Mapping[str, Any]) -> None:
        """Refuse inputs of another type than declared.

        Raises:
            UsageError: Naming the input and its type.
        """
        for name, field in self.fields.items():
            if not field.input or (name not in state and field.has_default):
                continue
            if name not in state:
                raise UsageError(f"the graph needs the input {name!r}")
            try:
                fitting(state[name], self.types[name])
            except ValueError as error:
                raise UsageError(f"the input {name!r} is {state[name]!r:.60}: {error}") from error

    def merge(self, values: Mapping[str, Any], writes: Iterable[tuple[str, Any]], spot: Spot) -> dict[str, Any]:
        """The new values of all fields that are written, the writes taken in order.

        Raises:
            StepFailed: A write does not fit its field, or cannot be combined with the value there is.
        """
        new: dict[str, Any] = {}
        for name, value in writes:
            how, kind = self.fields[name].merge, self.types[name]
            wanted = (kind.item or ANY) if how == "append" else kind
            if value is None and not fits(None, wanted):
                continue  # nothing came of it, and the field cannot say so: it stays as it is (see StateField)
            try:
                written = fitting(value, wanted)
                new[name] = merged(how, new[name] if name in new else values.get(name), written)
            except ValueError as error:
                message = f"{spot}: the state field {name!r} cannot take {value!r:.60}: {error}"
                raise StepFailed(message, kind="state") from error
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
