"""Who moved whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from maieutic.memory import Transcript
from maieutic.protocols.positions import Held, at_round

__all__ = ["Move", "moves", "moves_said"]


class Move(BaseModel):
    """One change of a debater's position."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    debater: Annotated[str, Field(description="Who changed its answer.")]
    round: Annotated[int, Field(description="The round after which it was seen.")]
    before: Annotated[str, Field(description="The answer it held at the probe before.")]
    after: Annotated[str, Field(description="The answer it holds now.")]
    moved_by: Annotated[
        list[str], Field(description="Whom it had heard since, among those who held the new answer already.")
    ]
    label: Annotated[
        Literal["argument", "conformity", "own"],
        Field(
            description="conformity: most of the debaters held the new answer already; argument: somebody did, but not "
            "most; own: nobody it had heard did."
        ),
    ]


def moves(transcript: Transcript, positions: Mapping[str, Sequence[Held]]) -> list[Move]:
    """Every change of position between two probes, with those who can have caused it.

    This is association, not proof: who was heard and held the answer before the change is named; which sentence did it
    is not known.
    """
    found: list[Move] = []
    for name, held in positions.items():
        for before, after in pairwise(held):
            if before.answer != after.answer:
                found.append(_move(name, before, after, transcript, positions))
    return sorted(found, key=lambda move: move.round)


def moves_said(said: Sequence[tuple[str, str]]) -> list[Move]:
    """The same where every turn says its speaker's answer and nobody is probed.

    Args:
        said: (speaker, answer's group name) of every turn, in the order in which they were read. The first turn of each
            speaker is taken for blind. `round` of a move is the number of its turn, from 1.
    """
    held: dict[str, str] = {}
    stated: dict[str, set[str]] = {}
    found: list[Move] = []
    for number, (name, answer) in enumerate(said, 1):
        before = held.get(name)
        if before is not None and before != answer:
            by = [n for n, answers in stated.items() if n != name and answer in answers]
            share = Counter(held.values())[answer] / len(held)
            found.append(
                Move(debater=name, round=number, before=before, after=answer, moved_by=by, label=_label(by, share))
            )
        held[name] = answer
        stated.setdefault(name, set()).add(answer)
    return found


def _label(by: Sequence[str], share: float) -> Literal["argument", "conformity", "own"]:
    return "own" if not by else "conformity" if share > 0.5 else "argument"


def _move(
    name: str,
    before: Held,
    after: Held,
    transcript: Transcript,
    positions: Mapping[str, Sequence[Held]],
) -> Move:
    earlier = at_round(positions, before.round)
    heard = {t.speaker for t in transcript if t.heard_by(name) and before.round < (t.round or 0) <= after.round}
    by = [n for n, held in earlier.items() if n != name and n in heard and held.answer == after.answer]
    share = Counter(held.answer for held in earlier.values())[after.answer] / len(earlier)
    return Move(
        debater=name, round=after.round, before=before.answer, after=after.answer, moved_by=by, label=_label(by, share)
    )
