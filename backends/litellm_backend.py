"""Real models: one request to one endpoint, in one of two lanes that give the same reply."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from maieutic.backends import providers
from maieutic.backends.answers import Answer, Misshapen
from maieutic.backends.failures import failure
from maieutic.backends.families import SAMPLING
from maieutic.backends.lanes import AcompletionLane, Lane, TransformsLane
from maieutic.backends.library import library, loaded
from maieutic.backends.models import ModelSpec, Price
from maieutic.backends.prices import cost, map_price
from maieutic.backends.providers import Target
from maieutic.backends.transport import Connections
from maieutic.backends.types import LLMReply, LLMRequest, TextSink, Usage
from maieutic.backends.wire import wire_messages, wire_params

__all__ = ["LiteLLMBackend"]


class LiteLLMBackend:
    """Answers requests to any model LiteLLM knows.

    The *transforms* lane takes LiteLLM's description of a provider and makes the call over a pooled connection of our
    own; the *acompletion* lane leaves the call to LiteLLM, for providers that sign requests or bring their own client.
    `ModelSpec.lane` chooses; "auto" takes the first wherever it is known to work.

    One object may serve several event loops; connections belong to the loop they were opened in.
    """

    def __init__(self) -> None:
        self._connections = Connections()
        self._transforms = TransformsLane(self._connections)
        self._acompletion = AcompletionLane()

    async def ready(self) -> None:
        """Import LiteLLM, in a thread: it takes seconds, and the event loop has other things to do."""
        if not loaded():
            await asyncio.to_thread(library)

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Make one attempt; see maieutic.backends.types.Backend."""
        await self.ready()
        spec = request.model
        target = providers.target_of(spec)
        schema = request.output is not None and providers.sends_schema(spec)
        params = wire_params(request, schema=schema, stream=on_text is not None)
        started = time.monotonic()
        try:
            async with asyncio.timeout(spec.timeout):
                lane = self._lane(spec, target)
                answer = await lane.ask(target, wire_messages(request.messages), params, spec, on_text)
        except TimeoutError:
            what = f"no complete reply within {spec.timeout:g} s"
            raise failure(target.endpoint, "timeout", what) from None
        except Misshapen as error:
            what = f"the reply does not have the provider's shape ({error})"
            raise failure(target.endpoint, "malformed", what) from None
        seconds = time.monotonic() - started
        further = answer.further[: request.n - 1]
        more = tuple(replace(_reply(other, target, spec, seconds), usage=Usage(), usd=None) for other in further)
        return replace(_reply(answer, target, spec, seconds), more=more)

    def shares(self, model: ModelSpec) -> bool:
        """Whether several samples of a request to this model may be asked for in one.

        For `samples: auto` where the provider's interface has `n`. Samples of a model with a seed must be the same
        whether they were bought together or not: of a vLLM that is known.
        """
        if model.samples != "auto":
            return model.samples == "together"
        return model.provider in SAMPLING and (model.seed is None or model.provider == "hosted_vllm")

    def sends_schema(self, model: ModelSpec) -> bool:
        """Whether a typed request to this model carries its JSON schema for the endpoint to enforce."""
        return providers.sends_schema(model)

    def price(self, model: ModelSpec) -> Price | None:
        """What the model costs by LiteLLM's map, None if unknown. The first answer waits for LiteLLM's import."""
        return map_price(model.model)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._connections.close()

    def _lane(self, spec: ModelSpec, target: Target) -> Lane:
        if spec.lane == "transforms" or (spec.lane == "auto" and target.separable):
            return self._transforms
        return self._acompletion


def _reply(answer: Answer, target: Target, spec: ModelSpec, seconds: float) -> LLMReply:
    if answer.finish is None:
        what = "the reply ended without its finishing chunk"
        raise failure(target.endpoint, "truncated", what)
    usage = answer.usage
    if target.provider == "anthropic":
        usage = replace(usage, reasoning=None)  # LiteLLM's guess: Anthropic counts thought among the completion only
    return LLMReply(
        text=answer.text,
        model=(answer.model or target.model).removeprefix(f"{target.provider}/"),  # which LiteLLM's client may add
        usage=usage,
        usd=cost(target.model, target.provider, usage, answer.reported, spec.price),
        seconds=seconds,
        finish=answer.finish,
        reasoning=answer.thought,
        logprobs=answer.logprobs,
        tool_calls=answer.tool_calls,
    )
