"""What a model thought, kept apart from what it answered, wherever the endpoint puts it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maieutic.backends.types import TokenLogprob

__all__ = ["ThoughtFilter", "of_the_answer", "without_opening"]

_OPEN = re.compile(r"\s*<(think|thinking|budget:thinking)>")
_LONGEST_TAG = len("<budget:thinking>")


class ThoughtFilter:
    """Parts leading `<think>…</think>` from the text behind it, piece by piece as a stream brings them.

    Models served without a reasoning parser write their thought into the reply; nobody but the record should read it.
    """

    def __init__(self) -> None:
        self._held = ""
        self._tag: str | None = None
        self._state = "begin"
        self.thought: str | None = None

    def feed(self, piece: str) -> str:
        """What of the reply's text can be told now that `piece` came."""
        if self._state == "text":
            return piece
        self._held += piece
        if self._state == "begin":
            found = _OPEN.match(self._held)
            if found is None:
                return self._begin_without_tag()
            self._tag, self._held, self._state = found.group(1), self._held[found.end() :], "thought"
        thought, closed, text = self._held.partition(f"</{self._tag}>")
        if not closed:
            return ""
        self.thought, self._held, self._state = thought.strip(), "", "text"
        return text.lstrip()

    def finish(self) -> str:
        """What was held back to the end: text after all, or a thought that never closed (then there is no text)."""
        if self._state == "thought":
            self.thought, self._held = self._held.strip(), ""
        rest, self._held, self._state = self._held, "", "text"
        return rest

    def _begin_without_tag(self) -> str:
        start = self._held.lstrip()
        if not start or (start[0] == "<" and len(start) < _LONGEST_TAG and ">" not in start):
            return ""
        text, self._held, self._state = self._held, "", "text"
        return text


_CLOSED = re.compile(r"</think>[ \t]*(?:\n|\Z)")


def without_opening(text: str) -> tuple[str, str] | None:
    """Thought and answer of a reply whose thought was opened by the prompt, so that only its end was written.

    Templates of many reasoning models do so, and a vLLM without `--reasoning-parser` passes it on. The tag must end
    its line, and none may be opened before it: else it is said about such tags. None if there is no such thought.
    """
    found = _CLOSED.search(text)
    if found is None or "<think>" in text[: found.start()]:
        return None
    return text[: found.start()].strip(), text[found.end() :].lstrip()


def of_the_answer(tokens: Sequence[TokenLogprob], thought: str, answer: str) -> Sequence[TokenLogprob]:
    """Those of a reply's tokens with which the answer begins and all after them: vLLM tells those of the thought too.

    Empty if there is no answer, or if it cannot be told where it begins.
    """
    if not answer:
        return ()
    whole = "".join(token.token for token in tokens)
    place = whole.find(thought)
    if place < 0 and whole.lstrip().startswith(answer):
        return tokens  # of the answer alone, as some endpoints tell them
    at, end = 0, place + len(thought) if place >= 0 else len(whole)
    for n, token in enumerate(tokens):
        if at >= end and _begins(whole, at, answer):
            return tokens[n:]
        at += len(token.token)
    return ()


def _begins(whole: str, at: int, answer: str) -> bool:
    while at < len(whole) and whole[at].isspace():
        at += 1
    return whole.startswith(answer, at)
