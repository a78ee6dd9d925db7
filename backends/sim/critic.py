"""How a mind reviews a draft: it compares it with what it knows, and finds nothing where it knows nothing."""

from __future__ import annotations

from maieutic.backends.sim.considerations import case_for
from maieutic.backends.sim.knowledge import Mind, learned, share_known
from maieutic.backends.sim.question import topic_of
from maieutic.backends.sim.reading import Reading, as_candidate
from maieutic.backends.sim.student import answer_shares
from maieutic.backends.sim.thought import Thought
from maieutic.backends.sim.world import Question

__all__ = ["review"]


def review(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """Whether a draft can stand. Of the world: by its answer; else by whether it gives a reason."""
    question = reading.known_question
    draft = _draft(reading)
    problem = _fault(mind, reading, question, draft) if question is not None else _unreasoned(reading, draft)
    text = problem or "I find nothing wrong with it."
    shares: dict[str, float] = {}
    if question is not None:
        shares = answer_shares(mind, reading, question, mind.known | learned(mind, reading))
    best = max(shares, key=lambda a: (shares[a], a)) if shares else ""
    sure = shares.get(best, 0.6)
    return Thought(
        text=text, answer=best, shares=shares, confidence=sure, reason=text, ok=not problem, problem=problem,
        ranking=tuple(sorted(shares, key=lambda a: -shares[a])), approved=(best,) if best else (),
    )  # fmt: skip


def _draft(reading: Reading) -> str:
    """The draft in the instruction, else the last thing that was said by anybody else."""
    if reading.draft:
        return reading.draft
    others = [said for said in reading.turns if not said.own]
    return (others[-1].stated or others[-1].text) if others else ""


def _fault(mind: Mind, reading: Reading, question: Question, draft: str) -> str:
    """What is wrong with an answer, as far as the critic knows the facts that it needs."""
    if not draft:
        return "There is no answer to review."
    facts = mind.known | learned(mind, reading)
    candidates = (question.answer, *question.aliases, *question.options)
    meant = as_candidate(draft, candidates) or draft
    if question.answered_by(meant) or share_known(question, facts) < 1:
        return ""
    fact = mind.world.facts[question.needs[0]].says
    return f"The answer is not {meant.rstrip('.')}. {fact}"


def _unreasoned(reading: Reading, draft: str) -> str:
    topic = topic_of(reading.question, reading.options)
    case = case_for(topic, reading.options or topic.candidates or (draft,))
    tokens = draft.lower().split()
    if not tokens:
        return "There is no draft to review."
    if len(tokens) < 8 and not any(case.used_in(tokens, answer) for answer in topic.candidates):
        return "It gives an answer and no reason for it."
    return ""
