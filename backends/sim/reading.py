"""What a mind can find out from the messages it is sent, and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from maieutic.backends.sim.language import normal_form, words
from maieutic.backends.sim.world import Question, World
from maieutic.memory.transcript import Message

__all__ = ["Heard", "Reading", "as_candidate", "known_world", "options_in", "position_in", "world_key"]

_SPEAKER = re.compile(r"\A([^\s:][^:\n]{0,40}):\s+")
_LABELS = frozenset(
    """
    question topic options candidates answer draft hint context document material instruction possible answers
    final note task confidence reason facts passage text choices statement
    """.split()  # noqa: SIM905
)
_QUESTION = re.compile(r"^(?:the\s+)?(?:question|topic|motion)[^:\n]{0,20}:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_OPTIONS = re.compile(r"^(?:options|possible answers|choices|candidates|answers)[^:\n]{0,30}:[ \t]*(.*)$", re.I | re.M)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?[A-Za-z0-9]{1,2}[).:])\s+(\S.*)$")
_ANSWER_LINE = re.compile(r"^[^\w\n]{0,8}(?:final |my )?answer[*_]{0,2} ?:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_STATED = re.compile(
    r"\b(?:changed my mind:|I (?:now |still )?(?:say|answer|vote|choose|hold)(?: that the answer is)?"
    r"|(?:the|my) (?:right |correct )?(?:answer|guess|position) (?:is|stays|remains|to [^.?!\n]{1,80}? is)"
    r"|I(?:'d| would) (?:say|go with)|I (?:believe|think|guess)(?: that)? the answer is)\s*:?\s+"
    r"[\"'“]?(.{1,120}?)[\"'”]?(?=$|\n|[.;!?](?:\s|$)|,? (?:because|since)\b|, (?:and|but|for|though)\b)",
    re.IGNORECASE,
)
_STANCE = re.compile(
    r"\bargue for (?:this|the) answer(?:[ \t]+[\"“](?P<quoted>[^\"”\n]+)[\"”]|:[ \t]*(?P<line>\S.*)$)", re.I | re.M
)
_SETTLED = re.compile(r"\byou weighed the arguments\b[^\n]*\bso your answer (?:is now|is|stays) \"([^\"\n]+)\"", re.I)
_NAME = re.compile(r"\bYou are ([^\s,.][^,.\n]{0,60})")
_DENIED = re.compile(r"\b(?:not true|untrue|false|wrong|a mistake) (?:that|to (?:say|think)(?: that)?)$")
_PROMPTED = re.compile(r"^(?:draft|the student's answer|student's answer)[ \t]*:[ \t]*(\S.*)$", re.I | re.M)
_MATERIAL = re.compile(r"^(?:text|material|document)[ \t]*:[ \t]*\n", re.IGNORECASE | re.MULTILINE)
_ABOUT = re.compile(r"^ask about[ \t]*:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_OFF = re.compile(r"\boff the record\b|\bnobody else will (?:read|see)\b|\bin private\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message says, whatever it is asked for later.

    Attributes:
        speaker: Who said it; empty for whoever asks (the moderator, the system prompt).
        own: Whether the mind said it itself.
        text: The words, without the speaker's name.
        tokens: The same in single words.
        facts: Facts of the world in it, in order.
        wrong: Misconceptions in it, as (question, wrong answer).
        stated: The answer it holds, in its own words, or None.
        question: The question it asks, or None.
    """

    speaker: str
    own: bool
    text: str
    tokens: tuple[str, ...]
    facts: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    stated: str | None
    question: str | None


