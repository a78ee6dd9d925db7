"""Preference pairs as training data: which of them, in which split, in which library's rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from maieutic.errors import UsageError
from maieutic.memory.answers import normal
from maieutic.protocols.persuasion.pairs import Kind, Pair

__all__ = ["PAIR_ROWS", "SPLITS", "Split", "Variant", "chosen_for", "dpo_row", "split_of", "verl_row"]

Variant = Literal["accept", "resist", "combined", "all"]
"""Which pairs: those that teach to accept, those that teach to resist, as many of one as of the other, or every one."""
Split = Literal["train", "validation", "test"]
SPLITS: Mapping[Split, float] = {"train": 0.70, "validation": 0.15, "test": 0.15}
"""The paper's shares."""
_SCALE = 2.0**-64


def split_of(question: str, shares: Mapping[Split, float] = SPLITS, *, salt: str = "") -> Split:
    """The split of everything about a question: by a digest of its words, so that more data move nothing.

    Args:
        question: The question; case and punctuation do not count.
        shares: By split; together 1.
        salt: Another one deals the questions anew.

    Raises:
        UsageError: The shares are not 0 or more, or not 1 together.
    """
    if min(shares.values(), default=-1.0) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise UsageError(f"the shares of the splits must be 0 or more, and 1 together: {dict(shares)}")
    left = _unit("split", salt, normal(question))
    for split, share in shares.items():
        left -= share
        if left < 0:
            return split
    return [split for split, share in shares.items() if share][-1]


def chosen_for(
    variant: Variant,
    pairs: Iterable[Pair],
    *,
    trim: bool = True,
    shares: Mapping[Split, float] = SPLITS,
    salt: str = "",
) -> list[Pair]:
    """The pairs of a variant, in their order.

    Trimmed, all variants have the same size, in each split: that of the smaller kind (in the paper, accept). `combined`
    is one half of each kind. Without trimming, `accept` and `resist` are all of their kind, and `combined` as many of
    the larger kind as there are of the smaller. Which pairs are left out depends on a digest of their names alone.

    Args:
        variant: Which pairs.
        pairs: Those there are.
        trim: Whether the variants shall have the same size. It does not concern `all`.
        shares, salt: See `split_of`.
    """
    pairs = list(pairs)
    if variant == "all":
        return pairs
    kept: set[str] = set()
    for split in shares:
        here = [pair for pair in pairs if split_of(pair.task, shares, salt=salt) == split]
        by_kind: dict[Kind, list[Pair]] = {"accept": [], "resist": []}
        for pair in sorted(here, key=lambda each: _unit("pair", salt, each.id)):
            by_kind[pair.kind].append(pair)
        for kind, count in _counts(variant, len(by_kind["accept"]), len(by_kind["resist"]), trim).items():
            kept |= {pair.id for pair in by_kind[kind][:count]}
    return [pair for pair in pairs if pair.id in kept]


def _counts(variant: Variant, accept: int, resist: int, trim: bool) -> dict[Kind, int]:
    smaller = min(accept, resist)
    if variant == "combined":
        half = smaller // 2 if trim else smaller
        return {"accept": half, "resist": half}
    if variant == "accept":
        return {"accept": smaller if trim else accept}
    return {"resist": smaller if trim else resist}


def dpo_row(pair: Pair, split: Split) -> dict[str, Any]:
    """A row for TRL's DPOTrainer: conversational `prompt`, `chosen`, `rejected`, and columns of provenance."""
    return {
        "prompt": [dict(message) for message in pair.prompt],
        "chosen": [{"role": "assistant", "content": pair.chosen.text}],
        "rejected": [{"role": "assistant", "content": pair.rejected.text}],
        "split": split,
        **_facts(pair),
    }


def verl_row(pair: Pair, split: Split, *, data_source: str = "maieutic/persuasion") -> dict[str, Any]:
    """A row for verl: `data_source`, `prompt`, `ability`, `reward_model`, `extra_info`, and the two replies as texts.

    A reward function finds the right answers in `reward_model`; a reward or preference model is trained on `chosen` and
    `rejected`.
    """
    return {
        "data_source": data_source,
        "prompt": [dict(message) for message in pair.prompt],
        "ability": "persuasion",
        "reward_model": {"style": "rule", "ground_truth": {"target": list(pair.accepted)}},
        "chosen": pair.chosen.text,
        "rejected": pair.rejected.text,
        "extra_info": {"split": split, **_facts(pair)},
    }


def _facts(pair: Pair) -> dict[str, Any]:
    """Where a pair comes from and what it is worth, the same columns in every row."""
    sides = {"chosen": pair.chosen, "rejected": pair.rejected}
    names = ("node", "stance", "answer", "score", "model", "address")
    return {
        "kind": pair.kind,
        "question": pair.question,
        "accepted": list(pair.accepted),
        "speaker": pair.speaker,
        "before": pair.before,
        "gap": pair.gap,
        "run": pair.run,
        "tree_at": pair.tree_at,
        "simulated": pair.simulated,
        **{f"{side}_{name}": getattr(each, name) for name in names for side, each in sides.items()},
    }


PAIR_ROWS: Mapping[str, Callable[[Pair, Split], dict[str, Any]]] = {"dpo": dpo_row, "verl": verl_row}
"""How pairs are written, by format."""


def _unit(*reasons: str) -> float:
    digest = hashlib.sha256("\x1f".join(reasons).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * _SCALE
