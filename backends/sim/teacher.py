"""How a mind teaches: it says the sentences that are needed, those that were not said yet first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from maieutic.backends.sim.chance import pick, unit
from maieutic.backends.sim.debater import argue
from maieutic.backends.sim.knowledge import Mind, learned
from maieutic.backends.sim.language import joined, words
from maieutic.backends.sim.reading import Reading
from maieutic.backends.sim.subject import concepts_meant
from maieutic.backends.sim.thought import Thought
from maieutic.backends.sim.world import Question

__all__ = ["explain", "hint", "lesson", "quiz", "reply"]

_MOST = 5
"""Most sentences of an explanation."""
_REPLY = 4
"""Most sentences of a reply to a question."""
_ASKED_TO_MISLEAD = re.compile(r"\bteacher that misleads\b", re.IGNORECASE)
_LESSON = 0.5
"""Share of what it took in of a text that finds its way into a lesson."""


def explain(mind: Mind, reading: Reading) -> Thought:
    """The facts that the question needs, after those of the prerequisites; the answer is left to the student."""
    question = reading.known_question
    return _about(mind, reading, _MOST) if question is None else _explained(mind, reading, question)


def _explained(mind: Mind, reading: Reading, question: Question) -> Thought:
    if _misleads(mind, reading):
        return _said([_wrong_sentence(mind, question)])
    lesson = mind.world.lesson(question)
    facts = [fact for fact in lesson if fact in mind.known]
    if not facts:
        return _said(["I do not know this myself."], knows=False)
    needed = [fact for fact in facts if fact in question.needs]
    chosen = [*[fact for fact in facts if fact not in needed][: max(0, _MOST - len(needed))], *needed]
    return _said([mind.world.facts[fact].says for fact in chosen[:_MOST]])


def hint(mind: Mind, reading: Reading) -> Thought:
    """One needed fact, the first that nobody has named yet."""
    question = reading.known_question
    if question is None:
        return _about(mind, reading, 1)
    if _misleads(mind, reading):
        return _said([_wrong_sentence(mind, question)])
    known = [need for need in question.needs if need in mind.known]
    if not known:
        return _said(["I do not know this myself."], knows=False)
    heard = _heard(reading)
    fact = next((need for need in known if need not in heard), known[0])
    return _said([mind.world.facts[fact].says])


def reply(mind: Mind, reading: Reading) -> Thought:
    """The answer to a student's question: facts about what it asks, or about the question at hand ("Why is that?")."""
    question = reading.known_question
    if question is None and not concepts_meant(mind.world, _last_asked(reading)):
        lines = (line for said in reversed(reading.heard) for line in said.text.splitlines())
        question = next(
            filter(None, (mind.world.question_like(line.removeprefix("Question: ")) for line in lines)), None
        )
    return _about(mind, reading, _REPLY) if question is None else _explained(mind, reading, question)


def lesson(mind: Mind, reading: Reading) -> Thought:
    """Half of the facts in the text that it was given; without a text, facts about the topic."""
    if reading.material is None:
        return _about(mind, reading, _MOST)
    facts = _taken_in(mind, reading)
    chosen = set(sorted(facts, key=lambda fact: unit(mind.who, "lesson", fact))[: math.ceil(_LESSON * len(facts))])
    told = [mind.world.facts[fact].says for fact in facts if fact in chosen]
    return _said(told or ["The text says nothing that I could teach."], knows=bool(told))


def quiz(mind: Mind, reading: Reading) -> Thought:
    """A question about the topic that was not asked in this dialogue yet."""
    concepts = set(concepts_meant(mind.world, reading.question)) or set(mind.world.order)
    asked = {" ".join(words(line)) for said in reading.heard for line in said.text.splitlines()}
    open_ = [
        question.text
        for question in mind.world.questions.values()
        if " ".join(words(question.text)) not in asked
        and any(mind.world.facts[need].concept in concepts for need in question.needs)
    ]
    text = pick(open_, mind.who, "quiz", len(reading.heard)) if open_ else "What have you learned so far?"
    return Thought(text=text, reason=text, confidence=0.5)


