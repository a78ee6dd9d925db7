"""How a mind argues: it states its position, answers the last point against it, and brings an argument of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.backends.sim.belief import Belief, Use, believe, choose, probabilities
from maieutic.backends.sim.chance import pick, unit
from maieutic.backends.sim.considerations import Argument
from maieutic.backends.sim.knowledge import Mind, share_known
from maieutic.backends.sim.language import normal_form
from maieutic.backends.sim.persuasion import APPEALS, Appeal, Stance, stance_in, style_in
from maieutic.backends.sim.reading import Heard, Reading, as_candidate, position_in
from maieutic.backends.sim.thought import Thought
from maieutic.backends.sim.world import Question

__all__ = ["argue", "confidence", "position", "ranked"]

_ACCEPTABLE = 0.3
"""Share of the best answer's probability from which on another answer is acceptable."""
_LINE_FIRST = re.compile(r"\bbegin with a line\b.*^answer:", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_ENDING = re.compile(r"\bend with this sentence:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Floor:
    """Everything that a speaker has in mind while it composes one turn."""

    mind: Mind
    reading: Reading
    belief: Belief
    answer: str
    before: str | None
    opponent: Heard | None
    stance: Stance | None
    style: Appeal | None

    @property
    def agrees(self) -> bool:
        """Whether it takes over another's answer because it was told to."""
        held = self.reading.positions(self.belief.candidates).values()
        return self.stance == "accept" and self.answer != self.before and self.answer in held

    def choice(self, options: Sequence[str], about: str) -> str:
        """One wording, other ones in other turns."""
        return pick(options, self.mind.who, about, self.belief.topic.text, len(self.reading.heard))


def position(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """Where it really stands, as it says off the record; what it was told to say where others will read it."""
    belief = believe(mind, reading)
    answer = _believed(mind, reading, belief, temperature, sample)
    if not reading.private:
        answer = _public(reading, belief, answer)
    return _thought(mind, belief, answer, f"Answer: {answer}")


def argue(mind: Mind, reading: Reading, temperature: float, sample: int) -> Thought:
    """One turn of a debate, for the side it was given or else for the one it believes in."""
    belief = believe(mind, reading)
    answer = _public(reading, belief, _believed(mind, reading, belief, temperature, sample))
    before = reading.own_position(belief.candidates)
    opponent = _opponent(reading, belief, answer)
    floor = _Floor(mind, reading, belief, answer, before, opponent, stance_in(reading), style_in(reading))
    said = _about_world(floor, belief.question) if belief.question is not None else _about_matters(floor)
    return _thought(mind, belief, answer, _as_asked(reading, answer, " ".join(said)))


def _as_asked(reading: Reading, answer: str, text: str) -> str:
    """The turn in the form that its instruction asks for: a line with the answer first, a given sentence at the end."""
    if ending := _ENDING.search(reading.asked):
        text = f"{text} {ending[1].strip()}"
    return f"Answer: {answer}\n{text}" if _LINE_FIRST.search(reading.asked) else text


def _believed(mind: Mind, reading: Reading, belief: Belief, temperature: float, sample: int) -> str:
    """What it holds to be true; where it has weighed the arguments, what came of that."""
    if reading.settled:
        return as_candidate(reading.settled, belief.candidates) or reading.settled
    return choose(mind, belief, temperature, sample)


def _public(reading: Reading, belief: Belief, believed: str) -> str:
    """The answer it stands for before others: its side, or what it is told to do about its own and theirs.

    Who is told to resist, or to persuade, keeps the answer that it gave; who is told to accept takes the last one that
    another gave.
    """
    if reading.stance:
        return as_candidate(reading.stance, belief.candidates) or reading.stance
    stance = stance_in(reading)
    if stance == "accept":
        theirs = [p for said in reading.turns if not said.own and (p := position_in(said, belief.candidates))]
        return theirs[-1] if theirs else believed
    if stance == "resist" or style_in(reading):
        return reading.own_position(belief.candidates) or believed
    return believed


def confidence(mind: Mind, share: float) -> float:
    """What it reports as its confidence, where its belief gives the answer this share."""
    return round(min(1.0, max(0.0, share + mind.params.confidence_bias)), 3)


def ranked(shares: Mapping[str, float]) -> tuple[str, ...]:
    """The answers, the likeliest first."""
    return tuple(sorted(shares, key=lambda answer: (-shares[answer], answer)))


def _thought(mind: Mind, belief: Belief, answer: str, text: str) -> Thought:
    shares = probabilities(belief)
    best = max(shares.values())
    backing = [a for a in belief.own if a.answer == answer]
    backing += [use.argument for use in belief.uses if use.argument.answer == answer]
    strongest = max(backing, key=lambda a: a.weight(mind.who), default=None)
    return Thought(
        text=text,
        answer=answer,
        shares=shares,
        confidence=confidence(mind, shares.get(answer, 0.0)),
        reason=strongest.sentences[0] if strongest else text.splitlines()[0],
        ranking=ranked(shares),
        approved=tuple(a for a in ranked(shares) if shares[a] >= _ACCEPTABLE * best),
        ok=shares.get(answer, 0.0) >= 0.5,
    )


def _opponent(reading: Reading, belief: Belief, answer: str) -> Heard | None:
    """The last turn after its own by somebody who holds another answer."""
    for said in reversed(reading.turns):
        if said.own:
            return None
        if said.speaker and position_in(said, belief.candidates) not in (None, answer):
            return said
    return None


def _about_matters(floor: _Floor) -> list[str]:
    """A free question, argued by considerations that nobody has used yet."""
    spoken = {use.argument.key for use in floor.belief.uses}
    free = [a for a in floor.belief.own if a.key not in spoken and a.answer == floor.answer]
    free.sort(key=lambda a: (-a.weight(floor.mind.who), a.key))
    said = [_opening(floor)]
    if floor.agrees:
        return said
    if floor.style:
        return [*said, _appeal(floor, floor.style)]
    rebuttal = _rebuttal(floor, free)
    if rebuttal:
        said.append(rebuttal)
    if not free:
        return [*said, _nothing_new(floor)] if not rebuttal else said
    answered = rebuttal.endswith(tuple(free[0].sentences)) if rebuttal else False
    more = 1 + (unit(floor.mind.who, "eloquent", len(floor.reading.heard)) < floor.mind.params.eloquence)
    chosen = free[1:more] if answered else free[:more]
    return said + [_sentence(floor, argument) for argument in chosen]


def _sentence(floor: _Floor, argument: Argument) -> str:
    return floor.choice(argument.sentences, argument.key)


def _opening(floor: _Floor) -> str:
    """The position, and why it changed if it did."""
    claim = _claim(floor)
    options: tuple[str, ...]
    if floor.stance == "resist" and floor.opponent is not None:
        return floor.choice((f"I disagree, and I still say {claim}.", f"No, I disagree: my answer is {claim}."), "no")
    if floor.agrees:
        options = (f"I agree with you: the answer is {claim}.", f"You know better, and I agree: the answer is {claim}.")
        return floor.choice(options, "agrees")
    if floor.before is None:
        options = (f"I say {claim}.", f"My answer is {claim}.") if floor.reading.turns else (f"I say {claim}.",)
        return floor.choice(options, "opening")
    if floor.before != floor.answer:
        return f"I have changed my mind: {floor.answer}.{_what_moved(floor)}"
    return floor.choice((f"I still say {floor.answer}.", f"My answer stays {floor.answer}."), "opening")


def _claim(floor: _Floor) -> str:
    topic, form = floor.belief.topic, normal_form(floor.answer)
    if topic.kind != "policy" or form not in ("yes", "no") or not topic.who:
        return floor.answer
    negated = "" if form == "yes" else "not "
    who = "I" if topic.who in ("i", "I") else topic.who
    return f"{floor.answer}: {who} should {negated}{topic.deed}"


def _what_moved(floor: _Floor) -> str:
    """The strongest argument for the new position that was read from somebody else."""
    heard = [use for use in floor.belief.uses if not use.own and use.argument.answer == floor.answer and use.speaker]
    if not heard:
        return " So many of you cannot all be wrong." if floor.mind.params.conformity else ""
    best = max(heard, key=lambda use: use.argument.weight(floor.mind.who))
    name, about = best.speaker, best.argument.about
    options = (
        f" What {name} said about {about} weighs more than I had thought.",
        f" {name}'s point about {about} has won me over.",
    )
    return floor.choice(options, "moved")


def _rebuttal(floor: _Floor, free: list[Argument]) -> str:
    """An answer to the last speaker of another mind: the same subject turned round if it can, else a concession."""
    if floor.opponent is None:
        return _ally(floor) if free else ""
    name = floor.opponent.speaker
    point = _last_point(floor.belief.uses, floor.reading.turns.index(floor.opponent))
    if point is None:
        return ""
    about = point.argument.about
    for i, argument in enumerate(free):
        if argument.about == about:
            free.insert(0, free.pop(i))
            turn = floor.choice((f"{name}, on {about} I see it the other way round.",
                                 f"{name} speaks of {about}, and it is the other way round."), "turn")  # fmt: skip
            fresh = [
                s for s, said in zip(argument.sentences, point.argument.sentences, strict=True) if not _in(said, floor)
            ]
            return f"{turn} {floor.choice(fresh or argument.sentences, argument.key)}"
    options = (
        f"I grant {name} the point about {about}, but it is not what decides the matter.",
        f"{name}, about {about} you may be right, and it still does not tip the balance.",
        f"What {name} says about {about} is fair, yet it weighs less than it seems.",
        f"{name} makes much of {about}; I would count it, but not for so much.",
    )
    return floor.choice(options, "grant")


def _in(sentence: str, floor: _Floor) -> bool:
    return floor.opponent is not None and sentence in floor.opponent.text


def _ally(floor: _Floor) -> str:
    turns = floor.reading.turns
    last = turns[-1] if turns and not turns[-1].own and turns[-1].speaker else None
    if last is None or position_in(last, floor.belief.candidates) != floor.answer or floor.before != floor.answer:
        return ""
    options = (f"{last.speaker} and I agree, and there is more to it.", f"I am with {last.speaker} here.")
    return floor.choice(options, "ally")


def _last_point(uses: Sequence[Use], turn: int) -> Use | None:
    """The argument that was new in this turn."""
    return next((use for use in reversed(uses) if use.turn == turn), None)


def _nothing_new(floor: _Floor) -> str:
    mine = [use.argument for use in floor.belief.uses if use.argument.answer == floor.answer]
    if not mine:
        return "I cannot prove it, but I have heard nothing that speaks against it."
    best = max(mine, key=lambda argument: argument.weight(floor.mind.who))
    options = (
        f"I have nothing new to add: what was said about {best.about} still stands.",
        f"For me it comes down to {best.about}, and that has not been answered.",
    )
    return floor.choice(options, "rest")


def _about_world(floor: _Floor, question: Question) -> list[str]:
    """A question of the world, argued by facts; by a misconception or a guess where it knows none."""
    world, right = floor.mind.world, question.answered_by(floor.answer)
    heard = {fact for said in floor.reading.turns for fact in said.facts}
    known = [need for need in question.needs if need in floor.mind.known]
    said = [_opening(floor)]
    if floor.agrees:
        return said
    if floor.style and floor.style != "logical":
        return [*said, _appeal(floor, floor.style)]
    if floor.opponent is not None and floor.stance is None:
        said.append(f"{floor.opponent.speaker}, I do not think that your answer fits what is known.")
    if right and (new := [fact for fact in known if fact not in heard]):
        return said + [world.facts[fact].says for fact in new[:2]]
    return [*said, _appeal(floor, floor.style) if floor.style else _no_new_fact(floor, question, heard)]


def _no_new_fact(floor: _Floor, question: Question, heard: set[str]) -> str:
    """What is left to say where it has no fact that was not said yet."""
    if any(turn.own for turn in floor.reading.turns) and floor.before == floor.answer:
        return floor.choice(("I have no better reason than the one I gave.", "I have nothing new to add."), "rest")
    if question.answered_by(floor.answer) and heard.intersection(question.needs):
        return f"It follows from what was said: {floor.mind.world.facts[_first(question, heard)].says}"
    wrong = next((text for answer, text in question.misconceptions.items() if _same(answer, floor.answer)), None)
    if wrong and not any(wrong in turn.text for turn in floor.reading.turns):
        return wrong
    return "I know it only in part, so correct me." if share_known(question, floor.mind.known) else _UNSURE


def _appeal(floor: _Floor, style: Appeal) -> str:
    """An appeal of the kind asked for that it has not made yet, else any."""
    made = {said.text for said in floor.reading.turns if said.own}
    sentences = [sentence.replace("{answer}", floor.answer) for sentence in APPEALS[style]]
    fresh = [sentence for sentence in sentences if not any(sentence in text for text in made)]
    return floor.choice(fresh or sentences, f"appeal {style}")


_UNSURE = "I am not certain of it, and I would give way to a good reason."


def _first(question: Question, heard: set[str]) -> str:
    return next(need for need in question.needs if need in heard)


def _same(one: str, other: str) -> bool:
    return normal_form(one) == normal_form(other)
