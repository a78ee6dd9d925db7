"""The same networks served by an endpoint (vLLM over the same folder): `{model: tiny/student, api_base: …}`."""

from __future__ import annotations

import math
from dataclasses import replace

from maieutic.backends.tiny.front import Read, put
from maieutic.backends.types import Backend, LLMReply, LLMRequest, TextDelta, TextSink, TokenLogprob

__all__ = ["served"]

_UNKNOWN = 0.5
"""The confidence of a typed reply where the endpoint gives no log-probabilities."""


async def served(inner: Backend, request: LLMRequest, wanted: Read, on_text: TextSink | None) -> LLMReply:
    """Ask a network that an endpoint serves what it would be asked in this process.

    The endpoint is asked as vLLM is, under the name behind `tiny/`. Answers are not weighed over the ways to them:
    where labels' probabilities are wanted, none are given, and samples are taken instead.

    Raises:
        ModelError: As `inner` raises it.
    """
    own = request.model
    spec = own.model_copy(update={"model": f"hosted_vllm/{own.model.partition('/')[2]}", "params": {}})
    temperature = request.temperature if request.temperature is not None else own.temperature
    asked = replace(
        request,
        model=spec,
        messages=wanted.messages,
        output=None,
        temperature=(1.0 if request.sample else 0.0) if temperature is None else temperature,
        logprobs=0 if request.logprobs is None else request.logprobs,
    )
    reply = await inner.complete(asked)
    said = put(wanted, reply.text, reply.logprobs or (), _confidence(reply.logprobs), {})
    if on_text is not None:
        on_text(TextDelta(said.text))
    whole = wanted.form is None and wanted.task != "label"
    return replace(
        reply,
        text=said.text,
        reasoning=said.thought,
        logprobs=said.logprobs if whole and reply.logprobs and request.logprobs is not None else None,
        structure=None if wanted.form is None else "native",
    )


def _confidence(logprobs: tuple[TokenLogprob, ...] | None) -> float:
    if not logprobs:
        return _UNKNOWN
    return min(1.0, math.exp(sum(token.logprob for token in logprobs) / len(logprobs)))
