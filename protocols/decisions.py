"""Decision rules: from ballots to an answer, or to a tie. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

__all__ = ["Ballot", "Count", "Rule", "count", "leading"]

Rule = Literal["majority", "supermajority", "unanimity", "ranked", "approval", "confidence_weighted"]


@dataclass(frozen=True, slots=True)
class Ballot:
    """One voter's vote.

    Attributes:
        voter: Its name.
        choices: Its answers: one; for "ranked" all, best first; for "approval" every acceptable one.
        confidence: From 0 to 1; 1 where the voter gave none.
    """

    voter: str
    choices: tuple[str, ...]
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Count:
    """A counted vote.

    Attributes:
        answer: The winner, or None if the rule gives no single answer.
        how: The count in words: "majority 3 of 4".
        tally: Votes, points or weight by answer, the highest first.
        leaders: The answers with the highest tally, in the order in which they were first named.
    """

    answer: str | None
    how: str
    tally: Mapping[str, float]
    leaders: tuple[str, ...]


def leading(tally: Mapping[str, float]) -> tuple[str, ...]:
    """The answers with the highest tally, in the tally's order."""
    top = max(tally.values(), default=0.0)
    return tuple(answer for answer, votes in tally.items() if abs(votes - top) < 1e-9)


def count(rule: Rule, ballots: Sequence[Ballot], *, threshold: float = 2 / 3) -> Count:
    """Count a vote.

    Args:
        rule: "majority": the most votes (a plurality); "supermajority": at least `threshold` of the votes cast;
            "unanimity": all of them; "ranked": the most Borda points (of m answers the first gets m, the last 1, one
            left out 0); "approval": acceptable to the most voters; "confidence_weighted": votes weighted by confidence.
        ballots: The votes, in the order of the seats. Who abstains has none.
        threshold: The share that a supermajority needs.
    """
    tally = _tally(rule, ballots)
    leaders = leading(tally) if any(tally.values()) else ()
    top = max(tally.values(), default=0.0)
    needed = {"supermajority": ceil(threshold * len(ballots) - 1e-9), "unanimity": len(ballots)}.get(rule, 0)
    answer = leaders[0] if len(leaders) == 1 and top >= needed else None
    whole = sum(tally.values()) if rule in ("ranked", "confidence_weighted") else len(ballots)
    unit = {"ranked": " points", "confidence_weighted": " by confidence"}.get(rule, "")
    name = "weighted" if rule == "confidence_weighted" else rule
    how = f"{name} {_number(top)} of {_number(whole)}{unit}"
    return Count(answer, how, dict(sorted(tally.items(), key=lambda item: -item[1])), leaders)


def _tally(rule: Rule, ballots: Sequence[Ballot]) -> dict[str, float]:
    tally = dict.fromkeys((choice for ballot in ballots for choice in ballot.choices), 0.0)
    for ballot in ballots:
        for place, answer in enumerate(dict.fromkeys(ballot.choices)):
            tally[answer] += _weight(rule, ballot, place, len(tally))
    return tally


def _weight(rule: Rule, ballot: Ballot, place: int, candidates: int) -> float:
    match rule:
        case "ranked":
            return float(candidates - place)
        case "approval":
            return 1.0
    first = 1.0 if place == 0 else 0.0
    return first * ballot.confidence if rule == "confidence_weighted" else first


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
