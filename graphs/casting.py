"""From the agents of a graph file to agents that can act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from maieutic.agents import Agent, role_named
from maieutic.backends.models import ModelSpec
from maieutic.errors import UsageError
from maieutic.graphs.routed import RoutedSpec, chooser_of
from maieutic.graphs.spec import AgentSpec, GraphSpec
from maieutic.graphs.types import output_model

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cast_of"]


def cast_of(
    spec: GraphSpec, roles: Mapping[str, type[Agent]] | None = None, instead: Mapping[str, Agent] | None = None
) -> dict[str, Agent]:
    """The agents of a file by the names that the file gives them.

    Args:
        spec: The file.
        roles: The host's own roles, before installed ones.
        instead: Agents to use in place of the file's; each plays the role that the file has for it.

    Raises:
        UsageError: A role or a model is not known.
        PromptError: A prompt is missing or uses an unknown variable.
    """
    cast: dict[str, Agent] = {}
    for name, agent in spec.agents.items():
        role = role_named(agent.role, roles)
        other = (instead or {}).get(name)
        if other is None:
            cast[name] = _made(spec, name, agent, role)
        else:
            cast[name] = other if isinstance(other, role) else other.playing(agent.role)
    return cast


def _made(spec: GraphSpec, name: str, agent: AgentSpec, role: type[Agent]) -> Agent:
    home, own = spec.origin.home, agent.model
    prompt: str | Path | None = agent.prompt if agent.prompt_file is None else home / agent.prompt_file
    chooser = None
    if isinstance(own, RoutedSpec):
        chooser = chooser_of(own, home, lambda model: _model(spec, name, model), lambda model: _in_world(spec, model))
    made = role(
        name,
        chooser.stand_in if chooser else None if own is None else _model(spec, name, str(own)),
        persona=agent.persona,
        stance=agent.stance,
        prompt=prompt,
        prompts={verb: home / file for verb, file in agent.prompts.items()},
        output=None if agent.output is None else output_model(f"{name}.output", agent.output),
    )
    if agent.balance is not None:
        made = made.balanced(agent.balance)
    return made.routed(chooser) if chooser else made


def _model(spec: GraphSpec, agent: str, name: str) -> ModelSpec:
    if name not in spec.models:
        known = ", ".join(sorted(spec.models)) or "none"
        raise UsageError(f"{spec.origin.file}: agent {agent!r} uses the unknown model {name!r}; models: {known}")
    return _in_world(spec, spec.models[name])


def _in_world(spec: GraphSpec, model: ModelSpec) -> ModelSpec:
    """A simulated mind lives in the file's world unless it has one of its own."""
    if spec.world is None or model.provider != "sim" or "world" in model.params:
        return model
    return model.model_copy(update={"params": {**model.params, "world": str(spec.origin.home / spec.world)}})
