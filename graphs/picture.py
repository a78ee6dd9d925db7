"""What a drawing of a graph shows, before it is drawn: boxes, arrows, and the path that a run took."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from maieutic.graphs.nodes import (
    END,
    AgentStep,
    MapNode,
    Node,
    ParallelNode,
    PersonStep,
    SetStep,
    Step,
    SubgraphStep,
    ToolStep,
    UseStep,
    WhenRoute,
)
from maieutic.graphs.observing import in_words, listed
from maieutic.graphs.questions import STUDENT

if TYPE_CHECKING:
    from maieutic.graphs.nested import Nested
    from maieutic.graphs.spec import GraphSpec

__all__ = ["LAST", "START", "Arrow", "Box", "Picture", "Way", "picture", "reason"]

START = "(start)"
LAST = "(end)"
"""Ids of the two marks; no node can have them as its name."""

Way = Literal["next", "when", "else", "visits"]
Edges = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Box:
    """One node.

    Attributes:
        id: Its name in the file, START or LAST.
        kind: What it is: "agent", "use", "graph", "person", "tool", "set", "parallel", "map", "step" (of a
            protocol), "start" or "end".
        lines: Who acts and what it does, for people.
        visits: How often the run was there, or None if no run is shown.
    """

    id: str
    kind: str
    lines: tuple[str, ...] = ()
    visits: int | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """One edge.

    Attributes:
        source, target: Ids of boxes.
        label: Its condition, or empty.
        way: Whether it is plain, has a condition, stands for all others, or is taken when the visits are used up.
        reasons: Why it was taken, once for every time; empty if it never was.
    """

    source: str
    target: str
    label: str = ""
    way: Way = "next"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph to draw.

    Attributes:
        name: The graph's name.
        boxes, arrows: In the file's order.
        ran: Whether the path of a run is shown.
    """

    name: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    ran: bool = False


def picture(program: Nested, edges: Edges = ()) -> Picture:
    """The picture of a graph or protocol.

    Args:
        program: A loaded graph, or a protocol (whose own LangGraph structure is shown).
        edges: The edge events of a run (`Run.edges`), to show the path that it took. Those of nested graphs are left
            out.
    """
    spec: GraphSpec | None = getattr(program, "spec", None)
    if spec is None or spec.graph is None:
        return _structure(program)
    boxes = [
        Box(START, "start"),
        *(_box(spec, name, node) for name, node in spec.graph.nodes.items()),
        Box(LAST, "end"),
    ]
    arrows = [Arrow(START, _id(spec.graph.start))]
    for name, node in spec.graph.nodes.items():
        arrows += _arrows(name, node)
    shown = Picture(program.name, tuple(boxes), tuple(arrows))
    own = _own(edges)
    return _taken(shown, own) if own else shown


def reason(edge: Mapping[str, Any]) -> str:
    """Why an edge was taken, in a line: the expression, what it read, and the alternatives that were false."""
    when, read = str(edge["when"]), _values(edge)
    if when == "visits":
        text = f"{edge['source']} had all its {edge['values']['visits']} visits"
    elif when == "next":
        text = "always"
    else:
        text = f"{when} ({read})" if read else when
    rejected = [
        f"not {r['to']}: {r['when']}" + (f" ({_values(r)})" if r["values"] else "") for r in edge.get("rejected", ())
    ]
    return "; ".join([text, *rejected])


def _values(condition: Mapping[str, Any]) -> str:
    """What a condition read, and why the student model answered as it did."""
    values, reasons = condition.get("values", {}), condition.get("reasons", {})

    def shown(value: Any) -> str:
        text = json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))  # orjson has no large integers
        return text if len(text) <= 60 else f"{text[:59]}…"

    inner = {
        n: v for n, v in values.items() if not isinstance(v, dict) or not any(o.startswith(f"{n}.") for o in values)
    }
    words = {name: f"{name} = {shown(_rounded(name, value))}" for name, value in inner.items()}
    return ", ".join(f"{text}: {'; '.join(reasons[name])}" if name in reasons else text for name, text in words.items())


def _rounded(name: str, value: Any) -> Any:
    """A probability of the student model as people read it."""
    return round(value, 3) if isinstance(value, float) and name.startswith(f"{STUDENT}.") else value


