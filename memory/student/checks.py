"""What must hold between the entries of a file of concepts or items; every problem is noted at its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from maieutic.files.problems import did_you_mean
from maieutic.files.sheet import Sheet
from maieutic.memory.student.concepts import contradiction, slip_and_guess
from maieutic.memory.student.entries import ConceptEntry, ItemEntry

__all__ = ["check_chances", "check_concepts", "check_items"]

Misconceptions = Mapping[str, str]
"""The concept of every misconception."""
Keyed = Sequence[tuple[str | int, ItemEntry]]
"""Items, each with its key or position in the file."""


def check_concepts(sheet: Sheet, concepts: Mapping[str, ConceptEntry]) -> Misconceptions:
    """Prerequisites that are there, and no circle; misconceptions under names of their own, which are returned."""
    owners: dict[str, str] = {}
    for name, concept in concepts.items():
        for key, need in _needs(concept):
            if need not in concepts:
                others = [other for other in concepts if other != name]
                _wrong_name(sheet, ("concepts", name, "needs", key), f"unknown concept {need!r}", need, others)
        for misconception in concept.misconceptions:
            other = owners.setdefault(misconception, name)
            if other != name:
                message = f"the misconception {misconception!r} stands at {other!r} too"
                sheet.wrong(
                    ("concepts", name, "misconceptions", misconception), message, "rename one of them", key=True
                )
    for way in _circles(concepts):
        key = next(key for key, need in _needs(concepts[way[-2]]) if need == way[-1])
        message = f"concepts need one another in a circle: {' -> '.join(way)}"
        hint = "remove one of these prerequisites" if len(way) > 2 else "a concept cannot need itself"
        sheet.wrong(("concepts", way[-2], "needs", key), message, hint, key=isinstance(key, str))
    return owners


def _needs(concept: ConceptEntry) -> list[tuple[str | int, str]]:
    """The prerequisites, each with its key or position."""
    if isinstance(concept.needs, dict):
        return [(need, need) for need in concept.needs]
    return list(enumerate(concept.needs))


def _wrong_name(sheet: Sheet, path: Sequence[str | int], message: str, word: str, known: Collection[str]) -> None:
    shown = sorted(known)[:12]
    few = f"there are: {', '.join(shown)}{', …' if len(known) > len(shown) else ''}" if known else "there are none"
    sheet.wrong(path, message, did_you_mean(word, known, otherwise=few), key=isinstance(path[-1], str))


def _circles(concepts: Mapping[str, ConceptEntry]) -> Iterator[list[str]]:
    """Every prerequisite that closes a circle, with the way round, found by walking depth first."""
    done: set[str] = set()
    for start in concepts:
        way: dict[str, None] = {}
        stack: list[tuple[str, Iterator[str]]] = [("", iter((start,)))]
        while stack:
            name = next(stack[-1][1], None)
            if name is None:
                left, _ = stack.pop()
                done.add(left)
                way.pop(left, None)
            elif name in way:
                names = list(way)
                yield [*names[names.index(name) :], name]
            elif name in concepts and name not in done:
                way[name] = None
                stack.append((name, iter([need for _, need in _needs(concepts[name])])))


def check_items(
    sheet: Sheet,
    items: Keyed,
    concepts: Collection[str] | None = None,
    misconceptions: Misconceptions | None = None,
    root: Sequence[str | int] = ("items",),
) -> None:
    """Every item in itself, and with the concepts and misconceptions where those are known."""
    first: dict[str, str | int] = {}
    for key, item in items:
        at = (*root, key)
        if first.setdefault(item.id, key) != key:
            before = sheet.place((*root, first[item.id], "id")).line
            sheet.wrong((*at, "id"), f"the id {item.id!r} is taken, by the item on line {before}", "rename one of them")
        if isinstance(key, str) and sheet.node((*at, "id")) is not None:
            sheet.wrong((*at, "id"), f"unknown key 'id' in item {key!r}", "its id is the key above it", key=True)
        _choices(sheet, at, item)
        _explained(sheet, at, item)
        for i, name in enumerate(item.concepts):
            if concepts is not None and name not in concepts:
                _wrong_name(sheet, (*at, "concepts", i), f"unknown concept {name!r}", name, concepts)
        if misconceptions is not None:
            _in_a_concept_file(sheet, at, item, misconceptions)


def check_chances(
    sheet: Sheet, defaults: Mapping[str, Any], concepts: Mapping[str, ConceptEntry], items: Keyed
) -> None:
    """Slip and guess, of each concept and of each item, that leave a right answer a sign of knowing."""
    whole: dict[str, ConceptEntry] = {}
    for name, concept in concepts.items():
        left = {key: value for key, value in defaults.items() if key not in concept.model_fields_set}
        whole[name] = concept.model_copy(update=left)
        if said := contradiction(whole[name].slip, whole[name].guess):
            _too_much(sheet, (("concepts", name), ("defaults",)), said)
            del whole[name]
    for key, item in items:
        own = [whole[name] for name in item.concepts if name in whole]
        if len(own) == len(item.concepts) > 0 and (said := contradiction(*slip_and_guess(item, own))):
            _too_much(sheet, (("items", key),), said)


def _too_much(sheet: Sheet, where: Sequence[Sequence[str | int]], said: str) -> None:
    """Told at the first slip or guess that stands in one of these places, or else at the first place."""
    paths = [(*at, key) for at in where for key in ("slip", "guess")]
    at = next((path for path in paths if sheet.node(path) is not None), where[0])
    place = sheet.place(at)
    if not any((problem.line, problem.column) == (place.line, place.column) for problem in sheet.problems):
        sheet.wrong(at, said, "lower one of them", key=at is where[0] and isinstance(at[-1], str))


def _in_a_concept_file(sheet: Sheet, at: Sequence[str | int], item: ItemEntry, misconceptions: Misconceptions) -> None:
    if not item.concepts:
        hint = "write concepts: [NAME]"
        sheet.wrong(at, f"the item {item.id!r} needs no concept", hint, key=isinstance(at[-1], str))
    for option, misconception in item.distractors.items():
        _distractor(sheet, (*at, "distractors", option), item, misconception, misconceptions)


def _choices(sheet: Sheet, at: Sequence[str | int], item: ItemEntry) -> None:
    options = item.options
    if item.answer is not None and options and item.answer not in options:
        hint = did_you_mean(item.answer, options)
        sheet.wrong((*at, "answer"), f"the answer {item.answer!r} is not among the options", hint)
    for i, option in enumerate(options):
        if option in options[:i]:
            sheet.wrong((*at, "options", i), f"the option {option!r} stands here a second time")
    for wrong in item.distractors:
        path = (*at, "distractors", wrong)
        if wrong == item.answer:
            sheet.wrong(path, f"{wrong!r} is the right answer, not a distractor", key=True)
        elif options and wrong not in options:
            sheet.wrong(
                path, f"the distractor {wrong!r} is not among the options", did_you_mean(wrong, options), key=True
            )


def _explained(sheet: Sheet, at: Sequence[str | int], item: ItemEntry) -> None:
    for i, name in enumerate(item.explains or ()):
        if name not in item.concepts:
            message = f"explains {name!r}, which is not among the concepts of the item"
            sheet.wrong((*at, "explains", i), message, did_you_mean(name, item.concepts))


def _distractor(
    sheet: Sheet, path: Sequence[str | int], item: ItemEntry, misconception: str, owners: Misconceptions
) -> None:
    own = [name for name, concept in owners.items() if concept in item.concepts]
    if misconception not in owners:
        few = f"there are: {', '.join(own)}" if own else "its concepts have none"
        hint = did_you_mean(misconception, own, otherwise=did_you_mean(misconception, owners, otherwise=few))
        sheet.wrong(path, f"unknown misconception {misconception!r}", hint)
    elif misconception not in own:
        message = f"{misconception!r} is a misconception of {owners[misconception]!r}, which this item does not need"
        sheet.wrong(path, message, f"add {owners[misconception]!r} to its concepts, or name another misconception")
