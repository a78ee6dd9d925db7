"""A worker of an experiment in a process of its own, as Ray places it; see maieutic.runs.experiments.ray_runner."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maieutic.backends.budget import Limit
from maieutic.errors import MaieuticError
from maieutic.runs.experiments.conditions import Condition
from maieutic.runs.experiments.engine import Engine
from maieutic.runs.experiments.progress import Progress
from maieutic.runs.experiments.spec import BudgetSpec
from maieutic.runs.experiments.spending import Purse
from maieutic.runs.experiments.store import Arm, open_store

if TYPE_CHECKING:
    from maieutic.runs.scoring import PairScorer, Scorer

__all__ = ["Report", "Task", "Worker"]


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told: all it needs to work in another process.

    Attributes:
        name: The experiment's, in the store.
        store: The journal's file or address.
        arms: The conditions.
        scorers: Those that need no judge.
        concurrency: Dialogues in flight at a time.
        budget: Its part of what is left.
        offline, cache: See `Workspace`.
    """

    name: str
    store: str
    arms: tuple[Arm, ...]
    scorers: tuple[Scorer | PairScorer, ...]
    concurrency: int
    budget: BudgetSpec | None
    offline: bool
    cache: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker tells.

    Attributes:
        done: See `Progress.told`.
        limit: The budget's limit that it met.
        error: What ended it before its time, and `kind`, the name of the error's class.
    """

    done: dict[str, Any]
    limit: Limit | None = None
    error: str = ""
    kind: str = ""


class Worker:
    """One worker of an experiment, in a process of its own: the actor."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._progress = Progress(task.name)
        self._purse = Purse(task.budget, {}) if task.budget else None
        self._engine: Engine | None = None
        self._working: asyncio.Task[None] | None = None
        self._over = ""

    async def work(self) -> Report:
        """Work until nothing is left, or until told to end."""
        self._working = asyncio.create_task(self._work())
        try:
            await self._working
        except asyncio.CancelledError:
            return self._report(error="It was cancelled.", kind="Cancelled")
        except MaieuticError as error:
            return self._report(error=str(error), kind=type(error).__name__)
        return self._report()

    async def _work(self) -> None:
        from maieutic.runs.workspace import Workspace

        task, progress = self._task, self._progress
        async with (
            Workspace(task.store, offline=task.offline, cache=task.cache) as workspace,
            open_store(task.store) as store,
        ):
            progress.planned(await store.counts(task.name))
            conditions = {arm.name: Condition.of(arm) for arm in task.arms}
            about = (task.name, conditions, store, workspace, task.scorers, task.concurrency, progress, self._purse)
            self._engine = Engine(*about, over=self._over)
            await self._engine.work()

    async def told(self) -> Report:
        """How far it is."""
        return self._report()

    async def end(self, over: str) -> None:
        """Begin no more dialogues, for this reason."""
        self._over = over
        if self._engine is not None:
            self._engine.end(over)

    async def cancel(self) -> None:
        """Cut short what is in flight, and wait until it is given back."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait((self._working,))

    def _report(self, error: str = "", kind: str = "") -> Report:
        return Report(self._progress.told(), self._purse.limit if self._purse else None, error, kind)
