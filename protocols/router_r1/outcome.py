"""What a Router-R1 episode came to: the answer, every call, every flag, the text by who wrote it, the reward."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from maieutic.protocols.base import Outcome
from maieutic.protocols.routing.reward import RewardReport, RouterReward
from maieutic.protocols.routing.tags import TAGS, Flag, Tags

__all__ = ["Called", "EpisodeFlag", "Flagged", "RouterR1Outcome", "Segment"]

EpisodeFlag = (
    Flag
    | Literal[
        "cut_off",
        "unknown_tool",
        "call_failed",
        "observation_cut",
        "tags_in_reply",
        "unknown_cost",
        "routing_disabled",
        "no_answer",
    ]
)
"""What is unusual about an episode, beside the flags of its messages.

- cut_off: a message reached `max_tokens`.
- unknown_tool: it called a tool that there is not; the call is passed over.
- call_failed: a candidate could not answer; the router read that instead.
- observation_cut, tags_in_reply: a reply was longer than `observation_tokens`, or held tags, which were disarmed.
- unknown_cost: the price or the tokens of a call are not known, and so the episode's cost is not.
- routing_disabled: it routed where only an answer was possible.
- no_answer: it never answered.
"""


class Segment(BaseModel):
    """A piece of an episode.

    Attributes:
        by: Who wrote it: "router" is trained on, "environment" is masked.
        text: As the router wrote or read it, tags and blank lines included.
        round: From 1; the forced answer's is one more than there are rounds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["router", "environment"]
    text: str
    round: int


class Called(BaseModel):
    """One sub-query and what came of it.

    Attributes:
        round: The round in which it was routed, from 1.
        name: The candidate, or what was written in place of a name.
        model: The model string, empty if nobody was asked.
        query: The sub-query, whole.
        reply: What the candidate said, whole; None if nobody was asked or nobody answered.
        observation: What the router read.
        prompt, completion: Tokens as reported; None where unknown.
        usd: Money in US dollars; None where unknown.
        cost: Completion tokens times the price per million output tokens; 0 if nobody was asked, None where unknown.
        seconds: How long the reply took.
        flags: What was wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: int
    name: str
    model: str = ""
    query: str
    reply: str | None = None
    observation: str = ""
    prompt: int | None = None
    completion: int | None = None
    usd: float | None = None
    cost: float | None = 0.0
    seconds: float = 0.0
    flags: list[EpisodeFlag] = []


class Flagged(BaseModel):
    """A flag and the round in which it was raised."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    round: int
    flag: EpisodeFlag


class RouterR1Outcome(Outcome):
    """What an episode came to.

    Attributes:
        question, accepted: What was asked, and the right answers if they were given.
        names, tags: The candidates of this run and the tags, by which the format is judged.
        rounds: Messages that the router wrote, the forced answer included.
        forced: Whether the last of them was the forced answer.
        prompt: The messages before the first word of the router, as {"role", "content"}.
        segments: The episode in pieces.
        calls: The sub-queries, in order.
        flags: What was unusual.
        reward: Part by part.
    """

    question: str = ""
    accepted: list[str] = []
    names: list[str] = []
    tags: Tags = TAGS
    rounds: int = 0
    forced: bool = False
    prompt: list[dict[str, str]] = []
    segments: list[Segment] = []
    calls: list[Called] = []
    flags: list[Flagged] = []
    reward: RewardReport = RewardReport(format=-1)

    @property
    def text(self) -> str:
        """The whole episode after the prompt."""
        return "".join(segment.text for segment in self.segments)

    @property
    def raw_cost(self) -> float | None:
        """Completion tokens of all calls times their price per million; None where one of them is unknown."""
        costs = [call.cost for call in self.calls]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def scored(self, reward: RouterReward, *, remember: bool = True) -> RouterR1Outcome:
        """The same episode with another reward.

        Args:
            reward: How it is scored.
            remember: Whether the episode's cost enters the reward's window. Score episodes in the order that counts.
        """
        known = {name.casefold(): name for name in self.names}
        report = reward.score(
            self.text,
            lambda name: known.get(name.strip().casefold()),
            answer=self.answer,
            accepted=self.accepted,
            raw_cost=self.raw_cost,
            tags=self.tags,
            remember=remember,
        )
        return self.model_copy(update={"reward": report})

    def flagged(self, flag: EpisodeFlag) -> bool:
        """Whether a flag was raised in any round."""
        return any(one.flag == flag for one in self.flags)

    def table(self) -> str:
        """One line a call, then the flags and the reward."""
        rows: list[tuple[str, ...]] = [("round", "candidate", "tokens", "cost", "seconds", "sub-query")]
        rows += [_row(call) for call in self.calls]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join((*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[5])) for row in rows]
        lines = [line.rstrip() for line in lines] if self.calls else ["nobody was consulted"]
        if self.flags:
            lines.append("flags: " + ", ".join(f"{one.flag} (round {one.round})" for one in self.flags))
        return "\n".join([*lines, _reward(self.reward)])


def _row(call: Called) -> tuple[str, ...]:
    query = " ".join(call.query.split())
    return (
        str(call.round),
        call.name or "-",
        "-" if call.completion is None else str(call.completion),
        _number(call.cost),
        f"{call.seconds:.1f}",
        query if len(query) <= 60 else f"{query[:59]}…",
    )


def _reward(reward: RewardReport) -> str:
    broken = f" ({', '.join(reward.broken)})" if reward.broken else ""
    parts: dict[str, Any] = {"outcome": reward.outcome, "cost": reward.cost, "total": reward.total}
    return f"reward: format {reward.format}{broken}, " + ", ".join(f"{k} {_number(v)}" for k, v in parts.items())


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
