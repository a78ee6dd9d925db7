"""What is kept with a run so that another shell can take it up again: its graph file, inputs, seed and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, ValidationError

from maieutic.agents import Agent, role_named
from maieutic.errors import GraphFileError, UsageError
from maieutic.graphs import Graph, GraphSpec, to_yaml
from maieutic.graphs.load import checked, load_text
from maieutic.graphs.spec import AgentSpec
from maieutic.memory import RunRecord
from maieutic.protocols.base import Protocol, protocol_named
from maieutic.runs.program import Program

__all__ = ["Definition", "definition_of", "spec_of"]


class Definition(BaseModel):
    """A run's definition, as the journal keeps it; no secret is in it, only the names of variables that hold one.

    Attributes:
        graph: The text of the graph file, with every override applied; empty if the program cannot be written as one.
        file: The file's name, for messages.
        home: The folder against which its relative paths are resolved.
        inputs: The inputs by name.
        seed: Of everything drawn at random.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    graph: str
    file: str = ""
    home: str = ""
    inputs: dict[str, Any] = {}
    seed: int = 0

    @classmethod
    def of(cls, record: RunRecord) -> Definition:
        """The definition of a recorded run.

        Raises:
            UsageError: The run was made by a program that no graph file can describe.
        """
        definition = cls.model_validate(dict(record.definition)) if record.definition else cls(graph="")
        if not definition.graph:
            raise UsageError(
                f"run {record.id} was made by a Python program that a graph file cannot describe; "
                f"run that program again with run_id={record.id!r}"
            )
        return definition

    def program(self) -> Graph:
        """The graph, loaded again.

        Raises:
            GraphFileError: A file that it names is gone, or a role or tool is not installed here.
        """
        return Graph(load_text(self.graph, self.file, home=Path(self.home)))


def definition_of(program: Program, inputs: Mapping[str, Any], seed: int) -> Definition:
    """The definition of a program and its inputs. A program is written as a file once, however often it is run."""
    if program not in _written:
        spec = spec_of(program)
        _written[program] = (
            Definition(graph="")
            if spec is None
            else Definition(graph=to_yaml(spec), file=spec.origin.file, home=str(spec.origin.home.resolve()))
        )
    return _written[program].model_copy(update={"inputs": dict(inputs), "seed": seed})


_written: WeakKeyDictionary[Program, Definition] = WeakKeyDictionary()


def spec_of(program: Program) -> GraphSpec | None:
    """The graph file that says the same as a program, or None if none can.

    What is built in Python writes the same file, but for agents with instructions of their own by verb, with typed
    replies of their own, with roles that are not installed or names that no file can have (a space in them), and for
    subclasses that change what an installed role or protocol does.
    """
    if isinstance(program, Graph):
        return program.spec
    if not isinstance(program, Protocol) or not program.cast or not _is(program, protocol_named, program.name):
        return None
    agents = [_agent_spec(agent) for agent in program.cast.values()]
    if not all(agents):
        return None
    try:
        return checked(_spec(program, [spec for spec in agents if spec is not None]))
    except (GraphFileError, ValidationError):
        return None


def _spec(program: Protocol[Any, Any], agents: Sequence[AgentSpec]) -> GraphSpec:
    return GraphSpec(
        version=1,
        name=program.name,
        models={f"model_{i}": agent.model for i, agent in enumerate(program.cast.values(), 1)},
        agents={
            name: spec.model_copy(update={"model": f"model_{i}"})
            for i, (name, spec) in enumerate(zip(program.cast, agents, strict=True), 1)
        },
        use=program.name,
        **{"with": program.params.model_dump(mode="json", exclude_defaults=True)},
    )


def _agent_spec(agent: Agent) -> AgentSpec | None:
    if agent.output is not None or agent.own_prompts or agent.chooser is not None:
        return None
    if not _is(agent, role_named, agent.role):
        return None
    return AgentSpec(
        role=agent.role,
        persona=agent.persona,
        stance=agent.stance,
        prompt=agent.own_prompt,
        balance=agent.balance,
    )


def _is(thing: object, installed: Callable[[str], type], name: str) -> bool:
    """Whether a thing does just what the installed class of its name does: it may add to it, but not change it."""
    try:
        known = installed(name)
    except UsageError:
        return False
    own = {n for cls in type(thing).__mro__ if cls not in known.__mro__ for n in vars(cls)}
    changed = {n for n in own if hasattr(known, n) and not n.startswith("__") and n != "_abc_impl"}
    return isinstance(thing, known) and not changed
