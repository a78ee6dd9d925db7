"""What an experiment came to, dialogue by dialogue: the contract between running, scoring, statistics and reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from maieutic.runs.experiments.items import SampleItem

__all__ = ["Kept", "Result", "ResultSource", "Results"]


@dataclass(frozen=True, slots=True)
class Result:
    """One dialogue of an experiment: one item under one condition, once.

    Attributes:
        experiment, condition, item: Names.
        repeat: From 0.
        seed: Of everything drawn at random; the same for all conditions of an item's repeat.
        run_id: The run in the journal: its transcript, its calls, its replay.
        status: How the run ended (see maieutic.runs.endings.Status): "done", "failed" and "stopped" stay, others go on
            when the experiment is resumed.
        reason: Why it ended: "answered", "agreed", "budget", "failed:rate_limit", ….
        answer: What it came to, if it came to anything.
        target: The item's accepted answers.
        scores: Value by scorer, from 0 (wrong) to 1 (right); None where a scorer cannot tell. What a scorer says
            beside its value stands in `extra["scores"][scorer]` ("why", "data").
        calls: Calls that were answered, those of earlier executions included.
        tokens_in, tokens_out: As reported; calls whose endpoint reported none count 0 (see `extra["unknown_usage"]`).
        usd: US dollars, or None if the price of any call is unknown.
        seconds: Wall-clock time of the execution that ended it.
        error: The message of what cut it short, if anything did.
        group: What belongs together when intervals are drawn: the item, or the group that the data set names.
        family: The item's family, or "".
        simulated: Whether simulated minds answered.
        extra: Anything else, plain JSON.
    """

    experiment: str
    condition: str
    item: str
    repeat: int
    seed: int
    run_id: str
    status: str
    reason: str = ""
    answer: str | None = None
    target: tuple[str, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = 0.0
    seconds: float = 0.0
    error: str | None = None
    group: str = ""
    family: str = ""
    simulated: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.tokens_in + self.tokens_out

    def scored(self, scores: Mapping[str, float | None], notes: Mapping[str, Any] | None = None) -> Result:
        """The same with other scores; `notes` is what the scorers say beside their values, by scorer."""
        extra = {**self.extra, "scores": dict(notes)} if notes is not None else self.extra
        return replace(self, scores=dict(scores), extra=extra)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, every field under its name."""
        return {**asdict(self), "target": list(self.target)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Result:
        """The result that `to_json` wrote."""
        return cls(**{**raw, "target": tuple(raw.get("target", ()))})


class ResultSource(Protocol):
    """Where results are kept: a store of experiments (SQLite, PostgreSQL), or a list."""

    def conditions(self, experiment: str) -> Sequence[str]:
        """The names of an experiment's conditions, in the order of its file."""
        ...

    def results(self, experiment: str, *, condition: str | None, status: str | None) -> Iterator[Result]:
        """The results that belong to the experiment as it now stands, by item, repeat and condition; streamed."""
        ...

    def count(self, experiment: str, *, condition: str | None, status: str | None) -> int:
        """How many `results` would give."""
        ...

    def item(self, experiment: str, item_id: str) -> SampleItem | None:
        """An item of the experiment, as it was when it was run."""
        ...

    def rescore(self, results: Sequence[Result]) -> None:
        """Write the scores of results (and `extra["scores"]`) over those that are kept."""
        ...


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one experiment, or a part of them. Iterating reads them anew each time, a page at a time.

    Attributes:
        source: Where they are kept.
        experiment: Its name.
        condition, status: What they are restricted to, or None.
    """

    source: ResultSource
    experiment: str
    condition: str | None = None
    status: str | None = None

    @classmethod
    def of(cls, results: Iterable[Result], items: Iterable[SampleItem] = ()) -> Results:
        """Results held in memory, all of one experiment."""
        kept = Kept(list(results), {item.id: item for item in items})
        return cls(kept, kept.all[0].experiment if kept.all else "")

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions that they come from, in the order of the experiment's file."""
        return (self.condition,) if self.condition is not None else tuple(self.source.conditions(self.experiment))

    def where(self, *, condition: str | None = None, status: str | None = None) -> Results:
        """Only those of a condition, or of a status."""
        return replace(self, condition=condition or self.condition, status=status or self.status)

    def item(self, item_id: str) -> SampleItem | None:
        """An item, as it was when it was run."""
        return self.source.item(self.experiment, item_id)

    def rescore(self, results: Sequence[Result]) -> None:
        """Write new scores over those that are kept; it may be called while iterating."""
        self.source.rescore(results)

    def __iter__(self) -> Iterator[Result]:
        return self.source.results(self.experiment, condition=self.condition, status=self.status)

    def __len__(self) -> int:
        return self.source.count(self.experiment, condition=self.condition, status=self.status)


@dataclass(slots=True)
class Kept:
    """Results in a list: a source for tests, and for results that were read from a file.

    Attributes:
        all: The results.
        items: Their items by id, where known.
    """

    all: list[Result]
    items: Mapping[str, SampleItem] = field(default_factory=dict)

    def conditions(self, experiment: str) -> Sequence[str]:
        """See ResultSource."""
        return list(dict.fromkeys(r.condition for r in self.all))

    def results(self, experiment: str, *, condition: str | None, status: str | None) -> Iterator[Result]:
        """See ResultSource."""
        return iter([r for r in self.all if condition in (None, r.condition) and status in (None, r.status)])

    def count(self, experiment: str, *, condition: str | None, status: str | None) -> int:
        """See ResultSource."""
        return sum(1 for _ in self.results(experiment, condition=condition, status=status))

    def item(self, experiment: str, item_id: str) -> SampleItem | None:
        """See ResultSource."""
        return self.items.get(item_id)

    def rescore(self, results: Sequence[Result]) -> None:
        """See ResultSource."""
        new = {result.run_id: result for result in results}
        self.all = [
            old.scored(new[old.run_id].scores, new[old.run_id].extra.get("scores")) if old.run_id in new else old
            for old in self.all
        ]
