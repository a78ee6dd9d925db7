"""How a mind weighs nameless arguments side by side, and what it makes of such a weighing when it is told of it."""

from __future__ import annotations

import re
from dataclasses import replace

from maieutic.backends.sim.belief import believe, probabilities
from maieutic.backends.sim.debater import confidence, ranked
from maieutic.backends.sim.knowledge import Mind
from maieutic.backends.sim.reading import Reading, position_in
from maieutic.backends.sim.thought import Thought
from maieutic.memory.transcript import Message

__all__ = ["weigh"]

_ARGUMENTS = re.compile(r"^arguments:[ \t]*\n((?:[-*•] .*\n?)+)", re.IGNORECASE | re.MULTILINE)


def weigh(mind: Mind, reading: Reading) -> Thought:
    """How plausible each answer is by the arguments alone.

    Facts and considerations count as ever, and so do appeals; but there is nobody to conform to, and the mind's own
    arguments stand among the others, where what it holds already is no news. `bias_first` is the pull of the argument
    that it reads first.
    """
    arguments = _listed(reading)
    messages = [
        Message("system", reading.system),
        Message("user", f"Question: {reading.question}"),
        *(Message("user", f"Somebody-{n}: {text}") for n, text in enumerate(arguments, 1)),
        Message("user", "Off the record: which answer do you believe?"),
    ]
    options = reading.options
    alone = replace(mind, params=mind.params.model_copy(update={"conformity": 0.0}))
    belief = believe(alone, nameless := Reading(messages, reading.world, options), own_among=True)
    first = next((p for said in nameless.turns[:1] if (p := position_in(said, belief.candidates))), None)
    if first is not None:
        belief = replace(belief, scores={**belief.scores, first: belief.scores[first] + mind.params.bias_first})
    shares = probabilities(belief)
    order = ranked(shares)
    found = tuple({"answer": answer, "plausibility": round(shares[answer], 4)} for answer in order)
    text = "\n".join(f"{each['answer']}: {each['plausibility']}" for each in found)
    return Thought(
        text=text,
        answer=order[0],
        shares=shares,
        confidence=confidence(mind, shares[order[0]]),
        ranking=order,
        lists={"plausibilities": found},
    )


def _listed(reading: Reading) -> list[str]:
    """The arguments that the instruction lists, each a line with a dash."""
    found = _ARGUMENTS.search(reading.asked)
    return [line[1:].strip() for line in found[1].splitlines() if line.strip()] if found else []
