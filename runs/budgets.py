"""From the limits of a graph file to the budget of a run and the bound on its steps."""

from __future__ import annotations

from maieutic.backends import Budget
from maieutic.graphs import Graph
from maieutic.protocols.base import STEPS
from maieutic.runs.program import Program

__all__ = ["budget_of", "steps_of"]


def budget_of(program: Program) -> Budget | None:
    """A fresh budget from a graph's limits, or None if it has none; `limits.steps` is the graph's own business."""
    if not isinstance(program, Graph):
        return None
    limits = program.spec.limits
    if all(limit is None for limit in (limits.usd, limits.tokens, limits.calls, limits.seconds)):
        return None
    return Budget(
        usd=limits.usd,
        tokens=limits.tokens,
        calls=limits.calls,
        seconds=limits.seconds,
        on_exceed=limits.on_exceed,
        degrade_to=program.spec.models[limits.degrade_to] if limits.degrade_to else None,
    )


def steps_of(program: Program) -> int:
    """LangGraph's limit on its steps: by the file's own limit, else so many that only a mistake takes them."""
    own = program.spec.limits.steps if isinstance(program, Graph) else None
    return STEPS if own is None else own + 1  # LangGraph also counts the step in which it finds nothing left to do
