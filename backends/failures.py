"""Everything that can go wrong at an endpoint, as one ModelError that says what, where, and what to do."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from maieutic.errors import ModelError

__all__ = ["Endpoint", "failure", "http_failure", "retry_after", "whole_message"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a call goes, as far as messages tell it. The key is here only to be kept out of them.

    Attributes:
        model: The model string as the user wrote it.
        address: The endpoint's address, or the provider's name if that is all we know.
        variables: The environment variables in which the key is looked for.
        key: The key, blotted out of every message.
    """

    model: str
    address: str
    variables: tuple[str, ...]
    key: str | None = field(default=None, repr=False)

    def blot(self, text: str) -> str:
        """The text without the key."""
        return text.replace(self.key, "***") if self.key and len(self.key) >= _SHORTEST_KEY else text


_SHORTEST_KEY = 4
"""Shorter "keys" are placeholders for local servers; blotting them out would only spoil the message."""

_LONGEST = 400
"""Characters of a provider's own words that a message quotes."""

_KINDS = {401: "auth", 403: "auth", 404: "not_found", 408: "timeout", 429: "rate_limit", 504: "timeout"}
_RETRYABLE = frozenset({"rate_limit", "timeout", "connection", "server", "truncated", "malformed"})

_CONTEXT = re.compile(
    r"context.?(length|window)|maximum context|prompt is too long|too many tokens|input is too long"
    r"|exceeds? the maximum number of tokens|exceeds? the (model'?s )?max",
    re.IGNORECASE,
)
_FILTER = re.compile(r"content.?(filter|policy|management)|safety system|flagged", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|credit balance is too low", re.IGNORECASE)


def http_failure(endpoint: Endpoint, status: int, text: str, headers: Mapping[str, str]) -> ModelError:
    """The error for an HTTP status of 400 or more.

    Args:
        endpoint: Where.
        status: The HTTP status.
        text: The body, or the provider's message.
        headers: The response's headers, in any case.
    """
    kind = _kind(status, text)
    spent = kind == "rate_limit" and _QUOTA.search(text) is not None
    return failure(
        endpoint,
        kind,
        f"HTTP {status}: {whole_message(text)}",
        status=status,
        retry_after=retry_after(headers),
        retryable=False if spent else None,
    )


def failure(
    endpoint: Endpoint,
    kind: str,
    what: str,
    *,
    status: int | None = None,
    retry_after: float | None = None,
    retryable: bool | None = None,
) -> ModelError:
    """A ModelError of one kind; `retryable` follows from the kind if left out."""
    hint = _hint(endpoint, kind)
    told = endpoint.blot(what.strip())
    told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"
    return ModelError(
        f"{endpoint.model} at {endpoint.address}: {told}{'' if told.endswith(('.', '!', '…')) else '.'}{hint}",
        kind=kind,
        retryable=kind in _RETRYABLE if retryable is None else retryable,
        retry_after=retry_after,
        status=status,
    )


def _kind(status: int, text: str) -> str:
    if status in _KINDS:
        return _KINDS[status]
    if status >= 500 or status == 409:
        return "server"
    if _CONTEXT.search(text):
        return "context_window"
    return "content_filter" if _FILTER.search(text) else "bad_request"


def _hint(endpoint: Endpoint, kind: str) -> str:
    if kind == "auth" and endpoint.variables:
        return f" Put a valid key into the environment variable {' or '.join(endpoint.variables)}."
    return {
        "not_found": " Check the model's name and the address (api_base).",
        "context_window": " Shorten the dialogue, or use a model with a longer context.",
        "connection": " Check that the endpoint is up and the address (api_base) is right.",
        "timeout": " Raise the model's `timeout` if it needs longer.",
    }.get(kind, "")


def whole_message(text: str) -> str:
    """A provider's words out of the error body they come in, or the text itself."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.strip() or "no explanation"
    found = _message(body[0] if isinstance(body, list) and body else body)
    return found or text.strip()


def _message(body: Any) -> str | None:
    if isinstance(body, str):
        return body
    if not isinstance(body, dict):
        return None
    for name in ("message", "error", "detail"):
        found = _message(body.get(name))
        if found:
            return found
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or from `Retry-After` as seconds or as an HTTP date; None if not told."""
    lower = {name.lower(): value for name, value in headers.items()}
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            return max(0.0, float(lower[name]) * scale)
        except (KeyError, ValueError):
            continue
    try:
        return max(0.0, parsedate_to_datetime(lower["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None
