"""How a mind writes a quiz: questions of the world that the text it was given answers, with options, by level."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from maieutic.backends.sim.chance import shuffled, unit
from maieutic.backends.sim.knowledge import Mind, learned
from maieutic.backends.sim.language import normal_form, words
from maieutic.backends.sim.reading import Reading, options_in
from maieutic.backends.sim.subject import concepts_meant, with_prerequisites
from maieutic.backends.sim.thought import Thought
from maieutic.backends.sim.world import Question
from maieutic.errors import ModelError

__all__ = ["examine", "outline"]

_WANTED = re.compile(r"\b(\d{1,3})\b\D{1,60}\beach of (?:the )?(\d{1,2}) levels", re.IGNORECASE)
_OPTIONS = 4


def examine(mind: Mind, reading: Reading) -> Thought:
    """Questions that the facts of the text answer; without a text, questions about the topic.

    It asks only what it knows itself. The harder half needs more facts or deeper concepts; where a question has no
    options, answers to other questions of its topic become them.

    Raises:
        ModelError: A quiz of so many questions is asked for, and it knows of none.
    """
    per_level, levels = _wanted(reading)
    known = mind.known | learned(mind, reading)
    within = set(reading.material if reading.material is not None else _topic_facts(mind, reading)) & known
    open_ = [q for q in mind.world.questions.values() if set(q.needs) <= within and len(_options(mind, q)) >= _OPTIONS]
    open_.sort(key=lambda q: unit(mind.who, "examines", q.text))
    chosen = sorted(open_[: per_level * levels], key=lambda q: _hardness(mind, q))
    each = max(1, -(-len(chosen) // levels))
    questions = tuple(_asked(mind, question, 1 + at // each) for at, question in enumerate(chosen))
    if not questions and _WANTED.search(reading.asked):
        raise ModelError(
            f"a simulated examiner asks questions of its world ({mind.world.name!r}), and none of them can be answered "
            "from what it was given; give a text with sentences of that world, bring a quiz, or name a real model",
            kind="bad_request",
        )
    text = "\n".join(str(question["question"]) for question in questions) or "There is nothing that I could ask."
    return Thought(text=text, ok=bool(questions), lists={"questions": questions})


def outline(mind: Mind, reading: Reading) -> Thought:
    """Which of the concepts that are listed need which others, as the world has it."""
    listed = {found: name for name in options_in(reading.asked, anywhere=True) if (found := _concept(mind, name))}
    pairs = tuple(
        {"concept": listed[concept], "needs": listed[need]}
        for concept in listed
        for need in _before(mind, concept, set(listed))
    )
    text = "\n".join(f"{pair['concept']} needs {pair['needs']}" for pair in pairs) or "None needs another."
    return Thought(text=text, lists={"prerequisites": pairs})


def _concept(mind: Mind, name: str) -> str | None:
    return next((concept for _, concept in mind.world.names.find(words(name))), None)


def _before(mind: Mind, concept: str, listed: set[str]) -> list[str]:
    """The nearest listed concepts that it needs, be it through others that are not listed."""
    found: dict[str, None] = {}
    waiting = list(mind.world.concepts[concept].needs)
    while waiting:
        need = waiting.pop(0)
        if need in listed:
            found[need] = None
        else:
            waiting += mind.world.concepts[need].needs
    return list(found)


def _wanted(reading: Reading) -> tuple[int, int]:
    match = _WANTED.search(reading.asked)
    return (max(1, int(match[1])), max(1, int(match[2]))) if match else (3, 3)


def _topic_facts(mind: Mind, reading: Reading) -> list[str]:
    concepts = concepts_meant(mind.world, reading.question) or mind.world.order
    return [fact for concept in concepts for fact in mind.world.facts_of[concept]]


def _hardness(mind: Mind, question: Question) -> tuple[int, int, str]:
    """How many facts it needs together, then how many concepts come before."""
    concepts = {mind.world.facts[need].concept for need in question.needs}
    return len(question.needs), len(with_prerequisites(mind.world, concepts)), question.text


def _options(mind: Mind, question: Question) -> list[str]:
    if question.options:
        return list(question.options)
    others = [*question.misconceptions, *mind.world.siblings[mind.world.topic_of(question)]]
    wrong = {normal_form(other): other for other in others if not question.answered_by(other)}
    number = normal_form(question.answer).isdigit()
    drawn = shuffled(list(wrong.values()), mind.who, question.text)
    drawn.sort(key=lambda other: normal_form(other).isdigit() is not number)
    return [question.answer, *drawn[: _OPTIONS - 1]]


def _asked(mind: Mind, question: Question, level: int) -> Mapping[str, Any]:
    concept = mind.world.facts[question.needs[0]].concept
    return {
        "question": question.text,
        "options": _options(mind, question),
        "answer": question.answer,
        "level": level,
        "concept": mind.world.concepts[concept].name,
    }
