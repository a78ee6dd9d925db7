"""A belief, asked off the record: what an agent takes for right now, which no later view holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Reply, Verb, among
from maieutic.agents.replies import Position
from maieutic.errors import ReplyError
from maieutic.memory import Transcript, Turn
from maieutic.memory.answers import Answers, normal
from maieutic.memory.student.grading import is_right
from maieutic.memory.student.items import Item
from maieutic.protocols.persuasion.over_items import prompt, weighing_of

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["DONT_KNOW", "Belief", "Held", "Probe", "belief_in", "believing", "judged", "knows_not"]

DONT_KNOW = "I do not know"
"""The answer that a probe offers beside the question's own."""
_IGNORANCE = {normal(said) for said in (DONT_KNOW, "I don't know", "don't know", "do not know", "not sure", "unknown")}
_BELIEF = Verb("belief", needs=("question",), takes=("options", "dont_know", "again"), output=Position, kind="probe")
_SHOWN = 200

Held = Literal["right", "wrong", "dont_know", "unread"]
"""What a belief is: the right answer, a wrong one, "I do not know", or no answer that could be read."""


class Belief(BaseModel):
    """What an agent said that it believes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Annotated[str | None, Field(description="Its answer; None if no reply could be read.")]
    held: Annotated[Held, Field(description="What that is: right, wrong, dont_know or unread.")]
    confidence: Annotated[float | None, Field(description="From 0 to 1, as the agent gave it.")] = None
    asked: Annotated[int, Field(description="How often it was asked until a reply could be read.")] = 1


def believing(agent: Agent) -> Agent:
    """The agent with the verb by which it is asked."""
    return agent.able(_BELIEF, prompt("belief"))


def judged(item: Item, reply: Reply, *, asked: int = 1) -> Belief:
    """A typed reply (a `Position`) as a belief."""
    answer = Answers(item.options).name(str(getattr(reply.data, "answer", reply.text)))
    held: Held = "right" if is_right(item, answer) else "dont_know" if knows_not(answer) else "wrong"
    return Belief(answer=answer, held=held, confidence=getattr(reply.data, "confidence", None), asked=asked)


def knows_not(answer: str) -> bool:
    """Whether an answer says that there is none."""
    return normal(answer) in _IGNORANCE


def belief_in(turn: Turn) -> Belief:
    """The belief that a turn's data keep."""
    return Belief.model_validate({name: turn.data[name] for name in Belief.model_fields})


@dataclass(frozen=True, slots=True)
class Probe:
    """How beliefs are asked.

    Attributes:
        temperature: Of the probe, or None for the model's own.
        reasks: Most times it is asked again where a reply cannot be read, not even after the repair turn of a call.
        dont_know: Whether "I do not know" is offered.
    """

    temperature: float | None = None
    reasks: int = 3
    dont_know: bool = True

    async def ask(self, agent: Agent, item: Item, at: Place, transcript: Transcript, *, round: int) -> Turn:
        """The turn, off the record, that keeps the belief (a `Belief` in its data).

        Raises:
            ModelError, BudgetExceeded, …: See maieutic.errors. A reply that cannot be read is no error.
        """
        agent = believing(agent)
        options = [*item.options, *([DONT_KNOW] if self.dont_know and item.options else [])]
        belief, words = Belief(answer=None, held="unread", asked=self.reasks + 1), ""
        weighed: dict[str, Any] = {}
        for asked in range(1, self.reasks + 2):
            try:
                reply = await agent.do(
                    "belief",
                    at / f"ask{asked}",
                    transcript,
                    output=among(Position, options),
                    sample=asked - 1,
                    temperature=self.temperature,
                    question=item.question,
                    options=list(item.options),
                    dont_know=DONT_KNOW if self.dont_know else "",
                    again=asked > 1,
                )
            except ReplyError as error:
                words = error.text[:_SHOWN]
                continue
            belief = judged(item, reply, asked=asked)
            words, weighed = reply.text, weighing_of(agent, reply)
            break
        data = {**belief.model_dump(mode="json"), **weighed}
        return Turn(agent.name, words, kind="probe", round=round, data=data)
