"""Where a run can go: targets, reachability, a way out, and a bound on every cycle."""

from __future__ import annotations

from maieutic.files.problems import did_you_mean
from maieutic.graphs.checks.bounds import unbounded
from maieutic.graphs.checks.edges import Edge, edges_of, reached
from maieutic.graphs.checks.scene import Scene
from maieutic.graphs.nodes import END, ElseRoute, Flow
from maieutic.graphs.spec import GraphBody

__all__ = ["check_flow"]


def check_flow(scene: Scene) -> None:
    """Note every fault in where the nodes of a graph go."""
    graph = scene.spec.graph
    if graph is None or END in graph.nodes:
        return
    for name, node in graph.nodes.items():
        _check_exits(scene, name, node)
    edges = edges_of(graph)
    astray = [edge for edge in edges if not _check_target(scene, graph, edge)]
    if graph.start not in graph.nodes:
        scene.wrong(
            ("graph", "start"), f"start at unknown node {graph.start!r}", did_you_mean(graph.start, graph.nodes)
        )
        return
    live = reached([graph.start], edges)
    for name in graph.nodes:
        if name not in live and not astray:
            hint = "no next, route or visits leads to it; lead one there or remove it"
            scene.wrong(("graph", "nodes", name), f"node {name!r} is never reached", hint, key=True)
    _check_way_out(scene, graph, edges, live)
    if scene.spec.limits.steps is None:
        _check_cycles(scene, graph, edges)


def _check_exits(scene: Scene, name: str, node: Flow) -> None:
    at = ("graph", "nodes", name)
    if node.next is None and node.routes is None:
        scene.wrong(
            at, f"node {name!r} does not say where it goes", f"add next: NODE, routes, or next: {END}", key=True
        )
    if node.next is not None and node.routes is not None:
        scene.wrong((*at, "next"), f"node {name!r} has both next and routes", "keep one of them", key=True)
    routes = node.routes or []
    otherwise = [i for i, route in enumerate(routes) if isinstance(route, ElseRoute)]
    if routes and not otherwise:
        hint = f"add - else: NODE, or - else: {END}, as the last route"
        scene.wrong((*at, "routes"), f"the routes of node {name!r} have no else", hint, key=True)
    for i in otherwise[1:]:
        scene.wrong((*at, "routes", i, "else"), "a second else", "keep the last one", key=True)
    if otherwise and otherwise[0] != len(routes) - 1 and len(otherwise) == 1:
        hint = "move it to the end; the routes below it can never be taken"
        scene.wrong((*at, "routes", otherwise[0], "else"), "else must be the last route", hint, key=True)


def _check_target(scene: Scene, graph: GraphBody, edge: Edge) -> bool:
    if edge.target == END or edge.target in graph.nodes:
        return True
    how = {"next": "next leads to", "then": "visits lead to"}.get(str(edge.path[-1]), "route to")
    hint = did_you_mean(edge.target, [*graph.nodes, END])
    scene.wrong(edge.path, f"{how} unknown node {edge.target!r}", hint)
    return False


def _check_way_out(scene: Scene, graph: GraphBody, edges: list[Edge], live: set[str]) -> None:
    backward = [Edge(edge.target, edge.source, edge.path) for edge in edges]
    silent = {name for name, node in graph.nodes.items() if node.next is None and node.routes is None}
    outside = {edge.target for edge in edges if edge.target not in graph.nodes}
    finishing = reached({END, *outside, *silent}, backward)
    stuck = [name for name in graph.nodes if name in live and name not in finishing]
    if stuck:
        others = f" (nor from {', '.join(map(repr, stuck[1:]))})" if len(stuck) > 1 else ""
        message = f"there is no way out: from node {stuck[0]!r} the run never reaches {END}{others}"
        scene.wrong(("graph", "nodes", stuck[0]), message, f"lead one of its nodes to {END}", key=True)


def _check_cycles(scene: Scene, graph: GraphBody, edges: list[Edge]) -> None:
    for cycle in unbounded(scene.spec, edges):
        way = " → ".join([*cycle, cycle[0]])
        hint = (
            "bound it with limits: {steps: 60}, with visits: {max: 3, then: NODE} on one of its nodes, or with a "
            "route on it such as when: tries < 3, where a node of it has writes: {tries: 1} and tries has merge: add"
        )
        scene.wrong(("graph", "nodes", cycle[0]), f"the cycle {way} has no bound", hint, key=True)
