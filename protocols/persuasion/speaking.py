"""A turn that says in one reply what its speaker tells the others and which answer it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from maieutic.agents import Agent, Verb, among
from maieutic.agents.replies import Confidence
from maieutic.memory import Transcript, Turn
from maieutic.memory.student.items import Item
from maieutic.protocols.persuasion.belief import judged
from maieutic.protocols.persuasion.over_items import prompt, replied, weighing_of

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Statement", "spoken_by", "stating"]


class Statement(BaseModel):
    """A contribution to a dialogue and the answer behind it."""

    reply: Annotated[str, Field(description="What you tell the others, in at most four sentences.")]
    answer: Annotated[str, Field(description="The answer that you hold after it, as short as possible.")]
    confidence: Confidence


_STATE = Verb("state", takes=("options", "partner"), output=Statement)


def stating(agent: Agent) -> Agent:
    """The agent with the verb by which it speaks."""
    return agent.able(_STATE, prompt("state"))


async def spoken_by(
    agent: Agent,
    item: Item,
    at: Place,
    transcript: Transcript,
    *,
    round: int,
    partner: str = "",
    temperature: float | None,
) -> Turn:
    """What an agent says next on an item, as the others read it; its answer is a `Belief` in the turn's data.

    Args:
        agent: Who speaks; it has the verb (see `stating`).
        item: What it is about.
        at: Where in the run.
        transcript: What was said before; the agent reads its own view of it.
        round: The turn's round.
        partner: To whom it speaks; empty where it speaks first, or blind.
        temperature: Instead of the model's own, or None.

    Raises:
        ModelError, ReplyError, BudgetExceeded: See maieutic.errors.
    """
    reply = await agent.do(
        "state",
        at,
        transcript,
        output=among(Statement, item.options),
        temperature=temperature,
        options=list(item.options),
        partner=partner,
    )
    belief = judged(item, reply)
    words = str(getattr(reply.data, "reply", reply.text)).strip()
    told = f"{words}\nAnswer: {belief.answer}"
    data = {**belief.model_dump(mode="json"), **weighing_of(agent, reply)}
    return replied(Turn(agent.name, told, round=round, data=data), at, _STATE.name)
