"""What answers: one gateway over LiteLLM, simulated minds and tiny models, with limits, retries, budgets and prices.

Nothing here knows an agent, a protocol or a graph.
"""

from typing import TYPE_CHECKING

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
    Tool,
    ToolCall,
    Usage,
)
from maieutic.lazy import lazily

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
    "Tool",
    "ToolCall",
    "Usage",
    "in_memory",
    "prices_as_of",
    "probe",
    "standalone",
]

__getattr__ = lazily(
    __name__,
    {
        "budget": ("Budget",),
        "doctor": ("Diagnosis", "probe"),
        "endpoints": ("Endpoints",),
        "gateway": ("Gateway",),
        "labels": ("LabelProbabilities",),
        "ledger": ("Ledger",),
        "litellm_backend": ("LiteLLMBackend",),
        "person": ("PersonBackend",),
        "prices": ("prices_as_of",),
        "retry": ("CallFailed",),
        "scripted": ("ScriptedModel",),
    },
)
