"""The report as a page: everything in one file, with its pictures and without a script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from maieutic.errors import UsageError
from maieutic.runs.reports import words
from maieutic.runs.statistics.samples import COSTS

if TYPE_CHECKING:
    from maieutic.runs.statistics.goal_rates import GoalSuccess
    from maieutic.runs.statistics.summary import Summary

__all__ = ["Columns", "comparison_columns", "family_columns", "goal_columns", "index_page", "match_columns", "render",
           "score_columns"]  # fmt: skip

_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Columns:
    """A table of texts.

    Attributes:
        head: The columns' names.
        rows: The cells.
        numbers: Which columns hold numbers.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


def render(template: str, **told: Any) -> str:
    """A page. What is told is text and is escaped, unless it is `Markup`."""
    return _environment().get_template(template).render(style=Markup(_style()), **told)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    return (_FOLDER / "style.css").read_text("utf-8")


def score_columns(summary: Summary) -> Columns:
    """A row for each condition: its scores, what a run of it costs on average, and which runs ended early."""
    early = any(row.unfinished for row in summary.conditions)
    head = ("condition", "runs", *summary.scorers, *(words.LABELS[name] for name in COSTS), *(("ended early",) * early))
    rows = tuple(
        (
            row.name,
            f"{row.n:,}",
            *(words.score(row.scores[name]) for name in summary.scorers),
            *(words.cost(name, found.value if (found := row.costs[name]) else None) for name in COSTS),
            *((words.early(row.unfinished),) * early),
        )
        for row in summary.conditions
    )
    return Columns(head, rows, tuple(range(1, 2 + len(summary.scorers) + len(COSTS))))


def comparison_columns(summary: Summary, scorer: str) -> Columns:
    """A row for each pair of conditions."""
    rows = tuple(words.compared(found) for found in summary.comparisons if found.scorer == scorer)
    return Columns(("conditions", "difference", "p", "test", "won/tied/lost", "effect d"), rows, (1, 2, 4, 5))


def match_columns(summary: Summary, scorer: str) -> Columns:
    """A row for each condition: what the others buy for what it spends."""
    rows = tuple(words.bought(found) for found in summary.matches.get(scorer, ()))
    return Columns(("condition", "spends", "scores", "others buy", "with", "difference"), rows, (1, 2, 3, 5))


def family_columns(summary: Summary, scorer: str) -> Columns:
    """A row for each task family, if there are several."""
    families = dict.fromkeys(family for row in summary.conditions for family in row.families)
    names = [row.name for row in summary.conditions]
    if len(families) < 2:
        return Columns((), ())
    rows = tuple(
        (family, *(words.score(row.families.get(family, {}).get(scorer)) for row in summary.conditions))
        for family in families
    )
    return Columns(("family", *names), rows, tuple(range(1, len(names) + 1)))


def goal_columns(goals: Mapping[str, GoalSuccess]) -> Columns:
    """A row for each condition whose goals were assessed."""
    rows = tuple(
        (
            name,
            f"{found.goals:,}",
            words.score(found.rate),
            words.score(found.several),
            ", ".join(f"{cause} {count}" for cause, count in found.causes.items()) or "–",
            f"{found.unsettled:,}",
        )
        for name, found in goals.items()
    )
    return Columns(("condition", "goals", "reached", "of several turns", "causes", "for a person"), rows, (1, 2, 3, 5))


def index_page(
    summary: Summary,
    *,
    spec: Mapping[str, Any] | None = None,
    goals: Mapping[str, GoalSuccess] | None = None,
    items: str = "",
    dialogues: int = 0,
    left_out: int = 0,
) -> str:
    """The report's first page; without links it stands alone.

    Args:
        summary: What is told.
        spec: The experiment file as plain JSON, to be shown.
        goals: Goals by condition, where they were assessed.
        items: The page of items to link to.
        dialogues, left_out: How many dialogues have pages of their own, and how many do not.
    """
    pictures, unpictured = _pictures(summary)
    parts = [
        {
            "scorer": name,
            "pictures": [(Markup(svg), says) for svg, says in pictures.get(name, [])],
            "comparisons": comparison_columns(summary, name),
            "found": [n for n, c in enumerate(_of(summary, name)) if c.adjusted < 0.05],
            "matches": match_columns(summary, name),
            "families": family_columns(summary, name),
            "agreement": agreed(summary.agreement.get(name, {})),
        }
        for name in summary.scorers
    ]
    return render(
        "index.html.j2",
        summary=summary,
        facts=words.facts(summary),
        scores=score_columns(summary),
        parts=parts,
        goals=goal_columns(goals or {}),
        cost=words.LABELS[summary.settings.cost or "calls"],
        method=words.method(summary),
        unpictured=unpictured,
        spec=json.dumps(dict(spec), indent=2, ensure_ascii=False) if spec else "",
        first_items=items,
        dialogues=f"{dialogues:,}",
        left_out=f"{left_out:,}" if left_out else "",
    )


def agreed(alphas: Mapping[str, float | None]) -> str:
    """How far judges agree, criterion by criterion."""
    return ", ".join(f"{name} {'not defined' if a is None else f'{a:.2f}'}" for name, a in alphas.items())


def _of(summary: Summary, scorer: str) -> Sequence[Any]:
    return [found for found in summary.comparisons if found.scorer == scorer]


def _pictures(summary: Summary) -> tuple[dict[str, list[tuple[str, str]]], str]:
    """The pictures by scorer, or why there are none."""
    from maieutic.runs.reports.pictures import pictures_of

    try:
        return {name: pictures_of(summary, name) for name in summary.scorers}, ""
    except UsageError as error:
        return {}, str(error)
