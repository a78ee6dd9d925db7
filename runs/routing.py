"""Routing protocols that run by themselves. They stand apart so that a debate need not load them."""

from __future__ import annotations

from maieutic.protocols.router_r1 import RouterR1 as PlainRouterR1
from maieutic.runs.runnable import Runnable

__all__ = ["RouterR1"]


class RouterR1(Runnable, PlainRouterR1):
    """Router-R1 that runs by itself (see maieutic.protocols.router_r1 for the parameters)."""
