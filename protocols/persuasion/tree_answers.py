"""Which answer a turn holds, and when two answers are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from maieutic.memory.answers import Answers, normal, same
from maieutic.protocols.persuasion.belief import knows_not

__all__ = ["Extracted", "Read", "alike", "held_after", "read_line", "similarity", "written_alike"]

Kind = Literal["answer", "agree", "disagree", "none"]

_OPENING = r"[\s\"'“‘*_`]*"
_LINE = re.compile(rf"^\W*(?:my |the |final )*answer[*_]*\s*[:=]{_OPENING}(\S.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_STATED = re.compile(
    r"\b(?:(?:the|my) (?:right |correct |final )*answer (?:is|stays|remains)(?: still)?|I (?:now |still )*say"
    rf"|I have changed my mind:)(?: that (?:it|the answer) is)?:?{_OPENING}"
    r"(\S.*?)(?=[.;!?:](?:\s|$)|$|\n|,? (?:because|since)\b)",
    re.IGNORECASE,
)
_AGREE = re.compile(r"\bI (?:\w+ )?agree\b(?! to disagree)", re.IGNORECASE)
_DISAGREE = re.compile(r"\bI (?:\w+ )?(?:disagree|(?:do not|don't|cannot|can't) agree)\b", re.IGNORECASE)
_QUOTES = "\"'“”‘’*_`"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SPOKEN = r"(?=.*(?<!\S)[a-z])"  # what follows is a sentence and no part of a name: it has a word in small letters
_GOES_ON = re.compile(rf"(?<=\w{{3}})[.!?;]\s{_SPOKEN}|\s[-–—]+\s{_SPOKEN}|,? (?:because|since)\b.*")
_ASIDE = re.compile(r"\s+\([^()]*\)$")


class Extracted(BaseModel):
    """What an extractor says of a turn."""

    kind: Annotated[
        Kind,
        Field(description="answer: it names one; agree or disagree: with the one before, naming none; none: neither."),
    ]
    answer: Annotated[str, Field(description="The answer in one or two words, or an empty text.")]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read in a turn.

    Attributes:
        kind: Whether it names an answer, agrees or disagrees with the one before without naming one, or does neither.
        answer: The answer that it names; empty for the other kinds.
    """

    kind: Kind
    answer: str = ""


def read_line(said: str) -> Read:
    """The answer of a turn in plain text: its first line "Answer: …", else "my answer is …", else "I agree"."""
    found = _LINE.search(said) or _STATED.search(said)
    named = found[1].strip().strip(_QUOTES).strip().removesuffix(".").strip(_QUOTES) if found else ""
    if named.strip(".… "):
        word = normal(named)
        for kind in ("agree", "disagree", "none"):
            if word in (kind, f"i {kind}"):
                return Read(kind)
        return Read("disagree") if word.startswith("not ") else Read("answer", named)
    if _DISAGREE.search(said):
        return Read("disagree")
    return Read("agree") if _AGREE.search(said) else Read("none")


def held_after(
    before: Mapping[str, str | None], speaker: str, partner: str | None, read: Read, options: Sequence[str] = ()
) -> dict[str, str | None]:
    """What everybody holds after a turn: only the speaker's answer can have changed.

    Who agrees takes the partner's answer; who disagrees, says neither or does not know keeps its own.

    Args:
        before: What everybody held before, by name.
        speaker: Who spoke.
        partner: Whom the speaker had heard last; None if it spoke blind.
        read: What was read in the turn.
        options: The possible answers, if they are known.
    """
    after = dict(before)
    if read.kind == "answer":
        named = _named(read.answer, options)
        after[speaker] = before.get(speaker) if knows_not(named) and named not in options else named
    elif read.kind == "agree" and partner is not None and before.get(partner) is not None:
        after[speaker] = before[partner]
    return after


def _named(answer: str, options: Sequence[str]) -> str:
    """An answer alone: the option that it is, else without the reasons and the brackets that follow it."""
    alone = _GOES_ON.split(answer, maxsplit=1)[0].strip(" ,") or answer
    names = Answers(options)
    found = [names.name(form) for form in (answer, alone, _ASIDE.sub("", alone))]
    return next((name for name in found if name in options), found[-1])


def similarity(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1: twice the length of the longest common subsequence by that of both.

    This is the ratio of the Levenshtein distance in which a replaced character counts twice.

    Example:
        >>> round(similarity("paris", "paris france"), 4)
        0.5882
    """
    if not one and not other:
        return 1.0
    row = [0] * (len(other) + 1)
    for char in one:
        left = 0
        for place, theirs in enumerate(other, start=1):
            diagonal, left = left, row[place]
            row[place] = diagonal + 1 if char == theirs else max(row[place], row[place - 1])
    return 2 * row[-1] / (len(one) + len(other))


def alike(one: str, other: str, above: float | None, options: Sequence[str] = ()) -> bool:
    """Whether two answers count as the same.

    They do not, however similar, if both are options, or if they name different numbers.

    Args:
        one, other: The answers.
        above: The similarity above which they do if one contains the other; None if only the same normal form counts.
        options: The possible answers, if they are known.
    """
    if same(one, other):
        return True
    if above is None or (one in options and other in options):
        return False
    a, b = normal(one), normal(other)
    if not a or not b or (a not in b and b not in a) or _NUMBER.findall(a) != _NUMBER.findall(b):
        return False
    return similarity(a, b) > above


def written_alike(
    held: Mapping[str, str | None], right: Callable[[str], bool], above: float | None, options: Sequence[str] = ()
) -> dict[str, str | None]:
    """What everybody holds, with answers that count as the same written alike, so that they are right together.

    Args:
        held: The answers, by who holds them.
        right: Whether an answer is right; of those that count as the same, one that is gives its form to the others,
            else the first.
        above, options: See `alike`.
    """
    given = [answer for answer in held.values() if answer is not None]
    written: dict[str, str | None] = {}
    for name, answer in held.items():
        forms = [] if answer is None else [other for other in given if alike(answer, other, above, options)]
        written[name] = next(filter(right, forms), forms[0] if forms else None)
    return written
