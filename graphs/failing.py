"""What goes wrong inside a node while a graph runs, said with its place in the file."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maieutic.errors import MaieuticError
from maieutic.graphs.expressions import Expression, ExpressionError

if TYPE_CHECKING:
    from maieutic.graphs.spec import GraphSpec

__all__ = ["FilePath", "Formula", "Reading", "Spot", "StepFailed"]

FilePath = tuple[str | int, ...]
"""Where something stands in a graph file: the keys from the top down to it."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class StepFailed(MaieuticError):
    """A node could not do its step: an expression does not fit the values there are, or a tool failed.

    Attributes:
        kind: "expression", "state" (a value does not fit its field), "student" (what was observed does not fit the
            student model), "tool" or "visits".
    """

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a graph file; as text it is `tutor.yaml:21:13`, found by reading the file again where it was read."""

    spec: GraphSpec
    path: FilePath

    @property
    def keys(self) -> str:
        """The place by its keys: `tutor.yaml: graph.nodes.review.next`."""
        return f"{self.spec.origin.file}: {'.'.join(map(str, self.path))}"

    def __truediv__(self, key: str | int) -> Spot:
        return Spot(self.spec, (*self.path, key))

    def __str__(self) -> str:
        from maieutic.files.sheet import Sheet
        from maieutic.files.source import parse

        text = self.spec.origin.text
        if not text:
            return self.keys
        source, _ = parse(text, self.spec.origin.file)
        place = Sheet(source).place(self.path, key=len(self.path) == 3)  # a node stands where its name does
        return f"{self.spec.origin.file}:{place.line}:{place.column}: {'.'.join(map(str, self.path))}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an expression came to.

    Attributes:
        value: Its value.
        read: What it read, by its text.
        reasons: Why the student model answered as it did, by the text of the question.
    """

    value: Any
    read: Mapping[str, Any]
    reasons: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression and where it stands, so that it can say what is wrong with the values it meets."""

    expression: Expression
    spot: Spot

    def value(self, values: Mapping[str, Any]) -> Any:
        """Its value.

        Raises:
            StepFailed: The values do not fit; the message names the place, the expression and what it read.
        """
        return self.reading(values).value

    def reading(self, values: Mapping[str, Any]) -> Reading:
        """Its value, and what it read to come to it."""
        from maieutic.graphs.evaluation import Evaluation

        evaluation = Evaluation(self.expression.text, values)
        try:
            return Reading(evaluation.value(self.expression.tree), evaluation.read, evaluation.reasons)
        except ExpressionError as error:
            raise self.failure(str(error.trouble), evaluation.read) from error

    def truth(self, values: Mapping[str, Any]) -> Reading:
        """Whether it is true, and what it read."""
        found = self.reading(values)
        if not isinstance(found.value, bool):
            raise self.failure(f"it is {_SHORT.repr(found.value)}, neither true nor false", found.read)
        return found

    def failure(self, message: str, read: Mapping[str, Any]) -> StepFailed:
        """The error for this expression."""
        seen = ", ".join(f"{name} = {_SHORT.repr(value)}" for name, value in read.items()) or "none was read"
        message = f"{self.spot}: cannot evaluate {self.expression.text}: {message} (values: {seen})"
        return StepFailed(message, kind="expression")
