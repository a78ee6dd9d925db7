"""Leaving an endpoint alone that is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from maieutic.errors import ModelError

__all__ = ["Breaker"]

_DOWN = frozenset({"connection", "server", "timeout"})


class Breaker:
    """A circuit breaker: after many failures in a row, calls fail at once until a probe succeeds.

    Only failures that speak of the endpoint count: no connection, 5xx, no reply in time. Any other reply, a refusal
    included, shows that it lives. Every probe that fails doubles the time to the next one.

    Args:
        name: The endpoint, for messages.
        threshold: Failures in a row that open the circuit.
        cool: Seconds from opening to the first probe.
        longest: Most seconds between probes.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        name: str,
        *,
        threshold: int = 10,
        cool: float = 5.0,
        longest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._threshold = threshold
        self._first_cool = cool
        self._longest = longest
        self._clock = clock
        self._failures = 0
        self._cool = cool
        self._probe_at: float | None = None
        self._probing = False

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """Whether calls go through ("closed"), none does ("open"), or one may find out ("half_open")."""
        if self._probe_at is None:
            return "closed"
        return "open" if self._clock() < self._probe_at and not self._probing else "half_open"

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Let one attempt through and learn from how it ends.

        Raises:
            ModelError: kind "circuit_open", retryable, with the seconds to wait, if the endpoint is left alone.
        """
        probe = self._enter()
        try:
            yield
        except ModelError as error:
            if error.kind in _DOWN:
                self._failed(probe)
            else:
                self._alive()
            raise
        except BaseException:
            self._probing = self._probing and not probe  # a cancelled probe has shown nothing
            raise
        self._alive()

    def _enter(self) -> bool:
        if self._probe_at is None:
            return False
        wait = self._probe_at - self._clock()
        if self._probing or wait > 0:
            raise ModelError(
                f"{self._name} failed {self._failures} times in a row and is left alone for now.",
                kind="circuit_open",
                retryable=True,
                retry_after=self._cool if self._probing else wait,
            )
        self._probing = True
        return True

    def _alive(self) -> None:
        self._failures = 0
        self._cool = self._first_cool
        self._probe_at = None
        self._probing = False

    def _failed(self, probe: bool) -> None:
        self._failures += 1
        if probe:
            self._cool = min(self._longest, 2 * self._cool)
            self._probing = False
        elif self._probe_at is not None or self._failures < self._threshold:
            return
        self._probe_at = self._clock() + self._cool
