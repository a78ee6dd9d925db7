"""Tools over the wire: the same calls from every provider family, in both lanes, streamed or whole."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from maieutic.backends import Endpoints, LLMReply, LLMRequest, ModelSpec, Tool, ToolCall, in_memory
from maieutic.backends.journaled import reply_from_json, reply_to_json, request_to_json
from maieutic.memory import Address, Message
from maieutic.testing import CannedReply, LoopbackServer

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "query": {"type": "string"}},
    "required": ["name", "query"],
}
TOOLS = (
    Tool("search", "Ask a model.", SCHEMA),
    Tool("answer", "Say the answer.", {"type": "object", "properties": {}}),
)
CALLS = (
    ToolCall("search", '{"name": "Small", "query": "Who wrote \\"Emma\\"?"}'),
    ToolCall("search", '{"name": "Large", "query": "And when?"}'),
)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "test")


def asked(canned: CannedReply, model: str, lane: str, *, stream: bool) -> tuple[LLMReply, Any]:
    family: Any = {"anthropic": "anthropic", "gemini": "gemini"}.get(model.partition("/")[0], "openai")

    async def go() -> tuple[LLMReply, Any]:
        async with LoopbackServer(lambda request: canned) as server, Endpoints() as endpoints:
            spec = ModelSpec.model_validate(
                {"model": model, "api_base": server.base(family), "lane": lane, "retries": 0, "timeout": 30}
            )
            request = LLMRequest(spec, (Message("user", "Who?"),), Address("run"), tools=TOOLS)
            async with in_memory(endpoints) as place:
                reply = await place.gateway.complete(request, (lambda _: None) if stream else None)
            return reply, server.received

    return asyncio.run(go())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("lane", ["transforms", "acompletion"])
@pytest.mark.parametrize(
    "model", ["openai/gpt-4o", "hosted_vllm/some", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"]
)
def test_calls_come_back_as_the_model_made_them(model: str, lane: str, stream: bool) -> None:
    reply, received = asked(CannedReply("I will ask.", tool_calls=CALLS), model, lane, stream=stream)
    assert reply.text == "I will ask."
    assert [call.name for call in reply.tool_calls] == ["search", "search"]
    assert [json.loads(call.arguments) for call in reply.tool_calls] == [json.loads(c.arguments) for c in CALLS]
    assert received.requests[0].tools == ("search", "answer")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5"])
def test_a_call_without_a_word_is_a_reply(model: str, stream: bool) -> None:
    reply, _ = asked(CannedReply("", tool_calls=CALLS[:1]), model, "transforms", stream=stream)
    assert (reply.text, len(reply.tool_calls), reply.finish) == ("", 1, "tool_calls")


def test_who_calls_nothing_just_speaks() -> None:
    reply, _ = asked(CannedReply("Hello."), "openai/gpt-4o", "transforms", stream=False)
    assert (reply.text, reply.tool_calls) == ("Hello.", ())


def test_the_journal_keeps_calls_and_a_request_is_known_by_its_tools() -> None:
    reply = LLMReply("x", "m", tool_calls=CALLS)
    assert reply_from_json(json.loads(json.dumps(reply_to_json(reply)))).tool_calls == CALLS
    assert "tool_calls" not in reply_to_json(LLMReply("x", "m"))
    plain = LLMRequest(ModelSpec(model="sim/x"), (), Address("run"))
    assert "tools" not in request_to_json(plain)
    with_tools = request_to_json(LLMRequest(ModelSpec(model="sim/x"), (), Address("run"), tools=TOOLS))
    assert [tool["name"] for tool in with_tools["tools"]] == ["search", "answer"]
