"""What a run would take, before anything is called."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import maieutic as mt
from maieutic.backends import Endpoints, LLMRequest
from maieutic.runs import Estimate, estimate
from maieutic.testing import ScriptedModel

PRICE = {"input": 2.0, "output": 10.0}


def debate(model: Any, judge: Any = "sim/judge", **params: Any) -> mt.Debate:
    debaters = [mt.Debater("Ada", model), mt.Debater("Bo", model)]
    return mt.Debate(debaters, judge=mt.Judge("June", judge), **params)


def estimated(program: Any) -> Estimate:
    def never(request: LLMRequest) -> str:
        raise AssertionError("an estimate calls nobody")

    return estimate(program, Endpoints({"scripted": ScriptedModel(never)}))


def test_calls_are_those_of_the_plan() -> None:
    talk = debate("scripted/x", rounds=3, stop="agreement")
    found = estimated(talk)
    assert found.calls == (talk.plan().fewest, talk.plan().most)
    assert {a.agent: a.calls for a in found.agents} == dict(talk.plan().calls)
    assert found.calls[0] < found.calls[1]


def test_a_run_without_ways_to_end_early_takes_exactly_what_was_said() -> None:
    talk = debate("sim/debater", rounds=3, probes="never")
    run = asyncio.run(talk.run("Should cities ban cars?"))
    assert estimated(talk).calls == (run.ledger.total.calls, run.ledger.total.calls) == (7, 7)


def test_longer_runs_cost_more_than_in_proportion_because_everything_is_read_again() -> None:
    short, long = (estimated(debate("scripted/x", rounds=n)).tokens for n in (2, 8))
    assert long[1] > 4 * short[1]


def test_money_follows_the_price_and_simulated_minds_are_free() -> None:
    found = estimated(debate({"model": "scripted/x", "price": PRICE, "max_tokens": 100}, rounds=1, probes="never"))
    by_agent = {a.agent: a for a in found.agents}
    assert by_agent["June"].usd == (0.0, 0.0)
    assert by_agent["Ada"].tokens == (500, 500)  # one call: 400 read, 100 written
    assert by_agent["Ada"].usd == pytest.approx(((400 * 2 + 100 * 10) / 1e6,) * 2)
    assert found.usd == pytest.approx((2 * 0.0018,) * 2)
    assert found.unpriced == ()


def test_an_unknown_price_is_unknown_and_not_nothing() -> None:
    found = estimated(debate("scripted/x", judge={"model": "scripted/j", "price": PRICE}))
    assert found.unpriced == ("scripted/x",)
    assert {a.agent: a.usd is None for a in found.agents} == {"Ada": True, "Bo": True, "June": False}
    assert found.usd[0] > 0


def test_a_person_costs_nothing() -> None:
    talk = mt.Debate([mt.Debater("Ada", "sim/debater"), mt.Debater("Eve", "person/eve")])
    assert estimated(talk).unpriced == ()
