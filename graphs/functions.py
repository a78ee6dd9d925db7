"""The functions that an expression may call. Each takes and gives plain values, and never runs for long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maieutic.graphs.types import ANY, BOOL, INT, STR, Type, join

__all__ = ["FUNCTIONS", "Function", "is_number"]

Test = Callable[[Type], bool]


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        fewest, most: How many arguments it takes.
        takes: What its arguments must be when it gets that many: for each, in words and as a test on its type.
        gives: The type of its value, from those of its arguments.
        call: Its value; raises ValueError for values that it cannot take.
    """

    fewest: int
    most: int
    takes: Callable[[int], Sequence[tuple[str, Test]]]
    gives: Callable[[Sequence[Type]], Type]
    call: Callable[..., Any]


def is_number(value: Any) -> bool:
    """Whether a value is an int or a float; a bool is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(*kinds: str) -> Test:
    return lambda t: t.kind == "any" or (t.kind in kinds and not t.nullable)


def _list_of(*kinds: str) -> Test:
    return lambda t: (
        t.kind == "any" or (t.kind == "list" and not t.nullable and (t.item is None or _kind(*kinds)(t.item)))
    )


_TEXT = ("a str", _kind("str"))
_NUMBER = ("a number", _kind("int", "float"))
_INT = ("an int", _kind("int"))
_LIST = ("a list", _kind("list"))
_NUMBERS = ("a list of numbers", _list_of("int", "float"))
_BOOLS = ("a list of bools", _list_of("bool"))
_SIZED = ("a str, list or dict", _kind("str", "list", "dict"))
_ANYTHING = ("a value", lambda t: True)


def _each(*wanted: tuple[str, Test]) -> Callable[[int], Sequence[tuple[str, Test]]]:
    return lambda number: wanted[:number]


def _extreme(number: int) -> Sequence[tuple[str, Test]]:
    return (_NUMBERS,) if number == 1 else (_NUMBER,) * number


def _always(kind: Type) -> Callable[[Sequence[Type]], Type]:
    return lambda types: kind


def _number_type(types: Sequence[Type]) -> Type:
    found = types[0] if len(types) > 1 or types[0].kind != "list" else (types[0].item or ANY)
    for other in types[1:]:
        found = join(found, other)
    return found


def _wanted(value: Any, kinds: Any, words: str) -> Any:
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise ValueError(f"needs {words}, not {value!r:.40}")
    return value


def _text(value: Any) -> str:
    return str(_wanted(value, str, "a str"))


def _number(value: Any) -> Any:
    return _wanted(value, (int, float), "a number")


def _items(value: Any) -> list[Any]:
    return list(_wanted(value, (list, tuple), "a list"))


def _numbers(values: tuple[Any, ...]) -> list[Any]:
    numbers = [_number(v) for v in (_items(values[0]) if len(values) == 1 else values)]
    if not numbers:
        raise ValueError("needs at least one number, the list is empty")
    return numbers


def _contains(inside: Any, item: Any) -> bool:
    if isinstance(inside, str):
        return _text(item) in inside
    if isinstance(inside, Mapping):
        return isinstance(item, str) and item in inside
    return item in _items(inside)


def _rounded(value: Any, digits: Any = None) -> Any:
    if digits is None:
        return round(_number(value))
    return round(float(_number(value)), max(-20, min(20, _wanted(digits, int, "an int"))))


FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(1, 1, _each(_NUMBER), _number_type, lambda x: abs(_number(x))),
    "all": Function(1, 1, _each(_BOOLS), _always(BOOL), lambda x: all(_wanted(v, bool, "bools") for v in _items(x))),
    "any": Function(1, 1, _each(_BOOLS), _always(BOOL), lambda x: any(_wanted(v, bool, "bools") for v in _items(x))),
    "contains": Function(2, 2, _each(_SIZED, _ANYTHING), _always(BOOL), _contains),
    "count": Function(2, 2, _each(_LIST, _ANYTHING), _always(INT), lambda x, item: _items(x).count(item)),
    "len": Function(
        1, 1, _each(_SIZED), _always(INT), lambda x: len(_wanted(x, (str, list, tuple, Mapping), "a str, list or dict"))
    ),
    "lower": Function(1, 1, _each(_TEXT), _always(STR), lambda x: _text(x).lower()),
    "max": Function(1, 20, _extreme, _number_type, lambda *x: max(_numbers(x))),
    "min": Function(1, 20, _extreme, _number_type, lambda *x: min(_numbers(x))),
    "round": Function(1, 2, _each(_NUMBER, _INT), lambda types: INT if len(types) == 1 else Type("float"), _rounded),
    "startswith": Function(
        2, 2, _each(_TEXT, _TEXT), _always(BOOL), lambda x, start: _text(x).startswith(_text(start))
    ),
    "sum": Function(1, 1, _each(_NUMBERS), _number_type, lambda x: sum(_number(v) for v in _items(x))),
    "upper": Function(1, 1, _each(_TEXT), _always(STR), lambda x: _text(x).upper()),
}
