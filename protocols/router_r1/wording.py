"""The prompts of Router-R1, and texts as the router reads and writes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.agents import Prompt
from maieutic.protocols.router_r1.params import RouterR1Params
from maieutic.protocols.routing.tags import Kind, Tags

if TYPE_CHECKING:
    from maieutic.backends.types import LLMReply

__all__ = ["correction", "expert_prompt", "forced_note", "information", "query_prompt", "said", "shortened", "task"]

_WORDS_PER_TOKEN = 3 / 4
_CHARACTERS_PER_TOKEN = 4
_LONGEST_NAME = 80


@cache
def _prompt(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parents[1] / "prompts" / "router_r1" / f"{name}.md.j2")


def task(params: RouterR1Params, question: str, pool: Mapping[str, str]) -> str:
    """What the router is asked; `pool` maps names to descriptions."""
    values = {"style": params.style, "tags": params.tags, "parallel": params.parallel, "rounds": params.rounds}
    return _prompt("task").render({**values, "question": question, "pool": dict(pool)})


def expert_prompt(name: str, tokens: int) -> str:
    """The system prompt of a candidate; it is told the number of words that so many tokens hold."""
    return _prompt("expert").render({"name": name, "words": int(tokens * _WORDS_PER_TOKEN)})


def query_prompt(query: str) -> str:
    """How a candidate reads a sub-query."""
    return _prompt("query").render({"query": query})


def forced_note(params: RouterR1Params) -> str:
    """What the router reads before its last message."""
    return _prompt("forced").render({"style": params.style, "tags": params.tags})


def correction(flags: Collection[str], *, name: str = "", kind: str = "", names: Sequence[str] = ()) -> str:
    """One line about what was wrong with an action.

    Args:
        flags: See maieutic.protocols.routing.tags.Flag, and "call_failed".
        name: The candidate, or what was written in its place.
        kind: The kind of a model's failure.
        names: The candidates that there are.
    """
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME].rstrip()}…"
    text = _prompt("correction").render({"flags": set(flags), "name": shown, "kind": kind, "names": list(names)})
    return " ".join(text.split())


def information(tags: Tags, text: str) -> str:
    """What came back, as the router reads it: in its tags, blank lines around."""
    return f"\n\n{tags.around('information', text)}\n\n"


def said(call: LLMReply, tags: Tags, stops: Sequence[str]) -> str:
    """A router's message as the model wrote it.

    Endpoints take two things away: a thought, which is reported apart, and the closing tag at which they stop. Both are
    put back. A thought that holds an action was cut off inside it, and stays open.
    """
    text = call.text
    if call.reasoning and not text.lstrip().startswith(tags.open("think")):
        open_still = not text.strip() and (
            tags.open("search") in call.reasoning or tags.open("answer") in call.reasoning
        )
        thought = tags.open("think") + call.reasoning
        text = thought if open_still else f"{thought}{tags.close('think')}\n{text.lstrip()}"
    kinds: tuple[Kind, ...] = ("search", "answer")
    for kind in kinds:
        begun = text.rfind(tags.open(kind))
        cut = call.finish == "stop" and tags.close(kind) in stops
        if cut and begun >= 0 and tags.close(kind) not in text[begun:]:
            return text.rstrip() + tags.close(kind)
    return text.strip()


def shortened(text: str, tokens: int) -> tuple[str, bool]:
    """The beginning of a text that has at most so many tokens by estimate, and whether anything was left out.

    A text is taken to have four tokens for three words or one for four characters, whichever is more: no tokenizer is
    the same for all models. It is cut after a whole word where there is one.
    """
    most = tokens * _CHARACTERS_PER_TOKEN
    words, at = max(1, int(tokens * _WORDS_PER_TOKEN)), 0
    for word in text.split()[:words]:
        at = text.index(word, at) + len(word)
    end = min(at, most)
    if not text[end:].strip():
        return text, False
    kept = text[:end]
    if not text[end : end + 1].isspace() and (space := max(kept.rfind(" "), kept.rfind("\n"))) > 0:
        kept = kept[:space]
    return kept.rstrip(), True
