"""Questions as vectors: their words by the hashing trick, their task family by random signs; or a model's embedding.

Nothing is learned and nothing is stored, so that a question is the same vector in every process. Source: Weinberger et
al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.protocols.routing.routers.base import Query
    from maieutic.protocols.routing.routers.records import RoutingRecord

    Vector = NDArray[np.float64]

__all__ = ["HASHING", "features", "features_of", "projected"]

HASHING = "hashing"
WORDS = 256
"""Places for words."""
FAMILY = 32
"""Places for the task family. Any two families are nearly at right angles there."""

_WORD = re.compile(r"\w+")
_COMMON = frozenset(
    """
    a an the is are was were be of in on at to for and or with what which who how does do did it its that this these
    those by from as about there has have had can could would should will if than then so not no one
    """.split()  # noqa: SIM905
)


def features(query: Query, embedding: str) -> Vector:
    """A question as a vector: words (or the model's embedding), of length 1, and then its family, of length 1 or 0.

    Raises:
        UsageError: The router needs a model's embedding and the query has none.
    """
    return np.concatenate([_words(query.question, query.vector, embedding), _family(query.family)])


def features_of(
    records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None, embedding: str
) -> NDArray[np.float64]:
    """One row for each record; as `features`."""
    known = {question: tuple(vector) for question, vector in (vectors or {}).items()}
    rows = [np.concatenate([_words(r.question, known.get(r.question), embedding), _family(r.family)]) for r in records]
    if len({len(row) for row in rows}) > 1:
        raise UsageError("the embeddings of these questions differ in length; they must come from one model")
    return np.array(rows, dtype=np.float64)


def projected(rows: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Vectors with no more places than this, by random signs that are the same in every process.

    Distances are kept roughly. Source: Achlioptas, "Database-friendly random projections", PODS 2001.
    """
    wide = rows.shape[-1]
    if wide <= places:
        return rows
    narrow: NDArray[np.float64] = rows @ _signs(wide, places)
    return narrow


@lru_cache(maxsize=32)
def _signs(wide: int, places: int) -> NDArray[np.float64]:
    """numpy promises the stream of PCG64's raw bits, though not that of the distributions made of them."""
    bits = np.random.PCG64(wide * 1_000_003 + places).random_raw(wide * places) & 1
    signs: NDArray[np.float64] = (bits.astype(np.float64) * 2 - 1).reshape(wide, places) / math.sqrt(places)
    return signs


def _words(question: str, vector: Sequence[float] | None, embedding: str) -> Vector:
    if embedding == HASHING:
        return _hashed(question)
    if vector is None:
        raise UsageError(
            f"this router compares questions by the embeddings of {embedding!r}, and this question has none; "
            "embed it first (maieutic.protocols.routing.routers.embedded)"
        )
    found = np.array(vector, dtype=np.float64)
    length = float(np.linalg.norm(found))
    return found / length if length else found


@lru_cache(maxsize=4096)
def _hashed(question: str) -> Vector:
    found = np.zeros(WORDS)
    for word in _WORD.findall(question.casefold()):
        if word not in _COMMON:
            drawn = _digest(word)
            found[drawn % WORDS] += 1.0 if (drawn >> 32) & 1 else -1.0
    length = float(np.linalg.norm(found))
    found = found / length if length else found
    found.setflags(write=False)
    return found


@lru_cache(maxsize=1024)
def _family(family: str) -> Vector:
    found = np.zeros(FAMILY)
    if family:
        drawn = _digest(f"family {family.casefold()}")
        found = np.array([1.0 if (drawn >> n) & 1 else -1.0 for n in range(FAMILY)]) / np.sqrt(FAMILY)
    found.setflags(write=False)
    return found


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
