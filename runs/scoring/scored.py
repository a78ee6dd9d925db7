"""Scoring what was run: one run while an experiment goes on, or all recorded runs again, without running anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError
from maieutic.runs.scoring.base import PairScorer, RecordedRun, SampleItem, Score, Scorer, scorer_digest

if TYPE_CHECKING:
    from maieutic.backends import Budget, Place
    from maieutic.runs.experiments.results import Result, Results
    from maieutic.runs.workspace import Workspace

__all__ = ["Rescored", "check_against", "outdated", "scorable", "score_again", "score_run", "scores_run"]

WHYS = 10
"""How many different reasons are told for which a scorer could not tell."""
PAGE = 256
"""How many results are scored before their scores are written."""


@dataclass(slots=True)
class Rescored:
    """What scoring again came to.

    Attributes:
        scored: Runs that got a score of each scorer.
        unscored: By scorer, how many runs it could not tell about, by why.
        failures: By scorer, what the first judge that failed met.
        skipped: Results that are not over, failed without an answer, or whose run or item is gone.
        calls: Judges' calls that were answered by a model; those that the journal knew are not counted.
        usd: US dollars for them; None if a price is unknown.
    """

    scored: int = 0
    unscored: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    skipped: int = 0
    calls: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Rescored) -> Rescored:
        names = dict.fromkeys((*self.unscored, *other.unscored))
        unscored = {name: dict(Counter(self.unscored.get(name)) + Counter(other.unscored.get(name))) for name in names}
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        scored, skipped, calls = self.scored + other.scored, self.skipped + other.skipped, self.calls + other.calls
        return Rescored(scored, unscored, {**other.failures, **self.failures}, skipped, calls, usd)


def scores_run(experiment: str) -> str:
    """The id of the run in which the judges' calls of an experiment are journaled."""
    return f"{experiment}.scores"


async def score_run(
    scorers: Sequence[Scorer | PairScorer], run: RecordedRun, item: SampleItem, at: Place | None = None
) -> tuple[dict[str, float | None], dict[str, Any]]:
    """The scores of one run by the scorers that need no other run, and what they say beside the values, by scorer.

    Args:
        scorers: The scorers; those that compare pairs are left out, and without a place those that ask models.
        run, item: The run and its item.
        at: Where judges' calls stand.

    Raises:
        BudgetExceeded, WaitingForPerson: See maieutic.errors.
    """
    found: list[tuple[Scorer | PairScorer, Score]] = []
    for scorer in scorers:
        if isinstance(scorer, PairScorer) or (at is None and scorer.needs != "nothing"):
            continue
        found.append((scorer, await scorer.score(run, item, at)))
    return _told(found)


def check_against(scorers: Iterable[Scorer | PairScorer], conditions: Sequence[str]) -> None:
    """Check that every condition is there that a scorer compares with.

    Raises:
        UsageError: One is not.
    """
    for scorer in scorers:
        if isinstance(scorer, PairScorer) and scorer.against not in conditions:
            there = ", ".join(conditions)
            raise UsageError(f"there is no condition {scorer.against!r} to compare with; there are: {there}")


def scorable(status: str, answer: str | None) -> bool:
    """Whether a run can be scored: it is done, or was cut short and has an answer all the same."""
    return status == "done" or answer is not None


def outdated(scorers: Sequence[Scorer | PairScorer]) -> Callable[[Result], bool]:
    """Tells whether a result lacks the score of one of the scorers, or has one that was made with other settings."""
    digests = {scorer.name: scorer_digest(scorer) for scorer in scorers}

    def stale(result: Result) -> bool:
        notes = result.extra.get("scores", {})
        return scorable(result.status, result.answer) and any(
            notes.get(name, {}).get("as") != digest for name, digest in digests.items()
        )

    return stale


