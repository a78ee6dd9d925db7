"""The pieces of a drawing in SVG: texts and how wide they are, curved arrows and their heads."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from html import escape

from maieutic.files.layout import Point

__all__ = ["LINE", "curve", "lettered", "tip", "wide", "wrapped"]

LINE = 1.35
"""From one row of text to the next, in font sizes."""


def wide(text: str, size: float) -> float:
    """About how wide a text is: an upper bound for common fonts."""
    units = sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.86 if c in "MWmw@%—…" else 0.62 for c in text)
    return units * size


def wrapped(text: str, columns: int, most: int) -> list[str]:
    """A text in rows, shortened if it is long."""
    plain = " ".join(text.split())
    return textwrap.wrap(plain, columns, max_lines=most, placeholder=" …") or [""]


def lettered(x: float, y: float, text: str, size: float, more: str = "") -> str:
    """A text at a place; `more` holds further attributes."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" {more}>{escape(text)}</text>'


def curve(points: Sequence[Point]) -> str:
    """The path of an arrow as `Layout.paths` has it: straight lines and curves in turn."""
    (x, y), rest = points[0], points[1:]
    path = [f"M{x:.1f} {y:.1f}"]
    for place, (to_x, to_y) in enumerate(rest):
        if place % 2 == 0:
            path.append(f"L{to_x:.1f} {to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(path)


def tip(x: float, y: float, dx: float, dy: float) -> str:
    """An arrowhead at a point, pointing in a direction along an axis; its class is "tip"."""
    back = (x - 8 * dx, y - 8 * dy)
    side = (4.5 * dy, 4.5 * dx)
    points = [(x, y), (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1])]
    return f'<polygon class="tip" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>'
