"""A single call: one model, asked once. What everything else has to be better than."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from pydantic import Field

from maieutic.agents import Agent
from maieutic.protocols.base import CallPlan, Outcome, Plays, Protocol, heard
from maieutic.protocols.baselines.solving import SolvingParams, alone, answer_of, form_of, prompt, reply_form

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph
    from langgraph.runtime import Runtime

__all__ = ["SingleCall", "SingleCallOutcome", "SingleCallParams"]


class SingleCallParams(SolvingParams):
    """The parameters of a single call."""

    agent: Annotated[str, Plays("agent"), Field(description="Who is asked. Only model and persona count.")]
    reasoning: Annotated[
        bool, Field(description="Whether it reasons before it answers; otherwise it answers at once.")
    ] = True

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.answers == "open" and not self.reasoning:
            yield "reasoning: an open answer is given in the model's own form; leave out reasoning: false"


class SingleCallOutcome(Outcome):
    """What a single call came to.

    Attributes:
        confidence: How sure the model said it was, from 0 to 1; None for an open answer.
        calls: 1, or 0 if the call failed.
    """

    confidence: float | None = None
    calls: int = 0

    def table(self) -> str:
        """How sure the model said it was."""
        return "" if self.confidence is None else f"It said it was {self.confidence:.0%} sure."


class State(TypedDict, total=False):
    """The state of the graph: plain JSON."""

    question: str
    options: list[str]
    turns: list[dict[str, Any]]


class SingleCall(Protocol[SingleCallParams, SingleCallOutcome]):
    """Asks one model once.

    Example:
        >>> ask = SingleCall(Agent("solver", "openai/gpt-5-mini"))
        >>> outcome = await ask.perform("What is 17 * 24?")               # doctest: +SKIP
    """

    name = "single_call"
    params_model = SingleCallParams
    outcome_model = SingleCallOutcome
    inputs = {"question": True, "options": False}  # noqa: RUF012

    def __init__(self, agent: Agent, **params: Any) -> None:
        super().__init__(agent=agent, **params)

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """One node."""
        from langgraph.graph import END, START, StateGraph

        from maieutic.backends.place import Place

        graph = StateGraph(State, context_schema=Place)
        graph.add_node("answer", self.answer)
        graph.add_edge(START, "answer")
        graph.add_edge("answer", END)
        return graph

    async def answer(self, state: State, runtime: Runtime[Any]) -> State:
        """Ask."""
        at = self.at(runtime)
        options = self.params.options_of(state)
        solver = alone(self.cast[self.params.agent])
        given = {**form_of(self.params.answers, state["question"], options), "reasoning": self.params.reasoning}
        output = reply_form(self.params.answers, options, reasoning=self.params.reasoning)
        reply = await solver.do("say", at / "answer", output=output, instruction=prompt("answer").render(given))
        return {"turns": heard(at, [solver.turn(reply)])}

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> SingleCallOutcome:
        """The answer, if it was given."""
        turns = state.get("turns") or []
        last = turns[-1] if turns else None
        return SingleCallOutcome(
            answer=answer_of(last) if last else None,
            reason=reason or ("answered" if last else "stopped"),
            transcript=turns,
            confidence=(last.get("data") or {}).get("confidence") if last else None,
            calls=len(turns),
        )

    def plan(self) -> CallPlan:
        """Exactly one call."""
        return CallPlan({self.params.agent: (1, 1)}, apart=True)