def _told(found: Iterable[tuple[Scorer | PairScorer, Score]]) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Values, and what is said beside them, by scorer; "as" tells with which settings they were made."""
    values, notes = {}, {}
    for scorer, score in found:
        said = score.to_json()
        values[scorer.name] = said.pop("value")
        notes[scorer.name] = {**said, "as": scorer_digest(scorer)}
    return values, notes


async def score_again(
    results: Results,
    scorers: Sequence[Scorer | PairScorer],
    workspace: Workspace,
    *,
    only: Callable[[Result], bool] = lambda result: True,
    concurrency: int = 32,
    budget: Budget | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Rescored:
    """Score recorded runs again and write the scores; no run is run. Scores of other scorers stay.

    Judges' calls are journaled in a run of their own (see `scores_run`): a judgement that was made once is not paid for
    again, so that scoring that was broken off goes on where it stopped.

    Args:
        results: Whose runs; all of one experiment.
        scorers: What scores them.
        workspace: The store with the runs, and the endpoints of the judges.
        only: Which of the results.
        concurrency: How many runs are scored at once.
        budget: What the judges may spend.
        on_progress: Told how many results have been dealt with.

    Raises:
        UsageError: A scorer compares with a condition that the experiment does not have.
        BudgetExceeded, WaitingForPerson: What ended it before its time; what was scored until then is written.
    """
    scoring = _Scoring(results, scorers, workspace, asyncio.Semaphore(concurrency))
    asks = any(scorer.needs != "nothing" for scorer in scorers)
    async with AsyncExitStack() as stack:
        if asks:
            scoring.at = await stack.enter_async_context(_judging(workspace, results.experiment, budget))
        dealt = 0
        for page in _pages(filter(only, results)):
            await scoring.page(page)
            dealt += len(page)
            on_progress(dealt)
    if scoring.at is not None:
        total = scoring.at.gateway.ledger.total
        scoring.done.calls = total.calls - total.from_journal
        scoring.done.usd = None if total.unknown_price else total.usd
    return scoring.done


@asynccontextmanager
async def _judging(workspace: Workspace, experiment: str, budget: Budget | None) -> AsyncGenerator[Place, None]:
    async with workspace.place(f"scores of {experiment}", run_id=scores_run(experiment), budget=budget) as at:
        yield at


def _pages(results: Iterator[Result]) -> Iterator[list[Result]]:
    while page := list(islice(results, PAGE)):
        yield page


class _Scoring:
    """One pass over an experiment's results."""

    def __init__(
        self,
        results: Results,
        scorers: Sequence[Scorer | PairScorer],
        workspace: Workspace,
        room: asyncio.Semaphore,
    ) -> None:
        self.results, self.scorers, self.workspace = results, scorers, workspace
        self.at: Place | None = None
        self.done = Rescored()
        self._room = room
        check_against(scorers, results.source.conditions(results.experiment))
        self._others = {s.against: self._runs_of(s.against) for s in scorers if isinstance(s, PairScorer)}

    def _runs_of(self, condition: str) -> dict[tuple[str, int], str]:
        """The runs of a condition by item and repeat."""
        every = replace(self.results, condition=condition, status=None)
        return {(result.item, result.repeat): result.run_id for result in every}

    async def page(self, page: Sequence[Result]) -> None:
        """Score some results and write the scores, also those that came before an error."""
        changed: list[Result] = []
        try:
            async with asyncio.TaskGroup() as group:
                for result in page:
                    group.create_task(self._one(result, changed))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        finally:
            if changed:
                self.results.rescore(changed)

    async def _one(self, result: Result, changed: list[Result]) -> None:
        async with self._room:
            run, item = self._run(result.run_id), self.results.item(result.item)
            if run is None or item is None or not scorable(result.status, result.answer):
                self.done.skipped += 1
                return
            found: list[tuple[Scorer | PairScorer, Score]] = []
            for scorer in self.scorers:
                score = await self._score(scorer, result, run, item)
                if score is not None:
                    found.append((scorer, score))
                    self._count(scorer.name, score)
            values, notes = _told(found)
            kept = {n: note for n, note in result.extra.get("scores", {}).items() if n not in values}
            changed.append(result.scored({**result.scores, **values}, {**kept, **notes}))
            self.done.scored += 1

    async def _score(
        self, scorer: Scorer | PairScorer, result: Result, run: RecordedRun, item: SampleItem
    ) -> Score | None:
        at = None if self.at is None else self.at / result.run_id
        if not isinstance(scorer, PairScorer):
            return await scorer.score(run, item, at)
        if result.condition == scorer.against:
            return None
        name = self._others[scorer.against].get((result.item, result.repeat))
        other = None if name is None else self._run(name)
        if other is None:
            return Score(None, f"{scorer.against} has no run of this item and repeat")
        assert at is not None
        return await scorer.compare(run, other, item, at)

    def _count(self, name: str, score: Score) -> None:
        for told in score.data.get("failed", {}).values():
            self.done.failures.setdefault(name, told["message"])
        if score.value is None:
            whys = self.done.unscored.setdefault(name, {})
            why = score.why if score.why in whys or len(whys) < WHYS else "for other reasons"
            whys[why] = whys.get(why, 0) + 1

    def _run(self, run_id: str) -> RecordedRun | None:
        journal = self.workspace.journal
        return RecordedRun.read(journal, journal.run(run_id)) if journal.holds(run_id) else None
