"""Replies that no provider's description foresees, over real HTTP: each is read, or fails as a ModelError."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import pytest
from aiohttp import web

from maieutic.backends import LLMReply, LLMRequest, ModelSpec, TextDelta
from maieutic.backends.litellm_backend import LiteLLMBackend
from maieutic.errors import ModelError
from maieutic.memory import Address, Message
from maieutic.testing import LoopbackServer

Lane = Literal["transforms", "acompletion"]
BOTH = pytest.mark.parametrize("lane", ["transforms", "acompletion"])
STREAMING = pytest.mark.parametrize("stream", [False, True])


def completion(content: object, **more: object) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}


def streamed(body: Mapping[str, Any]) -> bytes:
    choices = [{"delta": c["message"], "index": 0, "finish_reason": c["finish_reason"]} for c in body["choices"]]
    chunk = {**body, "object": "chat.completion.chunk", "choices": choices}
    return f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()


def ask(spec: ModelSpec, text: str = "Who?", on_text: Callable[[TextDelta], None] | None = None) -> Awaitable[LLMReply]:
    async def asked() -> LLMReply:
        backend = LiteLLMBackend()
        try:
            return await backend.complete(LLMRequest(spec, (Message("user", text),), Address("run") / "ask"), on_text)
        finally:
            await backend.aclose()

    return asked()


def answered(body: Mapping[str, Any] | bytes, lane: Lane, stream: bool) -> tuple[LLMReply, str]:
    """What becomes of a server's body, and what was told of it meanwhile."""
    told: list[str] = []

    async def serve(request: web.BaseRequest) -> web.Response:
        await request.read()
        if stream and not isinstance(body, bytes):
            return web.Response(body=streamed(body), content_type="text/event-stream")
        whole = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=whole, content_type="application/json")

    async def scenario() -> LLMReply:
        runner = web.ServerRunner(web.Server(serve))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            spec = ModelSpec(model="hosted_vllm/m", api_base=base, lane=lane, timeout=30)
            return await ask(spec, on_text=(lambda delta: told.append(delta.text)) if stream else None)
        finally:
            await runner.cleanup()

    return asyncio.run(scenario()), "".join(told)


@BOTH
@STREAMING
def test_half_characters_in_a_reply_are_replaced_and_it_is_not_bought_again(lane: Lane, stream: bool) -> None:
    reply, told = answered(completion("half \ud83d done"), lane, stream)
    assert reply.text == "half � done"
    assert told in ("", "half � done")


@BOTH
def test_half_characters_in_a_message_are_replaced_before_it_is_sent(lane: Lane) -> None:
    async def scenario() -> str:
        async with LoopbackServer() as server:
            spec = ModelSpec(model="hosted_vllm/m", api_base=server.base("openai"), lane=lane)
            return (await ask(spec, "a \udc00 b")).text

    assert asyncio.run(scenario()).endswith("a � b")


@BOTH
def test_a_reply_without_choices_is_malformed(lane: Lane) -> None:
    with pytest.raises(ModelError, match="no choices") as caught:
        answered(completion("x", choices=[]), lane, stream=False)
    assert caught.value.kind == "malformed"
    assert caught.value.retryable


@pytest.mark.parametrize("content", [[{"type": "text", "text": "hi"}], 5])
@STREAMING
def test_a_reply_whose_content_is_no_text_is_malformed(content: object, stream: bool) -> None:
    with pytest.raises(ModelError) as caught:
        answered(completion(content), "transforms", stream)
    assert caught.value.kind == "malformed"


def test_a_stream_whose_usage_is_no_usage_has_none() -> None:
    reply, _ = answered(completion("hi", usage="plenty"), "transforms", stream=True)
    assert reply.text == "hi"
    assert reply.usage.total is None


def test_json_nested_beyond_reason_is_malformed() -> None:
    with pytest.raises(ModelError) as caught:
        answered(b"[" * 100_000, "transforms", stream=False)
    assert caught.value.kind == "malformed"


@BOTH
def test_a_key_with_a_line_break_inside_fails_before_anything_is_sent(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-first\nsk-second")
    spec = ModelSpec.model_validate(
        {"model": "openai/m", "api_base": "http://127.0.0.1:9/v1", "api_key": {"secret": "MY_KEY"}, "lane": lane}
    )
    with pytest.raises(ModelError, match=r"no key has.*MY_KEY") as caught:
        asyncio.run(asyncio.wait_for(ask(spec), 30))
    assert caught.value.kind == "auth"
    assert "sk-" not in str(caught.value)


@BOTH
def test_blank_space_around_a_key_is_no_part_of_it(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-right\n")

    async def scenario() -> str:
        async with LoopbackServer(lambda _: "Yes.", keys={"sk-right"}) as server:
            spec = {"model": "openai/m", "api_base": server.base("openai"), "api_key": {"secret": "MY_KEY"}}
            return (await ask(ModelSpec.model_validate({**spec, "lane": lane}))).text

    assert asyncio.run(scenario()) == "Yes."


@pytest.mark.filterwarnings("error")
def test_a_request_of_megabytes_is_sent_without_a_warning() -> None:
    async def scenario() -> str:
        async with LoopbackServer(lambda _: "Read.") as server:
            return (await ask(ModelSpec(model="hosted_vllm/m", api_base=server.base("openai")), "word " * 300_000)).text

    assert asyncio.run(scenario()) == "Read."
