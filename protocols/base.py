"""What every protocol is: typed parameters, a LangGraph subgraph, a typed outcome."""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from maieutic.agents import Agent
from maieutic.errors import BudgetExceeded, ModelError, ReplyError, UsageError, WaitingForPerson
from maieutic.files.problems import did_you_mean
from maieutic.memory import Event, Turn
from maieutic.protocols.parameters import FromFile, Params, Plays, named_agents
from maieutic.protocols.together import reason_of

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph, StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = [
    "CallPlan",
    "Cast",
    "FromFile",
    "Outcome",
    "Params",
    "Plays",
    "Protocol",
    "agents_by_name",
    "asked",
    "check_inputs",
    "heard",
    "named_agents",
    "protocol_named",
    "protocols",
]

ParamsT = TypeVar("ParamsT", bound="Params")
OutcomeT = TypeVar("OutcomeT", bound="Outcome")

STEPS = 10_000_000
"""LangGraph's bound on steps; every cycle of a protocol is bounded by the protocol's own rule."""


class Outcome(BaseModel):
    """Base of all protocols' outcomes.

    Attributes:
        answer: What the protocol came to, or None if it came to nothing.
        reason: Why it ended: "answered", "agreed", "limit", "stopped"; the run layer adds "budget", "paused",
            "waiting", "cancelled" and "failed:KIND" (see ModelError.kind) when it ended before its time.
        transcript: What was said, off-the-record probes included (kind "probe"), as plain JSON (see Turn).
    """

    model_config = ConfigDict(extra="forbid")

    answer: str | None = None
    reason: str = "answered"
    transcript: list[dict[str, Any]] = []

    def table(self) -> str:
        """What it came to beyond its answer, as lines of text for a terminal; empty where there is no more to say."""
        return ""

    def plot(self, path: Path | str) -> Path:
        """Draw it to an .svg, .png or .pdf file; an outcome that can be drawn writes this method.

        Raises:
            UsageError: There is nothing to draw, matplotlib is not installed, or the file cannot be written.
        """
        raise UsageError(f"{type(self).__name__} has no picture; leave out the plot")


