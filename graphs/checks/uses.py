"""What the steps name: agents and their verbs, protocols with their parameters, graph files, tools, people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from maieutic.files.problems import did_you_mean
from maieutic.files.sheet import Path
from maieutic.graphs.checks.scene import Scene
from maieutic.graphs.nodes import AgentStep, PersonStep, SubgraphStep, ToolStep, UseStep
from maieutic.graphs.questions import STUDENT
from maieutic.graphs.spec import GraphSpec
from maieutic.protocols.base import Params, Plays, Protocol, named_agents

__all__ = ["check_uses"]

At = tuple[str, ...]


def check_uses(scene: Scene) -> None:
    """Note every name that nothing bears, and every agent and model that nothing uses."""
    used: set[str] = set()
    models: set[str] = set()
    for at, step in scene.spec.steps():
        used |= _check_step(scene, at, step)
        if isinstance(step, SubgraphStep):
            models |= set(step.models.values())
    if scene.spec.use is not None and scene.spec.graph is None:
        used |= _check_protocol(scene, (), scene.spec.use, scene.spec.params)
    _check_unused(scene, used, models)


def _check_unused(scene: Scene, used: set[str], models: set[str]) -> None:
    spec, keep = scene.spec, "remove it, or keep it under a key that begins with x-"
    for name in spec.agents:
        if name not in used and "agents" not in scene.doubt:
            scene.wrong(("agents", name), f"agent {name!r} is never used", keep, key=True)
    models |= {model for agent in spec.agents.values() for model in agent.models}
    models |= {spec.limits.degrade_to or ""}
    for name in spec.models:
        if name not in models and "models" not in scene.doubt:
            scene.wrong(("models", name), f"model {name!r} is never used", keep, key=True)


def _check_step(scene: Scene, at: At, step: object) -> set[str]:
    """Note what is wrong with a step's names; the agents that it uses."""
    if isinstance(step, AgentStep):
        return _check_agent_step(scene, at, step)
    if isinstance(step, UseStep):
        return _check_use(scene, at, step)
    if isinstance(step, SubgraphStep):
        return _check_subgraph(scene, at, step)
    if isinstance(step, PersonStep):
        return _check_person(scene, at, step)
    if isinstance(step, ToolStep) and step.tool not in scene.tool_names:
        known = scene.tool_names
        hint = did_you_mean(step.tool, known) if known else "the host passes tools in, or a package registers them"
        scene.wrong((*at, "tool"), f"unknown tool {step.tool!r}", hint)
    return set()


def _agent_known(scene: Scene, path: Path, name: str) -> None:
    if name not in scene.spec.agents:
        scene.doubt.add("agents")
        scene.wrong(path, f"unknown agent {name!r}", did_you_mean(name, scene.spec.agents))


def _check_agent_step(scene: Scene, at: At, step: AgentStep) -> set[str]:
    _agent_known(scene, (*at, "agent"), step.agent)
    role, verb = scene.role(step.agent), scene.verb(step)
    if role is not None and verb is None:
        if step.does is None:
            hint = f"add does: {' | '.join(role.verbs)}"
            scene.wrong((*at, "agent"), f"node {at[-1]!r} does not say what the {role.role} does", hint)
        else:
            scene.wrong((*at, "does"), f"a {role.role} cannot {step.does!r}", did_you_mean(step.does, role.verbs))
    if verb is not None and (missing := [need for need in verb.needs if need not in step.reads]):
        words = f"input{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
        message = f"a {role.role if role else ''} cannot {verb.name} without the {words}"
        scene.wrong((*at, "does") if step.does else (*at, "agent"), message, "give it under reads")
    known = {*scene.spec.agents, *(s.person for _, s in scene.spec.steps() if isinstance(s, PersonStep))}
    for i, name in enumerate(step.audience or ()):
        if name not in known:
            scene.wrong((*at, "audience", i), f"unknown agent {name!r}", did_you_mean(name, known))
    return {step.agent}


def _check_person(scene: Scene, at: At, step: PersonStep) -> set[str]:
    agent = scene.spec.agents.get(step.person)
    if agent is not None and agent.role != "person":
        hint = "choose another name, or give the agent the role person"
        scene.wrong((*at, "person"), f"{step.person!r} is an agent with the role {agent.role}, not a person", hint)
    return {step.person}


def _check_use(scene: Scene, at: At, step: UseStep) -> set[str]:
    agents = _check_protocol(scene, at, step.use, step.params)
    protocol = scene.protocol(step.use)
    if protocol is not None:
        _check_inputs(scene, at, step.use, step.inputs, protocol.inputs)
    return agents


def _check_inputs(scene: Scene, at: At, what: str, given: Iterable[str], inputs: Mapping[str, bool]) -> None:
    for name in given:
        if name not in inputs:
            hint = did_you_mean(name, inputs)
            if name == STUDENT and scene.sheet.node((*at, "graph")):
                hint = "add student_model: {input: true} there"
            scene.wrong((*at, "in", name), f"{what} has no input {name!r}", hint, key=True)
    for name, needed in inputs.items():
        if needed and name not in given:
            hint = f"add in: {{{name}: EXPRESSION}}"
            kind = "use" if scene.sheet.node((*at, "use")) else "graph"
            scene.wrong((*at, kind), f"{what} needs the input {name!r}", hint)


