"""Balance: before an agent answers in a dialogue it weighs the arguments alone, without their speakers and their order.

It keeps its answer unless the weighing speaks against it by a margin. So what is said can move it, and neither who says
it nor who says it last. Nothing is trained.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from maieutic.agents.prompting import bundled
from maieutic.agents.replies import spoken
from maieutic.agents.views import read_by
from maieutic.memory import MODERATOR, Message, Transcript, Turn
from maieutic.memory.answers import Answers, same

if TYPE_CHECKING:
    from maieutic.agents.agent import Agent
    from maieutic.agents.verbs import Reply
    from maieutic.backends.place import Place

__all__ = ["Balance", "Plausible", "Weighed", "Weighing", "arguments_in", "decide", "held_by", "weigh"]

_LINE = re.compile(r"^\W*(?:my |the |final )*answer\W*[:=]\W*(.+?)[\s.\"'”’*_]*$", re.IGNORECASE | re.MULTILINE)
_NOBODY = "somebody"


class Balance(BaseModel):
    """How an agent weighs arguments before it answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: Annotated[
        int,
        Field(
            ge=1,
            le=24,
            description="In how many orders it reads the arguments; each is a call. At most one for each argument.",
        ),
    ] = 3
    margin: Annotated[
        float,
        Field(ge=0, le=1, description="By how much another answer must be more plausible for it to change its mind."),
    ] = 0.1


class Plausible(BaseModel):
    """How plausible one answer is."""

    answer: Annotated[str, Field(description="The answer.")]
    plausibility: Annotated[float, Field(ge=0, le=1, description="From 0 (certainly wrong) to 1 (certainly right).")]


class Weighing(BaseModel):
    """How plausible the answers are, by the arguments alone."""

    plausibilities: Annotated[list[Plausible], Field(min_length=1, description="Every answer, once.")]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a weighing came to.

    Attributes:
        plausible: Mean plausibility by answer, the highest first; an answer that a reply left out counts 0 there.
        held: The answer that the agent held before, or None if it held none.
        decided: The answer that it holds now.
        calls: How many orders were read, each by one call.
        said: What the agent answered then, if it was something else than it had decided.
    """

    plausible: Mapping[str, float]
    held: str | None
    decided: str
    calls: int
    said: str | None = None

    @property
    def changed(self) -> bool:
        """Whether it changed its mind."""
        return self.held is not None and self.held != self.decided

    @property
    def words(self) -> str:
        """The same as the agent is told before it speaks."""
        plausible = list(self.plausible.items())
        return bundled("balance/found").render({**asdict(self), "plausible": plausible, "changed": self.changed,
                                                "orders": self.calls})  # fmt: skip

    def told(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """A request's messages with these words before the instruction, which is the last of them."""
        *before, last = messages
        return (*before, Message(last.role, f"{self.words}\n\n{last.content}"))

    def settled(self, reply: Reply) -> Reply:
        """A reply with this weighing; a typed one that gives another answer has the decided one put in its place."""
        data = reply.data
        said = getattr(data, "answer", None)
        if data is None or said is None or same(str(said), self.decided):
            return replace(reply, weighed=self)
        data = data.model_copy(update={"answer": self.decided})
        return replace(reply, text=spoken(data), data=data, weighed=replace(self, said=str(said)))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as it stands in a turn's data."""
        kept = {"plausible": dict(self.plausible), "held": self.held, "decided": self.decided, "calls": self.calls}
        return kept if self.said is None else {**kept, "said": self.said}


