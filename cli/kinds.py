"""What kind of file a user names: a graph file, an experiment file, a concept file, or a file of items."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from maieutic.errors import FileError

__all__ = ["Kind", "kind_of"]

Kind = Literal["graph", "experiment", "concepts", "items"]

_BEGINS = "version: 1 and name: …, a concept file with version: 1 and concepts: …"
_MOST_CHARACTERS = 20_000_000
_MOST_VALUES = 500_000


def kind_of(file: Path) -> Kind:
    """The kind of a file, by what it holds; a graph file unless it holds something else.

    Raises:
        FileError: It is empty, or a list of something else than items.
    """
    from maieutic.files.problems import failure
    from maieutic.files.source import Form, parse, read

    if file.suffix.lower() in (".jsonl", ".ndjson"):
        return "items"
    text = read(file)
    form = Form("a graph file", _BEGINS, most_nodes=_MOST_VALUES, most_characters=_MOST_CHARACTERS)
    tree, problems = parse(text, str(file), form)
    root = tree.root
    if root is None:
        if not any(problem.line for problem in problems):  # it is empty, or too long
            raise failure(problems, FileError)
        return _by_lines(text)
    if root.kind == "map":
        return _by_keys(set(root.entries))
    if (
        root.kind == "list"
        and root.items
        and all(entry.kind == "map" and "id" in entry.entries for entry in root.items)
    ):
        return "items"
    what = "a list" if root.kind == "list" else "one value"
    message = f"the file is {what}, and neither a graph file, a concept file nor a list of items"
    hint = f"a graph file begins with {_BEGINS}, an item of a list with id: …"
    raise failure([tree.problem(root.span, message, hint), *problems], FileError)


def _by_lines(text: str) -> Kind:
    """The same for a file that is no YAML: by what stands at the beginning of its lines."""
    return _by_keys({line.split(":")[0] for line in text.splitlines() if ":" in line})


def _by_keys(keys: set[str]) -> Kind:
    """By the keys at its top; `facts` are a world's of the simulated minds."""
    if "conditions" in keys:
        return "experiment"
    if keys & {"graph", "use", "facts", "models"}:
        return "graph"
    return "concepts" if "concepts" in keys else "items" if "items" in keys else "graph"
