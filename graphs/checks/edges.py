"""The graph as nodes and edges, with the conditions under which an edge is taken, and who writes what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maieutic.graphs.expressions import Expression
from maieutic.graphs.nodes import AgentStep, ElseRoute, MapNode, ParallelNode, PersonStep, SetStep, ToolStep, WhenRoute
from maieutic.graphs.spec import GraphBody

__all__ = ["Edge", "Write", "edges_of", "reached", "writes_in", "writes_of"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a node to another.

    Attributes:
        source, target: Names of nodes; the target may be `end`, or unknown.
        path: Where the file says so.
        guards: The conditions that hold when it is taken: (expression, whether it is true).
        ran: Whether the node ran on this arrival; False for `visits.then`.
    """

    source: str
    target: str
    path: tuple[str | int, ...]
    guards: tuple[tuple[Expression, bool], ...] = ()
    ran: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    """One expression written to a state field.

    Attributes:
        node: The node in which it happens.
        path: Where the expression stands.
        step: The step (or the map node) that writes it.
        sure: Whether it happens whenever the node runs (a map over an empty list runs nothing).
    """

    node: str
    field: str
    value: Expression
    path: tuple[str | int, ...]
    step: Any
    sure: bool = True


def edges_of(graph: GraphBody) -> list[Edge]:
    """Every edge, in the order of the file."""
    return [edge for name in graph.nodes for edge in _edges_from(graph, name)]


def _edges_from(graph: GraphBody, name: str) -> Iterator[Edge]:
    node, at = graph.nodes[name], ("graph", "nodes", name)
    if node.next is not None:
        yield Edge(name, node.next, (*at, "next"))
    before: tuple[tuple[Expression, bool], ...] = ()
    for i, route in enumerate(node.routes or ()):
        if isinstance(route, WhenRoute):
            yield Edge(name, route.to, (*at, "routes", i, "to"), (*before, (route.when, True)))
            before = (*before, (route.when, False))
        elif isinstance(route, ElseRoute):
            yield Edge(name, route.otherwise, (*at, "routes", i, "else"), before)
    if node.visits is not None:
        yield Edge(name, node.visits.then, (*at, "visits", "then"), ran=False)


def writes_of(step: object) -> tuple[str, Mapping[str, Expression]]:
    """The key under which a step says what it writes, and what that is."""
    if isinstance(step, SetStep):
        return "set", step.set
    if isinstance(step, AgentStep | PersonStep | ToolStep):
        return "writes", step.writes
    return "out", getattr(step, "out", {})


def writes_in(graph: GraphBody, name: str) -> Iterator[Write]:
    """Every write of a node, those of its branches included."""
    node, at = graph.nodes[name], ("graph", "nodes", name)
    inner: list[tuple[tuple[str, ...], Any]] = [(at, node)]
    if isinstance(node, ParallelNode):
        inner = [((*at, "parallel", branch), step) for branch, step in node.parallel.items()]
    elif isinstance(node, MapNode):
        inner = [((*at, "do"), node.do)]
        for field, value in node.collect.items():
            yield Write(name, field, value, (*at, "collect", field), node)
    for place, step in inner:
        key, values = writes_of(step)
        for field, value in values.items():
            yield Write(name, field, value, (*place, key, field), step, sure=not isinstance(node, MapNode))


def reached(starts: Iterable[str], edges: Iterable[Edge], *, without: Iterable[str] = ()) -> set[str]:
    """The nodes that can be reached along the edges, the starts included, never entering those in `without`."""
    onward: dict[str, list[str]] = {}
    for edge in edges:
        onward.setdefault(edge.source, []).append(edge.target)
    shut = set(without)
    found = {start for start in starts if start not in shut}
    waiting = list(found)
    while waiting:
        for target in onward.get(waiting.pop(), ()):
            if target not in found and target not in shut:
                found.add(target)
                waiting.append(target)
    return found
