"""What of a request goes over the wire, the same for every provider: messages, parameters, schema."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from maieutic.backends.types import LLMRequest, Tool
from maieutic.memory.transcript import Message

__all__ = ["proper_text", "response_format", "wire_messages", "wire_params"]


def wire_messages(messages: Iterable[Message]) -> list[dict[str, str]]:
    """The messages as chat templates accept them: one leading system message, then roles that change at every step.

    Many templates refuse two messages of one role in a row, a system message further down, an empty message, or a
    request without a user's message. So blank messages are left out, later system messages speak as the user, equal
    neighbours are joined by a blank line, and a lone system message is sent as the user's. What was a prefix of an
    earlier request stays one, up to its last message.
    """
    wired: list[dict[str, str]] = []
    for message in messages:
        if not message.content.strip():
            continue
        leading = all(w["role"] == "system" for w in wired)
        role = "user" if message.role == "system" and not leading else message.role
        content = proper_text(message.content)
        if wired and wired[-1]["role"] == role:
            wired[-1]["content"] += f"\n\n{content}"
        else:
            wired.append({"role": role, "content": content})
    if len(wired) == 1 and wired[0]["role"] == "system":
        wired[0]["role"] = "user"
    return wired


def proper_text(text: str) -> str:
    """The text with the halves of UTF-16 pairs joined, and those that lack their other half replaced by U+FFFD.

    Some models and servers emit such halves; no other server, terminal or file takes them.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def wire_params(request: LLMRequest, *, schema: bool, stream: bool) -> dict[str, Any]:
    """The request's parameters under OpenAI's names, which LiteLLM maps to every provider's.

    Args:
        request: The request; its own settings go before its model's.
        schema: Whether the output schema is sent.
        stream: Whether the reply shall be streamed (then with usage).

    A model's seed is moved by the request's sample, so that samples of one request differ and each can be repeated.
    """
    spec = request.model
    stop = spec.stop if request.stop is None else request.stop
    params: dict[str, Any] = {
        "temperature": spec.temperature if request.temperature is None else request.temperature,
        "top_p": spec.top_p,
        "max_tokens": spec.max_tokens if request.max_tokens is None else request.max_tokens,
        "seed": None if spec.seed is None else spec.seed + request.sample,
        "stop": list(stop) or None,
        "n": request.n if request.n > 1 else None,
    }
    if request.logprobs is not None:
        params |= {"logprobs": True, "top_logprobs": request.logprobs or None}
    if request.output is not None and schema:
        params["response_format"] = response_format(request.output)
    if request.tools:
        params["tools"] = [_tool(tool) for tool in request.tools]
    if stream:
        params |= {"stream": True, "stream_options": {"include_usage": True}}
    return {name: value for name, value in params.items() if value is not None}


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": described}


def response_format(output: type[BaseModel]) -> dict[str, Any]:
    """OpenAI's `response_format` for a pydantic model: strict wherever its rules allow, which is without open maps."""
    schema, strict = _strict_schema(output)
    return {"type": "json_schema", "json_schema": {"name": output.__name__, "schema": schema, "strict": strict}}


@lru_cache(maxsize=256)
def _strict_schema(output: type[BaseModel]) -> tuple[dict[str, Any], bool]:
    schema = output.model_json_schema()
    return schema, _tighten(schema)


def _tighten(node: dict[str, Any]) -> bool:
    """Close every object and require all its properties, in place; False if an open map makes that impossible."""
    strict = True
    if node.get("type") == "object":
        if "properties" in node:
            node["required"] = list(node["properties"])
            node["additionalProperties"] = False
        else:
            strict = False
    node.pop("default", None)
    inner = [part for key in ("properties", "$defs") for part in node.get(key, {}).values()]
    inner += [part for key in ("anyOf", "oneOf", "allOf", "prefixItems") for part in node.get(key, ())]
    if isinstance(node.get("items"), dict):
        inner.append(node["items"])
    return all([strict, *[_tighten(part) for part in inner]])
