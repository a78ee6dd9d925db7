"""How simulated minds weigh nameless arguments, and what they do with what they found."""

import asyncio
from typing import Any

import pytest

from maieutic.agents import Balance, Debater, Reply
from maieutic.agents.replies import Position, among
from maieutic.backends import in_memory
from maieutic.backends.sim.persuasion import APPEALS
from maieutic.memory import MODERATOR, Transcript, Turn

TREE = "Where does most of the dry mass of a tree come from?"
OPTIONS = ["the soil", "the carbon dioxide of the air", "the rain", "the light"]
RIGHT, FALSE = OPTIONS[1], OPTIONS[0]
BRIEF = Turn(MODERATOR, f"Question: {TREE}\nOptions: {' / '.join(OPTIONS)}")
FACT = "Most of the dry mass of a tree comes from carbon dioxide of the air."
ACCEPTING: dict[str, Any] = {"credulity": 1.0, "conformity": 1.0}


def debater(**params: Any) -> Debater:
    return Debater("Ada", {"model": "sim/debater", "seed": 3, **params})


def asked(agent: Debater, *turns: Turn, verb: str = "position") -> Reply:
    async def ask() -> Reply:
        transcript = Transcript((BRIEF, *turns))
        async with in_memory() as place:
            if verb == "argue":
                return await agent.argue(place, transcript, options=OPTIONS)
            return await agent.do("position", place, transcript, output=among(Position, OPTIONS), options=OPTIONS)

    return asyncio.run(ask())


def held(agent: Debater, *turns: Turn) -> str:
    return str(getattr(asked(agent, *turns).data, "answer", ""))


MINE = Turn("Ada", f"I say {RIGHT}. {FACT}", round=1)
APPEAL = [Turn("Bo", f"I say {FALSE}. {text.format(answer=FALSE)}", round=n) for n, text in
          enumerate(APPEALS["emotional"], 1)]  # fmt: skip


def test_an_accepting_mind_gives_way_to_appeals_and_a_balanced_one_does_not() -> None:
    accepting = debater(knows=1.0, misconceptions=0.0, **ACCEPTING)
    assert held(accepting, MINE, *APPEAL) == FALSE
    assert held(accepting.balanced(), MINE, *APPEAL[:1]) == RIGHT


def test_a_balanced_mind_is_moved_by_evidence() -> None:
    misled = debater(knows=0.0, misconceptions=1.0, susceptibility=1.0).balanced()
    before = Turn("Ada", f"I say {FALSE}.", round=1)
    assert held(misled, before) == FALSE
    assert held(misled, before, Turn("Bo", f"I say {RIGHT}. {FACT}", round=1)) == RIGHT


def test_its_turn_says_what_it_came_to() -> None:
    misled = debater(knows=0.0, misconceptions=1.0, susceptibility=1.0).balanced()
    turns = (Turn("Ada", f"I say {FALSE}.", round=1), Turn("Bo", f"I say {RIGHT}. {FACT}", round=1))
    reply = asked(misled, *turns, verb="argue")
    assert f"I have changed my mind: {RIGHT}" in reply.text
    assert reply.weighed is not None
    assert reply.weighed.decided == RIGHT


def test_a_misconception_that_it_holds_is_no_news_when_it_reads_its_own_argument_again() -> None:
    misled = debater(knows=0.0, misconceptions=1.0, susceptibility=1.0).balanced(Balance(orders=1))
    say = asked(debater(knows=0.0, misconceptions=1.0), verb="argue").text
    mine, other = Turn("Ada", say, round=1), Turn("Bo", "I say the rain.", round=1)
    with_it, without = (asked(misled, *turns).weighed for turns in ((mine, other), (other,)))
    assert with_it is not None
    assert without is not None
    assert "soil" in say
    assert with_it.plausible == without.plausible


@pytest.mark.parametrize("orders", [1, 2])
def test_a_mind_that_favours_what_it_reads_first_is_cured_by_two_orders(orders: int) -> None:
    biased = debater(knows=0.0, misconceptions=0.0, bias_first=6.0).balanced(Balance(orders=orders))
    one, other = (Turn(name, f"I say {answer}.", round=1) for name, answer in (("Bo", "the rain"), ("Cy", "the light")))
    weighed = asked(biased, one, other).weighed
    assert weighed is not None
    gap = abs(weighed.plausible["the rain"] - weighed.plausible["the light"])
    assert gap > 0.9 if orders == 1 else gap < 0.2
