"""What of the world a text is about."""

from __future__ import annotations

from maieutic.backends.sim.language import words
from maieutic.backends.sim.world import World

__all__ = ["concepts_meant", "with_prerequisites"]


def concepts_meant(world: World, text: str) -> tuple[str, ...]:
    """The concepts that a text asks about, prerequisites first.

    A question of the world means its facts' concepts; else the concepts whose names stand in the text; else those of a
    topic that is named; nothing else.
    """
    question = world.question_like(text)
    if question is not None:
        return with_prerequisites(world, {world.facts[need].concept for need in question.needs})
    tokens = words(text)
    if named := {name for _, name in world.names.find(tokens)}:
        return with_prerequisites(world, named)
    spoken = set(tokens)
    return tuple(c for c in world.order if set(words(world.concepts[c].topic)) & spoken)


def with_prerequisites(world: World, concepts: set[str]) -> tuple[str, ...]:
    """The concepts and everything that they need, in an order in which they can be learned."""
    found: set[str] = set()
    waiting = list(concepts)
    while waiting:
        concept = waiting.pop()
        if concept not in found:
            found.add(concept)
            waiting += world.concepts[concept].needs
    return tuple(concept for concept in world.order if concept in found)
