"""The concepts and items of a graph file's student model: from a file of their own, or written in the graph file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.errors import ConceptFileError
from maieutic.files.problems import Problem
from maieutic.files.sheet import Sheet

if TYPE_CHECKING:
    from maieutic.graphs.spec import GraphSpec
    from maieutic.memory.student.concepts import ConceptGraph

__all__ = ["concepts_of"]


def concepts_of(spec: GraphSpec, sheet: Sheet) -> tuple[ConceptGraph | None, list[Problem]]:
    """The concepts and items of a file's student model, and the problems of the file that has them.

    Args:
        spec: The graph file.
        sheet: Its places; what is wrong in the graph file itself is noted there.

    Returns:
        Nothing (and no problems) if the file has no student model, or if what is wrong is on the sheet.
    """
    model = spec.student_model
    if model is None:
        return None, []
    if model.graph is None:
        from maieutic.memory.student.files import concepts_within

        return None if model.concepts is None else concepts_within(sheet, ("student_model",)), []
    path = spec.origin.home / model.graph
    if not _is_file(path):
        hint = "the path starts at the graph file's folder"
        sheet.wrong(("student_model", "graph"), f"there is no concept file {model.graph!r}", hint)
        return None, []
    from maieutic.memory.student.files import load_concepts

    try:
        return load_concepts(path), []
    except ConceptFileError as error:
        return None, list(error.problems)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a null character
        return False
