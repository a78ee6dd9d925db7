"""From the steps of a graph file to acts: names are resolved here, once, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.agents import Agent, Prompt, role_named
from maieutic.errors import UsageError
from maieutic.graphs.acts import Act, AgentAct, Formulas, PersonAct, SetAct, ToolAct
from maieutic.graphs.checks.scene import state_types
from maieutic.graphs.expressions import Expression
from maieutic.graphs.failing import Formula, Spot
from maieutic.graphs.merging import StateFields
from maieutic.graphs.nested import Nested, NestedAct, recast
from maieutic.graphs.nodes import (
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
)
from maieutic.graphs.observing import ObservingAct, watches
from maieutic.graphs.spec import GraphSpec
from maieutic.graphs.together import MapAct, ParallelAct
from maieutic.graphs.types import output_model

if TYPE_CHECKING:
    from maieutic.graphs.pupils import Pupils
    from maieutic.protocols.base import Protocol

__all__ = ["Stage", "person_named", "protocol_of", "tool_named"]

_TAKEN = frozenset(("verb", "at", "transcript", "output", "sample"))
"""Names that `Agent.do` has for itself."""

Nest = Callable[[SubgraphStep], Nested]


@dataclass(frozen=True)
class Stage:
    """What the steps of one file find when they act.

    Attributes:
        spec: The file.
        cast: Its agents by the names that the file gives them.
        nest: Makes the graph of a subgraph step.
        pupils: The file's student model, if it has one.
        roles, protocols, tools: The host's own, before installed ones.
    """

    spec: GraphSpec
    cast: Mapping[str, Agent]
    nest: Nest
    pupils: Pupils | None = None
    roles: Mapping[str, type[Agent]] = field(default_factory=dict)
    protocols: Mapping[str, type[Protocol[Any, Any]]] = field(default_factory=dict)
    tools: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> StateFields:
        """The state fields of the file."""
        return StateFields(self.spec.state, state_types(self.spec, self.roles))

    def act(self, name: str, node: Node) -> Act:
        """The act of a node.

        Raises:
            UsageError: It names something that is not there.
            PromptError: A question to a person uses an unknown variable.
        """
        spot = Spot(self.spec, ("graph", "nodes", name))
        if isinstance(node, ParallelNode):
            return ParallelAct({b: self._step(step, spot / "parallel" / b) for b, step in node.parallel.items()})
        if isinstance(node, MapNode):
            return MapAct(
                Formula(node.over, spot / "map"),
                node.item,
                self._step(node.do, spot / "do", (node.item,)),
                self._formulas(node.collect, spot / "collect"),
            )
        return self._step(node, spot)

    def _step(self, step: Step, spot: Spot, names: Iterable[str] = ()) -> Act:
        act = self._acting(step, spot, names)
        if step.observe is None or self.pupils is None:
            return act
        return ObservingAct(act, tuple(watches(step.observe, spot, self.pupils)), self.fields, spot)

    def _acting(self, step: Step, spot: Spot, names: Iterable[str]) -> Act:
        match step:
            case AgentStep():
                return self._agent(step, spot)
            case UseStep():
                program = protocol_of(step.use, step.params, self.cast, self.protocols, self.spec.origin.home)
                return self._nested(program, step, spot)
            case SubgraphStep():
                return self._nested(self.nest(step), step, spot)
            case PersonStep():
                return self._person(step, spot, names)
            case ToolStep():
                arguments = self._formulas(step.arguments, spot / "with")
                writes = self._formulas(step.writes, spot / "writes")
                return ToolAct(
                    step.tool,
                    tool_named(step.tool, self.tools),
                    arguments,
                    writes,
                    spot,
                )
            case SetStep():
                return SetAct(self._formulas(step.set, spot / "set"))

    def _agent(self, step: AgentStep, spot: Spot) -> AgentAct:
        agent = self._actor(step.agent, spot / "agent")
        verb = agent.verb(step.does or next(iter(agent.verbs)))
        reads = step.reads if isinstance(step.reads, dict) else {name: Expression(name) for name in step.reads}
        if taken := sorted(_TAKEN & reads.keys()):
            raise UsageError(f"{(spot / 'reads').keys}: an input cannot be called {taken[0]!r}; choose another name")
        audience = step.audience
        return AgentAct(
            agent,
            verb.name,
            self._formulas(reads, spot / "reads"),
            self._formulas(step.writes, spot / "writes"),
            None if audience is None else frozenset(self._actor(n, spot / "audience").name for n in audience),
            "probe" if step.off_record else verb.kind,
            step.sees == "dialogue",
            None if step.output is None else output_model(f"{step.agent}.{verb.name}", step.output),
        )

    def _person(self, step: PersonStep, spot: Spot, names: Iterable[str]) -> PersonAct:
        ask = Prompt(step.ask, (spot / "ask").keys)
        ask.check((*self.spec.state, *names))
        return PersonAct(
            self.cast[step.person],
            ask,
            self._formulas(step.writes, spot / "writes"),
            tuple(step.choices or ()),
            "probe" if step.off_record else "say",
        )

    def _nested(self, program: Nested, step: UseStep | SubgraphStep, spot: Spot) -> NestedAct:
        inner = self.spec.origin.subgraphs.get(step.graph) if isinstance(step, SubgraphStep) else None
        return NestedAct(
            program,
            self._formulas(step.inputs, spot / "in"),
            self._formulas(step.out, spot / "out"),
            None if inner is None else inner.limits.steps,
        )

    def _formulas(self, expressions: Mapping[str, Expression], spot: Spot) -> Formulas:
        return {name: Formula(e, spot / name) for name, e in expressions.items()}

    def _actor(self, name: str, spot: Spot) -> Agent:
        try:
            return self.cast[name]
        except KeyError:
            known = ", ".join(sorted(self.cast)) or "none"
            raise UsageError(f"{spot.keys}: there is no agent {name!r}; agents: {known}") from None


def person_named(name: str) -> Agent:
    """A person whom the file only names where it asks them."""
    return role_named("person")(name)


def protocol_of(
    name: str,
    given: Mapping[str, Any],
    cast: Mapping[str, Agent],
    own: Mapping[str, type[Protocol[Any, Any]]],
    home: Path,
) -> Protocol[Any, Any]:
    """The protocol that `use:` names, cast and with its parameters checked; paths in them start at `home`.

    Raises:
        UsageError: There is no such protocol, or no such agent.
        pydantic.ValidationError: The parameters do not fit.
    """
    from maieutic.protocols.base import protocol_named

    made: Any = protocol_named(name, own)
    params = recast(made.params_model.model_validate(dict(given), context={"home": home}), cast)
    program: Protocol[Any, Any] = made.of({agent.name: agent for agent in cast.values()}, params)
    return program


@cache
def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="maieutic.tools")}


def tool_named(name: str, own: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The tool of that name, the host's own first.

    Raises:
        UsageError: There is none; the message lists those there are.
    """
    if name in own:
        return own[name]
    if name in _installed():
        found: Callable[..., Any] = _installed()[name].load()
        return found
    known = ", ".join(sorted({*own, *_installed()})) or "none"
    raise UsageError(f"unknown tool {name!r}; known tools: {known}; pass your own as load(…, tools={{{name!r}: …}})")
