"""Chance that is the same in every process: numbers drawn from a digest of what they are drawn for.

A mind never keeps a generator: every draw names its reasons (seed, fact, question …), so that the order of calls,
the process and the machine make no difference. `hash()` is salted per process and is not used.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

__all__ = ["normal", "pick", "shuffled", "softmax", "unit", "weighted"]

_NORMAL = NormalDist()
_SCALE = 1.0 / 2**64


def unit(*reasons: object) -> float:
    """A number in [0, 1), uniform over reasons, always the same for the same reasons (by their `str`)."""
    text = "\x1f".join(map(str, reasons))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * _SCALE


def normal(*reasons: object) -> float:
    """A draw from the standard normal distribution."""
    return _NORMAL.inv_cdf(min(max(unit(*reasons), 1e-9), 1 - 1e-9))


def pick(options: Sequence[str], *reasons: object) -> str:
    """One of several texts, each as likely as the others."""
    return options[int(unit(*reasons) * len(options))]


def shuffled(options: Sequence[str], *reasons: object) -> list[str]:
    """The texts in an order of their own, whatever order they came in."""
    return sorted(options, key=lambda option: unit(*reasons, option))


def weighted(shares: Mapping[str, float], *reasons: object) -> str:
    """One of the keys, as likely as its share; the keys' order makes no difference."""
    names = sorted(shares)
    left = unit(*reasons) * sum(shares.values())
    for name in names:
        left -= shares[name]
        if left < 0:
            return name
    return names[-1]


def softmax(scores: Mapping[str, float], temperature: float = 1.0) -> dict[str, float]:
    """Probabilities in proportion to exp(score / temperature); the temperature must be above 0."""
    top = max(scores.values())
    raw = {name: math.exp((score - top) / temperature) for name, score in scores.items()}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}