class Reading:
    """The messages of one request, as a mind understands them. Work grows linearly with their length.

    Args:
        messages: What the mind is sent.
        world: The world it knows of.
        options: Answers to which the reply's schema limits it, or empty.
    """

    def __init__(self, messages: Sequence[Message], world: World, options: tuple[str, ...] = ()) -> None:
        self.world = world
        self.system = "\n".join(m.content for m in messages if m.role == "system")
        dialogue = [m for m in messages if m.role != "system"]
        self.asked = dialogue[-1].content if dialogue and dialogue[-1].role == "user" else ""
        self.heard = [_heard(world_key(world), m.role, m.content) for m in dialogue]
        self.told = [_heard(world_key(world), "system", self.system)] if self.system else []
        self._schema_options = options

    @cached_property
    def name(self) -> str:
        """What its system prompt calls it, or ""."""
        match = _NAME.search(self.system)
        return match[1].strip() if match else ""

    @cached_property
    def stance(self) -> str:
        """The answer it is told to argue for, or ""."""
        match = _STANCE.search(self.asked) or _STANCE.search(self.system)
        return (match["quoted"] or match["line"]).strip() if match else ""

    @cached_property
    def settled(self) -> str:
        """The answer to which its own weighing of the arguments has led it, as it is told before it speaks, or ""."""
        match = _SETTLED.search(self.asked)
        return match[1].strip() if match else ""

    @cached_property
    def private(self) -> bool:
        """Whether it is asked off the record."""
        return bool(_OFF.search(self.asked))

    @cached_property
    def question(self) -> str:
        """What is being talked about: the last "Question:", else the first thing that was said to it."""
        for said in (*reversed(self.heard), *self.told):
            if said.question and not said.own:
                return said.question
        for said in (*(h for h in self.heard if not h.own and not h.speaker), *self.heard, *self.told):
            if said.text.strip():
                return _first_question(said.text)
        return ""

    @cached_property
    def draft(self) -> str:
        """The draft to review or the student's answer, or ""; of a longer one the answer that it states."""
        match = _PROMPTED.search(self.asked)
        if match is None:
            return ""
        return (_ANSWER_LINE.search(self.asked, match.end()) or match)[1].strip()

    @cached_property
    def known_question(self) -> Question | None:
        """The world's question that is being asked, or None if it is a free one."""
        return self.world.question_like(self.question)

    @cached_property
    def material(self) -> tuple[str, ...] | None:
        """The facts in a text that it was given to teach from (all that stands below a line "Text:"), or None."""
        for said in (*self.told, *self.heard):
            if not said.own and not said.speaker and said.text != self.asked and (m := _MATERIAL.search(said.text)):
                found = (key for _, key in self.world.phrases.find(words(said.text[m.end() :])))
                facts = (key.partition(":")[2] for key in found if key.startswith("fact:"))
                return tuple(dict.fromkeys(facts))
        return None

    @cached_property
    def about(self) -> str:
        """What it is told to ask about, or ""."""
        match = _ABOUT.search(self.asked)
        return match[1].strip() if match else ""

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The answers to choose among: those of the schema, else those listed last, else the world's."""
        if len(self._schema_options) > 1:  # a single one is no choice
            return self._schema_options
        for said in (*reversed(self.heard), *self.told):
            if not said.own and (found := options_in(said.text, said.text is self.asked)):
                return found
        return self.known_question.options if self.known_question else ()

    @cached_property
    def turns(self) -> list[Heard]:
        """What was said about the present question, by itself and by others, the oldest first."""
        start = 0
        for i, said in enumerate(self.heard):
            if said.question and not said.own and said.question != self.question:
                start = i + 1
        if start:  # what was said after another question, and before this one, belongs to the other
            asked = (i for i, said in enumerate(self.heard) if i >= start and said.question == self.question)
            start = next(asked, start)
        inner = self.heard[1:-1] if self.asked else self.heard[1:]
        unnamed = {id(said) for said in inner if not said.question}
        return [said for said in self.heard[start:] if said.own or said.speaker or id(said) in unnamed]

    def positions(self, candidates: Sequence[str]) -> Mapping[str, str]:
        """The latest position of every other speaker who holds one of the candidates."""
        held: dict[str, str] = {}
        for said in self.turns:
            if not said.own and (answer := position_in(said, candidates)):
                held[said.speaker] = answer
        return held

    def own_position(self, candidates: Sequence[str]) -> str | None:
        """What it said last itself."""
        for said in reversed(self.turns):
            if said.own and (answer := position_in(said, candidates)):
                return answer
        return None

    @cached_property
    def proposals(self) -> tuple[str, ...]:
        """Every answer that somebody stated, each once."""
        found: dict[str, str] = {}
        for said in self.turns:
            if said.stated:
                found.setdefault(normal_form(said.stated), said.stated)
        return tuple(found.values())


