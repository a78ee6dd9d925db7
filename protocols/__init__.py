"""How agents interact: one module per protocol, each a LangGraph subgraph with typed parameters and a typed outcome.

Nothing here knows a graph file, a run or a command line. A protocol of your own is a subclass of `Protocol`, registered
under the entry point `maieutic.protocols`.
"""

from maieutic.protocols.base import CallPlan, Cast, Outcome, Params, Plays, Protocol, heard, protocol_named, protocols
from maieutic.protocols.debate import Debate
from maieutic.protocols.debate_outcome import DebateOutcome
from maieutic.protocols.debate_params import DebateParams
from maieutic.protocols.self_consistency import SelfConsistency, SelfConsistencyOutcome, SelfConsistencyParams
from maieutic.protocols.stopping import Stop, after_rounds, when_agreed, when_judged, when_stable

__all__ = [
    "CallPlan",
    "Cast",
    "Debate",
    "DebateOutcome",
    "DebateParams",
    "Outcome",
    "Params",
    "Plays",
    "Protocol",
    "SelfConsistency",
    "SelfConsistencyOutcome",
    "SelfConsistencyParams",
    "Stop",
    "after_rounds",
    "heard",
    "protocol_named",
    "protocols",
    "when_agreed",
    "when_judged",
    "when_stable",
]
