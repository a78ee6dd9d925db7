"""Items and concepts, as they stand in files and as they are given in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from maieutic.errors import MaieuticError
from maieutic.memory.student.items import Item

__all__ = ["Concepts", "read_concepts", "read_items"]


def read_items(path: Path) -> list[Item]:
    """The items of a file (see `maieutic.memory.student.item_files.load_items`).

    Raises:
        ConceptFileError: The file cannot be read or is not valid; the message lists every problem with its place.
    """
    from maieutic.memory.student.item_files import load_items

    return load_items(path)


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
