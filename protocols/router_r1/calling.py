"""Router-R1 by native tool calls: the tools, a message in the tags that everything else reads, and back in words.

An episode is kept in tags whatever the style, so that reward and rollouts are the same. What the router reads again of
its own calls is told in words, and what came back as a user's message: that every endpoint takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maieutic.backends.types import Tool, ToolCall
from maieutic.protocols.routing.tags import Tags

if TYPE_CHECKING:
    from maieutic.backends.types import LLMReply

__all__ = ["in_tags", "in_words", "tools"]


def tools(tags: Tags, names: Sequence[str], *, forced: bool) -> tuple[Tool, ...]:
    """What the router may call: a tool for its answer and, as long as it may consult, one for sub-queries."""
    answer = Tool(tags.answer, "Give the answer to the question.", _text_arguments(answer="As short as possible."))
    if forced:
        return (answer,)
    arguments = _text_arguments(name="One of the candidates.", query="The sub-query, understood by itself.")
    arguments["properties"]["name"]["enum"] = list(names)
    return (Tool(tags.search, "Consult a candidate.", arguments), answer)


def _text_arguments(**described: str) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in described.items()}
    return {"type": "object", "properties": properties, "required": list(described), "additionalProperties": False}


def in_tags(call: LLMReply, tags: Tags) -> tuple[str, bool]:
    """A message with tool calls in tags, and whether it called a tool that there is not.

    What it said beside its calls is its thought. Arguments that are no JSON object make an empty search, which is
    malformed like any other.
    """
    thought = "\n".join(part.strip() for part in (call.reasoning or "", call.text) if part.strip())
    pieces = [tags.around("think", tags.disarmed(thought))] if thought else []
    known = {tags.search, tags.answer}
    pieces += [_block(made, tags) for made in call.tool_calls if made.name in known]
    return "\n".join(pieces), any(made.name not in known for made in call.tool_calls)


def _block(made: ToolCall, tags: Tags) -> str:
    arguments = _arguments(made)
    if made.name == tags.answer:
        return tags.around("answer", tags.disarmed(arguments.get("answer", "")))
    if not arguments:
        return tags.around("search", "")
    return tags.around("search", tags.disarmed(f"{arguments.get('name', '')}: {arguments.get('query', '')}"))


def _arguments(made: ToolCall) -> dict[str, str]:
    """The arguments that are texts."""
    try:
        given = json.loads(made.arguments)
    except (ValueError, RecursionError):
        return {}
    return {name: text for name, text in given.items() if isinstance(text, str)} if isinstance(given, dict) else {}


def in_words(text: str, tags: Tags) -> str:
    """A piece of an episode as a router reads it that acts by calls: without tags."""
    words = {tags.search: "I consult ", tags.answer: "My answer is "}
    marks = "|".join(re.escape(name) for name in tags.kinds)
    return re.sub(rf"<(/?)({marks})>", lambda tag: "" if tag[1] else words.get(tag[2], ""), text).strip()
