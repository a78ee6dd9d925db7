"""What the file declares: models, agents with their prompts, state fields, limits."""

from __future__ import annotations

import keyword
from pathlib import Path as FilePath
from typing import Any

from maieutic.agents import Agent, Prompt
from maieutic.agents.agent import SYSTEM_VARIABLES
from maieutic.errors import PromptError
from maieutic.files.problems import did_you_mean
from maieutic.files.sheet import Path
from maieutic.graphs.checks.scene import RESERVED, Scene
from maieutic.graphs.functions import FUNCTIONS
from maieutic.graphs.nodes import END
from maieutic.graphs.routed import RoutedSpec, check_routed
from maieutic.graphs.spec import AgentSpec, StateField
from maieutic.graphs.types import Type, UnknownType, fits, parse_type

__all__ = ["check_name", "check_names"]


def check_names(scene: Scene) -> None:
    """Note what is wrong with a file's declarations, each by itself."""
    _check_form(scene)
    for name, agent in scene.spec.agents.items():
        _check_agent(scene, name, agent)
    for name, field in scene.spec.state.items():
        check_name(scene, name, ("state", name), "a state field", key=True)
        _check_type(scene, name, field)
    if scene.spec.graph is not None and END in scene.spec.graph.nodes:
        hint = "it is where the run ends; choose another name"
        scene.wrong(("graph", "nodes", END), f"{END!r} cannot be a node", hint, key=True)
    _check_limits(scene)


def _check_form(scene: Scene) -> None:
    spec = scene.spec
    if spec.graph is None and spec.use is None:
        scene.wrong((), "the file has neither a graph nor a protocol", "give it graph: with nodes, or use: PROTOCOL")
    if spec.graph is not None and spec.use is not None:
        scene.wrong(("use",), "the file has both graph and use", "make the protocol a node of the graph", key=True)
    if spec.use is None and spec.params:
        scene.wrong(("with",), "with belongs to use, which is not there", "move it into the node", key=True)
    if spec.use is not None and spec.graph is None:
        for name in spec.state:
            scene.wrong(("state", name), "a file that is only a protocol has no state", "make it a graph", key=True)


def check_name(scene: Scene, name: str, path: Path, what: str, *, key: bool = False) -> None:
    """Note a name that an expression could not use."""
    if name in RESERVED or name in FUNCTIONS or keyword.iskeyword(name):
        meaning = "a function" if name in FUNCTIONS else "a word of the expression language"
        scene.wrong(path, f"{name!r} cannot be {what}: it is {meaning}", "choose another name", key=key)


def _check_agent(scene: Scene, name: str, agent: AgentSpec) -> None:
    at = ("agents", name)
    role = scene.roles.get(agent.role)
    if role is None:
        scene.wrong((*at, "role"), f"unknown role {agent.role!r}", did_you_mean(agent.role, scene.roles))
    if isinstance(agent.model, RoutedSpec):
        check_routed(scene, (*at, "model"), agent.model)
    elif agent.model not in scene.spec.models:
        scene.doubt.add("models")
        _check_model(scene, name, agent.model, role)
    for field, text in (agent.output or {}).items():
        _known_type(scene, (*at, "output", field), text, outputs=False)
    if role is not None:
        _check_prompts(scene, at, agent, role)


def _check_model(scene: Scene, name: str, model: str | None, role: type[Agent] | None) -> None:
    """Note that an agent has no model, or one that the file does not have."""
    at = ("agents", name)
    if model is None:
        if role is not None and role.default_model is None:
            scene.wrong(at, f"agent {name!r} has no model", "give it model: NAME, a name under models", key=True)
    else:
        looks_inline = "/" in model or not scene.spec.models
        declare = f"declare it: models: {{NAME: {model}}}" if looks_inline else ""
        hint = declare or did_you_mean(model, scene.spec.models)
        scene.wrong((*at, "model"), f"unknown model {model!r}", hint)


def _check_prompts(scene: Scene, at: tuple[str, ...], agent: AgentSpec, role: type[Agent]) -> None:
    if agent.prompt is not None and agent.prompt_file is not None:
        scene.wrong((*at, "prompt_file"), "the agent has both prompt and prompt_file", "keep one of them", key=True)
    if agent.prompt is not None:
        _check_prompt(scene, (*at, "prompt"), agent.prompt, SYSTEM_VARIABLES)
    if agent.prompt_file is not None:
        _check_prompt_file(scene, (*at, "prompt_file"), agent.prompt_file, SYSTEM_VARIABLES)
    for verb, file in agent.prompts.items():
        path = (*at, "prompts", verb)
        if verb not in role.verbs:
            scene.wrong(path, f"a {agent.role} cannot {verb!r}", did_you_mean(verb, role.verbs), key=True)
        else:
            _check_prompt_file(scene, path, file, (*role.verbs[verb].inputs, "given", *SYSTEM_VARIABLES))