Cast = Mapping[str, Agent]
"""Agents by name."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """How many model calls a protocol makes, for `--dry-run` and budgets.

    Attributes:
        calls: By agent name, (fewest, most) calls.
        apart: Whether each call reads a question of its own, and not a dialogue that grows.
    """

    calls: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    apart: bool = False

    def __add__(self, other: CallPlan) -> CallPlan:
        names = dict.fromkeys((*self.calls, *other.calls))
        return CallPlan(
            {
                n: tuple(a + b for a, b in zip(self.calls.get(n, (0, 0)), other.calls.get(n, (0, 0)), strict=True))  # type: ignore[misc]
                for n in names
            },
            apart=self.apart and other.apart,
        )

    @property
    def fewest(self) -> int:
        """Calls if everything ends as early as it can."""
        return sum(low for low, _ in self.calls.values())

    @property
    def most(self) -> int:
        """Calls if nothing ends early."""
        return sum(high for _, high in self.calls.values())


class Protocol(ABC, Generic[ParamsT, OutcomeT]):
    """One way in which agents interact.

    A subclass sets the class attributes and writes `build`, `outcome` and `plan`. Its nodes are methods
    `async def speak(self, state: State, runtime: Runtime[Place]) -> Update`; they find their place with
    `self.at(runtime)` and keep plain JSON in the state, so that any checkpointer can store it.

    There are two ways to make one. In Python, `Debate(debaters=[ada, bo], rounds=2)` takes agents where the parameters
    name agents; a subclass may give that constructor a signature of its own. From a file, `Debate.of(cast, params)`
    takes the agents by name and the checked parameters.

    Args:
        **parameters: The parameters, with agents in place of their names.

    Raises:
        UsageError: The parameters do not fit, or two agents share a name.

    Attributes:
        name: As it stands after `use:`.
        params_model, outcome_model: The pydantic models.
        inputs: Names of the inputs, the needed ones mapped to True. Every input is a key of the state.
        cast: The agents by name, each in the role it plays.
    """

    name: ClassVar[str]
    params_model: ClassVar[type[Params]]
    outcome_model: ClassVar[type[Outcome]]
    inputs: ClassVar[Mapping[str, bool]] = {"question": True}
    params: ParamsT
    cast: dict[str, Agent]

    def __init__(self, **parameters: Any) -> None:
        agents: list[Agent] = []
        for name in _cast_fields(self.params_model):
            if name in parameters:
                parameters[name] = _names(parameters[name], agents)
        try:
            params: ParamsT = self.params_model.model_validate(parameters)  # type: ignore[assignment]
        except ValidationError as error:
            raise UsageError(_readable(self.name, error, self.params_model)) from error
        self._take(agents_by_name(agents), params)

    @classmethod
    def of(cls, cast: Cast, params: ParamsT) -> Self:
        """The protocol with the agents that its parameters name.

        Args:
            cast: Agents by name; those not named by the parameters are ignored.
            params: The checked parameters.

        Raises:
            UsageError: A named agent is not in the cast.
        """
        self = cls.__new__(cls)
        self._take(cast, params)
        return self

    def _take(self, cast: Cast, params: ParamsT) -> None:
        self.params = params
        self._own: Place | None = None
        self._compiled: CompiledStateGraph[Any, Place, Any, Any] | None = None
        agents: dict[str, Agent] = {}
        for role, name in named_agents(params):
            if name not in cast:
                known = ", ".join(sorted(cast)) or "none"
                raise UsageError(f"{self.name}: there is no agent {name!r} to play the {role}; agents: {known}")
            agents[name] = cast[name].playing(role)
        self.cast = agents
        self.prepare()

    def prepare(self) -> None:
        """Called once when params and cast are known: dress the cast, check what only agents can tell."""

    @abstractmethod
    def build(self) -> StateGraph[Any, Place, Any, Any]:
        """The protocol as a LangGraph state graph over plain JSON."""

    @abstractmethod
    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> OutcomeT:
        """The outcome of a state, finished or not; `reason` overrides the state's own when the run was cut short."""

    @abstractmethod
    def plan(self) -> CallPlan:
        """How many calls it will make."""

    def at(self, runtime: Runtime[Any]) -> Place:
        """Where a node stands: the place given as LangGraph context, else a run of the protocol's own.

        The second is how a host's graph embeds a protocol without knowing maieutic: nothing is journaled, and events go
        to the host's stream (mode "custom").
        """
        from maieutic.backends import Place, standalone

        if isinstance(runtime.context, Place):
            return runtime.context
        if self._own is None:
            self._own = standalone()
        return replace(self._own, emit=lambda event: runtime.stream_writer(asdict(event)))

    @property
    def compiled(self) -> CompiledStateGraph[Any, Place, Any, Any]:
        """The compiled graph: an ordinary LangGraph graph that a host can embed and stream. Compiled once.

        Give it the place to stand as `context`; without one it stands in a run of its own in memory.
        """
        if self._compiled is None:
            self._compiled = self.build().compile(name=self.name)
        return self._compiled

    async def perform(self, question: str = "", *, at: Place | None = None, **inputs: Any) -> OutcomeT:
        """Do it once and return its outcome. `maieutic.run` puts a run around it: a journal, a budget, a ledger.

        Args:
            question: The question or topic, for a protocol that takes one.
            at: Where in a run; left out, nothing is journaled.
            **inputs: The protocol's other inputs.

        Raises:
            ModelError, ReplyError, BudgetExceeded, WaitingForPerson: What ended it before its time. What it had come to
                until then is `error.partial`, an outcome.
            UsageError: An input is unknown, missing or unfit.
        """
        from maieutic.backends import in_memory

        if question or "question" in self.inputs:
            inputs["question"] = question
        if at is not None:
            return await self._perform(at, inputs)
        async with in_memory() as place:
            return await self._perform(place, inputs)

    async def _perform(self, at: Place, inputs: Mapping[str, Any]) -> OutcomeT:
        state: Mapping[str, Any] = {}
        try:
            async for state in self.compiled.astream(  # noqa: B007 - the last one counts
                check_inputs(self, inputs), {"recursion_limit": STEPS}, context=at, stream_mode="values"
            ):
                pass
        except (ModelError, ReplyError, BudgetExceeded, WaitingForPerson) as error:
            error.partial = self.outcome(state, reason_of(error))
            raise
        return self.outcome(state)


class TakesInputs(typing.Protocol):
    """Whatever has a name and declares its inputs: protocols, and graphs."""

    @property
    def name(self) -> str: ...

    @property
    def inputs(self) -> Mapping[str, bool]: ...


