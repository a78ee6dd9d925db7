"""From what an experiment file says of its conditions to programs that run, and the digests by which they are known."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from pydantic import BaseModel

from maieutic.backends.models import ModelSpec
from maieutic.errors import FileError, UsageError
from maieutic.graphs import Graph, GraphSpec, to_yaml
from maieutic.graphs.load import checked, load_file, load_text
from maieutic.graphs.spec import Origin
from maieutic.runs.definition import spec_of
from maieutic.runs.experiments.spec import ConditionSpec, ExperimentSpec, VarySpec
from maieutic.runs.experiments.store import Arm
from maieutic.runs.overrides import override
from maieutic.runs.program import Program

__all__ = ["Condition", "Variant", "of_program", "program_of", "variants"]

_LONGEST_PATH = 300
_WAY = frozenset(("api_base", "replicas", "api_key", "timeout", "retries", "max_concurrency", "lane", "price"))
"""Of a model's settings those that say how it is reached, and not what it answers: they may change in between."""


@dataclass(slots=True)
class Condition:
    """One condition, ready to run.

    Attributes:
        name: As tables show it.
        program: What is run.
        inputs: Inputs that are the same for every item.
    """

    name: str
    program: Program
    inputs: Mapping[str, Any] = field(default_factory=dict)
    _repeats: dict[int, Program] = field(default_factory=dict)

    @property
    def seeded(self) -> list[str]:
        """Names of the models that have a seed of their own."""
        spec = spec_of(self.program)
        return [name for name, model in spec.models.items() if model.seed is not None] if spec else []

    def at(self, repeat: int) -> Program:
        """The program of a repeat.

        A model with a seed of its own would say the same in every repeat: in the first it has that seed, in each other
        one another seed, which follows from its own.
        """
        if repeat == 0 or not isinstance(self.program, Graph) or not self.seeded:
            return self.program
        if repeat not in self._repeats:
            self._repeats[repeat] = self._reseeded(self.program, repeat)
        return self._repeats[repeat]

    def _reseeded(self, program: Graph, repeat: int) -> Program:
        spec = program.spec
        fresh = {f"models.{name}.seed": crc32(f"{spec.models[name].seed}/{repeat}".encode()) for name in self.seeded}
        try:
            again = Graph(override(spec, settings=fresh))
        except (FileError, UsageError):
            return program  # it has roles or tools of the host's own, which no file knows
        same = {n: type(a) for n, a in again.cast.items()} == {n: type(a) for n, a in program.cast.items()}
        return again if same else program

    def takes(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Of an item's inputs those that the program knows, and the condition's own."""
        known = self.program.inputs
        return {**{name: value for name, value in inputs.items() if name in known}, **self.inputs}

    def arm(self) -> Arm:
        """The condition as the store knows it."""
        spec = spec_of(self.program)
        if spec is None:
            told = _of_program(self.program)
            return Arm(self.name, _digest([told, dict(self.inputs)]), {"program": told})
        home = spec.origin.home.resolve()
        text = to_yaml(spec)
        return Arm(
            self.name,
            _digest([_essence(spec), dict(self.inputs)]),
            {"graph": text, "file": spec.origin.file, "home": str(home), "inputs": dict(self.inputs)},
        )

    @classmethod
    def of(cls, arm: Arm) -> Condition:
        """The condition again, in another process.

        Raises:
            GraphFileError: A file that it names is not there.
            UsageError: It was made in Python, of parts that no file can describe.
        """
        told = arm.definition
        if "graph" not in told:
            raise UsageError(f"The condition {arm.name!r} was made in Python; run it from that program.")
        spec = load_text(str(told["graph"]), str(told["file"]), home=Path(str(told["home"])))
        inputs = told.get("inputs")
        return cls(arm.name, Graph(spec), dict(inputs) if isinstance(inputs, Mapping) else {})


@dataclass(frozen=True, slots=True)
class Variant:
    """One combination of what varies within a condition.

    Attributes:
        name: The condition's name, and what was chosen.
        models, params, settings: Chosen, with those of the condition itself.
    """

    name: str
    models: Mapping[str, ModelSpec]
    params: Mapping[str, Any]
    settings: Mapping[str, Any]


def variants(name: str, condition: ConditionSpec, vary: VarySpec) -> list[Variant]:
    """Every combination of what varies, in the order of the file; the condition itself if nothing does."""
    axes = [*_axes(vary), *_axes(condition.vary)]
    found = []
    for chosen in itertools.product(*(axis.values for axis in axes)):
        parts: dict[str, dict[str, Any]] = {"models": {}, "params": {}, "settings": {}}
        words = []
        for axis, (label, value) in zip(axes, chosen, strict=True):
            parts[axis.part][axis.key] = value
            words.append(label if axis.key == "*" else f"{axis.key.rpartition('.')[2]}={label}")
        found.append(
            Variant(
                f"{name}[{','.join(words)}]" if words else name,
                {**condition.models, **parts["models"]},
                {**condition.params, **parts["params"]},
                {**condition.settings, **parts["settings"]},
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Axis:
    part: str
    key: str
    values: Sequence[tuple[str, Any]]


def _axes(vary: VarySpec) -> Iterator[_Axis]:
    for part in ("models", "params", "settings"):
        for key, values in getattr(vary, part).items():
            if isinstance(values, Mapping):
                yield _Axis(part, key, list(values.items()))
            else:
                yield _Axis(part, key, list(zip(_labels(values), values, strict=True)))


def _labels(values: Sequence[Any]) -> list[str]:
    """A short name for each value: of models what stands after the last slash, where that tells them apart."""
    whole = [v.model if isinstance(v, ModelSpec) else v if isinstance(v, str) else json.dumps(v) for v in values]
    short = [text.rpartition("/")[2] or text for text in whole]
    apart = next((names for names in (short, whole) if len(set(names)) == len(names)), None)
    return apart or [f"{name}#{n}" for n, name in enumerate(short, 1)]


def program_of(experiment: ExperimentSpec, condition: ConditionSpec, variant: Variant, origin: Origin) -> Graph:
    """The program of one variant.

    Raises:
        GraphFileError: The graph file, or what is changed in it, is not valid.
        UsageError: What is to be changed is not there.
    """
    base = _base(experiment, condition, variant, origin)
    models = {who: model.model_dump(mode="json", exclude_unset=True) for who, model in variant.models.items()}
    settings = dict(variant.settings)
    if condition.graph is not None:
        settings = {**{f"with.{key}": value for key, value in variant.params.items()}, **settings}
    return Graph(override(base, models=models, settings=settings) if models or settings else base)


def _base(experiment: ExperimentSpec, condition: ConditionSpec, variant: Variant, origin: Origin) -> GraphSpec:
    if condition.graph is not None:
        return load_file(origin.home / condition.graph)
    agents = {**experiment.agents, **condition.agents}
    named = set(_texts(dict(variant.params)))
    cast = {name: agent for name, agent in agents.items() if name in named}
    models = {name for agent in cast.values() for name in agent.models} | named
    raw = {
        "version": 1,
        "name": condition.use,
        "models": _said({name: model for name, model in experiment.models.items() if name in models}),
        "agents": _said(cast),
        "use": condition.use,
        "with": dict(variant.params),
    } | ({"world": experiment.world} if experiment.world else {})
    spec = GraphSpec.model_validate(raw, by_alias=True)
    try:
        return checked(spec.read_from(origin))
    except FileError:
        told = _said(agents), _said(experiment.models)  # what is wrong is told with everybody in view
        checked(
            GraphSpec.model_validate({**raw, "agents": told[0], "models": told[1]}, by_alias=True).read_from(origin)
        )
        raise


def _said(parts: Mapping[str, BaseModel]) -> dict[str, Any]:
    return {name: part.model_dump(mode="json", by_alias=True, exclude_unset=True) for name, part in parts.items()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def of_program(name: str, program: Program) -> Condition:
    """A condition that was made in Python; one that a file can say is known by what the file says."""
    spec = None if isinstance(program, Graph) else spec_of(program)
    return Condition(name, program if spec is None else Graph(spec))


def _essence(spec: GraphSpec) -> Any:
    """What decides what a graph asks: the file but for its name, and whatever the files that it names say."""
    raw = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    said = {key: value for key, value in raw.items() if key not in ("name", "description", "models")}
    said["models"] = {
        name: {key: value for key, value in model.items() if key not in _WAY}
        for name, model in raw.get("models", {}).items()
    }
    files = {}
    for text in sorted(set(_texts(said))):
        if 0 < len(text) <= _LONGEST_PATH and "\n" not in text and _is_file(path := spec.origin.home / text):
            files[text] = hashlib.sha256(path.read_bytes()).hexdigest()
    return [said, files, {path: _essence(inner) for path, inner in spec.origin.subgraphs.items()}]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _of_program(program: Program) -> dict[str, Any]:
    """What can be told of a program that no file can describe."""
    params = getattr(program, "params", None)
    cast = {
        name: [type(agent).__qualname__, agent.model.model_dump(mode="json"), agent.persona, agent.stance]
        for name, agent in program.cast.items()
    }
    said = params.model_dump(mode="json") if params is not None else {}
    return {"class": f"{type(program).__module__}.{type(program).__qualname__}", "with": said, "cast": cast}


def _digest(told: Any) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
