"""What may stand in a file of concepts or items, and how its faults are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from maieutic.files.faults import Dialect, Fault, Owner, shown
from maieutic.memory.student.concepts import Concept, Misconception
from maieutic.memory.student.items import Item

__all__ = ["CONCEPT_FILE", "ITEM_FILE", "ConceptEntry", "ConceptFile", "ItemEntry", "ItemFile", "concept_schema"]

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
Text = Annotated[str, Field(min_length=1)]
Weight = Annotated[float, Field(ge=0, le=1, description="How much it is needed: 1 makes it indispensable.")]


def _kind(raw: Any) -> str:
    return "<map>" if isinstance(raw, Mapping) else "<list>"


class MisconceptionEntry(Misconception):
    """A wrong idea; its description alone may stand in its place."""

    model_config = _STRICT


class ConceptEntry(Concept):
    """One concept of a file."""

    model_config = _STRICT

    needs: Annotated[
        Annotated[list[Text], Tag("<list>")] | Annotated[dict[Text, Weight], Tag("<map>")],
        Discriminator(_kind),
        Field(description="Its prerequisites: a list of names, or names with their weights."),
    ] = Field(default_factory=list)
    misconceptions: Annotated[
        Mapping[Text, MisconceptionEntry],
        Field(description="Wrong ideas by name; each a description, or a mapping."),
    ] = {}

    @model_validator(mode="after")
    def _telling(self) -> ConceptEntry:  # only with the file's defaults: told by the checks of meaning, at its place
        return self


class ItemEntry(Item):
    """One item of a file; what does not fit together is told by the checks of meaning, at its place."""

    model_config = _STRICT

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}

    @model_validator(mode="after")
    def _consistent(self) -> ItemEntry:
        return self


_PARAMETERS: dict[str, Any] = {
    name: (info.annotation, info)
    for name, info in Concept.model_fields.items()
    if name not in ("title", "misconceptions")
}
Defaults = create_model(
    "Defaults", __config__=_STRICT, __doc__="Parameters of every concept without its own.", **_PARAMETERS
)

Items = Annotated[
    Annotated[list[ItemEntry], Tag("<list>")] | Annotated[dict[Text, ItemEntry], Tag("<map>")], Discriminator(_kind)
]


class ConceptFile(BaseModel):
    """A file of concepts, what they need and how they are misunderstood, and of items about them."""

    model_config = _STRICT

    version: Literal[1]
    name: Text | None = None
    description: str = ""
    defaults: Defaults = Defaults()
    concepts: Annotated[dict[Text, ConceptEntry], Field(min_length=1, description="Concepts by name.")]
    items: Annotated[Items, Field(description="Items by id, or a list of items with an id each.")] = {}


class ItemFile(BaseModel):
    """A file of items."""

    model_config = _STRICT

    items: Items


def _owner(loc: tuple[str | int, ...]) -> Owner:
    keys = [part for part in loc if part not in ("<list>", "<map>", "[key]")]
    if not keys:
        return "the file", ConceptFile
    if keys[0] == "defaults":
        return "defaults", Defaults
    if keys[0] == "concepts" and len(keys) > 1:
        if len(keys) > 3 and keys[2] == "misconceptions":
            return f"misconception {keys[3]!r}", MisconceptionEntry
        return f"concept {keys[1]!r}", ConceptEntry
    if keys[0] == "items" and len(keys) > 1:
        return f"item {keys[1]!r}" if isinstance(keys[1], str) else f"item {keys[1] + 1}", ItemEntry
    return str(keys[0]), None


def _owner_in_items(loc: tuple[str | int, ...]) -> Owner:
    return _owner(loc) if loc else ("the file", ItemFile)


def _own(fault: Fault) -> bool | None:
    """The faults that are told better than usual: a chance out of range, one name where a list belongs."""
    given = fault.error["input"]
    if fault.kind in ("list_type", "tuple_type") and isinstance(given, str):
        return fault.wrong(
            f"a list is expected here, not {shown(given)}", f"write [{given}]" if len(given) < 40 else ""
        )
    if fault.kind not in ("greater_than_equal", "less_than_equal"):
        return None
    hint = f"write {given / 100:g} for {given:g} %" if 2 <= given <= 100 else ""
    return fault.wrong(f"{shown(given)} is not a number from 0 to 1", hint)


_EXAMPLES = {
    "version": "write version: 1",
    "concepts": "write concepts: {NAME: {needs: [OTHER]}}",
    "id": "give every item of a list its own id",
}
CONCEPT_FILE = Dialect(_owner, _own, tags=("<list>", "<map>"), examples=_EXAMPLES, drops=True)
ITEM_FILE = Dialect(_owner_in_items, _own, tags=("<list>", "<map>"), examples=_EXAMPLES, drops=True)


def concept_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of concept files, for editors.

    It accepts every file that loads. It refuses what is wrong with single keys and values; what must hold between them
    (names, cycles, the answer among the options) only loading tells.
    """
    schema = ConceptFile.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    for name in ("ConceptEntry", "ItemEntry", "MisconceptionEntry"):
        _as_written(definitions[name]["properties"])
    concept, item = definitions["ConceptEntry"], definitions["ItemEntry"]
    described = concept["properties"]["misconceptions"]
    described["additionalProperties"] = {"anyOf": [dict(_ANY_SCALAR), described["additionalProperties"]]}
    concept["type"] = ["object", "null"]
    definitions["NamedItem"] = {
        **item,
        "title": "NamedItem",
        "type": ["object", "null"],
        "properties": {name: part for name, part in item["properties"].items() if name != "id"},
        "required": [],
    }
    by_id = next(part for part in schema["properties"]["items"]["oneOf"] if part["type"] == "object")
    by_id["additionalProperties"] = {"$ref": "#/$defs/NamedItem"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "maieutic concept file",
        "patternProperties": {"^x-": True},
    }


_ANY_SCALAR = {"type": ["string", "number", "boolean"]}


def _as_written(part: Any) -> None:
    """Let a number stand wherever a text is expected: it is read as it is written."""
    if isinstance(part, dict):
        if part.get("type") == "string":
            part.update(_ANY_SCALAR)
        for inner in part.values():
            _as_written(inner)
    elif isinstance(part, list):
        for inner in part:
            _as_written(inner)
