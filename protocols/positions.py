"""Where each debater stood, and when: read off the probes in a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from maieutic.memory import Transcript, Turn
from maieutic.memory.answers import Answers

__all__ = ["Held", "at_round", "grouped", "positions_in"]


class Held(BaseModel):
    """A position that a debater held after a round, told off the record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: Annotated[int, Field(description="The round after which it was held; 0 is before the debate.")]
    answer: Annotated[str, Field(description="The answer, by its group's name (see maieutic.memory.answers).")]
    confidence: Annotated[float | None, Field(description="From 0 to 1, as the debater gave it.")] = None


Positions = Mapping[str, Sequence[Held]]


def grouped(transcript: Iterable[Turn], options: Sequence[str]) -> Answers:
    """The groups of all answers given in a transcript, in the order in which they were given."""
    return Answers(options, (str(t.data["answer"]) for t in transcript if t.data.get("answer") is not None))


def positions_in(transcript: Transcript, debaters: Sequence[str], answers: Answers) -> dict[str, list[Held]]:
    """Each debater's positions, in the order of the rounds."""
    held: dict[str, list[Held]] = {name: [] for name in debaters}
    for turn in transcript:
        answer = turn.data.get("answer")
        if turn.kind == "probe" and turn.speaker in held and turn.round is not None and answer is not None:
            confidence = turn.data.get("confidence")
            held[turn.speaker].append(Held(round=turn.round, answer=answers.name(str(answer)), confidence=confidence))
    return held


def at_round(positions: Positions, round_: int) -> dict[str, Held]:
    """The positions held after exactly this round; a debater whose position is unknown then is left out."""
    return {name: h for name, all_ in positions.items() for h in all_ if h.round == round_}
