"""Both lanes give the same reply on the same server, for every provider family."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from maieutic.backends import LiteLLMBackend, LLMReply, LLMRequest, ModelSpec, TextDelta, Usage
from maieutic.backends.families import SEPARABLE, key_variables
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest
from maieutic.testing.canned import Family

LANES: tuple[Literal["transforms", "acompletion"], ...] = ("transforms", "acompletion")
MODELS: dict[str, Family] = {
    "openai/gpt-4o": "openai",
    "openai/gpt-5-mini": "openai",
    "openai/unknown": "openai",
    "hosted_vllm/Qwen3-4B": "openai",
    "openrouter/meta/llama": "openai",
    "anthropic/claude-sonnet-4-5": "anthropic",
    "gemini/gemini-2.5-flash": "gemini",
}
NO_LOGPROBS = ("anthropic/claude-sonnet-4-5", "openai/gpt-5-mini")
MESSAGES = (Message("system", "Be kind."), Message("user", "Hi."), Message("user", "Who are you?"))


class Verdict(BaseModel):
    fair: bool
    why: str


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in SEPARABLE:
        monkeypatch.setenv(key_variables(ModelSpec(model=f"{provider}/x"), provider)[0], "key-for-tests")


def told(request: ParsedRequest) -> CannedReply:
    return CannedReply("Cities should ban cars.", reasoning="Let me think.", usage=Usage(20, 10, 4, 3))


def family(model: str) -> Family:
    return MODELS.get(model, "openai")


def ask(model: str, lane: str, *, stream: bool = False, server: dict[str, Any] | None = None, **how: Any) -> Any:
    """One call in one lane on a fresh server: the reply, the text that was streamed, and the request as received."""

    async def call() -> tuple[LLMReply, str, ParsedRequest]:
        backend = LiteLLMBackend()
        async with LoopbackServer(**{"reply": told, **(server or {})}) as loopback:
            spec = ModelSpec.model_validate(
                {"model": model, "api_base": loopback.base(family(model)), "lane": lane, **how.pop("spec", {})}
            )
            pieces: list[TextDelta] = []
            request = LLMRequest(spec, how.pop("messages", MESSAGES), Address("r"), **how)
            reply = await backend.complete(request, pieces.append if stream else None)
            await backend.aclose()
            return reply, "".join(piece.text for piece in pieces), loopback.received.requests[0]

    return asyncio.run(call())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what we wait for happens on the wire
            await asyncio.sleep(0.005)


def content(reply: LLMReply) -> dict[str, Any]:
    names = ("text", "model", "usage", "usd", "finish", "reasoning", "logprobs")
    return {name: getattr(reply, name) for name in names}


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "sampled": {
        "spec": {"temperature": 0.3, "top_p": 0.9, "max_tokens": 50, "seed": 7, "stop": ["xx"]},
        "sample": 2,
    },
    "extra fields": {"spec": {"extra": {"house_rule": {"a": 1}}}},
    "schema": {"spec": {"structured": "native"}, "output": Verdict},
    "log-probabilities": {"logprobs": 2},
    "cut by max_tokens": {"max_tokens": 2},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", MODELS)
def test_both_lanes_send_the_same_request_and_give_the_same_reply(model: str, case: str, stream: bool) -> None:
    (ours, our_text, our_request), (theirs, their_text, their_request) = (
        ask(model, lane, stream=stream, **CASES[case]) for lane in LANES
    )
    assert content(ours) == content(theirs)
    assert our_text == their_text
    assert our_request.params == their_request.params
    assert our_text == (ours.text if stream else "")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", sorted(SEPARABLE))
def test_every_provider_of_the_transforms_lane_agrees_with_litellms_own_client(provider: str, stream: bool) -> None:
    model = next((m for m in MODELS if m.startswith(f"{provider}/")), f"{provider}/some-model")
    replies = [ask(model, lane, stream=stream)[0] for lane in LANES]
    ours, theirs = ({**content(reply), "model": reply.model.rpartition("/")[2]} for reply in replies)
    assert ours == theirs
    assert replies[0].text == "Cities should ban cars."
    assert stream or replies[0].usage.total == 30


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_a_reply_tells_text_thought_usage_and_finish(model: str, stream: bool, lane: str) -> None:
    reply, streamed, _ = ask(model, lane, stream=stream)
    reasoning_tokens = None if model.startswith("anthropic/") else 3
    assert reply.text == "Cities should ban cars."
    assert reply.reasoning == "Let me think."
    assert reply.usage == Usage(20, 10, 4, reasoning_tokens)
    assert reply.finish == "stop"
    assert reply.model == model.partition("/")[2]
    assert not reply.simulated
    assert reply.seconds > 0
    assert streamed == (reply.text if stream else "")


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("model", [m for m in MODELS if m not in NO_LOGPROBS])
def test_logprobs_come_with_their_alternatives(model: str, lane: str) -> None:
    reply, _, _ = ask(model, lane, logprobs=2)
    assert reply.logprobs is not None
    assert "".join(token.token for token in reply.logprobs) == reply.text
    assert reply.logprobs[0].top == {"Cities": -0.1, "Cities1": -1.1}


@pytest.mark.parametrize("lane", LANES)
def test_logprobs_are_none_where_the_model_or_the_endpoint_gives_none(lane: str) -> None:
    assert [ask(model, lane, logprobs=2)[0].logprobs for model in NO_LOGPROBS] == [None, None]
    assert ask("openai/gpt-4o", lane, logprobs=2, server={"logprobs": False})[0].logprobs is None


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("model", MODELS)
def test_a_native_schema_is_enforced_by_the_endpoint(model: str, lane: str) -> None:
    reply, _, _ = ask(model, lane, output=Verdict, spec={"structured": "native"})
    assert Verdict.model_validate_json(reply.text).why == "Cities should ban cars."


@pytest.mark.parametrize("lane", LANES)
def test_extra_fields_inside_geminis_own_configuration_leave_the_rest_of_it(lane: str) -> None:
    extra = {"generationConfig": {"topK": 3}}
    _, _, request = ask("gemini/gemini-2.5-flash", lane, spec={"extra": extra, "temperature": 0.5})
    assert request.params["generationConfig"] == {"temperature": 0.5, "topK": 3}


@pytest.mark.parametrize("lane", LANES)
def test_tokens_nobody_reported_are_unknown_and_so_is_their_price(lane: str) -> None:
    reply, _, _ = ask("openai/gpt-4o", lane, stream=True, server={"stream_usage": False})
    assert reply.usage == Usage()
    assert reply.usd is None


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_thought_between_tags_is_not_part_of_the_text(lane: str, stream: bool) -> None:
    server = {"reply": lambda request: "<think>Hm. Cars?</think>\n\nBan them."}
    reply, streamed, _ = ask("hosted_vllm/Qwen3-4B", lane, stream=stream, server=server)
    assert (reply.text, reply.reasoning) == ("Ban them.", "Hm. Cars?")
    assert streamed == ("Ban them." if stream else "")


def test_an_endpoint_that_does_not_stream_tells_its_whole_reply_at_once() -> None:
    reply, streamed, _ = ask("openai/gpt-4o", "transforms", stream=True, server={"streams": False})
    assert streamed == reply.text == "Cities should ban cars."


def test_auto_takes_our_own_connection_for_a_separable_family(capfd: pytest.CaptureFixture[str]) -> None:
    _, _, request = ask("openai/gpt-4o", "auto")
    assert "aiohttp" in request.headers["user-agent"].lower()
    assert capfd.readouterr() == ("", "")


def test_one_backend_serves_one_event_loop_after_another() -> None:
    backend = LiteLLMBackend()

    async def call() -> str:
        async with LoopbackServer(told) as server:
            spec = ModelSpec(model="openai/gpt-4o", api_base=server.base("openai"))
            return (await backend.complete(LLMRequest(spec, MESSAGES, Address("r")))).text

    assert [asyncio.run(call()) for _ in range(2)] == ["Cities should ban cars."] * 2
    asyncio.run(backend.aclose())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("lane", LANES)
def test_cancelling_closes_the_connection_at_once(lane: Literal["transforms", "acompletion"], stream: bool) -> None:
    long = " ".join(map(str, range(100_000)))

    async def cancelled() -> int:
        backend = LiteLLMBackend()
        async with LoopbackServer(lambda request: long, latency=0.0 if stream else 30.0) as server:
            spec = ModelSpec(model="hosted_vllm/q", api_base=server.base("openai"), lane=lane)
            pieces: list[TextDelta] = []
            call = backend.complete(LLMRequest(spec, MESSAGES, Address("r")), pieces.append if stream else None)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(call)
                await until(lambda: bool(pieces if stream else server.received.in_flight))
                task.cancel()
            await until(lambda: not server.received.in_flight)
            await backend.aclose()
            return server.received.cancelled

    assert asyncio.run(cancelled()) == 1
