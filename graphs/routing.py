"""Where a run goes after a node, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from maieutic.graphs.failing import Formula, Spot, StepFailed
from maieutic.graphs.nodes import END, Flow, Visits, WhenRoute
from maieutic.memory import Event

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.graphs.spec import GraphSpec

__all__ = ["Ways", "ways_of"]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out of one node.

    Attributes:
        source: The node.
        routes: Conditions and where they lead, in order.
        otherwise: Where it goes if none is true.
        plain: Whether there are no conditions at all (`next`).
        bounds: The bounds on all nodes' visits.
    """

    source: str
    routes: tuple[tuple[Formula, str], ...]
    otherwise: str
    plain: bool
    bounds: Mapping[str, Visits]
    spot: Spot

    def follow(self, at: Place, values: Mapping[str, Any], visits: Mapping[str, int]) -> str:
        """The node to go to. Every edge taken is told as an event: its condition, what that read, what was rejected.

        A node that had all its visits sends an arrival on, by an edge of its own (`when` is "visits").

        Raises:
            StepFailed: A condition does not fit the values, or nodes without visits left send the run round in circles.
        """
        target = self._first(at, values)
        passed: list[str] = []
        while target != END and (bound := self.bounds.get(target)) and visits.get(target, 0) >= bound.max:
            if target in passed:
                raise StepFailed(
                    f"{self.spot}: the nodes {', '.join(passed)} have no visits left and send on to one another; "
                    "let one of them go on to a node without a bound",
                    kind="visits",
                )
            passed.append(target)
            _tell(at, target, bound.then, "visits", values={"visits": bound.max})
            target = bound.then
        return target

    def _first(self, at: Place, values: Mapping[str, Any]) -> str:
        rejected: list[dict[str, Any]] = []
        for formula, target in self.routes:
            when, found = formula.expression.text, formula.truth(values)
            told = {"values": dict(found.read), **({"reasons": dict(found.reasons)} if found.reasons else {})}
            if found.value:
                _tell(at, self.source, target, when, rejected=rejected, **told)
                return target
            rejected.append({"when": when, "to": target, **told})
        _tell(at, self.source, self.otherwise, "next" if self.plain else "else", rejected=rejected)
        return self.otherwise


def _tell(
    at: Place,
    source: str,
    target: str,
    when: str,
    *,
    values: Mapping[str, Any] = MappingProxyType({}),
    rejected: Sequence[dict[str, Any]] = (),
    **reasons: Any,
) -> None:
    edge = {"source": source, "target": target, "when": when, "values": dict(values), "rejected": list(rejected)}
    at.emit(Event("edge", at.address.local, {**edge, **reasons}))


def ways_of(spec: GraphSpec, name: str, node: Flow, bounds: Mapping[str, Visits]) -> Ways:
    """The ways out of a node of a file."""
    spot = Spot(spec, ("graph", "nodes", name))
    if node.routes is None:
        return Ways(name, (), node.next or END, True, bounds, spot)
    routes = []
    otherwise = END
    for index, route in enumerate(node.routes):
        if isinstance(route, WhenRoute):
            routes.append((Formula(route.when, spot / "routes" / index / "when"), route.to))
        else:
            otherwise = route.otherwise
    return Ways(name, tuple(routes), otherwise, False, bounds, spot)
