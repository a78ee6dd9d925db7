"""A student model on disk: concepts, items, and what was observed (or what is believed, where no log was kept)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from maieutic.errors import StudentModelError
from maieutic.memory.student.concepts import ConceptGraph, first_of
from maieutic.memory.student.items import Item
from maieutic.memory.student.observations import Observation
from maieutic.memory.student.policy import InterventionPolicy

if TYPE_CHECKING:
    from maieutic.memory.student.model import StudentModel

__all__ = ["VERSION", "from_json", "load", "load_dated", "save", "to_json"]

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
    except ValidationError as error:
        raise StudentModelError(f"this student model cannot be read: {first_of(error)}") from None
    except (KeyError, TypeError, IndexError) as error:
        raise StudentModelError(f"this student model cannot be read: {error!r}") from None
    return model


def save(model: StudentModel, path: str | Path) -> None:
    """Write a model as JSON, with the time, whole or not at all.

    Raises:
        StudentModelError: The file cannot be written.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    data = {"saved": datetime.now(UTC).isoformat(timespec="seconds"), **to_json(model)}
    try:
        part.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", "utf-8")
        part.replace(path)
    except OSError as error:
        raise StudentModelError(f"the student model {path} cannot be written: {error}") from None


def load(path: str | Path) -> StudentModel:
    """Read a model.

    Raises:
        StudentModelError: The file cannot be read, or holds no student model.
    """
    return load_dated(path)[0]


def load_dated(path: str | Path) -> tuple[StudentModel, datetime | None]:
    """Read a model, and when it was saved, if the file says so.

    Raises:
        StudentModelError: The file cannot be read, or holds no student model.
    """
    try:
        data = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StudentModelError(f"the student model {path} cannot be read: {error}") from None
    try:
        model = from_json(data)
        return model, _moment(data["saved"]) if "saved" in data else None
    except StudentModelError as error:
        raise StudentModelError(f"{path}: {error}") from None


def _moment(said: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        raise StudentModelError(f"'saved' is the time as in 2026-11-21T13:00:00+00:00, not {said!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
