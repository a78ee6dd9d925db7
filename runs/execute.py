"""Executing one program at a place, whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic

from maieutic.backends.place import Place
from maieutic.errors import UsageError
from maieutic.memory import Emit, Event, Transcript
from maieutic.protocols.base import OutcomeT, check_inputs
from maieutic.runs.budgets import steps_of
from maieutic.runs.endings import Ending, cause, ending_of
from maieutic.runs.program import OutcomeT_co, Program

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = ["Cancelled", "Execution", "execute", "named"]


@dataclass(slots=True)
class Execution(Generic[OutcomeT_co]):
    """What one execution has come to so far; whole once `execute` returns.

    Attributes:
        turns, edges: As they were told, plain JSON.
        state: The graph's last state.
        ending: How it ended before its time, or None.
        seconds: Wall-clock time.
        outcome: The outcome of that state.
    """

    turns: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    state: Mapping[str, Any] = field(default_factory=dict)
    ending: Ending | None = None
    seconds: float = 0.0
    outcome: OutcomeT_co = field(init=False)

    @property
    def transcript(self) -> Transcript:
        """Everything said."""
        return Transcript.of(self.turns)

    def listening(self, emit: Emit) -> Emit:
        """An emitter that notes turns and edges and passes everything on."""

        def note(event: Event) -> None:
            if event.kind == "turn":
                self.turns.append(dict(event.data))
            elif event.kind == "edge":
                self.edges.append({"at": event.at, **event.data})
            emit(event)

        return note


def named(program: Program, inputs: str | Mapping[str, Any]) -> dict[str, Any]:
    """Inputs by name. A bare text is the question, or the only input that is needed.

    Raises:
        UsageError: They are neither a text nor a mapping, nothing says which input a bare text is, an input is unknown,
            or one is missing.
    """
    if not isinstance(inputs, str | Mapping):
        raise UsageError(f"{program.name} takes a question or its inputs by name, not {inputs!r}")
    if not isinstance(inputs, str):
        return check_inputs(program, inputs)
    needed = [name for name, must in program.inputs.items() if must]
    if "question" not in program.inputs and len(needed) != 1:
        raise UsageError(f"{program.name} takes its inputs by name: {', '.join(program.inputs) or 'it has none'}")
    return check_inputs(program, {"question" if "question" in program.inputs else needed[0]: inputs})


async def execute(
    program: Program[OutcomeT],
    inputs: Mapping[str, Any],
    at: Place,
    *,
    pausing: bool = False,
) -> Execution[OutcomeT]:
    """Run a program once and keep what it came to, finished or not.

    Args:
        program: What to run.
        inputs: Its inputs by name, checked (see `named`).
        at: Where the run stands: its gateway, address, seed and listeners.
        pausing: Whether an exceeded budget pauses the run instead of stopping it.

    Raises:
        ReplayMiss, and whatever is a mistake rather than an ending. Cancellation is noted in the execution
        and raised again as `Cancelled`.
    """
    done = Execution[OutcomeT]()
    begun = time.perf_counter()
    here = replace(at, emit=done.listening(at.emit))
    try:
        bound: RunnableConfig = {"recursion_limit": steps_of(program)}
        async for state in program.compiled.astream(dict(inputs), bound, context=here, stream_mode="values"):
            done.state = state
    except BaseException as error:
        done.ending = ending_of(error, pausing=pausing)
        if done.ending is None:
            raise cause(error) from error
    finally:
        done.seconds = time.perf_counter() - begun
    done.outcome = program.outcome(done.state, done.ending.reason if done.ending else None)
    if done.ending and done.ending.status == "cancelled":
        raise Cancelled(done)
    return done


class Cancelled(asyncio.CancelledError):
    """The cancellation of a run, with what the run had come to. It goes on through task groups as any other does."""

    def __init__(self, done: Execution) -> None:
        super().__init__()
        self.done = done
