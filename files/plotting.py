"""Curves and pictures as files: matplotlib's figures in the house's style, without pyplot and its global state.

matplotlib is an extra (`pip install 'maieutic[plots]'`), imported when a figure is made.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "GREY", "INK", "MARKERS", "drawn", "figure", "legend", "save"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A6D1B")
"""Line colours in the order of their use; people with any colour blindness tell them apart (Okabe and Ito 2008)."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Line markers in the same order, for print without colour."""
INK = "#222222"
GREY = "#8A8F98"
"""For diagonals, baselines and notes."""

_ENDINGS = ("svg", "png", "pdf")
_WHEN_SAVED = {"svg.fonttype": "none", "svg.hashsalt": "maieutic", "pdf.fonttype": 42, "path.simplify": True}
_METADATA: Mapping[str, Mapping[str, str | None]] = {
    "svg": {"Date": None, "Creator": "maieutic"},
    "png": {"Software": "maieutic"},
    "pdf": {"CreationDate": None, "Creator": "maieutic", "Producer": None},
}
_saving = Lock()


def figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = 7.0,
    height: float = 4.2,
    same_y: bool = False,
    heights: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """An empty figure and its panels, row by row.

    Args:
        rows, columns: How many panels.
        width, height: Of the whole, in inches.
        same_y: All panels have the same vertical scale.
        heights: How high the rows are, in relation to one another.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("Pictures need matplotlib. Install it with: pip install 'maieutic[plots]'") from error
    made = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    grid = made.subplots(rows, columns, squeeze=False, sharey=same_y, height_ratios=heights)
    panels = [panel for row in grid for panel in row]
    for panel in panels:
        _dress(panel)
    return made, panels


def _dress(panel: Axes) -> None:
    """The house's style, set on the panel itself: no process-wide setting is touched."""
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        panel.spines[side].set_color(GREY)
    panel.set_prop_cycle(color=list(COLOURS))
    panel.tick_params(colors=INK, labelsize=9, color=GREY)
    panel.grid(visible=True, color="#E6E8EB", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.title.set_fontsize(11)
    panel.title.set_color(INK)
    for axis in (panel.xaxis, panel.yaxis):
        axis.label.set_fontsize(10)
        axis.label.set_color(INK)


def legend(panel: Axes, title: str = "") -> None:
    """The panel's labelled lines, listed to its right, where they hide no curve."""
    found = panel.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9, title=title or None, borderaxespad=0.0
    )
    found.get_title().set_fontsize(9)


def drawn(picture: Figure, ending: str = "svg") -> bytes:
    """The file's content: the same bytes for the same figure, an SVG with its texts as texts.

    Args:
        picture: From `figure`.
        ending: "svg", "png" (150 dots an inch) or "pdf".

    Raises:
        UsageError: Another ending.
    """
    if ending not in _ENDINGS:
        given = repr(ending) if ending else "a file without an ending"
        raise UsageError(f"pictures are written as {', '.join(_ENDINGS)}, not as {given}.")
    out = io.BytesIO()
    with _settings():
        picture.savefig(out, format=ending, dpi=150, metadata=dict(_METADATA[ending]))
    return out.getvalue()


def save(picture: Figure, path: Path | str) -> Path:
    """Write a figure to a file, as its ending says, and make the folders above it.

    Raises:
        UsageError: The ending is not .svg, .png or .pdf, or the file cannot be written.
    """
    path = Path(path)
    content = drawn(picture, path.suffix.lower().lstrip("."))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


@contextmanager
def _settings() -> Iterator[None]:
    """What matplotlib reads from its process-wide settings only, set for one writing and put back."""
    import matplotlib

    changes: dict[Any, Any] = dict(_WHEN_SAVED)
    with _saving, matplotlib.rc_context(changes):
        yield
