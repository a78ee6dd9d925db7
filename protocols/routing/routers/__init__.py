"""Routers that choose one model for a question, behind one interface, and their comparison on recorded answers.

Router-R1 and the protocols that call models in several rounds are beside this folder.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.protocols.routing.routers.bandit import Bandit, BanditSettings
    from maieutic.protocols.routing.routers.base import Decision, Query, Router
    from maieutic.protocols.routing.routers.catalogue import (
        ROUTERS,
        load_router,
        router_from_json,
        router_named,
        save_router,
    )
    from maieutic.protocols.routing.routers.classifier import Classifier
    from maieutic.protocols.routing.routers.factorisation import Factorisation
    from maieutic.protocols.routing.routers.neighbours import Neighbours
    from maieutic.protocols.routing.routers.ratings import Elo
    from maieutic.protocols.routing.routers.records import (
        RoutingRecord,
        append_records,
        read_records,
        write_records,
    )
    from maieutic.protocols.routing.routers.simple import Cheapest, Largest, Random
    from maieutic.protocols.routing.routers.spending import TradeOff

__all__ = [
    "ROUTERS",
    "Bandit",
    "BanditSettings",
    "Cheapest",
    "Classifier",
    "Decision",
    "Elo",
    "Factorisation",
    "Largest",
    "Neighbours",
    "Query",
    "Random",
    "Router",
    "RoutingRecord",
    "TradeOff",
    "append_records",
    "load_router",
    "read_records",
    "router_from_json",
    "router_named",
    "save_router",
    "write_records",
]

__getattr__ = lazily(
    __name__,
    {
        "bandit": ("Bandit", "BanditSettings"),
        "base": ("Decision", "Query", "Router"),
        "catalogue": ("ROUTERS", "load_router", "router_from_json", "router_named", "save_router"),
        "classifier": ("Classifier",),
        "factorisation": ("Factorisation",),
        "neighbours": ("Neighbours",),
        "ratings": ("Elo",),
        "records": ("RoutingRecord", "append_records", "read_records", "write_records"),
        "simple": ("Cheapest", "Largest", "Random"),
        "spending": ("TradeOff",),
    },
)
