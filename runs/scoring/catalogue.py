"""The scorers by name: ours, those of other packages, and those that the host passes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from maieutic.errors import UsageError
from maieutic.files.problems import did_you_mean
from maieutic.runs.scoring.base import PairScorer, Scorer
from maieutic.runs.scoring.functions import Function, Scoring

__all__ = ["Given", "scorer_from", "scorers", "scorers_from"]

_OURS = {
    "exact_match": "maieutic.runs.scoring.texts:ExactMatch",
    "f1": "maieutic.runs.scoring.texts:F1",
    "goals": "maieutic.runs.scoring.goals:Goals",
    "judge": "maieutic.runs.scoring.judging:Judged",
    "multiple_choice": "maieutic.runs.scoring.choice:MultipleChoice",
    "numeric": "maieutic.runs.scoring.numbers:Numeric",
    "pairwise": "maieutic.runs.scoring.pairwise:Pairwise",
    "regex": "maieutic.runs.scoring.texts:Regex",
}

Given = str | Mapping[str, Any] | Scorer | PairScorer
"""A scorer as it is asked for: its name, or {"use": its name, …} with its settings, or the scorer itself."""


@cache
def scorers() -> Mapping[str, EntryPoint]:
    """Every scorer by name, not yet imported: ours, and those under the entry point `maieutic.scorers`.

    What an entry point names is a function (see `maieutic.runs.scoring.Scoring`), or a class whose instances are
    scorers and which takes its settings by name.
    """
    ours = {name: EntryPoint(name, value, "maieutic.scorers") for name, value in _OURS.items()}
    return {**{point.name: point for point in entry_points(group="maieutic.scorers")}, **ours}


def scorers_from(
    given: Sequence[Given], own: Mapping[str, Scoring | type[Any]] | None = None
) -> tuple[Scorer | PairScorer, ...]:
    """Scorers as an experiment file lists them.

    Args:
        given: What is asked for.
        own: Functions and classes of the host's own, by name; they win over installed ones.

    Raises:
        UsageError: As `scorer_from`; or two scorers share a name.
    """
    found = tuple(scorer_from(each, own) for each in given)
    names = [scorer.name for scorer in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two scorers are called {name!r}; give one of them another name (`name: …`)")
    return found


def scorer_from(given: Given, own: Mapping[str, Scoring | type[Any]] | None = None) -> Scorer | PairScorer:
    """One scorer.

    Raises:
        UsageError: There is none of that name, or its settings do not fit.

    Example:
        >>> scorer_from({"use": "numeric", "name": "close", "relative": 0.01}).name
        'close'
    """
    if isinstance(given, str):
        return _made(given, {}, own or {})
    if isinstance(given, Mapping):
        settings = dict(given)
        use = settings.pop("use", None)
        if not isinstance(use, str):
            raise UsageError(f"a scorer is its name, or its name after `use:` with settings; this has none: {given!r}")
        return _made(use, settings, own or {})
    return given


def _made(use: str, settings: dict[str, Any], own: Mapping[str, Scoring | type[Any]]) -> Scorer | PairScorer:
    kind = own[use] if use in own else _installed(use, own)
    if not isinstance(kind, type):
        name = settings.pop("name", use)
        if settings:
            raise UsageError(
                f"the scorer {use!r} is a function and takes no settings but `name`: {', '.join(settings)}"
            )
        return Function(name, kind)
    if issubclass(kind, BaseModel):
        settings.setdefault("name", use)
    try:
        made: Scorer | PairScorer = kind(**settings)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            hint = did_you_mean(where, getattr(kind, "model_fields", ()))
            raise UsageError(f"the scorer {use!r} has no setting {where!r}; {hint}") from error
        if problem["type"] == "missing":
            raise UsageError(f"the scorer {use!r} needs {where}: {{use: {use}, {where}: …}}") from error
        said = problem["msg"].removeprefix("Value error, ")
        raise UsageError(f"the scorer {use!r}: {where + ': ' if where else ''}{said}") from error
    except TypeError as error:
        raise UsageError(f"the scorer {use!r}: {error}") from error
    return made


def _installed(use: str, own: Mapping[str, Any]) -> Any:
    if use in scorers():
        return scorers()[use].load()
    known = sorted({*scorers(), *own})
    near = get_close_matches(use, known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise UsageError(f"unknown scorer {use!r}{hint} There are: {', '.join(known)}")
