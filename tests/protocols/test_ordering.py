import random

import pytest

from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.protocols.ordering import Order, speaking_order
from maieutic.protocols.visibility import Visible, seen_by

SEATS = ["ada", "bo", "cy"]


@pytest.mark.parametrize(
    ("order", "first", "second"),
    [
        ("in_turn", "ada bo cy", "ada bo cy"),
        ("reversed", "cy bo ada", "cy bo ada"),
        ("alternating", "ada bo cy", "cy bo ada"),
        ("simultaneous", "ada bo cy", "ada bo cy"),
    ],
)
def test_each_order_seats_its_rounds(order: Order, first: str, second: str) -> None:
    rounds = [" ".join(speaking_order(order, SEATS, n, random.Random)) for n in (1, 2)]
    assert rounds == [first, second]


def test_a_random_order_is_drawn_by_its_generator() -> None:
    orders = [tuple(speaking_order("random", SEATS, 1, lambda n=n: random.Random(n))) for n in range(40)]  # type: ignore[misc]
    assert orders[0] == tuple(speaking_order("random", SEATS, 1, lambda: random.Random(0)))
    assert len(set(orders)) == 6


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("all", "Q a1 b1 a2 b2 a3"),
        ("last_round", "Q a2 b2 a3"),
        ("own_and_last", "Q b1 a2 b2 a3"),
    ],
)
def test_a_debater_reads_as_far_back_as_it_may(visible: Visible, expected: str) -> None:
    transcript = Transcript(
        (
            Turn(MODERATOR, "Q"),
            *(Turn(n, f"{n[0]}{r}", round=r) for r in (1, 2) for n in ("ada", "bo")),
            Turn("ada", "a3", round=3),
        )
    )
    assert " ".join(turn.content for turn in seen_by("bo", transcript, visible, 3)) == expected
