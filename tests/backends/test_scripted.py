"""A model for tests that says exactly what it was given to say."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel

from maieutic.backends import Endpoints, LLMReply, LLMRequest, ModelSpec, ScriptedModel, TextDelta, Usage
from maieutic.errors import ModelError, UsageError
from maieutic.memory import Address, Message


class Verdict(BaseModel):
    winner: str


def request(agent: str = "ada", text: str = "Who won?") -> LLMRequest:
    return LLMRequest(ModelSpec(model="scripted/x"), (Message("user", text),), Address("run") / agent, agent=agent)


def say(model: ScriptedModel, agent: str = "ada") -> LLMReply:
    return asyncio.run(model.complete(request(agent)))


def test_lines_are_said_in_order_as_text_or_json() -> None:
    whole = LLMReply("whole", "another-model", Usage(1, 2))
    with ScriptedModel(["Ada.", Verdict(winner="bo"), {"winner": "cy"}, whole]) as model:
        assert [say(model).text for _ in range(3)] == ["Ada.", '{"winner":"bo"}', '{"winner":"cy"}']
        assert say(model) is whole


def test_an_error_is_raised() -> None:
    with ScriptedModel([ModelError("down", kind="server")]) as model, pytest.raises(ModelError, match="down"):
        say(model)


def test_each_agent_may_have_lines_of_its_own() -> None:
    with ScriptedModel({"ada": ["A1", "A2"], "bo": ["B1"]}) as model:
        assert [say(model, "ada").text, say(model, "bo").text, say(model, "ada").text] == ["A1", "B1", "A2"]


def test_a_function_answers_for_ever() -> None:
    with ScriptedModel(lambda asked: asked.messages[-1].content.upper()) as model:
        assert say(model).text == "WHO WON?"
    assert [asked.agent for asked in model.requests] == ["ada"]


def test_it_fails_when_lines_run_out() -> None:
    model = ScriptedModel({"ada": ["A1"]})
    say(model)
    with pytest.raises(
        UsageError, match=r"no line left for 'ada' \(request 2, at run/0/0/ada\). It was asked: 'Who won\?'"
    ):
        say(model)


def test_it_fails_when_lines_are_left() -> None:
    model = ScriptedModel(["A1", "A2", "A3"])
    with (
        pytest.raises(UsageError, match=r"not used up after 1 requests\. Lines left: for anybody 2, first 'A2'"),
        model,
    ):
        say(model)


def test_endpoints_tell_of_lines_left_but_never_hide_another_error() -> None:
    async def scenario(error: Exception | None) -> None:
        async with Endpoints({"scripted": ScriptedModel(["A1"])}):
            if error:
                raise error

    with pytest.raises(UsageError, match="Lines left"):
        asyncio.run(scenario(None))
    with pytest.raises(KeyError):
        asyncio.run(scenario(KeyError("the real one")))


def test_text_is_told_as_it_comes() -> None:
    pieces: list[TextDelta] = []
    asyncio.run(ScriptedModel(["One.\nTwo."]).complete(request(), pieces.append))
    assert pieces == [TextDelta("One.\n"), TextDelta("Two.")]


def test_a_scripted_model_without_a_script_says_how_to_give_one() -> None:
    with pytest.raises(UsageError, match=r"'scripted/x' has no script\. Give one: Endpoints"):
        Endpoints().backend(ModelSpec(model="scripted/x"))
