"""One execution of an experiment: plan it, work, have judged what needs a judge, say what all came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from maieutic.errors import BudgetExceeded, JournalError, UsageError
from maieutic.runs.experiments.engine import Engine, Tolerance, too_many_failed
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.progress import Progress
from maieutic.runs.experiments.results import Results
from maieutic.runs.experiments.spending import Purse
from maieutic.runs.experiments.store import Counts, ExperimentStore, Plan, Tally
from maieutic.runs.scoring.scored import Rescored, outdated, score_again

if TYPE_CHECKING:
    from maieutic.runs.estimates import Estimate
    from maieutic.runs.experiments.experiment import Experiment
    from maieutic.runs.workspace import Workspace

__all__ = ["ExperimentRun", "Items", "Outlook", "Selection", "Work"]

Items = Iterator[tuple[int, SampleItem]] | None
"""Items to be added, with their positions; None if the store has them all."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The items that one execution is about.

    Attributes:
        limit: Only so many of the first.
        ids: Only these.
    """

    limit: int | None = None
    ids: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it selects all."""
        return self.limit is None and not self.ids

    def of(self, items: Iterable[SampleItem]) -> Iterator[tuple[int, SampleItem]]:
        """The selected items with their positions.

        Raises:
            UsageError: There is no item of one of the ids.
        """
        placed = enumerate(items)
        if not self.ids:
            return islice(placed, self.limit)
        return islice(self._named(placed), self.limit)

    def _named(self, placed: Iterable[tuple[int, SampleItem]]) -> Iterator[tuple[int, SampleItem]]:
        left = dict.fromkeys(self.ids)
        for place, item in placed:
            if item.id in left:
                del left[item.id]
                yield place, item
            if not left:
                return
        raise UsageError(f"There is no item {next(iter(left))!r} in the data set.")


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """What one execution of an experiment came to.

    Attributes:
        name: The name under which its results stand.
        status: "done"; "failed" if too many dialogues failed; "stopped" by its budget; "cancelled".
        error: Why it ended before its time, if it did.
        counts: Tallies by condition, earlier executions included.
        results: Every result, those of earlier executions included.
        calls: Model calls of this execution; calls that the journal answered are not counted.
        judgements: Calls of judges in this execution, where scorers have them.
        unjudged: By scorer, what the first judge that failed met.
        rescored: Dialogues of earlier executions that were scored again, as scorers or targets had changed.
        finished: Dialogues that ended in this execution.
        seconds: Wall-clock time of this execution.
        store: The journal's file or address, or None if it was in memory.
    """

    name: str
    status: Literal["done", "failed", "stopped", "cancelled"]
    error: str | None
    counts: Counts
    results: Results
    calls: int = 0
    judgements: int = 0
    unjudged: Mapping[str, str] = field(default_factory=dict)
    rescored: int = 0
    finished: int = 0
    seconds: float = 0.0
    store: Path | str | None = None

    @property
    def total(self) -> Tally:
        """All conditions together."""
        whole = Tally()
        for tally in self.counts.values():
            whole += tally
        return whole


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one condition would take.

    Attributes:
        condition: Its name.
        planned: Its dialogues.
        over: Those that the store has already.
        each: What one dialogue takes.
    """

    condition: str
    planned: int
    over: int
    each: Estimate

    @property
    def left(self) -> int:
        """Dialogues to be run."""
        return self.planned - self.over

    @property
    def calls(self) -> tuple[int, int]:
        """(fewest, most) calls of those."""
        return self.left * self.each.calls[0], self.left * self.each.calls[1]

    @property
    def tokens(self) -> tuple[int, int]:
        """(fewest, most) tokens of those."""
        return self.left * self.each.tokens[0], self.left * self.each.tokens[1]

    @property
    def usd(self) -> tuple[float, float]:
        """(least, most) US dollars of those, of the models whose price is known."""
        return self.left * self.each.usd[0], self.left * self.each.usd[1]


class Work:
    """One execution of an experiment in a store."""

    def __init__(
        self, experiment: Experiment, name: str, store: ExperimentStore, workspace: Workspace, chosen: Selection
    ) -> None:
        self.experiment, self.name = experiment, name
        self.store, self.workspace, self.chosen = store, workspace, chosen
        self.progress = Progress(name)
        self._plain = [scorer for scorer in experiment.scorers if scorer.needs == "nothing"]
        self._judges = [scorer for scorer in experiment.scorers if scorer.needs != "nothing"]
        self._judged = self._rescored = Rescored()

    async def done(
        self, *, retry_failed: bool, tolerance: Tolerance | None, on_begin: Callable[[Progress], None]
    ) -> ExperimentRun:
        """Plan, work, and have judged what needs a judge."""
        experiment, progress = self.experiment, self.progress
        fresh = await self.store.plan(self._plan())
        if retry_failed:
            await self.store.again(self.name, statuses=("failed", "stopped"))
        progress.planned(await self.store.counts(self.name))
        purse = Purse(experiment.budget, progress.counts) if experiment.budget else None
        on_begin(progress)
        over, error = await self._worked(self.chosen.of(experiment.data) if fresh else None, purse, tolerance)
        progress.planned(await self.store.counts(self.name))
        if not error and tolerance is not None and tolerance.exceeded(progress.total.failed, progress.total.planned):
            over, error = "errors", too_many_failed(progress)  # of earlier executions, or before all items were known
        await self._score()
        if not error:
            error = await self._judge(purse)
        return await self._run(over or ("budget" if error else ""), error)

    async def _worked(self, items: Items, purse: Purse | None, tolerance: Tolerance | None) -> tuple[str, str]:
        """Work until nothing is left; else why it ended, as a word (see `Engine.over`) and as a sentence."""
        engine = self._engine(purse, tolerance)
        await engine.work(items)
        return engine.over, engine.why

    def _engine(self, purse: Purse | None, tolerance: Tolerance | None) -> Engine:
        return Engine(
            self.name,
            {condition.name: condition for condition in self.experiment.conditions},
            self.store,
            self.workspace,
            self._plain,
            self.experiment.concurrency,
            self.progress,
            purse,
            tolerance,
            self.chosen.whole,
        )

    def _plan(self) -> Plan:
        experiment = self.experiment
        known = experiment.data.signature
        arms = tuple(condition.arm() for condition in experiment.conditions)
        signature = None if known is None else f"{known} {self.chosen}"
        return Plan(self.name, arms, experiment.repeats, experiment.seed, experiment.told, signature)

    async def _score(self) -> None:
        """Score those dialogues again whose scores other scorers made, or the same with other settings or targets."""
        results = Results(self.store, self.name)
        self._rescored = await score_again(results, self._plain, self.workspace, only=outdated(self._plain))

    async def _judge(self, purse: Purse | None) -> str:
        """Have those dialogues judged that are not yet; the message of the budget that did not allow it, if so."""
        if not self._judges:
            return ""
        results = Results(self.store, self.name, status="done")
        try:
            self._judged = await score_again(results, self._judges, self.workspace, budget=purse)
        except BudgetExceeded as error:
            return str(error)
        except JournalError as error:
            if "worked on already" not in str(error):
                raise
        return ""  # or another process of this experiment has them judged

    async def _run(self, over: str, error: str) -> ExperimentRun:
        progress = self.progress
        ends: dict[str, Literal["done", "failed", "stopped"]] = {"errors": "failed", "budget": "stopped"}
        return ExperimentRun(
            name=self.name,
            status=ends.get(over, "done"),
            error=error or None,
            counts=await self.store.counts(self.name),
            results=Results(self.store, self.name),
            calls=progress.calls,
            judgements=self._judged.calls,
            unjudged=self._judged.failures,
            rescored=self._rescored.scored,
            finished=progress.finished,
            seconds=progress.seconds,
        )
