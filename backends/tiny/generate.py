"""What a tiny model says: greedy or sampled replies in batches, and the answers that all its likely replies lead to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from maieutic.backends.tiny.arithmetic import answer_in
from maieutic.backends.tiny.network import Cache, Floats, Network, Whole
from maieutic.backends.tiny.tokens import Tokens
from maieutic.backends.types import TokenLogprob

__all__ = ["Prompt", "Said", "answer_shares", "generate"]

LEAST = 1e-3
"""Replies less likely than this are not followed when answers are summed over replies."""
_MOST_FOLLOWED = 32
_TOGETHER = 8
_DIGITS = 6
"""Decimals of a log-probability: what is beyond them may depend on the batch."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads, and how it is to go on.

    Attributes:
        tokens: What it reads.
        most: The most tokens that it may say.
        stop: Strings at which the reply ends; they are no part of it.
        temperature: 0 takes the likeliest token each time; above, tokens are drawn.
        top_p: Only the likeliest tokens with this much probability together are drawn from.
        seed: What decides the drawing.
        alternatives: How many of the likeliest tokens are told at each position.
    """

    tokens: tuple[int, ...]
    most: int
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: str = ""
    alternatives: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """One reply.

    Attributes:
        text: Its words, without what ended it.
        logprobs: One entry for each token of the text.
        finish: "stop" (it ended by itself or at a stop string) or "length".
        confidence: The geometric mean of the probabilities of its tokens, the end included, 0 to 1.
    """

    text: str
    logprobs: tuple[TokenLogprob, ...]
    finish: str
    confidence: float


@dataclass(slots=True)
class _Row:
    """A reply that is being written."""

    prompt: Prompt
    rng: random.Random
    tokens: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    total: float = 0.0
    finish: str = ""


def generate(network: Network, tokens: Tokens, prompts: Sequence[Prompt]) -> list[Said]:
    """Answer all prompts in one batch. Each reply is the same as if its prompt were alone."""
    rows = [_Row(prompt, random.Random(prompt.seed)) for prompt in prompts]
    cache, scores = _begun(network, [prompt.tokens for prompt in prompts])
    alive = rows
    while alive:
        chosen = _next(tokens, alive, _log_softmax(scores))
        kept = [at for at, row in enumerate(alive) if not row.finish]
        if not kept:
            break
        if len(kept) < len(alive):
            cache, chosen, alive = cache.take(np.array(kept)), chosen[kept], [alive[at] for at in kept]
        scores = network.read(chosen[:, None], cache)[:, -1]
    return [_said(tokens, row) for row in rows]


def answer_shares(network: Network, tokens: Tokens, prompts: Sequence[tuple[int, ...]]) -> list[dict[str, float]]:
    """How likely each answer is, whatever the way to it: the probabilities of replies, summed by their answers.

    Every reply that is at least `LEAST` likely is followed to its answer, at most 32 at a time of one prompt. What is
    less likely is lost: the shares of one prompt sum to at most 1, and to little less where the model is sure.
    """
    groups = [prompts[at : at + _TOGETHER] for at in range(0, len(prompts), _TOGETHER)]
    return [shares for group in groups for shares in _followed(network, tokens, group)]


def _followed(network: Network, tokens: Tokens, prompts: Sequence[tuple[int, ...]]) -> list[dict[str, float]]:
    shares: list[dict[str, float]] = [{} for _ in prompts]
    cache, scores = _begun(network, prompts)
    rows: list[tuple[int, float, tuple[int, ...]]] = [(at, 0.0, ()) for at in range(len(prompts))]
    while rows:
        grown = _grown(rows, _log_softmax(scores))
        rows, parents = [], []
        for parent, (at, total, said) in grown:
            answer = answer_in(tokens.text(said))
            if answer is not None:
                shares[at][answer] = shares[at].get(answer, 0.0) + float(np.exp(total))
            elif said[-1] != tokens.end and len(prompts[at]) + len(said) < network.context:
                rows.append((at, total, said))
                parents.append(parent)
        if rows:
            cache = cache.take(np.array(parents))
            scores = network.read(np.array([[said[-1]] for _, _, said in rows]), cache)[:, -1]
    return shares


def _grown(
    rows: Sequence[tuple[int, float, tuple[int, ...]]], logs: Floats
) -> list[tuple[int, tuple[int, float, tuple[int, ...]]]]:
    """Every row with every next token that leaves it likely enough, each with the number of the row it grew from."""
    totals = np.array([total for _, total, _ in rows])[:, None] + logs
    grown: dict[int, list[tuple[int, tuple[int, float, tuple[int, ...]]]]] = {}
    for parent, token in np.argwhere(totals >= np.log(LEAST)).tolist():
        at, _, said = rows[parent]
        grown.setdefault(at, []).append((parent, (at, float(totals[parent, token]), (*said, token))))
    best = (sorted(found, key=lambda one: -one[1][1])[:_MOST_FOLLOWED] for found in grown.values())
    return [one for found in best for one in found]


def _begun(network: Network, prompts: Sequence[tuple[int, ...]]) -> tuple[Cache, Floats]:
    """The prompts read, padded at the left; and the scores of what comes first."""
    width = max(len(prompt) for prompt in prompts)
    padding = np.array([width - len(prompt) for prompt in prompts])
    tokens: Whole = np.array([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], dtype=np.int64)
    cache = network.cache(padding)
    return cache, network.read(tokens, cache)[:, -1]


def _next(tokens: Tokens, rows: Sequence[_Row], logs: Floats) -> Whole:
    """Choose a token for every row and write it down; rows that end with it are marked."""
    chosen: Whole = logs.argmax(axis=-1)
    for at, row in enumerate(rows):
        if row.prompt.temperature > 0:
            chosen[at] = _drawn(logs[at], row)
        token = int(chosen[at])
        row.total += float(logs[at, token])
        row.tokens.append(token)
        if token == tokens.end:
            row.finish = "stop"
            continue
        row.logprobs.append(_told(tokens, logs[at], token, row.prompt.alternatives))
        if row.prompt.stop and any(stop in tokens.text(row.tokens) for stop in row.prompt.stop):
            row.finish = "stop"
        elif len(row.tokens) >= row.prompt.most:
            row.finish = "length"
    return chosen


def _drawn(logs: Floats, row: _Row) -> int:
    weights = np.exp((logs - logs.max()) / row.prompt.temperature)
    order = np.argsort(-weights, kind="stable")
    sums = np.cumsum(weights[order]) / weights.sum()
    kept = int(np.searchsorted(sums, min(row.prompt.top_p, sums[-1]))) + 1
    at = int(np.searchsorted(sums[:kept], row.rng.random() * sums[kept - 1], side="right"))
    return int(order[min(at, kept - 1)])


def _told(tokens: Tokens, logs: Floats, token: int, alternatives: int) -> TokenLogprob:
    best = np.argsort(-logs, kind="stable")[:alternatives] if alternatives else ()
    top = {tokens.piece(int(other)): round(float(logs[other]), _DIGITS) for other in best}
    return TokenLogprob(tokens.piece(token), round(float(logs[token]), _DIGITS), top)


def _said(tokens: Tokens, row: _Row) -> Said:
    text, logprobs = tokens.text(row.tokens), tuple(row.logprobs)
    cuts = [at for stop in row.prompt.stop if (at := text.find(stop)) >= 0]
    if cuts:
        text, logprobs = text[: min(cuts)], _within(logprobs, min(cuts))
    confidence = round(float(np.exp(row.total / len(row.tokens))), _DIGITS)
    return Said(text, logprobs, row.finish, min(1.0, confidence))


def _within(logprobs: tuple[TokenLogprob, ...], length: int) -> tuple[TokenLogprob, ...]:
    """The tokens that begin within so many characters."""
    at, kept = 0, []
    for one in logprobs:
        if at >= length:
            break
        kept.append(one)
        at += len(one.token)
    return tuple(kept)


def _log_softmax(scores: Floats) -> Floats:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
