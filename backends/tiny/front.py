"""Between the agents' messages and the one language that a tiny model knows.

A network of 126,272 parameters cannot follow an instruction or write JSON. What it is sent is looked through for a
question of its task; the network then reads nothing but `QUESTION Explain.` or `QUESTION Hint: STEPS. Explain.`, and
what it says is put into the form that was asked for. Which answer, which steps, and how sure: that is the network's.
Messages without a question, and those that are in its language already, are rendered as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from maieutic.backends.sim.forms import Form, form_of
from maieutic.backends.sim.thought import Thought
from maieutic.backends.tiny.arithmetic import Problem, answer_in, hint, steps_in
from maieutic.backends.types import LLMRequest, TokenLogprob
from maieutic.memory.transcript import Message

__all__ = ["Read", "Reply", "put", "read", "steps_heard"]

Task = Literal["answer", "label", "explain", "hint", "raw"]
"""What is wanted: the answer after its steps, the answer alone, all steps but the last, the first step, any words."""

LABEL_ONLY = re.compile(
    r"\b(?:only|just|nothing but|single|one|exactly)\b[^.\n]{0,25}\b(?:labels?|letters?|digits?|words?|options?)\b"
    r"|\b(?:only|just|nothing but|exactly)\b[^.\n]{0,25}\banswers?\b"
    r"|\b(?:label|letter|digit|word|option|answer)\b,? (?:only|alone|and nothing else)\b",
    re.IGNORECASE,
)
_EXPLAIN = re.compile(r"\bexplain (?:to|how|the|it|this|what|why)\b|\bteach\b", re.IGNORECASE)
_HINT = re.compile(r"\bgive\b[^.\n]{0,40}\bhint\b", re.IGNORECASE)
_BARE = re.compile(r"Start \d(?:; \w+ \d)+\.(?: Hint: [^.]*\.)?(?: Explain\.)?")
_DECIDING = frozenset({"answer", "choice", "verdict", "label", "final_answer", "vote", "prediction"})
_LETTER = re.compile(r"^\s*\(?([A-Z])[).:]\s+(\S+)\s*$", re.MULTILINE)
_LEAST = -100.0


@dataclass(frozen=True, slots=True)
class Read:
    """What a request comes to for the network.

    Attributes:
        messages: What it reads.
        task: What is wanted of it.
        form: The form of the reply, or None for plain text.
        letters: By which letter each answer is to be named, where letters are wanted.
    """

    messages: tuple[Message, ...]
    task: Task
    form: Form | None = None
    letters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in the form that was asked for, in tokens that give it back when joined."""

    text: str
    logprobs: tuple[TokenLogprob, ...]
    thought: str | None = None


def read(request: LLMRequest) -> Read:
    """Find the question, what was explained about it, and what is wanted."""
    form = None if request.output is None else form_of(request.output)
    problem = _asked_about(request.messages)
    bare = len(request.messages) == 1 and _BARE.fullmatch(request.messages[0].content) is not None
    if problem is None or (bare and form is None):
        return Read(request.messages, "raw", form)
    task = _task(request.messages, form)
    heard = () if task in ("explain", "hint") else steps_heard(request.messages, problem)
    letters = _letters(request.messages) if task == "label" else {}
    return Read((Message("user", f"{problem.question}{hint(heard)} Explain."),), task, form, letters)


def steps_heard(messages: Sequence[Message], problem: Problem) -> tuple[str, ...]:
    """The worked steps that somebody else said last about this question, since another one was asked."""
    heard: tuple[str, ...] = ()
    current: Problem | None = None
    for message in messages:
        if message.role != "user":
            continue
        asked = Problem.all_in(message.content)
        if set(asked) - {problem}:
            heard = ()
        current = asked[-1] if asked else current
        if current in (None, problem):
            about = message.content if len(set(asked)) < 2 else message.content.rpartition(problem.question)[2]
            heard = steps_in(about) or heard
    return heard


