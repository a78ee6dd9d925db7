"""What explaining is expected to gain, for items that stand in a line: now, and for those that come later."""

from __future__ import annotations

from collections.abc import Sequence
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
    if not look_ahead:
        return [model.expected_utility(item) for item in line]
    return [model.expected_utility(item, ahead=line[at + 1 :]) for at, item in enumerate(line)]


def best_of(
    model: StudentModel,
    line: Sequence[Item],
    count: int,
    *,
    look_ahead: bool = False,
    tested: Sequence[Item] | None = None,
    sign: int = 1,
) -> list[str]:
    """The ids of the items that are to be explained, chosen one after another, the best first.

    Each choice counts as explained before the next is made: what it is expected to teach lowers what a second
    explanation of the same concepts can gain. (Greedy; the best set would take exponential time.)

    Args:
        model: What is believed of the student; it is not changed.
        line: Items in the order in which they come.
        count: How many.
        look_ahead: Whether the gain on the items behind each one counts too.
        tested: If given, what counts is the gain on these other items alone.
        sign: 1 for the greatest gains, -1 for the least (a misaligned teacher).
    """
    model = model.copy()
    chosen: list[str] = []
    while len(chosen) < count:
        if tested is None:
            gains = utilities(model, line, look_ahead)
        else:
            gains = [model.expected_utility(item, ahead=tested) - model.predict(item).utility for item in line]
        left = [(round(sign * gain, 9), -at) for at, gain in enumerate(gains) if line[at].id not in chosen]
        best = line[-max(left)[1]]
        chosen.append(best.id)
        model.explained(best)
    return chosen
