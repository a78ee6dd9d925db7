"""How a mind works out an answer by consulting others in tags: whom it asks, what it makes of what it hears.

It reads the task, the candidates and the tags in its messages, and what came back; nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.backends.sim.chance import softmax, unit, weighted
from maieutic.backends.sim.knowledge import Mind, learned, share_known
from maieutic.backends.sim.reading import Heard, Reading
from maieutic.backends.sim.router import scored
from maieutic.backends.sim.student import answer
from maieutic.backends.sim.thought import Thought
from maieutic.memory.transcript import Message

__all__ = ["Invitation", "consult", "invited"]

_ROUTE = re.compile(r"<([A-Za-z][\w-]{0,30})>NAME: ")
_BETWEEN = r"\b{word}\b[^\n]{{0,60}}? between <([A-Za-z][\w-]{{0,30}})>"
_THOUGHT, _ANSWER, _HEARD = (
    re.compile(_BETWEEN.format(word=word), re.IGNORECASE) for word in ("think", "write it", "hear back")
)
_TOOLS = re.compile(
    r"call the tool `(?P<search>[\w-]+)` with a name.*?call the tool `(?P<answer>[\w-]+)` with it", re.DOTALL
)
"""A task for models that call tools. A mind has no tools and writes the tags of that name, which is understood, too."""
_CONSULTED = re.compile(r"^I consult ([^:\n]{1,100}):", re.MULTILINE)
_CANDIDATES = re.compile(r"^Candidates:[ \t]*\n((?:[-*] [^\n]*(?:\n|\Z))+)", re.MULTILINE)
_LAST = re.compile(r"\bcannot consult anybody any more\b", re.IGNORECASE)
_LAST_NOTE = re.compile(r"^You cannot consult anybody any more\.[^\n]*$", re.MULTILINE)
_UNSURE = re.compile(
    r"\b(?:guess(?:ing)?|not sure|unsure|(?:do not|don't) know|cannot|can't|no idea|nobody was consulted)\b|\ANone\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a mind was told about consulting others.

    Attributes:
        think, search, answer: The names of the tags that it writes.
        pool: Descriptions by name.
        asked: The candidates it has consulted already, in order.
        heard: What came back, in order.
        last: Whether it must answer now.
    """

    think: str
    search: str
    answer: str
    pool: dict[str, str]
    asked: list[str]
    heard: list[str]
    last: bool


def invited(reading: Reading) -> Invitation | None:
    """What the messages say about consulting others, or None if they do not invite to it."""
    for at, said in enumerate(reading.heard):
        listed = None if said.own else _CANDIDATES.search(said.text)
        if listed is None:
            continue
        pool = dict(_described(line) for line in listed[1].splitlines())
        since = reading.heard[at + 1 :]
        return _by_tags(said.text, pool, since, reading) or _by_tools(said.text, pool, since, reading)
    return None


def _by_tags(task: str, pool: dict[str, str], since: Sequence[Heard], reading: Reading) -> Invitation | None:
    route = _ROUTE.search(task)
    names = [pattern.search(task) for pattern in (_THOUGHT, _HEARD, _ANSWER)]
    if route is None or None in names:
        return None
    think, information, answer_ = (name[1] for name in names if name is not None)
    text = "\n".join(later.text for later in since)
    asked = re.findall(rf"<{re.escape(route[1])}>([^:<]{{0,100}}):", text)
    heard = _blocks(text, information)
    return Invitation(think, route[1], answer_, pool, [name.strip() for name in asked], heard, _last(reading))


def _by_tools(task: str, pool: dict[str, str], since: Sequence[Heard], reading: Reading) -> Invitation | None:
    tools = _TOOLS.search(task)
    if tools is None:
        return None
    asked = [name.strip() for later in since if later.own for name in _CONSULTED.findall(later.text)]
    heard = [_LAST_NOTE.sub("", later.text).strip() for later in since if not later.own]
    return Invitation("think", tools["search"], tools["answer"], pool, asked, [t for t in heard if t], _last(reading))


def _last(reading: Reading) -> bool:
    return bool(_LAST.search(reading.asked))


def _described(line: str) -> tuple[str, str]:
    name, _, description = line[2:].partition(": ")
    return name.strip(), description


def _blocks(text: str, tag: str) -> list[str]:
    pieces = text.split(f"<{tag}>")[1:]
    return [piece.partition(f"</{tag}>")[0].strip() for piece in pieces]


def consult(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """Answer what it knows or was told for sure; else ask the best candidate that it has not asked yet."""
    invitation = invited(reading)
    if invitation is None:
        return answer(mind, reading, temperature, sample)
    told = [(text, _stated(reading, text)) for text in invitation.heard]
    sure = [said for text, said in told if said and not _UNSURE.search(text)]
    if sure:
        return _answered(invitation, Counter(sure).most_common(1)[0][0], "This settles it.")
    question = reading.known_question
    if question is not None and share_known(question, mind.known | learned(mind, reading)) == 1:
        return _answered(invitation, answer(mind, reading, temperature, sample).answer, "I know this myself.")
    if not invitation.last and (chosen := _best(mind, reading, invitation, temperature, sample)):
        return _routed(reading, invitation, chosen)
    if guesses := [said for _, said in told if said]:
        return _answered(invitation, Counter(guesses).most_common(1)[0][0], "I take what most of them guess.")
    own = answer(mind, reading, temperature, sample)
    return _answered(invitation, own.answer or own.text, "Nobody can tell; I have to guess.")


def _stated(reading: Reading, text: str) -> str | None:
    """The answer that a piece of information states; its last words where it is short and states none."""
    stated = Reading((Message("user", text),), reading.world).heard[0].stated
    if stated is None and len(text.split()) <= 5 and not _UNSURE.search(text):
        return text.rstrip(".") or None
    return stated


def _best(mind: Mind, reading: Reading, invitation: Invitation, temperature: float, sample: int) -> str | None:
    """The best candidate that it has not asked yet."""
    left = {name: text for name, text in invitation.pool.items() if name not in invitation.asked}
    if not left:
        return None
    scores = scored(mind, reading, left)
    if temperature > 0:
        return weighted(softmax(scores, temperature), mind.who, "routes", reading.question, len(left), sample)
    return max(scores, key=lambda name: (round(scores[name], 9), unit(mind.who, "taste", name)))


def _routed(reading: Reading, invitation: Invitation, chosen: str) -> Thought:
    first = not invitation.heard
    thought = f"I do not know this; {chosen} seems the best to ask." if first else f"Not sure yet; I ask {chosen}, too."
    query = reading.question.replace(":", ",")
    text = _tagged(invitation.think, thought) + _tagged(invitation.search, f"{chosen}: {query}")
    return Thought(text=text, reason=thought, confidence=0.5)


def _answered(invitation: Invitation, said: str, thought: str) -> Thought:
    text = _tagged(invitation.think, thought) + _tagged(invitation.answer, said)
    return Thought(text=text, reason=thought, confidence=0.9)


def _tagged(tag: str, text: str) -> str:
    return f"<{tag}>{text}</{tag}>\n"
