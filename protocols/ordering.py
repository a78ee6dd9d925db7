"""Who speaks when: the order of the seats in each round."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Literal

__all__ = ["Order", "speaking_order"]

Order = Literal["in_turn", "reversed", "alternating", "simultaneous", "random"]


def speaking_order(order: Order, seats: Sequence[str], round_: int, rng: Callable[[], random.Random]) -> list[str]:
    """The speakers of one round, in order.

    Args:
        order: "in_turn" and "simultaneous" follow the seats, "reversed" starts at the last seat, "alternating" is
            reversed in every second round, "random" is drawn anew for each round.
        seats: The debaters as seated.
        round_: The round, from 1.
        rng: Makes the generator for "random"; the same generator gives the same order.
    """
    if order == "random":
        return rng().sample(list(seats), len(seats))
    backwards = order == "reversed" or (order == "alternating" and round_ % 2 == 0)
    return list(reversed(seats)) if backwards else list(seats)
