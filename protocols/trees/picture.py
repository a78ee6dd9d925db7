"""A tree of dialogues as a drawing: from left to right, one box a turn, with answers and whether they are right.

The SVG is readable on light and dark pages and needs no script; a turn's words are in its box's tooltip.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from maieutic.errors import UsageError
from maieutic.files.svg import lettered, wide, wrapped
from maieutic.protocols.trees.tree import Id, Node, Tree

__all__ = ["Placed", "placed", "save_tree", "tree_svg"]

WIDTH, HEIGHT = 176.0, 50.0
"""Of a box."""
_ACROSS, _DOWN = 46.0, 12.0
_MARGIN = 16.0
_HEAD = 30.0
_FOOT = 26.0
_TEXT, _SMALL = 12.0, 10.5
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What a model may say and XML may not hold."""
_STYLE = """
.mt{--ink:#1b1f24;--soft:#59636e;--line:#8b949e;--page:#ffffff;--box:#f6f8fa;--right:#0072b2;--wrong:#d55e00;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.mt{--ink:#e6edf3;--soft:#9da7b3;--line:#7d8590;--page:#0d1117;--box:#161b22;
--right:#56b4e9;--wrong:#e69f00}}
.mt .page{fill:var(--page)}.mt text{fill:var(--ink)}.mt .soft{fill:var(--soft)}
.mt .box{fill:var(--box);stroke:var(--line);stroke-width:1.2}.mt .edge{fill:none;stroke:var(--line);stroke-width:1.4}
.mt .right>.box{stroke:var(--right);stroke-width:2.2}.mt .wrong>.box{stroke:var(--wrong);stroke-width:2.2;
stroke-dasharray:5 3}.mt .good{fill:var(--right)}.mt .bad{fill:none;stroke:var(--wrong);stroke-width:2}
.mt .none{fill:none;stroke:var(--line);stroke-width:1}
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the boxes go.

    Attributes:
        size: Of the whole.
        corners: The left upper corner of each box, by node.
    """

    size: tuple[float, float]
    corners: Mapping[Id, tuple[float, float]]


def placed(tree: Tree) -> Placed:
    """A level beside the other, leaves below one another, every turn in the middle of its replies. Nothing overlaps."""
    tops: dict[Id, float] = {}
    for row, leaf in enumerate(tree.leaves()):
        tops[leaf.id] = row * (HEIGHT + _DOWN)
    for node in reversed(list(tree)):
        below = tree.children(node.id)
        if below:
            tops[node.id] = (tops[below[0].id] + tops[below[-1].id]) / 2
    corners = {node.id: (node.level * (WIDTH + _ACROSS), tops[node.id]) for node in tree}
    width = (tree.depth + 1) * (WIDTH + _ACROSS) - _ACROSS
    return Placed((width, len(tree.leaves()) * (HEIGHT + _DOWN) - _DOWN), corners)


def save_tree(tree: Tree, path: Path | str) -> Path:
    """Write the drawing of a tree to an .svg, .png or .pdf file, and make the folders above it.

    Raises:
        UsageError: Another ending, matplotlib is not installed (for .png and .pdf), or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".svg":
        return _save_figure(tree, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(tree_svg(tree), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def tree_svg(tree: Tree) -> str:
    """The drawing of a tree as SVG."""
    layout = placed(tree)
    title = wrapped(tree.question, 110, 1)[0]
    width = max(layout.size[0], wide(title, _TEXT), 420.0) + 2 * _MARGIN
    height = layout.size[1] + _HEAD + _FOOT + 2 * _MARGIN
    parts = [_edge(layout, node) for node in tree if node.id]
    parts += [_box(tree, node, layout.corners[node.id]) for node in tree]
    head = lettered(_MARGIN, _MARGIN + _TEXT, title, _TEXT + 1, 'font-weight="600"')
    legend = lettered(0, layout.size[1] + _FOOT, _legend(tree), _SMALL, 'class="soft"')
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mt" role="img" aria-label="{escape(title, quote=True)}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="page" width="100%" height="100%"/>\n'
        f"{head}\n"
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN + _HEAD:.0f})">\n'
        + "\n".join((*parts, legend))
        + "\n</g>\n</svg>\n"
    )
    return _UNFIT.sub("", drawing)


def _legend(tree: Tree) -> str:
    seats = f"circles: {', '.join(tree.agents)}" if tree.agents else ""
    marks = "filled = right, ring = wrong, thin = no answer; dashed box: its speaker is wrong" if tree.accepted else ""
    return "; ".join(part for part in (seats, marks, "Σ = sub-tree score") if part)


def _edge(layout: Placed, node: Node) -> str:
    above = node.id.rpartition(".")[0]
    (left, top), (x, y) = layout.corners[above], layout.corners[node.id]
    left, top, y = left + WIDTH, top + HEIGHT / 2, y + HEIGHT / 2
    middle = (left + x) / 2
    return f'<path class="edge" d="M{left:.1f} {top:.1f}C{middle:.1f} {top:.1f} {middle:.1f} {y:.1f} {x:.1f} {y:.1f}"/>'


def _box(tree: Tree, node: Node, corner: tuple[float, float]) -> str:
    left, top = corner
    right = tree.correct(node.id).get(node.speaker) if tree.accepted else None
    state = "" if right is None else "right" if right else "wrong"
    place = f'x="{left:.1f}" y="{top:.1f}" width="{WIDTH:.0f}" height="{HEIGHT:.0f}"'
    head, answer, foot = _lines(tree, node)
    parts = [
        f'<rect class="box" {place} rx="8"/>',
        lettered(left + 10, top + 16, head, _TEXT, 'font-weight="600"'),
        lettered(left + 10, top + 31, answer, _TEXT),
        lettered(left + 10, top + 44, foot, _SMALL, 'class="soft"'),
        *_circles(tree, node, left + WIDTH - 12, top + 12),
    ]
    return f'<g class="node {state}"><title>{escape(_told(tree, node))}</title>{"".join(parts)}</g>'


def _lines(tree: Tree, node: Node) -> tuple[str, str, str]:
    """What stands in a box: who and how, the speaker's answer, scores and the reason for an end."""
    who = f"{node.speaker} · {node.stance}" if node.stance else node.speaker
    answer = node.answers.get(node.speaker) if node.id else None
    mark = ("✓ " if tree.right(answer) else "✗ ") if answer is not None and tree.accepted else ""
    words = f"{mark}{answer}" if answer is not None else node.turn.content
    return wrapped(who, 20, 1)[0], wrapped(words, 23, 1)[0], wrapped(_foot(node), 28, 1)[0]


