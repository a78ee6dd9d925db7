"""Items and concepts, as they stand in files and as they are given in Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from maieutic.errors import MaieuticError, UsageError
from maieutic.memory.student.items import Item

__all__ = ["Concepts", "read_concepts", "read_items"]


def read_items(path: Path) -> list[Item]:
    """The items of a file: JSON Lines (one item a line), a JSON list, or the `items` of a concept file (YAML).

    Raises:
        UsageError: The file cannot be read, or a line is no item; the message names it.
        ConceptFileError: The concept file is not valid.
    """
    if path.suffix not in (".json", ".jsonl"):
        from maieutic.memory.student.concepts import ConceptGraph

        return list(ConceptGraph.load(path).items.values())
    try:
        return list(_items(path, path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"the items cannot be read from {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _items(path: Path, text: str) -> Iterator[Item]:
    whole = path.suffix == ".json"
    entries = [(1, text)] if whole else [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, entry in entries:
        try:
            raw = json.loads(entry)
            if whole and not isinstance(raw, list):
                raise UsageError(f"{path}: a list of items is needed, not {type(raw).__name__}")
            yield from [Item.model_validate(each) for each in (raw if whole else [raw])]
        except json.JSONDecodeError as error:
            raise UsageError(f"{path}:{number + error.lineno - 1}:{error.colno}: {error.msg}") from error
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            message = problem["msg"].removeprefix("Value error, ")
            raise UsageError(f"{path}:{number}: {where + ': ' if where else ''}{message}") from error


def read_concepts(path: Path) -> dict[str, Any]:
    """The concepts of a concept file, as plain JSON.

    Raises:
        ConceptFileError: The file is not valid; the message lists every problem with its place.
    """
    from maieutic.memory.student.concepts import ConceptGraph

    return ConceptGraph.load(path).to_json()


def _plain(given: Any) -> Any:
    """A ConceptGraph, or what its `to_json` writes, as plain JSON without items, checked."""
    from maieutic.memory.student.concepts import ConceptGraph

    if not isinstance(given, ConceptGraph):
        if not isinstance(given, dict):
            return given
        try:
            given = ConceptGraph.from_json(given)
        except MaieuticError as error:
            raise ValueError(str(error)) from error
    return {"concepts": given.to_json()["concepts"]}


Concepts = Annotated[dict[str, Any], BeforeValidator(_plain)]
"""A concept graph as plain JSON (see `ConceptGraph.to_json`)."""
