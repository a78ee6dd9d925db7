"""What a question asks: its candidate answers, and its own words to speak about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from maieutic.backends.sim.language import gerund, normal_form

__all__ = ["Topic", "topic_of"]

Kind = Literal["policy", "claim", "choice", "open"]

_READ = 2000
"""Characters of a question that are looked at."""
_NEGATED = re.compile(r"^(not|never)\s+", re.IGNORECASE)
_POLICY = re.compile(r"^(?:should|ought|must|shall)\s+(.+?)\??$", re.IGNORECASE | re.DOTALL)
_MOTION = re.compile(r"^(\S.{0,80}?) (?:should|must|ought to|would) (\S.{0,200}?)[.!?]*$", re.IGNORECASE)
_CLAIM = re.compile(
    r"^(is|are|was|were|does|do|did|can|could|will|would|has|have|may|might)\s+(.+?)\??$", re.IGNORECASE | re.DOTALL
)
_ALTERNATIVES = re.compile(r"^(.*?)[,:]?\s+or\s+(.+?)\??$", re.IGNORECASE | re.DOTALL)
_PARTICIPLE = re.compile(r"^(?:\w+ly\s+)?(?:\w+ed|\w+en|paid|taught|kept|sold|built|made|held|cut|put|shut)\b", re.I)
_OR_NOT = re.compile(r",?\s+or\s+(?:not|no)\s*\??$", re.IGNORECASE)
_WHICH = re.compile(r"^(?:which|what|who)\b", re.IGNORECASE)
_ASKING = re.compile(
    r"^(?:which|what|who|is|are|was|were|do|does|did|can|will|would|should|must|shall)\b", re.IGNORECASE
)
_DETERMINERS = frozenset(
    """
    a an the all every each any some no our your my his her their its this that these those most many more
    """.split()  # noqa: SIM905
)
_PRONOUNS = {"we": "us", "i": "me", "they": "them", "he": "him", "she": "her"}
_BINDING = frozenset(
    """
    of in at on for from with under over to and who that which without
    """.split()  # noqa: SIM905
)
_VERBS = frozenset(
    """
    ban allow pay tax make use have be replace stop start give teach learn abolish adopt introduce forbid require
    legalize legalise regulate reduce raise increase lower cut limit build close open buy sell work vote eat drink keep
    remove restrict fund subsidize subsidise support encourage charge provide offer move take get go do let end change
    switch invest spend share own drive fly travel colonize colonise explore protect save test grade wear speak read
    write treat punish prohibit enforce permit license pass cancel delete run send accept reject refuse join leave
    become verify tell inform vaccinate label disclose pursue eat colonise decide govern monitor track cover apologise
    apologize return count consider prefer choose hire fire retire rewrite refactor deploy publish release measure
    """.split()  # noqa: SIM905
)
_ADVERBS = frozenset(
    """
    publicly always ever still also only just automatically
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A question in the forms in which one speaks about it.

    Attributes:
        text: The question.
        kind: "policy" (should X do Y), "claim" (is X Y), "choice" (A or B, or given options) or "open".
        candidates: The answers one can hold; empty for an open question nobody has answered yet.
        who: Who is to act ("cities"), or what a claim is about.
        deed: What is to be done ("ban cars").
        doing: The same as a noun ("banning cars"); for a claim "the idea".
    """

    text: str
    kind: Kind
    candidates: tuple[str, ...]
    who: str = ""
    deed: str = ""
    doing: str = ""


@lru_cache(maxsize=4096)
def topic_of(text: str, options: tuple[str, ...] = ()) -> Topic:
    """What a question asks; with `options` these are the candidates whatever its words are."""
    asked = text.strip()[:_READ]
    last = " ".join(re.split(r"(?<=[.!])\s|\n", asked)[-1].split())
    last = _OR_NOT.sub("?", last)
    yes_no = {normal_form(option) for option in options} == {"yes", "no"}
    if options and not yes_no:
        return Topic(asked, "choice", options)
    candidates = options or ("yes", "no")
    if (found := _alternatives(last)) and not yes_no:
        return Topic(asked, "choice", found)
    if match := _POLICY.match(last):
        who, deed = _subject(match[1])
        if not deed:
            return Topic(asked, "policy", candidates, "those concerned", "take this step", "this step")
        return _policy(asked, candidates, who, deed)
    if (motion := _MOTION.match(last)) and not _ASKING.match(last):
        who = motion[1] if motion[1].split()[0].lower() not in _DETERMINERS else motion[1][:1].lower() + motion[1][1:]
        return _policy(asked, candidates, "we" if who == "this house" else who, motion[2])
    if _CLAIM.match(last) or yes_no:
        return Topic(asked, "claim", candidates, doing="the idea")
    return Topic(asked, "open", ())


def _policy(asked: str, candidates: tuple[str, ...], who: str, deed: str) -> Topic:
    passive = re.match(r"^be\s+(.+)$", deed, re.IGNORECASE | re.DOTALL)
    if passive:  # "the voting age be lowered": somebody else is to act
        made = "having" if _PARTICIPLE.match(passive[1]) else "making"
        return Topic(asked, "policy", candidates, who, deed, f"{made} {_PRONOUNS.get(who.lower(), who)} {passive[1]}")
    negated = _NEGATED.match(deed)
    doing = f"not {gerund(deed[negated.end() :])}" if negated else gerund(deed)
    return Topic(asked, "policy", candidates, who, deed, doing)


def _subject(clause: str) -> tuple[str, str]:
    """Split "cities ban cars" into who and what: at the first known verb, else after a plural, else not at all."""
    clause = clause.removeprefix("there ").strip()
    tokens = clause.split()
    for i, token in enumerate(tokens[1:7], start=1):
        if token.lower() in _VERBS and tokens[i - 1].lower() not in _BINDING | _DETERMINERS:
            return _split(tokens, i)
    plain = len(tokens) > 2 and tokens[0].lower() not in _DETERMINERS
    if plain and (tokens[0].lower() in _PRONOUNS or tokens[0].endswith("s")):
        return _split(tokens, 1)
    return clause, ""


def _split(tokens: list[str], at: int) -> tuple[str, str]:
    if tokens[at - 1 : at] and tokens[at - 1].lower() == "not" and at > 1:
        at -= 1
    rest = tokens[at:]
    while len(rest) > 1 and rest[0].lower() in _ADVERBS:
        rest = [*rest[1:], rest[0]] if len(rest) == 2 else rest[1:]
    return " ".join(tokens[:at]), " ".join(rest)


def _alternatives(text: str) -> tuple[str, ...]:
    """The answers in "tabs or spaces?", "is it A, B or C?"; empty if the question offers none."""
    match = _ALTERNATIVES.match(text)
    if not match:
        return ()
    head, last = match[1], match[2]
    head = re.split(r"[:?]\s+", head)[-1]
    parts = [part.strip() for part in re.split(r",\s*", head) if part.strip()]
    if len(parts) > 1 and _WHICH.match(parts[0]):
        parts = parts[1:]
    if not parts:
        return ()
    parts[0] = _after_opening(parts[0], len(last.split()))
    if parts[0][:1].isupper() and not any(part[:1].isupper() for part in (*parts[1:], last.strip())):
        parts[0] = parts[0][:1].lower() + parts[0][1:]  # a capital only because it opens the question
    found = (*(part for part in parts), last.strip())
    short = all(0 < len(part.split()) <= 5 for part in found)
    return found if short and len({normal_form(part) for part in found}) == len(found) else ()


def _after_opening(text: str, size: int) -> str:
    """Drop "which is better, …" and "is it …" from the first alternative."""
    opening = re.match(r"^(?:is|are|was|were|do|does)\s+(?:it|they|you|we)\s+(?:better\s+)?", text, re.IGNORECASE)
    if opening:
        return text[opening.end() :]
    tokens = text.split()
    if _ASKING.match(tokens[0]):
        return " ".join(tokens[-size:])
    return text
