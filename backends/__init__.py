"""What answers: one gateway over LiteLLM and the simulated minds, with limits, retries, budgets and prices.

Nothing here knows an agent, a protocol or a graph.
"""

from maieutic.backends.models import ModelSpec, Price, SecretRef
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

__all__ = [
    "Attempt",
    "Backend",
    "LLMReply",
    "LLMRequest",
    "ModelSpec",
    "Price",
    "SecretRef",
    "TextDelta",
    "TextSink",
    "TokenLogprob",
    "Usage",
]
