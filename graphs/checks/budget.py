"""Whether the limits leave room for one way through the graph."""

from __future__ import annotations

import heapq
from typing import Any

from pydantic import ValidationError

from maieutic.errors import UsageError
from maieutic.graphs.casting import cast_of
from maieutic.graphs.checks.edges import edges_of
from maieutic.graphs.checks.scene import Scene
from maieutic.graphs.nodes import END, AgentStep, MapNode, ParallelNode, SubgraphStep, UseStep
from maieutic.graphs.spec import GraphSpec

__all__ = ["check_budget"]


def check_budget(scene: Scene) -> None:
    """Note limits that no run can keep, and protocols that cannot be built with their cast."""
    costs = _Costs(scene)
    limits = scene.spec.limits
    calls, way = costs.cheapest(scene.spec)
    route = f" ({' → '.join(way)})" if way else ""
    if limits.calls is not None and calls > limits.calls:
        message = f"calls: {limits.calls} is too small: the cheapest way through takes {calls}{route}"
        scene.wrong(("limits", "calls"), message, f"allow at least {calls}")
    if limits.tokens is not None and limits.tokens < calls:
        message = f"tokens: {limits.tokens} is too small: the cheapest way through takes {calls} calls{route}"
        scene.wrong(("limits", "tokens"), message, "a call takes some hundred tokens or more; 200k is understood")
    steps, way = _Steps().cheapest(scene.spec)
    if limits.steps is not None and steps > limits.steps:
        message = f"steps: {limits.steps} is too small: the shortest way takes {steps} ({' → '.join(way)})"
        scene.wrong(("limits", "steps"), message, f"allow at least {steps}")


class _Steps:
    """The fewest nodes on the way through a graph."""

    def cheapest(self, spec: GraphSpec) -> tuple[int, list[str]]:
        """The least cost of a way from the start to the end, and that way."""
        if spec.graph is None:
            return 0, []
        edges = edges_of(spec.graph)
        heap: list[tuple[int, list[str]]] = [(0, [spec.graph.start])]
        done: set[str] = set()
        while heap:
            cost, way = heapq.heappop(heap)
            if way[-1] == END:
                return cost, way[:-1]
            if way[-1] in done:
                continue
            done.add(way[-1])
            own = self.node(spec, way[-1])
            for edge in edges:
                if edge.source == way[-1]:
                    heapq.heappush(heap, (cost + own, [*way, edge.target]))
        return 0, []

    def node(self, spec: GraphSpec, name: str) -> int:
        """The cost of running a node once."""
        return 1


class _Costs(_Steps):
    """The fewest model calls on the way through a graph."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def cheapest(self, spec: GraphSpec) -> tuple[int, list[str]]:
        """The fewest calls of a graph, or of a file that is a protocol."""
        if spec.use is not None and spec.graph is None:
            return self._protocol(spec, (), spec.use, spec.params), []
        return super().cheapest(spec)

    def node(self, spec: GraphSpec, name: str) -> int:
        """Its model calls; a map may be over an empty list."""
        assert spec.graph is not None
        node, at = spec.graph.nodes[name], ("graph", "nodes", name)
        if isinstance(node, ParallelNode):
            return sum(self._step(spec, (*at, "parallel", n), step) for n, step in node.parallel.items())
        if isinstance(node, MapNode):
            self._step(spec, (*at, "do"), node.do)
            return 0
        return self._step(spec, at, node)

    def _step(self, spec: GraphSpec, at: tuple[str, ...], step: Any) -> int:
        if isinstance(step, AgentStep):
            return 0 if spec.agents[step.agent].role == "person" else 1
        if isinstance(step, UseStep):
            return self._protocol(spec, at, step.use, step.params)
        if isinstance(step, SubgraphStep) and step.graph in spec.origin.subgraphs:
            return self.cheapest(spec.origin.subgraphs[step.graph])[0]
        return 0

    def _protocol(self, spec: GraphSpec, at: tuple[str, ...], name: str, params: dict[str, Any]) -> int:
        protocol: Any = self.scene.protocol(name)
        if protocol is None:
            return 0
        try:
            checked = protocol.params_model.model_validate(params, context={"home": spec.origin.home})
            return int(protocol.of(cast_of(spec, self.scene.own_roles), checked).plan().fewest)
        except (UsageError, ValidationError) as error:
            if spec is self.scene.spec and isinstance(error, UsageError):
                self.scene.wrong((*at, "with"), str(error), key=True)
            return 0