def _id(target: str) -> str:
    return LAST if target == END else target


def _box(spec: GraphSpec, name: str, node: Node) -> Box:
    if isinstance(node, ParallelNode):
        rows = [(f"{branch}: {_does(spec, step)}", *_observes(step)) for branch, step in node.parallel.items()]
        return Box(name, "parallel", tuple(line for row in rows for line in row))
    if isinstance(node, MapNode):
        return Box(name, "map", (f"for each {node.item} in {node.over}", _does(spec, node.do), *_observes(node.do)))
    return Box(name, node.kind, (_does(spec, node), *_observes(node)))


def _observes(step: Step) -> list[str]:
    """What the student model is told."""
    return [f"observes {in_words(observe).partition(',')[0]}" for observe, _ in listed(step.observe)]


def _does(spec: GraphSpec, step: Step) -> str:
    match step:
        case AgentStep():
            return f"{step.agent} · {step.does}" if step.does else step.agent
        case UseStep():
            return f"{step.use} ({', '.join(_named(spec, step.params.values()))})"
        case SubgraphStep():
            return step.graph
        case PersonStep():
            return f"{step.person} · {' / '.join(step.choices) if step.choices else 'is asked'}"
        case ToolStep():
            return f"{step.tool}({', '.join(step.arguments)})"
        case SetStep():
            return ", ".join(f"{name} = {value}" for name, value in step.set.items())


def _named(spec: GraphSpec, values: Iterable[Any]) -> list[str]:
    """The agents that a protocol's parameters name."""
    found = [v for value in values for v in (value if isinstance(value, list) else [value])]
    return [v for v in found if isinstance(v, str) and v in spec.agents]


def _arrows(name: str, node: Node) -> list[Arrow]:
    arrows = [Arrow(name, _id(node.next))] if node.next is not None else []
    for route in node.routes or ():
        if isinstance(route, WhenRoute):
            arrows.append(Arrow(name, _id(route.to), route.when.text, "when"))
        else:
            arrows.append(Arrow(name, _id(route.otherwise), "else", "else"))
    if node.visits is not None:
        label = f"after {node.visits.max} visit{'s' if node.visits.max > 1 else ''}"
        arrows.append(Arrow(name, _id(node.visits.then), label, "visits"))
    return arrows


def _structure(program: Nested) -> Picture:
    """A protocol's own LangGraph structure."""
    drawn = program.build().compile().get_graph()
    ids = {"__start__": START, "__end__": LAST}
    kinds = {"__start__": "start", "__end__": "end"}
    boxes = tuple(Box(ids.get(n, n), kinds.get(n, "step")) for n in drawn.nodes)
    arrows = tuple(
        Arrow(
            ids.get(edge.source, edge.source),
            ids.get(edge.target, edge.target),
            "" if edge.data is None else str(edge.data),
            "when" if edge.conditional else "next",
        )
        for edge in drawn.edges
    )
    return Picture(program.name, boxes, arrows)


def _own(edges: Edges) -> Edges:
    """The edges of the graph itself, without those of graphs nested in it."""
    depth = min((str(edge.get("at", "")).count("/") for edge in edges), default=0)
    return [edge for edge in edges if str(edge.get("at", "")).count("/") == depth]


def _taken(shown: Picture, edges: Edges) -> Picture:
    reasons: dict[tuple[str, str, str], list[str]] = {}
    visits = {shown.arrows[0].target: 1}
    for edge in edges:
        source, target, when = edge["source"], _id(edge["target"]), edge["when"]
        reasons.setdefault((source, target, when), []).append(reason(edge))
        visits[target] = visits.get(target, 0) + 1
        if when == "visits":
            visits[source] -= 1
    arrows = [replace(shown.arrows[0], reasons=("the run begins here",))]
    for arrow in shown.arrows[1:]:
        when = arrow.label if arrow.way == "when" else arrow.way
        arrows.append(replace(arrow, reasons=tuple(reasons.get((arrow.source, arrow.target, when), ()))))
    boxes = tuple(replace(box, visits=1 if box.id == START else visits.get(box.id, 0)) for box in shown.boxes)
    return Picture(shown.name, boxes, tuple(arrows), True)
