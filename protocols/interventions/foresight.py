"""What explaining is expected to gain, for items that stand in a line: now, and for those that come later."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from maieutic.memory.student.items import Item

if TYPE_CHECKING:
    from maieutic.memory.student.model import StudentModel

__all__ = ["best_of", "utilities"]


def utilities(model: StudentModel, line: Sequence[Item], look_ahead: bool) -> list[float]:
    """What explaining each item of the line is expected to gain, in right answers, if nothing else is explained.

    Args:
        model: What is believed of the student now.
        line: Items in the order in which they come.
        look_ahead: Whether the gain on the items behind each one counts too.
    """
    behind = _behind(line) if look_ahead else [()] * len(line)
    return [model.expected_utility(item, ahead=later) for item, later in zip(line, behind, strict=True)]


def _behind(line: Sequence[Item]) -> list[Sequence[Item]]:
    """For each item those behind it that need a concept which its explanation covers: no others can gain."""
    needing: dict[str, list[int]] = {}
    for at, item in enumerate(line):
        for concept in item.concepts:
            needing.setdefault(concept, []).append(at)
    found: list[Sequence[Item]] = []
    for at, item in enumerate(line):
        places = {place for concept in item.explained for place in needing[concept] if place > at}
        found.append([line[place] for place in sorted(places)])
    return found


def best_of(
    model: StudentModel,
    line: Sequence[Item],
    count: int,
    *,
    look_ahead: bool = False,
    tested: Sequence[Item] | None = None,
) -> dict[str, float]:
    """The items that are to be explained, chosen one after another, the best first.

    Each choice counts as explained before the next is made: what it is expected to teach lowers what a second
    explanation of the same concepts can gain. (Greedy, since the best set would take exponential time, and lazy: a gain
    is worked out anew only when it seems to be the greatest; Minoux, "Accelerated greedy algorithms for maximizing
    submodular set functions", 1978.)

    Args:
        model: What is believed of the student; it is not changed.
        line: Items in the order in which they come; of equal ones the first is chosen.
        count: How many.
        look_ahead: Whether the gain on the items behind each one counts too.
        tested: If given, what counts is the gain on these other items alone.

    Returns:
        By the item's id, what explaining it was expected to gain when it was chosen.
    """
    model = model.copy()
    behind = _behind(line) if look_ahead else [()] * len(line)

    def gain(at: int) -> float:
        if tested is None:
            return round(model.expected_utility(line[at], ahead=behind[at]), 9)
        return round(model.expected_utility(line[at], ahead=tested) - model.predict(line[at]).utility, 9)

    queue = [(-gain(at), at) for at in range(len(line))]
    heapify(queue)
    chosen: dict[str, float] = {}
    while queue and len(chosen) < count:
        _, at = heappop(queue)
        now = gain(at)
        if queue and (-now, at) > queue[0]:
            heappush(queue, (-now, at))
        else:
            chosen[line[at].id] = now
            model.explained(line[at])
    return chosen
