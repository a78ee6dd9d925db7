"""Requests and replies: what goes through the one door to models, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from maieutic.backends.models import ModelSpec
from maieutic.memory.address import Address
from maieutic.memory.transcript import Message

__all__ = [
    "Attempt",
    "Backend",
    "LLMReply",
    "LLMRequest",
    "Structure",
    "TextDelta",
    "TextSink",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "Usage",
]


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may call instead of, or beside, saying something.

    Attributes:
        name: One word.
        description: When to call it, and what comes of it.
        parameters: The JSON schema of its arguments, an object.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model made.

    Attributes:
        name: The tool's name as the model wrote it, which need not be one that it was given.
        arguments: The arguments as the model wrote them: JSON, if it kept to the form.
    """

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """One question to a model.

    Attributes:
        model: The model and its endpoint.
        messages: What it reads, in order.
        address: Where in the run the call stands; the journal answers by it.
        output: The pydantic model that the reply must fit, or None for plain text.
        temperature, max_tokens, stop: Override the model's own settings where given.
        logprobs: How many alternatives to report at each token (0: only the chosen one), or None for none at all.
        sample: Which of several independent samples of the same request this is; part of the fingerprint.
        n: How many samples are wanted at once, from `sample` on. The gateway sets it, for backends that tell that they
            share a request among samples; one that does not gives a single reply.
        agent: Who asks, for the ledger.
        tools: What it may call. A model that has no tool calling says something instead.
    """

    model: ModelSpec
    messages: tuple[Message, ...]
    address: Address
    output: type[BaseModel] | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    logprobs: int | None = None
    sample: int = 0
    n: int = 1
    agent: str = ""
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider reported them; None where it reported nothing.

    `cached` is the part of `prompt` served from a prefix cache, `reasoning` the part of `completion` spent on
    hidden thought.
    """

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None

    @property
    def total(self) -> int | None:
        """Prompt and completion tokens together, or None if either is unknown."""
        return None if self.prompt is None or self.completion is None else self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One generated token, its natural log-probability, and the most likely alternatives at its position."""

    token: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that failed: what kind of failure (see ModelError.kind), after how many seconds."""

    kind: str
    seconds: float
    message: str


Structure = Literal["native", "unwrapped", "repaired"]
"""How a typed reply was won: as the endpoint enforced it, taken out of surrounding text, or after a repair turn."""


@dataclass(frozen=True, slots=True)
class LLMReply:
    """What a model answered, and what that took.

    Attributes:
        text: The reply as it came (reasoning excluded).
        model: The model that really answered, as the provider names it.
        usage: Tokens of the call that succeeded; a repaired reply carries the sum of its calls.
        usd: Money in US dollars; None if the price is unknown (never 0 for unknown).
        seconds: From the first attempt to the end of the reply.
        finish: Why it ended: "stop", "length", "content_filter", "tool_calls", ….
        reasoning: Thought that the endpoint reported apart from the answer.
        logprobs: One entry per token of the text, if asked for and given; those of a thought are left out.
        failed: The attempts that failed before this one.
        from_journal: Whether the journal answered and no model was called.
        simulated: Whether a simulated mind answered.
        degraded: Whether a cheaper model answered than was asked, because of the budget; no cache gives it out.
        data: The parsed reply, if an output model was asked for.
        structure: How `data` was won.
        tool_calls: The calls it made, in order.
        shared: Whether it came with another sample's request, whose reply carries the tokens and the money of both.
        more: The further replies to a request for several samples, in order; what the request took is in this one.
    """

    text: str
    model: str
    usage: Usage = Usage()
    usd: float | None = None
    seconds: float = 0.0
    finish: str = "stop"
    reasoning: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    failed: tuple[Attempt, ...] = ()
    from_journal: bool = False
    simulated: bool = False
    degraded: bool = False
    data: BaseModel | None = None
    structure: Structure | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    shared: bool = False
    more: tuple[LLMReply, ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of a reply as it comes. With `restart`, what came before is void: the attempt failed and begins again."""

    text: str
    restart: bool = False


TextSink = Callable[[TextDelta], None]


class Backend(Protocol):
    """What answers requests of one provider prefix. It neither retries nor journals: the gateway does.

    Raises:
        ModelError: With `kind` and `retryable` set, whatever the provider's own errors are called.
    """

    async def complete(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer one request; with `on_text`, tell the text as it comes."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
