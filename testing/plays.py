"""Running a graph file on a script, in a line, for tests that read like the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maieutic.agents import Agent
from maieutic.backends import LLMRequest, PersonBackend, ScriptedModel
from maieutic.backends.scripted import Line
from maieutic.graphs.graph import Graph, load_graph
from maieutic.memory import Event
from maieutic.protocols.base import Protocol
from maieutic.runs.workspace import Workspace

__all__ = ["Played", "play"]

_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Played:
    """A run on a script.

    Attributes:
        graph: What ran.
        run: What it came to.
        requests: Every request that the script answered, in order.
        events: Everything that was told.
    """

    graph: Graph
    run: Any
    requests: tuple[LLMRequest, ...]
    events: tuple[Event, ...]

    @property
    def state(self) -> dict[str, Any]:
        """The graph's fields at the end."""
        state: dict[str, Any] = self.run.outcome.state
        return state

    @property
    def path(self) -> list[str]:
        """The nodes that the graph came to, in order."""
        return [edge["target"] for edge in self.run.edges]

    def read(self, at: str) -> str:
        """All that a model was sent at an address (within the run: `node#1/agent.verb`)."""
        asked = next(r for r in self.requests if "/".join(r.address.path) == at)
        return "\n".join(message.content for message in asked.messages)


def play(
    source: str | Path,
    lines: Mapping[str, list[Line]] | Callable[[LLMRequest], Line] = _EMPTY,
    inputs: Mapping[str, Any] = _EMPTY,
    *,
    answers: Mapping[str, str] | None = None,
    roles: Mapping[str, type[Agent]] | None = None,
    protocols: Mapping[str, type[Protocol[Any, Any]]] | None = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
) -> Played:
    """Run a graph file on a script, in memory.

    Args:
        source: The file, or its text; models called `scripted/…` speak the lines.
        lines: What each agent says, in order, or a function of the request. Lines left over are an error.
        inputs: The graph's inputs.
        answers: What persons answer, by address (`0/0/node#1/name.say`).
        roles, protocols, tools: Your own.
    """
    graph = load_graph(source, roles=roles, protocols=protocols, tools=tools)
    script = ScriptedModel(lines)
    events: list[Event] = []

    async def go() -> Any:
        async with Workspace(backends={"scripted": script, "person": PersonBackend(answers=answers)}) as workspace:
            return await workspace.run(graph, inputs, on_event=events.append)

    return Played(graph, asyncio.run(go()), tuple(script.requests), tuple(events))
