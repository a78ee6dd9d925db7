"""The budget curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError
from maieutic.protocols.interventions.misaligned import LABEL

if TYPE_CHECKING:
    from maieutic.protocols.interventions.outcome import Curve, InterventionsOutcome

__all__ = ["plot"]

_MOST = 8
"""Curves that one picture can hold; the others are in the table."""
_WORDS = {
    "random": "random",
    "teacher_confidence": "teacher surest",
    "student_confidence": "student least sure",
    "wrong_first": "wrong ones first",
    "oracle": "oracle",
}
_UNSHOWN = ("no_intervention", "intervention", "true_pre", "true_post", "true_utility", "wrong_first")
"""Left out where there are too many curves, in this order."""


def plot(outcome: InterventionsOutcome, path: Path | str) -> Path:
    """Accuracy over the budget, a line for each ranker, its 95 % intervals as bars, its name beside it.

    Raises:
        UsageError: There are no curves or fewer than two budgets, matplotlib is not installed, or the file cannot be
            written.
    """
    from maieutic.files.plotting import GREY, INK, figure, save

    shown = _shown(outcome.curves)
    budgets = [point.budget for point in shown[0].points] if shown else []
    if len(budgets) < 2:
        raise UsageError("a picture of the budgets needs items that were judged and two or more budgets")
    picture, [panel] = figure(width=8.4, height=5.0)
    step = 0.008
    for place, curve in enumerate(shown):
        style = _style(curve.ranker, place)
        off = (place - (len(shown) - 1) / 2) * step
        xs = [point.budget for point in curve.points]
        ys = [point.accuracy.value for point in curve.points]
        panel.plot(xs, ys, linewidth=1.6, markersize=4.5, **style)
        inner = [point for point in curve.points if 0 < point.budget < 1]
        panel.errorbar(
            [point.budget + off for point in inner],
            [point.accuracy.value for point in inner],
            yerr=[
                [max(0.0, point.accuracy.value - point.accuracy.low) for point in inner],
                [max(0.0, point.accuracy.high - point.accuracy.value) for point in inner],
            ],
            fmt="none",
            ecolor=style["color"],
            elinewidth=1.0,
            alpha=0.55,
        )
    _name(panel, shown)
    panel.set_xticks(budgets, [f"{100 * budget:.3g} %" for budget in budgets])
    panel.set_xlabel("share of the items that are explained")
    panel.set_ylabel("accuracy of the student")
    panel.set_title("Who is explained first" if not outcome.misaligned else LABEL, loc="left", color=INK, wrap=True)
    panel.annotate(
        f"{len(outcome.records)} items; bars: 95 % intervals (bootstrap over items), moved apart to be seen",
        (0.0, -0.16), xycoords="axes fraction", fontsize=8, color=GREY,
    )  # fmt: skip
    return save(picture, path)


def _shown(curves: Sequence[Curve]) -> list[Curve]:
    kept = list(curves)
    for kind in _UNSHOWN:
        if len(kept) > _MOST:
            kept = [curve for curve in kept if curve.ranker.partition(":")[0] != kind]
    return kept[:_MOST]


def _style(ranker: str, place: int) -> dict[str, Any]:
    from maieutic.files.plotting import COLOURS, GREY, INK, MARKERS

    if ranker in ("random", "oracle"):
        return {"color": GREY if ranker == "random" else INK, "linestyle": "--", "marker": ""}
    return {"color": COLOURS[place % 6], "linestyle": "-", "marker": MARKERS[place % len(MARKERS)]}


def _name(panel: Any, curves: Sequence[Curve]) -> None:
    """The names at the right, in the order of the curves at the middle budgets, each led to its line."""
    middle = [point for point in curves[0].points if 0 < point.budget < 1] or curves[0].points
    at = middle[-1].budget
    low, high = panel.get_ylim()
    gap = (high - low) / 16
    placed: list[tuple[float, Curve, float]] = []
    for curve in sorted(curves, key=lambda c: c.at(at).accuracy.value):  # type: ignore[union-attr]
        point = curve.at(at)
        assert point is not None
        value = point.accuracy.value
        placed.append((max(value, placed[-1][0] + gap) if placed else value, curve, value))
    down = max(0.0, placed[-1][0] - high)
    for height, curve, value in placed:
        colour = _style(curve.ranker, list(curves).index(curve))["color"]
        leader = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.5, "relpos": (0.0, 0.5)}
        panel.annotate(
            _words(curve.ranker), (at, value), (1.03, height - down), color=colour, fontsize=9, va="center",
            annotation_clip=False, arrowprops=leader,
        )  # fmt: skip


def _words(ranker: str) -> str:
    kind, _, estimator = ranker.partition(":")
    if not estimator:
        return _WORDS.get(kind, kind.replace("_", " "))
    return f"{kind.replace('_', ' ')} ({estimator.replace('_', ' ')})"
