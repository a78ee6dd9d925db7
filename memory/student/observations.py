"""What a teacher can observe of a student: plain values, kept in order. A student model is what they add up to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Observation"]

Kind = Literal["answered", "explained", "asked", "claimed", "waited"]
_NEEDS: dict[str, str] = {"waited": "days", "claimed": "confidence"}


class Observation(BaseModel):
    """One thing that happened between a teacher and a student.

    Kinds:
        answered: The student answered `item`, right or wrong, perhaps with an explanation of it before its eyes; or an
            open question that needs `concepts`.
        explained: The student was given an explanation of `item`, or of `concepts`.
        asked: The student asked a question about `item` or `concepts`: it thinks that it does not know.
        claimed: The student said how sure it is of `item` or `concepts`, without answering.
        waited: `days` passed; the student may forget.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    item: Annotated[str | None, Field(description="The item's id.")] = None
    concepts: Annotated[tuple[str, ...], Field(description="The concepts, where no item is meant.")] = ()
    correct: Annotated[bool | None, Field(description="Whether the answer was right.")] = None
    choice: Annotated[str | None, Field(description="The answer as given; a distractor tells of a misconception.")] = (
        None
    )
    confidence: Annotated[float | None, Field(ge=0, le=1, description="How sure the student says it is.")] = None
    with_explanation: Annotated[bool, Field(description="Answered with an explanation of the item at hand.")] = False
    days: Annotated[float | None, Field(ge=0, allow_inf_nan=False, description="Days that passed.")] = None

    @model_validator(mode="after")
    def _complete(self) -> Observation:
        needed = _NEEDS.get(self.kind)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"an observation of the kind {self.kind!r} needs {needed!r}")
        if self.kind != "waited" and self.item is None and not self.concepts:
            raise ValueError(f"an observation of the kind {self.kind!r} needs 'item' or 'concepts'")
        if self.kind == "answered" and self.correct is None and self.choice is None:
            raise ValueError("an observation of the kind 'answered' needs 'correct' or 'choice'")
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without what was left out."""
        return self.model_dump(mode="json", exclude_defaults=True)
