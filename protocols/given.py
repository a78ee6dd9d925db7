"""Items and concepts as parameters take them: from a file, as plain JSON, or as they are in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from maieutic.errors import MaieuticError
from maieutic.memory.student.items import Item

__all__ = ["Concepts", "Course", "read_concepts", "read_items"]


def read_items(path: Path) -> list[Item]:
    """The items of a file (see `maieutic.memory.student.item_files.load_items`).

    Raises:
        ConceptFileError: The file cannot be read or is not valid; the message lists every problem with its place.
    """
    from maieutic.memory.student.item_files import load_items

    return load_items(path)


def read_concepts(path: Path) -> dict[str, Any]:
    """The concepts and items of a concept file, as plain JSON.

    Raises:
        ConceptFileError: The file is not valid; the message lists every problem with its place.
    """
    from maieutic.memory.student.concepts import ConceptGraph

    return ConceptGraph.load(path).to_json()


def _checked(given: Any) -> Any:
    """A ConceptGraph, or what its `to_json` writes, as plain JSON; anything else is left for the type to judge."""
    from maieutic.memory.student.concepts import ConceptGraph

    if isinstance(given, ConceptGraph):
        return given.to_json()
    if not isinstance(given, dict):
        return given
    try:
        return ConceptGraph.from_json(given).to_json()
    except MaieuticError as error:
        raise ValueError(str(error)) from error


def _without_items(given: Any) -> Any:
    checked = _checked(given)
    return {"concepts": checked["concepts"]} if isinstance(checked, dict) else checked


Course = Annotated[dict[str, Any], BeforeValidator(_checked)]
"""A concept graph with its items as plain JSON (see `ConceptGraph.to_json`)."""

Concepts = Annotated[dict[str, Any], BeforeValidator(_without_items)]
"""A concept graph as plain JSON, without its items."""
