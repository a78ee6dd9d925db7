"""Concept files and lists of items: strict reading, every problem of a file at once with its place, and writing.

docs/concept-files.md tells what may stand in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from maieutic.errors import ConceptFileError
from maieutic.files.faults import checked
from maieutic.files.problems import failure
from maieutic.files.sheet import Sheet
from maieutic.files.source import Form, Node, Source, parse, read
from maieutic.files.writing import written
from maieutic.memory.student.checks import Keyed, check_chances, check_concepts, check_items
from maieutic.memory.student.concepts import Concept, ConceptGraph
from maieutic.memory.student.entries import CONCEPT_FILE, ConceptFile, ItemEntry
from maieutic.memory.student.items import Item

__all__ = ["CONCEPTS", "concepts_within", "item_data", "load_concepts", "the_item", "to_yaml"]

CONCEPTS = Form(
    "a concept file",
    "version: 1 and concepts: {NAME: {needs: [OTHER]}}",
    keys_as_written=True,
    most_nodes=500_000,
    most_characters=20_000_000,
)
_NUMBERS = ("slip", "guess")


def load_concepts(source: Path | str) -> ConceptGraph:
    """Read and check a concept file, or YAML text.

    Args:
        source: A path; or YAML text, recognised by a line break or an opening brace.

    Raises:
        ConceptFileError: Something is wrong; the message shows every problem with its place.
    """
    if isinstance(source, Path) or not ("\n" in source or source.lstrip().startswith("{")):
        text, file = read(Path(source), error=ConceptFileError), str(source)
    else:
        text, file = source, "<string>"
    tree, problems = parse(text, file, CONCEPTS)
    if tree.root is None:
        raise failure(problems, ConceptFileError)
    sheet = Sheet(tree, problems)
    concepts = _concepts(sheet)
    if concepts is None or sheet.problems:
        raise failure(sheet.problems, ConceptFileError)
    return concepts


def concepts_within(sheet: Sheet, path: tuple[str | int, ...]) -> ConceptGraph | None:
    """The concepts that stand in a mapping of another file, under its keys `concepts`, `defaults` and `items`.

    Problems are noted on the sheet; None if there is too little to go on.
    """
    node = sheet.node(path)
    if node is None or node.kind != "map":
        return None
    entries = {key: entry for key, entry in node.entries.items() if key in ("concepts", "defaults", "items")}
    inner = Source(sheet.source.file, sheet.source.lines, Node("map", node.span, entries=entries))
    return _concepts(Sheet(inner, sheet.problems), version=1)


def _concepts(sheet: Sheet, version: int | None = None) -> ConceptGraph | None:
    before = len(sheet.problems)
    root = sheet.source.root
    if root is None or root.kind != "map":
        sheet.wrong((), "a concept file is a mapping", f"it begins with {CONCEPTS.begins}")
        return None
    raw = {key: _raw(key, node) for key, (_, node) in root.entries.items() if not key.startswith("x-")}
    file = checked(ConceptFile, sheet, raw if version is None else {"version": version, **raw}, CONCEPT_FILE)
    if file is None:
        return None
    owners = check_concepts(sheet, file.concepts)
    items = file.items
    keyed: Keyed = [*items.items()] if isinstance(items, dict) else [*enumerate(items)]
    check_items(sheet, keyed, file.concepts, owners)
    check_chances(sheet, file.defaults.model_dump(exclude_unset=True), file.concepts, keyed)
    return _built(file, [item for _, item in keyed]) if len(sheet.problems) == before else None


def _built(file: ConceptFile, items: Iterable[ItemEntry]) -> ConceptGraph:
    concepts = ConceptGraph(the_item(item) for item in items)
    concepts.graph.graph.update({"name": file.name} if file.name else {})
    concepts.graph.graph.update({"description": file.description} if file.description else {})
    shared = file.defaults.model_dump(exclude_unset=True)
    for name, entry in file.concepts.items():
        own = entry.model_dump(exclude_unset=True, exclude={"needs"})
        concepts.add(name, needs=entry.needs, **{**shared, **own})
    concepts.check()
    return concepts


def the_item(entry: ItemEntry) -> Item:
    """The item that an entry says."""
    return Item.model_validate(entry.model_dump())


def _raw(key: str, node: Node) -> Any:
    """The data of one key of the file; texts as they were written, be they numbers."""
    if key == "concepts" and node.kind == "map":
        return {name: _concept_data(entry) for name, (_, entry) in node.entries.items()}
    if key == "items" and node.kind == "map":
        return {name: item_data(entry, name) for name, (_, entry) in node.entries.items()}
    if key == "items" and node.kind == "list":
        return [item_data(entry) for entry in node.items]
    return _written(node) if key in ("name", "description") else node.plain()


def _concept_data(node: Node) -> Any:
    if node.kind != "map":
        return {} if node.kind == "scalar" and node.value is None else node.plain()
    data = {key: entry.plain() for key, (_, entry) in node.entries.items()}
    for key, (_, entry) in node.entries.items():
        if key == "title" or (key == "needs" and entry.kind == "list"):
            data[key] = _written(entry)
        elif key == "misconceptions" and entry.kind == "map":
            data[key] = {name: _misconception(each) for name, (_, each) in entry.entries.items()}
    return data


def _misconception(node: Node) -> Any:
    if node.kind != "map":
        return _written(node)
    return {key: _written(each) if key == "text" else each.plain() for key, (_, each) in node.entries.items()}


def item_data(node: Node, name: str | None = None) -> Any:
    """The data of an item, of which everything but chances is text; with its id, if its key has it."""
    if node.kind != "map":
        return {"id": name} if name is not None and node.value is None and node.kind == "scalar" else node.plain()
    data = {key: each.plain() if _is_number(key) else _written(each) for key, (_, each) in node.entries.items()}
    return data if name is None else {"id": name, **data}


def _is_number(key: str) -> bool:
    """Whether a key of an item, misspelt perhaps, has a number as its value."""
    return key in _NUMBERS or get_close_matches(key, Item.model_fields, 1) in ([name] for name in _NUMBERS)


def _written(node: Node) -> Any:
    if node.kind == "map":
        return {key: _written(each) for key, (_, each) in node.entries.items()}
    if node.kind == "list":
        return [_written(each) for each in node.items]
    return None if node.value is None else node.text


def to_yaml(concepts: ConceptGraph) -> str:
    """The concept file of a graph: `load_concepts(to_yaml(concepts)) == concepts`. Defaults are left out."""
    data: dict[str, Any] = {"version": 1}
    for key in ("name", "description"):
        if concepts.graph.graph.get(key):
            data[key] = str(concepts.graph.graph[key])
    data["concepts"] = {name: _entry(concepts, name) for name in concepts}
    if concepts.items:
        data["items"] = {item.id: _item(item) for item in concepts.items.values()}
    return written(data)


def _entry(concepts: ConceptGraph, name: str) -> dict[str, Any]:
    concept: Concept = concepts.concept(name)
    plain = concept.model_dump(mode="json", exclude_defaults=True)
    needs = concepts.needs(name)
    entry = {key: plain.pop(key) for key in ("title",) if key in plain}
    if needs:
        entry["needs"] = list(needs) if all(weight == 1 for weight in needs.values()) else needs
    if wrong := plain.pop("misconceptions", None):
        entry["misconceptions"] = {key: _described(each) for key, each in wrong.items()}
    return {**entry, **plain}


def _described(misconception: Mapping[str, Any]) -> Any:
    return misconception["text"] if list(misconception) == ["text"] else dict(misconception)


def _item(item: Item) -> dict[str, Any]:
    return item.model_dump(mode="json", exclude_defaults=True, exclude={"id"})
