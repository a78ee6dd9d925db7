"""What is known of one item once the student has answered it alone and with an explanation: plain values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Answered", "Estimate", "Record"]

Share = Annotated[float, Field(ge=0, le=1)]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answered(_Value):
    """One answer to an item, by the student or by the teacher."""

    answer: Annotated[str, Field(description="The answer; the option's own words where there are options.")]
    correct: Annotated[bool, Field(description="Whether it is right.")]
    agrees: Annotated[
        bool, Field(description="Whether it is what the teacher takes for right; `correct` if it knows the answers.")
    ]
    confidence: Annotated[Share | None, Field(description="How sure it is of its answer.")] = None
    margin: Annotated[
        Share | None, Field(description="How far the likeliest answer lies before the second, where it was measured.")
    ] = None
    right: Annotated[
        Share | None, Field(description="Probability of the answer the teacher takes for right, where it was measured.")
    ] = None
    source: Annotated[
        Literal["stated", "logprobs", "samples"], Field(description="Where confidence, margin and right come from.")
    ] = "stated"

    @property
    def in_target(self) -> float | None:
        """Confidence in what the teacher takes for right: as measured, else from the stated confidence.

        Whoever states that it is 0.7 sure of something else leaves 0.3 for it.
        """
        if self.right is not None or self.confidence is None:
            return self.right
        return self.confidence if self.agrees else 1 - self.confidence


class Estimate(_Value):
    """What somebody expects of the student at one item, before it has answered.

    Attributes:
        alone: Chance that it answers right without help.
        explained: The same with the teacher's explanation before its eyes.
    """

    alone: Share
    explained: Share

    @property
    def utility(self) -> float:
        """What explaining is expected to gain, -1 to 1."""
        return self.explained - self.alone


class Record(_Value):
    """One item: both answers of the student, the teacher's explanation and answer, and every estimate.

    Attributes:
        item: The item's id.
        question: As it was asked.
        concepts: What it needs.
        alone, explained: The student's answers without and with the explanation.
        target: What the teacher takes for right.
        teacher: The teacher's own answer, if it was asked for one.
        explanation: What the teacher explained.
        estimates: By the estimator's name.
    """

    item: str
    question: str = ""
    concepts: tuple[str, ...] = ()
    target: str = ""
    alone: Answered
    explained: Answered
    teacher: Answered | None = None
    explanation: str = ""
    estimates: dict[str, Estimate] = {}

    @property
    def gain(self) -> int:
        """What explaining gained: 1 from wrong to right, -1 from right to wrong, else 0."""
        return int(self.explained.correct) - int(self.alone.correct)
