"""A cascade with self-verification: the small model answers and checks itself; where it doubts, the next one is asked.

Aggarwal et al., "AutoMix: Automatically Mixing Language Models", NeurIPS 2024. Of its ways to decide on the checks this
is the threshold.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Prompt, among
from maieutic.agents.replies import Solution
from maieutic.protocols.base import CallPlan, Outcome, Params, Plays, Protocol, heard
from maieutic.protocols.together import together

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

    from maieutic.backends.place import Place

__all__ = ["Cascade", "CascadeOutcome", "CascadeParams", "Level", "Verified"]

TEMPERATURE = 0.7
"""Of the verifications where a model's own is 0: equal samples would count one opinion several times."""


class Verified(BaseModel):
    """What a model finds of a proposed answer."""

    reasoning: Annotated[str, Field(description="What speaks for the answer and what against it, step by step.")]
    correct: Annotated[bool, Field(description="Whether the proposed answer is correct.")]


class CascadeParams(Params):
    """The parameters of a cascade."""

    agents: Annotated[
        list[str],
        Plays("agent"),
        Field(min_length=2, description="Who is asked, the cheapest first. The last is not checked."),
    ]
    samples: Annotated[int, Field(ge=1, le=64, description="How often each answer is checked.")] = 8
    threshold: Annotated[
        float, Field(ge=0, le=1, description="From which share of checks in favour an answer stands.")
    ] = 0.5
    options: Annotated[list[str], Field(description="The possible answers, if they are known. Also an input.")] = []

    def _problems(self) -> Iterator[str]:
        if len(set(self.agents)) < len(self.agents):
            yield "agents: one stands in the cascade twice"


class Level(BaseModel):
    """What one model of the cascade came to.

    Attributes:
        agent: Whose model.
        answer: Its answer.
        confidence: How sure it said it was, from 0 to 1.
        verified: The share of its checks that found it correct; None for the last, which is not checked.
        stands: Whether the answer was taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: str
    answer: str
    confidence: float
    verified: float | None
    stands: bool


class CascadeOutcome(Outcome):
    """What a cascade came to.

    Attributes:
        answered_by: Whose answer was taken.
        decided_by: Why, in words.
        levels: Every model that was asked, in order.
        calls: How many calls were made, checks included.
    """

    answered_by: str | None = None
    decided_by: str = ""
    levels: list[Level] = []
    calls: int = 0


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    options: list[str]
    levels: list[dict[str, Any]]
    turns: list[dict[str, Any]]


class Cascade(Protocol[CascadeParams, CascadeOutcome]):
    """Asks one model after the other until an answer passes its own author's checks.

    Example:
        >>> ask = Cascade([Agent("small", "openai/gpt-5-nano"), Agent("large", "openai/gpt-5")], threshold=0.75)
        >>> outcome = await ask.perform("What is 17 * 24?")               # doctest: +SKIP
    """

    name = "cascade"
    params_model = CascadeParams
    outcome_model = CascadeOutcome
    inputs = {"question": True, "options": False}

    def __init__(self, agents: Sequence[Agent], **params: Any) -> None:
        super().__init__(agents=agents, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node that asks and checks, and comes again for the next model."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("ask", self.ask)
        graph.add_edge(START, "ask")
        graph.add_conditional_edges("ask", lambda s: END if s["levels"][-1]["stands"] else "ask", ["ask", END])
        return graph

    async def ask(self, state: State, runtime: Runtime[Any]) -> State:
        """Let the next model answer, and check its answer unless it is the last."""
        levels = state.get("levels") or []
        agents = list(self.cast.values())
        agent, last = agents[len(levels)], len(levels) == len(agents) - 1
        at = self.at(runtime) / f"level{len(levels)}"
        options = state.get("options") or self.params.options
        instruction = _prompt("routing/question").render({"question": state["question"], "options": options})
        reply = await _bare(agent).do("say", at, output=among(Solution, options), instruction=instruction)
        assert reply.data is not None
        said = reply.data.model_dump()
        turns = heard(at, [agent.turn(reply)])
        verified = None if last else await self._verified(agent, state["question"], str(said["answer"]), at)
        level = Level(
            agent=agent.name,
            answer=str(said["answer"]),
            confidence=float(said["confidence"]),
            verified=verified,
            stands=verified is None or verified >= self.params.threshold,
        )
        return {"levels": [*levels, level.model_dump()], "turns": [*(state.get("turns") or []), *turns]}

    async def _verified(self, agent: Agent, question: str, answer: str, at: Place) -> float:
        """The share of the model's own checks that find the answer correct; nobody reads anybody else's."""
        instruction = _prompt("cascade/verify").render({"question": question, "answer": answer})
        warm = TEMPERATURE if agent.model.temperature == 0 else None
        done = await together(
            {
                str(n): _bare(agent).do(
                    "say", at / f"check{n}", output=Verified, sample=n, temperature=warm, instruction=instruction
                )
                for n in range(self.params.samples)
            }
        )
        for error in done.failures.values():
            raise error
        found = [reply.data for reply in done.replies.values()]
        return sum(isinstance(data, Verified) and data.correct for data in found) / len(found)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> CascadeOutcome:
        """The answer that stands, or that of the model that was asked last when the run was cut short."""
        levels = [Level.model_validate(level) for level in state.get("levels") or []]
        last = levels[-1] if levels else None
        calls = sum(1 if level.verified is None else 1 + self.params.samples for level in levels)
        return CascadeOutcome(
            answer=last.answer if last else None,
            reason=reason or ("answered" if last else "stopped"),
            transcript=state.get("turns") or [],
            answered_by=last.agent if last else None,
            decided_by=self._why(last) if last else "",
            levels=levels,
            calls=calls,
        )

    def _why(self, level: Level) -> str:
        if level.verified is None:
            return f"{level.agent} was asked last"
        passed, most = round(level.verified * self.params.samples), self.params.samples
        return f"{passed} of {most} checks found it correct; {self.params.threshold:g} of them were enough"

    def plan(self) -> CallPlan:
        """The first model always; each of the others if those before it doubt."""
        names = list(self.cast)
        each = 1 + self.params.samples
        calls = {name: (each if n == 0 else 0, 1 if n == len(names) - 1 else each) for n, name in enumerate(names)}
        return CallPlan(calls, apart=True)


def _bare(agent: Agent) -> Agent:
    """The agent's model and persona without its role: it reads nothing but the question."""
    return Agent(agent.name, agent.model, persona=agent.persona).routed(agent.chooser)


@cache
def _prompt(name: str) -> Prompt:
    return Prompt.load(Path(__file__).parent / "prompts" / f"{name}.md.j2")
