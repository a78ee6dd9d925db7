"""Experiment files: strict reading, every problem at once with its place; and their JSON Schema."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from maieutic.backends.models import ModelSpec, Price, SecretRef
from maieutic.errors import ExperimentFileError, FileError, UsageError
from maieutic.files.faults import Dialect, Fault, Owner, checked, shown
from maieutic.files.problems import Problem, failure
from maieutic.files.sheet import Sheet, substitute
from maieutic.files.source import Form, parse, read
from maieutic.graphs.spec import AgentSpec, Origin
from maieutic.runs.experiments.conditions import Condition, Variant, program_of, variants
from maieutic.runs.experiments.spec import BudgetSpec, ConditionSpec, DataSpec, ExperimentSpec, VarySpec

__all__ = ["Loaded", "holds_experiment", "load", "schema"]

_FORM = Form("an experiment file", "version: 1, name: …, data: {file: …} and conditions: {NAME: {graph: FILE}}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An experiment file that was read and checked.

    Attributes:
        spec: What it says.
        conditions: Its conditions, ready to run.
        home: Its folder.
    """

    spec: ExperimentSpec
    conditions: tuple[Condition, ...]
    home: Path


def load(source: Path | str, *, env: Mapping[str, str] | None = None, home: Path | None = None) -> Loaded:
    """Read and check an experiment file, or YAML text, and the graph files that it names.

    Args:
        source: A path; or YAML text, recognised by a line break or an opening brace.
        env: Values for `${env:NAME}`; the process's environment if left out.
        home: The folder from which the paths in a text start.

    Raises:
        FileError: Something is wrong; the message shows every problem with its place.
    """
    if isinstance(source, Path) or not ("\n" in source or source.lstrip().startswith("{")):
        text, file = read(Path(source), error=ExperimentFileError), str(source)
        home = Path(source).parent
    else:
        text, file, home = source, "<string>", home or Path()
    tree, problems = parse(text, file, _FORM)
    if tree.root is None:
        raise failure(problems, ExperimentFileError)
    sheet = Sheet(tree, problems)
    sheet.problems += substitute(tree, os.environ if env is None else env)
    raw = tree.root.plain()
    if not isinstance(raw, dict):
        sheet.wrong((), "an experiment file is a mapping", f"it begins with {_FORM.begins}")
        raise failure(sheet.problems, ExperimentFileError)
    spec = checked(ExperimentSpec, sheet, raw, _DIALECT)
    if spec is None:
        raise failure(sheet.problems, ExperimentFileError)
    found, elsewhere = _conditions(spec, sheet, Origin(file, home))
    _check_data(spec.data, sheet, home)
    _check_scorers(spec, sheet, [] if sheet.problems or elsewhere else [condition.name for condition in found])
    if sheet.problems or elsewhere:
        raise failure([*sheet.problems, *elsewhere], ExperimentFileError)
    return Loaded(spec, tuple(found), home)


def _conditions(spec: ExperimentSpec, sheet: Sheet, origin: Origin) -> tuple[list[Condition], list[Problem]]:
    found: list[Condition] = []
    elsewhere: list[Problem] = []
    for name, condition in spec.conditions.items():
        at = ("conditions", name)
        if (condition.graph is None) == (condition.use is None):
            both = "names a graph file and a protocol" if condition.graph else "does not say what is run"
            sheet.wrong(at, f"condition {name!r} {both}", "give it exactly one of graph, use", key=True)
            continue
        for variant in variants(name, condition, spec.vary):
            try:
                program = program_of(spec, condition, variant, origin)
            except FileError as error:
                elsewhere += _placed(error, sheet, name, condition, variant)
            except (UsageError, ValidationError) as error:
                sheet.wrong(at, _plain(error), key=True)
            else:
                found.append(Condition(variant.name, program, condition.inputs))
                _check_inputs(condition, found[-1], sheet, at)
    return found, list(dict.fromkeys(elsewhere))


def _plain(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).replace("--set ", "").replace("--model ", "models: ")


def _placed(error: FileError, sheet: Sheet, name: str, condition: ConditionSpec, variant: Variant) -> list[Problem]:
    """Problems of a graph file stay there; of a graph that this file says, they are told at the words they name."""
    changed = bool(variant.models or variant.params or variant.settings)
    theirs = [p for p in error.problems if p.line and condition.graph and not (changed and "(changed)" in p.file)]
    for problem in error.problems:
        if problem not in theirs:
            message = problem.message if problem.line else f"{problem.file}: {problem.message}"
            sheet.wrong(_path_of(problem.message, sheet, name), message, problem.hint)
    return theirs


def _path_of(message: str, sheet: Sheet, name: str) -> tuple[str, ...]:
    words = re.findall(r"'([^']+)'", message)
    if sheet.node(("conditions", name, "use")) is not None and "unknown protocol" in message:
        return ("conditions", name, "use")
    for word in words:
        for path in (("conditions", name, "with", word), ("conditions", name, "agents", word), ("agents", word)):
            if sheet.node(path) is not None:
                return path
    for part in ("with", "use", "graph"):
        if sheet.node(("conditions", name, part)) is not None:
            return ("conditions", name, part)
    return ("conditions", name)


def _check_inputs(condition: ConditionSpec, made: Condition, sheet: Sheet, at: tuple[str, ...]) -> None:
    from maieutic.files.problems import did_you_mean

    for name in condition.inputs:
        if name not in made.program.inputs:
            hint = did_you_mean(name, made.program.inputs)
            sheet.wrong((*at, "inputs", name), f"{made.program.name} has no input {name!r}", hint, key=True)