def _about(mind: Mind, reading: Reading, most: int) -> Thought:
    """Facts about what was asked last, those nobody has said yet first, the concept itself before its prerequisites."""
    text = _last_asked(reading)
    concepts = concepts_meant(mind.world, text)
    if reading.material is not None:
        return _from_text(mind, reading, concepts, most)
    if not concepts:
        return _outside(mind, reading)
    heard = _heard(reading)
    named = {name for _, name in mind.world.names.find(words(text))} or set(concepts)
    facts = [fact for concept in concepts for fact in mind.world.facts_of[concept] if fact in mind.known]
    facts.sort(key=lambda fact: (fact in heard, mind.world.facts[fact].concept not in named))
    if not facts:
        names = joined([mind.world.concepts[c].name for c in concepts if c in named][:3])
        return _said([f"I know nothing about {names} myself."], knows=False)
    return _said([mind.world.facts[fact].says for fact in facts[:most]])


def _from_text(mind: Mind, reading: Reading, concepts: Sequence[str], most: int) -> Thought:
    """Facts of its text about the concepts, those not said yet first; about no concept, whatever was not said yet."""
    heard, facts, of = _heard(reading), _taken_in(mind, reading), mind.world.facts
    named = {name for _, name in mind.world.names.find(words(_last_asked(reading)))} or set(concepts)
    if concepts:
        told = [fact for fact in facts if of[fact].concept in concepts]
        told.sort(key=lambda fact: (fact in heard, of[fact].concept not in named))
    else:
        told = [fact for fact in facts if fact not in heard]
    if not told:
        names = joined([mind.world.concepts[c].name for c in concepts if c in named][:3]) or "that"
        return _said([f"The text says nothing more about {names}."], knows=False)
    return _said([of[fact].says for fact in told[:most]])


def _taken_in(mind: Mind, reading: Reading) -> list[str]:
    """The facts of its text, in their order, that it knows or has learned by reading."""
    known = mind.known | learned(mind, reading)
    return [fact for fact in reading.material or () if fact in known]


def _last_asked(reading: Reading) -> str:
    """The question at hand: the one in the instruction, else the last thing that somebody else said."""
    if reading.heard and reading.heard[-1].question:
        return reading.heard[-1].question or ""
    for said in reversed(reading.heard):
        if said.speaker and not said.own:
            return said.text
    return reading.question


def _outside(mind: Mind, reading: Reading) -> Thought:
    """What lies outside the world is spoken about as in a debate, where there is anything to argue."""
    if not reading.question or "?" not in reading.question:
        return _said(["That lies outside of what I know."], knows=False)
    return argue(mind, reading, 0.0, 0)


def _heard(reading: Reading) -> set[str]:
    """What was said in the dialogue; a text that it was given alone to teach from does not count."""
    told = (said for said in reading.heard if reading.material is None or said.own or said.speaker)
    return {fact for said in told for fact in said.facts}


def _misleads(mind: Mind, reading: Reading) -> bool:
    """A teacher that is asked to mislead does it; any other by its own inclination."""
    if _ASKED_TO_MISLEAD.search(reading.asked):
        return True
    return unit(mind.who, "misleads", reading.question, len(reading.heard)) < mind.params.misleading


def _wrong_sentence(mind: Mind, question: Question) -> str:
    """A misconception about the question if there is one, else a wrong answer given as the right one."""
    if question.misconceptions:
        return question.misconceptions[pick(sorted(question.misconceptions), mind.who, question.text)]
    siblings = mind.world.siblings[mind.world.topic_of(question)]
    wrong = [a for a in question.options or siblings if not question.answered_by(a)]
    return f"The answer is {pick(wrong, mind.who, question.text)}." if wrong else "There is no answer to that."


def _said(sentences: Iterable[str], *, knows: bool = True) -> Thought:
    text = " ".join(sentences)
    return Thought(text=text, reason=text, confidence=0.95 if knows else 0.1, ok=knows)
