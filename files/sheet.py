"""The places of a file: from a path of keys to a line and column, and the problems found so far."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from maieutic.files.problems import Problem, Trouble
from maieutic.files.source import Node, Source, Span

__all__ = ["Path", "Sheet", "substitute"]

Path = Sequence[str | int]
"""Keys and list positions from the root of the file."""

_ENV = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}")
_ENV_LIKE = re.compile(r"\$\{env:[^}]*\}?")


@dataclass(slots=True)
class Sheet:
    """A parsed file on which problems are noted.

    Attributes:
        source: The text and its tree.
        problems: What was found so far.
    """

    source: Source
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at the value (or the key) of a path; at the nearest place above it that exists."""
        self.problems.append(self.source.problem(self.place(path, key=key), message, hint))

    def trouble(self, path: Path, trouble: Trouble) -> None:
        """Note a problem inside an expression."""
        node = self.node(path)
        place = self.place(path) if node is None else self.source.within(node, trouble.start, trouble.end)
        self.problems.append(self.source.problem(place, trouble.message, trouble.hint))

    def node(self, path: Path) -> Node | None:
        """The value at a path, or None."""
        node = self.source.root
        for step in path:
            node = _child(node, step)
        return node

    def place(self, path: Path, *, key: bool = False) -> Span:
        """Where a path's value (or key) stands; of the nearest place above it if the path ends early."""
        node = self.source.root
        place = _top(node)
        for i, step in enumerate(path):
            below = _child(node, step)
            if below is None or node is None:
                return place
            last = i == len(path) - 1
            container = below.kind != "scalar"
            named = node.kind == "map" and (key if last else container)
            place = node.entries[str(step)][0] if named else below.span
            node = below
        return place


def _top(root: Node | None) -> Span:
    """Where a file begins to say something: its first key."""
    if root is None:
        return Span(1, 1, 1, 2)
    return next((key for key, _ in root.entries.values()), root.span)


def _child(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    if node.kind == "map" and step in node.entries:
        return node.entries[str(step)][1]
    if node.kind == "list" and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def substitute(source: Source, env: Mapping[str, str]) -> list[Problem]:
    """Put the environment's values in place of `${env:NAME}` and `${env:NAME:-default}`, in all texts of the tree."""
    problems: list[Problem] = []
    for node in source.root.scalars() if source.root else ():
        if isinstance(node.value, str) and "${env:" in node.value:
            problems += _missing(source, node, env)
            node.value = _ENV.sub(lambda found: env.get(found[1], found[3] or ""), node.value)
    return problems


def _missing(source: Source, node: Node, env: Mapping[str, str]) -> list[Problem]:
    problems = []
    for found in _ENV_LIKE.finditer(node.value):
        place = source.within(node, found.start(), found.end())
        whole = _ENV.fullmatch(found[0])
        if whole is None:
            hint = "write ${env:NAME} or ${env:NAME:-default}"
            problems.append(source.problem(place, f"{found[0]} is not a reference to the environment", hint))
        elif whole[2] is None and whole[1] not in env:
            hint = f"set it, or give a default: ${{env:{whole[1]}:-…}}"
            problems.append(source.problem(place, f"the environment variable {whole[1]} is not set", hint))
    return problems
