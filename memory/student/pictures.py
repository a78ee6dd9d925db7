"""Pictures of a student model: mastery over a dialogue, and how well its predictions hold (needs maieutic[plots])."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from maieutic.errors import StudentModelError
from maieutic.files.plotting import COLOURS, GREY, INK, MARKERS, figure, legend
from maieutic.memory.student.calibration import Bin, Calibration
from maieutic.memory.student.grading import is_right

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from maieutic.memory.student.model import StudentModel
    from maieutic.memory.student.observations import Observation

__all__ = ["mastery_curves", "reliability_plot"]

_MOST = 8
_MARKS = {"right": ("✓", "#007A5A"), "wrong": ("✗", "#B34700"), "explained": ("e", INK), "asked": ("?", INK)}
_MARKS |= {"claimed": ("!", INK), "waited": ("z", GREY)}


def mastery_curves(model: StudentModel, concepts: Iterable[str] | None = None) -> Figure:
    """P(known) of each concept after every observation of the model's log, and what was observed.

    Save it with `maieutic.files.plotting.save`.

    Args:
        model: A model that kept its log.
        concepts: Which to show; left out, the eight whose mastery moved most.

    Raises:
        StudentModelError: The model kept no log, or there is no such concept.
        UsageError: matplotlib is not installed.
    """
    if not model.keep_log:
        raise StudentModelError("this model kept no log; build it with keep_log=True to see how it came about")
    chosen = None if concepts is None else list(concepts)
    curves = _curves(model, list(model.concepts) if chosen is None else chosen)
    if chosen is None:
        chosen = sorted(curves, key=lambda name: min(curves[name]) - max(curves[name]))[:_MOST]
        chosen = [name for name in curves if name in chosen]
    made, (panel,) = figure(width=max(7.0, min(14.0, 3.6 + 0.22 * len(model.log))), height=4.4)
    from matplotlib import ticker  # only now: without matplotlib `figure` says what to install

    for i, name in enumerate(chosen):
        title = model.concepts.concept(name).title or name
        (line,) = panel.plot(curves[name], color=COLOURS[i % 8], marker=MARKERS[i % 8], markersize=3.5, label=title)
        line.set_linestyle("-" if i < 8 else "--")
    panel.set_ylim(-0.02, 1.02)
    panel.set_xlim(-0.3, max(len(model.log), 1) + 0.3)
    panel.set_xlabel("observations")
    panel.set_ylabel("P(known)")
    panel.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    _events(panel, model)
    legend(panel)
    return made


def _curves(model: StudentModel, names: Sequence[str]) -> dict[str, list[float]]:
    """The mastery of each concept at first and after every observation: the log is played again."""
    from maieutic.memory.student.model import StudentModel

    again = StudentModel(model.concepts, model.items.values(), keep_log=False)
    curves = {name: [again.mastery(name)] for name in names}
    for observation in model.log:
        again.observe(observation)
        for name in names:
            curves[name].append(again.mastery(name))
    return curves


def _was_right(model: StudentModel, observation: Observation) -> bool:
    if observation.correct is not None or observation.item is None:
        return bool(observation.correct)
    return bool(is_right(model.items[observation.item], observation.choice or ""))


def _events(panel: Axes, model: StudentModel) -> None:
    """A row of marks above the curves: what each observation was."""
    above = panel.get_xaxis_transform()
    used: dict[str, str] = {}
    for step, observation in enumerate(model.log, 1):
        kind = observation.kind
        shown = ("right" if _was_right(model, observation) else "wrong") if kind == "answered" else kind
        sign, colour = _MARKS[shown]
        used[shown] = sign
        panel.text(step, 1.02, sign, transform=above, ha="center", va="bottom", fontsize=8, color=colour)
    told = "   ".join(f"{sign} {kind}" for kind, sign in used.items())
    panel.text(0, 1.08, told, transform=panel.transAxes, ha="left", va="bottom", fontsize=8.5, color=GREY)


def reliability_plot(predicted: Sequence[float], observed: Sequence[bool | int], bins: int = 10) -> Figure:
    """How often what was predicted came true, by bins of equal width, and how many predictions each bin holds.

    Save it with `maieutic.files.plotting.save`.

    Args:
        predicted: Chances, 0 to 1.
        observed: Whether each came true.
        bins: How many.

    Raises:
        UsageError: Nothing to judge, or the sequences do not fit; or matplotlib is not installed.
    """
    found = Calibration.of(predicted, observed, bins=bins)
    made, (upper, lower) = figure(2, 1, width=4.8, height=5.6, heights=(3, 1))
    upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label="as predicted")
    middle = [each.predicted for each in found.bins]
    shares = [each.observed for each in found.bins]
    upper.vlines(middle, *zip(*(_interval(each) for each in found.bins), strict=True), color=COLOURS[0], linewidth=1.4)
    upper.plot(middle, shares, color=COLOURS[0], marker="o", linewidth=1.6, label="as it came (95 % interval)")
    upper.set_ylabel("share of right answers")
    upper.legend(loc="upper left", frameon=False, fontsize=9)
    upper.set_title(str(found), fontsize=9, color=INK)
    lower.bar(
        [(b.low + b.high) / 2 for b in found.bins], [b.n for b in found.bins], width=0.94 / bins, color=COLOURS[5]
    )
    for each in found.bins:
        place = ((each.low + each.high) / 2, each.n)
        lower.annotate(str(each.n), place, (0, 1.5), textcoords="offset points", ha="center", fontsize=7.5, color=INK)
    lower.set_ylim(0, 1.22 * max(each.n for each in found.bins))
    lower.set_ylabel("answers")
    lower.set_xlabel("predicted chance of a right answer")
    for panel in (upper, lower):
        panel.set_xlim(-0.02, 1.02)
    upper.set_ylim(-0.02, 1.02)
    return made


def _interval(each: Bin) -> tuple[float, float]:
    """The Wilson interval (95 %) of a bin's share (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    z, n, p = 1.96, each.n, each.observed
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
