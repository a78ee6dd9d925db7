"""From the tree of a file to its spec: every structural fault becomes a problem at its place.

Faults that can be passed over (an unknown key, an expression that does not parse) are mended in a copy, so that the
checks of meaning still run and one reading reports everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from maieutic.backends.models import ModelSpec, Price, SecretRef
from maieutic.files.problems import Trouble, did_you_mean
from maieutic.files.sheet import Path, Sheet
from maieutic.graphs import nodes
from maieutic.graphs.nodes import NODE_KINDS, STEP_KINDS
from maieutic.graphs.spec import AgentSpec, GraphBody, GraphSpec, Limits, StateField

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
_TAGS = {*_NODES, "<list>", "<map>"}
_NAMED: dict[str, tuple[str, type[BaseModel]]] = {
    "models": ("model", ModelSpec),
    "agents": ("agent", AgentSpec),
    "state": ("state field", StateField),
}
_WORDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_too_short": "a text that is not empty",
    "finite_number": "a finite number",
    "reads_type": "a list of state fields, or a mapping of inputs to expressions,",
    "type_text": "a type (a text such as str or list[int], or a list of texts)",
}


def build(sheet: Sheet) -> GraphSpec | None:
    """The spec that a file says, all structural problems noted; None if there is too little to go on."""
    raw = sheet.source.root.plain() if sheet.source.root else None
    if not isinstance(raw, dict):
        sheet.wrong((), "a graph file is a mapping", "it begins with version: 1 and name: …")
        return None
    for _ in range(8):  # mending one fault can uncover another, inside a key that was renamed
        try:
            return GraphSpec.model_validate(raw, by_alias=True, by_name=False)
        except ValidationError as failed:
            errors = failed.errors(include_url=False)
        # An unknown key may be the misspelt one that another error misses: those first, then look again.
        strangers = [error for error in errors if error["type"] == "extra_forbidden"]
        if not all([_Fault(sheet, raw, error).note() for error in strangers or errors]):
            return None
    return None


class _Fault:
    """One error of pydantic, told as a problem of the file."""

    def __init__(self, sheet: Sheet, raw: dict[str, Any], error: ErrorDetails) -> None:
        self.sheet = sheet
        self.raw = raw
        self.error = error
        self.kind = error["type"]
        self.loc = error["loc"]
        self.is_key = self.loc[-1:] == ("[key]",) and self.kind != "extra_forbidden"
        inner = self.loc[:-1] if self.is_key or self.kind == "extra_forbidden" else self.loc
        kept = self.loc[-1:] if self.kind == "extra_forbidden" else ()
        self.path: Path = (*(p for p in inner if p not in _TAGS), *kept)

    def note(self) -> bool:
        """Note the problem; whether it could be mended in the raw data."""
        ways: dict[str, Callable[[], bool]] = {
            "extra_forbidden": self._unknown_key,
            "expression": self._expression,
            "missing": self._missing,
            "union_tag_not_found": self._no_kind,
            "union_tag_invalid": self._not_a_step,
            "too_short": self._too_short,
            "string_pattern_mismatch": self._bad_name,
            "literal_error": self._not_one_of,
        }
        way = ways.get(self.kind)
        return way() if way else self._other()

    def _wrong(self, message: str, hint: str = "", *, key: bool = False) -> bool:
        self.sheet.wrong(self.path, message, hint, key=key)
        return False

    def _unknown_key(self) -> bool:
        key = str(self.path[-1])
        where, model = owner(self.loc[:-1])
        holder = self._holder()
        if key in NODE_KINDS and model in (*_NODES.values(), *_STEPS.values()):
            kind = getattr(model, "kind", "")
            self._wrong(f"{where} has two kinds, {kind!r} and {key!r}", "make two nodes of it", key=True)
            holder.pop(key)
            return True
        known = [info.alias or name for name, info in model.model_fields.items()] if model else []
        hint = did_you_mean(key, (k for k in known if k not in holder))
        self._wrong(f"unknown key {key!r} in {where}", hint, key=True)
        value = holder.pop(key)
        if hint.startswith("did you mean"):
            holder[hint.split("'")[1]] = value
        return not hint.startswith("did you mean") or self._rename(key, hint.split("'")[1])

    def _rename(self, key: str, meant: str) -> bool:
        """Let the place of the misspelt key answer for the one that was meant."""
        node = self.sheet.node(self.path[:-1])
        if node is not None and meant not in node.entries:
            node.entries[meant] = node.entries[key]
        return True

    def _holder(self) -> Any:
        holder: Any = self.raw
        for step in self.path[:-1]:
            holder = holder[step]
        return holder

    def _expression(self) -> bool:
        context = self.error["ctx"]
        trouble = Trouble(context["start"], context["end"], context["message"], context["hint"])
        self.sheet.trouble(self.path, trouble)
        self._holder()[self.path[-1]] = UNREADABLE
        return True

    def _missing(self) -> bool:
        key, self.path = self.path[-1], self.path[:-1]
        where, _ = owner(self.loc[:-1])
        return self._wrong(f"{where} needs the key {key!r}", _EXAMPLES.get(str(key), ""), key=True)

    def _no_kind(self) -> bool:
        step = self.path[-1] == "do" or (len(self.path) > 1 and self.path[-2] == "parallel")
        kinds = STEP_KINDS if step else NODE_KINDS
        given = self.error["input"]
        if self.path[-1:] and isinstance(self.path[-1], int):
            return self._wrong("a route is a mapping", "write - when: CONDITION, to: NODE, or - else: NODE")
        if not isinstance(given, Mapping):
            return self._wrong(f"a mapping is expected here, not {_shown(given)}", "write what the node does")
        for key in given:
            hint = did_you_mean(str(key), kinds, otherwise="-")
            if hint != "-":
                self.path = (*self.path, str(key))
                return self._wrong(f"unknown key {key!r} in node {self.path[-2]!r}", hint, key=True)
        message = f"node {self.path[-1]!r} does not say what it does"
        return self._wrong(message, f"give it exactly one of {', '.join(kinds)}", key=True)

    def _not_a_step(self) -> bool:
        kind = self.error["ctx"]["tag"].strip("<>")
        message = f"a step inside another node cannot be of the kind {kind!r}"
        self.path = (*self.path, kind)
        return self._wrong(message, f"make the {kind} a graph file of its own, and this step graph: FILE", key=True)

    def _too_short(self) -> bool:
        fewest, actual = self.error["ctx"]["min_length"], self.error["ctx"]["actual_length"]
        return self._wrong(f"at least {fewest} entr{'y is' if fewest == 1 else 'ies are'} expected here, not {actual}")

    def _bad_name(self) -> bool:
        place = self.sheet.place(self.path, key=self.is_key)
        if any((problem.line, problem.column) == (place.line, place.column) for problem in self.sheet.problems):
            return False
        allowed = "letters, digits and _" if "-" not in self.error["ctx"]["pattern"] else "letters, digits, _ and -"
        message = f"{_shown(self.error['input'])} is not a name"
        return self._wrong(message, f"a name has {allowed}, and begins with a letter or _", key=self.is_key)

    def _not_one_of(self) -> bool:
        given, where = self.error["input"], self.path[-1]
        if where == "version":
            return self._wrong(f"version {_shown(given)} is not known", "this maieutic reads version: 1")
        known = [part.strip(" '") for part in self.error["ctx"]["expected"].replace(" or ", ",").split(",")]
        hint = did_you_mean(given, known) if isinstance(given, str) else f"there are: {', '.join(known)}"
        return self._wrong(f"unknown {where} {_shown(given)}", hint)

    def _other(self) -> bool:
        given = self.error["input"]
        if "api_key" in self.path and isinstance(given, str):
            return self._open_secret()
        if self.kind in _WORDS:
            two_faced = isinstance(given, str) and given.lower() in ("yes", "no", "on", "off")
            hint = "yes, no, on and off are texts" if self.kind == "bool_type" and two_faced else ""
            return self._wrong(f"{_WORDS[self.kind]} is expected here, not {_shown(given)}", hint)
        return self._wrong(_sentence(self.error["msg"], given))

    def _open_secret(self) -> bool:
        """A key in clear: neither the message nor an excerpt may repeat it."""
        hint = "write api_key: {secret: NAME}, where the environment variable NAME has it"
        problem = self.sheet.source.problem(self.sheet.place(self.path), "a secret must not stand in the file", hint)
        self.sheet.problems.append(replace(problem, source=()))
        return False


_EXAMPLES = {
    "version": "write version: 1",
    "name": "write name: …, letters, digits, _ and -",
    "start": "say which node comes first",
    "as": "say how an item is called in the step",
    "type": "say what it holds, for example type: str",
}


def _sentence(message: str, given: Any) -> str:
    for old, new in (("Input should be ", "must be "), ("Value should be ", "must be "), ("Value error, ", "")):
        message = message.replace(old, new)
    return f"{_shown(given)} {message}" if message.startswith("must") else message[:1].lower() + message[1:]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    words = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    return repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:39]}…"


def owner(loc: tuple[str | int, ...]) -> tuple[str, type[BaseModel] | None]:
    """How to call the mapping at a pydantic location in a message, and its model."""
    keys = [part for part in loc if isinstance(part, str) and part != "[key]"]
    tag = next((part for part in reversed(keys) if part.startswith("<")), "")
    if not keys:
        return "the file", GraphSpec
    if keys[0] == "limits":
        return "limits", Limits
    if keys[0] in _NAMED and len(keys) > 1:
        word, model = _NAMED[keys[0]]
        inside: dict[str, type[BaseModel]] = {"price": Price, "api_key": SecretRef}
        return f"{word} {keys[1]!r}", inside.get(keys[-1], model) if len(keys) > 2 else model
    if keys[0] == "graph" and tag:
        return _owner_in_graph(keys, tag)
    return keys[0], GraphBody if keys[0] == "graph" else None


def _owner_in_graph(keys: list[str], tag: str) -> tuple[str, type[BaseModel] | None]:
    node = f"node {keys[2]!r}"
    if keys[-1] == "visits":
        return f"visits of {node}", nodes.Visits
    if tag in ("<when>", "<else>"):
        return f"a route of {node}", _NODES[tag]
    if "<parallel>" in keys and tag != "<parallel>":
        return f"branch {keys[keys.index('parallel') + 1]!r} of {node}", _STEPS[tag]
    if "<map>" in keys and tag != "<map>":
        return f"the step of {node}", _STEPS[tag]
    return node, _NODES[tag]
