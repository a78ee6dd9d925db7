"""The world of the simulated minds as a student model is told of it: its concepts, and its questions as items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from maieutic.backends.sim.world import Question, World, load_world

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import ConceptGraph
    from maieutic.memory.student.items import Item

__all__ = ["curriculum"]


def curriculum(world_path: str = "") -> ConceptGraph:
    """The concepts of a world with what they need, and every question as an item.

    An item needs the concepts of the facts that answer it; what those need in turn stands in the edges. A question's
    misconceptions hang on the first of its concepts, and its distractors tell of them.

    Args:
        world_path: A world file; the bundled school world if empty.

    Raises:
        UsageError: The file cannot be read or is not a sound world.
    """
    from maieutic.memory.student.concepts import ConceptGraph

    world = load_world(world_path)
    wrong = _misconceptions(world)
    concepts = ConceptGraph(_item(world, name, question) for name, question in world.questions.items())
    for name in world.order:
        entry = world.concepts[name]
        concepts.add(name, title=entry.name, needs=entry.needs, misconceptions=wrong.get(name, {}))
    concepts.graph.graph["name"] = world.name
    concepts.check()
    return concepts


def _item(world: World, name: str, question: Question) -> Item:
    from maieutic.memory.student.items import Item

    return Item(
        id=name,
        question=question.text,
        answer=question.answer,
        aliases=question.aliases,
        options=question.options,
        concepts=_concepts(world, question),
        distractors={answer: _named(name, answer) for answer in question.misconceptions},
    )


def _concepts(world: World, question: Question) -> tuple[str, ...]:
    return tuple(dict.fromkeys(world.facts[fact].concept for fact in question.needs))


def _misconceptions(world: World) -> Mapping[str, Mapping[str, str]]:
    """What the wrong ideas of each concept say, by name."""
    found: dict[str, dict[str, str]] = {}
    for name, question in world.questions.items():
        told: Iterable[tuple[str, str]] = question.misconceptions.items()
        for answer, sentence in told:
            found.setdefault(_concepts(world, question)[0], {})[_named(name, answer)] = sentence
    return found


def _named(question: str, answer: str) -> str:
    """The name of a misconception: as long as the same wrong sentence may lead to several answers, each has its own."""
    return f"{question}: {answer}"
