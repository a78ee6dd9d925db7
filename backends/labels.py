"""How likely a model finds each of a few labels as its answer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from maieutic.backends.types import LLMRequest, TokenLogprob
from maieutic.errors import ModelError, ReplyError, UsageError

if TYPE_CHECKING:
    from maieutic.backends.gateway import Gateway

__all__ = ["LabelProbabilities", "from_logprobs", "from_samples", "label_probabilities"]

TOP = 20
"""Alternatives asked for at each token; no common provider gives more."""

_UNCLEAR = 0.05
"""Most probability mass that may lie on tokens with which several labels begin, before samples are taken instead."""

_EDGES = " \t\r\n\"'`*_()[]{}<>.,:;!?▁Ġ"
_SPACES = str.maketrans("▁Ġ", "  ")  # as tokenizers write the space before a word


@dataclass(frozen=True, slots=True)
class LabelProbabilities:
    """A distribution over labels.

    Attributes:
        probabilities: By label; they sum to 1.
        source: "logprobs": read off the model's distribution at the answer position; "samples": counted.
        mass: How much of the model's probability (or which part of the samples) fell on the labels at all, 0 to 1. A
            low value says that the model wanted to answer something else.
    """

    probabilities: Mapping[str, float]
    source: Literal["logprobs", "samples"]
    mass: float


async def label_probabilities(
    gateway: Gateway, request: LLMRequest, labels: Sequence[str], *, samples: int, sampled: bool
) -> LabelProbabilities:
    """See `Gateway.label_probabilities`; with `sampled`, samples are taken without trying log-probabilities first."""
    if len({_plain(label) for label in labels}) < max(2, len(labels)) or not all(_plain(label) for label in labels):
        raise UsageError(f"Labels must be two or more, different and not empty, whatever their case: {list(labels)}.")
    if samples < 1:
        raise UsageError(f"A distribution cannot be estimated from {samples} samples.")
    found = None if sampled else await _read_off(gateway, request, labels)
    if found is not None:
        return found
    # Independent samples at temperature 1: that is the distribution which log-probabilities tell.
    replies = await gateway.samples(replace(request, temperature=1.0, logprobs=None), samples)
    return from_samples([reply.text for reply in replies], labels, request)


def from_logprobs(tokens: Sequence[TokenLogprob], labels: Sequence[str]) -> LabelProbabilities | None:
    """The distribution at the answer position: the first token from which on the reply says a label.

    The alternatives at that token are compared with the labels without case and surrounding punctuation; all spellings
    of a label add up. None if no token begins a label, or if several labels begin alike.
    """
    token = _answer_position(tokens, labels)
    if token is None:
        return None
    sums, unclear = dict.fromkeys(labels, 0.0), 0.0
    for text, logprob in {token.token: token.logprob, **token.top}.items():
        matches = _beginning(text, labels)
        if len(matches) == 1:
            sums[matches[0]] += _probability(logprob)
        elif matches:
            unclear += _probability(logprob)
    mass = sum(sums.values())
    if unclear > _UNCLEAR or mass <= 0.0:
        return None
    return LabelProbabilities({label: p / mass for label, p in sums.items()}, "logprobs", min(1.0, mass))


def from_samples(texts: Sequence[str], labels: Sequence[str], request: LLMRequest) -> LabelProbabilities:
    """Relative frequencies of the labels among replies; a reply counts if it names exactly one label.

    Raises:
        ReplyError: No reply names a label.
    """
    counts = dict.fromkeys(labels, 0)
    for text in texts:
        named = _named(text, labels)
        if named is not None:
            counts[named] += 1
    hits = sum(counts.values())
    if not hits:
        raise ReplyError(
            f"None of {len(texts)} replies of {request.model.model} at {request.address} named exactly one of the "
            f"labels {', '.join(labels)}. Ask in the prompt for nothing but a label.",
            text=texts[-1],
        )
    return LabelProbabilities({label: n / hits for label, n in counts.items()}, "samples", hits / len(texts))


def _answer_position(tokens: Sequence[TokenLogprob], labels: Sequence[str]) -> TokenLogprob | None:
    """The "I" of "I think so" may begin the label "Italy", but what follows shows that it does not."""
    for place, token in enumerate(tokens):
        if matches := _beginning(token.token, labels):
            said = _plain("".join(t.token for t in tokens[place:]).translate(_SPACES))
            if any(said.startswith(_plain(label)) or _plain(label).startswith(said) for label in matches):
                return token
    return None


def _probability(logprob: float) -> float:
    """What a logarithm stands for, 0 to 1, whatever number an endpoint sends."""
    return 0.0 if math.isnan(logprob) else math.exp(min(0.0, logprob))


async def _read_off(gateway: Gateway, request: LLMRequest, labels: Sequence[str]) -> LabelProbabilities | None:
    """By log-probabilities, or None where the endpoint gives none or refuses the request for them.

    Raises:
        ModelError: So it is, and the model's settings rule samples out.
    """
    try:
        reply = await gateway.complete(replace(request, logprobs=TOP))
    except ModelError as error:
        if error.kind != "bad_request":
            raise
        if request.model.logprobs == "required":
            raise _lacking(request, f"refuses to give log-probabilities ({error})") from error
        return None
    if not reply.logprobs and request.model.logprobs == "required":
        raise _lacking(request, "gives no log-probabilities")
    return from_logprobs(reply.logprobs, labels) if reply.logprobs else None


def _lacking(request: LLMRequest, what: str) -> ModelError:
    spec = request.model
    where = f" at {spec.api_base or ', '.join(spec.replicas)}" if spec.api_base or spec.replicas else ""
    words = (
        f"{spec.model}{where} {what}; the probabilities of labels at {request.address} need them, because the model "
        "says `logprobs: required`. Leave that out, and they are counted over samples, or serve the model where "
        "`maieutic doctor` finds log-probabilities."
    )
    return ModelError(words, kind="bad_request")


def _plain(text: str) -> str:
    return text.strip(_EDGES).casefold()


def _beginning(token: str, labels: Sequence[str]) -> list[str]:
    """The labels that the token is, or else with which it can begin."""
    plain = _plain(token)
    if not plain:
        return []
    same = [label for label in labels if _plain(label) == plain]
    return same or [label for label in labels if _plain(label).startswith(plain)]


def _named(text: str, labels: Sequence[str]) -> str | None:
    plain = _plain(text)
    same = [label for label in labels if _plain(label) == plain]
    if same:
        return same[0]
    whole = [lb for lb in labels if re.search(rf"(?<!\w){re.escape(_plain(lb))}(?!\w)", plain)]
    longest = [lb for lb in whole if not any(lb != other and _plain(lb) in _plain(other) for other in whole)]
    return longest[0] if len(longest) == 1 else None
