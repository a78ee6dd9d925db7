"""The pictures of a report, as SVG to be put into a page: scores, the plane of cost and score, differences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from maieutic.files.plotting import COLOURS, GREY, INK, MARKERS, drawn, figure
from maieutic.runs.reports.words import LABELS, facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from maieutic.runs.statistics.budgets import Front
    from maieutic.runs.statistics.summary import Compared, Condition, Summary

__all__ = [
    "differences_picture",
    "inlined",
    "pictures_of",
    "plain",
    "plane_picture",
    "scores_picture",
    "summary_picture",
]

WIDE = 10
"""From this ratio of costs on their scale is logarithmic."""


def scores_picture(conditions: Sequence[Condition], scorer: str, level: float) -> Figure:
    """Each condition's mean score and its interval."""
    picture, [panel] = figure(width=7.0, height=0.9 + 0.42 * max(2, len(conditions)))
    _scores(panel, conditions, scorer, level)
    return picture


def _scores(panel: Axes, conditions: Sequence[Condition], scorer: str, level: float) -> None:
    for place, row in enumerate(conditions):
        found = row.scores.get(scorer)
        if found is not None:
            panel.errorbar(
                [found.value],
                [place],
                xerr=[[max(0.0, found.value - found.low)], [max(0.0, found.high - found.value)]],
                fmt=MARKERS[place % len(MARKERS)],
                color=COLOURS[place % len(COLOURS)],
                capsize=3,
                markersize=7,
            )
    _named(panel, [row.name for row in conditions])
    panel.set_xlabel(f"{plain(scorer)} (bars: {level:.0%} intervals)")


def plane_picture(front: Front) -> Figure:
    """Score over cost; the conditions that no other beats are joined."""
    picture, [panel] = figure(width=7.0, height=4.2)
    _plane(panel, front)
    return picture


def _plane(panel: Axes, front: Front) -> None:
    best = sorted((point for point in front.points if point.front), key=lambda point: point.cost)
    stairs = [p.cost for p in best], [p.score for p in best]
    panel.plot(*stairs, drawstyle="steps-post", color=GREY, linewidth=1.2, zorder=1)
    for place, point in enumerate(front.points):
        panel.plot(
            [point.cost],
            [point.score],
            marker=MARKERS[place % len(MARKERS)],
            color=COLOURS[place % len(COLOURS)],
            markerfacecolor=None if point.front else "white",
            markersize=8,
            linestyle="none",
        )
        panel.annotate(
            plain(point.condition), (point.cost, point.score), (7, 5), textcoords="offset points", fontsize=9, color=INK
        )
    costs = [point.cost for point in front.points]
    if min(costs) > 0 and max(costs) > WIDE * min(costs):
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    panel.margins(x=0.18, y=0.15)
    panel.set_xlabel(f"{LABELS[front.cost]} a run")
    panel.set_ylabel(plain(front.scorer))


def summary_picture(summary: Summary, scorer: str) -> Figure:
    """Scores and the plane of cost and score side by side, for a page that shows one picture."""
    picture, [left, right] = figure(1, 2, width=11.0, height=max(3.2, 1.2 + 0.42 * len(summary.conditions)))
    _scores(left, summary.conditions, scorer, summary.settings.level)
    if scorer in summary.fronts:
        _plane(right, summary.fronts[scorer])
    left.set_title(plain(summary.experiment), loc="left", color=INK)
    right.set_title(
        facts(summary) + (", simulated minds" if summary.simulated else ""), loc="right", color=GREY, fontsize=9
    )
    return picture


def differences_picture(comparisons: Sequence[Compared], scorer: str) -> Figure:
    """The differences between conditions and their intervals; filled where the corrected p is below 0.05."""
    rows = [c for c in comparisons if c.scorer == scorer]
    picture, [panel] = figure(width=7.0, height=0.9 + 0.38 * max(2, len(rows)))
    panel.axvline(0.0, color=GREY, linewidth=1.0)
    for place, found in enumerate(rows):
        between = found.paired.difference
        panel.errorbar(
            [between.value],
            [place],
            xerr=[[max(0.0, between.value - between.low)], [max(0.0, between.high - between.value)]],
            fmt="o",
            color=COLOURS[0] if found.adjusted < 0.05 else GREY,
            markerfacecolor=None if found.adjusted < 0.05 else "white",
            capsize=3,
        )
    _named(panel, [f"{found.first} − {found.second}" for found in rows])
    panel.set_xlabel(f"difference of {plain(scorer)} (filled: p < 0.05 after correction)")
    return picture


def pictures_of(summary: Summary, scorer: str) -> list[tuple[str, str]]:
    """A scorer's pictures as SVG, each with a sentence that says the same to those who do not see it.

    Raises:
        UsageError: matplotlib is not installed.
    """
    of = f"of {len(summary.conditions)} conditions by {scorer}"
    told = [(inlined(scores_picture(summary.conditions, scorer, summary.settings.level)), f"Mean scores {of}.")]
    if any(c.scorer == scorer for c in summary.comparisons):
        told.append((inlined(differences_picture(summary.comparisons, scorer)), f"Differences {of}."))
    if scorer in summary.fronts and len(summary.conditions) > 1:
        told.append((inlined(plane_picture(summary.fronts[scorer])), f"Score over cost {of}."))
    return told


def inlined(picture: Figure) -> str:
    """A figure as an `svg` element for a page."""
    text = drawn(picture, "svg").decode("utf-8")
    svg = text[text.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)


def plain(text: str) -> str:
    """A text that is no formula, whatever is in it, on one line of a picture."""
    line = " ".join(text.split()).replace("$", r"\$")
    return line if len(line) <= 60 else line[:59] + "…"


def _named(panel: Axes, names: Sequence[str]) -> None:
    """Rows from top to bottom under their names."""
    panel.set_yticks(range(len(names)), [plain(name) for name in names])
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.grid(visible=False, axis="y")
