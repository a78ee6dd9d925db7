"""The tags in which a router speaks, and what a message in them asks for.

Reading is one pass over the text: its time grows linearly with the length, and no text makes it fail. Router-R1
(NeurIPS 2025, arXiv 2506.09033) writes `think`, `search`, `information` and `answer` in its code, `info` for the third
in its paper; the names are parameters here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = ["TAGS", "Action", "Block", "Flag", "Route", "Scan", "Tags", "read_action", "read_route", "scan"]

Kind = Literal["think", "search", "information", "answer"]

Flag = Literal[
    "no_action",
    "missing_colon",
    "empty_query",
    "placeholder",
    "unknown_model",
    "second_colon",
    "nested",
    "several",
    "unclosed",
    "stray_tag",
    "empty_answer",
    "answer_too_early",
    "invented_information",
]
"""What is unusual about a message.

- no_action: it neither routes nor answers.
- missing_colon, empty_query, placeholder, unknown_model: a route without a colon, without a query, with the words of
  the instruction instead of a name or a query, with a name that is not in the pool. Nobody is asked.
- second_colon: the query has a colon of its own. It is kept whole; the paper's code cuts it there.
- nested: a tag stands inside another block. An action inside a thought is carried out; a route with a tag inside it is
  not; an answer is taken as it stands.
- several: it holds more actions than may be done at once; the first ones are done, and what follows is dropped.
- unclosed, stray_tag: a block that is not closed, a closing tag without its block.
- empty_answer: an answer block without words. It counts as no answer.
- answer_too_early: it routes and answers in one message. The routes are done and the answer is dropped.
- invented_information: it writes the environment's block itself. Everything from there on is dropped.
"""

TagName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,30}$")]

_PLACEHOLDERS = frozenset(
    {
        "name", "model", "model name", "candidate", "candidate name", "llm", "llm name", "expert", "expert name",
        "query", "sub-query", "subquery", "your query", "your sub-query", "question", "sub-question", "",
    }
)  # fmt: skip
"""Words that stand for a name or a query in instructions."""


class Tags(BaseModel):
    """The names of the four tags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    think: Annotated[TagName, Field(description="Around a thought.")] = "think"
    search: Annotated[TagName, Field(description="Around a route: a name, a colon, a sub-query.")] = "search"
    information: Annotated[TagName, Field(description="Around what came back; the paper's text writes info.")] = (
        "information"
    )
    answer: Annotated[TagName, Field(description="Around the answer.")] = "answer"

    @model_validator(mode="after")
    def _different(self) -> Tags:
        names = [self.think, self.search, self.information, self.answer]
        if len({name.casefold() for name in names}) < len(names):
            raise ValueError(f"tags: the four names must differ; they are {', '.join(names)}")
        return self

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each name means."""
        return {
            self.think: "think",
            self.search: "search",
            self.information: "information",
            self.answer: "answer",
        }

    def open(self, kind: Kind) -> str:
        """The opening tag."""
        return f"<{getattr(self, kind)}>"

    def close(self, kind: Kind) -> str:
        """The closing tag."""
        return f"</{getattr(self, kind)}>"

    def around(self, kind: Kind, text: str) -> str:
        """A text between its tags."""
        return f"{self.open(kind)}{text}{self.close(kind)}"

    def disarmed(self, text: str) -> str:
        """A text whose tags, if it holds any, are written with square brackets, so that they are read as words."""
        return _pattern(self).sub(lambda found: f"[{found[0][1:-1]}]", text)


TAGS = Tags()
"""The paper's, as its code writes them."""


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two tags.

    Attributes:
        kind: Which tags.
        content: The text between them, as written.
        start, end: Where the opening tag begins and the closing tag ends.
        closed: Whether it is closed; if not, it reaches to the end of the text.
        nested: Whether it stands inside another block.
        plain: Whether no tag stands inside it.
    """

    kind: Kind
    content: str
    start: int
    end: int
    closed: bool = True
    nested: bool = False
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Scan:
    """The blocks of a text.

    Attributes:
        blocks: Those that stand in no other block, and those inside a thought that have no tag inside, in the order of
            their ends.
        opened, closed: How many tags of each kind there are.
        stray: Closing tags without a block to close.
        nested: Tags inside another block.
    """

    blocks: tuple[Block, ...]
    opened: dict[Kind, int]
    closed: dict[Kind, int]
    stray: int
    nested: int

    def of(self, kind: Kind) -> list[Block]:
        """The blocks of one kind."""
        return [block for block in self.blocks if block.kind == kind]


@lru_cache(maxsize=64)
def _pattern(tags: Tags) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(tags.kinds, key=len, reverse=True))
    return re.compile(f"<(/?)({names})>")


@dataclass(slots=True)
class _Open:
    kind: Kind
    start: int
    inside: int
    plain: bool = True


def scan(text: str, tags: Tags = TAGS) -> Scan:
    """Find the blocks of a text, in one pass.

    A closing tag closes the innermost block of its kind, and with it the blocks inside that are still open; without one
    it is stray.
    """
    kinds = tags.kinds
    blocks: list[Block] = []
    stack: list[_Open] = []
    waiting: dict[Kind, int] = dict.fromkeys(kinds.values(), 0)
    opened, closed = dict(waiting), dict(waiting)
    stray = nested = 0
    for found in _pattern(tags).finditer(text):
        kind = kinds[found[2]]
        if not found[1]:
            opened[kind] += 1
            nested += bool(stack)
            if stack:
                stack[-1].plain = False
            stack.append(_Open(kind, found.start(), found.end()))
            waiting[kind] += 1
            continue
        closed[kind] += 1
        if not waiting[kind]:
            stray += 1
            if stack:
                stack[-1].plain = False
            continue
        blocks += _closed(text, stack, waiting, kind, found)
    if stack:
        blocks.append(_block(text, stack[0], len(text), len(text), closed=False, nested=False))
    return Scan(tuple(blocks), opened, closed, stray, nested)


def _closed(text: str, stack: list[_Open], waiting: dict[Kind, int], kind: Kind, tag: re.Match[str]) -> Iterator[Block]:
    """Close the innermost block of a kind, and pass over those inside it."""
    while stack:
        inner = stack.pop()
        waiting[inner.kind] -= 1
        if inner.kind == kind:
            if not stack or (inner.plain and waiting["think"] == len(stack)):
                yield _block(text, inner, tag.start(), tag.end(), closed=True, nested=bool(stack))
            return


def _block(text: str, opened: _Open, until: int, end: int, *, closed: bool, nested: bool) -> Block:
    content = text[opened.inside : until]
    return Block(opened.kind, content, opened.start, end, closed, nested, opened.plain)


@dataclass(frozen=True, slots=True)
class Route:
    """One sub-query for one candidate.

    Attributes:
        name: The candidate as the pool calls it, or what was written in place of a name.
        query: The sub-query.
        flags: What is wrong with it; any but "second_colon" means that nobody is asked.
    """

    name: str
    query: str
    flags: tuple[Flag, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether somebody is asked."""
        return not set(self.flags) - {"second_colon"}


