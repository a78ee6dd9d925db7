"""Both lanes raise the same error for the same fault, for every provider family."""

from __future__ import annotations

import asyncio
import logging
import traceback
from contextlib import aclosing
from typing import Any, Literal

import pytest

from maieutic.backends import LiteLLMBackend, LLMReply, LLMRequest, ModelSpec, SecretRef, TextDelta
from maieutic.backends.failures import retry_after
from maieutic.errors import ModelError, UsageError
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message
from maieutic.testing import LoopbackServer, faults
from maieutic.testing.canned import Family
from maieutic.testing.faults import Fault

Lane = Literal["transforms", "acompletion"]
LANES: tuple[Lane, ...] = ("transforms", "acompletion")
KEY = "key-that-nobody-may-see"
MODELS: dict[str, Family] = {
    "openai/gpt-4o": "openai",
    "hosted_vllm/Qwen3-4B": "openai",
    "openrouter/meta/llama": "openai",
    "anthropic/claude-sonnet-4-5": "anthropic",
    "gemini/gemini-2.5-flash": "gemini",
}
MESSAGES = (Message("user", "Should cities ban cars?"),)

CONTEXT = "This model's maximum context length is 10 tokens, however you requested 99."
FILTER = "The response was filtered due to the prompt triggering the content management policy."
QUOTA = "You exceeded your current quota, please check your plan."

# name: (fault, kind, retryable, status, seconds to wait)
Expected = tuple[Fault, str, bool, int | None, float | None]
WHOLE: dict[str, Expected] = {
    "400": (faults.status(400), "bad_request", False, 400, None),
    "401": (faults.status(401), "auth", False, 401, None),
    "403": (faults.status(403), "auth", False, 403, None),
    "404": (faults.status(404), "not_found", False, 404, None),
    "408": (faults.status(408), "timeout", True, 408, None),
    "409": (faults.status(409), "server", True, 409, None),
    "422": (faults.status(422), "bad_request", False, 422, None),
    "429": (faults.status(429), "rate_limit", True, 429, None),
    "429, wait": (faults.status(429, retry_after=7), "rate_limit", True, 429, 7.0),
    "429, no quota": (faults.status(429, message=QUOTA), "rate_limit", False, 429, None),
    "500": (faults.status(500), "server", True, 500, None),
    "503, wait": (faults.status(503, retry_after=2.5), "server", True, 503, 2.5),
    "529": (faults.status(529), "server", True, 529, None),
    "too long": (faults.status(400, message=CONTEXT), "context_window", False, 400, None),
    "filtered": (faults.status(400, message=FILTER), "content_filter", False, 400, None),
    "dropped": (faults.drop(), "connection", True, None, None),
    "cut": (faults.cut_body(), "connection", True, None, None),
    "malformed": (faults.malformed(), "malformed", True, None, None),
    "slow": (faults.slow(5), "timeout", True, None, None),
}
STREAMED = WHOLE | {
    "truncated": (faults.truncated(), "truncated", True, None, None),
    "error event": (faults.stream_error(500), "server", True, 500, None),
    "error event 429": (faults.stream_error(429), "rate_limit", True, 429, None),
}

# What LiteLLM's own client does not tell: it skips events it cannot parse, forgets the kind of Anthropic's error
# events, and finishes every Gemini stream. So it is the second choice.
LOST = {
    ("hosted_vllm/Qwen3-4B", "malformed"),
    ("openrouter/meta/llama", "malformed"),
    ("anthropic/claude-sonnet-4-5", "malformed"),
    ("gemini/gemini-2.5-flash", "malformed"),
    ("anthropic/claude-sonnet-4-5", "error event 429"),
    ("gemini/gemini-2.5-flash", "truncated"),
}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "HOSTED_VLLM", "OPENROUTER", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)


async def ask(spec: ModelSpec) -> LLMReply:
    async with aclosing(LiteLLMBackend()) as backend:
        return await backend.complete(LLMRequest(spec, MESSAGES, Address("r")))


async def attempt(model: str, lane: Lane, fault: Fault, *, stream: bool) -> LLMReply | ModelError:
    backend = LiteLLMBackend()
    async with LoopbackServer(faults=[fault]) as server:
        late = 0.3 if fault.kind == "slow" else 20.0
        spec = ModelSpec(model=model, api_base=server.base(MODELS[model]), lane=lane, timeout=late)
        pieces: list[TextDelta] = []
        try:
            return await backend.complete(LLMRequest(spec, MESSAGES, Address("r")), pieces.append if stream else None)
        except ModelError as error:
            return error
        finally:
            await backend.aclose()


