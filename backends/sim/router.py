"""How a mind chooses who should answer: by what the candidates are said to be good at, and by what they cost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from maieutic.backends.sim.chance import softmax, unit, weighted
from maieutic.backends.sim.debater import confidence, ranked
from maieutic.backends.sim.knowledge import Mind
from maieutic.backends.sim.language import words
from maieutic.backends.sim.reading import Reading, as_candidate, options_in
from maieutic.backends.sim.student import answer
from maieutic.backends.sim.subject import concepts_meant
from maieutic.backends.sim.thought import Thought

__all__ = ["decide", "scored"]

_SKILL = {"expert": 2.0, "specialist": 2.0, "strong": 1.5, "best": 1.5, "large": 1.2, "capable": 1.2, "knows": 1.0,
          "good": 0.8, "weak": -1.0, "novice": -1.5, "beginner": -1.5, "small": -0.5}  # fmt: skip
_PRICE = {"free": 1.5, "cheap": 1.0, "cheapest": 1.5, "inexpensive": 1.0, "small": 0.5, "fast": 0.3, "costly": -1.0,
          "expensive": -1.5, "slow": -0.3, "large": -0.5}  # fmt: skip
_TOPIC = 2.5
"""Points for a description that names the question's topic or concept."""
_WORD = 0.8
"""Points for every other word that question and description share."""
_MEASURED = 5.0
"""Points for a score of 100 instead of 0 % in a task family that the question belongs to."""
_PERFORMANCE = re.compile(r"(\w[\w -]{0,40}) (\d{1,3}(?:\.\d+)?)%")
_USD = re.compile(r"(\d[\d.]{0,12}) USD out\b")
_COMMON = frozenset(
    """
    a an the is are was of in on at to for and or with what which who how does do did it that this by from as be
    about answer answers question questions can
    """.split()  # noqa: SIM905
)


def decide(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """One of the pool. Words of the question count in the description, skill words for it, price words by `thrift`."""
    pool = _pool(reading)
    if not pool:
        return answer(mind, reading, temperature, sample)
    scores = scored(mind, reading, pool)
    shares = softmax(scores)
    if temperature > 0:
        chosen = weighted(softmax(scores, temperature), mind.who, "routes", reading.question, sample)
    else:
        chosen = max(scores, key=lambda name: (round(scores[name], 9), unit(mind.who, "taste", name)))
    fits = _asked(mind, reading) & set(words(f"{chosen} {pool[chosen]}"))
    reason = f"{chosen} fits the question best ({', '.join(sorted(fits))})." if fits else f"{chosen} seems able enough."
    return Thought(
        text=chosen, answer=chosen, shares=shares, confidence=confidence(mind, shares[chosen]), reason=reason,
        ranking=ranked(shares), approved=ranked(shares)[:1],
    )  # fmt: skip


def scored(mind: Mind, reading: Reading, pool: Mapping[str, str]) -> dict[str, float]:
    """Points for each of the pool, by what its description tells about the question's subject and about its price."""
    asked = set(words(reading.question)) - _COMMON
    subject = _subject_words(mind, reading)
    return {name: _points(mind, f"{name} {text}", asked, subject) for name, text in pool.items()}


def _asked(mind: Mind, reading: Reading) -> set[str]:
    return (set(words(reading.question)) - _COMMON) | _subject_words(mind, reading)


def _pool(reading: Reading) -> Mapping[str, str]:
    """Names and descriptions: from the list of candidates, limited to the names that the form allows."""
    listed = dict(_described(line) for line in options_in(reading.asked, True))
    if not reading.options:
        return listed
    found = {}
    for name in reading.options:
        key = name if name in listed else as_candidate(name, tuple(listed))
        found[name] = listed.get(key or "", "")
    return found


def _described(line: str) -> tuple[str, str]:
    name, _, description = line.partition(": ")
    return re.sub(r"[*`]", "", name).strip(), description


def _subject_words(mind: Mind, reading: Reading) -> set[str]:
    found: set[str] = set()
    question = reading.known_question
    needed = {mind.world.facts[need].concept for need in question.needs} if question else None
    for name in concepts_meant(mind.world, reading.question):
        if needed is None or name in needed:
            concept = mind.world.concepts[name]
            found |= set(words(f"{concept.topic} {concept.name}")) - _COMMON
    return found


def _points(mind: Mind, description: str, asked: set[str], subject: set[str]) -> float:
    measured = [float(share) for family, share in _PERFORMANCE.findall(description) if set(words(family)) & subject]
    described = _PERFORMANCE.sub("", description)
    said = set(words(described))
    points = _TOPIC * bool(subject & said) + _WORD * len((asked - subject) & said)
    points += sum(value for word, value in _SKILL.items() if word in said)
    points += sum(_MEASURED * (share / 100 - 0.5) for share in measured)
    points -= 2 * mind.params.thrift * sum(math.log10(1 + float(usd)) for usd in _USD.findall(described))
    return points + 2 * mind.params.thrift * sum(value for word, value in _PRICE.items() if word in said)
