"""What the checks look at: a spec, the places of its file, and what is installed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

from maieutic.agents import Agent, Verb, roles
from maieutic.errors import UsageError
from maieutic.files.sheet import Path, Sheet
from maieutic.graphs.nodes import AgentStep, PersonStep, SubgraphStep, ToolStep, UseStep
from maieutic.graphs.questions import OUTCOME, STUDENT, StudentType, student_type
from maieutic.graphs.spec import GraphSpec
from maieutic.graphs.structure import UNREADABLE
from maieutic.graphs.types import ANY, STR, Type, UnknownType, of_model, parse_type
from maieutic.protocols.base import Outcome, Protocol, protocol_named, protocols

__all__ = ["RESERVED", "Scene", "state_types"]

RESERVED = frozenset(("reply", "outcome", "result", "transcript", "student", "true", "false", "null"))
"""Names that a state field or an item cannot have, besides the functions and Python's own words."""

Roles = Mapping[str, type[Agent]]
Protocols = Mapping[str, type[Protocol[Any, Any]]]


@dataclass(slots=True)
class Scene:
    """One file under examination.

    Attributes:
        spec: What it says.
        sheet: Its places and the problems found so far.
        own_roles, own_protocols: The host's, before installed ones.
        tools: Names of the host's tools; those of the entry point `maieutic.tools` are known too.
        doubt: Of "agents", "models" and "state" those whose names the file misspells somewhere, so that it cannot be
            told which are never used.
        state: The types of the state fields; any where the file's type is wrong.
        student: The type of the student model, if the file has one.
    """

    spec: GraphSpec
    sheet: Sheet
    own_roles: Roles = field(default_factory=dict)
    own_protocols: Protocols = field(default_factory=dict)
    tools: Collection[str] = ()
    doubt: set[str] = field(default_factory=set)
    state: dict[str, Type] = field(init=False)
    student: StudentType | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if (model := self.spec.student_model) is not None:
            self.student = student_type(self.spec.origin.concepts, model.budget is not None)
        if self.sheet.problems:
            self.doubt |= {"agents", "models", "state"}
        self.state = {}
        for name, declared in self.spec.state.items():
            try:
                kind = parse_type(declared.type, self.named_type)
            except UnknownType:
                kind = ANY
            nullable = declared.has_default and declared.default is None
            self.state[name] = kind.optional if nullable else kind

    def wrong(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at the value (or key) of a path."""
        self.sheet.wrong(path, message, hint, key=key)

    @property
    def roles(self) -> Roles:
        """Every role by name."""
        return {**roles(), **self.own_roles}

    def role(self, agent: str) -> type[Agent] | None:
        """The role of an agent, or None if one of them is unknown."""
        spec = self.spec.agents.get(agent)
        return self.roles.get(spec.role) if spec else None

    def verb(self, step: AgentStep) -> Verb | None:
        """What an agent step does, or None if that is unknown or not said."""
        role = self.role(step.agent)
        if role is None:
            return None
        if step.does is not None:
            return role.verbs.get(step.does)
        return next(iter(role.verbs.values())) if len(role.verbs) == 1 else None

    @property
    def protocol_names(self) -> set[str]:
        """Every protocol's name."""
        return {*protocols(), *self.own_protocols}

    def protocol(self, name: str) -> type[Protocol[Any, Any]] | None:
        """The protocol of that name, or None."""
        try:
            return protocol_named(name, self.own_protocols)
        except UsageError:
            return None

    @property
    def tool_names(self) -> set[str]:
        """Every tool's name."""
        return {*self.tools, *(point.name for point in entry_points(group="maieutic.tools"))}

    def named_type(self, text: str) -> Type | None:
        """The type `AGENT.output` or `AGENT.VERB`, or None."""
        agent, _, part = text.partition(".")
        role, spec = self.role(agent), self.spec.agents.get(agent)
        if spec is None or role is None:
            return None
        if part == "output":
            if spec.output is not None:
                return _record(spec.output, text)
            typed = [verb.output for verb in role.verbs.values() if verb.output is not None]
            return of_model(typed[0], text) if len(typed) == 1 else None
        verb = role.verbs.get(part)
        return of_model(verb.output, text) if verb is not None and verb.output is not None else None

    def result(self, step: object) -> dict[str, Type]:
        """What a step's own expressions can name: `reply`, `outcome` or `result`, with its type."""
        if isinstance(step, AgentStep):
            return {"reply": self._reply(step)}
        if isinstance(step, PersonStep):
            said = Type("str", values=tuple(step.choices)) if step.choices else STR
            return {"reply": Type("record", fields=(("text", said),))}
        if isinstance(step, UseStep):
            protocol = self.protocol(step.use)
            return {"outcome": of_model(protocol.outcome_model) if protocol else ANY}
        if isinstance(step, SubgraphStep):
            return {"outcome": self._subgraph_outcome(step)}
        return {"result": ANY} if isinstance(step, ToolStep) else {}

    def _reply(self, step: AgentStep) -> Type:
        spec, verb = self.spec.agents.get(step.agent), self.verb(step)
        if spec is None or verb is None:
            return ANY
        block = step.output or spec.output
        if block is not None:
            record = _record(block, f"{step.agent}.output")
        elif verb.output is not None:
            record = of_model(verb.output, f"{step.agent}.{verb.name}")
        else:
            record = Type("record")
        text = () if record.field("text") else (("text", STR),)
        return Type("record", fields=(*record.fields, *text), title="reply")

    def _subgraph_outcome(self, step: SubgraphStep) -> Type:
        other = self.spec.origin.subgraphs.get(step.graph)
        if other is None:
            return ANY
        if other.use is not None:
            protocol = self.protocol(other.use)
            return of_model(protocol.outcome_model) if protocol else ANY
        fields = {**dict(of_model(Outcome).fields), **state_types(other, self.own_roles)}
        if other.student_model is not None:
            fields[STUDENT] = OUTCOME
        return Type("record", fields=tuple(fields.items()))

    def names(self) -> dict[str, Type]:
        """The names that every expression may use: the state fields, and the student model if the file has one."""
        mended = {UNREADABLE: ANY} if self.sheet.problems else {}
        student = {} if self.student is None else {STUDENT: self.student}
        return {**self.state, **student, **mended}


def state_types(spec: GraphSpec, own_roles: Roles | None = None) -> dict[str, Type]:
    """The types of a checked graph's state fields, by name."""
    from maieutic.files.source import Source

    return Scene(spec, Sheet(Source("", ())), own_roles or {}).state


def _record(block: Mapping[str, Any], title: str) -> Type:
    fields = []
    for name, text in block.items():
        try:
            fields.append((name, parse_type(text)))
        except UnknownType:
            fields.append((name, ANY))
    return Type("record", fields=tuple(fields), title=title)
