"""What a loopback server reads and answers, apart from any wire format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from maieutic.backends.types import TokenLogprob, ToolCall, Usage
from maieutic.memory.transcript import Message

__all__ = ["CannedReply", "Family", "ParsedRequest", "counted", "tokens", "told"]

Family = Literal["openai", "anthropic", "gemini"]


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """One chat request as the server read it, whatever the format it came in.

    Attributes:
        family: The format.
        model: The model asked for.
        messages: System prompt included, as the first message.
        params: The body as it came, messages included, under the provider's own names.
        headers: The request's headers, lower-case names.
        number: Its place in the order of arrival, from 0.
        stream: Whether a stream is asked for.
        usage: Whether the stream shall end with usage.
        schema: The JSON schema asked for, or None.
        tool: The name of the tool through which the schema is asked for (older Anthropic models), or None.
        logprobs: How many alternatives a token shall carry, or None for no log-probabilities.
        n: How many choices are asked for.
        choice: Which of them is to be answered, from 0.
        stop: Strings at which the reply ends.
        max_tokens: Most tokens of the reply.
        tools: Names of the tools that may be called.
    """

    family: Family
    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)
    number: int = 0
    stream: bool = False
    usage: bool = True
    schema: Mapping[str, Any] | None = None
    tool: str | None = None
    logprobs: int | None = None
    n: int = 1
    choice: int = 0
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    tools: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All that was said to the model, one message after the other."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True, slots=True)
class CannedReply:
    """What a loopback server answers.

    Attributes:
        text: The reply.
        finish: "stop", "length" or "content_filter"; each format has its own word for it.
        reasoning: Thought, reported apart from the text.
        thought_in: Where OpenAI's format tells it: in "reasoning" as vLLM does, or older in "reasoning_content".
        usage: Token counts; None has words counted.
        logprobs: Log-probabilities, if the request asks for them; None has them made up from the text.
        model: The model that answers; None means the one asked for.
        tool_calls: Calls beside or instead of the text; `finish` is told as "tool_calls" then.
    """

    text: str
    finish: str = "stop"
    reasoning: str | None = None
    thought_in: tuple[str, ...] = ("reasoning",)
    usage: Usage | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    model: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


def tokens(text: str) -> list[str]:
    """The text in pieces of one word each; joined they give the text back."""
    return re.findall(r"\s*\S+|\s+$", text)


def counted(request: ParsedRequest, canned: CannedReply) -> Usage:
    """The reply's usage, counted in words if the reply does not say."""
    if canned.usage is not None:
        return canned.usage
    prompt = sum(len(message.content.split()) for message in request.messages)
    return Usage(prompt=prompt, completion=len(canned.text.split()))


def told(request: ParsedRequest, canned: CannedReply) -> Sequence[TokenLogprob]:
    """Log-probabilities of the reply's tokens: the reply's own, or made up in a fixed pattern."""
    if canned.logprobs is not None:
        return canned.logprobs
    made = []
    for i, token in enumerate(tokens(canned.text)):
        first = -0.1 * (1 + i % 4)
        ranks = range(request.logprobs or 0)
        top = {(token if rank == 0 else f"{token}{rank}"): first - rank for rank in ranks}
        made.append(TokenLogprob(token, first, top))
    return made
