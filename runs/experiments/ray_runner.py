"""An experiment's work on Ray: a driver that plans, and actors that are workers of the same store like any other.

Ray places processes and says when one has died. What is to be done, who does it and what came of it stands in the
store, as without Ray; so nothing is lost with a worker, and results are the same. Ray is imported when it is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.backends.budget import Spend
from maieutic.errors import JournalError, UsageError
from maieutic.memory.databases import is_url
from maieutic.runs.endings import cause
from maieutic.runs.experiments.conditions import Condition
from maieutic.runs.experiments.engine import Tolerance, too_many_failed
from maieutic.runs.experiments.execution import Items, Selection, Work
from maieutic.runs.experiments.openings import Openings
from maieutic.runs.experiments.progress import Progress
from maieutic.runs.experiments.ray_cluster import ALIKE, check_reach, hosts, joined, processors
from maieutic.runs.experiments.ray_workers import Report, Task, Worker
from maieutic.runs.experiments.spec import BudgetSpec
from maieutic.runs.experiments.spending import Purse, shares
from maieutic.runs.experiments.store import Arm, ExperimentStore

if TYPE_CHECKING:
    from maieutic.runs.experiments.experiment import Experiment
    from maieutic.runs.scoring import PairScorer, Scorer
    from maieutic.runs.workspace import Workspace

__all__ = ["OnRay", "RayWork"]

_LOOK = 0.5
"""Seconds between two looks at how far workers and store are."""
_START = 120.0
"""Seconds in which a worker has to be there."""
_ANSWER = 10.0
"""Seconds that a worker has to end by itself before it is killed."""
_REPLACED = 3
"""So many times the number of workers may die and be replaced."""


@dataclass(frozen=True, slots=True)
class OnRay:
    """Where workers run.

    Attributes:
        address: "local"; "auto", the Ray that runs on this machine already; or a cluster's HOST:PORT or ray://HOST:PORT.
        workers: How many; as many as there are processors if left out.
        place: The store's file or address.
    """

    address: str
    workers: int | None
    place: str

    @classmethod
    def of(cls, address: str | None, workers: int | None, store: Path | str | None, *, backends: bool) -> OnRay | None:
        """What was asked for; None if nothing was.

        Args:
            address, workers: See the attributes.
            store: The store, or None.
            backends: Whether some were handed over.

        Raises:
            UsageError: It cannot be on Ray.
        """
        if workers is not None and (address is None or workers < 1):
            raise UsageError("workers are 1 or more, and run on Ray: ray='local', 'auto' or a cluster's address")
        if address is None:
            return None
        if store is None:
            raise UsageError("Workers on Ray need a store that they share: name a file, or a PostgreSQL database.")
        if backends:
            raise UsageError(
                "Backends that are handed over (scripted models, a person who is asked) live in this process, and "
                "workers on Ray are others. Run it without Ray."
            )
        return cls(address, workers, store if isinstance(store, str) and is_url(store) else str(Path(store).resolve()))


class Crew:
    """The workers of one execution, and what they told.

    Args:
        ray: The library, connected to a cluster.
        tasks: One for each worker.
        store, progress: Where it is seen how far they are, and where it is told.
        tolerance: How many dialogues may fail.
    """

    def __init__(
        self, ray: Any, tasks: Sequence[Task], store: ExperimentStore, progress: Progress, tolerance: Tolerance | None
    ) -> None:
        self._ray, self._tasks, self._store = ray, tasks, store
        self._progress, self._tolerance = progress, tolerance
        # Workers are spread over the machines; `told` is answered while `work` goes on.
        self._actor = ray.remote(Worker).options(num_cpus=1, scheduling_strategy="SPREAD", max_concurrency=8)
        self._reports: list[Report] = []
        self._working: dict[int, Any] = {}
        self._finished = asyncio.Event()
        self._began = self._deaths = 0
        self._over = self._death = ""

    async def work(self) -> None:
        """Until nothing is left, or nobody.

        Raises:
            UsageError: No worker could be started.
            JournalError: A worker could not use the store.
        """
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch())
                async with asyncio.TaskGroup() as members:
                    for task in self._tasks:
                        members.create_task(self._member(task))
                watching.cancel()
        except BaseExceptionGroup as errors:
            raise cause(errors) from errors
        finally:
            await self._look()

    def ending(self, purse: Purse | None) -> tuple[str, str]:
        """Why it ended before its time, as a word and a sentence; both empty if it did not."""
        if self._over:
            return self._over, too_many_failed(self._progress)
        if not left(self._progress):
            return "", ""
        limit = next((report.limit for report in self._reports if report.limit), None)
        if purse is not None and limit is not None:
            return "budget", str(purse.refuse(limit))
        return "errors", (
            f"{self._deaths} workers died, the last with: {self._death} What there is is kept; run the experiment "
            "again: it goes on where it stopped."
        )

    # -- workers ------------------------------------------------------------------------------------------------

    async def _member(self, task: Task) -> None:
        """A worker, and those that take the place of one that died: but for those whose part of a budget is gone."""
        while not await self._served(task):
            self._deaths += 1
            if task.budget is not None or self._deaths > _REPLACED * len(self._tasks):
                return

    async def _served(self, task: Task) -> bool:
        """Have a worker work to its end; False if it died."""
        actor, number = self._actor.remote(task), len(self._reports)
        self._reports.append(Report(Progress(task.name).told()))
        try:
            if await self._there(actor):
                self._working[number] = actor
                self._take(number, await actor.work.remote())
                self._finished.set()
            return True
        except asyncio.CancelledError:
            await self._dismissed(actor)
            raise
        except self._ray.exceptions.RayActorError as error:
            self._death = str(error).strip().splitlines()[0]
            return False
        finally:
            self._working.pop(number, None)
            self._ray.kill(actor)

    async def _there(self, actor: Any) -> bool:
        """Wait until a worker has been started; False if the others do without it.

        Raises:
            UsageError: There is no room for even one, or it could not be started.
        """
        ready = asyncio.ensure_future(_awaited(actor.told.remote()))
        finished = asyncio.ensure_future(self._finished.wait())
        try:
            await asyncio.wait((ready, finished), timeout=_START, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                await ready
                self._began += 1
                return True
        except self._ray.exceptions.RayActorError as error:
            raise UsageError(f"Ray could not start a worker. {ALIKE} It says:\n{error}") from error
        finally:
            ready.cancel()
            finished.cancel()
        if not self._began:
            raise UsageError(
                f"Ray had no room for a worker in {_START:.0f} seconds: each takes one processor, and others of the "
                "cluster may have them all. Wait for them, or run it without --ray."
            )
        return False

    def _take(self, number: int, report: Report) -> None:
        self._reports[number] = report
        if report.error and report.kind != "Cancelled":
            raise (JournalError if report.kind == "JournalError" else UsageError)(f"On a worker: {report.error}")

    async def _dismissed(self, actor: Any) -> None:
        """Let a worker give back what it has, if it does so soon."""
        try:
            async with asyncio.timeout(_ANSWER):
                await actor.cancel.remote()
        except (TimeoutError, self._ray.exceptions.RayError):
            pass

    # -- watching -----------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            await self._look()
            total = self._progress.total
            if self._tolerance is not None and self._tolerance.exceeded(total.failed, total.planned):
                self._over = "errors"
                await asyncio.gather(*(a.end.remote("errors") for a in self._working.values()), return_exceptions=True)

    async def _look(self) -> None:
        working = dict(self._working)
        told = await asyncio.gather(
            *(_awaited(actor.told.remote()) for actor in working.values()), return_exceptions=True
        )
        for number, report in zip(working, told, strict=True):
            if isinstance(report, Report) and number in self._working:  # not one that has ended meanwhile
                self._reports[number] = report
        counts = await self._store.counts(self._progress.experiment)
        self._progress.gathered(counts, [report.done for report in self._reports])


class RayWork(Work):
    """One execution of an experiment whose dialogues are run by workers on Ray.

    Args:
        experiment, name, store, workspace, chosen: See `Work`.
        on: Where workers run.

    Raises:
        UsageError: The experiment cannot be run by other processes.
    """

    def __init__(
        self,
        experiment: Experiment,
        name: str,
        store: ExperimentStore,
        workspace: Workspace,
        chosen: Selection,
        *,
        on: OnRay,
    ) -> None:
        super().__init__(experiment, name, store, workspace, chosen)
        self._on = on
        self._arms = tuple(_described(condition) for condition in experiment.conditions)
        self._scorers = tuple(_apart(scorer) for scorer in experiment.scorers if scorer.needs == "nothing")

    async def _worked(self, items: Items, purse: Purse | None, tolerance: Tolerance | None) -> tuple[str, str]:
        if items is not None:
            await self._engine(None, None).fill(items)
        self.progress.planned(await self.store.counts(self.name))
        if not left(self.progress):
            return "", ""
        with joined(self._on.address, self._on.workers) as ray:
            check_reach(self._on.place, hosts(ray))
            tasks = self._tasks(purse, self._on.workers or processors(ray))
            if purse is not None and not tasks:
                return "budget", purse.refused
            crew = Crew(ray, tasks, self.store, self.progress, tolerance)
            await crew.work()
        if purse is not None:
            purse.charge(Spend(self.progress.usd, self.progress.tokens, self.progress.calls))
        return crew.ending(purse)

    def _tasks(self, purse: Purse | None, workers: int) -> list[Task]:
        budgets: Sequence[BudgetSpec | None] = [None] * workers if purse is None else shares(purse, workers)
        conditions = {condition.name: condition for condition in self.experiment.conditions}
        openings = Openings(conditions, self.workspace.endpoints, self.experiment.concurrency)
        each, more = divmod(openings.most, len(budgets) or 1)
        told = (self.name, self._on.place, self._arms, self._scorers)
        return [
            Task(*told, max(1, each + (n < more)), budget, self.workspace.offline, self.workspace.cache)
            for n, budget in enumerate(budgets)
        ]


def _described(condition: Condition) -> Arm:
    arm = condition.arm()
    if "graph" not in arm.definition:
        raise UsageError(
            f"The condition {condition.name!r} was made in Python of parts that no graph file can describe, so that "
            "workers on Ray cannot make it again. Write it as a graph file, or run it without Ray."
        )
    return arm


def _apart(scorer: Scorer | PairScorer) -> Scorer | PairScorer:
    from maieutic.runs.scoring import Function

    if isinstance(scorer, Function):
        raise UsageError(
            f"The scorer {scorer.name!r} is a Python function of this process, and workers on Ray are others. Leave it "
            "out and let it score afterwards (maieutic.runs.scoring.score_again), or run it without Ray."
        )
    return scorer


def left(progress: Progress) -> int:
    """Dialogues that are not over."""
    return progress.total.waiting + progress.total.claimed


async def _awaited(reference: Any) -> Any:
    return await reference
