"""How far an experiment is: counts, what was spent, how fast it goes and when it will end."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maieutic.memory import Event
from maieutic.runs.experiments.results import Result
from maieutic.runs.experiments.store import LASTING, Counts, Tally

__all__ = ["Progress"]

_ADDED = ("calls", "tokens", "usd", "unpriced", "replayed", "finished")
_WINDOW = 30.0
"""Seconds over which the rate is taken."""


@dataclass(slots=True)
class Progress:
    """What an experiment tells while it goes on; read it whenever you like.

    Attributes:
        experiment: Its name.
        counts: Tallies by condition, those of earlier executions included.
        flying: Dialogues in flight here, by condition.
        calls, tokens, usd: Of this execution, calls in flight dialogues included; calls that the journal answered not.
        unpriced: Of these calls, those whose price is unknown.
        replayed: Calls that the journal answered.
        scores: Sum and number of the values of this execution by condition and scorer.
        filling: Whether items are still being read.
        errors: Messages of failed dialogues of this execution, with their numbers.
    """

    experiment: str
    counts: dict[str, Tally] = field(default_factory=dict)
    flying: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    replayed: int = 0
    simulated: bool = False
    scores: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    filling: bool = False
    errors: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    finished: int = 0
    _ends: deque[float] = field(default_factory=lambda: deque(maxlen=4096))

    @property
    def total(self) -> Tally:
        """All conditions together."""
        whole = Tally()
        for tally in self.counts.values():
            whole += tally
        return whole

    @property
    def seconds(self) -> float:
        """Since this execution began."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Dialogues that ended per second, lately."""
        now = time.monotonic()
        lately = [end for end in self._ends if end > now - _WINDOW]
        span = min(_WINDOW, now - self.started)
        if len(self._ends) == self._ends.maxlen and len(lately) == len(self._ends):
            span = now - lately[0]
        return len(lately) / span if span > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds until the end at this rate; None if that cannot be told yet."""
        total, rate = self.total, self.rate
        left = total.waiting + total.claimed
        return None if self.filling or not rate else left / rate

    def planned(self, counts: Counts) -> None:
        """Take what the store counts; what has ended here since stays counted."""
        self.counts = dict(counts)

    def recounted(self, result: Result) -> None:
        """Count a result that the store has not counted yet."""
        if result.status in LASTING:
            self._count(result)

    def _count(self, result: Result) -> None:
        tally = self.counts.get(result.condition, Tally())
        from_ = "claimed" if tally.claimed else "waiting"
        left = {from_: max(0, getattr(tally, from_) - 1)}
        self.counts[result.condition] = replace(tally + _tally(result), **left)

    def began(self, condition: str) -> None:
        """A dialogue took off."""
        self.flying[condition] += 1

    def left(self, condition: str) -> None:
        """A dialogue is over or given back."""
        self.flying[condition] -= 1

    def ended(self, result: Result) -> None:
        """Count a result."""
        if result.status not in LASTING:
            return
        self.finished += 1
        self._ends.append(time.monotonic())
        self.simulated = self.simulated or result.simulated
        self._count(result)
        for name, value in result.scores.items():
            if value is not None:
                sums = self.scores.setdefault((result.condition, name), [0.0, 0.0])
                sums[0] += value
                sums[1] += 1
        if result.status == "failed":
            self.errors[result.error or result.reason] += 1

    def listening(self) -> Callable[[Event], None]:
        """Counts the calls of a dialogue."""

        def note(event: Event) -> None:
            if event.kind == "call":
                self._call(event.data)

        return note

    # -- of several workers -------------------------------------------------------------------------------------

    def told(self) -> dict[str, Any]:
        """What this process has done, for whoever adds several up (`gathered`)."""
        return {name: getattr(self, name) for name in (*_ADDED, "flying", "errors", "scores", "simulated")}

    def gathered(self, counts: Counts, parts: Sequence[Mapping[str, Any]]) -> None:
        """Take what the store counts, and what each of several workers told last."""
        before, self.counts = self.total.over, dict(counts)
        for name in _ADDED:
            setattr(self, name, sum(part[name] for part in parts))
        self.flying = sum((part["flying"] for part in parts), Counter())
        self.errors = sum((part["errors"] for part in parts), Counter())
        self.simulated = any(part["simulated"] for part in parts)
        scores: dict[tuple[str, str], list[float]] = {}
        for part in parts:
            for key, (total, n) in part["scores"].items():
                sums = scores.setdefault(key, [0.0, 0.0])
                sums[:] = sums[0] + total, sums[1] + n
        self.scores = scores
        self._ends.extend([time.monotonic()] * (self.total.over - before))

    def _call(self, data: Mapping[str, Any]) -> None:
        if data.get("from_journal"):
            self.replayed += 1
            return
        self.calls += 1
        usage, usd = data.get("usage") or {}, data.get("usd")
        self.tokens += (usage.get("prompt") or 0) + (usage.get("completion") or 0)
        self.usd += usd or 0.0
        self.unpriced += usd is None


def _tally(result: Result) -> Tally:
    done = {result.status: 1}
    return Tally(
        calls=result.calls, tokens=result.tokens, usd=result.usd or 0.0, unpriced=int(result.usd is None), **done
    )
