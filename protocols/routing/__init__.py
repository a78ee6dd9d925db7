"""Routing: which model of a pool answers what. The pool and its descriptors, Router-R1's tags, reward and rollouts.

Nothing here calls a model but through a protocol.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Candidate, Latency, Pool, measured, performed
    from maieutic.protocols.routing.reward import CostReward, FormatReward, OutcomeReward, RewardReport, RouterReward
    from maieutic.protocols.routing.rollouts import Masked, masked, trl_row, verl_row, write_rows
    from maieutic.protocols.routing.tags import Tags

__all__ = [
    "Candidate",
    "CostReward",
    "FormatReward",
    "Latency",
    "Masked",
    "OutcomeReward",
    "Pool",
    "RewardReport",
    "RouterReward",
    "Tags",
    "masked",
    "measured",
    "performed",
    "trl_row",
    "verl_row",
    "write_rows",
]

__getattr__ = lazily(
    __name__,
    {
        "pool": ("Candidate", "Latency", "Pool", "measured", "performed"),
        "reward": ("CostReward", "FormatReward", "OutcomeReward", "RewardReport", "RouterReward"),
        "rollouts": ("Masked", "masked", "trl_row", "verl_row", "write_rows"),
        "tags": ("Tags",),
    },
)