_WORLDS: dict[int, World] = {}


def world_key(world: World) -> int:
    """A hashable name for a world within this process, so that what a message says is found out only once."""
    _WORLDS.setdefault(id(world), world)
    return id(world)


def position_in(said: Heard, candidates: Sequence[str]) -> str | None:
    """Which candidate a turn holds: by what it states, by a yes or no that opens it, or by the only one it names."""
    if said.stated and (answer := as_candidate(said.stated, candidates)):
        return answer
    if said.tokens and said.tokens[0] in ("yes", "no"):
        return as_candidate(said.tokens[0], candidates)
    text = f" {' '.join(said.tokens)} "
    named = [c for c in candidates if (form := normal_form(c)) not in ("yes", "no") and form and f" {form} " in text]
    return named[0] if len(named) == 1 else None


def as_candidate(text: str, candidates: Sequence[str]) -> str | None:
    """The candidate that a stated answer means: the same words, or the only candidate that it begins with or holds."""
    form = normal_form(text)
    for candidate in candidates:
        if normal_form(candidate) == form:
            return candidate
    first = form.split(" ", 1)[0]
    for candidate in candidates:
        if normal_form(candidate) == first and first in ("yes", "no"):
            return candidate
    held = [c for c in candidates if normal_form(c) and f" {normal_form(c)} " in f" {form} "]
    return held[0] if len(held) == 1 else None


def options_in(text: str, anywhere: bool = False) -> tuple[str, ...]:
    """The answers that a message lists after "Options:" or, with `anywhere`, in its first bullet list."""
    match = next(reversed(list(_OPTIONS.finditer(text))), None)
    if match and match[1].strip():
        inline = re.split(r"\s+/\s+|\s*[;|]\s*|,\s+", match[1].strip().rstrip("."))
        return tuple(dict.fromkeys(inline)) if len(inline) > 1 else ()
    lines = (text[match.end() :] if match else text if anywhere else "").splitlines()
    bullets: list[str] = []
    for line in lines:
        if bullet := _BULLET.match(line):
            bullets.append(bullet[1].strip())
        elif bullets and line.strip():
            if match or len(bullets) > 1:
                break
            bullets = []
    return tuple(dict.fromkeys(bullets)) if len(bullets) > 1 else ()


@lru_cache(maxsize=4096)
def _heard(world: int, role: str, content: str) -> Heard:
    known = known_world(world)
    speaker, text = "", content
    if role == "user" and (prefix := _SPEAKER.match(content)) and not _is_label(prefix[1]):
        speaker, text = prefix[1].strip(), content[prefix.end() :]
    tokens = words(text)
    facts: dict[str, None] = {}
    wrong: dict[tuple[str, str], None] = {}
    for at, key in known.phrases.find(tokens):
        if _DENIED.search(" ".join(tokens[max(0, at - 4) : at])):
            continue
        kind, _, name = key.partition(":")
        if kind == "fact":
            facts[name] = None
        else:
            question, _, answer = name.partition(":")
            wrong[(question, answer)] = None
    asked = None if role == "assistant" else _question(text)
    own = role == "assistant"
    return Heard(speaker, own, text, tuple(tokens), tuple(facts), tuple(wrong), _stated(text), asked)


def _is_label(prefix: str) -> bool:
    found = words(prefix)
    return bool(found) and (all(word in _LABELS for word in found) or found[-1] in _LABELS)


def _question(text: str) -> str | None:
    found = _QUESTION.findall(text)
    return found[-1].strip() if found else None


def _stated(text: str) -> str | None:
    lines = _ANSWER_LINE.findall(text)
    if lines:
        return str(lines[-1]).strip("\"'“”*_ \t").removesuffix(".") or None
    stated = None
    for match in _STATED.finditer(text):
        stated = match[1].strip()
    return stated or None


def _first_question(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    asking = [line for line in lines if line.endswith("?")]
    return (asking or lines)[0]


def known_world(key: int) -> World:
    """The world with this key."""
    return _WORLDS[key]
