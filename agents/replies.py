"""The typed replies that roles give. Their fields are what edge conditions and `writes:` can name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

__all__ = ["Approval", "Choice", "Enough", "Position", "Ranking", "Review", "Solution", "Verdict", "among", "spoken"]

Confidence = Annotated[float, Field(ge=0, le=1, description="How sure you are, from 0 (a guess) to 1 (certain).")]


class Position(BaseModel):
    """Where an agent stands: its answer and how sure it is."""

    answer: Annotated[str, Field(description="Your answer, as short as possible.")]
    confidence: Confidence


class Solution(BaseModel):
    """An answer found alone, the reasoning before it."""

    reasoning: Annotated[str, Field(description="Your reasoning, step by step.")]
    answer: Annotated[str, Field(description="Your answer, as short as possible.")]
    confidence: Confidence


class Verdict(BaseModel):
    """A judge's decision."""

    answer: Annotated[str, Field(description="The answer that you decide for, as short as possible.")]
    reason: Annotated[str, Field(description="Why, in one or two sentences.")]
    confidence: Confidence


class Enough(BaseModel):
    """Whether a judge has heard enough to decide."""

    enough: Annotated[bool, Field(description="Whether more debate would not change the decision.")]
    reason: Annotated[str, Field(description="Why, in one sentence.")]


class Ranking(BaseModel):
    """All candidate answers, best first."""

    ranking: Annotated[list[str], Field(min_length=1, description="The answers, best first.")]


class Approval(BaseModel):
    """The candidate answers that an agent finds acceptable."""

    approved: Annotated[list[str], Field(description="Every answer that you could accept; may be empty.")]


class Review(BaseModel):
    """A critic's finding on a draft."""

    ok: Annotated[bool, Field(description="Whether the draft can stand as it is.")]
    problem: Annotated[str, Field(description="The most important problem, or an empty string.")]


class Choice(BaseModel):
    """A router's decision."""

    choice: Annotated[str, Field(description="The name of the chosen candidate, exactly as listed.")]
    reason: Annotated[str, Field(description="Why, in one sentence.")]


_ANSWER_FIELDS = {"answer": str, "choice": str, "ranking": list, "approved": list}


def among(model: type[BaseModel], options: Sequence[str]) -> type[BaseModel]:
    """The same reply, with its answer limited to the given options (an enumeration in the JSON schema).

    Without options the reply model is returned as it is.
    """
    return _among(model, tuple(options)) if options else model


@lru_cache(maxsize=1024)
def _among(model: type[BaseModel], options: tuple[str, ...]) -> type[BaseModel]:
    option: Any = Literal[options]
    fields: dict[str, Any] = {}
    for name, kind in _ANSWER_FIELDS.items():
        if name in model.model_fields:
            old = model.model_fields[name]
            fields[name] = (list[option] if kind is list else option, old)
    return create_model(model.__name__, __base__=model, **fields)


def spoken(data: BaseModel) -> str:
    """A typed reply in words, as the other agents read it: one line a field; what was left out is not said."""
    lines = []
    for name, value in data.model_dump(mode="json", exclude_none=True).items():
        words = ", ".join(str(v) for v in value) if isinstance(value, list) else value
        lines.append(f"{name.replace('_', ' ').capitalize()}: {words}")
    return "\n".join(lines)
