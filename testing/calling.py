"""Tool calls as the three wire formats have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from maieutic.backends.types import ToolCall
from maieutic.testing.canned import CannedReply, ParsedRequest, tokens

__all__ = ["anthropic_call", "ended", "gemini_call", "gemini_tools", "openai_call", "openai_pieces"]


def ended(canned: CannedReply) -> str:
    """Why a reply ends, in OpenAI's words."""
    return "tool_calls" if canned.tool_calls else canned.finish


def openai_call(request: ParsedRequest, index: int, call: ToolCall) -> dict[str, Any]:
    """A call in a whole message."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{request.number}_{index}", "type": "function", "function": function}


def openai_pieces(call: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same in pieces: the name first, then the arguments bit by bit."""
    function = call["function"]
    begin = {**call, "function": {"name": function["name"], "arguments": ""}}
    return [begin, *({"function": {"arguments": piece}} for piece in tokens(function["arguments"]))]


def anthropic_call(id_: str, call: ToolCall) -> dict[str, Any]:
    """A block of content; the arguments must be JSON, as Anthropic parses them itself."""
    return {"type": "tool_use", "id": id_, "name": call.name, "input": orjson.loads(call.arguments)}


def gemini_call(call: ToolCall) -> dict[str, Any]:
    """A part; the arguments must be JSON."""
    return {"functionCall": {"name": call.name, "args": orjson.loads(call.arguments)}}


def gemini_tools(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the tools in a request."""
    groups = [
        group.get("functionDeclarations") or group.get("function_declarations") for group in body.get("tools") or ()
    ]
    return tuple(tool["name"] for group in groups for tool in group or ())
