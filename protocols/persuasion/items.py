"""What items must be like where answers are marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maieutic.memory.student.items import Item
from maieutic.protocols.debate_params import twice

__all__ = ["problems_of_items"]


def problems_of_items(items: Sequence[Item]) -> Iterator[str]:
    """What is wrong with items whose answers are to be marked, each in a sentence."""
    if again := twice([item.id for item in items]):
        yield f"items: the id {again!r} is there twice; give each item its own"
    for item in items:
        if item.answer is None:
            yield f"items: {item.id!r} has no answer, so nobody can tell what is right; give it one"
        if not item.question.strip():
            yield f"items: {item.id!r} has no question; give it one"
        if len(item.options) == 1:
            yield f"items: {item.id!r} has one option; give two or more, or none for a short answer"
