"""What flows: expressions against the types of the state, writes, reads before writes, parallel writes."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from maieutic.agents import Prompt
from maieutic.errors import PromptError
from maieutic.files.problems import Trouble, did_you_mean
from maieutic.graphs.checks.edges import Write, writes_of
from maieutic.graphs.checks.facts import Facts, after, facts_of, names_at, when_written
from maieutic.graphs.checks.names import check_name
from maieutic.graphs.checks.scene import Scene, state_types
from maieutic.graphs.checks.student import unfit
from maieutic.graphs.expressions import Expression
from maieutic.graphs.nodes import (
    AgentStep,
    MapNode,
    Node,
    ParallelNode,
    PersonStep,
    SubgraphStep,
    ToolStep,
    UseStep,
    WhenRoute,
)
from maieutic.graphs.observing import listed, parts
from maieutic.graphs.questions import STUDENT
from maieutic.graphs.types import ANY, BOOL, Type, accepts

__all__ = ["check_values"]

At = tuple[str | int, ...]
Names = Mapping[str, Type]


def check_values(scene: Scene) -> None:
    """Note everything that is wrong with what a graph reads and writes."""
    graph = scene.spec.graph
    if graph is None:
        return
    values = _Values(scene)
    facts = facts_of(scene, graph)
    for name, node in graph.nodes.items():
        at = ("graph", "nodes", name)
        values.node(at, node, facts[name])
        values.routes(at, node, after(scene, graph, name, facts[name]))
    for field in scene.spec.state:
        if field not in values.used and "state" not in scene.doubt:
            hint = "read or write it, remove it, or keep it under a key that begins with x-"
            scene.wrong(("state", field), f"state field {field!r} is never used", hint, key=True)


class _Values:
    """One pass over all nodes."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.used: set[str] = set()

    def node(self, at: At, node: Node, facts: Facts) -> None:
        names = names_at(self.scene, facts)
        if isinstance(node, ParallelNode):
            for branch, step in node.parallel.items():
                self._step((*at, "parallel", branch), step, names, facts)
            self._parallel_writes(at, node)
        elif isinstance(node, MapNode):
            self._map(at, node, names, facts)
        else:
            self._step(at, node, names, facts)

    def routes(self, at: At, node: Node, facts: Facts) -> None:
        for i, route in enumerate(node.routes or ()):
            if isinstance(route, WhenRoute):
                path = (*at, "routes", i, "when")
                kind = self._type(path, route.when, names_at(self.scene, facts), facts)
                if not accepts(BOOL, kind):
                    hint = f"compare it, for example {route.when} != {_EMPTY.get(kind.kind, 'null')}"
                    self.scene.wrong(path, f"a condition is true or false; this is of type {kind}", hint)

    def _type(self, path: At, value: Expression, names: Names, facts: Facts) -> Type:
        """The type of an expression; what is wrong with it is noted."""
        self.used |= value.names & set(self.scene.state)
        checked = value.check(names)
        if not value.names <= set(names):
            self.scene.doubt.add("state")
        for trouble in checked.troubles:
            self.scene.sheet.trouble(path, trouble)
        for node in ast.walk(value.tree):
            if isinstance(node, ast.Name) and self._unwritten(node.id, names, facts):
                place = (node.col_offset, node.end_col_offset or node.col_offset + 1)
                self.scene.sheet.trouble(path, Trouble(*place, *_before_write(node.id)))
        return checked.type if not checked.troubles else ANY

    def _unwritten(self, name: str, names: Names, facts: Facts) -> bool:
        """Whether a name is a state field (and no item of a map) without a value."""
        return name in self.scene.state and name not in facts.written

    def _step(self, at: At, step: object, names: Names, facts: Facts) -> None:
        if isinstance(step, AgentStep):
            self._reads(at, step, names, facts)
        elif isinstance(step, PersonStep):
            self._ask((*at, "ask"), step.ask, names, facts)
        elif isinstance(step, UseStep | SubgraphStep):
            self._inputs(at, step, names, facts)
        elif isinstance(step, ToolStep):
            for name, value in step.arguments.items():
                self._type((*at, "with", name), value, names, facts)
        key, writes = writes_of(step)
        result = self.scene.result(step)
        self._writes((*at, key), writes, {**names, **result}, facts)
        made = [(Write("", field, value, (), step), result) for field, value in writes.items()]
        self._observes(at, step, when_written(self.scene, made, names, facts), {**names, **result})

    def _observes(self, at: At, step: object, facts: Facts, names: Names) -> None:
        """What a step tells the student model, which sees what the step has written."""
        known = names_at(self.scene, facts)
        seen = {name: known[name] if name in self.scene.state else kind for name, kind in names.items()}
        for observe, path in listed(getattr(step, "observe", None)):
            for key, value in parts(observe).items():
                kind = self._type((*at, *path, key), value, seen, facts)
                if (trouble := unfit(observe, key, kind, self.scene.student)) is not None:
                    self.scene.wrong((*at, *path, key), *trouble)

    def _reads(self, at: At, step: AgentStep, names: Names, facts: Facts) -> None:
        if isinstance(step.reads, dict):
            for name, value in step.reads.items():
                self._type((*at, "reads", name), value, names, facts)
            return
        for i, name in enumerate(step.reads):
            self._field_read((*at, "reads", i), name, names, facts)

    def _field_read(self, path: At, name: str, names: Names, facts: Facts) -> None:
        self.used.add(name)
        if name not in names:
            self.scene.doubt.add("state")
            hint = did_you_mean(name, names, otherwise="declare it under state")
            self.scene.wrong(path, f"unknown state field {name!r}", hint)
        elif name == STUDENT:
            hint = "ask it something: reads: {zone: student.zone()}"
            self.scene.wrong(path, "the student model itself is no value", hint)
        elif self._unwritten(name, names, facts):
            self.scene.wrong(path, *_before_write(name))

    def _ask(self, path: At, text: str, names: Names, facts: Facts) -> None:
        try:
            prompt = Prompt(text, "this text")
        except PromptError as error:
            self.scene.wrong(path, str(error))
            return
        for name in sorted(prompt.variables):
            self._field_read(path, name, names, facts)

    def _inputs(self, at: At, step: UseStep | SubgraphStep, names: Names, facts: Facts) -> None:
        wanted: Names = {}
        other = self.scene.spec.origin.subgraphs.get(step.graph) if isinstance(step, SubgraphStep) else None
        if other is not None:
            wanted = state_types(other, self.scene.own_roles)
        for name, value in step.inputs.items():
            path = (*at, "in", name)
            kind = self._type(path, value, names, facts)
            if not accepts(wanted.get(name, ANY), kind):
                self.scene.wrong(path, f"the input {name!r} is of type {wanted[name]}, this of type {kind}")

    def _writes(self, path: At, writes: Mapping[str, Expression], names: Names, facts: Facts) -> None:
        for field, value in writes.items():
            kind = self._type((*path, field), value, names, facts)
            self._fits((*path, field), field, kind, value)

    def _fits(self, path: At, field: str, kind: Type, value: Expression) -> None:
        self.used.add(field)
        if field not in self.scene.state:
            self.scene.doubt.add("state")
            hint = did_you_mean(field, self.scene.state, otherwise="declare it under state")
            self.scene.wrong(path, f"unknown state field {field!r}", hint, key=True)
            return
        merge, whole = self.scene.spec.state[field].merge, self.scene.state[field]
        wanted = whole if merge in (None, "last") else whole.present
        if merge == "append":
            wanted = whole.item or ANY
        if not accepts(wanted, kind if kind.kind == "null" else kind.present):
            item = "an item of " if merge == "append" else ""
            message = f"the state field {field!r} takes {item}{whole if item else wanted}, this is of type {kind}"
            self.scene.wrong(path, message, _advice(wanted, kind, value))

    def _parallel_writes(self, at: At, node: ParallelNode) -> None:
        first: dict[str, str] = {}
        for branch, step in node.parallel.items():
            key, writes = writes_of(step)
            for field in writes:
                declared = self.scene.spec.state.get(field)
                if field in first and declared is not None and declared.merge is None:
                    message = f"the branches {first[field]!r} and {branch!r} both write {field!r}, which has no merge"
                    self.scene.wrong((*at, "parallel", branch, key, field), message, _merge_hint(field), key=True)
                first.setdefault(field, branch)

    def _map(self, at: At, node: MapNode, names: Names, facts: Facts) -> None:
        whole = self._type((*at, "map"), node.over, names, facts)
        if whole.kind not in ("list", "any") or (whole.nullable and whole.kind == "list"):
            self.scene.wrong((*at, "map"), f"a map goes over a list; this is of type {whole}")
        check_name(self.scene, node.item, (*at, "as"), "an item's name")
        if node.item in self.scene.state:
            self.scene.wrong((*at, "as"), f"{node.item!r} is a state field already", "choose another name")
        inside = {**names, node.item: (whole.item or ANY) if whole.kind == "list" else ANY}
        self._step((*at, "do"), node.do, inside, facts)
        key, writes = writes_of(node.do)
        for field in writes:
            declared = self.scene.spec.state.get(field)
            if declared is not None and (declared.merge is None or field in node.collect):
                message = f"every item writes {field!r}, which has no merge"
                hint = f"{_merge_hint(field)}, or collect the values: collect: {{{field}: …}}"
                if field in node.collect:
                    message, hint = f"{field!r} is written by every item and collected too", "keep one of them"
                self.scene.wrong((*at, "do", key, field), message, hint, key=True)
        self._collect(at, node, {**inside, **self.scene.result(node.do)}, facts)

    def _collect(self, at: At, node: MapNode, names: Names, facts: Facts) -> None:
        for field, value in node.collect.items():
            path = (*at, "collect", field)
            item = self._type(path, value, names, facts)
            whole = self.scene.state.get(field)
            if whole is not None and whole.kind not in ("list", "any"):
                message = f"collect makes a list; the state field {field!r} is of type {whole}"
                self.scene.wrong(path, message, f"declare it as list[{item}]")
                self.used.add(field)
            else:
                self._fits(path, field, Type("list", item), value)


_EMPTY = {"str": "''", "list": "[]", "int": "0", "float": "0"}


def _before_write(name: str) -> tuple[str, str]:
    hint = f"give it a default, make it an input, or write it on every way here: state: {{{name}: {{default: …}}}}"
    return f"{name!r} is read before anything has written it", hint


def _merge_hint(field: str) -> str:
    return f"say how they combine: state: {{{field}: {{merge: last | add | append | union | max | min}}}}"


def _advice(wanted: Type, kind: Type, value: Expression) -> str:
    if kind.kind == "null":
        return f"let the field be null: type: {wanted}?"
    if kind.kind == "record" and kind.field("text") and accepts(wanted, Type("str")):
        return f"write {value}.text"
    if wanted.values and kind.kind == "str":
        return "let the agent's output: block have the same enumeration"
    return ""
