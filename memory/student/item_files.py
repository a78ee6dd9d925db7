"""Lists of items from a file: JSONL (an item a line), JSON or YAML; every problem at once, with its place."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maieutic.errors import ConceptFileError
from maieutic.files.faults import Dialect, Owner, checked
from maieutic.files.problems import Problem, failure
from maieutic.files.sheet import Sheet
from maieutic.files.source import Form, Node, Source, Span, parse, read
from maieutic.memory.student.checks import Keyed, check_items
from maieutic.memory.student.entries import ITEM_FILE, ItemEntry, ItemFile
from maieutic.memory.student.files import CONCEPTS, item_data, load_concepts, the_item
from maieutic.memory.student.items import Item

__all__ = ["load_items"]

_FORM = Form(
    "a file of items",
    "- {id: …, question: …, answer: …}",
    keys_as_written=True,
    most_nodes=CONCEPTS.most_nodes,
    most_characters=CONCEPTS.most_characters,
)
_MOST_TOLD = 50
"""Lines of a JSONL file whose problems are told one by one."""


def load_items(path: Path | str, concepts: Collection[str] | None = None) -> list[Item]:
    """The items of a file, in its order.

    Args:
        path: A file that ends in .jsonl (one item a line); or JSON or YAML: a list of items, a mapping of items by id,
            such a list or mapping under the key `items`, or a whole concept file.
        concepts: The names of all concepts (a ConceptGraph, for instance), where items may name no others.

    Raises:
        ConceptFileError: Something is wrong; the message shows every problem with its place.
    """
    path = Path(path)
    text = read(path, error=ConceptFileError)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _from_lines(text, str(path), concepts)
    tree, problems = parse(text, str(path), _FORM)
    if tree.root is None:
        raise failure(problems, ConceptFileError)
    if tree.root.kind == "map" and "concepts" in tree.root.entries:
        return list(load_concepts(path).items.values())
    sheet = Sheet(_under_items(tree), problems)
    if tree.root.kind == "scalar":
        sheet.wrong(("items",), "a file of items is a list, or a mapping of items by id", f"begin with {_FORM.begins}")
    items = _read(sheet, concepts) if tree.root.kind != "scalar" else []
    if sheet.problems:
        raise failure(sheet.problems, ConceptFileError)
    return items


def _under_items(tree: Source) -> Source:
    """The same tree with the items under the key `items`."""
    root = tree.root
    assert root is not None
    if root.kind == "map" and "items" in root.entries:
        return tree
    place = next((key for key, _ in root.entries.values()), root.span)
    return Source(tree.file, tree.lines, Node("map", root.span, entries={"items": (place, root)}))


def _read(sheet: Sheet, concepts: Collection[str] | None, dialect: Dialect = ITEM_FILE) -> list[Item]:
    """The items of a sheet; its problems are noted."""
    assert sheet.source.root is not None
    raw = {key: _data(node) if key == "items" else node.plain() for key, (_, node) in sheet.source.root.entries.items()}
    file = checked(ItemFile, sheet, raw, dialect)
    if file is None:
        return []
    items = file.items
    keyed: Keyed = [*items.items()] if isinstance(items, dict) else [*enumerate(items)]
    check_items(sheet, keyed, concepts)
    return [] if sheet.problems else [the_item(entry) for _, entry in keyed]


def _data(node: Node) -> Any:
    if node.kind == "list":
        return [item_data(entry) for entry in node.items]
    if node.kind == "scalar" and node.value is not None:
        return node.value
    return {name: item_data(entry, name) for name, (_, entry) in node.entries.items()}


def _from_lines(text: str, file: str, concepts: Collection[str] | None) -> list[Item]:
    sheet = _Lines(text.split("\n"), file, concepts)
    found = [sheet.read(number) for number, line in enumerate(sheet.lines, 1) if line.strip()]
    wrong = [one for one in found if not isinstance(one, Item)]
    if not found:
        raise failure([Problem(file, 0, 0, 0, "the file is empty", "write one item a line, as JSON")], ConceptFileError)
    if wrong:
        problems = [problem for one in wrong[:_MOST_TOLD] for problem in one]
        if len(wrong) > _MOST_TOLD:
            message = f"{len(wrong)} lines are wrong; the first {_MOST_TOLD} are told"
            problems.append(Problem(file, 0, 0, 0, message))
        raise failure(problems, ConceptFileError)
    return [one for one in found if isinstance(one, Item)]


@dataclass(frozen=True, slots=True)
class _Lines:
    """A JSONL file as it is read, line by line."""

    lines: list[str]
    file: str
    concepts: Collection[str] | None
    first: dict[str, int] = field(default_factory=dict)

    def read(self, number: int) -> Item | list[Problem]:
        """The item of a line, or what is wrong with it."""
        one = self._quickly(self.lines[number - 1]) or self._slowly(number)
        if isinstance(one, Item) and (before := self.first.setdefault(one.id, number)) != number:
            return [self._repeated(number, one.id, before)]
        return one

    def _quickly(self, line: str) -> Item | None:
        """The item of a line in which everything is as usual."""
        try:
            item = the_item(ItemEntry.model_validate(json.loads(line, object_pairs_hook=_once)))
        except (ValueError, RecursionError):  # pydantic's errors are ValueErrors
            return None
        known = self.concepts is None or all(name in self.concepts for name in item.concepts)
        return item if known else None

    def _slowly(self, number: int) -> Item | list[Problem]:
        """The item of a line that needs a second look, or its problems with their places."""
        line = self.lines[number - 1].rstrip("\r")
        whole = Span(number, 1, number, len(line) + 1)
        try:
            json.loads(line)
        except json.JSONDecodeError as error:
            place = Span(number, error.colno, number, error.colno + 1)
            return [self._problem(place, f"the line is not JSON: {error.msg}", "write one item a line")]
        except RecursionError:
            return [self._problem(whole, "the line is nested too deep")]
        tree, problems = self._tree(number)
        if tree.root is None:
            return problems
        rows = Node("list", tree.root.span, items=[tree.root])
        root = Node("map", whole, entries={"items": (whole, rows)})
        sheet = Sheet(Source(self.file, self.lines, root), problems)
        items = _read(sheet, self.concepts, _LINE)
        return sheet.problems or items[0]

    def _repeated(self, number: int, name: str, before: int) -> Problem:
        place = Sheet(self._tree(number)[0]).place(("id",))
        return self._problem(place, f"the id {name!r} is taken, by the item on line {before}", "rename one of them")

    def _tree(self, number: int) -> tuple[Source, list[Problem]]:
        """The tree of one line, in its place in the file."""
        return parse("\n" * (number - 1) + self.lines[number - 1].rstrip("\r"), self.file, _FORM)

    def _problem(self, place: Span, message: str, hint: str = "") -> Problem:
        return Source(self.file, self.lines).problem(place, message, hint)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _owner(loc: tuple[str | int, ...]) -> Owner:
    return "the item", ItemEntry


_LINE = replace(ITEM_FILE, owner=_owner)
