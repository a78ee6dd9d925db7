"""What replies cost: by the user's own price, else by LiteLLM's price map, else unknown."""

from __future__ import annotations

from dataclasses import dataclass
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
    return _mapped(name, provider).price


def cost(model: str, provider: str, usage: Usage, reported: Any, price: Price | None) -> float | None:
    """What a reply cost in US dollars; None if the price or the tokens are unknown.

    Args:
        model: The model's name at the provider.
        provider: LiteLLM's name of the provider.
        usage: The tokens.
        reported: LiteLLM's usage object, for prices that depend on more than these.
        price: The user's own price, which goes before the map.
    """
    if usage.prompt is None or usage.completion is None:
        return None
    mapped = _Mapped(price, plain=True) if price is not None else _mapped(model, provider)
    if mapped.price is None:
        return None
    if mapped.plain and not getattr(reported, "cache_creation_input_tokens", None):
        return _sum(mapped.price, usage.prompt, usage.completion, usage.cached or 0)
    return float(sum(library().cost_per_token(model=model, custom_llm_provider=provider, usage_object=reported)))


def _sum(price: Price, prompt: int, completion: int, cached: int) -> float:
    cached_price = price.input if price.cached_input is None else price.cached_input
    return ((prompt - cached) * price.input + cached * cached_price + completion * price.output) / 1e6


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A model's price, and whether three numbers say it all: no tiers, no price of thought apart."""

    price: Price | None
    plain: bool


_TIERS = ("_above_", "_reasoning_token", "tiered")


@lru_cache(maxsize=1024)
def _mapped(model: str, provider: str) -> _Mapped:
    """What the map says; LiteLLM itself calls a missing price 0."""
    lib = library()
    try:
        entry: dict[str, Any] = lib.model_cost[lib.get_model_info(model, custom_llm_provider=provider)["key"]]
    except Exception:  # LiteLLM raises a bare Exception for a model it does not know
        return _Mapped(None, plain=False)
    if entry.get("input_cost_per_token") is None or entry.get("output_cost_per_token") is None:
        return _Mapped(None, plain=False)
    cached = entry.get("cache_read_input_token_cost")
    price = Price(
        input=entry["input_cost_per_token"] * 1e6,
        output=entry["output_cost_per_token"] * 1e6,
        cached_input=None if cached is None else cached * 1e6,
    )
    return _Mapped(price, plain=not any(mark in name for name in entry for mark in _TIERS))


def prices_as_of() -> str:
    """Which price table `usd` comes from: LiteLLM's bundled one, which is as old as its version."""
    return library_version()
