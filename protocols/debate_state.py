"""How a debate stands: its state as plain JSON, and what can be read off it."""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from maieutic.memory import Transcript, Turn
from maieutic.memory.answers import Answers
from maieutic.protocols.debate_outcome import Decided
from maieutic.protocols.debate_params import DebateParams
from maieutic.protocols.decisions import Ballot, count
from maieutic.protocols.positions import Held, at_round, grouped, positions_in
from maieutic.protocols.stopping import Condition

__all__ = ["Standing", "State", "decision", "step"]


class State(TypedDict, total=False):
    """The state of the graph: plain JSON, so that any checkpointer can keep it.

    Attributes:
        question, options: The inputs.
        turns: The transcript.
        round: The round that is going on or just over; 0 is before the first.
        said: How many debaters have had their turn in it.
        extra: The round after which a tie asked for another one; 0 if none did.
        decided: The decision.
        skipped: Acts that failed and were left out.
        failure: The error that ends the debate, kept so that what was finished beside it is kept too.
        baseline: The baseline's outcome.
    """

    question: str
    options: list[str]
    turns: Annotated[list[dict[str, Any]], operator.add]
    round: int
    said: int
    extra: int
    decided: Decided
    skipped: Annotated[list[dict[str, Any]], operator.add]
    failure: dict[str, Any]
    baseline: dict[str, Any]


def step(act: Callable[[State, Any], Awaitable[State]], choose: Callable[[State], str]) -> Any:
    """A node that acts and then says where the graph goes on.

    A conditional edge of LangGraph's runs `choose` in a thread, on a state read anew, which costs 0.2 ms of CPU a turn.

    Args:
        act: The act; takes the state and LangGraph's runtime, returns an update.
        choose: Names the next node, from the state with the update in it.
    """
    from langgraph.types import Command

    async def node(state: Any, runtime: Any) -> Command[str]:
        update = await act(state, runtime)
        return Command(update=update, goto=choose(_updated(state, update)))

    return node


def _updated(state: State, update: State) -> State:
    """What LangGraph makes of the state by an update, before it does."""
    updated: State = {**state, **update}
    if "turns" in update:
        updated["turns"] = [*state.get("turns", ()), *update["turns"]]
    if "skipped" in update:
        updated["skipped"] = [*state.get("skipped", ()), *update["skipped"]]
    return updated


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state of a debate says, read once."""

    params: DebateParams
    transcript: Transcript
    options: tuple[str, ...]
    round: int
    extra: int
    answers: Answers
    positions: Mapping[str, list[Held]]

    @classmethod
    def of(
        cls, params: DebateParams, state: Mapping[str, Any], more: Iterable[Turn | Mapping[str, Any]] = ()
    ) -> Standing:
        """Read a state, with turns that are not in it yet."""
        transcript = Transcript.of([*(state.get("turns") or []), *more])
        options = tuple(state.get("options") or params.options)
        answers = grouped(transcript, options)
        positions = positions_in(transcript, params.debaters, answers)
        return cls(params, transcript, options, state.get("round", 0), state.get("extra", 0), answers, positions)

    @property
    def held(self) -> dict[str, Held]:
        """The positions after this round, as far as they are known."""
        return at_round(self.positions, self.round)

    @property
    def ended(self) -> tuple[Condition, ...]:
        """The conditions that end the talking after this round; empty if it goes on."""
        return self.params.stopping.ended(self._true())

    @property
    def asks_judge(self) -> bool:
        """Whether the judge must say whether it is enough."""
        return self.params.stopping.needs_judge(self._true())

    @property
    def candidates(self) -> list[str]:
        """The answers that can be voted on: the options, else the answers held now."""
        return list(self.options) or list(dict.fromkeys(held.answer for held in self.held.values()))

    def _true(self) -> frozenset[Condition]:
        true: set[Condition] = set()
        if self.round >= self.params.rounds or 0 < self.extra < self.round:
            true.add("rounds")
        held, before = self.held, at_round(self.positions, self.round - 1)
        if len(held) == len(self.params.debaters):
            if len({h.answer for h in held.values()}) == 1:
                true.add("agreement")
            if all(name in before and before[name].answer == h.answer for name, h in held.items()):
                true.add("stable")
        if any(turn.round == self.round and turn.data.get("enough") is True for turn in self.transcript):
            true.add("judge")
        return frozenset(true)


def decision(now: Standing) -> Decided:
    """What the positions, votes and verdicts of this round decide; at a tie None, or the first leader if so wished."""
    params = now.params
    if "agreement" in now.ended:
        names = list(now.held)
        agreed = now.held[names[0]].answer
        votes = {name: [agreed] for name in names}
        return Decided(
            answer=agreed,
            how=f"agreement of all {len(names)}",
            votes=votes,
            tally={agreed: len(names)},
            leaders=[agreed],
        )
    ballots = _ballots(now)
    counted = count(params.vote_rule, ballots, threshold=params.supermajority)
    how = "judge" if params.rule == "judge" else ("jury " if params.jury else "") + counted.how
    answer: str | None = counted.answer
    if answer is None:
        if params.on_tie == "first" and counted.leaders:
            answer = counted.leaders[0]
        how = f"tie: {'first' if answer is not None else 'none'} ({how})"
    return Decided(
        answer=answer,
        how=how,
        votes={ballot.voter: list(ballot.choices) for ballot in ballots},
        tally=dict(counted.tally),
        leaders=list(counted.leaders),
    )


def _ballots(now: Standing) -> list[Ballot]:
    """The votes of this round, in the order of the voters' seats."""
    params = now.params
    field = {"ranked": "ranking", "approval": "approved"}.get(params.vote_rule, "answer")
    kind = "probe" if params.debaters_vote else "say"
    voters = params.debaters if params.debaters_vote else params.jury or [params.judge or ""]
    cast = {
        turn.speaker: turn.data
        for turn in now.transcript
        if turn.round == now.round and turn.kind == kind and field in turn.data
    }
    if not cast and field != "answer":  # everybody holds the same answer, and nobody was asked to rank or approve it
        return [Ballot(name, (held.answer,)) for name, held in now.held.items()]
    return [_ballot(name, cast[name], field, now.answers) for name in voters if name in cast]


def _ballot(voter: str, data: Mapping[str, Any], field: str, answers: Answers) -> Ballot:
    given = data[field]
    choices = tuple(answers.name(str(answer)) for answer in (given if isinstance(given, list) else [given]))
    confidence = data.get("confidence")
    return Ballot(voter, choices, 1.0 if confidence is None else float(confidence))
