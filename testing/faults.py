"""What can go wrong on the wire, as small values that a loopback server acts out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Fault",
    "FaultPlan",
    "cut_body",
    "drop",
    "malformed",
    "slow",
    "status",
    "stream_error",
    "truncated",
]

FaultKind = Literal["status", "drop", "cut_body", "truncated", "malformed", "slow", "stream_error"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One misfortune of one request; made by the functions below.

    Attributes:
        kind: What happens.
        code: The HTTP status ("status"), or the code inside the error event ("stream_error").
        message: What the error body says; may quote anything, a key included.
        headers: Extra response headers.
        seconds: How long a "slow" reply waits before its first byte.
    """

    kind: FaultKind
    code: int = 500
    message: str = "injected fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


FaultPlan = Sequence[Fault | None] | Callable[[int], Fault | None]
"""Which request meets which fault: a list taken in order (None: a good reply; good replies after its end), or a
function of the request's number, counted from 0. Only chat requests are counted, not the list of models."""


def status(code: int, *, retry_after: float | str | None = None, message: str = "injected fault") -> Fault:
    """An HTTP error; `retry_after` is sent as the Retry-After header (seconds or an HTTP date)."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
    return Fault("status", code=code, message=message, headers=headers)


def drop() -> Fault:
    """The connection closes before any header is sent."""
    return Fault("drop")


def cut_body() -> Fault:
    """The connection breaks in the middle of the body: part of the JSON, or part of the event stream."""
    return Fault("cut_body")


def truncated() -> Fault:
    """A stream ends properly as HTTP, but without its finishing chunk. A reply that is not streamed is cut short."""
    return Fault("truncated")


def malformed() -> Fault:
    """HTTP 200 whose JSON does not parse; in a stream, one event whose JSON does not parse."""
    return Fault("malformed")


def slow(seconds: float) -> Fault:
    """A good reply, but late."""
    return Fault("slow", seconds=seconds)


def stream_error(code: int = 500, message: str = "injected fault") -> Fault:
    """A stream that starts well and then carries an error event. A reply that is not streamed gets the status."""
    return Fault("stream_error", code=code, message=message)