def _check_data(data: DataSpec, sheet: Sheet, home: Path) -> None:
    from maieutic.runs.experiments.data import ENDINGS

    given = [name for name in ("file", "bundled", "hub") if getattr(data, name) is not None]
    if len(given) != 1:
        which = f"data names {' and '.join(given)}" if given else "data does not say where the items are"
        sheet.wrong(("data",), which, "give it exactly one of file, bundled, hub", key=True)
    for name in ("config", "split", "revision"):
        if getattr(data, name) is not None and data.hub is None:
            sheet.wrong(("data", name), f"{name} is a matter of data sets of the hub", "leave it out", key=True)
    if data.file is not None:
        path = home / data.file
        if path.suffix.lower() not in ENDINGS:
            sheet.wrong(("data", "file"), f"{data.file!r} is no data set", f"it ends in {', '.join(sorted(ENDINGS))}")
        elif not path.is_file():
            sheet.wrong(("data", "file"), f"there is no file {str(path)!r}")


def _check_scorers(spec: ExperimentSpec, sheet: Sheet, names: Sequence[str]) -> None:
    from maieutic.runs.scoring import check_against, scorer_from, scorers_from

    for n, given in enumerate(spec.scorers):
        try:
            scorer_from(given)
        except UsageError as error:
            sheet.wrong(("scorers", n), str(error))
            return
    try:
        scorers = scorers_from(spec.scorers)
        if names:  # else not all conditions are known
            check_against(scorers, names)
    except UsageError as error:
        sheet.wrong(("scorers",), str(error))


def holds_experiment(text: str) -> bool:
    """Whether a file is an experiment's: it has the key `conditions` at its top, which no other file has."""
    return any(line.startswith("conditions:") for line in text.splitlines())


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of experiment files, for editors."""
    from maieutic.graphs import json_schema

    graph = json_schema()
    found = ExperimentSpec.model_json_schema(by_alias=True)
    own = found["$defs"]
    definitions = {**own, **{name: part for name, part in graph["$defs"].items() if name != "Limits"}}
    condition = definitions["ConditionSpec"]
    condition["allOf"] = [
        {**rule, "then": {"properties": rule["then"]["properties"]}}  # what is missing may be what varies
        for rule in graph["allOf"]
    ]
    condition["properties"]["use"] = graph["properties"]["use"]
    condition["oneOf"] = [{"required": ["graph"]}, {"required": ["use"]}]
    own_data = definitions["DataSpec"]
    own_data["oneOf"] = [{"required": [name]} for name in ("file", "bundled", "hub")]
    found["properties"]["data"] = {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/DataSpec"}]}
    scorers = found["properties"]["scorers"]
    found["properties"]["scorers"] = {"anyOf": [{"type": "string"}, {k: v for k, v in scorers.items() if k != "title"}]}
    _counts(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "$defs": definitions,
        "title": "maieutic experiment file",
        "patternProperties": {"^x-": True},
    }


def _counts(definitions: dict[str, Any]) -> None:
    """Parameters of a protocol that vary are left out of `with`: none of them is compulsory there."""
    for name, part in definitions.items():
        if name.startswith("with_"):
            part.pop("required", None)


_INSIDE: dict[str, tuple[str, type[BaseModel]]] = {"models": ("model", ModelSpec), "agents": ("agent", AgentSpec)}


def _owner(loc: tuple[str | int, ...]) -> Owner:
    keys = [str(part) for part in loc if part not in ("<list>", "<map>", "<text>", "<router>", "[key]")]
    if not keys:
        return "the file", ExperimentSpec
    plain: dict[str, tuple[str, type[BaseModel]]] = {
        "data": ("data", DataSpec),
        "budget": ("budget", BudgetSpec),
        "vary": ("vary", VarySpec),
    }
    if keys[0] == "conditions" and len(keys) > 1:
        return _of_condition(keys)
    if keys[0] in plain:
        return plain[keys[0]]
    return _named(keys)


def _of_condition(keys: list[str]) -> Owner:
    if len(keys) == 2:
        return f"condition {keys[1]!r}", ConditionSpec
    if keys[2] == "vary":
        return f"vary of condition {keys[1]!r}", VarySpec if len(keys) == 3 else None
    word, model = _named(keys[2:])
    return f"{word} of condition {keys[1]!r}", model


def _named(keys: list[str]) -> Owner:
    if keys[0] in _INSIDE and len(keys) > 1:
        word, model = _INSIDE[keys[0]]
        inside: dict[str, type[BaseModel]] = {"price": Price, "api_key": SecretRef}
        return f"{word} {keys[1]!r}", inside.get(keys[-1], model) if len(keys) > 2 else model
    return keys[0], None


def _own(fault: Fault) -> bool | None:
    given = fault.error["input"]
    if fault.kind == "list_type" and "vary" in fault.path:
        return fault.wrong(f"several values are expected here, not {shown(given)}", f"write [{given}, …]")
    if fault.kind == "list_type" and isinstance(given, str):
        return fault.wrong(f"a list is expected here, not {shown(given)}", f"write [{given}]")
    return None


_DIALECT = Dialect(
    _owner,
    _own,
    tags=("<list>", "<map>", "<text>", "<router>"),
    drops=True,
    examples={
        "version": "write version: 1",
        "name": "write name: …, letters, digits, _ and -",
        "data": "write data: {file: questions.jsonl}",
        "conditions": "write conditions: {NAME: {graph: FILE}} or {NAME: {use: PROTOCOL, with: {…}}}",
    },
)
