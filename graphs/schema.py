"""The JSON Schema of graph files, for editors: the models of `spec` and the parameters of every protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from maieutic.graphs.observing import KINDS
from maieutic.graphs.spec import GraphSpec

if TYPE_CHECKING:
    from maieutic.protocols.base import Protocol

__all__ = ["json_schema"]

_FLOWING = ("AgentNode", "UseNode", "SubgraphNode", "PersonNode", "ToolNode", "SetNode", "ParallelNode", "MapNode")
_USING = ("UseNode", "UseStep")


def json_schema(own_protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None) -> dict[str, Any]:
    """The JSON Schema (2020-12) of graph files.

    It accepts every file that loads. It refuses what is wrong with single keys and values; what must hold between them
    (names, types, cycles) only loading tells.

    Args:
        own_protocols: The host's protocols, beside those that are installed.
    """
    schema = GraphSpec.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    for part in _mappings(schema):
        if "patternProperties" in part and "properties" not in part:
            part["additionalProperties"] = False  # a key that is no name
    for name in _FLOWING:
        definitions[name]["oneOf"] = [{"required": ["next"]}, {"required": ["routes"]}]
    definitions["Observe"]["oneOf"] = [{"required": [kind]} for kind in KINDS]
    _student_model(definitions)
    definitions["AgentSpec"]["not"] = {"required": ["prompt", "prompt_file"]}
    definitions["ModelSpec"] = _model(definitions["ModelSpec"])
    parameters = _parameters(definitions, own_protocols or {})
    for part in (schema, *(definitions[name] for name in _USING)):
        part["allOf"] = [_when_used(name, ref) for name, ref in parameters.items()]
        _enumerate(part["properties"]["use"], sorted(parameters))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "maieutic graph file",
        "patternProperties": {"^x-": True},
        "oneOf": [{"required": ["graph"]}, {"required": ["use"]}],
    }


def _mappings(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from _mappings(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _mappings(part)


def _student_model(definitions: dict[str, Any]) -> None:
    """Concepts in a file of their own, or here as such a file has them."""
    from maieutic.memory.student.entries import concept_schema

    concepts, model = concept_schema(), definitions["StudentModelSpec"]
    definitions |= concepts["$defs"]
    model["properties"] |= {key: concepts["properties"][key] for key in ("concepts", "defaults", "items")}
    model["oneOf"] = [{"required": ["graph"]}, {"required": ["concepts"]}]


def _model(full: dict[str, Any]) -> dict[str, Any]:
    """A model's string alone, a simulated mind with its own parameters beside the others, or any other model."""
    from maieutic.backends.sim import MindParams

    simulated = {"properties": {"model": {"type": "string", "pattern": "^sim/"}}}
    own = MindParams.model_json_schema()["properties"]
    mind = {**full, "properties": {**full["properties"], **own}}
    return {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "object", "required": ["model"], "if": simulated, "then": mind, "else": full},
        ]
    }


def _parameters(
    definitions: dict[str, Any], own: Mapping[str, type[Protocol[Any, Any]]]
) -> dict[str, tuple[str, bool]]:
    """For every protocol where the schema of its parameters is, and whether it needs any."""
    from maieutic.protocols.base import protocol_named, protocols

    found = {}
    for name in sorted({*protocols(), *own}):
        model = protocol_named(name, own).params_model
        schema = model.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
        for other, definition in schema.pop("$defs", {}).items():
            definitions.setdefault(other, definition)  # a model in parameters is written as under `models`
        definitions[f"with_{name}"] = schema
        found[name] = (f"#/$defs/with_{name}", bool(schema.get("required")))
    return found


def _when_used(name: str, parameters: tuple[str, bool]) -> dict[str, Any]:
    ref, needed = parameters
    then: dict[str, Any] = {"properties": {"with": {"$ref": ref}}}
    if needed:
        then["required"] = ["with"]
    return {"if": {"properties": {"use": {"const": name}}, "required": ["use"]}, "then": then}


def _enumerate(use: dict[str, Any], names: list[str]) -> None:
    """Limit `use` to the known protocols (null, its default at the top of a file, excepted)."""
    texts = [part for part in use.get("anyOf", [use]) if part.get("type") == "string"]
    for part in texts:
        part.pop("pattern", None)
        part["enum"] = names