def _foot(node: Node) -> str:
    scores = node.scores
    parts = [f"{node.id or 'root'}"]
    if scores.subtree is not None:
        parts.append(f"Σ {scores.subtree:.3g}")
    if scores.visits:
        parts.append(f"Q {scores.value or 0:.2f} n {scores.visits}")
    elif scores.own is not None and scores.own != scores.subtree:
        parts.append(f"own {scores.own:.3g}")
    return " · ".join([*parts, *([node.stopped] if node.stopped else [])])


def _circles(tree: Tree, node: Node, x: float, y: float) -> list[str]:
    """One circle for every agent, from the right: what it holds at this node."""
    marks = []
    for place, name in enumerate(reversed(tree.agents)):
        answer = node.answers.get(name)
        kind = "none" if answer is None or not tree.accepted else "good" if tree.right(answer) else "bad"
        said = f"{name}: {'no answer' if answer is None else answer}"
        spot = f'class="{kind}" cx="{x - 12 * place:.1f}" cy="{y:.1f}" r="4"'
        marks.append(f"<circle {spot}><title>{escape(said)}</title></circle>")
    return marks


def _told(tree: Tree, node: Node) -> str:
    held = [f"{name} holds: {answer}" for name, answer in node.answers.items() if answer is not None]
    ended = [f"ended: {node.stopped}"] if node.stopped else []
    return "\n".join([f"{node.id or 'root'} {node.speaker}", node.turn.content, *held, *ended])


def _save_figure(tree: Tree, path: Path) -> Path:
    """The same boxes by matplotlib."""
    from maieutic.files.plotting import COLOURS, GREY, INK, figure, save

    layout = placed(tree)
    made, (panel,) = figure(width=(layout.size[0] + 40) / 80, height=(layout.size[1] + 60) / 80)
    from matplotlib.patches import Rectangle

    panel.set_axis_off()
    panel.set_xlim(-10, layout.size[0] + 10)
    panel.set_ylim(layout.size[1] + 10, -10)
    panel.set_title(wrapped(tree.question, 100, 1)[0], loc="left")
    for node in tree:
        left, top = layout.corners[node.id]
        right = tree.correct(node.id).get(node.speaker) if tree.accepted else None
        colour = GREY if right is None else COLOURS[0] if right else COLOURS[1]
        frame = Rectangle((left, top), WIDTH, HEIGHT, facecolor="white", edgecolor=colour, linewidth=1.2, zorder=2)
        panel.add_patch(frame)
        words = "\n".join(_lines(tree, node)).replace("$", r"\$")
        panel.text(left + 8, top + HEIGHT / 2, words, va="center", fontsize=8, color=INK, zorder=3)
        if node.id:
            x, y = layout.corners[node.id.rpartition(".")[0]]
            ends = ([x + WIDTH, left], [y + HEIGHT / 2, top + HEIGHT / 2])
            panel.plot(*ends, color=GREY, linewidth=0.8, zorder=1)
    return save(made, path)
