"""The concepts as a picture: prerequisites above what needs them, coloured by mastery, greyed by uncertainty (SVG)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.errors import UsageError
from maieutic.files.layout import Layout, Point, lay_out
from maieutic.files.svg import LINE, curve, lettered, tip, wide, wrapped

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import ConceptGraph
    from maieutic.memory.student.model import StudentModel

__all__ = ["concept_map", "mastery_colour"]

_TITLE, _TEXT = 12.0, 10.5
_MARGIN, _APART = 18.0, 28.0
_TOLD = 0.5
"""A misconception or overconfidence is named from this probability on."""
_LOW, _HIGH, _GREY = (0xE0, 0x7B, 0x39), (0x4A, 0x9F, 0xDB), (0xE3, 0xE5, 0xE8)
_STYLE = """
.cm{--ink:#1b1f24;--soft:#59636e;--line:#8b949e;--page:#ffffff;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.cm{--ink:#e6edf3;--soft:#9da7b3;--line:#7d8590;--page:#0d1117}}
.cm .page{fill:var(--page)}.cm text{fill:var(--ink)}.cm .soft{fill:var(--soft)}.cm .edge{fill:none;stroke:var(--line)}
.cm .tip{fill:var(--line)}.cm .box{stroke:#59636e;stroke-width:1}.cm .concept text{fill:#14181d}
"""


@dataclass(frozen=True, slots=True)
class _Box:
    """One concept: its lines of text with their sizes, its colour, and the tooltip."""

    name: str
    rows: tuple[tuple[str, float], ...]
    colour: str
    told: str

    @property
    def size(self) -> tuple[float, float]:
        width = max(wide(text, size) for text, size in self.rows) + 20
        return max(width, 76.0), sum(size for _, size in self.rows) * LINE + 12


@dataclass(frozen=True, slots=True)
class _Part:
    """Concepts that hang together, laid out."""

    layout: Layout
    edges: Sequence[tuple[str, str]]
    at: Point = (0.0, 0.0)


def concept_map(of: StudentModel | ConceptGraph, path: Path | str | None = None) -> str:
    """The picture of the concepts, with what the model believes of the student.

    Orange is not known, blue is known; the less certain the belief, the greyer its box (a value-suppressing palette,
    Correll, Moritz and Heer, CHI 2018). A likely misconception and overconfidence are named. Each box has a tooltip
    with all numbers. Arrows lead from a prerequisite to what needs it, and are thicker where it is needed more.

    Args:
        of: A student model; or concepts alone, drawn without beliefs.
        path: An .svg file to write it to, too.

    Returns:
        The SVG, the same for the same beliefs.

    Raises:
        UsageError: The file does not end in .svg, or cannot be written.
    """
    concepts, model = _both(of)
    boxes = {name: _box(concepts, model, name) for name in concepts}
    parts = _packed([_part(concepts, boxes, names) for names in _components(concepts)])
    text = _page(concepts, boxes, parts, believed=model is not None)
    if path is not None:
        _write(text, Path(path))
    return text


def _both(of: StudentModel | ConceptGraph) -> tuple[ConceptGraph, StudentModel | None]:
    from maieutic.memory.student.concepts import ConceptGraph

    return (of, None) if isinstance(of, ConceptGraph) else (of.concepts, of)


def _write(text: str, path: Path) -> None:
    if path.suffix.lower() != ".svg":
        raise UsageError(f"{path}: a picture of concepts is an SVG; write to a file that ends in .svg.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


def mastery_colour(mastery: float, uncertainty: float) -> str:
    """The colour of a belief, as "#rrggbb".

    Args:
        mastery: P(known), 0 to 1.
        uncertainty: 0 (certain) to 1 (nothing is known about it).
    """
    end = _LOW if mastery < 0.5 else _HIGH
    strength = abs(2 * mastery - 1) * (1 - 0.6 * uncertainty)
    return "#" + "".join(f"{round(grey + (full - grey) * strength):02x}" for grey, full in zip(_GREY, end, strict=True))


def _box(concepts: ConceptGraph, model: StudentModel | None, name: str) -> _Box:
    title = concepts.concept(name).title or name
    rows = [(row, _TITLE) for row in wrapped(title, 22, 2)]
    if model is None:
        return _Box(name, tuple(rows), "#f1f3f5", name)
    mastery, bits = model.mastery(name), model.uncertainty(name)
    wrong = model.misconception(name)
    unsure = bits / math.log2(2 + len(wrong))
    rows.append((f"{mastery:.2f} · {bits:.2f} bit", _TEXT))
    likely = max(wrong, key=lambda each: wrong[each], default="")
    if likely and wrong[likely] >= _TOLD:
        rows.append((f"✗ {wrapped(likely, 18, 1)[0]} {wrong[likely]:.2f}", _TEXT))
    if model.overconfidence(name) >= _TOLD:
        rows.append((f"overconfident {model.overconfidence(name):.2f}", _TEXT))
    told = [
        name,
        f"known: {mastery:.3f} (uncertainty {bits:.2f} bit)",
        f"thinks that it knows: {model.thinks(name):.3f}",
        *(f"misconception {each}: {chance:.3f}" for each, chance in wrong.items()),
    ]
    return _Box(name, tuple(rows), mastery_colour(mastery, min(unsure, 1.0)), "\n".join(told))


def _components(concepts: ConceptGraph) -> list[list[str]]:
    """The concepts that hang together, those of one component in the graph's order."""
    import networkx as nx

    place = {name: i for i, name in enumerate(concepts)}
    parts = [sorted(part, key=place.__getitem__) for part in nx.weakly_connected_components(concepts.graph)]
    return sorted(parts, key=lambda part: place[part[0]])


def _part(concepts: ConceptGraph, boxes: Mapping[str, _Box], names: Sequence[str]) -> _Part:
    edges = [(need, name) for name in names for need in concepts.needs(name)]
    return _Part(lay_out({name: boxes[name].size for name in names}, [(*edge, None) for edge in edges]), edges)


def _packed(parts: Sequence[_Part]) -> list[_Part]:
    """The parts side by side, high ones first, each as far up as there is room; wider than high as a whole."""
    area = sum((part.layout.size[0] + _APART) * (part.layout.size[1] + _APART) for part in parts)
    widest = max([math.sqrt(2.0 * area), *(part.layout.size[0] + _APART for part in parts)])
    placed: list[_Part] = []
    skyline = [(0.0, widest, 0.0)]  # from, to, how far down it is taken
    for part in sorted(parts, key=lambda part: -part.layout.size[1]):
        width, height = part.layout.size[0] + _APART, part.layout.size[1] + _APART
        starts = [left for left, _, _ in skyline if left + width <= widest + 1e-6]
        y, x = min((_depth(skyline, left, left + width), left) for left in starts)
        placed.append(_Part(part.layout, part.edges, (x, y)))
        left_of = [(a, min(b, x), down) for a, b, down in skyline if a < x]
        right_of = [(max(a, x + width), b, down) for a, b, down in skyline if b > x + width]
        skyline = [*left_of, (x, x + width, y + height), *right_of]
    return placed


def _depth(skyline: Sequence[tuple[float, float, float]], left: float, right: float) -> float:
    return max(down for a, b, down in skyline if a < right and b > left)


def _page(concepts: ConceptGraph, boxes: Mapping[str, _Box], parts: Sequence[_Part], *, believed: bool) -> str:
    right = max((part.at[0] + part.layout.size[0] for part in parts), default=0.0)
    bottom = max((part.at[1] + part.layout.size[1] for part in parts), default=0.0)
    inside = [line for part in parts for line in _drawn(concepts, boxes, part)]
    if believed:
        inside += _legend(bottom + _APART)
        right, bottom = max(right, 640.0), bottom + _APART + 74
    name = escape(str(concepts.graph.graph.get("name", "concepts")), quote=True)
    width, height = right + 2 * _MARGIN, bottom + 2 * _MARGIN
    body = "\n".join(inside)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cm" role="img" aria-label="{name}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">\n'
        f'<style>{_STYLE}</style>\n<rect class="page" width="100%" height="100%"/>\n'
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">\n{body}\n</g>\n</svg>\n'
    )


def _drawn(concepts: ConceptGraph, boxes: Mapping[str, _Box], part: _Part) -> list[str]:
    left, top = part.at
    lines = []
    for (need, name), points in zip(part.edges, part.layout.paths, strict=True):
        moved = [(x + left, y + top) for x, y in points]
        weight = concepts.needs(name)[need]
        told = escape(f"{name} needs {need} (weight {weight:g})")
        stroke = f'<path class="edge" stroke-width="{0.6 + 1.4 * weight:.2f}" d="{curve(moved)}"/>'
        lines.append(f"<g><title>{told}</title>{stroke}{tip(*moved[-1], 0.0, 1.0)}</g>")
    for name, (x, y) in part.layout.boxes.items():
        lines.append(_node(boxes[name], x + left, y + top))
    return lines


def _node(box: _Box, x: float, y: float) -> str:
    width, height = box.size
    left, line = x - width / 2, y - height / 2 + 6
    place = f'x="{left:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}"'
    rows = []
    for text, size in box.rows:
        line += size * LINE
        bold = ' font-weight="600"' if size == _TITLE else ""
        rows.append(lettered(x, line - 3, text, size, f'text-anchor="middle"{bold}'))
    rect = f'<rect class="box" {place} rx="7" fill="{box.colour}"/>'
    return f'<g class="concept"><title>{escape(box.told)}</title>{rect}{"".join(rows)}</g>'


def _legend(top: float) -> list[str]:
    """What the colours mean: mastery to the right, uncertainty downwards."""
    lines = [lettered(0, top + 10, "P(known)", _TEXT, 'class="soft"')]
    for column in range(6):
        mastery = column / 5
        lines.append(lettered(98 + 44 * column, top + 10, f"{mastery:.1f}", _TEXT, 'text-anchor="middle" class="soft"'))
        for row, unsure in enumerate((0.0, 0.5, 1.0)):
            place = f'x="{76 + 44 * column}" y="{top + 16 + 18 * row:.1f}" width="44" height="18"'
            lines.append(f'<rect {place} fill="{mastery_colour(mastery, unsure)}"/>')
    for row, word in enumerate(("certain", "half certain", "uncertain")):
        lines.append(lettered(0, top + 29 + 18 * row, word, _TEXT, 'class="soft"'))
    told = (
        "in a box: P(known) · uncertainty in bits",
        "✗ a misconception and its probability",
        "overconfident: P(not known, thinks it knows)",
    )
    lines += [lettered(366, top + 29 + 18 * row, text, _TEXT, 'class="soft"') for row, text in enumerate(told)]
    return lines
