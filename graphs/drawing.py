"""A graph as a drawing: SVG that is readable on light and dark pages and needs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.files.layout import Layout, Point, lay_out
from maieutic.files.svg import LINE, curve, lettered, tip, wide, wrapped
from maieutic.graphs.picture import LAST, START, Arrow, Box, Picture, picture

if TYPE_CHECKING:
    from maieutic.graphs.nested import Nested

__all__ = ["svg"]

_MARGIN = 16.0
_TITLE = 14.0
_TEXT = 12.0
_LABEL = 11.0
_LOOP = 26.0
_STYLE = """
.mg{--ink:#1b1f24;--soft:#59636e;--line:#8b949e;--page:#ffffff;--run:#c2410c;
--agent:#dbeafe;--use:#ede9fe;--graph:#ede9fe;--person:#fef3c7;--tool:#d1fae5;--set:#f1f5f9;--step:#ede9fe;--parallel:#fce7f3;
--map:#fce7f3;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.mg{--ink:#e6edf3;--soft:#9da7b3;--line:#7d8590;--page:#0d1117;--run:#fb923c;
--agent:#1e3a5f;--use:#3b2f63;--graph:#3b2f63;--person:#574313;--tool:#12463a;--set:#262c36;--step:#3b2f63;--parallel:#57263f;
--map:#57263f}}
.mg .page{fill:var(--page)}.mg text{fill:var(--ink)}.mg .soft{fill:var(--soft)}.mg .when{fill:var(--ink)}
.mg .box{stroke:var(--line);stroke-width:1.2}.mg .edge{fill:none;stroke:var(--line);stroke-width:1.4}
.mg .over{fill:none;stroke:transparent;stroke-width:14}.mg .tip{fill:var(--line)}.mg .plate{fill:var(--page)}
.mg .mark{fill:var(--ink)}.mg .ring{fill:none;stroke:var(--ink);stroke-width:1.5}.mg .visits{stroke-dasharray:5 4}
.mg .taken .edge{stroke:var(--run);stroke-width:2.6}.mg .taken .tip{fill:var(--run)}.mg .taken .when{fill:var(--run)}
.mg .seen .box{stroke:var(--run);stroke-width:2.4}.mg .badge{fill:var(--run)}.mg .badge+text{fill:var(--page)}
.mg .unseen{opacity:.55}
"""


def svg(program: Nested, path: Path | str | None = None, *, edges: Sequence[Mapping[str, Any]] = ()) -> str:
    """The drawing of a graph or protocol.

    Args:
        program: A loaded graph, or a protocol.
        path: A file to write it to, too.
        edges: The edge events of a run (`Run.edges`): the path it took is highlighted, with the number of visits, and
            every edge taken says why in a tooltip.
    """
    text = _drawing(picture(program, edges))
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def _drawing(shown: Picture) -> str:
    straight = [arrow for arrow in shown.arrows if arrow.source != arrow.target]
    loops: dict[str, list[Arrow]] = {}
    for arrow in shown.arrows:
        if arrow.source == arrow.target:
            loops.setdefault(arrow.source, []).append(arrow)
    sizes = {box.id: _size(box, loops.get(box.id, [])) for box in shown.boxes}
    layout = lay_out(sizes, [(a.source, a.target, _label_size(a)) for a in straight])
    above = sorted(enumerate(straight), key=lambda numbered: bool(numbered[1].reasons))
    parts = [_edge(arrow, layout.paths[i]) for i, arrow in above]
    parts += [_label(arrow, layout.labels[i]) for i, arrow in enumerate(straight)]
    for box in shown.boxes:
        parts.append(_box(box, layout.boxes[box.id], _bare(box), sizes[box.id]))
        parts += _loop(loops.get(box.id, []), layout.boxes[box.id], _bare(box), sizes[box.id])
    return _page(shown, layout, parts)


def _page(shown: Picture, layout: Layout, parts: list[str]) -> str:
    width, height = layout.size[0] + 2 * _MARGIN, layout.size[1] + 2 * _MARGIN
    name = escape(shown.name)
    inside = "\n".join(part for part in parts if part)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mg" role="img" aria-label="{name}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" width="100%" height="100%"/>\n'
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">\n{inside}\n</g>\n</svg>\n'
    )


def _words(box: Box) -> list[str]:
    return [row for line in box.lines for row in wrapped(line, 34, 2)][:8]


def _bare(box: Box) -> tuple[float, float]:
    """The size of a box without its loops."""
    if box.id in (START, LAST):
        return 18.0, 18.0
    badge = 34.0 if box.visits else 0.0
    rows = [(wrapped(box.id, 34, 1)[0], _TITLE, 46.0 + badge), *((row, _TEXT, 0.0) for row in _words(box))]
    kind = wide(box.kind, _LABEL)
    width = max(wide(text, size) + (kind if extra else 0.0) + extra for text, size, extra in rows) + 24
    return max(width, 96.0), 18 + _TITLE * LINE + (len(rows) - 1) * _TEXT * LINE


def _size(box: Box, loops: list[Arrow]) -> tuple[float, float]:
    """The size of a box with its loops; it stays in the middle."""
    width, height = _bare(box)
    sides = [_LOOP + (size[0] if (size := _label_size(arrow)) else 0.0) for arrow in loops]
    labels = sum(size[1] if (size := _label_size(arrow)) else 0.0 for arrow in loops)
    return width + 2 * max(sides, default=0.0), max(height, labels)


def _label_rows(arrow: Arrow) -> list[str]:
    return wrapped(arrow.label, 36, 3) if arrow.label else []


def _label_size(arrow: Arrow) -> tuple[float, float] | None:
    rows = _label_rows(arrow)
    return (max(wide(row, _LABEL) for row in rows) + 10, len(rows) * _LABEL * LINE + 4) if rows else None


def _box(box: Box, at: Point, bare: tuple[float, float], size: tuple[float, float]) -> str:
    x, y = at
    seen = "" if box.visits is None else "seen" if box.visits else "unseen"
    if box.id == START:
        return f'<circle class="mark {seen}" cx="{x:.1f}" cy="{y:.1f}" r="8"><title>start</title></circle>'
    if box.id == LAST:
        place = f'cx="{x:.1f}" cy="{y:.1f}"'
        inner = f'<circle class="ring" {place} r="8"/><circle class="mark" {place} r="4.5"/>'
        return f'<g class="{seen}"><title>end</title>{inner}</g>'
    width, height = bare
    left, top = x - width / 2, y - height / 2
    parts = [_shape(box.kind, left, top, width, height)]
    line = top + 9 + _TITLE
    parts.append(lettered(left + 12, line, wrapped(box.id, 34, 1)[0], _TITLE, 'font-weight="600"'))
    right = left + width - 12 - (34 if box.visits else 0)
    parts.append(lettered(right, line, box.kind, _LABEL, 'text-anchor="end" class="soft"'))
    for row in _words(box):
        line += _TEXT * LINE
        parts.append(lettered(left + 12, line + 2, row, _TEXT))
    if box.visits:
        parts.append(_badge(left + width - 22, top + 16, box.visits))
    told = escape("\n".join([box.id, *box.lines]))
    return f'<g class="node {seen}"><title>{told}</title>{"".join(parts)}</g>'


def _shape(kind: str, left: float, top: float, width: float, height: float) -> str:
    fill = f'style="fill:var(--{kind})"'
    place = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
    radius = {"agent": 12, "person": 22, "tool": 2, "set": 2}.get(kind, 6)
    shape = f'<rect class="box" {fill} {place} rx="{radius}"/>'
    if kind in ("use", "graph"):
        inner = f'x="{left + 3:.1f}" y="{top + 3:.1f}" width="{width - 6:.1f}" height="{height - 6:.1f}"'
        shape += f'<rect class="edge" style="stroke-width:.7" {inner} rx="4"/>'
    if kind in ("parallel", "map"):
        behind = f'x="{left + 4:.1f}" y="{top + 4:.1f}" width="{width:.1f}" height="{height:.1f}"'
        shape = f'<rect class="box" {fill} {behind} rx="{radius}"/>' + shape
    return shape


def _badge(x: float, y: float, visits: int) -> str:
    plate = f'<rect class="badge" x="{x - 15:.1f}" y="{y - 9:.1f}" width="30" height="18" rx="9"/>'
    return plate + lettered(x, y + 4, f"×{visits}", _LABEL, 'text-anchor="middle" font-weight="600"')


def _edge(arrow: Arrow, points: Sequence[Point]) -> str:
    x, y = points[-1]
    return _stroke(arrow, curve(points), tip(x, y, 0.0, 1.0 if y > points[0][1] else -1.0))


def _stroke(arrow: Arrow, path: str, tip: str) -> str:
    dashed = " visits" if arrow.way == "visits" else ""
    return (
        f'<g class="way{" taken" if arrow.reasons else ""}">{_why(arrow)}'
        f'<path class="over" d="{path}"/><path class="edge{dashed}" d="{path}"/>{tip}</g>'
    )


def _why(arrow: Arrow) -> str:
    """The tooltip: why it was taken, once for every time; else what would take it."""
    if not arrow.reasons:
        return f"<title>{escape(arrow.label)}</title>" if arrow.label else ""
    count = len(arrow.reasons)
    rows = [f"{i}. {text}" for i, text in enumerate(arrow.reasons, 1)] if count > 1 else list(arrow.reasons)
    return f"<title>{escape(chr(10).join(rows))}</title>"


def _label(arrow: Arrow, at: Point | None) -> str:
    size = _label_size(arrow)
    if at is None or size is None:
        return ""
    x, y = at
    width, height = size
    corner = f'x="{x - width / 2:.1f}" y="{y - height / 2:.1f}"'
    plate = f'<rect class="plate" {corner} width="{width:.1f}" height="{height:.1f}"/>'
    line = y - height / 2 + 2 + _LABEL
    rows = "".join(
        lettered(x, line + i * _LABEL * LINE, row, _LABEL, 'text-anchor="middle" class="when"')
        for i, row in enumerate(_label_rows(arrow))
    )
    return f'<g class="label{" taken" if arrow.reasons else ""}">{_why(arrow)}{plate}{rows}</g>'


def _loop(arrows: list[Arrow], at: Point, bare: tuple[float, float], size: tuple[float, float]) -> list[str]:
    """The arrows from a box to itself, at its right side, one below the other."""
    parts = []
    step = size[1] / max(len(arrows), 1)
    for place, arrow in enumerate(arrows):
        x, y = at[0] + bare[0] / 2, at[1] - size[1] / 2 + (place + 0.5) * step
        reach = min(step, bare[1]) / 2 - 4
        out, top, bottom = x + _LOOP, y - reach, y + reach
        path = f"M{x:.1f} {top:.1f}C{out:.1f} {top:.1f} {out:.1f} {bottom:.1f} {x:.1f} {bottom:.1f}"
        parts.append(_stroke(arrow, path, tip(x, y + reach, -1.0, 0.0)))
        label = _label_size(arrow)
        parts.append(_label(arrow, None if label is None else (x + _LOOP + label[0] / 2, y)))
    return parts