async def weigh(
    agent: Agent, balance: Balance, at: Place, transcript: Transcript, options: Sequence[str] = ()
) -> Weighed | None:
    """Ask an agent, off the record, how plausible the answers are by the arguments alone.

    The arguments are shuffled once, by the run's seed, and then turned so that each stands at every place as often as
    the others. Their speakers' names are blotted out; the agent's own arguments are among them.

    Args:
        agent: Who weighs; it reads its own system prompt, and of the dialogue only the question and the arguments.
        balance: How.
        at: Where in the run; the calls' addresses are below this place.
        transcript: The dialogue; only what the agent has heard counts.
        options: The possible answers, if they are known.

    Returns:
        What it came to; None where nobody else has said anything yet, so that there is nothing to weigh.

    Raises:
        ModelError, ReplyError, BudgetExceeded, ReplayMiss: See maieutic.errors.
    """
    arguments = arguments_in(transcript, agent.name)
    if not arguments:
        return None
    names = Answers(options)
    held = held_by(agent.name, transcript, options)
    held = None if held is None else names.name(held)
    at.rng().shuffle(arguments)
    turns = min(balance.orders, len(arguments))
    replies = []
    for turn in range(turns):
        start = turn * len(arguments) // turns
        words = bundled("balance/weigh").render(
            {"question": _question(transcript), "options": list(options),
             "arguments": [*arguments[start:], *arguments[:start]]}
        )  # fmt: skip
        messages = (agent.opening, Message("user", words))
        reply = await agent.send(messages, f"weigh{turn + 1}", at, output=_weighing(tuple(options)))
        replies.append(_read(reply.data, names))
    return decide(replies, held, balance.margin)


def decide(replies: Sequence[Mapping[str, float]], held: str | None, margin: float) -> Weighed:
    """What several weighings come to: the answer that was held, unless another is more plausible by more than a margin.

    Args:
        replies: Plausibility by answer, a mapping for each order; one or more, each with an answer.
        held: The answer that was held before; None if there was none.
        margin: See Balance.
    """
    answers = dict.fromkeys([*([held] if held is not None else []), *(a for reply in replies for a in reply)])
    means = {answer: sum(reply.get(answer, 0.0) for reply in replies) / len(replies) for answer in answers}
    plausible = {answer: round(means[answer], 6) for answer in sorted(means, key=lambda answer: -means[answer])}
    best = next(iter(plausible))
    if held is not None and plausible[best] - plausible[held] <= margin:
        best = held
    return Weighed(plausible, held, best, len(replies))


def arguments_in(transcript: Transcript, name: str) -> list[str]:
    """What was said in a dialogue as an agent has heard it, without names, each once; empty if nobody else spoke."""
    said = [turn for turn in read_by(transcript, name) if turn.speaker != MODERATOR]
    if all(turn.speaker == name for turn in said):
        return []
    names = sorted({turn.speaker for turn in transcript if turn.speaker != MODERATOR} | {name}, key=len, reverse=True)
    blotted = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
    return list(dict.fromkeys(blotted.sub(_NOBODY, " ".join(turn.content.split())) for turn in said))


def held_by(name: str, transcript: Transcript, options: Sequence[str] = ()) -> str | None:
    """The answer that an agent gave last, on or off the record, as far as it can be read."""
    for turn in reversed(transcript.turns):
        if turn.speaker == name and (answer := _answer_of(turn, options)) is not None:
            return answer
    return None


def _answer_of(turn: Turn, options: Sequence[str]) -> str | None:
    for told in (turn.data.get("answer"), turn.data.get("weighed", {}).get("decided")):
        if told:
            return str(told)
    if line := _LINE.search(turn.content):
        return line[1]
    named = [option for option in options if re.search(rf"(?<!\w){re.escape(option)}(?!\w)", turn.content, re.I)]
    return named[0] if len(named) == 1 else None


def _question(transcript: Transcript) -> str:
    return next((turn.content for turn in transcript if turn.speaker == MODERATOR and turn.kind == "say"), "")


def _read(data: Any, names: Answers) -> dict[str, float]:
    """Plausibility by the answer's group; of an answer that is named twice, the first."""
    found: dict[str, float] = {}
    for each in data.plausibilities:
        found.setdefault(names.name(each.answer), each.plausibility)
    return found


@lru_cache(maxsize=1024)
def _weighing(options: tuple[str, ...]) -> type[Weighing]:
    """The reply, its answers limited to the options."""
    if not options:
        return Weighing
    option: Any = Literal[options]
    plausible = create_model("Plausible", __base__=Plausible, answer=(option, Plausible.model_fields["answer"]))
    field: Any = (list[plausible], Weighing.model_fields["plausibilities"])
    return create_model("Weighing", __base__=Weighing, plausibilities=field)
