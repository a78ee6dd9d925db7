"""What a debate came to: read off its state, finished or not."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.memory import Transcript
from maieutic.memory.answers import Answers
from maieutic.protocols.base import Outcome
from maieutic.protocols.debate_params import DebateParams
from maieutic.protocols.influence import Move, moves
from maieutic.protocols.positions import Held, grouped, positions_in
from maieutic.protocols.self_consistency import SelfConsistencyOutcome
from maieutic.protocols.weighing import calls_in

__all__ = ["DebateOutcome", "Decided", "Given", "MinorityView", "debate_outcome"]


class Decided(TypedDict):
    """A decision as plain JSON, as the state keeps it."""

    answer: str | None
    how: str
    votes: dict[str, list[str]]
    tally: dict[str, float]
    leaders: list[str]


class Given(BaseModel):
    """A judge's verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    judge: Annotated[str, Field(description="Who gave it.")]
    answer: Annotated[str, Field(description="For which answer, by its group's name.")]
    reason: Annotated[str, Field(description="Why, in the judge's words.")] = ""
    confidence: Annotated[float | None, Field(description="From 0 to 1, as the judge gave it.")] = None


class MinorityView(BaseModel):
    """An answer that was held at the end and not chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Annotated[str, Field(description="The answer.")]
    held_by: Annotated[list[str], Field(description="The debaters who held it.")]
    arguments: Annotated[dict[str, str], Field(description="The last thing that each of them said for it.")]


class DebateOutcome(Outcome):
    """What a debate came to.

    Attributes:
        question, options: What was debated.
        decided_by: How the answer was found, in words: "judge", "majority 3 of 4", "jury majority 2 of 3", "agreement
            of all 3", "tie: judge (majority 2 of 4)", …; empty if it was not.
        ended_by: What ended the talking: "rounds", "agreement", "stable", "judge" (or several, joined by " and ").
        rounds: How many rounds were begun.
        seats: The debaters in the order of their seats.
        verdict: The judge's verdict, if the judge gave one.
        jury: The jurors' verdicts.
        votes: Each voter's choices (one; a ranking; or all that it approved of), by its name.
        tally: Votes, points or weight by answer, the highest first.
        minority: The answers held at the end and not chosen. Empty with `keep_minority: false`.
        positions: Each debater's position before the debate (round 0) and after rounds, as far as it was asked.
        influence: Every change of position, with those who may have caused it.
        calls: How many calls the debate took, those of weighing included and the baseline's not.
        skipped: Acts that failed and were left out (`on_failure: skip`): round, agent, act, kind, error.
        baseline: What self-consistency came to with as many calls.
    """

    question: str = ""
    options: list[str] = []
    decided_by: str = ""
    ended_by: str | None = None
    rounds: int = 0
    seats: list[str] = []
    verdict: Given | None = None
    jury: list[Given] = []
    votes: dict[str, list[str]] = {}
    tally: dict[str, float] = {}
    minority: list[MinorityView] = []
    positions: dict[str, list[Held]] = {}
    influence: list[Move] = []
    calls: int = 0
    skipped: list[dict[str, Any]] = []
    baseline: SelfConsistencyOutcome | None = None


def debate_outcome(
    params: DebateParams, state: Mapping[str, Any], reason: str | None, ended_by: Sequence[str]
) -> DebateOutcome:
    """The outcome of a state of a debate, wherever it stopped.

    Args:
        params: The debate's parameters.
        state: Its state; any part may be missing.
        reason: Why it was cut short, or None.
        ended_by: The conditions that ended the talking; empty while it goes on.
    """
    transcript = Transcript.of(state.get("turns") or [])
    options = state.get("options") or params.options
    answers = grouped(transcript, options)
    positions = positions_in(transcript, params.debaters, answers)
    decided: Decided | None = state.get("decided")
    answer = decided["answer"] if decided else None
    rounds = max((turn.round or 0 for turn in transcript), default=0)
    given = _verdicts(params, transcript, answers, rounds)
    return DebateOutcome(
        answer=answer,
        reason=reason or _reason(decided, ended_by),
        transcript=transcript.to_json(),
        question=state.get("question", ""),
        options=list(options),
        decided_by=decided["how"] if decided else "",
        ended_by=" and ".join(ended_by) or None,
        rounds=rounds,
        seats=params.debaters,
        verdict=next((g for g in given if g.judge == params.judge), None),
        jury=[g for g in given if g.judge in params.jury],
        votes=decided["votes"] if decided else {},
        tally=decided["tally"] if decided else {},
        minority=_minority(transcript, positions, answer) if decided and params.keep_minority else [],
        positions=positions,
        influence=moves(transcript, positions),
        calls=calls_in(transcript),
        skipped=state.get("skipped") or [],
        baseline=state.get("baseline"),
    )


def _reason(decided: Decided | None, ended_by: Sequence[str]) -> str:
    if decided is None:
        return "stopped"
    if decided["answer"] is None:
        return "limit"
    return "agreed" if "agreement" in ended_by else "answered"


def _verdicts(params: DebateParams, transcript: Transcript, answers: Answers, round_: int) -> list[Given]:
    """The verdicts of the last round; a jury that was tied before has voted again."""
    judges = {*params.jury, params.judge}
    return [
        Given(
            judge=turn.speaker,
            answer=answers.name(str(turn.data["answer"])),
            reason=str(turn.data.get("reason", "")),
            confidence=turn.data.get("confidence"),
        )
        for turn in transcript
        if turn.kind == "say" and turn.speaker in judges and turn.round == round_ and "answer" in turn.data
    ]


def _minority(
    transcript: Transcript, positions: Mapping[str, Sequence[Held]], answer: str | None
) -> list[MinorityView]:
    said = {turn.speaker: turn.content for turn in transcript if turn.kind == "say"}
    held: dict[str, list[str]] = {}
    for name, places in positions.items():
        if places and places[-1].answer != answer:
            held.setdefault(places[-1].answer, []).append(name)
    return [
        MinorityView(answer=other, held_by=names, arguments={n: said[n] for n in names if n in said})
        for other, names in held.items()
    ]
