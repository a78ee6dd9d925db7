"""The messages that the router reads: its own message to go on with, or turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maieutic.backends.models import ModelSpec
from maieutic.memory import Message
from maieutic.protocols.router_r1.outcome import Segment
from maieutic.protocols.router_r1.params import RouterR1Params

__all__ = ["GO_ON", "body_fields", "continues", "rendered", "stops"]

GO_ON = "Continue."
"""What a user's message says where the environment says nothing: no endpoint takes an empty one."""


def continues(params: RouterR1Params, model: ModelSpec) -> bool:
    """Whether the router goes on with its own message."""
    if params.style == "tools":
        return False
    if params.rendering == "auto":
        return model.provider == "hosted_vllm"
    return params.rendering == "continue"


def rendered(
    prompt: Sequence[Message], segments: Sequence[Segment], *, going_on: bool, tell: Callable[[str], str] = str.strip
) -> tuple[Message, ...]:
    """The messages of a request; each request begins with the messages of the one before.

    Args:
        prompt: What stands before the router's first word.
        segments: The episode so far.
        going_on: Whether its words and what it read are the beginning of one message, or messages each.
        tell: How a piece is told in a message of its own.
    """
    whole = "".join(segment.text for segment in segments)
    if not segments or (going_on and not whole.strip()):
        return tuple(prompt)
    if going_on:
        return (*prompt, Message("assistant", whole))
    messages = list(prompt)
    for segment in segments:
        last = messages[-1]
        if segment.by == "router":
            if last.role == "assistant":
                messages.append(Message("user", GO_ON))
            messages.append(Message("assistant", tell(segment.text)))
        elif last.role == "user":
            messages[-1] = Message("user", f"{last.content}\n\n{tell(segment.text)}")
        else:
            messages.append(Message("user", tell(segment.text)))
    return tuple(messages) if messages[-1].role == "user" else (*messages, Message("user", GO_ON))


def body_fields(model: ModelSpec, messages: Sequence[Message]) -> Mapping[str, Any]:
    """What an endpoint has to be told to go on with the last message."""
    if model.provider == "hosted_vllm" and messages[-1].role == "assistant":
        return {"continue_final_message": True, "add_generation_prompt": False}
    return {}


def stops(params: RouterR1Params, *, forced: bool) -> tuple[str, ...]:
    """Where a message ends: after its action, and before words that are the environment's.

    Where several sub-queries may be routed at once, the first of them does not end the message.
    """
    tags = params.tags
    first = () if params.parallel > 1 and not forced else (tags.close("search"),)
    return (*first, tags.close("answer"), tags.open("information"))