def _check_protocol(scene: Scene, at: At, name: str, params: Mapping[str, Any]) -> set[str]:
    """Note what is wrong with a protocol's parameters; the agents that they name."""
    protocol = scene.protocol(name)
    if protocol is None:
        scene.wrong((*at, "use"), f"unknown protocol {name!r}", did_you_mean(name, scene.protocol_names))
        scene.doubt.add("agents")
        return set()
    try:
        checked: Params = protocol.params_model.model_validate(params, context={"home": scene.spec.origin.home})
    except ValidationError as failed:
        for error in failed.errors(include_url=False):
            _wrong_parameter(scene, at, protocol, error)
        scene.doubt.add("agents")
        return set()
    places = _places(protocol, params)
    for role, agent in named_agents(checked):
        if agent not in scene.spec.agents:
            scene.doubt.add("agents")
            hint = did_you_mean(agent, scene.spec.agents)
            place = (*at, "with", *places.get(agent, ()))
            scene.wrong(place, f"there is no agent {agent!r} to play the {role}", hint)
    return {agent for _, agent in named_agents(checked)}


def _places(protocol: type[Protocol[Any, Any]], params: Mapping[str, Any]) -> dict[str, tuple[str | int, ...]]:
    """Where under `with` each agent is named."""
    places: dict[str, tuple[str | int, ...]] = {}
    for name, info in protocol.params_model.model_fields.items():
        value = params.get(info.alias or name)
        if any(isinstance(mark, Plays) for mark in info.metadata):
            if isinstance(value, str):
                places.setdefault(value, (name,))
            for i, agent in enumerate(value if isinstance(value, list) else ()):
                places.setdefault(str(agent), (name, i))
    return places


def _wrong_parameter(scene: Scene, at: At, protocol: type[Protocol[Any, Any]], error: Any) -> None:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    path = (*at, "with", *loc)
    known = [info.alias or name for name, info in protocol.params_model.model_fields.items()]
    if error["type"] == "extra_forbidden" and len(loc) == 1:
        hint = did_you_mean(str(loc[0]), known)
        scene.wrong(path, f"{protocol.name} has no parameter {loc[0]!r}", hint, key=True)
    elif error["type"] == "missing" and len(loc) == 1:
        description = (protocol.params_model.model_fields[str(loc[0])].description or "").rstrip(".")
        place = (*at, "with") if scene.sheet.node((*at, "with")) else (*at, "use")
        scene.wrong(place, f"{protocol.name} needs the parameter {loc[0]!r}", description[:1].lower() + description[1:])
    else:
        about = f"{protocol.name}, {'.'.join(str(p) for p in loc)}: " if loc else f"{protocol.name}: "
        message = error["msg"].removeprefix("Value error, ")
        if not loc:  # parameters that do not fit together: the one that is named first
            first = message.partition(" ")[0].rstrip(":,")
            path = (*path, first) if first in known and scene.sheet.node((*path, first)) else path
        bare = error["type"] == "string_type" and isinstance(error["input"], int | float)
        scene.wrong(path, about + message[:1].lower() + message[1:], "put it in quotes" if bare else "")


def _check_subgraph(scene: Scene, at: At, step: SubgraphStep) -> set[str]:
    other = scene.spec.origin.subgraphs.get(step.graph)
    for mine in step.models.items():
        theirs = ("model", scene.spec.models, other.models if other else None)
        _check_override(scene, (*at, "models", mine[0]), mine, theirs)
    for mine in step.agents.items():
        cast = ("agent", scene.spec.agents, other.agents if other else None)
        _check_override(scene, (*at, "agents", mine[0]), mine, cast)
    if other is not None:
        _check_inputs(scene, at, step.graph, step.inputs, _inputs_of(scene, other))
    return set(step.agents.values())


def _check_override(
    scene: Scene, path: Path, names: tuple[str, str], known: tuple[str, Mapping[str, Any], Mapping[str, Any] | None]
) -> None:
    what, ours, theirs = known
    if theirs is not None and names[0] not in theirs:
        message = f"that graph has no {what} {names[0]!r}"
        scene.wrong(path, message, did_you_mean(names[0], theirs), key=True)
    if names[1] not in ours:
        scene.doubt.add(f"{what}s")
        scene.wrong(path, f"unknown {what} {names[1]!r}", did_you_mean(names[1], ours))


def _inputs_of(scene: Scene, spec: GraphSpec) -> Mapping[str, bool]:
    """A graph's inputs; the needed ones are mapped to True."""
    if spec.use is not None:
        protocol = scene.protocol(spec.use)
        return protocol.inputs if protocol else {}
    own = {name: not field.has_default for name, field in spec.state.items() if field.input}
    takes_student = spec.student_model is not None and spec.student_model.input
    return {**own, STUDENT: False} if takes_student else own
