"""A loaded graph file: a cast, inputs, a LangGraph graph, an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from maieutic.agents import Agent
from maieutic.errors import UsageError
from maieutic.graphs.casting import cast_of
from maieutic.graphs.nodes import PersonStep, SubgraphStep
from maieutic.graphs.pupils import Pupils
from maieutic.graphs.questions import STUDENT
from maieutic.graphs.spec import GraphSpec
from maieutic.graphs.staging import Stage, person_named, protocol_of
from maieutic.protocols.base import CallPlan, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from langgraph.graph.state import CompiledStateGraph, StateGraph

    from maieutic.backends.place import Place
    from maieutic.protocols.base import Protocol

__all__ = ["Graph", "GraphOutcome", "load_graph"]


class GraphOutcome(Outcome):
    """What a graph came to. Its answer is the state field `answer`, if there is one and it holds a text.

    Attributes:
        state: The declared state fields, as they were at the end.
        student: The student model at the end, if the file has one: `log`, what it was told (StudentModel.of makes the
            model again), `mastery` by concept, and `zone`, the concepts that are ready to be learned.
    """

    state: dict[str, Any] = Field(default_factory=dict)
    student: dict[str, Any] | None = None


class Graph:
    """A graph file that can run. A file that is nothing but a protocol runs as that protocol does.

    Args:
        spec: The checked file (see `load_spec`).
        roles, protocols, tools: The host's own, by the names under which the file uses them; they win over installed
            ones. A tool is a function, async or not, whose result is plain JSON (or a pydantic model).
        agents: Agents to act instead of the file's own, by the file's names.

    Attributes:
        spec: The file.
        name: Its name.
        agents: The file's agents by the names that it gives them, and the persons whom it asks.
        cast: All agents by name, those of nested graphs included.
        pupils: The file's student models, if it has them: `pupils.model(run.outcome.student["log"])` is that of a run.

    Raises:
        UsageError: The file names a role, model, agent, protocol or tool that is not there.
        PromptError: A prompt is missing or uses an unknown variable.
    """

    def __init__(
        self,
        spec: GraphSpec,
        *,
        roles: Mapping[str, type[Agent]] | None = None,
        protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        agents: Mapping[str, Agent] | None = None,
    ) -> None:
        self.spec = spec
        self._own: dict[str, Any] = {"roles": roles or {}, "protocols": protocols or {}, "tools": tools or {}}
        self._compiled: CompiledStateGraph[Any, Place, Any, Any] | None = None
        self._alone: Place | None = None
        self.pupils = None if spec.student_model is None else Pupils.of(spec)
        self.agents = cast_of(spec, roles, agents)
        for _, step in spec.steps():
            if isinstance(step, PersonStep) and step.person not in self.agents:
                self.agents[step.person] = person_named(step.person)
        self._nested: dict[int, Graph] = {id(s): self._nest(s) for _, s in spec.steps() if isinstance(s, SubgraphStep)}
        self.protocol = (
            None
            if spec.use is None
            else protocol_of(spec.use, spec.params, self.agents, protocols or {}, spec.origin.home)
        )
        self.cast: Mapping[str, Agent] = self.protocol.cast if self.protocol else self._whole_cast()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.spec.name

    @property
    def inputs(self) -> Mapping[str, bool]:
        """Names of the inputs, the needed ones mapped to True."""
        if self.protocol:
            return self.protocol.inputs
        own = {name: not field.has_default for name, field in self.spec.state.items() if field.input}
        model = self.spec.student_model
        return {**own, STUDENT: False} if model is not None and model.input else own

    def build(self) -> StateGraph[Any, Place, Any, Any]:
        """The LangGraph state graph, not yet compiled: compile it with a checkpointer of your own, if you like."""
        if self.protocol:
            return self.protocol.build()
        from maieutic.graphs.compile import build

        return build(self._stage(), self.at)

    @property
    def compiled(self) -> CompiledStateGraph[Any, Place, Any, Any]:
        """The compiled graph, an ordinary LangGraph graph that a host can embed and stream. It is compiled once.

        Its input are the declared inputs, its output all declared fields and the `transcript`. Give it the place to
        stand as `context`; without one it stands in a run of its own, in memory, and tells its events to the host's
        stream (mode "custom"). A thread of a host's checkpointer is one run: give each question a thread of its own.
        """
        if self.protocol:
            return self.protocol.compiled
        if self._compiled is None:
            compiled = self.build().compile(name=self.name)
            steps = self.spec.limits.steps
            self._compiled = compiled if steps is None else compiled.with_config({"recursion_limit": steps + 1})
        return self._compiled

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> Outcome:
        """The outcome of a state, finished or cut short; `reason` says why it was cut short."""
        if self.protocol:
            found: Outcome = self.protocol.outcome(state, reason)
            return found
        from maieutic.graphs.compile import TRANSCRIPT
        from maieutic.graphs.merging import StateFields

        values = StateFields(self.spec.state, {}).values(state)
        answer = values.get("answer")
        return GraphOutcome(
            answer=answer if isinstance(answer, str) else None,
            reason=reason or "answered",
            transcript=list(state.get(TRANSCRIPT) or []),
            state=values,
            student=None if self.pupils is None else self.pupils.at(state.get(STUDENT)).report(),
        )

    def plan(self) -> CallPlan:
        """How many calls it makes, by agent; see `maieutic.graphs.planning.plan`."""
        if self.protocol:
            found: CallPlan = self.protocol.plan()
            return found
        from maieutic.graphs.planning import plan

        return plan(self._stage())

    def at(self, runtime: Any) -> Place:
        """Where a node stands: the place given as LangGraph context, else a run of the graph's own, in memory."""
        from maieutic.backends import Place, standalone

        if isinstance(runtime.context, Place):
            return runtime.context
        if self._alone is None:
            self._alone = standalone()
        return replace(self._alone, emit=lambda event: runtime.stream_writer(asdict(event)))

    def _stage(self) -> Stage:
        return Stage(self.spec, self.agents, lambda s: self._nested[id(s)], self.pupils, **self._own)

    def _nest(self, step: SubgraphStep) -> Graph:
        """The graph of a subgraph step, with our models and agents in place of its own where the step says so."""
        spec = self.spec
        if step.graph not in spec.origin.subgraphs:
            raise UsageError(f"{spec.origin.file}: the graph file {step.graph!r} was not loaded with it; use load_spec")
        inner = spec.origin.subgraphs[step.graph]
        models = {theirs: spec.models[ours] for theirs, ours in step.models.items()}
        changed = inner.model_copy(update={"models": {**inner.models, **models}})
        agents = {theirs: self.agents[ours] for theirs, ours in step.agents.items()}
        return Graph(changed, **self._own, agents=agents)

    def _whole_cast(self) -> dict[str, Agent]:
        """Our agents, and those of nested graphs under `node file: name` where the name is taken by another."""
        cast = dict(self.agents)
        for graph in self._nested.values():
            for name, agent in graph.cast.items():
                if agent not in cast.values():
                    cast[name if name not in cast else f"{graph.name}.{name}"] = agent
        return cast


def load_graph(
    source: Path | str,
    *,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
) -> Graph:
    """The graph of a file, checked.

    Args:
        source: The file, or the text of one.
        roles, protocols, tools: The host's own; see `Graph`.

    Raises:
        GraphFileError: The file is not valid; every problem is listed with its place.
    """
    from maieutic.graphs.load import load_spec

    spec = load_spec(source, roles=roles, protocols=protocols, tools=tools or ())
    return Graph(spec, roles=roles, protocols=protocols, tools=tools)