def check_inputs(taker: TakesInputs, given: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, if they are those that it knows and none is missing.

    Raises:
        UsageError: Naming the unknown or missing ones.
    """
    if unknown := sorted(set(given) - set(taker.inputs)):
        raise UsageError(
            f"{taker.name} has no input {', '.join(map(repr, unknown))}; it takes {', '.join(taker.inputs)}"
        )
    if missing := [name for name, needed in taker.inputs.items() if needed and name not in given]:
        raise UsageError(f"{taker.name} needs the input {', '.join(map(repr, missing))}")
    return dict(given)


def _cast_fields(model: type[Params]) -> list[str]:
    return [name for name, info in model.model_fields.items() if any(isinstance(m, Plays) for m in info.metadata)]


def _names(given: Any, agents: list[Agent]) -> Any:
    """The names in place of agents, which are collected; anything else is left for the parameters to judge."""
    if isinstance(given, Agent):
        agents.append(given)
        return given.name
    return [_names(each, agents) for each in given] if isinstance(given, (list, tuple)) else given


def _readable(name: str, error: ValidationError, model: type[Params]) -> str:
    problems = []
    for problem in error.errors():
        where = ".".join(map(str, problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
            message += f"; {did_you_mean(where, model.model_fields)}"
        problems.append(f"{where}: {message}" if where else message)
    return f"{name}: " + "; ".join(problems)


def asked(protocol: str, question: Any) -> str:
    """The question.

    Raises:
        UsageError: It is no text, or an empty one.
    """
    if not isinstance(question, str) or not question.strip():
        raise UsageError(f"{protocol}: the question must be a text with something in it, not {question!r}")
    return question


def heard(at: Place, turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Tell the run about finished turns, and return them as the plain JSON that the state keeps."""
    out = []
    for turn in turns:
        raw = turn.to_json()
        at.emit(Event("turn", at.address.local, raw))
        out.append(raw)
    return out


_OURS = {
    "agent_forest": "maieutic.protocols.baselines:AgentForest",
    "cascade": "maieutic.protocols.cascade:Cascade",
    "debate": "maieutic.protocols.debate:Debate",
    "decompose_and_route": "maieutic.protocols.decompose_and_route:DecomposeAndRoute",
    "dialogue_planner": "maieutic.protocols.dialogue_planner:DialoguePlanner",
    "explanation_transfer": "maieutic.protocols.interventions.generalisation:ExplanationTransfer",
    "flip_flop": "maieutic.protocols.persuasion.flip_flop:FlipFlop",
    "interact": "maieutic.protocols.interact:Interact",
    "interventions": "maieutic.protocols.interventions.protocol:Interventions",
    "misinformation": "maieutic.protocols.persuasion.misinformation:Misinformation",
    "online_interventions": "maieutic.protocols.interventions.online:OnlineInterventions",
    "personalised_explanations": "maieutic.protocols.interventions.personalised:PersonalisedExplanations",
    "refinement_tree": "maieutic.protocols.refinement_tree:RefinementTree",
    "resist_or_accept": "maieutic.protocols.persuasion.resist_or_accept:ResistOrAccept",
    "persuasion_tree": "maieutic.protocols.persuasion.tree:PersuasionTree",
    "router_r1": "maieutic.protocols.router_r1:RouterR1",
    "self_consistency": "maieutic.protocols.self_consistency:SelfConsistency",
    "self_refine": "maieutic.protocols.baselines:SelfRefine",
    "single_call": "maieutic.protocols.baselines:SingleCall",
    "solo_performance": "maieutic.protocols.baselines:SoloPerformance",
    "team_debate": "maieutic.protocols.persuasion.team:TeamDebate",
    "tutor": "maieutic.protocols.tutor:Tutor",
}


@cache
def protocols() -> Mapping[str, EntryPoint]:
    """Every protocol by name, not yet imported: ours, and those under the entry point `maieutic.protocols`."""
    ours = {name: EntryPoint(name, value, "maieutic.protocols") for name, value in _OURS.items()}
    return {**{point.name: point for point in entry_points(group="maieutic.protocols")}, **ours}


def protocol_named(name: str, own: Mapping[str, type[Protocol[Any, Any]]] | None = None) -> type[Protocol[Any, Any]]:
    """The protocol of that name, the caller's own first.

    Raises:
        UsageError: There is none; the message lists those there are.
    """
    if own and name in own:
        return own[name]
    if name in protocols():
        found: type[Protocol[Any, Any]] = protocols()[name].load()
        return found
    known = sorted({*protocols(), *(own or {})})
    raise UsageError(f"unknown protocol {name!r}; known protocols: {', '.join(known)}")


def agents_by_name(agents: Sequence[Agent]) -> dict[str, Agent]:
    """Agents by name.

    Raises:
        UsageError: Two agents share a name. One agent may do several things.
    """
    cast: dict[str, Agent] = {}
    for agent in agents:
        if cast.get(agent.name, agent) is not agent:
            raise UsageError(f"two agents are called {agent.name!r}; give each its own name")
        cast[agent.name] = agent
    return cast
