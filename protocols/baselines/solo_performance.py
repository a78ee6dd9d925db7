"""Solo performance: one model plays a team of its own choice in a single reply, and answers when they agree.

Wang et al., "Unleashing the Emergent Cognitive Synergy in Large Language Models: A Task-Solving Agent through
Multi-Persona Self-Collaboration", NAACL 2024. Its variants with profiles and with fixed participants are parameters.
Here the reply is a form instead of a text to be taken apart, and the prompt has no demonstrations. The authors found
that it helps strong models and harms weak ones.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import BaseModel, Field

from maieutic.agents import Agent, among
from maieutic.protocols.base import CallPlan, Outcome, Plays, Protocol, heard
from maieutic.protocols.baselines.solving import SolvingParams, alone, answer_of, form_of, one_line, prompt

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

__all__ = ["Line", "SoloPerformance", "SoloPerformanceOutcome", "SoloPerformanceParams"]

_Participants = Annotated[list[str], Field(description="Who takes part besides you, each with what it knows.")]


class Line(BaseModel):
    """What one participant says."""

    speaker: Annotated[str, Field(description="Who speaks.")]
    says: Annotated[str, Field(description="What is said.")]


_Discussion = Annotated[list[Line], Field(description="What is known, the proposal, the checks, in order.")]


class Performance(BaseModel):
    """A discussion with oneself, and a closed answer."""

    participants: _Participants
    discussion: _Discussion
    answer: Annotated[str, Field(description="Your answer, as short as possible.")]
    confidence: Annotated[float, Field(ge=0, le=1, description="How sure you are, from 0 (a guess) to 1 (certain).")]


class OpenPerformance(BaseModel):
    """A discussion with oneself, and an open answer."""

    participants: _Participants
    discussion: _Discussion
    answer: Annotated[str, Field(description="The finished answer, in full.")]


class SoloPerformanceParams(SolvingParams):
    """The parameters of solo performance."""

    agent: Annotated[str, Plays("agent"), Field(description="Who plays all the parts. Only model and persona count.")]
    participants: Annotated[list[str], Field(description="Who takes part; left out, the model chooses.")] = []
    profiles: Annotated[bool, Field(description="Whether each participant is described in a sentence first.")] = False
    rounds: Annotated[
        int, Field(ge=1, le=20, description="Most times that the participants check a proposal, all in one reply.")
    ] = 3


class SoloPerformanceOutcome(Outcome):
    """What a solo performance came to.

    Attributes:
        participants: Who took part, as the model tells.
        discussion: What they said, in order.
        confidence: How sure the model said it was, from 0 to 1; None for an open answer.
        calls: 1, or 0 if the call failed.
    """

    participants: list[str] = []
    discussion: list[Line] = []
    confidence: float | None = None
    calls: int = 0

    def table(self) -> str:
        """Who took part, and who said how much."""
        if not self.calls:
            return ""
        if not self.participants and not self.discussion:
            return "The model played nobody; it answered as in a single call."
        said = [f"  {line.speaker}: {one_line(line.says)}" for line in self.discussion]
        return "\n".join([f"participants: {', '.join(self.participants) or 'none named'}", *said])


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    options: list[str]
    turns: list[dict[str, Any]]


class SoloPerformance(Protocol[SoloPerformanceParams, SoloPerformanceOutcome]):
    """Lets one model discuss a question with itself in several parts, in one call.

    Example:
        >>> ask = SoloPerformance(Agent("solver", "openai/gpt-5"), participants=["a chemist", "a cook"])
        >>> outcome = await ask.perform("At which temperature does bread brown?")       # doctest: +SKIP
    """

    name = "solo_performance"
    params_model = SoloPerformanceParams
    outcome_model = SoloPerformanceOutcome
    inputs = {"question": True, "options": False}

    def __init__(self, agent: Agent, **params: Any) -> None:
        super().__init__(agent=agent, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("perform", self.play)
        graph.add_edge(START, "perform")
        graph.add_edge("perform", END)
        return graph

    async def play(self, state: State, runtime: Runtime[Any]) -> State:
        """Ask once; the turn is the discussion as one reads it."""
        at = self.at(runtime)
        options, params = self.params.options_of(state), self.params
        given = form_of(params.answers, state["question"], options)
        given |= {"participants": params.participants, "profiles": params.profiles, "rounds": params.rounds}
        output = OpenPerformance if params.answers == "open" else among(Performance, options)
        solver = alone(self.cast[params.agent])
        reply = await solver.do("say", at / "perform", output=output, instruction=prompt("perform").render(given))
        turn = solver.turn(reply)
        return {"turns": heard(at, [replace(turn, content=_as_read(turn.data))])}

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> SoloPerformanceOutcome:
        """The answer with the discussion before it, if it was given."""
        turns = state.get("turns") or []
        data = turns[-1]["data"] if turns else {}
        return SoloPerformanceOutcome(
            answer=answer_of(turns[-1]) if turns else None,
            reason=reason or ("answered" if turns else "stopped"),
            transcript=turns,
            participants=data.get("participants", []),
            discussion=data.get("discussion", []),
            confidence=data.get("confidence"),
            calls=len(turns),
        )

    def plan(self) -> CallPlan:
        """Exactly one call, though a long one."""
        return CallPlan({self.params.agent: (1, 1)}, apart=True)


def _as_read(data: Mapping[str, Any]) -> str:
    """The discussion in words, the answer last."""
    lines = [f"{line['speaker']}: {line['says']}" for line in data["discussion"]]
    return "\n".join([*lines, f"Answer: {data['answer']}"])
