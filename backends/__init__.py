"""What answers: one gateway over LiteLLM and the simulated minds, with limits, retries, budgets and prices.

Nothing here knows an agent, a protocol or a graph.
"""

from typing import TYPE_CHECKING, Any

from maieutic.backends.models import ModelSpec, Price, SecretRef
from maieutic.backends.place import Place
from maieutic.backends.types import (
    Attempt,
    Backend,
    LLMReply,
    LLMRequest,
    TextDelta,
    TextSink,
    TokenLogprob,
    Usage,
)

if TYPE_CHECKING:
    from maieutic.backends.budget import Budget
    from maieutic.backends.endpoints import Endpoints
    from maieutic.backends.gateway import Gateway
    from maieutic.backends.labels import LabelProbabilities
    from maieutic.backends.ledger import Ledger
    from maieutic.backends.person import PersonBackend
    from maieutic.backends.retry import CallFailed
    from maieutic.backends.scripted import ScriptedModel

__all__ = [
    "Attempt",
    "Backend",
    "Budget",
    "CallFailed",
    "Endpoints",
    "Gateway",
    "LLMReply",
    "LLMRequest",
    "LabelProbabilities",
    "Ledger",
    "ModelSpec",
    "PersonBackend",
    "Place",
    "Price",
    "ScriptedModel",
    "SecretRef",
    "TextDelta",
    "TextSink",
    "TokenLogprob",
    "Usage",
]

_LAZY = {
    "Budget": "budget",
    "CallFailed": "retry",
    "Endpoints": "endpoints",
    "Gateway": "gateway",
    "LabelProbabilities": "labels",
    "Ledger": "ledger",
    "PersonBackend": "person",
    "ScriptedModel": "scripted",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