@dataclass(frozen=True, slots=True)
class Action:
    """What a message asks for.

    Attributes:
        kind: "route", "answer", or "none".
        text: The part of the message that counts; what a router writes after its action is dropped.
        routes: The sub-queries, sound or not.
        answer: The answer, if it is one.
        flags: What is unusual about the message; those of its routes stand there.
    """

    kind: Literal["route", "answer", "none"]
    text: str
    routes: tuple[Route, ...] = ()
    answer: str = ""
    flags: tuple[Flag, ...] = ()

    @property
    def all_flags(self) -> tuple[Flag, ...]:
        """Its own flags and those of its routes, each once."""
        return tuple(dict.fromkeys((*self.flags, *(flag for route in self.routes for flag in route.flags))))


Resolve = Callable[[str], str | None]
"""The pool's own spelling of a name, or None if the pool has no such name."""


def read_route(content: str, resolve: Resolve) -> Route:
    """What stands in a search block: a name, a colon, and a query that may hold colons of its own."""
    name, colon, query = content.partition(":")
    name, query = " ".join(name.split()), query.strip()
    if not colon:
        return Route("", content.strip(), ("missing_colon",))
    known = resolve(name)
    flags: list[Flag] = []
    if known is None:
        flags.append("placeholder" if _placeholder(name) else "unknown_model")
    if not query:
        flags.append("empty_query")
    elif _placeholder(query) and "placeholder" not in flags:
        flags.append("placeholder")
    if ":" in query:
        flags.append("second_colon")
    return Route(known or name, query, tuple(flags))


def _placeholder(text: str) -> bool:
    if len(text) > 40:
        return False
    return text.strip(" \t\n[](){}<>\"'`*_.…").casefold().replace("_", " ") in _PLACEHOLDERS


def read_action(text: str, resolve: Resolve, tags: Tags = TAGS, most: int = 1) -> Action:
    """What a message asks for. Every text has a defined result; see `Flag`.

    Args:
        text: The message.
        resolve: Finds the pool's spelling of a name.
        tags: The names of the tags.
        most: How many sub-queries may be routed at once.
    """
    invented = text.find(tags.open("information"))
    flags: list[Flag] = []
    if invented >= 0:
        flags.append("invented_information")
        text = text[:invented].rstrip()
    found = scan(text, tags)
    actions = [block for block in found.blocks if block.kind in ("search", "answer") and block.closed]
    flags += _shape(found)
    if not actions:
        return Action("none", text, flags=(*flags, "no_action"))
    if actions[0].kind == "answer":
        return _answer(text, actions, flags)
    searches = [block for block in actions if block.kind == "search"]
    if len(searches) > most:
        flags.append("several")
    if len(searches) < len(actions):
        flags.append("answer_too_early")
    done = searches[:most]
    routes = tuple(_route(block, resolve) for block in done)
    return Action("route", text[: done[-1].end], routes, flags=tuple(dict.fromkeys(flags)))


def _shape(found: Scan) -> list[Flag]:
    flags: list[Flag] = ["nested"] if found.nested else []
    if any(not block.closed for block in found.blocks) or sum(found.opened.values()) > sum(found.closed.values()):
        flags.append("unclosed")
    return [*flags, "stray_tag"] if found.stray else flags


def _answer(text: str, actions: list[Block], flags: list[Flag]) -> Action:
    first = actions[0]
    if len(actions) > 1:
        flags.append("several")
    answer = first.content.strip()
    kept = text[: first.end]
    if not answer:
        return Action("none", kept, flags=(*flags, "empty_answer"))
    return Action("answer", kept, answer=answer, flags=tuple(flags))


def _route(block: Block, resolve: Resolve) -> Route:
    route = read_route(block.content, resolve)
    return route if block.plain else replace(route, flags=("nested", *route.flags))
