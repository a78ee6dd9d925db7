"""The cost-quality plane as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from maieutic.protocols.routing.routers.comparison import Comparison, Row

__all__ = ["plot"]

WIDE = 10
"""From this ratio of costs on their scale is logarithmic."""


def plot(comparison: Comparison, path: Path | str) -> Path:
    """Quality over cost: routers as dots, single models as squares, the Pareto front as a line, intervals as bars.

    Raises:
        UsageError: No cost is known, matplotlib is not installed, or the file cannot be written.
    """
    from maieutic.files.plotting import COLOURS, GREY, INK, figure, legend, save

    rows = [row for row in comparison.rows if row.usd is not None]
    if not rows:
        raise UsageError("a picture of cost and quality needs the price of every candidate")
    picture, [panel] = figure(width=9.0, height=5.0)
    _front(panel, rows)
    marks = {"router": "o", "model": "s", "bound": "*"}
    for place, row in enumerate(rows):
        value, low, high = _usd(row)
        panel.errorbar(
            [value],
            [row.quality.value],
            xerr=[[value - low], [high - value]],
            yerr=[[row.quality.value - row.quality.low], [row.quality.high - row.quality.value]],
            fmt=marks[row.kind],
            markersize=9 if row.kind == "bound" else 6,
            color=GREY if row.kind == "bound" else COLOURS[place % len(COLOURS)],
            markerfacecolor="white" if row.kind == "model" else None,
            elinewidth=0.8,
            alpha=0.9,
            label=row.name,
        )
    legend(panel)
    panel.set_xlabel("US dollars for 1,000 questions")
    panel.set_ylabel("quality")
    panel.set_title("What routers come to", loc="left", color=INK)
    note = f"{comparison.questions} questions; bars: 95 % intervals (bootstrap over questions)"
    panel.annotate(
        note + ("; simulated minds" if comparison.simulated else ""),
        (0.0, -0.16),
        xycoords="axes fraction",
        fontsize=8,
        color=GREY,
    )
    return save(picture, path)


def _front(panel: Axes, rows: Sequence[Row]) -> None:
    """The line that nothing lies above, on a logarithmic scale where costs differ much."""
    from maieutic.files.plotting import GREY

    front = sorted((row for row in rows if row.front), key=lambda row: _usd(row)[0])
    line: dict[str, Any] = {"color": GREY, "linewidth": 1.2, "drawstyle": "steps-post", "zorder": 1}
    panel.plot([_usd(r)[0] for r in front], [r.quality.value for r in front], label="Pareto front", **line)
    costs = [_usd(row)[0] for row in rows]
    if min(costs) > 0 and max(costs) > WIDE * min(costs):
        panel.set_xscale("log")


def _usd(row: Row) -> tuple[float, float, float]:
    assert row.usd is not None
    return 1000 * row.usd.value, 1000 * row.usd.low, 1000 * row.usd.high
