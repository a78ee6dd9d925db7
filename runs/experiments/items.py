"""One item of a data set: what goes in, what counts as right, and what else is known of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["SampleItem"]


@dataclass(frozen=True, slots=True)
class SampleItem:
    """One item of a data set.

    Attributes:
        id: Unique in the data set.
        inputs: What a program is given, by name.
        target: The accepted answers, the usual one first; none where the right answer is not known.
        options: The answers to choose from, if there are such.
        family: The task family, or "".
        group: What belongs together (paragraphs of one text, children of one class): resampled as one. The id if empty.
        data: The columns that nothing else takes, plain JSON: for scorers.
    """

    id: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    target: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    family: str = ""
    group: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """What was asked, as a judge reads it: the input `question`, or all inputs by name."""
        if "question" in self.inputs:
            return str(self.inputs["question"])
        return "\n".join(f"{name}: {value}" for name, value in self.inputs.items())

    @property
    def digest(self) -> str:
        """What is asked, in 16 hex digits: an item whose inputs were edited is another, though its id stays."""
        said = json.dumps([self.id, dict(self.inputs)], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is empty is left out."""
        raw = {**asdict(self), "target": list(self.target), "options": list(self.options)}
        return {name: value for name, value in raw.items() if value or name == "id"}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> SampleItem:
        """The item that `to_json` wrote."""
        return cls(**{**raw, "target": tuple(raw.get("target", ())), "options": tuple(raw.get("options", ()))})
