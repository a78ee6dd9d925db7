from typing import Any

import pytest

from maieutic.agents import Agent, Debater
from maieutic.backends import LLMRequest, ModelSpec
from maieutic.errors import UsageError
from maieutic.protocols import SelfConsistency
from maieutic.testing.staged import play

ADA = Debater("ada", "scripted/a", persona="A chemist.", stance="Water.")
BO = Agent("bo", ModelSpec(model="scripted/b", temperature=0))


def solved(answer: str) -> dict[str, Any]:
    return {"reasoning": "It follows.", "answer": answer, "confidence": 0.7}


def test_the_most_frequent_answer_wins() -> None:
    lines = [solved(answer) for answer in ("42", "41", "42.0", "Answer: 42", "41")]
    outcome = play(SelfConsistency([ADA], samples=5), lines).outcome
    assert (outcome.answer, outcome.decided_by, outcome.votes) == ("42", "votes 3 of 5", {"42": 3, "41": 2})
    assert [sample.answer for sample in outcome.samples] == ["42", "41", "42", "42", "41"]


def test_a_tie_goes_to_the_answer_sampled_first() -> None:
    assert play(SelfConsistency([ADA], samples=4), [solved(a) for a in "baab"]).outcome.answer == "b"


def test_samples_are_independent_and_dealt_evenly() -> None:
    staged = play(SelfConsistency([ADA, BO], samples=5), lambda _: solved("x"))
    assert [request.agent for request in staged.requests] == ["ada", "bo", "ada", "bo", "ada"]
    assert [request.sample for request in staged.requests] == list(range(5))
    assert len({request.address for request in staged.requests}) == 5
    assert SelfConsistency([ADA, BO], samples=5).plan().calls == {"ada": (3, 3), "bo": (2, 2)}


def test_an_agent_solves_alone_without_role_or_stance() -> None:
    request = play(SelfConsistency([ADA], samples=1), [solved("x")], "What is it?").requests[0]
    system, instruction = (message.content for message in request.messages)
    assert system == "You are ada. A chemist."
    assert "Question: What is it?" in instruction


def test_a_model_without_temperature_is_given_one_since_equal_samples_are_no_vote() -> None:
    temperatures: dict[str, Any] = {}

    def say(request: LLMRequest) -> dict[str, Any]:
        temperatures[request.agent] = request.model.temperature
        return solved("x")

    play(SelfConsistency([ADA, BO], samples=2), say)
    assert temperatures == {"ada": None, "bo": 0.7}


def test_options_limit_the_answers() -> None:
    request = play(SelfConsistency([ADA], samples=1), [solved("tea")], options=["tea", "coffee"]).requests[0]
    assert request.output is not None
    assert request.output.model_json_schema()["properties"]["answer"]["enum"] == ["tea", "coffee"]
    assert "- tea\n- coffee" in request.messages[-1].content


def test_it_needs_somebody_to_ask() -> None:
    with pytest.raises(UsageError, match="self_consistency: agents: List should have at least 1 item"):
        SelfConsistency([])
