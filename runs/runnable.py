"""What users hold: protocols and graphs that run by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError
from maieutic.graphs import Graph as PlainGraph
from maieutic.graphs import load_spec
from maieutic.memory import Event
from maieutic.protocols.base import OutcomeT, ParamsT
from maieutic.protocols.base import Protocol as PlainProtocol
from maieutic.protocols.debate import Debate as PlainDebate
from maieutic.protocols.self_consistency import SelfConsistency as PlainSelfConsistency
from maieutic.runs.program import NOTHING, Program
from maieutic.runs.result import Run
from maieutic.runs.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from maieutic.agents import Agent
    from maieutic.backends.types import Backend

__all__ = ["Debate", "Graph", "Protocol", "SelfConsistency", "load", "run", "run_sync", "stream"]


async def run(
    program: Program[OutcomeT],
    inputs: str | Mapping[str, Any] = NOTHING,
    *,
    store: Path | str | None = None,
    backends: Mapping[str, Backend] | None = None,
    offline: bool = False,
    **options: Any,
) -> Run[OutcomeT]:
    """Run a program once, in a workspace of its own.

    Args:
        program: A protocol or a graph.
        inputs: Its inputs by name; a bare text is the question. Left out where it needs none.
        store: The journal's file; None keeps it in memory.
        backends: Backends by provider prefix, before the built-in ones.
        offline: Refuse every model that needs a network.
        **options: As in `Workspace.run`: run_id, seed, budget, on_event, stream.
    """
    async with Workspace(store, backends=backends, offline=offline) as workspace:
        return await workspace.run(program, inputs, **options)


def run_sync(program: Program[OutcomeT], inputs: str | Mapping[str, Any] = NOTHING, **options: Any) -> Run[OutcomeT]:
    """The same as `run`, for code that is not async.

    Raises:
        UsageError: An event loop is running; await `run` there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run(program, inputs, **options))
    raise UsageError("run_sync cannot be used inside a running event loop (a notebook has one); use `await run(…)`")


async def stream(
    program: Program[OutcomeT],
    inputs: str | Mapping[str, Any] = NOTHING,
    *,
    store: Path | str | None = None,
    backends: Mapping[str, Backend] | None = None,
    offline: bool = False,
    **options: Any,
) -> AsyncGenerator[Event | Run[OutcomeT], None]:
    """Run a program and tell what happens as it happens: events, and last the run. Arguments as in `run`."""
    async with Workspace(store, backends=backends, offline=offline) as workspace:
        async for event in workspace.stream(program, inputs, **options):
            yield event


class Runnable:
    """Adds `run`, `run_sync` and `stream` to a program, so that `mt.Debate(…).run("…")` is all there is to it."""

    async def run(self: Program[OutcomeT], inputs: str | Mapping[str, Any] = NOTHING, **options: Any) -> Run[OutcomeT]:
        """Run it once; arguments as in `maieutic.run`."""
        return await run(self, inputs, **options)

    def run_sync(self: Program[OutcomeT], inputs: str | Mapping[str, Any] = NOTHING, **options: Any) -> Run[OutcomeT]:
        """Run it once, without async; arguments as in `maieutic.run`."""
        return run_sync(self, inputs, **options)

    def stream(
        self: Program[OutcomeT], inputs: str | Mapping[str, Any] = NOTHING, **options: Any
    ) -> AsyncGenerator[Event | Run[OutcomeT], None]:
        """Events as they happen, and last the run; arguments as in `maieutic.run`."""
        return stream(self, inputs, **options)


class Graph(Runnable, PlainGraph):
    """A graph from a file (see `load`)."""


class Protocol(Runnable, PlainProtocol[ParamsT, OutcomeT]):
    """What a protocol of your own subclasses; it runs by itself (see maieutic.protocols.base.Protocol)."""


class Debate(Runnable, PlainDebate):
    """A debate that runs by itself (see maieutic.protocols.Debate for its parameters)."""


class SelfConsistency(Runnable, PlainSelfConsistency):
    """Self-consistency that runs by itself (see maieutic.protocols.SelfConsistency for its parameters)."""


def load(
    source: Path | str,
    *,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[PlainProtocol[Any, Any]]] | None = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
) -> Graph:
    """A graph from a file, checked and ready to run.

    Args:
        source: The file, or the text of one (a text has more than one line).
        roles, protocols, tools: Your own, by the names under which the file uses them; they win over installed ones.

    Raises:
        GraphFileError: The file is not valid; every problem is listed with its place.
    """
    spec = load_spec(source, roles=roles, protocols=protocols, tools=tuple(tools or ()))
    return Graph(spec, roles=roles, protocols=protocols, tools=tools)
