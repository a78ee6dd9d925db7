"""From a graph file to a checked spec: read, build, check, and report everything that is wrong at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import GraphFileError
from maieutic.files.problems import Problem, failure
from maieutic.files.sheet import Sheet, substitute
from maieutic.files.source import Form, parse, read
from maieutic.graphs.checks import Scene, check
from maieutic.graphs.learning import concepts_of
from maieutic.graphs.nodes import SubgraphStep
from maieutic.graphs.spec import GraphSpec, Origin
from maieutic.graphs.structure import build

if TYPE_CHECKING:
    from maieutic.agents import Agent
    from maieutic.protocols.base import Protocol

__all__ = ["checked", "load_file", "load_spec", "load_text"]

_FORM = Form("a graph file", "version: 1 and name: …")


@dataclass(frozen=True, slots=True)
class _Loader:
    """What all files of one loading share."""

    roles: Mapping[str, type[Agent]]
    protocols: Mapping[str, type[Protocol[Any, Any]]]
    tools: Collection[str]
    env: Mapping[str, str] | None
    above: tuple[Path, ...] = ()
    cache: dict[Path, GraphSpec | list[Problem]] = field(default_factory=dict)

    def load(self, text: str, file: str, home: Path) -> GraphSpec:
        """The spec of one text; raises GraphFileError with its problems and those of the files it names."""
        source, problems = parse(text, file, _FORM)
        if source.root is None:
            raise failure(problems)
        sheet = Sheet(source, problems)
        if self.env is not None:
            sheet.problems += substitute(source, self.env)
        spec = build(sheet)
        if spec is None:
            raise failure(sheet.problems)
        spec, below = self._with_subgraphs(spec, sheet, Origin(file, home, text=text))
        concepts, wrong = concepts_of(spec, sheet)
        spec, below = spec.read_from(replace(spec.origin, concepts=concepts)), [*below, *wrong]
        check(Scene(spec, sheet, self.roles, self.protocols, self.tools))
        if sheet.problems or below:
            raise failure([*sheet.problems, *below])
        return spec

    def _with_subgraphs(self, spec: GraphSpec, sheet: Sheet, origin: Origin) -> tuple[GraphSpec, list[Problem]]:
        found: dict[str, GraphSpec] = {}
        problems: list[Problem] = []
        for at, step in spec.steps():
            if not isinstance(step, SubgraphStep):
                continue
            path = origin.home / step.graph
            if (message := self._refused(path)) is not None:
                sheet.wrong((*at, "graph"), message)
            elif isinstance(below := self._below(path), GraphSpec):
                found[step.graph] = below
            else:
                problems += below
        return spec.read_from(replace(origin, subgraphs=found)), problems

    def _refused(self, path: Path) -> str | None:
        try:
            if not path.is_file():
                return f"there is no graph file {str(path)!r}"
            return "this graph file contains itself" if path.resolve() in self.above else None
        except (OSError, ValueError):
            return f"{str(path)!r} is no path"

    def _below(self, path: Path) -> GraphSpec | list[Problem]:
        key = path.resolve()
        if key not in self.cache:
            try:
                inner = replace(self, above=(*self.above, key))
                self.cache[key] = inner.load(read(path), str(path), path.parent)
            except GraphFileError as error:
                self.cache[key] = list(error.problems)
        return self.cache[key]


def load_spec(
    source: Path | str,
    *,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
    tools: Collection[str] = (),
    env: Mapping[str, str] | None = None,
) -> GraphSpec:
    """Read and check a graph file, or YAML text.

    Args:
        source: A path; or YAML text, recognised by a line break or an opening brace.
        roles, protocols: The host's own by name, before installed ones.
        tools: Names of the host's tools, beside those of the entry point `maieutic.tools`.
        env: Values for `${env:NAME}`; the process's environment if left out.

    Raises:
        GraphFileError: Something is wrong; the message shows every problem with its place.
    """
    if isinstance(source, Path) or not ("\n" in source or source.lstrip().startswith("{")):
        return load_file(Path(source), roles=roles, protocols=protocols, tools=tools, env=env)
    return load_text(source, roles=roles, protocols=protocols, tools=tools, env=env)


def load_file(
    path: Path,
    *,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
    tools: Collection[str] = (),
    env: Mapping[str, str] | None = None,
) -> GraphSpec:
    """Read and check a graph file; see `load_spec`."""
    text = read(path)
    above = (path.resolve(),)
    loader = _Loader(roles or {}, protocols or {}, tools, os.environ if env is None else env, above)
    return loader.load(text, str(path), path.parent)


def load_text(
    text: str,
    name: str = "<string>",
    *,
    home: Path | None = None,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
    tools: Collection[str] = (),
    env: Mapping[str, str] | None = None,
) -> GraphSpec:
    """Read and check YAML text; paths in it start at `home` (the working directory). See `load_spec`."""
    loader = _Loader(roles or {}, protocols or {}, tools, os.environ if env is None else env)
    return loader.load(text, name, home or Path())


def checked(
    spec: GraphSpec,
    *,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
    tools: Collection[str] = (),
) -> GraphSpec:
    """Check a spec that was built in Python. Problems are shown on the file that it would write.

    Raises:
        GraphFileError: Something is wrong.
    """
    from maieutic.graphs.write import to_yaml

    loader = _Loader(roles or {}, protocols or {}, tools, None)
    return loader.load(to_yaml(spec), spec.origin.file, spec.origin.home)
