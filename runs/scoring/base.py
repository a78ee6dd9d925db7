"""What every scorer is: it reads a run that is over and the item that it was about, and gives a number with its why."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from maieutic.errors import UsageError
from maieutic.memory import Transcript
from maieutic.runs.experiments.items import SampleItem

if TYPE_CHECKING:
    from maieutic.backends import Place
    from maieutic.memory import Journal, RunRecord
    from maieutic.runs.result import Run

__all__ = ["Needs", "PairScorer", "RecordedRun", "SampleItem", "Score", "Scorer", "scorer_digest"]

Needs = Literal["nothing", "models", "pairs"]
"""What a scorer works with besides run and item: nothing, models that judge, or also another condition's run."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run that is over, as a scorer reads it.

    Attributes:
        id: Its id in the store.
        answer: What it came to, or None.
        status, reason: How and why it ended (see `maieutic.runs.Run`).
        turns: Everything said, probes included.
        outcome: The protocol's outcome as plain JSON.
    """

    id: str
    answer: str | None = None
    status: str = "done"
    reason: str = ""
    turns: Transcript = field(default_factory=Transcript)
    outcome: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> RecordedRun:
        """A run that has just ended."""
        outcome = run.outcome.model_dump(mode="json")
        return cls(run.id, run.answer, run.status, run.reason, run.turns, outcome)

    @classmethod
    def read(cls, journal: Journal, record: RunRecord) -> RecordedRun:
        """A run from the journal; one that never closed has no answer, and what was said until then."""
        from maieutic.runs.history import transcript_of

        result = record.outcome or {}
        turns = transcript_of(journal, record)
        answer, outcome = result.get("answer"), result.get("outcome") or {}
        return cls(record.id, answer, record.status, record.reason or "", turns, outcome)


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer found.

    Attributes:
        value: From 0 (worst) to 1 (best), or None where the run cannot be scored (the item has no target).
        why: What decided it, in a few words.
        data: Everything else that is worth keeping (each judge's marks), as plain JSON.

    Raises:
        UsageError: The value is outside 0 to 1.
    """

    value: float | None
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.value is not None and not (math.isfinite(self.value) and 0 <= self.value <= 1):
            raise UsageError(
                f"a score lies between 0 and 1, or is None where nothing can be scored; not {self.value!r}"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is empty is left out."""
        return (
            {"value": self.value}
            | ({"why": self.why} if self.why else {})
            | ({"data": dict(self.data)} if self.data else {})
        )


@runtime_checkable
class Scorer(Protocol):
    """Scores one run. Where it asks models, it asks them at the place it is given, so that the journal keeps them."""

    @property
    def name(self) -> str:
        """Under which its scores stand."""
        ...

    @property
    def needs(self) -> Needs:
        """Only a scorer that needs nothing can be used while an experiment goes on and costs no call."""
        ...

    async def score(self, run: RecordedRun, item: SampleItem, at: Place | None) -> Score:
        """The score of a run.

        Args:
            run: The run.
            item: What it was about.
            at: Where in a run of the scoring's own a judge's calls stand; None only if it needs nothing.
        """
        ...


@runtime_checkable
class PairScorer(Protocol):
    """Scores a run beside another condition's run of the same item and repeat. `needs` is "pairs"."""

    @property
    def name(self) -> str:
        """Under which its scores stand."""
        ...

    @property
    def needs(self) -> Needs:
        """ "pairs"."""
        ...

    @property
    def against(self) -> str:
        """The condition that all others are compared with."""
        ...

    async def compare(self, run: RecordedRun, other: RecordedRun, item: SampleItem, at: Place) -> Score:
        """1 where the run is better than the other, 0 where it is worse, 0.5 where neither is."""
        ...


def scorer_digest(scorer: Scorer | PairScorer) -> str:
    """What a scorer is and how it is set, in 8 hex digits: two scorers that may score otherwise have different ones.

    A Python function is known by its name only: what stands in it may change unseen.
    """
    if isinstance(scorer, BaseModel):
        settings: Any = scorer.model_dump(mode="json", exclude={"name"})
    elif is_dataclass(scorer):
        settings = {each.name: getattr(scorer, each.name) for each in fields(scorer) if each.name != "name"}
    else:
        settings = vars(scorer) if hasattr(scorer, "__dict__") else {}
    told = json.dumps([_named(type(scorer)), settings], sort_keys=True, default=_named)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _named(value: Any) -> str:
    """A class or function by its name, anything else by the name of its class."""
    what = value if hasattr(value, "__qualname__") else type(value)
    return f"{what.__module__}.{what.__qualname__}"
