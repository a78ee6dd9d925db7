"""How alike texts are, and which of them is most like all the others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["bleu", "cosine", "likeness"]

_WORD = re.compile(r"\w+|[^\w\s]")
_LONGEST = 4
"""Words of the longest n-gram, as in BLEU-4."""

_T = TypeVar("_T")
Grams = Sequence[Counter[tuple[str, ...]]]


def bleu(candidate: str, reference: str) -> float:
    """Sentence-BLEU of one text against one reference, from 0 to 1; upper and lower case do not count.

    The geometric mean of the clipped precisions of 1- to 4-grams, times the penalty for being shorter. Precisions of 2-
    to 4-grams are smoothed by one (Lin and Och, "ORANGE", COLING 2004), so that short texts are told apart too. Equal
    texts give 1, texts without a common word 0. Papineni et al., "BLEU", ACL 2002.
    """
    return _bleu(_grams(candidate), _grams(reference))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine between two vectors, from -1 to 1; 0 where one of them is zero."""
    lengths = math.sqrt(math.fsum(x * x for x in one)) * math.sqrt(math.fsum(y * y for y in other))
    return math.fsum(x * y for x, y in zip(one, other, strict=True)) / lengths if lengths else 0.0


def likeness(texts: Sequence[str], vectors: Sequence[Sequence[float]] | None = None) -> list[float]:
    """How much each text is like all the others: the sum of its similarities to them.

    Args:
        texts: The texts.
        vectors: Their embeddings, to compare those by the cosine; left out, the texts are compared by BLEU, each as the
            candidate and the others as the references.

    Returns:
        One sum a text, in order; 0 for a text that stands alone. Work grows with the square of their number.
    """
    if vectors is not None:
        return _sums(vectors, cosine)
    return _sums([_grams(text) for text in texts], _bleu)


def _sums(things: Sequence[_T], alike: Callable[[_T, _T], float]) -> list[float]:
    return [math.fsum(alike(one, other) for j, other in enumerate(things) if j != i) for i, one in enumerate(things)]


def _grams(text: str) -> Grams:
    words = _WORD.findall(text.lower())
    return [Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1)) for n in range(1, _LONGEST + 1)]


def _bleu(candidate: Grams, reference: Grams) -> float:
    length, wanted = candidate[0].total(), reference[0].total()
    matched = (candidate[0] & reference[0]).total()
    if not matched:
        return 0.0
    logs = math.log(matched / length)
    for mine, theirs in zip(candidate[1:], reference[1:], strict=True):
        logs += math.log(((mine & theirs).total() + 1) / (mine.total() + 1))
    return min(1.0, math.exp(1 - wanted / length)) * math.exp(logs / _LONGEST)
