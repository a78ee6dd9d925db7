"""What must be known of providers before LiteLLM is imported: where keys are, and which lane serves them."""

from __future__ import annotations

from maieutic.backends.models import ModelSpec

__all__ = ["SAMPLING", "SELF_HOSTED", "SEPARABLE", "key_variables"]

SEPARABLE = frozenset(
    {
        "anthropic",
        "cerebras",
        "deepinfra",
        "deepseek",
        "fireworks_ai",
        "gemini",
        "groq",
        "hosted_vllm",
        "llamafile",
        "lm_studio",
        "mistral",
        "moonshot",
        "nebius",
        "novita",
        "nvidia_nim",
        "openai",
        "openrouter",
        "sambanova",
        "together_ai",
        "xai",
    }
)
"""Providers whose LiteLLM configuration works over our own connection; the conformance tests run through them all."""

SAMPLING = frozenset({"azure", "hosted_vllm", "openai"})
"""Providers whose interface gives several samples in one request (`n`); an endpoint behind it need not."""

SELF_HOSTED = frozenset({"hosted_vllm", "llamafile", "lm_studio"})
"""Servers of one's own: they need an address, and usually take any key or none."""

_VARIABLES = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"),
}


def key_variables(spec: ModelSpec, provider: str) -> tuple[str, ...]:
    """The environment variables in which the model's key is looked for, the usual one first."""
    if spec.api_key is not None:
        return (spec.api_key.secret,)
    return _VARIABLES.get(provider, (f"{provider.upper()}_API_KEY",))
