"""What a mind is asked to do, found out from the messages and the reply's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from maieutic.backends.sim.consulting import invited
from maieutic.backends.sim.forms import Form
from maieutic.backends.sim.persuasion import stance_in, style_in
from maieutic.backends.sim.reading import Reading

__all__ = ["Task", "task_of"]

Task = Literal["argue", "position", "verdict", "enough", "answer", "ask", "explain", "hint", "reply", "quiz", "review",
               "decide", "consult", "lesson", "examine", "outline", "estimate", "weigh"]  # fmt: skip

_SAID: tuple[tuple[str, Task], ...] = (
    (r"\bheard enough\b|\benough to decide\b", "enough"),
    (r"\breview\b.{0,40}\bdraft\b|\bcriticise\b|\bcritique\b|\bfind (?:the |its )?(?:mistake|error|problem)", "review"),
    (r"\bdebate is over\b|\bgive your verdict\b|\bbest supported\b|\bdecide which answer\b", "verdict"),
    (r"\bchoose the candidate\b|\bwhich candidate\b|\bwho should answer\b", "decide"),
    (r"\bask (?:the |your )?student\b", "quiz"),
    (r"\bask (?:the |your )?teacher\b|\bask (?:only )?(?:one|a|your) question\b", "ask"),
    (r"\bhint\b.{0,60}\b(?:give|do not|don't)\b|\bgive\b.{0,40}\bhint\b", "hint"),
    (r"\bwrite (?:a|the|your) (?:\w+ )?lesson\b", "lesson"),
    (r"\bexplain\b|\bteach\b", "explain"),
    (r"\banswer the student|\banswer (?:his|her|their) question", "reply"),
    (r"\boff the record\b|\bwhich answer do you\b|\bhow sure are you\b", "position"),
    (r"\bbest argument\b|\bargue\b|\byour turn\b|\bin the debate\b|\bopening statement\b", "argue"),
    (r"\banswer the question\b|\bend with a line\b|\byour answer\b", "answer"),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), task) for pattern, task in _SAID)
_MATERIAL = re.compile(
    r"^(?:question|topic|options|candidates|hint|draft|the student's answer|context|material|document|text)\s*:.*$",
    re.IGNORECASE | re.MULTILINE,
)
_BY_KIND: dict[str, Task] = {"judge": "verdict", "student": "answer", "teacher": "explain", "critic": "review",
                             "router": "decide", "expert": "answer"}  # fmt: skip
_BY_FIELD: Mapping[str, Task] = {
    "questions": "examine",
    "prerequisites": "outline",
    "estimates": "estimate",
    "plausibilities": "weigh",
    "enough": "enough",
}
_ROLE = re.compile(r"\byou are [^.\n]{0,80}?\b(judge|student|teacher|critic|router|debater|debate)\b", re.IGNORECASE)


def task_of(kind: str, reading: Reading, form: Form | None) -> Task:
    """The task, by what the reply must hold, else by the instruction, else by the role or the kind of mind."""
    if form is not None and (by_form := _by_form(kind, reading, form)):
        return by_form
    if form is None and (by_words := _in_words(kind, reading)):
        return by_words
    asked = _MATERIAL.sub("", reading.asked)
    for pattern, task in _PATTERNS:
        if pattern.search(asked):
            if task == "answer" and form is None and _debates(kind, reading):
                return "position"
            return task if form is None or task != "argue" else _deciding(kind, reading)
    role = _role(kind, reading)
    if form is not None:
        return _deciding(kind, reading)
    if reading.known_question is not None and not any(said.speaker for said in reading.turns):
        return "position" if _debates(kind, reading) else _BY_KIND.get(role, "answer")
    return _BY_KIND.get(role, "argue")


def _in_words(kind: str, reading: Reading) -> Task | None:
    """What instructions of their own kind ask for: to consult others, or to debate in a certain way."""
    if invited(reading) is not None:
        return "consult"
    told = not reading.private and _debates(kind, reading) and (stance_in(reading) or style_in(reading))
    return "argue" if told else None


def _by_form(kind: str, reading: Reading, form: Form) -> Task | None:
    if named := next((task for field, task in _BY_FIELD.items() if field in form.fields), None):
        return named
    if form.fields & {"ok", "problem"}:
        return "review"
    if "choice" in form.fields:
        return "decide"
    if not form.fields & {"answer", "ranking", "approved"}:
        return None
    task = _deciding(kind, reading)
    speaks = form.fields & {"reply", "argument"} and not reading.private
    return "argue" if task == "position" and speaks else task  # words for the others beside the answer


def _deciding(kind: str, reading: Reading) -> Task:
    """Who is asked for an answer in a form: a judge judges, a debater says where it stands, a student answers."""
    role = _role(kind, reading)
    if role == "judge":
        return "verdict"
    if role in ("student", "teacher") and reading.known_question is not None:
        return "answer"
    debating = role.startswith("debate") or any(said.speaker for said in reading.turns) or reading.private
    return "position" if debating else "answer"


def _debates(kind: str, reading: Reading) -> bool:
    """Whether a debater is asked as itself: it gives the answer that it believes in, as it does off the record."""
    return kind == "debater" and _role(kind, reading).startswith("debate")


def _role(kind: str, reading: Reading) -> str:
    match = _ROLE.search(reading.system)
    role = match[1].lower() if match else kind
    return "judge" if kind == "judge" and role == "debate" else role
