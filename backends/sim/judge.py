"""How a mind judges a debate: by the arguments and facts it heard, each once, and by its biases if it was given any."""

from __future__ import annotations

import math
from dataclasses import replace

from maieutic.backends.sim.belief import Belief, believe, choose, probabilities
from maieutic.backends.sim.debater import confidence, ranked
from maieutic.backends.sim.knowledge import Mind
from maieutic.backends.sim.reading import Reading, position_in
from maieutic.backends.sim.thought import Thought

__all__ = ["enough", "verdict"]

_WITNESS = 0.3
"""Log-odds of one speaker who holds an answer, where no argument at all was understood."""
_CLEAR = 1.5
"""Lead of the best answer, in log-odds, from which on more debate is not needed."""


def verdict(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """The decision, with the argument that decided it."""
    belief = _judged(mind, reading)
    answer = choose(mind, belief, temperature, sample)
    shares = probabilities(belief)
    reason = _reason(mind, reading, belief, answer)
    best = max(shares.values())
    return Thought(
        text=f"{reason}\nAnswer: {answer}",
        answer=answer,
        shares=shares,
        confidence=confidence(mind, shares[answer]),
        reason=reason,
        ranking=ranked(shares),
        approved=tuple(a for a in ranked(shares) if shares[a] >= best / 3),
    )


def enough(mind: Mind, reading: Reading) -> Thought:
    """Whether more debate would change the decision: not with a clear lead, nor where nothing new is said."""
    belief = _judged(mind, reading)
    scores = sorted(belief.scores.values(), reverse=True)
    clear = len(scores) < 2 or scores[0] - scores[1] >= _CLEAR
    turns = len(reading.turns)
    stale = belief.case is not None and turns >= 4 and all(use.turn < turns - 2 for use in belief.uses)
    if clear:
        reason = "One answer is so far ahead that another round would not turn it."
    elif stale:
        reason = "The last turns brought nothing that had not been said before."
    else:
        reason = "The answers are close, and another round could still decide between them."
    return Thought(text=reason, ok=clear or stale, reason=reason, shares={}, confidence=0.5)


def _judged(mind: Mind, reading: Reading) -> Belief:
    belief = believe(mind, reading, hunch=0.0)
    scores = dict(belief.scores)
    positions = [(said, position_in(said, belief.candidates)) for said in reading.turns if not said.own]
    held = [(said, answer) for said, answer in positions if answer is not None]
    if held and len({round(score, 9) for score in scores.values()}) == 1:
        for answer in reading.positions(belief.candidates).values():
            scores[answer] += _WITNESS
    if held and mind.params.bias_first:
        scores[held[0][1]] += mind.params.bias_first
    if held and mind.params.bias_length:
        spoken = dict.fromkeys(scores, 1)
        for said, answer in held:
            spoken[answer] += len(said.tokens)
        mean = sum(spoken.values()) / len(spoken)
        for answer, count in spoken.items():
            scores[answer] += mind.params.bias_length * math.log2(count / mean)
    return replace(belief, scores=scores)


def _reason(mind: Mind, reading: Reading, belief: Belief, answer: str) -> str:
    backing = [use for use in belief.uses if use.argument.answer == answer and not use.own]
    if backing:
        best = max(backing, key=lambda use: use.argument.weight(mind.who))
        against = [use for use in belief.uses if use.argument.answer != answer and not use.own]
        who = f"{best.speaker}'s point" if best.speaker else "The point"
        if not against:
            return f"{who} about {best.argument.about} stands, and nothing was said against it."
        other = max(against, key=lambda use: use.argument.weight(mind.who))
        by = f"{other.speaker}'s" if other.speaker and other.speaker != best.speaker else "the one"
        return f"{who} about {best.argument.about} weighs more with me than {by} about {other.argument.about}."
    return _fact_named(mind, reading, belief, answer)


def _fact_named(mind: Mind, reading: Reading, belief: Belief, answer: str) -> str:
    """Who gave the fact, or the misconception, that speaks for the answer to a question of the world."""
    question = belief.question
    right = question is not None and question.answered_by(answer)
    for said in reading.turns if question is not None else ():
        if said.own:
            continue
        who = said.speaker or "Somebody"
        for fact in said.facts:
            if right and question is not None and fact in question.needs:
                return f"{who} named the fact that decides it: {mind.world.facts[fact].says}"
        for name, wrong in said.wrong:
            if wrong == answer:
                reason = mind.world.questions[name].misconceptions[wrong]
                return f"{who} gave the only reason that I could follow: {reason}"
    return "No argument stood out, so I go by where the speakers ended up."