def _check_prompt(scene: Scene, path: Path, text: str, known: tuple[str, ...]) -> None:
    try:
        Prompt(text, "this prompt").check(known)
    except PromptError as error:
        scene.wrong(path, str(error).removeprefix("this prompt: "))


def _check_prompt_file(scene: Scene, path: Path, file: str, known: tuple[str, ...]) -> None:
    if _check_file(scene, path, file, "prompt file"):
        try:
            Prompt.load(scene.spec.origin.home / file).check(known)
        except PromptError as error:
            scene.wrong(path, str(error).replace(str(scene.spec.origin.home / file), file))


def _check_file(scene: Scene, path: Path, file: str, what: str) -> bool:
    try:
        found = (scene.spec.origin.home / file).is_file()
    except ValueError:  # a null character
        found = False
    if not found:
        home = "the graph file" if not FilePath(file).is_absolute() else "the root"
        scene.wrong(path, f"there is no {what} {file!r}", f"the path starts at {home}'s folder")
    return found


def _known_type(scene: Scene, path: Path, text: Any, *, outputs: bool = True) -> Type | None:
    try:
        return parse_type(text, scene.named_type if outputs else lambda name: None)
    except UnknownType as error:
        agent, dot, _ = error.part.partition(".")
        if dot and outputs:
            hint = _output_hint(scene, agent)
        else:
            hint = did_you_mean(error.part, ("str", "int", "float", "bool", "any", "dict", "list"))
        scene.wrong(path, f"unknown type {error.part!r}", hint)
        return None


def _output_hint(scene: Scene, agent: str) -> str:
    role = scene.role(agent)
    if role is None:
        return did_you_mean(agent, scene.spec.agents, otherwise=f"there is no agent {agent!r}")
    typed = [f"{agent}.{verb.name}" for verb in role.verbs.values() if verb.output is not None]
    return f"there are: {', '.join(typed)}" if typed else f"give the agent an output: block, {agent} has none"


def _check_type(scene: Scene, name: str, field: StateField) -> None:
    at = ("state", name)
    kind = _known_type(scene, (*at, "type"), field.type)
    if kind is None:
        return
    if field.has_default and field.default is not None and not fits(field.default, kind):
        scene.wrong((*at, "default"), f"the default {field.default!r:.40} is not of type {kind}", "change one of them")
    allowed = {
        "add": ("int", "float", "str", "list"),
        "append": ("list",),
        "union": ("list",),
        "max": ("int", "float", "str"),
        "min": ("int", "float", "str"),
    }.get(field.merge or "")
    if allowed is not None and (kind.kind not in (*allowed, "any") or kind.values):
        hint = f"{field.merge} merges {', '.join(allowed)}"
        scene.wrong((*at, "merge"), f"merge: {field.merge} does not fit the type {kind}", hint)


def _check_limits(scene: Scene) -> None:
    limits, given = scene.spec.limits, scene.spec.limits.model_fields_set
    bounds = ("usd", "tokens", "calls", "seconds", "steps")
    if limits.degrade_to is not None and limits.degrade_to not in scene.spec.models:
        scene.doubt.add("models")
        hint = did_you_mean(limits.degrade_to, scene.spec.models)
        scene.wrong(("limits", "degrade_to"), f"unknown model {limits.degrade_to!r}", hint)
    if limits.on_exceed == "degrade" and limits.degrade_to is None:
        hint = "say which model to go on with: degrade_to: NAME"
        scene.wrong(("limits", "on_exceed"), "on_exceed: degrade needs degrade_to", hint)
    if limits.on_exceed != "degrade" and limits.degrade_to is not None:
        hint = "add on_exceed: degrade, or remove it"
        scene.wrong(("limits", "degrade_to"), "degrade_to is never used", hint, key=True)
    if "on_exceed" in given and all(getattr(limits, bound) is None for bound in bounds):
        hint = f"add one of {', '.join(bounds)}"
        scene.wrong(("limits", "on_exceed"), "on_exceed has no limit to exceed", hint, key=True)
