"""What answers: one gateway over LiteLLM and the simulated minds, with limits, retries, budgets and prices.

Nothing here knows an agent, a protocol or a graph.
"""

from typing import TYPE_CHECKING, Any

from maieutic.backends.models import ModelSpec, Price, SecretRef
from maieutic.backends.place import Place, in_memory, standalone
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
    from maieutic.backends.doctor import Diagnosis, probe
    from maieutic.backends.endpoints import Endpoints
    from maieutic.backends.gateway import Gateway
    from maieutic.backends.labels import LabelProbabilities
    from maieutic.backends.ledger import Ledger
    from maieutic.backends.litellm_backend import LiteLLMBackend
    from maieutic.backends.person import PersonBackend
    from maieutic.backends.prices import prices_as_of
    from maieutic.backends.retry import CallFailed
    from maieutic.backends.scripted import ScriptedModel

__all__ = [
    "Attempt",
    "Backend",
    "Budget",
    "CallFailed",
    "Diagnosis",
    "Endpoints",
    "Gateway",
    "LLMReply",
    "LLMRequest",
    "LabelProbabilities",
    "Ledger",
    "LiteLLMBackend",
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
    "in_memory",
    "prices_as_of",
    "probe",
    "standalone",
]

_LAZY = {
    "Budget": "budget",
    "CallFailed": "retry",
    "Diagnosis": "doctor",
    "Endpoints": "endpoints",
    "Gateway": "gateway",
    "LabelProbabilities": "labels",
    "Ledger": "ledger",
    "LiteLLMBackend": "litellm_backend",
    "PersonBackend": "person",
    "ScriptedModel": "scripted",
    "prices_as_of": "prices",
    "probe": "doctor",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
