"""What replies cost: by the user's own price, else by LiteLLM's price map, else unknown."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from maieutic.backends.library import library, library_version
from maieutic.backends.models import Price
from maieutic.backends.types import Usage

__all__ = ["cost", "map_price", "prices_as_of"]


def map_price(model: str) -> Price | None:
    """The map's price of a model string, None if it has none. Surcharges for long prompts are only in `cost`."""
    try:
        name, provider, _, _ = library().get_llm_provider(model)
    except Exception:  # LiteLLM raises its own classes for a string it cannot place
        return None
    entry = _entry(name, provider)
    if entry is None:
        return None
    cached = entry.get("cache_read_input_token_cost")
    return Price(
        input=entry["input_cost_per_token"] * 1e6,
        output=entry["output_cost_per_token"] * 1e6,
        cached_input=None if cached is None else cached * 1e6,
    )


def cost(model: str, provider: str, usage: Usage, reported: Any, price: Price | None) -> float | None:
    """What a reply cost in US dollars; None if the price or the tokens are unknown.

    Args:
        model: The model's name at the provider.
        provider: LiteLLM's name of the provider.
        usage: The tokens, for a price of the user's own.
        reported: LiteLLM's usage object, for the map (cached tokens and those written to a cache cost differently).
        price: The user's own price, which goes before the map.
    """
    if usage.prompt is None or usage.completion is None:
        return None
    if price is not None:
        cached = usage.cached or 0
        cached_price = price.input if price.cached_input is None else price.cached_input
        paid = (usage.prompt - cached) * price.input + cached * cached_price + usage.completion * price.output
        return paid / 1e6
    if _entry(model, provider) is None:
        return None
    parts = library().cost_per_token(model=model, custom_llm_provider=provider, usage_object=reported)
    return float(sum(parts))


@lru_cache(maxsize=1024)
def _entry(model: str, provider: str) -> dict[str, Any] | None:
    """The map's entry for a model if it has a price; LiteLLM itself calls a missing price 0."""
    lib = library()
    try:
        entry: dict[str, Any] = lib.model_cost[lib.get_model_info(model, custom_llm_provider=provider)["key"]]
    except Exception:  # LiteLLM raises a bare Exception for a model it does not know
        return None
    priced = entry.get("input_cost_per_token") is not None and entry.get("output_cost_per_token") is not None
    return entry if priced else None


def prices_as_of() -> str:
    """Which price table `usd` comes from: LiteLLM's bundled one, which is as old as its version."""
    return library_version()
