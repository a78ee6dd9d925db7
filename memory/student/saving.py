"""A student model on disk: concepts, items, and what was observed (or what is believed, where no log was kept)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from maieutic.errors import StudentModelError
from maieutic.memory.student.concepts import ConceptGraph
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.policy import InterventionPolicy

if TYPE_CHECKING:
    from maieutic.memory.student.model import StudentModel

__all__ = ["VERSION", "from_json", "load", "save", "to_json"]

VERSION = 1
"""Of the shape. A file of a later one is refused."""


def to_json(model: StudentModel) -> dict[str, Any]:
    """Plain JSON of a model."""
    items = [item.model_dump(mode="json", exclude_defaults=True) for item in model.items.values()]
    data = {
        "student_model": VERSION,
        "concepts": model.concepts.to_json()["concepts"],
        "items": items,
        "policy": model.policy.to_json(),
        "tolerance": model._belief.tolerance,
    }
    if model.keep_log:
        return {**data, "log": [observation.to_json() for observation in model.log]}
    return {**data, "belief": model._belief.to_json()}


def from_json(data: Mapping[str, Any]) -> StudentModel:
    """The model that `to_json` wrote.

    Raises:
        StudentModelError: The data are not of that shape, or of a later version.
    """
    from maieutic.memory.student.model import StudentModel

    version = data.get("student_model") if isinstance(data, Mapping) else None
    if version != VERSION:
        said = "this is no student model" if version is None else f"this student model has version {version!r}"
        raise StudentModelError(f"{said}; what `to_json` writes has 'student_model': {VERSION}")
    try:
        concepts = ConceptGraph.from_json({"concepts": data["concepts"]})
        items = [Item.model_validate(each) for each in data["items"]]
        model = StudentModel(
            concepts,
            items,
            policy=InterventionPolicy.from_json(data["policy"]),
            keep_log="log" in data,
            tolerance=data["tolerance"],
        )
        for each in data.get("log", ()):
            model.observe(Observation.model_validate(each))
        if "belief" in data:
            model._belief.restore(data["belief"])
    except (KeyError, TypeError, IndexError, ValidationError) as error:
        raise StudentModelError(f"this student model cannot be read: {error!r}") from None
    return model


def save(model: StudentModel, path: str | Path) -> None:
    """Write a model as JSON, whole or not at all.

    Raises:
        StudentModelError: The file cannot be written.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(to_json(model), ensure_ascii=False, indent=1) + "\n", "utf-8")
        part.replace(path)
    except OSError as error:
        raise StudentModelError(f"the student model {path} cannot be written: {error}") from None


def load(path: str | Path) -> StudentModel:
    """Read a model.

    Raises:
        StudentModelError: The file cannot be read, or holds no student model.
    """
    try:
        data = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StudentModelError(f"the student model {path} cannot be read: {error}") from None
    try:
        return from_json(data)
    except StudentModelError as error:
        raise StudentModelError(f"{path}: {error}") from None
