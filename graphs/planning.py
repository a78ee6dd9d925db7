"""How many model calls a graph makes, as far as its file tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from maieutic.graphs.acts import Act, AgentAct
from maieutic.graphs.compile import destinations
from maieutic.graphs.nested import NestedAct
from maieutic.graphs.nodes import END
from maieutic.graphs.observing import ObservingAct
from maieutic.graphs.together import MapAct, ParallelAct
from maieutic.protocols.base import CallPlan
from maieutic.protocols.weighing import with_weighing

if TYPE_CHECKING:
    import networkx as nx

    from maieutic.graphs.staging import Stage

__all__ = ["UNKNOWN", "plan"]

UNKNOWN = 100
"""What a number counts as that only the run can tell: the items of a list, the rounds of a cycle that an expression
ends in a file without `limits.steps`."""


def plan(stage: Stage) -> CallPlan:
    """The fewest and most calls of every agent.

    The fewest are those of the way from start to end that takes the fewest calls in all. The most are, for every agent,
    those of the way on which it has the most; a node of a cycle counts as often as `visits` let it run, or else as
    often as `limits.steps` (UNKNOWN without them) let it come round. A map has no item at the fewest and UNKNOWN items
    at the most. Nobody makes more than `limits.calls` calls.
    """
    spec = stage.spec
    assert spec.graph is not None
    acts = {name: _calls(stage.act(name, node)) for name, node in spec.graph.nodes.items()}
    graph = _drawn(stage)
    fewest = _cheapest(graph, spec.graph.start, acts)
    most = _dearest(graph, spec.graph.start, acts, _visits(graph, stage))
    cap = spec.limits.calls
    names = dict.fromkeys(name for act in acts.values() for name in act)
    calls = {name: (fewest.get(name, 0), most.get(name, 0)) for name in names}
    if cap is not None:
        calls = {name: (low, max(low, min(high, cap))) for name, (low, high) in calls.items()}
    return CallPlan(calls)


Calls = Mapping[str, tuple[int, int]]


def _calls(act: Act) -> Calls:
    """The calls of one visit, by agent; persons are asked and not called."""
    if isinstance(act, AgentAct):
        return (
            {} if act.agent.role == "person" else with_weighing(CallPlan({act.agent.name: (1, 1)}), [act.agent]).calls
        )
    if isinstance(act, ObservingAct):
        return _calls(act.act)
    if isinstance(act, NestedAct):
        return act.program.plan().calls
    if isinstance(act, ParallelAct):
        return _sum(_calls(branch) for branch in act.branches.values())
    if isinstance(act, MapAct):
        return {name: (0, UNKNOWN * high) for name, (_, high) in _calls(act.act).items()}
    return {}


def _sum(plans: Iterable[Calls]) -> Calls:
    total = CallPlan()
    for calls in plans:
        total = total + CallPlan(calls)
    return total.calls


def _drawn(stage: Stage) -> nx.DiGraph[str]:
    import networkx as nx

    assert stage.spec.graph is not None
    nodes = stage.spec.graph.nodes
    bounds = {name: node.visits for name, node in nodes.items() if node.visits is not None}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for name, node in nodes.items():
        graph.add_edges_from((name, target) for target in destinations(node, bounds))
    return graph


def _visits(graph: nx.DiGraph[str], stage: Stage) -> dict[str, int]:
    """The most visits of every node."""
    import networkx as nx

    assert stage.spec.graph is not None
    steps = stage.spec.limits.steps or UNKNOWN
    bounds = {name: node.visits.max for name, node in stage.spec.graph.nodes.items() if node.visits is not None}
    most: dict[str, int] = {}
    for knot in nx.strongly_connected_components(graph):
        free = graph.subgraph(knot - bounds.keys())
        if nx.is_directed_acyclic_graph(free):
            # Between two visits of bounded nodes, no other node of the knot can come twice.
            stretches = 1 + sum(bounds[name] for name in knot & bounds.keys())
            most |= {name: bounds.get(name, stretches if len(knot) > 1 else 1) for name in knot}
        else:
            around = {name: _around(graph.subgraph(knot), name) for name in knot}
            most |= {name: min(bounds.get(name, steps), steps // around[name] + 1) for name in knot}
        if len(knot) == 1:
            most |= {name: 1 for name in knot if not graph.has_edge(name, name)}
    return most


def _around(knot: nx.DiGraph[str], name: str) -> int:
    """The steps of the shortest way from a node back to itself."""
    import networkx as nx

    back = nx.single_target_shortest_path_length(knot, name)
    return 1 + min((int(back[successor]) for successor in knot.successors(name)), default=0)


def _cheapest(graph: nx.DiGraph[str], start: str, acts: Mapping[str, Calls]) -> dict[str, int]:
    """The calls on the way from start to end that takes the fewest in all."""
    import networkx as nx

    def weight(_: str, target: str, edge: Any) -> int:
        return sum(low for low, _ in acts.get(target, {}).values())

    try:
        way = nx.dijkstra_path(graph, start, END, weight)
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        return {}
    return {name: low for name, (low, _) in _sum(acts.get(node, {}) for node in way).items()}


def _dearest(
    graph: nx.DiGraph[str], start: str, acts: Mapping[str, Calls], visits: Mapping[str, int]
) -> dict[str, int]:
    """For every agent the calls on the way on which it has the most; a knot of cycles counts as one node."""
    import networkx as nx

    reached = graph.subgraph({start, *nx.descendants(graph, start)})
    knots = nx.condensation(reached)
    total: dict[int, dict[str, int]] = {}
    for knot in reversed(list(nx.topological_sort(knots))):
        after = [total[successor] for successor in knots.successors(knot)]
        best = {name: max(way.get(name, 0) for way in after) for way_ in after for name in way_}
        for node in knots.nodes[knot]["members"]:
            for name, (_, high) in acts.get(node, {}).items():
                best[name] = best.get(name, 0) + high * visits.get(node, 1)
        total[knot] = best
    return total[knots.graph["mapping"][start]]
