"""An outcome of interventions in words and tables, for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from maieutic.protocols.interventions.misaligned import LABEL

if TYPE_CHECKING:
    from maieutic.protocols.interventions.outcome import Curve, InterventionsOutcome, Measure, Point

__all__ = ["headline", "spoken_for", "table"]

_FIRST = ("expected_utility:combined", "expected_utility:student_model", "expected_utility:few_shot")
"""The ranker that a headline names, fixed beforehand: the best one of a sample would look better than it is."""


def spoken_for(outcome: InterventionsOutcome) -> Curve | None:
    """The curve that stands for the teacher's choice: expected utility, combined before the others."""
    fair = [curve for curve in outcome.curves if not curve.cheats and curve.ranker != "random"]
    for name in _FIRST:
        if (curve := outcome.curve(name)) is not None:
            return curve
    return fair[0] if fair else None


def headline(outcome: InterventionsOutcome) -> str | None:
    """What came of it in a sentence: accuracies at the smallest budget that is neither nothing nor everything."""
    curve = spoken_for(outcome)
    if curve is None or outcome.alone is None or outcome.explained is None:
        return None
    budget = next((point.budget for point in curve.points if 0 < point.budget < 1), None)
    if budget is None:
        return (
            f"accuracy {outcome.alone.value:.3f} with nothing explained, {outcome.explained.value:.3f} with everything"
        )
    parts = []
    for name, words in ((curve.ranker, f"by {curve.ranker}"), ("random", "at random"), ("oracle", "at best")):
        found = outcome.curve(name)
        point = None if found is None else found.at(budget)
        if point is not None:
            parts.append(f"{point.accuracy.value:.3f} {words}")
    label = "MISALIGNED TEACHER (safety research): " if outcome.misaligned else ""
    return (
        f"{label}with {_percent(budget)} of {len(outcome.records)} items explained, accuracy is {', '.join(parts)} "
        f"({outcome.alone.value:.3f} with none, {outcome.explained.value:.3f} with all)"
    )


def table(outcome: InterventionsOutcome) -> str:
    """See `InterventionsOutcome.table`; empty if nothing was judged."""
    return "\n".join(_lines(outcome)) if outcome.alone is not None else ""


def _lines(outcome: InterventionsOutcome) -> Iterator[str]:
    assert outcome.alone is not None
    assert outcome.explained is not None
    if outcome.misaligned:
        yield LABEL
    sampled = any(measure.low < measure.high for measure in _accuracies(outcome))
    told = " Intervals are 95 %." if sampled else " No intervals: nothing was resampled, or nothing varies."
    yield f"{len(outcome.records)} items judged, {len(outcome.practice)} observed beforehand.{told}"
    yield f"Accuracy {_cell(outcome.alone)} with nothing explained, {_cell(outcome.explained)} with everything."
    budgets = [point.budget for point in outcome.curves[0].points if 0 < point.budget < 1] if outcome.curves else []
    if budgets:
        yield ""
        yield from _grid("Accuracy", outcome.curves, budgets, lambda point: point.accuracy)
        yield ""
        yield from _grid("Share of the oracle's gain", outcome.curves, budgets, lambda point: point.share)
    if outcome.quality:
        yield ""
        yield from _qualities(outcome)
    for name, why in outcome.left_out.items():
        yield f"Left out: {name}, because {why}."
    if outcome.watched is not None:
        yield f"Monitor: {outcome.watched.said}"


def _accuracies(outcome: InterventionsOutcome) -> Iterator[Measure]:
    yield from (measure for measure in (outcome.alone, outcome.explained) if measure is not None)
    yield from (point.accuracy for curve in outcome.curves for point in curve.points)


def _grid(
    title: str, curves: Sequence[Curve], budgets: Sequence[float], value: Callable[[Point], Measure | None]
) -> Iterator[str]:
    width = max(len(title), *(len(curve.ranker) + 2 * curve.cheats for curve in curves))
    yield f"{title:<{width}}" + "".join(f"  {_percent(budget):>15}" for budget in budgets)
    for curve in curves:
        cells = (None if (point := curve.at(budget)) is None else value(point) for budget in budgets)
        name = curve.ranker + (" *" if curve.cheats else "")
        yield f"{name:<{width}}" + "".join(f"  {'-' if cell is None else _cell(cell):>15}" for cell in cells)
    if any(curve.cheats for curve in curves):
        yield "* knows what only the answers show"


def _qualities(outcome: InterventionsOutcome) -> Iterator[str]:
    width = max(len("Predictions"), *(len(f"{q.estimator}, {q.condition}") for q in outcome.quality))
    yield f"{'Predictions':<{width}}  {'log-loss':>8}  {'Brier':>6}  {'ECE':>6}"
    for q in outcome.quality:
        yield f"{f'{q.estimator}, {q.condition}':<{width}}  {q.log_loss:>8.3f}  {q.brier:>6.3f}  {q.ece:>6.3f}"


def _cell(measure: Measure) -> str:
    return f"{measure.value:.2f} [{_end(measure.low)}, {_end(measure.high)}]"


def _end(value: float) -> str:
    """An end of an interval, as short as it can be: .47, 1.00, -.05."""
    return f"{value:.2f}".replace("0.", ".", 1) if abs(round(value, 2)) < 1 else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
