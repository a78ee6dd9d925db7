"""Asking again, where that can help."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from maieutic.backends.types import Attempt, LLMReply, LLMRequest, TextDelta, TextSink
from maieutic.errors import ModelError
from maieutic.memory import Emit, Event, silent

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from maieutic.backends.layers import Layer

__all__ = ["LONGEST_WAIT", "CallFailed", "Retried"]

LONGEST_WAIT = 300.0
"""Seconds. An endpoint that asks for a longer wait (a daily quota) has said no: the call fails at once."""

LEAST_WAIT = 0.25
"""Seconds that are waited before any attempt but the first."""

FIRST_WAIT = 1.0
"""Most seconds before the second attempt, doubled for each further one; the wait is drawn evenly from below that."""

LONGEST_BACKOFF = 30.0
"""Seconds between attempts that no Retry-After prolongs."""

HELD_BACK = 8
"""How often the circuit breaker may hold a call back before it fails: some minutes, if the endpoint stays down."""

_ADVICE = {
    "rate_limit": "Lower this model's `max_concurrency`, raise its `retries`, or try again later.",
    "timeout": "Raise this model's `timeout`, or ask for a shorter reply (`max_tokens`).",
    "connection": "`maieutic doctor` probes the endpoint.",
    "circuit_open": "The endpoint failed many times in a row; see that it is up (`maieutic doctor`), then resume.",
}
_OTHER_ADVICE = "`maieutic doctor` probes the endpoint; raise this model's `retries` if it recovers by itself."


class CallFailed(ModelError):
    """A call that failed for good.

    Attributes:
        attempts: Every try, in order; at least one.
        shared: Whether another sample's call failed with the same attempts and is counted for both.
    """

    def __init__(self, message: str, cause: ModelError, attempts: Sequence[Attempt], *, shared: bool = False) -> None:
        super().__init__(
            message,
            kind=cause.kind,
            retryable=cause.retryable,
            retry_after=cause.retry_after,
            status=cause.status,
        )
        self.attempts = tuple(attempts)
        self.shared = shared


class Retried:
    """Repeats failed attempts that can succeed, with exponential backoff, jitter, and Retry-After as the least wait.

    It stands *around* the limiter, so that a call that waits for its next attempt holds no slot of the endpoint, and so
    that the limiter sees every 429.

    Args:
        inner: What makes one attempt.
        emit: Told a "retry" event for each failed attempt that will be repeated.
        clock: Seconds, monotonic.
        sleep: How to wait.
    """

    def __init__(
        self,
        inner: Layer,
        *,
        emit: Emit = silent,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inner = inner
        self._emit = emit
        self._clock = clock
        self._sleep = sleep

    async def __call__(self, request: LLMRequest, on_text: TextSink | None = None) -> LLMReply:
        """Answer, in at most `request.model.retries + 1` attempts.

        Raises:
            CallFailed: No attempt succeeded, or one failed in a way that repeating cannot help.
        """
        failed: list[Attempt] = []

        async def attempt() -> LLMReply:
            began = self._clock()
            try:
                return await self._inner(request, on_text)
            except ModelError as error:
                failed.append(Attempt(error.kind, self._clock() - began, str(error)))
                raise

        start = self._clock()
        try:
            return await attempt()  # where it succeeds, as most do, no policy is needed
        except ModelError as error:
            first = error
        try:
            reply = await self._repeated(first, attempt, request, failed, on_text)
        except ModelError as error:
            raise CallFailed(_summary(request, error, failed), error, failed) from error
        return replace(reply, failed=tuple(failed), seconds=self._clock() - start)

    async def _repeated(
        self,
        first: ModelError,
        attempt: Callable[[], Awaitable[LLMReply]],
        request: LLMRequest,
        failed: Sequence[Attempt],
        on_text: TextSink | None,
    ) -> LLMReply:
        """Attempt again by the policy, whose first attempt was made already and failed."""
        from tenacity import AsyncRetrying, retry_if_exception

        made = [first]

        async def next_attempt() -> LLMReply:
            if made:
                raise made.pop()
            return await attempt()

        def again(state: RetryCallState) -> None:
            self._emit(_retry_event(request, failed[-1], state))
            if on_text is not None:
                on_text(TextDelta("", restart=True))

        policy = AsyncRetrying(
            stop=lambda _: _enough(failed, request.model.retries + 1),
            retry=retry_if_exception(_worth_repeating),
            wait=_wait,
            before_sleep=again,
            sleep=self._sleep,
            reraise=True,
        )
        reply: LLMReply = await policy(next_attempt)
        return reply


def _enough(failed: Sequence[Attempt], attempts: int) -> bool:
    """Whether to give up. What the circuit breaker held back never reached the endpoint, and has a bound of its own."""
    held_back = sum(attempt.kind == "circuit_open" for attempt in failed)
    return attempts == 1 or len(failed) - held_back >= attempts or held_back >= HELD_BACK


def _worth_repeating(error: BaseException) -> bool:
    return isinstance(error, ModelError) and error.retryable and (error.retry_after or 0.0) <= LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    """Backoff with jitter, but never less than the endpoint asked for."""
    from tenacity import wait_random_exponential

    backoff = wait_random_exponential(min=LEAST_WAIT, multiplier=FIRST_WAIT, max=LONGEST_BACKOFF)(state)
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ModelError) else None
    return max(backoff, asked or 0.0)


def _retry_event(request: LLMRequest, failed: Attempt, state: RetryCallState) -> Event:
    data = {
        "agent": request.agent,
        "model": request.model.model,
        "kind": failed.kind,
        "message": failed.message,
        "attempt": state.attempt_number,
        "wait": state.upcoming_sleep,
    }
    return Event("retry", request.address.local, data)


def _summary(request: LLMRequest, last: ModelError, failed: Sequence[Attempt]) -> str:
    if len(failed) == 1 and not last.retryable:
        return str(last)
    model = request.model
    where = f" at {model.api_base or ', '.join(model.replicas)}" if model.api_base or model.replicas else ""
    times = "once" if len(failed) == 1 else f"{len(failed)} times"
    kinds = ", ".join(f"{kind} ×{n}" for kind, n in Counter(a.kind for a in failed).items())
    waits = f" The endpoint asks to wait {last.retry_after:.0f} s." if (last.retry_after or 0.0) > LONGEST_WAIT else ""
    advice = _ADVICE.get(last.kind, _OTHER_ADVICE)
    return f"{model.model}{where} failed {times} ({kinds}); the last time: {last}{waits} {advice}"
