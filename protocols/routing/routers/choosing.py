"""Choosing within a run: routers that need a question's embedding, and the router that is a prompted model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maieutic.agents import Router as PromptedRouter
from maieutic.backends.embeddings import embedded
from maieutic.backends.models import ModelSpec
from maieutic.protocols.routing.routers.base import Decision, Query, Router
from maieutic.protocols.routing.routers.features import HASHING

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.protocols.routing.pool import Pool

__all__ = ["choose", "vectors_of"]


async def choose(
    router: Router | PromptedRouter, query: Query, pool: Pool, at: Place, *, embedding: ModelSpec | None = None
) -> Decision:
    """The decision of any router at a place in a run, where chance is drawn from.

    Args:
        router: One that was trained, or an agent of the role `router`, which reads the pool's descriptions and is asked
            once.
        query: What is to be routed.
        pool: The candidates.
        at: Where in the run.
        embedding: The endpoint of the model that the router compares questions by, where its name does not tell it.

    Raises:
        UsageError: The router cannot choose from this pool.
        ModelError, ReplyError, BudgetExceeded: A model had to be asked, and could not answer.
    """
    if isinstance(router, PromptedRouter):
        return await _asked(router, query, pool, at)
    if router.embedding not in ("", HASHING) and query.vector is None:
        vectors = await vectors_of(embedding or router.embedding, [query.question], at)
        query = replace(query, vector=tuple(vectors[query.question]))
    return router.decide(query, pool, at.rng())


async def vectors_of(embedding: str | ModelSpec, questions: Sequence[str], at: Place) -> Mapping[str, Sequence[float]]:
    """The embeddings of questions by a model; none for "" and "hashing".

    Raises:
        ModelError: The endpoint failed.
    """
    if embedding in ("", HASHING):
        return {}
    spec = embedding if isinstance(embedding, ModelSpec) else ModelSpec(model=embedding)
    texts = list(dict.fromkeys(questions))
    return dict(zip(texts, await embedded(spec, texts, at), strict=True))


async def _asked(router: PromptedRouter, query: Query, pool: Pool, at: Place) -> Decision:
    reply = await router.decide(query.question, pool.described(), at)
    assert reply.data is not None
    said = reply.data.model_dump()
    chosen = pool.the(str(said["choice"]))
    reason = str(said.get("reason") or "").strip() or "It gave no reason."
    return Decision(chosen.name, {}, (f"{router.model.model} chose {chosen.name}: {reason}",))
