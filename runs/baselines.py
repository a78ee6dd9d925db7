"""Baselines that run by themselves. They stand apart so that a debate need not load them."""

from __future__ import annotations

from maieutic.protocols.baselines import AgentForest as PlainAgentForest
from maieutic.protocols.baselines import SelfRefine as PlainSelfRefine
from maieutic.protocols.baselines import SingleCall as PlainSingleCall
from maieutic.protocols.baselines import SoloPerformance as PlainSoloPerformance
from maieutic.runs.runnable import Runnable

__all__ = ["AgentForest", "SelfRefine", "SingleCall", "SoloPerformance"]


class AgentForest(Runnable, PlainAgentForest):
    """Sampling and voting that runs by itself (see maieutic.protocols.baselines for the parameters)."""


class SelfRefine(Runnable, PlainSelfRefine):
    """Critique and revision that run by themselves (see maieutic.protocols.baselines for the parameters)."""


class SingleCall(Runnable, PlainSingleCall):
    """A single call that runs by itself (see maieutic.protocols.baselines for the parameters)."""


class SoloPerformance(Runnable, PlainSoloPerformance):
    """A solo performance that runs by itself (see maieutic.protocols.baselines for the parameters)."""
