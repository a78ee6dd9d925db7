"""What a mind holds to be true: log-odds over the candidate answers, computed anew from what it has read so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from maieutic.backends.sim.chance import normal, pick, softmax, unit, weighted
from maieutic.backends.sim.considerations import Argument, Case, case_for
from maieutic.backends.sim.knowledge import Mind, share_known
from maieutic.backends.sim.language import normal_form
from maieutic.backends.sim.persuasion import appeals_read, doubts_read, ignorance
from maieutic.backends.sim.question import Topic, topic_of
from maieutic.backends.sim.reading import Reading, as_candidate, position_in
from maieutic.backends.sim.world import Question

__all__ = ["Belief", "Use", "believe", "choose", "probabilities"]

_FACTS = 5.0
"""Log-odds for an answer whose needed facts are all known."""
_MISCONCEPTION = 1.5
"""Log-odds for the wrong answer of a misconception that one holds; twice that share where it is argued by others."""
_HUNCH = 0.7
"""Standard deviation, in log-odds, of what one would guess without knowing anything."""
_CONFORMITY = 3.0
"""Log-odds of a unanimous majority for a wholly conformist mind."""
_APPEAL = 2.0
"""Log-odds of one appeal without evidence for a wholly credulous mind."""
_CHALLENGE = 6.0
"""Log-odds that a challenged answer loses in a mind that wholly doubts itself: more than all needed facts weigh."""
_NOT_KNOWING = 0.5
"""Log-odds of "I do not know": said where nothing speaks for an answer by more than this."""
_OPEN_ANSWERS = (
    "the simplest one", "the one that most people use already", "whatever can be undone", "none of the usual ones",
    "the one that those concerned would choose", "a mixture of several", "the oldest one that still works",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """One argument as somebody used it first: who, and in which turn."""

    speaker: str
    own: bool
    turn: int
    argument: Argument


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed about one question.

    Attributes:
        topic: The question.
        scores: Log-odds by candidate answer (up to a common constant).
        before: The same before anything was read.
        uses: Every argument used so far, each once.
        case: The arguments there are, for a free question.
        question: The world's question, if it is one.
        own: The arguments that the mind thought of itself.
    """

    topic: Topic
    scores: Mapping[str, float]
    before: Mapping[str, float]
    uses: tuple[Use, ...] = ()
    case: Case | None = None
    question: Question | None = None
    own: tuple[Argument, ...] = ()

    @property
    def candidates(self) -> tuple[str, ...]:
        """The answers that can be held."""
        return tuple(self.scores)


def believe(mind: Mind, reading: Reading, *, hunch: float = 1.0, own_among: bool = False) -> Belief:
    """The belief of a mind that has read these messages.

    Args:
        mind: Who believes.
        reading: What it has read.
        hunch: Scales what it would guess from nothing.
        own_among: Whether its own arguments stand among the others, so that a misconception that it holds is no news.
    """
    question = reading.known_question
    topic = topic_of(reading.question, reading.options)
    offered = _candidates(mind, reading, topic, question)
    unknown = ignorance(offered)
    candidates = tuple(c for c in offered if c != unknown)
    before = dict.fromkeys(candidates, 0.0)
    _lean(before, mind, reading)
    shift = dict.fromkeys(candidates, 0.0)
    uses: tuple[Use, ...] = ()
    case: Case | None = None
    own: tuple[Argument, ...] = ()
    if question is not None:
        _know((before, shift), mind, reading, question, (hunch, own_among))
    else:
        case = case_for(topic, candidates)
        own = _thought_of(mind.who, mind.params.knows, topic, candidates)
        uses = _uses(reading, case, candidates)
        _weigh(before, shift, mind, own, uses)
    _conform(shift, mind, reading.positions(candidates))
    _yield(shift, mind, reading)
    if mind.params.noise:
        for candidate in candidates:
            before[candidate] += mind.params.noise * normal(mind.who, topic.text, candidate, len(reading.heard))
    moved = 1.0 - mind.params.stubbornness
    scores = {candidate: before[candidate] + moved * shift[candidate] for candidate in candidates}
    if unknown is not None:
        scores[unknown] = before[unknown] = _NOT_KNOWING
    return Belief(topic, scores, before, uses, case, question, own)


def choose(mind: Mind, belief: Belief, temperature: float, sample: int) -> str:
    """The answer it gives: the likeliest at temperature 0 (ties by its own taste), else a draw from its belief."""
    if temperature > 0:
        shares = softmax(belief.scores, temperature)
        return weighted(shares, mind.who, "says", belief.topic.text, sample)
    return max(belief.scores, key=lambda c: (round(belief.scores[c], 9), unit(mind.who, "taste", normal_form(c))))


def probabilities(belief: Belief) -> dict[str, float]:
    """The belief as probabilities, which add up to 1."""
    return softmax(belief.scores)


