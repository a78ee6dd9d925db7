"""Self-refine: a model answers, criticises its own answer and mends it, until the critic is content.

Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback", NeurIPS 2023. The critic may be another agent:
then it is a writer and a reviewer, at the same number of calls.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Verb
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.protocols.base import CallPlan, Outcome, Plays, Protocol, heard
from maieutic.protocols.baselines.solving import (
    SolvingParams,
    alone,
    answer_of,
    form_of,
    one_line,
    prompt,
    reply_form,
)

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

__all__ = ["Draft", "Feedback", "SelfRefine", "SelfRefineOutcome", "SelfRefineParams"]

CRITIC, AUTHOR = "critic", "author"
"""What one agent is called in its other part, so that a critic does not read the draft as its own words."""


class Feedback(BaseModel):
    """What a critic finds of a draft."""

    problem: Annotated[str, Field(description="What is wrong or missing and how to mend it; empty if nothing is.")]
    ok: Annotated[bool, Field(description="Whether the draft can stand as it is.")]


class SelfRefineParams(SolvingParams):
    """The parameters of self-refine."""

    agent: Annotated[str, Plays("agent"), Field(description="Who answers and revises. Only model and persona count.")]
    critic: Annotated[
        str | None, Plays("critic"), Field(description="Who criticises; left out, the agent itself does, as a critic.")
    ] = None
    rounds: Annotated[int, Field(ge=1, le=100, description="Most revisions; the last one is not criticised.")] = 3

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.critic == self.agent:
            yield "critic: the agent criticises itself anyway; leave out the critic"


class Draft(BaseModel):
    """One version of the answer.

    Attributes:
        answer: The answer.
        confidence: From 0 to 1, as its author gave it; None for an open answer.
        problem: What the critic found; None if nobody looked at it.
        ok: Whether the critic let it stand; None if nobody looked at it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: str
    confidence: float | None = None
    problem: str | None = None
    ok: bool | None = None


class SelfRefineOutcome(Outcome):
    """What self-refine came to. Its reason is "agreed" if the critic was content, "limit" if revisions ran out.

    Attributes:
        decided_by: The same in words.
        drafts: Every version, the last being the answer.
        calls: How many calls were made.
    """

    decided_by: str = ""
    drafts: list[Draft] = []
    calls: int = 0

    @property
    def content(self) -> bool:
        """Whether the critic let the answer stand."""
        return bool(self.drafts and self.drafts[-1].ok)

    def table(self) -> str:
        """Every version with what the critic found of it."""
        lines = []
        for n, draft in enumerate(self.drafts):
            found = "not looked at" if draft.ok is None else "can stand" if draft.ok else draft.problem or ""
            lines.append(f"{'draft' if n == 0 else f'revision {n}'}: {one_line(draft.answer)}")
            lines.append(f"  critic: {one_line(found, 100)}" if draft.ok is not None else f"  {found}")
        return "\n".join(lines)


class State(TypedDict, total=False):
    """The state of the graph: plain JSON. Of the turns the first is the question, then drafts and reviews alternate."""

    question: str
    options: list[str]
    turns: list[dict[str, Any]]


