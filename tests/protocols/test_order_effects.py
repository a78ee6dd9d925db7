from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.agents import Debater, Judge
from maieutic.backends import LLMRequest
from maieutic.errors import UsageError
from maieutic.protocols import Debate, DebateOutcome
from maieutic.protocols.order_effects import order_effects, seat_orders
from maieutic.testing.staged import play

MODEL = "scripted/mind"
HOLDS = {"ada": "yes", "bo": "no", "cy": "perhaps"}


def debated(seats: tuple[str, ...], judge_prefers: str) -> DebateOutcome:
    """A debate whose judge goes for the answer of the first or the last seat, or for a debater's wherever it sits."""
    favoured = {"first": seats[0], "last": seats[-1]}.get(judge_prefers, judge_prefers)

    def say(request: LLMRequest) -> Any:
        if request.output is None:
            return "I say."
        held = HOLDS[favoured if request.agent == "june" else request.agent]
        return {"answer": held, "confidence": 0.5, "reason": "So."}

    debaters = [Debater(name, MODEL) for name in seats]
    return play(Debate(debaters, judge=Judge("june", MODEL), rounds=1, probes="ends"), say).outcome


def effects(judge_prefers: str, names: tuple[str, ...] = ("ada", "bo", "cy")) -> Any:
    return order_effects([debated(seats, judge_prefers) for seats in seat_orders(names).orders])


def test_a_judge_that_goes_for_the_last_seat_shows_as_an_order_effect() -> None:
    report = effects("last")
    assert report.seat_wins == [0, 0, 1]
    assert report.changed == pytest.approx(2 / 3)
    assert report.answers == {"perhaps": 2, "no": 2, "yes": 2}
    assert report.debater_wins == {name: pytest.approx(1 / 3) for name in HOLDS}


def test_a_judge_that_goes_by_the_argument_shows_none() -> None:
    report = effects("bo")
    assert report.changed == 0
    assert report.seat_wins == [pytest.approx(1 / 3)] * 3
    assert report.debater_wins == {"ada": 0, "bo": 1, "cy": 0}
    assert all(order.winners == ["bo"] for order in report.orders)


def test_without_first_positions_nobody_is_said_to_win() -> None:
    outcome = debated(("ada", "bo"), "first").model_copy(update={"positions": {}})
    assert order_effects([outcome]).seat_wins == [None, None]


def test_an_order_that_comes_to_nothing_counts_as_a_change() -> None:
    decided = debated(("ada", "bo"), "ada")
    undecided = debated(("bo", "ada"), "ada").model_copy(update={"answer": None})
    report = order_effects([decided, decided, undecided])
    assert report.answers == {"yes": 2}
    assert report.changed == pytest.approx(1 / 3)


def test_only_the_same_debaters_can_be_compared() -> None:
    with pytest.raises(UsageError, match="at least one"):
        order_effects([])
    with pytest.raises(UsageError, match="same debaters"):
        order_effects([debated(("ada", "bo"), "ada"), debated(("ada", "cy"), "ada")])


def test_up_to_four_debaters_sit_in_every_order() -> None:
    found = seat_orders(["ada", "bo", "cy", "di"])
    assert len(set(found.orders)) == 24
    assert (found.orders[0], found.note) == (("ada", "bo", "cy", "di"), None)


@given(st.integers(5, 12), st.integers(0, 99))
def test_more_debaters_sit_in_orders_drawn_by_the_seed(debaters: int, seed: int) -> None:
    names = [f"d{i}" for i in range(debaters)]
    found = seat_orders(names, seed=seed)
    assert found == seat_orders(names, seed=seed)
    assert len(set(found.orders)) == 24
    assert found.orders[0] == tuple(names)
    assert all(sorted(order) == sorted(names) for order in found.orders)
    assert found.note is not None
    assert found.note.startswith("24 of ")
