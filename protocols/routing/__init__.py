"""Routing: which model of a pool answers what. The pool and its descriptors, Router-R1, its reward and its rollouts.

Nothing here calls a model but through a protocol.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Candidate, Latency, Pool, measured

__all__ = ["Candidate", "Latency", "Pool", "measured"]

__getattr__ = lazily(__name__, {"pool": ("Candidate", "Latency", "Pool", "measured")})