class SelfRefine(Protocol[SelfRefineParams, SelfRefineOutcome]):
    """Answers, criticises the answer and revises it, a bounded number of times.

    Example:
        >>> ask = SelfRefine(Agent("solver", "openai/gpt-5-mini"), rounds=2)
        >>> outcome = await ask.perform("What is 17 * 24?")               # doctest: +SKIP
    """

    name = "self_refine"
    params_model = SelfRefineParams
    outcome_model = SelfRefineOutcome
    inputs = {"question": True, "options": False}

    def __init__(self, agent: Agent, critic: Agent | None = None, **params: Any) -> None:
        super().__init__(agent=agent, critic=critic, **params)

    def prepare(self) -> None:
        """Give the critic its verb, and keep the one who answers apart from any role."""
        author = self.cast[self.params.agent]
        critic = author.playing("critic") if self.params.critic is None else self.cast[self.params.critic]
        self._critic = critic.able(Verb("critique", output=Feedback), prompt("critique"))
        self._author = alone(author)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """Write, criticise, write again."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("write", self.write)
        graph.add_node("criticise", self.criticise)
        graph.add_edge(START, "write")
        graph.add_conditional_edges("write", self._after_writing, ["criticise", END])
        graph.add_conditional_edges("criticise", lambda s: END if _content(s["turns"][-1]) else "write", ["write", END])
        return graph

    def _after_writing(self, state: State) -> str:
        from langgraph.graph import END

        return END if _revisions(state["turns"]) >= self.params.rounds else "criticise"

    async def write(self, state: State, runtime: Runtime[Any]) -> State:
        """The first draft, or the next one in the light of all drafts and reviews so far."""
        options = self.params.options_of(state)
        form = form_of(self.params.answers, state["question"], options)
        place, turns = self.at(runtime), list(state.get("turns") or [])
        if not turns:
            turns += heard(place / "open", [Turn(MODERATOR, prompt("question").render(form))])
        number = len(turns) // 2
        at = place / (f"revision{number}" if number else "draft")
        reply = await self._author.do(
            "say",
            at,
            _seen(turns, self._author.name, other=CRITIC, own=True),
            output=reply_form(self.params.answers, options),
            instruction=prompt("revise" if number else "draft").render(form),
        )
        return {"turns": turns + heard(at, [self._author.turn(reply)])}

    async def criticise(self, state: State, runtime: Runtime[Any]) -> State:
        """What the critic finds of the last draft; it has read all the earlier ones."""
        turns = state["turns"]
        number = _revisions(turns)
        at = self.at(runtime) / f"review{number}"
        seen = _seen(turns, self._critic.name, other=AUTHOR, own=False)
        reply = await self._critic.do("critique", at, seen, output=Feedback)
        turn = self._critic.turn(reply)
        return {"turns": turns + heard(at, [replace(turn, content=_spoken(turn.data))])}

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> SelfRefineOutcome:
        """The last draft, whether or not the critic had looked at it."""
        turns = state.get("turns") or []
        drafts = [_draft(turns[n], turns[n + 1] if n + 1 < len(turns) else None) for n in range(1, len(turns), 2)]
        ended, how = _ended(drafts, self.params.rounds)
        return SelfRefineOutcome(
            answer=drafts[-1].answer if drafts else None,
            reason=reason or ended,
            transcript=turns,
            decided_by=how,
            drafts=drafts,
            calls=max(0, len(turns) - 1),
        )

    def plan(self) -> CallPlan:
        """A draft and a review at least; at most a review for every draft but the last."""
        most = self.params.rounds
        written = CallPlan({self._author.name: (1, 1 + most)})
        return written + CallPlan({self._critic.name: (1, most)})


def _revisions(turns: Sequence[Mapping[str, Any]]) -> int:
    """How many revisions stand in the turns: of question, draft, review, revision, review … the third pair is one."""
    return len(turns) // 2 - 1


def _content(turn: Mapping[str, Any]) -> bool:
    """Whether a review lets the draft stand. A critic who names no problem has none that could be mended."""
    data = turn["data"]
    return bool(data["ok"]) or not str(data["problem"]).strip()


def _spoken(data: Mapping[str, Any]) -> str:
    return "The draft can stand as it is." if _content({"data": data}) else str(data["problem"]).strip()


def _seen(turns: Sequence[Mapping[str, Any]], name: str, *, other: str, own: bool) -> Transcript:
    """The dialogue as one of the two reads it, where both bear one name: the other part is called by what it is.

    Args:
        turns: The question, then drafts and reviews in turn.
        name: Who reads.
        other: What the other is called if it has the same name.
        own: Whether the drafts are the reader's own (else the reviews are).
    """
    known = []
    called = f"the {other}" if other == name else other
    for n, turn in enumerate(Transcript.of(turns)):
        mine = n > 0 and (n % 2 == 1) == own
        known.append(turn if mine or turn.speaker != name else replace(turn, speaker=called))
    return Transcript(tuple(known))


def _draft(turn: Mapping[str, Any], review: Mapping[str, Any] | None) -> Draft:
    return Draft(
        answer=answer_of(turn),
        confidence=(turn.get("data") or {}).get("confidence"),
        problem=None if review is None else str(review["data"]["problem"]).strip(),
        ok=None if review is None else _content(review),
    )


def _ended(drafts: Sequence[Draft], rounds: int) -> tuple[str, str]:
    """The reason, and the same in words."""
    revised = len(drafts) - 1
    times = "once" if revised == 1 else f"{revised} times"
    if drafts and drafts[-1].ok:
        return "agreed", "the critic was content with the first draft" if not revised else (
            f"the critic was content after it was revised {times}"
        )
    if revised >= rounds:
        return "limit", f"it was revised {times}, and more was not allowed"
    return "stopped", ""
