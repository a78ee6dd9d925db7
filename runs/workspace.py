"""A store and the endpoints that its runs share: the place from which everything is run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from maieutic.backends import Budget, Endpoints, Gateway, Place
from maieutic.errors import UsageError
from maieutic.memory import Address, Emit, Event, Journal, RunRecord, silent
from maieutic.runs.execute import Cancelled, Execution, execute
from maieutic.runs.program import Program, simulated
from maieutic.runs.run import Run, new_id

if TYPE_CHECKING:
    from maieutic.backends.types import Backend

__all__ = ["Workspace"]

Replay = Literal["off", "resume", "only", "history"]


class Workspace:
    """Runs programs, each in a run of its own, over one journal and one set of endpoints.

    Use it as an async context manager; leaving it closes connections and the journal.

    Args:
        store: The journal's file; None keeps it in memory.
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

    async def run(
        self,
        program: Program,
        inputs: str | Mapping[str, Any],
        *,
        run_id: str | None = None,
        seed: int = 0,
        budget: Budget | None = None,
        steps: int | None = None,
        definition: Mapping[str, Any] | None = None,
        replay: Replay = "resume",
        on_event: Emit = silent,
        stream: bool = False,
    ) -> Run:
        """Run a program once.

        Args:
            program: A protocol or a loaded graph.
            inputs: Its inputs by name; a bare text is the question.
            run_id: The run's id. If the store has this run, it is taken up again where it stopped: no reply that it has
                is bought twice.
            seed: Of everything drawn at random.
            budget: What it may spend.
            steps: Most steps of the graph.
            definition: What is needed to run it again from the store alone, kept with the run.
            replay: "resume" answers from the journal and asks models for the rest, "only" never asks a model, "history"
                lets the journal answer even where the request has changed (a fork), "off" ignores what is recorded.
            on_event: Told of everything that happens.
            stream: Whether to tell text as it comes.

        Raises:
            UsageError: An input is unknown or missing.
            ReplayMiss: A recorded run was asked for something that it does not have.
        """
        record = self._begin(program, run_id, definition or {}, replay)
        given = {"question": inputs} if isinstance(inputs, str) else dict(inputs)
        gateway = Gateway(
            self.endpoints,
            self.journal,
            budget=budget,
            replay=replay,
            cache=self.cache,
            emit=on_event,
            offline=self.offline,
        )
        at = Place(gateway, Address(record.id), seed=seed, emit=on_event, stream=stream)
        pausing = budget is not None and budget.on_exceed == "pause"
        try:
            done = await execute(program, given, at, steps=steps, pausing=pausing)
        except Cancelled as cancelled:
            self._finish(record, program, gateway, cancelled.done, replay)
            raise
        except BaseException as error:
            if replay != "only":
                self.journal.finish(record.id, status="failed", reason=f"failed:{type(error).__name__}", outcome=None)
            raise
        run = self._finish(record, program, gateway, done, replay)
        on_event(Event("outcome", "", run.to_json()))
        return run

    async def stream(
        self, program: Program, inputs: str | Mapping[str, Any], **options: Any
    ) -> AsyncIterator[Event | Run]:
        """Run a program and tell what happens as it happens: events, and last the run. Leaving early cancels the run.

        Args:
            program, inputs: As in `run`.
            **options: As in `run`; `stream` is on unless it is turned off.
        """
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        options = {"stream": True, **options, "on_event": events.put_nowait}
        task = asyncio.ensure_future(self.run(program, inputs, **options))
        task.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            yield await task
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _begin(self, program: Program, run_id: str | None, definition: Mapping[str, Any], replay: Replay) -> RunRecord:
        if run_id is not None and any(known.id == run_id for known in self.journal.runs()):
            return self.journal.run(run_id) if replay == "only" else self.journal.reopen(run_id)
        if replay == "only":
            raise UsageError("A replay needs the id of a recorded run.")
        import time

        record = RunRecord(
            id=run_id or new_id(),
            name=program.name,
            created=time.time(),
            kind=type(program).__name__.lower(),
            definition=dict(definition),
            simulated=simulated(program),
        )
        self.journal.begin(record)
        return record

    def _finish(self, record: RunRecord, program: Program, gateway: Gateway, done: Execution, replay: Replay) -> Run:
        run = Run(
            id=record.id,
            name=record.name,
            outcome=done.outcome,
            ending=done.ending,
            turns=done.transcript,
            edges=tuple(done.edges),
            ledger=gateway.ledger,
            seconds=done.seconds,
            simulated=simulated(program),
            store=self.journal.path,
        )
        if replay != "only":
            self.journal.finish(record.id, status=run.status, reason=run.reason, outcome=run.to_json())
        return run

    async def aclose(self) -> None:
        """Close connections and the journal."""
        await self.endpoints.aclose()
        await self.journal.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()
