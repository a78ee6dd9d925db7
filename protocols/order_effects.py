"""Whether it matters who sits where: the same debate under every order of the debaters.

Judges and debaters alike favour positions: Wang et al., "Large Language Models are not Fair Evaluators", ACL 2024.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from maieutic.errors import UsageError
from maieutic.memory.answers import Answers
from maieutic.protocols.debate_outcome import DebateOutcome

__all__ = ["OrderEffects", "OrderedAnswer", "SeatOrders", "order_effects", "seat_orders"]

MOST = 24
"""Most orders tried; all orders of four debaters."""


@dataclass(frozen=True, slots=True)
class SeatOrders:
    """Orders of seats to try.

    Attributes:
        orders: Different orders, the given one first.
        note: What was left out, or None if these are all.
    """

    orders: tuple[tuple[str, ...], ...]
    note: str | None = None


def seat_orders(names: Sequence[str], *, seed: int = 0, most: int = MOST) -> SeatOrders:
    """All orders of the debaters, or where there are too many a sample drawn by the seed.

    Args:
        names: The debaters as seated; two or more.
        seed: Draws the sample.
        most: Most orders returned; 1 or more.
    """
    total = math.factorial(len(names))
    if total <= most:
        return SeatOrders(tuple(permutations(names)))
    rng = random.Random(f"seat orders/{seed}")
    orders = {tuple(names): None}
    while len(orders) < most:
        orders[tuple(rng.sample(list(names), len(names)))] = None
    return SeatOrders(tuple(orders), f"{most} of {total} orders of the seats, drawn by seed {seed}")


class OrderedAnswer(BaseModel):
    """What the debate came to under one order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seats: Annotated[list[str], Field(description="The debaters in the order of their seats.")]
    answer: Annotated[str | None, Field(description="What it came to.")]
    decided_by: Annotated[str, Field(description="How.")] = ""
    winners: Annotated[list[str], Field(description="The debaters who held that answer before the debate.")] = []


class OrderEffects(BaseModel):
    """How the outcome depends on the seats.

    Without an effect `changed` is 0, and every seat wins equally often.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: Annotated[list[OrderedAnswer], Field(description="The answer under each order.")]
    answers: Annotated[dict[str, int], Field(description="Orders by answer, the most first.")]
    changed: Annotated[
        float, Field(description="Share of the orders whose answer differs from the most frequent one, 0 to 1.")
    ]
    seat_wins: Annotated[
        list[float | None],
        Field(
            description="By seat: in which share of the decided orders the answer is the one that the debater in that "
            "seat held before the debate. None where no first position is known."
        ),
    ]
    debater_wins: Annotated[dict[str, float | None], Field(description="The same by debater, whatever its seat.")]
    note: Annotated[str | None, Field(description="Orders left out, or None.")] = None


def order_effects(outcomes: Sequence[DebateOutcome], *, note: str | None = None) -> OrderEffects:
    """Compare the outcomes of one debate under several orders of the seats; a pure function.

    Args:
        outcomes: One outcome for each order; the debaters are the same in all of them.
        note: What is to be said of orders left out (see `seat_orders`).

    Raises:
        UsageError: There is no outcome, or the debaters differ.
    """
    if not outcomes:
        raise UsageError("order effects need at least one outcome")
    debaters = outcomes[0].seats
    if any(sorted(outcome.seats) != sorted(debaters) for outcome in outcomes):
        raise UsageError("order effects compare debates between the same debaters, and these are not")
    names = Answers(outcomes[0].options)
    orders = [_ordered(outcome, names) for outcome in outcomes]
    counts = Counter("" if order.answer is None else order.answer for order in orders)
    answers = {answer: n for answer, n in counts.most_common() if answer}
    return OrderEffects(
        orders=orders,
        answers=answers,
        changed=1 - counts.most_common(1)[0][1] / len(orders),
        seat_wins=[_share([(o, o.seats[seat]) for o in orders], outcomes) for seat in range(len(debaters))],
        debater_wins={name: _share([(o, name) for o in orders], outcomes) for name in debaters},
        note=note,
    )


def _ordered(outcome: DebateOutcome, names: Answers) -> OrderedAnswer:
    answer = None if outcome.answer is None else names.name(outcome.answer)
    first = {name: names.name(answer) for name, answer in _first(outcome).items()}
    winners = [name for name in outcome.seats if answer is not None and first.get(name) == answer]
    return OrderedAnswer(seats=outcome.seats, answer=answer, decided_by=outcome.decided_by, winners=winners)


def _first(outcome: DebateOutcome) -> dict[str, str]:
    """The answers held before the debate, by debater, as far as they are known."""
    return {name: held[0].answer for name, held in outcome.positions.items() if held and held[0].round == 0}


def _share(seated: Sequence[tuple[OrderedAnswer, str]], outcomes: Sequence[DebateOutcome]) -> float | None:
    known = [
        name in order.winners
        for (order, name), outcome in zip(seated, outcomes, strict=True)
        if order.answer is not None and name in _first(outcome)
    ]
    return sum(known) / len(known) if known else None
