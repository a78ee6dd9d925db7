"""Typed replies: as the endpoint enforced them, taken out of surrounding text, or after one repair turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from string import Template

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from maieutic.backends.journaled import schema_text
from maieutic.backends.layers import Layer, by_person
from maieutic.backends.ledger import Ledger
from maieutic.backends.types import LLMReply, LLMRequest, Structure, TextDelta, TextSink, Usage
from maieutic.errors import ReplyError
from maieutic.memory import Message

__all__ = ["Structured", "instructed", "structure_of", "unwrap"]

REPAIR = "repair"
"""The step below a call's address at which its repair turn stands."""

_FENCE = re.compile(r"\A```[\w-]*[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL)
_END_OF_THOUGHT = "</think>"
_OPENING = re.compile(r"\{")
_INSIDE = re.compile(r'[{}]|"(?:[^"\\]++|\\.)*+"|"', re.DOTALL)
_SHOWN = 2000
"""Most characters of a reply that an error message quotes."""


class Structured:
    """Makes a reply fit `request.output`, or says why it does not. Requests without an output pass untouched."""

    def __init__(self, inner: Layer, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer with `data` and `structure` set.

        Raises:
            ReplyError: The reply does not fit, not even after a repair turn.
        """
        if request.output is None:
            return await self._inner(request, on_text)
        reply = await self._inner(request, on_text)
        try:
            reply = _read(reply, request.output)
        except ValidationError as error:
            reply = await self._repaired(request, reply, error, on_text)
        if reply.structure is not None and not by_person(request):
            self._ledger.add_structure(request.agent, reply.model, reply.structure)
        return reply

    async def _repaired(
        self, request: LLMRequest, bad: LLMReply, error: ValidationError, on_text: TextSink | None
    ) -> LLMReply:
        assert request.output is not None
        if on_text is not None:
            on_text(TextDelta("", restart=True))
        again = await self._inner(_repair_request(request, bad, error), on_text)
        both = _both(bad, again)
        try:
            return replace(_read(both, request.output), structure="repaired")
        except ValidationError as still:
            raise ReplyError(_gave_up(request, again, still), text=again.text) from still


def unwrap(text: str) -> str | None:
    """The JSON that a reply wraps in a code fence or in prose, or None if that is not beyond doubt.

    What is returned is a part of `text`, letter for letter: the whole of a single code fence, or the only JSON object
    in the text (the same object said twice counts once). Several different objects are never chosen among. What stands
    before the end of a `<think>` block is thought and no part of the answer. Time is linear in the length of the text.
    """
    answer = text.rpartition(_END_OF_THOUGHT)[2].strip()
    fence = _FENCE.match(answer)
    if fence and "```" not in fence[1] and _parses(fence[1]) is not None:
        return fence[1].strip()
    found: dict[bytes, str] = {}
    for span in _balanced(answer):
        value = _parses(span)
        if isinstance(value, dict):
            found.setdefault(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), span)
    return next(iter(found.values())) if len(found) == 1 else None


def structure_of(reply: LLMReply, at: str) -> Structure | None:
    """How a journaled reply at the address `at` was won, as far as its text tells; None if it was not."""
    if reply.structure is None:
        return None
    direct = _parses(reply.text) is not None
    if not direct and unwrap(reply.text) is None:
        return None
    if at.endswith(f"/{REPAIR}"):
        return "repaired"
    return reply.structure if direct else "unwrapped"


def instructed(request: LLMRequest, output: type[BaseModel]) -> LLMRequest:
    """The request with the schema asked for in words, at the end of the last user message."""
    words = _prompt("schema.md").substitute(schema=schema_text(output)).strip()
    messages = list(request.messages)
    if messages and messages[-1].role == "user":
        messages[-1] = Message("user", f"{messages[-1].content}\n\n{words}")
    else:
        messages.append(Message("user", words))
    return replace(request, messages=tuple(messages))


def _read(reply: LLMReply, output: type[BaseModel]) -> LLMReply:
    """The reply with its data, without a repair turn.

    Raises:
        ValidationError: It does not fit.
    """
    try:
        return replace(reply, data=output.model_validate_json(reply.text))
    except ValidationError:
        wrapped = unwrap(reply.text)
        if wrapped is None or wrapped == reply.text:
            raise
        return replace(reply, data=output.model_validate_json(wrapped), structure="unwrapped")


def _balanced(text: str) -> Iterator[str]:
    """The outermost pairs of braces. Quotes count only inside of them: in prose they may be apostrophes."""
    depth, start, at = 0, 0, 0
    while mark := (_INSIDE if depth else _OPENING).search(text, at):
        at = mark.end()
        if mark[0] == '"':
            return  # a string without an end: nothing after it can be told apart
        if mark[0] == "{":
            start = start if depth else mark.start()
            depth += 1
        elif mark[0] == "}":
            depth -= 1
            if not depth:
                yield text[start:at]


def _parses(text: str) -> object | None:
    """The JSON object or list that `text` is, or None."""
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _repair_request(request: LLMRequest, bad: LLMReply, error: ValidationError) -> LLMRequest:
    assert request.output is not None
    words = _prompt("repair.md").substitute(problems=_problems(error), schema=schema_text(request.output)).strip()
    turns = (Message("assistant", bad.text or "(an empty reply)"), Message("user", words))
    return replace(request, messages=(*request.messages, *turns), address=request.address / REPAIR)


def _both(first: LLMReply, second: LLMReply) -> LLMReply:
    """The second reply, with what the two took together."""
    return replace(
        second,
        usage=Usage(
            prompt=_sum(first.usage.prompt, second.usage.prompt),
            completion=_sum(first.usage.completion, second.usage.completion),
            cached=_sum(first.usage.cached, second.usage.cached),
            reasoning=_sum(first.usage.reasoning, second.usage.reasoning),
        ),
        usd=None if first.usd is None or second.usd is None else first.usd + second.usd,
        seconds=first.seconds + second.seconds,
        failed=first.failed + second.failed,
        from_journal=first.from_journal and second.from_journal,
    )


def _sum(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def _problems(error: ValidationError) -> str:
    """What does not fit, one line a problem, without the input (it is in the reply) and without links."""
    lines = (f"{'.'.join(map(str, e['loc'])) or 'reply'}: {e['msg']}" for e in error.errors(include_url=False)[:20])
    return "\n".join(f"- {line}" for line in lines)


def _gave_up(request: LLMRequest, reply: LLMReply, error: ValidationError) -> str:
    name = request.output.__name__ if request.output else "JSON"
    shown = reply.text if len(reply.text) <= _SHOWN else f"{reply.text[:_SHOWN]} …"
    cut = " The reply was cut at its token limit: raise `max_tokens`." if reply.finish == "length" else ""
    return (
        f"{reply.model} (asked by {request.agent or 'nobody in particular'} at {request.address}) did not answer "
        f"in the form {name}, not even after a repair turn:\n{_problems(error)}\nIt said: {shown!r}\n"
        f"Use a model or endpoint that enforces JSON schemas (`maieutic doctor` tells), or a simpler output.{cut}"
    )


@cache
def _prompt(name: str) -> Template:
    return Template((files("maieutic.backends") / "prompts" / name).read_text(encoding="utf-8"))
