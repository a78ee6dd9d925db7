"""A store and the endpoints that its runs share: the place from which everything is run."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from maieutic.backends import Budget, Endpoints, Gateway, Place
from maieutic.backends.journaled import Replay
from maieutic.errors import UsageError
from maieutic.graphs import Graph, to_yaml
from maieutic.graphs.spec import Limits
from maieutic.memory import Address, Emit, Event, Journal, RunRecord, silent
from maieutic.protocols.base import OutcomeT
from maieutic.runs.budgets import budget_of
from maieutic.runs.definition import Definition, definition_of
from maieutic.runs.endings import ending_of
from maieutic.runs.execute import Cancelled, Execution, execute, named
from maieutic.runs.history import failures_before
from maieutic.runs.overrides import override
from maieutic.runs.program import NOTHING, Program, simulated
from maieutic.runs.result import Run, new_id
from maieutic.runs.turns import cut_at_node, cut_before

if TYPE_CHECKING:
    from maieutic.backends.types import Backend

__all__ = ["Workspace"]


class Workspace:
    """Runs programs, each in a run of its own, over one journal and one set of endpoints.

    Use it as an async context manager; leaving it closes connections and the journal.

    Args:
        store: The journal's file, or the address of a PostgreSQL database; None keeps it in memory.
        backends: Backends by provider prefix, before the built-in ones (scripted models, a person who is asked).
        offline: Refuse every model that needs a network.
        cache: Let any recorded reply to the same request answer, from whatever run.
    """

    def __init__(
        self,
        store: Path | str | None = None,
        *,
        backends: Mapping[str, Backend] | None = None,
        offline: bool = False,
        cache: bool = False,
    ) -> None:
        self.journal = Journal.open(store)
        self.endpoints = Endpoints(backends)
        self.offline = offline
        self.cache = cache
        self._streamed: set[asyncio.Task[Run]] = set()

    async def run(
        self,
        program: Program[OutcomeT],
        inputs: str | Mapping[str, Any] = NOTHING,
        *,
        run_id: str | None = None,
        seed: int = 0,
        budget: Budget | None = None,
        replay: Replay = "resume",
        on_event: Emit = silent,
        stream: bool = False,
    ) -> Run[OutcomeT]:
        """Run a program once.

        Args:
            program: A protocol or a loaded graph.
            inputs: Its inputs by name; a bare text is the question.
            run_id: The run's id. A run that the store has is taken up again: no reply that it has is bought twice.
            seed: Of everything drawn at random.
            budget: What it may spend; a graph's own limits if left out.
            replay: What the journal answers for (see maieutic.backends.gateway.Gateway).
            on_event: Told of everything that happens.
            stream: Whether to tell text as it comes.

        Raises:
            UsageError: An input is unknown or missing.
            ReplayMiss: A recorded run was asked for something that it does not have.
        """
        given = named(program, inputs)
        budget = budget or budget_of(program)
        former = self.journal.run(run_id) if run_id is not None and self.journal.holds(run_id) else None
        record = await self._begin(program, run_id, given, seed, replay=replay, former=former)
        gateway = self._gateway(budget, replay, on_event, former)
        at = Place(gateway, Address(record.id), seed=seed, emit=on_event, stream=stream)
        pausing = budget is not None and budget.on_exceed == "pause"
        try:
            done = await execute(program, given, at, pausing=pausing)
        except Cancelled as cancelled:
            if replay != "only":
                await self._close(self._result(record, program, gateway, cancelled.done))
            raise asyncio.CancelledError from cancelled  # `asyncio.timeout` takes no subclass for its own
        except BaseException as error:
            if replay != "only":
                self._mistaken(record, former, error)
            raise
        run = self._result(record, program, gateway, done)
        if replay != "only":
            await self.journal.finish_soon(record.id, status=run.status, reason=run.reason, outcome=run.to_json())
        on_event(Event("outcome", "", run.to_json()))
        return run

    async def stream(
        self, program: Program[OutcomeT], inputs: str | Mapping[str, Any] = NOTHING, **options: Any
    ) -> AsyncGenerator[Event | Run[OutcomeT], None]:
        """Run a program and tell what happens as it happens: events, and last the run. Leaving early cancels the run.

        Args:
            program, inputs: As in `run`.
            **options: As in `run`; `stream` is on unless it is turned off.
        """
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        options = {"stream": True, **options, "on_event": events.put_nowait}
        task = asyncio.ensure_future(self.run(program, inputs, **options))
        self._streamed.add(task)
        task.add_done_callback(lambda _: events.put_nowait(None))
        task.add_done_callback(self._streamed.discard)
        try:
            while (event := await events.get()) is not None:
                yield event
            yield await task
        finally:
            task.cancel()
            await asyncio.wait([task])

    @asynccontextmanager
    async def place(
        self,
        name: str,
        *,
        run_id: str | None = None,
        seed: int = 0,
        budget: Budget | None = None,
        on_event: Emit = silent,
        stream: bool = False,
    ) -> AsyncGenerator[Place, None]:
        """A run around a graph of the host's own: give the place as LangGraph context, and every call is journaled.

        With the id of a recorded run the journal answers for what it has. Leaving the context closes the run.

        Args:
            name: What people call the run.
            run_id, seed, budget, on_event, stream: As in `run`.
        """
        record = RunRecord(run_id or new_id(), name, time.time(), "host")
        former = self.journal.run(record.id) if self.journal.holds(record.id) else None
        if former is None:
            await self.journal.begin_soon(record)
        else:
            self.journal.reopen(record.id)
        gateway = self._gateway(budget, "resume", on_event, former)
        try:
            yield Place(gateway, Address(record.id), seed=seed, emit=on_event, stream=stream)
        except BaseException as error:
            ending = ending_of(error)
            status, reason = (ending.status, ending.reason) if ending else ("failed", f"failed:{type(error).__name__}")
            self.journal.finish(record.id, status=status, reason=reason)
            raise
        await self.journal.finish_soon(record.id, status="done", reason="answered")

    async def resume(self, run_id: str, *, limits: Limits | None = None, **options: Any) -> Run:
        """Take a recorded run up where it stopped; what it has is not asked for again.

        Args:
            run_id: Its id, or the beginning of it.
            limits: Limits instead of those it had (a paused run is resumed with more).
            **options: `on_event` and `stream`, as in `run`.

        Raises:
            UsageError: There is no such run, or no graph file can describe it.
        """
        return await self._again(self.journal.run(run_id), "resume", limits, options)

    async def replay(self, run_id: str, **options: Any) -> Run:
        """Run a recorded run again with the journal alone answering; nothing is called and nothing is written.

        Args:
            run_id: Its id, or the beginning of it.
            **options: `on_event` and `stream`, as in `run`.

        Raises:
            ReplayMiss: The graph now asks for something that was not recorded.
        """
        return await self._again(self.journal.run(run_id), "only", None, options)

    async def fork(
        self,
        run_id: str,
        *,
        turn: int | None = None,
        node: str | None = None,
        models: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        new_run_id: str | None = None,
        **options: Any,
    ) -> Run:
        """Run again from a turn on, with other models or settings; what was said before stays as it was said.

        Args:
            run_id: The run to branch off from.
            turn: The first turn that is spoken anew, from 1; the moderator and probes do not count.
            node: Instead, of a run that grew a tree: the node that is spoken anew, with all that hangs below it.
            models, settings: As in `maieutic.runs.override`.
            new_run_id: The new run's id; a fresh one if left out.
            **options: `on_event` and `stream`, as in `run`.

        Raises:
            UsageError: There is no such run, turn or node, or not one of turn and node is given.
        """
        if (turn is None) == (node is None):
            raise UsageError("a fork begins at a turn or at a node of a tree; name one of them")
        record = self.journal.run(run_id)
        definition = Definition.of(record)
        cut = cut_at_node(record, node or "") if turn is None else cut_before(self.journal, record, turn)
        changed = override(definition.program().spec, models=models, settings=settings)
        branch = replace(
            record,
            id=new_run_id or new_id(),
            created=time.time(),
            definition=definition.model_copy(update={"graph": to_yaml(changed)}).model_dump(),
            status="running",
            reason=None,
            outcome=None,
            parent=record.id,
            forked_at=cut.at,
        )
        self.journal.fork(record.id, branch, keep=cut.keep)
        return await self._again(branch, "resume", None, options)

    async def _again(self, record: RunRecord, replay: Replay, limits: Limits | None, options: dict[str, Any]) -> Run:
        definition = Definition.of(record)
        graph = definition.program()
        if limits is not None:
            graph = Graph(override(graph.spec, limits=limits))
        return await self.run(
            graph, definition.inputs, run_id=record.id, seed=definition.seed, replay=replay, **options
        )

    async def _begin(
        self,
        program: Program,
        run_id: str | None,
        inputs: Mapping[str, Any],
        seed: int,
        *,
        replay: Replay,
        former: RunRecord | None,
    ) -> RunRecord:
        if former is not None:
            return former if replay == "only" else self.journal.reopen(former.id)
        if replay == "only":
            raise UsageError("A replay needs the id of a recorded run.")
        record = RunRecord(
            id=run_id or new_id(),
            name=program.name,
            created=time.time(),
            kind=type(program).__name__.lower(),
            definition=definition_of(program, inputs, seed).model_dump(),
            simulated=simulated(program),
        )
        await self.journal.begin_soon(record)
        return record

    async def _close(self, run: Run) -> None:
        """Close a cancelled run; of thousands that are cancelled together, many share a commit."""
        closing = self.journal.finish_soon(run.id, status=run.status, reason=run.reason, outcome=run.to_json())
        with contextlib.suppress(asyncio.CancelledError):  # the run ends as cancelled in any case
            await asyncio.shield(closing)

    def _mistaken(self, record: RunRecord, former: RunRecord | None, error: BaseException) -> None:
        """Close a run that met a mistake: what it had come to stays its outcome, and nothing stays of nothing."""
        reason = f"failed:{type(error).__name__}"
        if former is None and self.journal.withdraw(record.id):
            return
        if former is None or former.outcome is None:
            self.journal.finish(record.id, status="failed", reason=reason, outcome=None)
        else:
            self.journal.finish(record.id, status=former.status, reason=former.reason, outcome=former.outcome)

    def _gateway(self, budget: Budget | None, replay: Replay, emit: Emit, former: RunRecord | None) -> Gateway:
        gateway = Gateway(
            self.endpoints,
            self.journal,
            budget=budget,
            replay=replay,
            cache=self.cache,
            emit=emit,
            offline=self.offline,
        )
        if former is not None and replay != "off":
            gateway.ledger.merge(failures_before(self.journal, former, replay))
        return gateway

    def _result(
        self, record: RunRecord, program: Program, gateway: Gateway, done: Execution[OutcomeT]
    ) -> Run[OutcomeT]:
        return Run(
            id=record.id,
            name=record.name,
            outcome=done.outcome,
            ending=done.ending,
            turns=done.transcript,
            edges=tuple(done.edges),
            ledger=gateway.ledger,
            seconds=done.seconds,
            simulated=simulated(program),
            store=self.journal.place,
        )

    async def aclose(self) -> None:
        """Cancel the runs of streams that were left early, then close connections and the journal."""
        left = list(self._streamed)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self.endpoints.aclose()
        await self.journal.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()
