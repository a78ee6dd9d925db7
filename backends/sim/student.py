"""How a mind answers a question, and what it asks when it may ask: by what it knows and by what it has read."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from maieutic.backends.sim.chance import normal, pick, unit, weighted
from maieutic.backends.sim.debater import argue, confidence, position, ranked
from maieutic.backends.sim.knowledge import Mind, learned, share_known
from maieutic.backends.sim.language import normal_form, words
from maieutic.backends.sim.reading import Reading, as_candidate, options_in
from maieutic.backends.sim.subject import concepts_meant
from maieutic.backends.sim.thought import Thought
from maieutic.backends.sim.world import Question

__all__ = ["answer", "answer_shares", "ask", "estimate"]

_NOT = re.compile(r"\bthe answer is not (?!right\b|wrong\b)([^\n;]{1,60}?)(?=[.;]?(?:\s|$))", re.IGNORECASE)
_DO_NOT_KNOW = "I do not know"
_SHARPEST = 0.01
"""Temperatures below this one count as 0."""


def answer(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """Answer the question: right (but for slips) where all needed facts are known, else by misconception or guess."""
    question = reading.known_question
    if question is None:
        return _free(mind, reading, temperature, sample)
    facts = mind.known | learned(mind, reading)
    shares = answer_shares(mind, reading, question, facts)
    said = _drawn(mind, question, shares, temperature, sample)
    sure = share_known(question, facts) == 1 and question.answered_by(said)
    reason = " ".join(mind.world.facts[f].says for f in question.needs) if sure else "I am guessing."
    if _skilled(mind, question) and question.answered_by(said):
        reason = " ".join(mind.world.facts[f].says for f in question.needs)
    return Thought(
        text=f"{reason}\nAnswer: {said}",
        answer=said,
        shares=shares,
        confidence=confidence(mind, shares.get(said, 0.0)),
        reason=reason,
        ranking=ranked(shares),
        approved=tuple(a for a in ranked(shares) if shares[a] >= 0.25),
        ok=sure,
    )


def answer_shares(mind: Mind, reading: Reading, question: Question, facts: frozenset[str]) -> dict[str, float]:
    """Probability of each answer that the mind could give."""
    wrong = _wrong_answers(mind, reading, question)
    right = _right(reading, question)
    if share_known(question, facts) == 1 or _skilled(mind, question):
        hit = 1 - mind.params.slip
        shares = {right: hit, **_spread(wrong, 1 - hit)} if wrong else {right: 1.0}
        return _trusting(shares, reading, mind.params.deference)
    guess = mind.params.guess
    if guess is None:
        guess = 1 / (len(wrong) + 1) if reading.options else 0.0
    shares = {right: guess, **_spread(wrong, 1 - guess)} if wrong else {right: 1.0}
    shares = _trusting(shares, reading, mind.params.susceptibility)
    believed = [w for w in question.misconceptions if as_candidate(w, wrong)]
    if believed:
        held = as_candidate(pick(sorted(believed), mind.who, "misconception", question.text), wrong)
        pull = mind.params.misconceptions
        shares = {a: share * (1 - pull) + pull * (a == held) for a, share in shares.items()}
    return _corrected(shares, reading, mind.params.susceptibility)


def ask(mind: Mind, reading: Reading) -> Thought:
    """Ask about something in the topic that it does not know yet: what it asked least often, prerequisites first.

    Told what to ask about, it asks about that and not about its prerequisites.
    """
    facts = mind.known | learned(mind, reading)
    world = mind.world
    gaps = [
        concept
        for concept in concepts_meant(world, reading.about or reading.question)
        if any(fact not in facts for fact in world.facts_of[concept])
    ]
    if gaps:
        asked = Counter(name for said in reading.heard if said.own for _, name in world.names.find(said.tokens))
        told = {name for _, name in world.names.find(words(reading.about))}
        concept = min(gaps, key=lambda gap: (gap not in told, asked[gap]))
        name = world.concepts[concept].name
        options = (f"What do I have to know about {name}?", f"Can you explain {name} to me?")
        text = pick(options, mind.who, concept, len(reading.heard))
        return Thought(text=text, reason=text, confidence=0.5)
    text = "Is there anything about this that I have missed?"
    return Thought(text=text, reason=text, confidence=0.9)


def estimate(mind: Mind, reading: Reading) -> Thought:
    """How sure it is of the concepts that it is asked about, or of those of the topic, the least sure first.

    It feels as known what it knows, and also the gaps that a misconception fills. `noise` and `confidence_bias` distort
    what it says.
    """
    world = mind.world
    facts = mind.known | learned(mind, reading)
    listed = options_in(reading.asked, anywhere=True)
    names = listed or tuple(world.concepts[c].name for c in concepts_meant(world, reading.question))
    sure = {name: _felt(mind, reading, name, facts) for name in names}
    found = sorted(sure.items(), key=lambda entry: entry[1])
    text = "\n".join(f"{name}: {share}" for name, share in found)
    return Thought(
        text=text,
        confidence=min(sure.values(), default=0.5),
        lists={"estimates": tuple({"about": name, "confidence": share} for name, share in found)},
    )


def _felt(mind: Mind, reading: Reading, name: str, facts: frozenset[str]) -> float:
    """How much of a concept it believes to know, from 0 to 1; 0.5 of what the world does not know."""
    world = mind.world
    within = [fact for _, concept in world.names.find(words(name)) for fact in world.facts_of[concept]]
    share = 0.5
    if within:
        filled = {q.needs[0] for q in world.questions.values() if q.misconceptions} - facts
        known = sum(1.0 if fact in facts else mind.params.misconceptions * (fact in filled) for fact in within)
        share = (known + 0.5) / (len(within) + 1)
    if mind.params.noise:
        odds = math.log(share / (1 - share)) + mind.params.noise * normal(mind.who, "feels", name, len(reading.heard))
        share = 1 / (1 + math.exp(-odds))
    return confidence(mind, share)


def _free(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """A question outside the world is answered as a debater would, in the form of an answer."""
    if not reading.question:
        return Thought(text=_DO_NOT_KNOW + ".", answer=_DO_NOT_KNOW, shares={_DO_NOT_KNOW: 1.0}, reason=_DO_NOT_KNOW)
    said = position(mind, reading, temperature, sample)
    argued = argue(mind, reading, temperature, sample)
    return Thought(
        text=f"{argued.text}\nAnswer: {said.answer}",
        answer=said.answer,
        shares=said.shares,
        confidence=said.confidence,
        reason=said.reason,
        ranking=said.ranking,
        approved=said.approved,
    )


def _corrected(shares: dict[str, float], reading: Reading, trust: float) -> dict[str, float]:
    """What others said is not the answer loses its share, as far as the mind trusts them, to the other answers."""
    denied = {
        as_candidate(match[1].strip(), tuple(shares))
        for said in reading.heard
        if not said.own
        for match in _NOT.finditer(said.text)
    }
    others = [answer for answer in shares if answer not in denied]
    if not others:
        return shares
    lost = trust * sum(share for answer, share in shares.items() if answer in denied)
    return {a: share * (1 - trust) if a in denied else share + lost / len(others) for a, share in shares.items()}


def _drawn(mind: Mind, question: Question, shares: dict[str, float], temperature: float, sample: int) -> str:
    name = normal_form(question.text)
    if temperature < _SHARPEST:
        return max(shares, key=lambda a: (round(shares[a], 9), unit(mind.who, "taste", name, normal_form(a))))
    sharpened = {a: share ** (1 / temperature) for a, share in shares.items()}
    return weighted(sharpened, mind.who, "answers", name, sample)


def _skilled(mind: Mind, question: Question) -> bool:
    """Whether an expert is one for this question."""
    if mind.kind != "expert":
        return False
    skills = mind.params.skills
    chance = skills.get(mind.world.topic_of(question), mind.params.skill)
    return unit(mind.who, "expert in", normal_form(question.text)) < chance


def _right(reading: Reading, question: Question) -> str:
    return next((option for option in reading.options if question.answered_by(option)), question.answer)


def _wrong_answers(mind: Mind, reading: Reading, question: Question) -> list[str]:
    if reading.options:
        return [option for option in reading.options if not question.answered_by(option)]
    siblings = mind.world.siblings[mind.world.topic_of(question)]
    guess = [a for a in siblings if not question.answered_by(a)] or [_DO_NOT_KNOW]
    return list(dict.fromkeys([*question.misconceptions, pick(guess, mind.who, "guess", question.text)]))


def _spread(answers: Sequence[str], share: float) -> dict[str, float]:
    return {answer: share / len(answers) for answer in answers}


def _trusting(shares: dict[str, float], reading: Reading, trust: float) -> dict[str, float]:
    """What others say the answer is, or what misconception they tell, draws a mind as far as it trusts them."""
    told = list(_told(reading, tuple(shares)).values()) if trust else []
    if not told:
        return shares
    return {a: share * (1 - trust) + trust * told.count(a) / len(told) for a, share in shares.items()}


def _told(reading: Reading, answers: Sequence[str]) -> dict[str, str]:
    """The answer that each other speaker spoke for last."""
    held = dict(reading.positions(answers))
    for said in reading.turns:
        for name, wrong in said.wrong if not said.own else ():
            meant = reading.world.questions[name] is reading.known_question
            if meant and said.speaker not in held and (answer := as_candidate(wrong, answers)):
                held[said.speaker] = answer
    return held
