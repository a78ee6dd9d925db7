"""What a model thought is kept apart from what it answered, in whatever way the endpoint tells it."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import maieutic as mt
from maieutic.backends import LiteLLMBackend, LLMReply, LLMRequest, ModelSpec, TextDelta, TokenLogprob
from maieutic.backends.thoughts import of_the_answer, without_opening
from maieutic.memory import Address, Message
from maieutic.testing import CannedReply, LoopbackServer, ParsedRequest

THOUGHT, ANSWER = "Is it A? No.\nB, then.", "B it is.\n\nReally."
WAYS = {
    "vLLM's parser": CannedReply(ANSWER, reasoning=THOUGHT),
    "older parsers": CannedReply(ANSWER, reasoning=THOUGHT, thought_in=("reasoning_content",)),
    "both fields": CannedReply(ANSWER, reasoning=THOUGHT, thought_in=("reasoning", "reasoning_content")),
    "tags": CannedReply(f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"),
    "tags that the prompt opened": CannedReply(f"{THOUGHT}\n</think>\n\n{ANSWER}"),
}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-for-tests")


def ask(canned: CannedReply, lane: str = "auto", *, stream: bool = False, **how: Any) -> tuple[LLMReply, str]:
    """The reply, and the text that a live viewer has at the end."""

    async def call() -> tuple[LLMReply, str]:
        shown = ""

        def show(piece: TextDelta) -> None:
            nonlocal shown
            shown = piece.text if piece.restart else shown + piece.text

        backend = LiteLLMBackend()
        async with LoopbackServer(lambda request: canned) as server:
            spec = ModelSpec.model_validate(
                {"model": "hosted_vllm/m", "api_base": server.base("openai"), "lane": lane, **how.pop("spec", {})}
            )
            request = LLMRequest(spec, (Message("user", "A or B?"),), Address("r"), **how)
            reply = await backend.complete(request, show if stream else None)
            await backend.aclose()
        return reply, shown

    return asyncio.run(call())


@pytest.mark.parametrize("lane", ["transforms", "acompletion"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("way", WAYS)
def test_thought_is_no_part_of_the_text(way: str, stream: bool, lane: str) -> None:
    reply, shown = ask(WAYS[way], lane, stream=stream)
    assert (reply.text, reply.reasoning) == (ANSWER, THOUGHT)
    assert shown == (ANSWER if stream else "")


@pytest.mark.parametrize("way", WAYS)
def test_each_of_several_samples_has_its_own_thought(way: str) -> None:
    reply, _ = ask(WAYS[way], n=3)
    assert [(one.text, one.reasoning) for one in (reply, *reply.more)] == [(ANSWER, THOUGHT)] * 3


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_thought_that_was_cut_off_is_no_answer(stream: bool) -> None:
    reply, shown = ask(CannedReply("", finish="length", reasoning=THOUGHT), stream=stream)
    assert (reply.text, reply.reasoning, reply.finish, shown) == ("", THOUGHT, "length", "")


@pytest.mark.parametrize(
    "text",
    [
        "A </think> tag closes a thought.",
        "Write it so:\n\n<think>\nyour thought\n</think>\n\nThen answer.",
        '{"text": "…</think>\\n"}',
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_what_is_said_about_tags_is_no_thought(text: str, stream: bool) -> None:
    reply, _ = ask(CannedReply(text), "transforms", stream=stream)
    assert (reply.text, reply.reasoning) == (text, None)


@given(st.text(), st.text())
def test_a_thought_that_the_prompt_opened_ends_where_its_line_ends(thought: str, answer: str) -> None:
    if "think>" not in thought:
        assert without_opening(f"{thought}</think>\n{answer}") == (thought.strip(), answer.lstrip())


def tokens(*texts: str, **top: float) -> tuple[TokenLogprob, ...]:
    """Tokens whose last but one has these alternatives."""
    told = {token: math.log(p) for token, p in top.items()}
    return tuple(TokenLogprob(t, -0.1, told if n == len(texts) - 2 else {t: -0.1}) for n, t in enumerate(texts))


@pytest.mark.parametrize("way", ["vLLM's parser", "tags"])
def test_labels_are_read_off_the_answer_and_not_off_the_thought(way: str) -> None:
    told = tokens("<think>", "\n", "A", " seems", " right", "\n", "</think>", "\n\n", "B", "<|end|>", B=0.9, A=0.1)
    text = "B" if way != "tags" else "<think>\nA seems right\n</think>\n\nB"
    thought = None if way == "tags" else "A seems right"

    async def weigh() -> Any:
        canned = CannedReply(text, reasoning=thought, logprobs=told)
        async with (
            LoopbackServer(lambda request: canned) as server,
            mt.Workspace() as workspace,
            workspace.place("one") as at,
        ):
            spec = ModelSpec(model="hosted_vllm/m", api_base=server.base("openai"))
            request = LLMRequest(spec, (Message("user", "A or B?"),), at.address / "ask")
            return await at.gateway.label_probabilities(request, ["A", "B"])

    found = asyncio.run(weigh())
    assert found.source == "logprobs"
    assert found.probabilities == pytest.approx({"A": 0.1, "B": 0.9})


def test_tokens_of_the_answer_alone_are_kept_and_tokens_that_do_not_fit_are_not() -> None:
    alone = tokens("B", " it", "<|end|>")
    assert of_the_answer(alone, "A seems right", "B it") == alone
    assert of_the_answer(tokens("quite", " another"), "A seems right", "B it") == ()
    assert of_the_answer(tokens("A seems right", "</think>", "<|end|>"), "A seems right", "") == ()
    assert of_the_answer(tokens("A s", "��", "ms right", "<|end|>"), "A seems right", "") == ()


class Said(BaseModel):
    answer: str


@pytest.mark.parametrize("way", WAYS)
def test_a_typed_reply_is_read_behind_the_thought(way: str) -> None:
    said = json.dumps({"answer": "B"})
    canned = WAYS[way]
    text = canned.text.replace(ANSWER, said)

    async def call() -> LLMReply:
        reply = CannedReply(text, reasoning=canned.reasoning, thought_in=canned.thought_in)
        async with (
            LoopbackServer(lambda request: reply, schema="ignore") as server,
            mt.Workspace() as workspace,
            workspace.place("one") as at,
        ):
            spec = ModelSpec(model="hosted_vllm/m", api_base=server.base("openai"))
            request = LLMRequest(spec, (Message("user", "A or B?"),), at.address / "ask", output=Said)
            return await at.gateway.complete(request)

    reply = asyncio.run(call())
    assert (reply.data, reply.structure, reply.reasoning) == (Said(answer="B"), "native", THOUGHT)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("way", WAYS)
def test_no_agent_reads_what_another_thought(way: str, stream: bool) -> None:
    canned = WAYS[way]
    told: list[mt.Event] = []

    def reply(request: ParsedRequest) -> CannedReply:
        return canned if "JSON" not in request.messages[-1].content else CannedReply('{"answer": "B", "confidence": 1}')

    async def lesson() -> tuple[mt.Run[Any], list[ParsedRequest]]:
        async with LoopbackServer(reply) as server, mt.Workspace() as workspace:
            model = {"model": "hosted_vllm/m", "api_base": server.base("openai"), "structured": "prompt"}
            debate = mt.Debate(
                [mt.Debater("Ada", model), mt.Debater("Bo", model)],
                judge=mt.Judge("June", "sim/judge"),
                rounds=2,
            )
            run = await workspace.run(debate, "A or B?", on_event=told.append, stream=stream)
            return run, server.received.requests

    run, requests = asyncio.run(lesson())
    assert run.error is None
    said = [turn.content for turn in run.turns] + [message.content for r in requests for message in r.messages]
    assert any(ANSWER.split("\n", maxsplit=1)[0] in text for text in said)
    assert not any("B, then" in text for text in said)
    assert not stream or any(event.kind == "text" for event in told)
