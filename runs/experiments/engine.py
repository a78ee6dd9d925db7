"""Doing the work of an experiment: claim, run, score, write down; many dialogues at a time, few of them in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from maieutic.errors import JournalError, MaieuticError, ReplayMiss, UsageError
from maieutic.runs.budgets import budget_of
from maieutic.runs.endings import cause
from maieutic.runs.execute import named
from maieutic.runs.experiments.conditions import Condition
from maieutic.runs.experiments.items import SampleItem
from maieutic.runs.experiments.openings import Openings
from maieutic.runs.experiments.progress import Progress
from maieutic.runs.experiments.results import Result
from maieutic.runs.experiments.spending import Purse, Within
from maieutic.runs.experiments.store import LASTING, ExperimentStore, Unit
from maieutic.runs.experiments.workers import worker_name

if TYPE_CHECKING:
    from maieutic.runs.result import Run
    from maieutic.runs.scoring import PairScorer, Scorer
    from maieutic.runs.workspace import Workspace

__all__ = ["Engine", "Tolerance", "too_many_failed"]

_LEASE = 60.0
"""Seconds after which a worker on another machine that tells nothing is taken for dead."""
_FILL = 200
"""Items that are added at a time."""
_PAUSE = 0.05
"""Seconds for which results are gathered before they are written together."""
_POLL = 0.5
"""Seconds between looks at what others do, when nothing is left to claim."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many dialogues may fail before the whole is ended (`--fail-on-error`).

    Attributes:
        share: Of all that are planned, 0 to 1; or None.
        count: So many; or None.
    """

    share: float | None = None
    count: int | None = None

    def exceeded(self, failed: int, planned: int) -> bool:
        """Whether that is too many."""
        by_share = self.share is not None and planned > 0 and failed > self.share * planned
        return by_share or (self.count is not None and failed > self.count)


@dataclass(slots=True)
class Engine:
    """One process's work on an experiment.

    Attributes:
        experiment: Its name.
        conditions: By name.
        store, workspace: Where results and runs are kept.
        scorers: Those that score a dialogue as it ends.
        concurrency: Dialogues in flight at most; None leaves that to the endpoints' limits (see Openings).
        progress: Told of everything.
        purse: The experiment's budget, if it has one.
        tolerance: How many may fail.
        whole: Whether the items that are added are all that there are: what the store has of others is out of sight.
        over: Why no more is claimed: "", "budget" or "errors".
    """

    experiment: str
    conditions: Mapping[str, Condition]
    store: ExperimentStore
    workspace: Workspace
    scorers: Sequence[Scorer | PairScorer]
    concurrency: int | None
    progress: Progress
    purse: Purse | None = None
    tolerance: Tolerance | None = None
    whole: bool = False
    over: str = ""
    _worker: str = field(default_factory=worker_name)
    _openings: Openings = field(init=False)
    _results: list[Result] = field(default_factory=list)
    _pen: asyncio.Lock = field(default_factory=asyncio.Lock)  # held while results are written, or counted
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: int = 0

    def __post_init__(self) -> None:
        in_order = self.purse is not None  # a budget may end it at any moment, and then all conditions shall be as far
        self._openings = Openings(self.conditions, self.workspace.endpoints, self.concurrency, in_order=in_order)

    async def work(self, items: Iterator[tuple[int, SampleItem]] | None = None) -> None:
        """Work until nothing is left to do, here or elsewhere, or `over` says why not.

        Args:
            items: Items to be added first, with their positions, while work on the first of them begins already.

        Raises:
            JournalError, ExperimentFileError, UsageError: What ended it. Whatever ended is written down in any case.
        """
        async with self.store.worker(self._worker):
            try:
                async with asyncio.TaskGroup() as group:
                    beating = group.create_task(self._beat())
                    writing = group.create_task(self._write())
                    filling = None if items is None else group.create_task(self.fill(items))
                    await self._dispatch(group, filling)
                    beating.cancel()
                    writing.cancel()
            except BaseExceptionGroup as errors:
                raise cause(errors) from errors
            finally:
                await asyncio.shield(self._flush())

    async def fill(self, items: Iterator[tuple[int, SampleItem]]) -> None:
        """Add items with their positions, page by page."""
        self.progress.filling = True
        try:
            while page := await asyncio.to_thread(lambda: list(islice(items, _FILL))):
                await self.store.add(self.experiment, page)
                await self._recount()
                self._moved.set()
            await self.store.added(self.experiment, whole=self.whole)
            await self._recount()
        finally:
            self.progress.filling = False
            self._moved.set()

    def end(self, over: str) -> None:
        """Claim no more, for this reason (see `over`); what is in flight goes on to its end."""
        self.over = self.over or over
        self._moved.set()

    @property
    def why(self) -> str:
        """Why it ended before its time, in words; empty if it did not."""
        if self.over == "budget" and self.purse is not None:
            return self.purse.refused
        if self.over != "errors":
            return ""
        return too_many_failed(self.progress)

    # -- what goes on side by side ------------------------------------------------------------------------------

    async def _recount(self) -> None:
        """Count anew what is planned; results that are not written yet are counted beside."""
        async with self._pen:
            self.progress.planned(await self.store.counts(self.experiment))
            for result in self._results:
                self.progress.recounted(result)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_LEASE / 4)
            await self.store.renew(self._worker, lease=_LEASE)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await self._flush()

    async def _flush(self) -> None:
        async with self._pen:
            if batch := self._results[:]:
                await self.store.finish(self._worker, batch)
                del self._results[: len(batch)]

    async def _dispatch(self, group: asyncio.TaskGroup, filling: asyncio.Task[None] | None) -> None:
        while not self.over:
            self._moved.clear()
            if self._in_flight >= self._openings.most:
                await self._moved.wait()
            elif (unit := await self._next()) is not None:
                self._in_flight += 1
                group.create_task(self._one(unit))
                await asyncio.sleep(0)  # let it take off before others do
            elif self._in_flight or (filling is not None and not filling.done()):
                await self._something()
            elif not await self._others_work():
                return
        while self._in_flight:
            self._moved.clear()
            await self._moved.wait()

    async def _next(self) -> Unit | None:
        """The next unit; several are claimed at a time."""
        openings, waited = self._openings, self.progress.finished > 0
        if most := openings.missing(self._in_flight, waited=waited):
            units = await self.store.claim(self.experiment, self._worker, most, lease=_LEASE)
            openings.add(units, last=waited and len(units) < most and not self.progress.filling)
        return openings.next()

    async def _something(self) -> None:
        try:
            async with asyncio.timeout(_POLL):
                await self._moved.wait()
        except TimeoutError:
            pass

    async def _others_work(self) -> bool:
        """Whether another worker has units, which would be work again if it died; then wait a moment."""
        await self._flush()
        counts = await self.store.counts(self.experiment)
        if not any(tally.claimed or tally.waiting for tally in counts.values()):
            return False
        await asyncio.sleep(_POLL)
        return True

    # -- one dialogue -------------------------------------------------------------------------------------------

    async def _one(self, unit: Unit) -> None:
        self.progress.began(unit.condition)
        try:
            result = await self._result(unit)
            self._results.append(result)
            self.progress.ended(result)
            self._judge()
        finally:
            self._in_flight -= 1
            self.progress.left(unit.condition)
            self._moved.set()

    def _judge(self) -> None:
        """Whether to go on after this."""
        if self.purse is not None and self.purse.refused:
            self.over = self.over or "budget"
        if self.tolerance is None or self.progress.filling:
            return
        total = self.progress.total
        if self.tolerance.exceeded(total.failed, total.planned):
            self.over = self.over or "errors"

    async def _result(self, unit: Unit) -> Result:
        """What a dialogue came to; a mistake in it is a failure of this one dialogue and of no other."""
        given_back = False
        try:
            run, given_back = await self._run(unit)
        except JournalError as error:
            if "worked on already" not in str(error):
                raise
            await asyncio.sleep(_POLL)  # another process has it; look again when it may be done
            return self._of(unit, "claimed elsewhere", str(error))
        except MaieuticError as error:
            return self._of(unit, "failed", str(error), reason=f"failed:{type(error).__name__}")
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            return self._of(unit, "failed", words, reason=f"failed:{type(error).__name__}")
        if given_back:
            return self._of(unit, "paused", run.error or "", reason="budget")
        return await self._scored(unit, run)

    async def _run(self, unit: Unit) -> tuple[Run, bool]:
        """The run, and whether the experiment's budget cut it short."""
        condition = self.conditions[unit.condition]
        program = condition.at(unit.repeat)
        inputs = named(program, condition.takes(unit.item.inputs))
        own = budget_of(program)
        budget = own if self.purse is None else Within(own, self.purse)

        async def attempt(run_id: str) -> Run:
            return await self.workspace.run(
                program, inputs, run_id=run_id, seed=unit.seed, budget=budget, on_event=self.progress.listening()
            )

        run = await _or_afresh(unit.key, attempt)
        return run, isinstance(budget, Within) and budget.refused

    async def _scored(self, unit: Unit, run: Run) -> Result:
        from maieutic.runs.scoring import RecordedRun, scorable, score_run

        # One that pauses at a limit of its own, or waits for a person, would do so each time that it is taken up.
        status = run.status if run.status in LASTING else "stopped"
        result = self._of(unit, status, run.error, reason=run.reason)
        total = run.ledger.total
        filled: dict[str, Any] = {
            "run_id": run.id,
            "answer": run.answer,
            "calls": total.calls,
            "tokens_in": total.prompt,
            "tokens_out": total.completion,
            "usd": None if total.unknown_price else total.usd,
            "seconds": round(run.seconds, 6),
            "simulated": run.simulated,
            "extra": {"unknown_usage": total.unknown_usage} if total.unknown_usage else {},
        }
        result = Result.from_json({**result.to_json(), **filled})
        if not scorable(run.status, run.answer):
            return result
        values, notes = await score_run(self.scorers, RecordedRun.of(run), unit.item)
        return result.scored(values, notes or None)

    def _of(self, unit: Unit, status: str, error: str | None, *, reason: str = "") -> Result:
        return Result(
            experiment=self.experiment,
            condition=unit.condition,
            item=unit.item.id,
            repeat=unit.repeat,
            seed=unit.seed,
            run_id=unit.key,
            status=status,
            reason=reason or status,
            target=unit.item.target,
            error=error,
            group=unit.item.group or unit.item.id,
            family=unit.item.family,
        )


def too_many_failed(progress: Progress) -> str:
    """What is said when more dialogues have failed than was allowed."""
    total = progress.total
    worst = "; ".join(f"{n} × {text}" for text, n in progress.errors.most_common(3))
    said = f"{total.failed} of {total.planned} dialogues failed, more than --fail-on-error allows"
    return f"{said}: {worst}" if worst else f"{said}."


async def _or_afresh(key: str, attempt: Callable[[str], Awaitable[Run]]) -> Run:
    """A run that goes on where the journal has it; one that now asks something else begins anew, beside the old one."""
    for start in range(1, 100):
        try:
            return await attempt(key if start == 1 else f"{key}~{start}")
        except ReplayMiss:
            continue
    raise UsageError(f"{key} asks something else each time it is run; a prompt or a tool draws on what is no input")
