"""The types of graph files: what a state field, a reply and an expression can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, create_model

__all__ = [
    "ANY",
    "BOOL",
    "FLOAT",
    "INT",
    "NULL",
    "STR",
    "Type",
    "UnknownType",
    "accepts",
    "fits",
    "join",
    "of_annotation",
    "of_model",
    "of_value",
    "output_model",
    "parse_type",
    "python_type",
]

Kind = Literal["any", "null", "bool", "int", "float", "str", "list", "dict", "record"]


@dataclass(frozen=True, slots=True)
class Type:
    """One type.

    Attributes:
        kind: "any" fits and is fitted by everything; its values are checked when used.
        item: What a list or dict holds.
        fields: A record's fields in order.
        values: A str that can only be one of these (an enumeration), or empty.
        nullable: Whether it can also be null.
        title: How to call it in messages (`critic.output`), or empty.
    """

    kind: Kind
    item: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()
    values: tuple[str, ...] = ()
    nullable: bool = False
    title: str = ""

    def field(self, name: str) -> Type | None:
        """A record's field, or None."""
        return dict(self.fields).get(name)

    @property
    def present(self) -> Type:
        """The same without null."""
        return replace(self, nullable=False)

    @property
    def optional(self) -> Type:
        """The same or null."""
        return self if self.kind in ("any", "null") else replace(self, nullable=True)

    @property
    def is_number(self) -> bool:
        """Whether it is int or float (any counts as neither)."""
        return self.kind in ("int", "float")

    def __str__(self) -> str:
        if self.title:
            text = self.title
        elif self.values and len(self.values) > 1:
            text = f"[{', '.join(self.values)}]"
        elif self.item is not None:
            text = f"{self.kind}[{self.item}]"
        else:
            text = self.kind
        return f"{text}?" if self.nullable and self.kind != "null" else text


ANY = Type("any")
NULL = Type("null", nullable=True)
BOOL = Type("bool")
INT = Type("int")
FLOAT = Type("float")
STR = Type("str")
_SIMPLE = {
    "str": STR,
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "any": ANY,
    "list": Type("list", ANY),
    "dict": Type("dict", ANY),
}


class UnknownType(ValueError):
    """A type's text names no type.

    Attributes:
        part: The part of the text that is not understood.
    """

    def __init__(self, part: str) -> None:
        super().__init__(f"unknown type {part!r}")
        self.part = part


def parse_type(text: str | Sequence[str], named: Callable[[str], Type | None] = lambda name: None) -> Type:
    """The type that a text names: `str`, `list[int]`, `critic.output?`, or a list of texts for an enumeration.

    Args:
        text: As it stands in the file.
        named: Finds types with a dot in their name (`critic.output`).

    Raises:
        UnknownType: Part of it names no type.
    """
    if not isinstance(text, str):
        return Type("str", values=tuple(text))
    text = text.strip()
    if text.endswith("?"):
        return parse_type(text[:-1], named).optional
    if text in _SIMPLE:
        return _SIMPLE[text]
    if found := re.fullmatch(r"(list|dict)\[(.+)\]", text):
        if found[2].count("[") > 8:
            raise UnknownType(text)
        return Type("list" if found[1] == "list" else "dict", parse_type(found[2], named))
    known = named(text) if "." in text else None
    if known is None:
        raise UnknownType(text)
    return known


def accepts(target: Type, source: Type) -> bool:
    """Whether every value of `source` can stand where `target` is wanted (any: perhaps)."""
    if target.kind == "any" or source.kind == "any":
        return True
    if source.nullable and not target.nullable:
        return False
    if source.kind == "null":
        return True
    if (target.kind, source.kind) in (("float", "int"), ("dict", "record")):
        return target.kind == "float" or all(accepts(target.item or ANY, kind) for _, kind in source.fields)
    return target.kind == source.kind and _accepts_inside(target, source)


def _accepts_inside(target: Type, source: Type) -> bool:
    if target.values:
        return bool(source.values) and set(source.values) <= set(target.values)
    if target.item is not None:
        return accepts(target.item, source.item or ANY)
    return all((own := source.field(name)) is not None and accepts(kind, own) for name, kind in target.fields)


