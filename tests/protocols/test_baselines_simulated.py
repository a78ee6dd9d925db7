"""The baselines with simulated minds, offline: what sampling, criticism and playing do to how often they are right."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maieutic.agents import Agent, Critic
from maieutic.protocols.base import Protocol
from maieutic.protocols.baselines import AgentForest, SelfRefine, SingleCall, SoloPerformance
from maieutic.protocols.routing.routers.asking import SCORERS, bundled_questions

QUESTIONS = bundled_questions()[:40]
NOVICE = Agent("Ann", {"model": "sim/student", "knows": 0.3, "guess": 0.2, "slip": 0.3, "seed": 3})
EXPERT = Critic("Cora", {"model": "sim/critic", "knows": 1.0, "seed": 2})
IGNORANT = Critic("Ira", {"model": "sim/critic", "knows": 0.0, "seed": 2})


def asked(protocol: Protocol[Any, Any]) -> list[Any]:
    async def go() -> list[Any]:
        return [await protocol.perform(q.question, options=q.options) for q in QUESTIONS]

    return asyncio.run(go())


def right(outcomes: list[Any]) -> int:
    return round(sum(SCORERS["em"](str(o.answer), q.answer) for o, q in zip(outcomes, QUESTIONS, strict=True)))


@pytest.fixture(scope="module")
def once() -> int:
    return right(asked(SingleCall(NOVICE)))


def test_a_critic_who_knows_helps_and_one_who_does_not_changes_nothing(once: int) -> None:
    helped = asked(SelfRefine(NOVICE, EXPERT, rounds=2))
    assert right(helped) >= once + 10
    assert all(o.content or o.reason == "limit" for o in helped)
    left = asked(SelfRefine(NOVICE, IGNORANT, rounds=2))
    assert right(left) == once
    assert {o.calls for o in left} == {2}


def test_a_vote_undoes_slips() -> None:
    """A mind that knows everything and slips in two of five answers."""
    careless = Agent("Cy", {"model": "sim/student", "knows": 1.0, "slip": 0.4, "temperature": 1.0, "seed": 4})
    voted = asked(AgentForest([careless], samples=9))
    assert right(voted) >= right(asked(SingleCall(careless))) + 8
    assert {o.calls for o in voted} == {9}


def test_a_mind_that_plays_nobody_performs_as_in_a_single_call(once: int) -> None:
    assert abs(right(asked(SoloPerformance(NOVICE))) - once) <= 2


def test_equal_seeds_give_equal_outcomes() -> None:
    forest = AgentForest([NOVICE], samples=3)
    first, second = (asyncio.run(forest.perform(QUESTIONS[0].question)) for _ in range(2))
    assert first == second