def _candidates(mind: Mind, reading: Reading, topic: Topic, question: Question | None) -> tuple[str, ...]:
    if found := reading.options or topic.candidates:
        return found
    names = {normal_form(answer): answer for answer in reading.proposals}
    if question is not None:
        facts = mind.known.union(*(said.facts for said in reading.heard if not said.own))
        if share_known(question, facts) > 0:
            for alias in question.aliases:
                names.pop(normal_form(alias), None)
            names[normal_form(question.answer)] = question.answer
        for guess in (*question.misconceptions, pick(_others(mind, question), mind.who, "guess", question.text)):
            names.setdefault(normal_form(guess), guess)
    else:
        guess = pick(_OPEN_ANSWERS, mind.who, "idea", topic.text)
        names.setdefault(normal_form(guess), guess)
    return tuple(names.values())


def _others(mind: Mind, question: Question) -> tuple[str, ...]:
    """Answers of other questions of the same topic: what somebody guesses who knows only what it is about."""
    answers = mind.world.siblings[mind.world.topic_of(question)]
    return tuple(a for a in answers if not question.answered_by(a)) or ("I do not know",)


def _lean(before: dict[str, float], mind: Mind, reading: Reading) -> None:
    lean = mind.params.lean
    if isinstance(lean, dict):
        for answer, odds in lean.items():
            if candidate := as_candidate(answer, tuple(before)):
                before[candidate] += odds
    elif before:
        before[as_candidate("yes", tuple(before)) or next(iter(before))] += lean


def _know(
    odds: tuple[dict[str, float], dict[str, float]],
    mind: Mind,
    reading: Reading,
    question: Question,
    how: tuple[float, bool],
) -> None:
    """Evidence on a question of the world: its needed facts, known or read, and misconceptions held or heard."""
    before, shift = odds
    hunch, own_among = how
    candidates = tuple(before)
    right = next((c for c in candidates if question.answered_by(c)), None)
    name = normal_form(question.text)
    known = mind.known
    sure = share_known(question, known)
    read = {fact for said in (*reading.told, *reading.heard) if not said.own for fact in said.facts}
    if right is not None:
        before[right] += _FACTS * sure
        new = [need for need in question.needs if need in read and need not in known]
        shift[right] += mind.params.susceptibility * _FACTS * len(new) / len(question.needs)
    for candidate in candidates:
        before[candidate] += hunch * _HUNCH * normal(mind.who, "hunch", name, normal_form(candidate))
    heard = {wrong for said in reading.heard if not said.own for wrong in said.wrong}
    for wrong, sentence in question.misconceptions.items():
        candidate_ = as_candidate(wrong, candidates)
        if candidate_ is None or sure == 1:
            continue
        if holds := unit(mind.who, "believes", sentence) < mind.params.misconceptions * hunch:
            before[candidate_] += _MISCONCEPTION * (1 - sure)
        if not (holds and own_among) and any(
            mind.world.questions[q].text == question.text and a == wrong for q, a in heard
        ):
            shift[candidate_] += 2 * _MISCONCEPTION * mind.params.susceptibility * (1 - sure)


@lru_cache(maxsize=4096)
def _thought_of(who: str, share: float, topic: Topic, candidates: tuple[str, ...]) -> tuple[Argument, ...]:
    """The arguments that come to a mind by itself; the same ones whatever order the answers stand in."""
    case, name = case_for(topic, candidates), normal_form(topic.text)
    return tuple(a for a in case.arguments.values() if unit(who, "thinks of", name, a.key) < share)


def _uses(reading: Reading, case: Case, candidates: Sequence[str]) -> tuple[Use, ...]:
    found: dict[str, Use] = {}
    for i, said in enumerate(reading.turns):
        for argument in case.used_in(said.tokens, position_in(said, candidates)):
            found.setdefault(argument.key, Use(said.speaker, said.own, i, argument))
    return tuple(found.values())


def _weigh(
    before: dict[str, float], shift: dict[str, float], mind: Mind, own: Sequence[Argument], uses: Sequence[Use]
) -> None:
    """Evidence on a free question: what it thought of itself, and what it read and had not thought of."""
    thought_of = {argument.key for argument in own}
    for argument in own:
        before[argument.answer] += argument.weight(mind.who)
    for use in uses:
        if not use.own and use.argument.key not in thought_of:
            shift[use.argument.answer] += mind.params.susceptibility * use.argument.weight(mind.who)


def _conform(shift: dict[str, float], mind: Mind, positions: Mapping[str, str]) -> None:
    if mind.params.conformity:
        for answer in positions.values():
            shift[answer] += _CONFORMITY * mind.params.conformity / len(positions)


def _yield(shift: dict[str, float], mind: Mind, reading: Reading) -> None:
    """What moves a mind without evidence: others' appeals, and doubt of an answer of its own that was challenged."""
    params = mind.params
    if params.credulity:
        for kind, answer in appeals_read(reading, tuple(shift)):
            share = params.credulity if isinstance(params.credulity, float) else params.credulity.get(kind, 0.0)
            shift[answer] += _APPEAL * share
    if params.self_doubt:
        for answer, times in doubts_read(reading, tuple(shift)).items():
            shift[answer] -= _CHALLENGE * params.self_doubt * times
