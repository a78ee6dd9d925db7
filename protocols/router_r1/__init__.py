"""Router-R1: a router that thinks, consults a pool of models in several rounds, and answers."""

from maieutic.protocols.router_r1.outcome import Called, Flagged, RouterR1Outcome, Segment
from maieutic.protocols.router_r1.params import RouterR1Params
from maieutic.protocols.router_r1.protocol import RouterR1

__all__ = ["Called", "Flagged", "RouterR1", "RouterR1Outcome", "RouterR1Params", "Segment"]
