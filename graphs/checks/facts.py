"""What is certain about the state when a run comes to a node, whatever way it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maieutic.graphs.checks.edges import Edge, Write, edges_of, writes_in
from maieutic.graphs.checks.scene import Scene
from maieutic.graphs.expressions import Expression
from maieutic.graphs.inference import not_null
from maieutic.graphs.nodes import MapNode
from maieutic.graphs.spec import GraphBody
from maieutic.graphs.types import Type

__all__ = ["Facts", "after", "facts_of", "names_at", "when_written"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What surely holds.

    Attributes:
        written: Fields that have a value: inputs, those with a default, those written on every way here.
        present: Of the fields that may be null, those that surely are not.
    """

    written: frozenset[str]
    present: frozenset[str]

    def __and__(self, other: Facts) -> Facts:
        return Facts(self.written & other.written, self.present & other.present)

    def __or__(self, other: Facts) -> Facts:
        return Facts(self.written | other.written, self.present | other.present)


def names_at(scene: Scene, facts: Facts) -> dict[str, Type]:
    """The state fields with their types as far as they are known there."""
    return {name: kind.present if name in facts.present else kind for name, kind in scene.names().items()}


def facts_of(scene: Scene, graph: GraphBody) -> dict[str, Facts]:
    """The facts on entering each node; for nodes that are never reached, everything."""
    everything = Facts(frozenset(scene.state), frozenset(scene.state))
    known: dict[str, Facts] = {graph.start: _at_start(scene)}
    edges = [edge for edge in edges_of(graph) if edge.target in graph.nodes]
    waiting = [graph.start] if graph.start in graph.nodes else []
    while waiting:
        name = waiting.pop(0)
        for edge in edges:
            if edge.source != name:
                continue
            old, new = known.get(edge.target), _along(scene, graph, edge, known[name])
            met = new if old is None else old & new
            if met != old:
                known[edge.target] = met
                waiting.append(edge.target)
    return {name: known.get(name, everything) for name in graph.nodes}


def _at_start(scene: Scene) -> Facts:
    written = {name for name, field in scene.spec.state.items() if field.input or field.has_default}
    present = {name for name in written if scene.spec.state[name].default is not None}
    return Facts(frozenset(written), frozenset(present))


def _along(scene: Scene, graph: GraphBody, edge: Edge, facts: Facts) -> Facts:
    if not edge.ran:
        return facts
    facts = after(scene, graph, edge.source, facts)
    shown = [not_null(expression.tree, expression.text, holds) for expression, holds in edge.guards]
    names = frozenset().union(*shown) & frozenset(scene.state)
    return Facts(facts.written, facts.present | names)


def after(scene: Scene, graph: GraphBody, name: str, facts: Facts) -> Facts:
    """The facts when a node has run."""
    names = names_at(scene, facts)
    node = graph.nodes[name]
    if isinstance(node, MapNode):
        whole = node.over.check(names).type
        names = {**names, node.item: whole.item or whole}
    results = [
        (write, scene.result(node.do if isinstance(node, MapNode) else write.step)) for write in writes_in(graph, name)
    ]
    return when_written(scene, results, names, facts)


def when_written(
    scene: Scene, results: Iterable[tuple[Write, Mapping[str, Type]]], names: Mapping[str, Type], facts: Facts
) -> Facts:
    """The facts after writes, each with what its expression can name besides the state."""
    written, present = set(facts.written), set(facts.present)
    for write, result in results:
        declared = scene.spec.state.get(write.field)
        maybe_null = _may_be_null(write.value, {**names, **result}) and not isinstance(write.step, MapNode)
        if write.sure and not (maybe_null and declared is not None and not declared.nullable):
            written.add(write.field)
        if write.sure and not maybe_null:
            present.add(write.field)
        elif maybe_null and (declared is None or declared.merge in (None, "last")):
            present.discard(write.field)
    return Facts(frozenset(written), frozenset(present))


def _may_be_null(value: Expression, names: Mapping[str, Type]) -> bool:
    kind = value.check(names).type
    return kind.nullable or kind.kind in ("any", "null")
