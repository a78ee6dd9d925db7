"""Goal success rate and root causes of failure, of any transcript (Mind the Goal, arXiv 2510.03696)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, create_model, model_validator

from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.runs.scoring.base import RecordedRun, SampleItem, Score
from maieutic.runs.scoring.panel import Panel, unjudged

if TYPE_CHECKING:
    from maieutic.backends import Place

__all__ = ["CAUSES", "Goal", "Goals", "Settled", "TurnMark", "settle"]

CAUSES: Mapping[str, str] = {
    "E1": "the wish was misunderstood (language understanding)",
    "E2": "it was refused",
    "E3": "the wrong material was found (incorrect retrieval)",
    "E4": "no material was found (retrieval failure)",
    "E5": "a system error",
    "E6": "it went to the wrong agent or tool (incorrect routing)",
    "E7": "it is outside what the system is for (out of domain)",
}
"""Root causes of failure by code."""
UNSETTLED = "unsettled"
"""The cause of a failure about which the judges have no majority: it waits for a person."""
Cause = Literal["none", "E1", "E2", "E3", "E4", "E5", "E6", "E7"]


class TurnMark(BaseModel):
    """One judge's finding on one turn."""

    turn: Annotated[int, Field(ge=1, description="The turn's number.")]
    new_goal: Annotated[bool, Field(description="Whether work on a new goal begins with it.")]
    goal: Annotated[str, Field(description="The goal it serves, in a few words.")]
    success: Annotated[bool, Field(description="Whether it does what is needed, and is right.")]
    cause: Annotated[Cause, Field(description="The root cause if it fails, else none.")]


class TurnMarks(BaseModel):
    """One judge's findings, a turn each."""

    turns: list[TurnMark]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if [mark.turn for mark in self.turns] != list(range(1, len(self.turns) + 1)):
            raise ValueError("turns are numbered 1, 2, 3, …, each once and in this order")
        return self


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal of a dialogue.

    Attributes:
        goal: What was wanted, as the first judge puts it.
        turns: The numbers of the turns that served it, from 1.
        success: Whether all of them succeeded.
        cause: Of the earliest that failed: a code of CAUSES, UNSETTLED, or None.
    """

    goal: str
    turns: tuple[int, ...]
    success: bool
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a majority of judges finds of a dialogue.

    Attributes:
        goals: In order.
        unsettled: Turns on whose success or cause there is no majority; a person should look at them.
    """

    goals: tuple[Goal, ...]
    unsettled: tuple[int, ...] = ()


def settle(marks: Sequence[Sequence[TurnMark]]) -> Settled:
    """Put several judges' findings together, turn by turn, by majority; a pure function.

    A turn on which as many judges see success as failure counts as failed. A goal succeeds if all its turns do; else
    its cause is that of the earliest turn that failed.

    Args:
        marks: One list for each judge, all of the same turns.
    """
    goals: list[Goal] = []
    unsettled: list[int] = []
    for turn in zip(*marks, strict=True):
        number = turn[0].turn
        good = sum(mark.success for mark in turn) * 2
        failed = good <= len(turn)
        cause = _cause([mark.cause for mark in turn if not mark.success]) if failed else None
        if good == len(turn) or cause == UNSETTLED:
            unsettled.append(number)
        if not goals or sum(mark.new_goal for mark in turn) * 2 > len(turn):
            goals.append(Goal(turn[0].goal, (number,), not failed, cause))
        else:
            last = goals[-1]
            goals[-1] = Goal(last.goal, (*last.turns, number), last.success and not failed, last.cause or cause)
    return Settled(tuple(goals), tuple(unsettled))


def _cause(given: Sequence[str]) -> str:
    """The cause that more judges give than any other, of those who see a failure."""
    ranked = Counter(cause for cause in given if cause != "none").most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return UNSETTLED
    return ranked[0][0]


class Goals(Panel):
    """The share of a dialogue's goals that were reached (goal success rate, GSR), and why the others were not.

    Judges say of each turn whether it begins a new goal, whether it succeeds, and if not, why. A majority decides; the
    paper asks three models. `data` holds the goals; `maieutic.runs.statistics.goal_success` adds dialogues up.

    Attributes:
        speakers: Whose turns are assessed; everybody's but the moderator's if left out.
    """

    name: str = "goals"
    speakers: tuple[str, ...] = ()
    reads: Literal["dialogue"] = "dialogue"

    @model_validator(mode="after")
    def _majority(self) -> Self:
        if len(self.models) % 2 == 0:
            raise ValueError(f"{len(self.models)} models have no majority when they disagree; name an odd number")
        return self

    async def score(self, run: RecordedRun, item: SampleItem, at: Place | None) -> Score:
        """The score of a run; nothing of one in which nobody spoke who is assessed.

        Raises:
            BudgetExceeded, WaitingForPerson: See maieutic.errors.
        """
        text, count = self._numbered(run.turns)
        if not count:
            return Score(None, "there is no turn to assess")
        given = {"dialogue": text, "count": count, "causes": CAUSES}
        replies, failed = await self.ask("goals", given, _marks(count), at)
        if not replies:
            return unjudged(failed)
        marks = [TurnMarks.model_validate(reply.model_dump()).turns for reply in replies.values()]
        settled = settle(marks)
        reached = sum(goal.success for goal in settled.goals)
        data: dict[str, Any] = {
            "goals": [{**asdict(goal), "turns": list(goal.turns)} for goal in settled.goals],
            "unsettled": list(settled.unsettled),
            "turns": {judge: [mark.success for mark in given] for judge, given in zip(replies, marks, strict=True)},
        } | ({"failed": failed} if failed else {})
        return Score(reached / len(settled.goals), f"{reached} of {len(settled.goals)} goals reached", data)

    def _numbered(self, turns: Transcript) -> tuple[str, int]:
        """The dialogue with numbers before the turns that are assessed, and how many these are."""
        lines, count = [], 0
        for turn in turns:
            if turn.kind != "say":
                continue
            if self._assessed(turn):
                count += 1
                lines.append(f"[{count}] {turn.speaker}: {turn.content}")
            else:
                lines.append(f"{turn.speaker}: {turn.content}")
        return "\n\n".join(lines), count

    def _assessed(self, turn: Turn) -> bool:
        return turn.speaker in self.speakers if self.speakers else turn.speaker != MODERATOR


@lru_cache(maxsize=512)
def _marks(count: int) -> type[BaseModel]:
    """The form of a judge's reply: so many turns."""
    turns = Annotated[list[TurnMark], Field(min_length=count, max_length=count)]
    return create_model("TurnMarks", __base__=TurnMarks, turns=(turns, ...))
