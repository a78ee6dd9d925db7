"""What balanced agents cost: the calls in which they weigh arguments before they answer.

How they weigh is told in `maieutic.agents.balance`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from maieutic.agents import Agent
from maieutic.memory import MODERATOR, Turn
from maieutic.protocols.base import CallPlan

__all__ = ["calls_in", "with_weighing"]


def with_weighing(plan: CallPlan, agents: Iterable[Agent]) -> CallPlan:
    """The same calls with those of weighing: at the most every order before every answer, at the fewest none.

    How many orders are read depends on how many arguments there are, and before anybody else has spoken there are none.
    """
    orders = {agent.name: agent.balance.orders for agent in agents if agent.balance is not None and not agent.stance}
    calls = {name: (low, high * (1 + orders.get(name, 0))) for name, (low, high) in plan.calls.items()}
    return replace(plan, calls=calls)


def calls_in(turns: Iterable[Turn]) -> int:
    """How many calls these turns took: one each, the moderator's aside, and those of weighing."""
    return sum(1 + turn.data.get("weighed", {}).get("calls", 0) for turn in turns if turn.speaker != MODERATOR)