def put(
    wanted: Read, text: str, logprobs: tuple[TokenLogprob, ...], confidence: float, shares: dict[str, float]
) -> Reply:
    """Put what the network said into the form that is wanted.

    Args:
        wanted: As `read` found it.
        text: What the network said.
        logprobs: The same in tokens.
        confidence: How sure it was.
        shares: How likely each answer is, where that was looked at; else empty.
    """
    if wanted.form is not None:
        thought = _thought(wanted.task, text, confidence, shares)
        return _around(wanted.form.fill(thought), answer_in(text), shares, text)
    if wanted.task == "raw":
        return Reply(text, logprobs)
    if wanted.task == "label":
        named = {wanted.letters.get(answer, answer): share for answer, share in shares.items()}
        said = answer_in(text)
        answer = wanted.letters.get(said, said) if said else None
        return _around(answer, answer, named, text) if answer else Reply(text, logprobs)
    if wanted.task == "answer":
        return Reply(*_on_a_line(text, logprobs))
    shown = _explanation(wanted.task, text)
    return Reply(shown, _covering(shown, logprobs), text)


def _asked_about(messages: Sequence[Message]) -> Problem | None:
    for message in reversed(messages):
        if found := Problem.all_in(message.content):
            return found[-1]
    return None


def _task(messages: Sequence[Message], form: Form | None) -> Task:
    if form is not None and form.fields & _DECIDING:
        return "answer"
    asked = messages[-1].content if messages[-1].role == "user" else ""
    if _HINT.search(asked):
        return "hint"
    if _EXPLAIN.search(asked):
        return "explain"
    return "label" if form is None and LABEL_ONLY.search(asked) else "answer"


def _letters(messages: Sequence[Message]) -> dict[str, str]:
    """The letter of every option, where the reply is to be a letter."""
    asked = messages[-1].content
    if not any("letter" in wanted[0].lower() for wanted in LABEL_ONLY.finditer(asked)):
        return {}
    return {option: letter for letter, option in _LETTER.findall(asked)}


def _explanation(task: Task, text: str) -> str:
    """All steps but the last, which would give the answer away; or the first alone. A single step stands as it is."""
    steps = steps_in(text)
    if not steps:
        return text
    shown = steps[:1] if task == "hint" else steps[:-1] or steps
    return f"{'; '.join(shown)}."


def _thought(task: Task, text: str, confidence: float, shares: dict[str, float]) -> Thought:
    answer = answer_in(text) or ""
    steps = f"{'; '.join(steps_in(text))}."
    said = _explanation(task, text) if task in ("explain", "hint") else text
    ranking = tuple(sorted(shares, key=lambda one: -shares[one])) or ((answer,) if answer else ())
    return Thought(said, answer, shares, confidence, steps, ranking, (answer,) if answer else ())


def _on_a_line(text: str, logprobs: tuple[TokenLogprob, ...]) -> tuple[str, tuple[TokenLogprob, ...]]:
    """The answer on a line of its own, where agents and people look for it; only the space before it changes."""
    told = tuple(
        TokenLogprob("\n" + one.token.lstrip(), one.logprob, one.top) if one.token == " Answer" else one
        for one in logprobs
    )
    return text.replace(". Answer:", ".\nAnswer:"), told


def _covering(shown: str, logprobs: tuple[TokenLogprob, ...]) -> tuple[TokenLogprob, ...]:
    """The tokens of the steps that are shown; the full stop at their end is the front's."""
    at, kept = 0, []
    for one in logprobs:
        if at + len(one.token) >= len(shown):
            break
        kept.append(one)
        at += len(one.token)
    rest = shown[at:]
    return (*kept, TokenLogprob(rest, 0.0)) if rest else tuple(kept)


def _around(reply: str, answer: str | None, shares: dict[str, float], text: str) -> Reply:
    """A reply in which only the answer is the network's; what stands around it has probability 1."""
    found = re.search(rf'(?<="){re.escape(answer)}(?=")|\A{re.escape(answer)}\Z', reply) if answer else None
    if found is None or answer is None or not shares:
        return Reply(reply, (TokenLogprob(reply, 0.0),), text)
    logs = {one: round(max(_LEAST, math.log(share)), 6) for one, share in shares.items() if share > 0}
    parts = (
        TokenLogprob(reply[: found.start()], 0.0),
        TokenLogprob(answer, logs.get(answer, _LEAST), logs),
        TokenLogprob(reply[found.end() :], 0.0),
    )
    return Reply(reply, tuple(part for part in parts if part.token), text)
