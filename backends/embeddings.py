"""Texts as vectors, by any embedding model that LiteLLM knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maieutic.backends.failures import failure
from maieutic.backends.library import library
from maieutic.errors import ModelError

if TYPE_CHECKING:
    from maieutic.backends.models import ModelSpec
    from maieutic.backends.place import Place

__all__ = ["embed", "embedded"]

AT_ONCE = 64
"""Texts in one request."""


async def embed(model: ModelSpec, texts: Sequence[str]) -> list[list[float]]:
    """One vector for each text, all of one length.

    Args:
        model: The embedding model and its endpoint; sampling settings count for nothing.
        texts: What is embedded, in requests of 64.

    Raises:
        ModelError: The endpoint failed, or did not give one vector for each text.
    """
    lib = await asyncio.to_thread(library)
    found: list[list[float]] = []
    for start in range(0, len(texts), AT_ONCE):
        part = list(texts[start : start + AT_ONCE])
        found += await _asked(lib, model, part)
    if len({len(vector) for vector in found}) > 1:
        raise ModelError(f"{model.model} gave embeddings of different lengths; use another model", kind="malformed")
    return found


async def _asked(lib: Any, model: ModelSpec, texts: list[str]) -> list[list[float]]:
    from maieutic.backends.lanes import guarded
    from maieutic.backends.providers import target_of

    target = target_of(model.model_copy(update={"api_base": model.replicas[0]}) if model.replicas else model)
    asking = lib.aembedding(
        model=model.model,
        input=texts,
        api_base=target.api_base,
        api_key=target.key,
        timeout=model.timeout,
        max_retries=model.retries,
        encoding_format="float",
    )
    try:
        async with asyncio.timeout(model.timeout):
            reply = await guarded(target, asking)
    except TimeoutError:
        raise failure(target.endpoint, "timeout", f"no embeddings within {model.timeout:g} s") from None
    rows = sorted(reply.data, key=lambda row: row["index"])
    if len(rows) != len(texts):
        raise failure(target.endpoint, "malformed", f"{len(rows)} embeddings came for {len(texts)} texts")
    return [[float(x) for x in row["embedding"]] for row in rows]


async def embedded(model: ModelSpec, texts: Sequence[str], at: Place) -> list[list[float]]:
    """The same within a run: the journal keeps the vectors, and a resumed run does not ask for them again.

    Args:
        model: The embedding model.
        texts: What is embedded.
        at: Where in the run; the effect stands at `embed` below it.

    Raises:
        ModelError: As `embed`.
        ReplayMiss: The journal has other texts here.
    """
    here = at / "embed"
    inputs = {"model": model.model, "texts": list(texts)}

    async def call() -> list[list[float]]:
        return await embed(model, texts)

    found: list[list[float]] = await at.gateway.effect(here.address, "embedding", inputs, call)
    return found