def join(left: Type, right: Type) -> Type:
    """The smallest type that has the values of both; any if they have nothing in common."""
    if left == right:
        return left
    if left.kind == "null" or right.kind == "null":
        return (right if left.kind == "null" else left).optional
    nullable = left.nullable or right.nullable
    if left.is_number and right.is_number:
        return replace(FLOAT if "float" in (left.kind, right.kind) else INT, nullable=nullable)
    if left.kind == right.kind == "str":
        both = left.values and right.values
        return Type("str", values=tuple(dict.fromkeys(left.values + right.values)) if both else (), nullable=nullable)
    if left.kind == right.kind and left.kind in ("list", "dict"):
        return Type(left.kind, join(left.item or ANY, right.item or ANY), nullable=nullable)
    if left.kind == right.kind == "record" and left.fields == right.fields:
        return replace(left, nullable=nullable)
    return ANY


_PLAIN: dict[type, Type] = {str: STR, int: INT, float: FLOAT, bool: BOOL, NoneType: NULL}


def of_value(value: Any) -> Type:
    """The type of a plain JSON value; a text's type is the enumeration of itself."""
    if isinstance(value, str):
        return Type("str", values=(value,))
    if isinstance(value, list | tuple):
        item: Type | None = None
        for one in value:
            item = of_value(one) if item is None else join(item, of_value(one))
        return Type("list", item or ANY)
    if isinstance(value, Mapping):
        return Type("record", fields=tuple((str(k), of_value(v)) for k, v in value.items()))
    return _PLAIN.get(type(value), ANY)


def fits(value: Any, kind: Type) -> bool:
    """Whether a plain JSON value has the type."""
    return accepts(kind, of_value(value))


def of_model(model: type[BaseModel], title: str = "") -> Type:
    """The record that a pydantic model describes."""
    fields = tuple((name, of_annotation(info.annotation)) for name, info in model.model_fields.items())
    return Type("record", fields=fields, title=title)


def of_annotation(annotation: Any) -> Type:
    """The type that a Python annotation stands for; any where ours has no equal."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return of_annotation(inside[0])
    if origin in (Union, UnionType):
        found = of_annotation(inside[0])
        for one in inside[1:]:
            found = join(found, of_annotation(one))
        return found
    if origin is Literal:
        return Type("str", values=inside) if all(isinstance(v, str) for v in inside) else ANY
    return _of_container(annotation if origin is None else origin, inside)


def _of_container(origin: Any, inside: tuple[Any, ...]) -> Type:
    if not isinstance(origin, type):
        return ANY
    if issubclass(origin, BaseModel):
        return of_model(origin)
    if issubclass(origin, Mapping):
        return Type("dict", of_annotation(inside[1]) if len(inside) > 1 else ANY)
    if issubclass(origin, list | tuple | set | frozenset):
        return Type("list", of_annotation(inside[0]) if inside else ANY)
    return ANY


def python_type(kind: Type) -> Any:
    """The Python annotation for a type, for a pydantic model."""
    plain: dict[str, Any] = {"any": Any, "null": None, "bool": bool, "int": int, "float": float, "str": str}
    found: Any
    if kind.values:
        found = Literal[kind.values]
    elif kind.kind == "list":
        found = list[python_type(kind.item or ANY)]  # type: ignore[misc]
    elif kind.kind == "dict":
        found = dict[str, python_type(kind.item or ANY)]  # type: ignore[misc]
    elif kind.kind == "record":
        found = _record_model(kind, kind.title or "Record")
    else:
        found = plain[kind.kind]
    return found | None if kind.nullable and kind.kind != "null" else found


def output_model(name: str, fields: Mapping[str, str | Sequence[str]]) -> type[BaseModel]:
    """The pydantic model of an `output:` block: its fields are all needed, and no others are allowed.

    Raises:
        UnknownType: A field's type names no type.
    """
    record = Type("record", fields=tuple((field, parse_type(text)) for field, text in fields.items()))
    return _record_model(record, name)


def _record_model(kind: Type, name: str) -> type[BaseModel]:
    fields: dict[str, Any] = {field: (python_type(inner), ...) for field, inner in kind.fields}
    title = re.sub(r"\W", "_", name)
    return create_model(title, __config__=ConfigDict(extra="forbid"), **fields)
