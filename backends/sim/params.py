"""What a simulated mind is like: the parameters that a user writes beside `model: sim/NAME`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maieutic.backends.models import ModelSpec
from maieutic.errors import ModelError

__all__ = ["MINDS", "MindParams", "params_of"]

Share = Annotated[float, Field(ge=0, le=1)]


class MindParams(BaseModel):
    """A mind's parameters. Every mind has them all, because every mind can be cast in every role.

    Shares and probabilities lie between 0 and 1; what pulls a belief is counted in log-odds (natural logarithm: 1 makes
    an answer 2.7 times as likely, 3 makes it 20 times as likely).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    seed: Annotated[int | None, Field(description="Who it is. Left out, minds differ by the name in their prompt.")] = (
        None
    )
    world: Annotated[str, Field(description="Path of a world file; the bundled world if left out.")] = ""
    knows: Annotated[Share, Field(description="Share of the world's facts (and of the arguments) it knows.")] = 0.5
    noise: Annotated[float, Field(ge=0, description="Standard deviation of a belief's noise, in log-odds.")] = 0.0

    susceptibility: Annotated[Share, Field(description="Weight of an argument or a fact that it reads.")] = 0.6
    deference: Annotated[Share, Field(description="Trust in an answer it is told, against what it knows.")] = 0.0
    conformity: Annotated[Share, Field(description="Pull of the others' positions, whatever their arguments.")] = 0.0
    credulity: Annotated[
        Share | dict[Literal["claim", "logical", "emotional", "credibility"], Share],
        Field(description="Pull of a claim or appeal that brings no evidence, by its kind or the same for all."),
    ] = 0.0
    self_doubt: Annotated[Share, Field(description="Pull away from its answer when it is asked if it is sure.")] = 0.0
    stubbornness: Annotated[Share, Field(description="Share of every change of mind that it resists.")] = 0.0
    eloquence: Annotated[Share, Field(description="Chance to bring two arguments in one turn.")] = 0.2
    lean: Annotated[
        float | dict[str, float],
        Field(description="Log-odds towards the first answer (or yes), or by answer, before any argument."),
    ] = 0.0

    bias_first: Annotated[float, Field(description="Log-odds for the side that spoke first, when it judges.")] = 0.0
    bias_length: Annotated[float, Field(description="Log-odds per doubling of a side's words, when it judges.")] = 0.0

    slip: Annotated[Share, Field(description="Chance to miss an answer that it knows.")] = 0.0
    guess: Annotated[Share | None, Field(description="Chance to guess right; 1 / options if left out.")] = None
    learn: Annotated[Share, Field(description="Chance to learn a fact that it reads.")] = 0.9
    forget: Annotated[Share, Field(description="Chance per later turn to lose a fact it has read.")] = 0.0
    misconceptions: Annotated[Share, Field(description="Chance that a gap is filled by a misconception.")] = 0.5
    confidence_bias: Annotated[float, Field(ge=-1, le=1, description="Added to the confidence it reports.")] = 0.0

    misleading: Annotated[Share, Field(description="Chance to teach what is wrong.")] = 0.0

    skills: Annotated[dict[str, Share], Field(description="Chance to know a question, by topic of the world.")] = {}
    skill: Annotated[Share, Field(description="The same for topics that `skills` does not name.")] = 0.3
    price: Annotated[str, Field(description="What it costs, in words; shown to nobody, for your own notes.")] = ""

    thrift: Annotated[Share, Field(description="How much a router prefers the cheaper candidate.")] = 0.5


class _Teacher(MindParams):
    knows: Share = 1.0


class _Student(MindParams):
    knows: Share = 0.3


class _Critic(MindParams):
    knows: Share = 0.8


class _Judge(MindParams):
    knows: Share = 0.0
    susceptibility: Share = 1.0


MINDS: Mapping[str, type[MindParams]] = {
    "debater": MindParams,
    "judge": _Judge,
    "student": _Student,
    "teacher": _Teacher,
    "critic": _Critic,
    "router": MindParams,
    "expert": MindParams,
}
"""The simulated minds by name. They differ in their defaults and in what they do when a message does not tell."""


def params_of(spec: ModelSpec) -> tuple[str, MindParams]:
    """The kind of mind that a model names, and its checked parameters.

    Raises:
        ModelError: There is no such mind or parameter, or a value does not fit; the message says what there is.
    """
    given = dict(spec.params)
    if spec.seed is not None:
        given["seed"] = spec.seed
    try:
        return _checked(spec.model, tuple(sorted(given.items())))
    except TypeError:  # a value that cannot be hashed (lean or skills by answer, or a mistake)
        return _check(spec.model, given)


@lru_cache(maxsize=1024)
def _checked(model: str, given: tuple[tuple[str, Any], ...]) -> tuple[str, MindParams]:
    return _check(model, dict(given))


def _check(model: str, given: Mapping[str, Any]) -> tuple[str, MindParams]:
    kind = model.partition("/")[2]
    if kind not in MINDS:
        raise _refused(f"there is no simulated mind {model!r}{_meant(kind, MINDS)}; there are: {_models()}")
    try:
        return kind, MINDS[kind].model_validate(given)
    except ValidationError as error:
        raise _refused(f"{model}: " + "; ".join(_problem(e) for e in error.errors(include_url=False))) from error


def _refused(message: str) -> ModelError:
    return ModelError(message, kind="bad_request")


def _models() -> str:
    return ", ".join(f"sim/{name}" for name in sorted(MINDS))


def _problem(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "parameters"
    if error["type"] != "extra_forbidden":
        return f"{name}: {error['msg']} (given: {error['input']!r})"
    known = sorted(MindParams.model_fields)
    return f"unknown parameter {name!r}{_meant(name, known)}; a simulated mind has: {', '.join(known)}"


def _meant(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
