"""What the same money buys without a dialogue: strong simple protocols to put beside debates, lessons and routers.

Self-consistency, the fifth, is `maieutic.protocols.self_consistency`.
"""

from maieutic.protocols.baselines.agent_forest import AgentForest, AgentForestOutcome, AgentForestParams, Candidate
from maieutic.protocols.baselines.self_refine import Draft, SelfRefine, SelfRefineOutcome, SelfRefineParams
from maieutic.protocols.baselines.single_call import SingleCall, SingleCallOutcome, SingleCallParams
from maieutic.protocols.baselines.solo_performance import (
    Line,
    SoloPerformance,
    SoloPerformanceOutcome,
    SoloPerformanceParams,
)

__all__ = [
    "AgentForest",
    "AgentForestOutcome",
    "AgentForestParams",
    "Candidate",
    "Draft",
    "Line",
    "SelfRefine",
    "SelfRefineOutcome",
    "SelfRefineParams",
    "SingleCall",
    "SingleCallOutcome",
    "SingleCallParams",
    "SoloPerformance",
    "SoloPerformanceOutcome",
    "SoloPerformanceParams",
]