def told(outcome: LLMReply | ModelError) -> Any:
    """What an error tells; a reply that should have been one stands for itself."""
    if isinstance(outcome, LLMReply):
        return outcome
    return (outcome.kind, outcome.retryable, outcome.status, outcome.retry_after)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("model", MODELS)
def test_every_fault_is_the_same_error_in_both_lanes(model: str, lane: Lane, stream: bool) -> None:
    async def table() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (fault, *_) in (STREAMED if stream else WHOLE).items():
            error = await attempt(model, lane, fault, stream=stream)
            found[name] = told(error)
        return found

    def lost(name: str) -> bool:
        return lane == "acompletion" and stream and (model, name) in LOST

    found = asyncio.run(table())
    expected = {name: tuple(rest) for name, (_, *rest) in (STREAMED if stream else WHOLE).items()}
    assert {n: f for n, f in found.items() if not lost(n)} == {n: e for n, e in expected.items() if not lost(n)}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("model", MODELS)
def test_a_refused_key_is_told_with_model_address_and_variable_and_never_shown(
    model: str, lane: Lane, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    error = asyncio.run(attempt(model, lane, faults.status(401, message=f"bad key {KEY}"), stream=False))
    assert isinstance(error, ModelError)
    variable = f"{model.partition('/')[0].upper()}_API_KEY"
    assert str(error).startswith(f"{model} at http://127.0.0.1:")
    assert f"HTTP 401: bad key ***. Put a valid key into the environment variable {variable}" in str(error)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("maieutic", "aiohttp"))]
    shown = "".join(traceback.format_exception(error)) + repr(error) + "".join(ours) + "".join(capfd.readouterr())
    assert KEY not in shown


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"])
def test_a_missing_key_is_told_before_any_request(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name)

    async def scenario() -> tuple[LLMReply | ModelError, int]:
        async with LoopbackServer() as server:
            spec = ModelSpec(model=model, api_base=server.base(MODELS[model]))
            try:
                await ask(spec)
            except ModelError as error:
                return error, server.received.total
        raise AssertionError("a call without a key went through")

    error, sent = asyncio.run(scenario())
    assert isinstance(error, ModelError)
    assert (error.kind, error.retryable, sent) == ("auth", False, 0)
    assert f"no API key was found. Put a valid key into the environment variable {model.partition('/')[0].upper()}" in (
        str(error)
    )


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "groq"])
def test_a_secret_is_read_from_the_variable_it_names_and_nowhere_else(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "key-of-my-own")
    monkeypatch.setenv("GROQ_API_KEY", KEY)

    async def scenario() -> str:
        async with LoopbackServer(keys={"key-of-my-own"}) as server:
            spec = ModelSpec(model=f"{provider}/x", api_base=server.base("openai"), api_key=SecretRef(secret="MY_KEY"))
            await ask(spec)
            missing = spec.model_copy(update={"api_key": SecretRef(secret="NOT_SET")})
            with pytest.raises(ModelError) as caught:
                await ask(missing)
            return str(caught.value)

    assert "environment variable NOT_SET." in asyncio.run(scenario())


def test_a_server_of_ones_own_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    with pytest.raises(ModelError, match="give the model an `api_base`"):
        asyncio.run(ask(ModelSpec(model="hosted_vllm/q")))


def test_an_unreachable_endpoint_is_a_connection_error_that_says_what_to_check() -> None:
    with pytest.raises(ModelError, match=r"hosted_vllm/q at http://127\.0\.0\.1:9/v1: .*Check that the endpoint is up"):
        asyncio.run(ask(ModelSpec(model="hosted_vllm/q", api_base="http://127.0.0.1:9/v1")))


def test_an_unknown_provider_is_told_without_a_word_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="write provider/model, for example") as caught:
        asyncio.run(ask(ModelSpec(model="nowhere/x")))
    assert caught.value.kind == "bad_request"
    assert capfd.readouterr() == ("", "")


def test_the_transforms_lane_refuses_a_provider_it_cannot_take_apart() -> None:
    spec = ModelSpec(model="bedrock/anthropic.claude-v2", lane="transforms")
    with pytest.raises(UsageError, match="set the model's `lane` to auto or acompletion"):
        asyncio.run(ask(spec))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "12"}, 12.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date_counts_from_now() -> None:
    wait = retry_after({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert wait is not None
    assert wait > 1e9
