"""The recorded runs that training data is made of, with what an experiment knows of them: item, target, scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.memory import RunRecord
from maieutic.memory.answers import same
from maieutic.protocols.trees.tree import Tree
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.results import Result, Results

if TYPE_CHECKING:
    from maieutic.memory import Journal
    from maieutic.protocols.router_r1.outcome import RouterR1Outcome

__all__ = ["Source", "of_experiment", "of_runs", "trees_in"]

_BROKEN = frozenset(("failed", "cancelled"))


@dataclass(frozen=True)
class Source:
    """A recorded run, and what is known of it.

    Attributes:
        record: The run.
        journal: Where its replies stand; without it, only what its outcome holds can be exported.
        result, item: What it is in an experiment, if it is part of one.
    """

    record: RunRecord
    journal: Journal | None = None
    result: Result | None = None
    item: SampleItem | None = None

    @property
    def outcome(self) -> Mapping[str, Any]:
        """The protocol's outcome as plain JSON; empty if the run never closed."""
        return (self.record.outcome or {}).get("outcome") or {}

    @property
    def broken(self) -> bool:
        """Whether it failed, was cancelled or never closed: what it came to is no outcome."""
        return self.record.status in _BROKEN or not self.outcome

    @property
    def question(self) -> str:
        """What it was about: the item's question, the outcome's question or topic, the inputs, or how it began."""
        if self.item is not None:
            return self.item.question
        told = self.outcome.get("question") or self.outcome.get("topic")
        if told:
            return str(told)
        opening = next((str(turn["content"]) for turn in self.outcome.get("transcript") or ()), self.record.name)
        return SampleItem("", dict(self.record.definition.get("inputs") or {})).question or opening

    @property
    def task(self) -> str:
        """What lies in one split as a whole: the item's group, if the data set names groups, else the question."""
        return self.item.group if self.item is not None and self.item.group else self.question

    @property
    def accepted(self) -> tuple[str, ...]:
        """The right answers: the item's target, or those that the run was given."""
        if self.result is not None and self.result.target:
            return self.result.target
        inputs = self.record.definition.get("inputs") or {}
        known = self.outcome.get("accepted") or inputs.get("accepted") or ()
        return (known,) if isinstance(known, str) else tuple(map(str, known))

    @cached_property
    def episode(self) -> RouterR1Outcome | None:
        """The routing episode that it is, if it is one."""
        if not {"segments", "reward", "prompt"} <= self.outcome.keys():
            return None
        from maieutic.protocols.router_r1.outcome import RouterR1Outcome

        return RouterR1Outcome.model_validate(dict(self.outcome))

    @cached_property
    def scores(self) -> Mapping[str, float | None]:
        """Its scores by name: the experiment's, an episode's `reward`, and `exact_match` where right answers are known.

        The first is the one that counts if none is named.
        """
        found: dict[str, float | None] = dict(self.result.scores) if self.result is not None else {}
        if self.episode is not None:
            found.setdefault("reward", self.episode.reward.total)
        answer = (self.record.outcome or {}).get("answer") or self.outcome.get("answer")
        if self.accepted and answer is not None:
            found.setdefault("exact_match", float(is_accepted(self.accepted, answer)))
        return found

    def score(self, scorer: str | None) -> tuple[str | None, float | None]:
        """The name and value of a score: of that scorer, or of the first there is; None where there is none."""
        name = scorer if scorer is not None else next(iter(self.scores), None)
        return name, None if name is None else self.scores.get(name)

    @property
    def facts(self) -> dict[str, Any]:
        """The columns that say where a row comes from."""
        result = self.result
        return {
            "run": self.record.id,
            "experiment": None if result is None else result.experiment,
            "condition": None if result is None else result.condition,
            "item": None if result is None else result.item,
            "repeat": None if result is None else result.repeat,
        }


def is_accepted(accepted: Sequence[str], answer: object) -> bool:
    """Whether an answer says the same as one of the right ones."""
    return any(same(str(answer), each) for each in accepted)


def of_experiment(journal: Journal, results: Results) -> Iterator[Source]:
    """The runs of an experiment's results, streamed; runs that are not in the journal any more are passed over."""
    for result in results:
        if journal.holds(result.run_id):
            yield Source(journal.run(result.run_id), journal, result, results.item(result.item))


def of_runs(journal: Journal, records: Sequence[RunRecord], store: Path | str | None = None) -> Iterator[Source]:
    """Recorded runs; those of experiments in the store (the journal's own, if left out) know their item and scores."""
    from maieutic.runs.experiments.store import is_there

    place = store if store is not None else journal.place
    known = {} if place is None or not is_there(place) else _results(place, {record.id for record in records})
    for record in records:
        result, item = known.get(record.id, (None, None))
        yield Source(record, journal, result, item)


def trees_in(record: RunRecord) -> Iterator[tuple[str, Tree]]:
    """The dialogue trees in a run's outcome, with the keys under which they stand there, joined by dots."""
    outcome = (record.outcome or {}).get("outcome")
    for path, raw in _trees(outcome, ()):
        yield ".".join(path), Tree.from_json(raw)


def _results(place: Path | str, wanted: set[str]) -> dict[str, tuple[Result, SampleItem | None]]:
    from maieutic.runs.experiments.store import store_at

    store: Any = store_at(place)
    try:
        return {
            result.run_id: (result, store.item(name, result.item))
            for name in store.names()
            for result in Results(store, name)
            if result.run_id in wanted
        }
    finally:
        store.close()


def _trees(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        if path and path[-1] == "tree" and {"question", "nodes"} <= value.keys():
            yield path, value
            return
        for key, each in value.items():
            yield from _trees(each, (*path, str(key)))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _trees(each, (*path, str(number)))
