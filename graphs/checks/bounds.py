"""Which cycles of a graph could go on for ever.

A cycle is bounded if a node of it has `visits`, or if one of its edges is only taken while a counter has not come to
its limit, and every way around passes a node that moves the counter towards it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from maieutic.graphs.checks.edges import Edge, Write, edges_of, reached, writes_in
from maieutic.graphs.spec import GraphBody, GraphSpec

__all__ = ["unbounded"]

Growth = dict[str, tuple[int, set[str]]]
"""Counter: its direction (1 up, -1 down), and the nodes that surely move it when they run."""

_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
}
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}


def unbounded(spec: GraphSpec, edges: list[Edge] | None = None) -> list[list[str]]:
    """A cycle without a bound from every knot of such cycles, as the names of its nodes in the order of the run."""
    if spec.graph is None:
        return []
    edges = edges if edges is not None else edges_of(spec.graph)
    writes = [write for name in spec.graph.nodes for write in writes_in(spec.graph, name)]
    growth, fixed = _growth(spec, writes), {*spec.state} - {write.field for write in writes}
    free = [
        edge
        for edge in edges
        if not (edge.ran and edge.source in spec.graph.nodes and spec.graph.nodes[edge.source].visits is not None)
        and not _guarded(edge, edges, growth, fixed)
    ]
    return list(_cycles(spec.graph, free))


def _cycles(graph: GraphBody, edges: list[Edge]) -> Iterator[list[str]]:
    """The shortest cycle through the first node of every knot (strongly connected component), in the file's order."""
    ahead = {name: reached([e.target for e in edges if e.source == name], edges) for name in graph.nodes}
    told: set[str] = set()
    for name in graph.nodes:
        if name in ahead[name] and name not in told:
            told |= {other for other in ahead[name] if other in ahead and name in ahead[other]}
            yield _shortest(name, edges)


def _shortest(name: str, edges: list[Edge]) -> list[str]:
    ways: list[list[str]] = [[name]]
    seen: set[str] = set()
    for way in ways:  # grows while it is read: breadth first
        for edge in edges:
            if edge.source == way[-1] and edge.target == name:
                return way
            if edge.source == way[-1] and edge.target not in seen:
                seen.add(edge.target)
                ways.append([*way, edge.target])
    return [name]


def _growth(spec: GraphSpec, writes: list[Write]) -> Growth:
    found: Growth = {}
    skippable = {name for name, node in spec.graph.nodes.items() if node.visits} if spec.graph else set()
    for field, declared in spec.state.items():
        here = [write for write in writes if write.field == field]
        steps = {_step(write, declared.merge) for write in here}
        if len(steps) == 1 and (step := steps.pop()):
            found[field] = (step, {write.node for write in here if write.sure and write.node not in skippable})
    return found


def _step(write: Write, merge: str | None) -> int:
    """The direction in which a write moves a counter; 0 if that cannot be told."""
    tree = write.value.tree
    if merge == "add":
        return _sign(tree)
    if merge not in (None, "last") or not isinstance(tree, ast.BinOp):
        return 0
    own = partial(_is_name, name=write.field)
    if isinstance(tree.op, ast.Add):
        return _sign(tree.right) if own(tree.left) else _sign(tree.left) if own(tree.right) else 0
    return -_sign(tree.right) if isinstance(tree.op, ast.Sub) and own(tree.left) else 0


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _sign(node: ast.expr) -> int:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_sign(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return (node.value > 0) - (node.value < 0)
    return 0


def _guarded(edge: Edge, edges: list[Edge], growth: Growth, fixed: set[str]) -> bool:
    """Whether an edge stops being taken after a number of rounds, whatever way the rounds take."""
    for expression, holds in edge.guards:
        for counter, upward in _conditions(expression.tree, holds, fixed):
            direction, writers = growth.get(counter, (0, set()))
            if direction == (1 if upward else -1) and edge.source not in reached([edge.target], edges, without=writers):
                return True
    return False


def _conditions(node: ast.expr, holds: bool, fixed: set[str]) -> Iterator[tuple[str, bool]]:
    """(counter, whether the limit lies above it) for every comparison that surely holds."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _conditions(node.operand, not holds, fixed)
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) is holds:
        for part in node.values:
            yield from _conditions(part, holds, fixed)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _NEGATED:
        op = type(node.ops[0]) if holds else _NEGATED[type(node.ops[0])]
        left, right = node.left, node.comparators[0]
        if isinstance(left, ast.Name) and _is_fixed(right, fixed):
            yield left.id, op in (ast.Lt, ast.LtE)
        elif isinstance(right, ast.Name) and _is_fixed(left, fixed):
            yield right.id, _TURNED[op] in (ast.Lt, ast.LtE)


def _is_fixed(node: ast.expr, fixed: set[str]) -> bool:
    """Whether an expression has the same value throughout a run."""
    return all(part.id in fixed for part in ast.walk(node) if isinstance(part, ast.Name))
