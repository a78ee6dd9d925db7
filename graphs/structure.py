"""From the tree of a file to its spec: every structural fault becomes a problem at its place.

Faults that can be passed over (an unknown key, an expression that does not parse) are mended in a copy, so that the
checks of meaning still run and one reading reports everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pydantic import BaseModel

from maieutic.agents.balance import Balance
from maieutic.backends.models import ModelSpec, Price, SecretRef
from maieutic.files.faults import Dialect, Fault, checked, shown
from maieutic.files.problems import Trouble, did_you_mean
from maieutic.files.sheet import Sheet
from maieutic.graphs import nodes
from maieutic.graphs.nodes import NODE_KINDS, STEP_KINDS
from maieutic.graphs.routed import RoutedSpec
from maieutic.graphs.spec import AgentSpec, GraphBody, GraphSpec, Limits, StateField, StudentModelSpec

__all__ = ["UNREADABLE", "build", "owner"]

UNREADABLE = "_unreadable_"
"""The expression that stands for one that does not parse; it has any type."""

_NODES: dict[str, type[BaseModel]] = {
    "<agent>": nodes.AgentNode,
    "<use>": nodes.UseNode,
    "<graph>": nodes.SubgraphNode,
    "<person>": nodes.PersonNode,
    "<tool>": nodes.ToolNode,
    "<set>": nodes.SetNode,
    "<parallel>": nodes.ParallelNode,
    "<map>": nodes.MapNode,
    "<when>": nodes.WhenRoute,
    "<else>": nodes.ElseRoute,
}
_STEPS: dict[str, type[BaseModel]] = {
    "<agent>": nodes.AgentStep,
    "<use>": nodes.UseStep,
    "<graph>": nodes.SubgraphStep,
    "<person>": nodes.PersonStep,
    "<tool>": nodes.ToolStep,
    "<set>": nodes.SetStep,
}
_TAGS = {*_NODES, "<list>", "<map>", "<text>", "<one>", "<several>", "<router>"}
_NAMED: dict[str, tuple[str, type[BaseModel]]] = {
    "models": ("model", ModelSpec),
    "agents": ("agent", AgentSpec),
    "state": ("state field", StateField),
}


def build(sheet: Sheet) -> GraphSpec | None:
    """The spec that a file says, all structural problems noted; None if there is too little to go on."""
    raw = sheet.source.root.plain() if sheet.source.root else None
    if not isinstance(raw, dict):
        sheet.wrong((), "a graph file is a mapping", "it begins with version: 1 and name: …")
        return None
    return checked(GraphSpec, sheet, raw, _DIALECT)


def _own(fault: Fault) -> bool | None:
    """The faults that only graph files can have."""
    ways: dict[str, Callable[[Fault], bool | None]] = {
        "extra_forbidden": _two_kinds,
        "expression": _expression,
        "union_tag_not_found": _no_kind,
        "union_tag_invalid": _not_a_step,
    }
    if fault.kind in ways:
        return ways[fault.kind](fault)
    if fault.kind == "less_than_equal" and fault.path[0] == "student_model":
        return _percent(fault)
    if fault.kind != "missing" and "api_key" in fault.path and isinstance(fault.error["input"], str):
        return _open_secret(fault)
    return None


def _percent(fault: Fault) -> bool:
    given = fault.error["input"]
    return fault.wrong(f"{given:g} is not a share from 0 to 1", f"write {given / 100:g} for {given:g} %")


def _two_kinds(fault: Fault) -> bool | None:
    key = str(fault.path[-1])
    where, model = owner(fault.loc[:-1])
    if key not in NODE_KINDS or model not in (*_NODES.values(), *_STEPS.values()):
        return None
    kind = getattr(model, "kind", "")
    fault.wrong(f"{where} has two kinds, {kind!r} and {key!r}", "make two nodes of it", key=True)
    fault.holder().pop(key)
    return True


def _expression(fault: Fault) -> bool:
    context = fault.error["ctx"]
    trouble = Trouble(context["start"], context["end"], context["message"], context["hint"])
    fault.sheet.trouble(fault.path, trouble)
    fault.holder()[fault.path[-1]] = UNREADABLE
    return True


def _no_kind(fault: Fault) -> bool:
    path = fault.path
    step = path[-1] == "do" or (len(path) > 1 and path[-2] == "parallel")
    kinds = STEP_KINDS if step else NODE_KINDS
    given = fault.error["input"]
    if path[-1:] and isinstance(path[-1], int):
        return fault.wrong("a route is a mapping", "write - when: CONDITION, to: NODE, or - else: NODE")
    if not isinstance(given, Mapping):
        return fault.wrong(f"a mapping is expected here, not {shown(given)}", "write what the node does")
    for key in given:
        hint = did_you_mean(str(key), kinds, otherwise="-")
        if hint != "-":
            fault.path = (*path, str(key))
            return fault.wrong(f"unknown key {key!r} in node {path[-1]!r}", hint, key=True)
    message = f"node {path[-1]!r} does not say what it does"
    return fault.wrong(message, f"give it exactly one of {', '.join(kinds)}", key=True)


def _not_a_step(fault: Fault) -> bool:
    kind = fault.error["ctx"]["tag"].strip("<>")
    message = f"a step inside another node cannot be of the kind {kind!r}"
    fault.path = (*fault.path, kind)
    return fault.wrong(message, f"make the {kind} a graph file of its own, and this step graph: FILE", key=True)


def _open_secret(fault: Fault) -> bool:
    """A key in clear: neither the message nor an excerpt may repeat it."""
    hint = "write api_key: {secret: NAME}, where the environment variable NAME has it"
    place = fault.sheet.place(fault.path)
    problem = fault.sheet.source.problem(place, "a secret must not stand in the file", hint)
    fault.sheet.problems.append(replace(problem, source=()))
    return False


def owner(loc: tuple[str | int, ...]) -> tuple[str, type[BaseModel] | None]:
    """How to call the mapping at a pydantic location in a message, and its model."""
    keys = [part for part in loc if isinstance(part, str) and part != "[key]"]
    tag = next((part for part in reversed(keys) if part.startswith("<")), "")
    if not keys:
        return "the file", GraphSpec
    if keys[0] == "limits":
        return "limits", Limits
    if keys[0] == "student_model":
        return "student_model", StudentModelSpec
    if keys[0] in _NAMED and len(keys) > 1:
        word, model = _NAMED[keys[0]]
        inside: dict[str, type[BaseModel]] = {"price": Price, "api_key": SecretRef, "<router>": RoutedSpec}
        if keys[0] == "agents" and keys[-1] == "balance" and len(keys) > 2:
            return f"balance of {word} {keys[1]!r}", Balance
        return f"{word} {keys[1]!r}", inside.get(keys[-1], model) if len(keys) > 2 else model
    if keys[0] == "graph" and tag:
        return _owner_in_graph(keys, tag)
    return keys[0], GraphBody if keys[0] == "graph" else None


def _owner_in_graph(keys: list[str], tag: str) -> tuple[str, type[BaseModel] | None]:
    node = f"node {keys[2]!r}"
    if tag in ("<one>", "<several>"):
        return f"observe of {node}", nodes.Observe
    if keys[-1] == "visits":
        return f"visits of {node}", nodes.Visits
    if tag in ("<when>", "<else>"):
        return f"a route of {node}", _NODES[tag]
    if "<parallel>" in keys and tag != "<parallel>":
        return f"branch {keys[keys.index('parallel') + 1]!r} of {node}", _STEPS[tag]
    if "<map>" in keys and tag != "<map>":
        return f"the step of {node}", _STEPS[tag]
    return node, _NODES[tag]


_DIALECT = Dialect(
    owner,
    _own,
    tags=_TAGS,
    words={
        "reads_type": "a list of state fields, or a mapping of inputs to expressions,",
        "type_text": "a type (a text such as str or list[int], or a list of texts)",
    },
    examples={
        "version": "write version: 1",
        "name": "write name: …, letters, digits, _ and -",
        "start": "say which node comes first",
        "as": "say how an item is called in the step",
        "type": "say what it holds, for example type: str",
    },
)
