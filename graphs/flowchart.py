"""A graph as Mermaid text, for Markdown pages and pull requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.graphs.picture import LAST, START, Arrow, Box, picture

if TYPE_CHECKING:
    from maieutic.graphs.nested import Nested

__all__ = ["mermaid"]

_SHAPES = {
    "agent": ("(", ")"),
    "use": ("[[", "]]"),
    "graph": ("[[", "]]"),
    "person": ("{{", "}}"),
    "tool": ("[/", "/]"),
    "set": ("[", "]"),
    "step": ("[", "]"),
    "parallel": ("[", "]"),
    "map": ("[", "]"),
}
_ARROWS = {"next": "-->", "when": "-->", "else": "-->", "visits": "-.->"}


def mermaid(program: Nested, edges: Sequence[Mapping[str, Any]] = ()) -> str:
    """The flow chart of a graph or protocol in Mermaid's language.

    Args:
        program: A loaded graph, or a protocol.
        edges: The edge events of a run (`Run.edges`): the path it took is drawn thick, with the number of visits.
    """
    shown = picture(program, edges)
    ids = {box.id: f"n{index}" for index, box in enumerate(shown.boxes)}
    lines = ["flowchart TD"]
    lines += [f"    {ids[box.id]}{_shape(box)}" for box in shown.boxes]
    lines += [f"    {_arrow(arrow, ids)}" for arrow in shown.arrows]
    if taken := [str(index) for index, arrow in enumerate(shown.arrows) if arrow.reasons]:
        lines.append(f"    linkStyle {','.join(taken)} stroke-width:4px")
    if visited := [ids[box.id] for box in shown.boxes if box.visits]:
        lines += ["    classDef visited stroke-width:4px", f"    class {','.join(visited)} visited"]
    return "\n".join(lines) + "\n"


def _shape(box: Box) -> str:
    if box.id in (START, LAST):
        return f"(({'start' if box.id == START else 'end'}))"
    count = f" ×{box.visits}" if box.visits else ""
    words = "<br/>".join([f"<b>{_escaped(box.id)}</b>{count}", *map(_escaped, box.lines)])
    left, right = _SHAPES[box.kind]
    return f'{left}"{words}"{right}'


def _arrow(arrow: Arrow, ids: Mapping[str, str]) -> str:
    label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
    return f"{ids[arrow.source]} {_ARROWS[arrow.way]}{label} {ids[arrow.target]}"


def _escaped(text: str) -> str:
    """Text as Mermaid takes it: everything that could be read as its syntax or as HTML becomes a character code."""
    plain = " ".join(text.split())
    return "".join(c if c.isalnum() or c in " .,:·/=_-+×'…" else f"#{ord(c)};" for c in plain)
