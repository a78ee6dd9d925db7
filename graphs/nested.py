"""A protocol or another graph file as a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from maieutic.graphs.acts import Done, Formulas, evaluated
from maieutic.graphs.pupils import observed
from maieutic.graphs.questions import STUDENT
from maieutic.protocols.base import STEPS, CallPlan, Outcome, Params, Plays, check_inputs

if TYPE_CHECKING:
    from langgraph.graph.state import StateGraph

    from maieutic.agents import Agent
    from maieutic.backends.place import Place

__all__ = ["Nested", "NestedAct", "recast"]


class Nested(Protocol):
    """What can be nested: every protocol, and every graph."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def inputs(self) -> Mapping[str, bool]: ...  # noqa: D102

    def build(self) -> StateGraph[Any, Any, Any, Any]:
        """Its LangGraph graph, not yet compiled."""
        ...

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> Outcome:
        """The outcome of a state."""
        ...

    def plan(self) -> CallPlan:
        """How many calls it makes."""
        ...


@dataclass(frozen=True)
class NestedAct:
    """A whole program runs at a place of its own.

    It has a dialogue of its own, which begins empty. What was said in it, audiences and off-the-record turns included,
    then enters the dialogue of the graph around it, so that later nodes know of it.
    """

    program: Nested
    inputs: Formulas
    out: Formulas
    steps: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", cache(self._compile))

    async def __call__(self, at: Place, values: Mapping[str, Any], dialogue: Sequence[Mapping[str, Any]]) -> Done:
        """Run it to its end; `out` reads its outcome."""
        inputs = check_inputs(self.program, evaluated(self.inputs, values))
        compiled = self._compiled()  # type: ignore[attr-defined]
        # A limit of its own: LangGraph would hand down the outer graph's.
        state = await compiled.ainvoke(inputs, {"recursion_limit": (self.steps or STEPS) + 1}, context=at)
        outcome = self.program.outcome(state)
        told = outcome.model_dump(mode="json", exclude={"state"}) | getattr(outcome, "state", {})
        if getattr(self.program, "pupils", None) is not None:
            told[STUDENT]["new"] = told[STUDENT]["log"][len(observed(inputs.get(STUDENT))) :]
        result = {"outcome": told}
        writes = evaluated(self.out, {**values, **result})
        return Done(tuple(writes.items()), tuple(outcome.transcript), result)

    def _compile(self) -> Any:
        # No checkpoints inside a node: it starts again as a whole, and the journal has its replies.
        return self.program.build().compile(checkpointer=False, name=self.program.name)


def recast(params: Params, cast: Mapping[str, Agent]) -> Params:
    """The parameters with every agent called by its own name instead of the file's name for it."""
    changed: dict[str, Any] = {}
    for name, info in type(params).model_fields.items():
        value = getattr(params, name)
        if value and any(isinstance(mark, Plays) for mark in info.metadata):
            named = [cast[n].name if n in cast else n for n in ([value] if isinstance(value, str) else value)]
            changed[name] = named[0] if isinstance(value, str) else named
    return params.model_copy(update=changed)
