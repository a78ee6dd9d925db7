"""LiteLLM's response objects, whole or in pieces, gathered into what a reply says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from maieutic.backends.thoughts import ThoughtFilter, of_the_answer, without_opening
from maieutic.backends.types import TextDelta, TextSink, TokenLogprob, ToolCall, Usage
from maieutic.backends.wire import proper_text

__all__ = ["Answer", "Misshapen"]


class Misshapen(Exception):
    """A response that LiteLLM let through holds something else than an answer."""


class Answer:
    """What came back so far. A whole response is taken at once, a stream chunk by chunk; both read the same in the end.

    Attributes:
        finish: Why the reply ended, None as long as it has not.
        model: The model that answered, as the endpoint names it.
        reported: LiteLLM's usage object, or None if the endpoint reported nothing.
        further: The other choices of a whole response, in order; what they took is reported for all together.
    """

    def __init__(self, on_text: TextSink | None = None) -> None:
        self._on_text = on_text
        self._pieces: list[str] = []
        self._thoughts: list[str] = []
        self._filter = ThoughtFilter()
        self._logprobs: list[TokenLogprob] = []
        self._calls: dict[int, list[str]] = {}
        self.finish: str | None = None
        self.model = ""
        self.reported: Any = None
        self.further: tuple[Answer, ...] = ()

    @property
    def text(self) -> str:
        """The reply, without thought and without the blank lines that follow a thought."""
        return proper_text("".join(self._pieces))

    @property
    def thought(self) -> str | None:
        """What the endpoint reported as reasoning, or wrote between think tags; None if nothing."""
        thoughts = "".join(self._thoughts).strip() or self._filter.thought
        return proper_text(thoughts) if thoughts else None

    @property
    def logprobs(self) -> tuple[TokenLogprob, ...] | None:
        """One entry per token of the text, None if the endpoint gave none."""
        thought = self.thought
        told = self._logprobs if thought is None else of_the_answer(self._logprobs, thought, self.text)
        return tuple(told) or None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the model made, in order."""
        return tuple(ToolCall(*self._calls[index]) for index in sorted(self._calls))

    @property
    def usage(self) -> Usage:
        """Tokens as the endpoint reported them."""
        reported = self.reported
        if reported is None:
            return Usage()
        prompt, completion = reported.prompt_tokens, reported.completion_tokens
        if not prompt and not completion:
            return Usage()
        return Usage(
            prompt=prompt,
            completion=completion,
            cached=_detail(reported, "prompt_tokens_details", "cached_tokens"),
            reasoning=_detail(reported, "completion_tokens_details", "reasoning_tokens"),
        )

    def take(self, response: Any) -> None:
        """A whole response.

        Raises:
            Misshapen: It has no answer, or one that is no text.
        """
        if not response.choices:
            raise Misshapen("it has no choices")
        choice, *others = sorted(response.choices, key=lambda one: one.index or 0)
        self._take(choice, choice.message, response)
        self.close()
        self.further = tuple(_alone(other, response) for other in others)

    def take_chunk(self, chunk: Any) -> None:
        """One chunk of a stream; LiteLLM reads some events into nothing.

        Raises:
            Misshapen: What it adds is no text.
        """
        if chunk is None:
            return
        if chunk.choices:
            self._take(chunk.choices[0], chunk.choices[0].delta, chunk)
        else:
            self._note(chunk)

    def close(self) -> None:
        """The end of the reply: nothing may be held back any longer."""
        self._tell(self._filter.finish())
        parted = None if self.thought is not None else without_opening("".join(self._pieces))
        if parted is not None:
            thought, text = parted
            self._thoughts, self._pieces = [thought], []
            if self._on_text is not None:
                self._on_text(TextDelta("", restart=True))
            self._tell(text)

    def _take(self, choice: Any, said: Any, whole: Any) -> None:
        self._note(whole)
        thought = getattr(said, "reasoning_content", None)
        if thought:
            self._thoughts.append(_text(thought))
        if said.content:
            self._tell(self._filter.feed(_text(said.content)))
        for position, call in enumerate(getattr(said, "tool_calls", None) or ()):
            self._call(position, call)
        if choice.finish_reason:
            self.finish = choice.finish_reason
        self._logprobs += _logprobs(getattr(choice, "logprobs", None))

    def _call(self, position: int, call: Any) -> None:
        """A whole call, or a piece of one: a stream tells which by its index, and tells the name once."""
        index = _field(call, "index")
        told = self._calls.setdefault(position if index is None else index, ["", ""])
        function = _field(call, "function")
        for place, name in enumerate(("name", "arguments")):
            told[place] += _text(_field(function, name) or "")

    def _note(self, whole: Any) -> None:
        self.model = getattr(whole, "model", None) or self.model
        usage = getattr(whole, "usage", None)
        if hasattr(usage, "prompt_tokens"):
            self.reported = usage

    def _tell(self, piece: str) -> None:
        if not self._pieces and (self._thoughts or self._filter.thought is not None):
            piece = piece.lstrip()
        if not piece:
            return
        self._pieces.append(piece)
        if self._on_text is not None:
            self._on_text(TextDelta(proper_text(piece)))


def _alone(choice: Any, response: Any) -> Answer:
    """One choice of several."""
    answer = Answer()
    answer._take(choice, choice.message, response)
    answer.close()
    return answer


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise Misshapen(f"its content is no text but {type(content).__name__}")
    return content


def _detail(usage: Any, group: str, name: str) -> int | None:
    found: int | None = getattr(getattr(usage, group, None), name, None)
    return found


def _field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _logprobs(given: Any) -> Iterable[TokenLogprob]:
    for entry in (given and _field(given, "content")) or ():
        alternatives = _field(entry, "top_logprobs") or ()
        top = {_field(a, "token"): _field(a, "logprob") for a in alternatives}
        yield TokenLogprob(_field(entry, "token"), _field(entry, "logprob"), top)
