"""Why a run ended: a word for its status, and the reason that every run has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from maieutic.errors import BudgetExceeded, MaieuticError, ModelError, ReplyError, WaitingForPerson
from maieutic.graphs.failing import StepFailed
from maieutic.protocols.together import reason_of

__all__ = ["Awaited", "Ending", "Status", "cause", "ending_of"]

Status = Literal["done", "stopped", "paused", "waiting", "cancelled", "failed"]
"""How a run stands when nobody works on it any more.

"done" came to its end; "stopped" met its budget or its bound; "paused" did so and means to be resumed with more;
"waiting" needs a person's input; "cancelled" was told to end; "failed" met an error.
"""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A person's answer that a run waits for.

    Attributes:
        address: Where the answer belongs: `PersonBackend(answers={address: answer})`, or
            `maieutic resume RUN --answer 'ADDRESS=ANSWER'`.
        question: What the person is asked.
    """

    address: str
    question: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended before its time.

    Attributes:
        status: See `Status`.
        reason: "budget", "limit", "paused", "waiting", "cancelled" or "failed:KIND" (see ModelError.kind and
            StepFailed.kind).
        error: The message, for people.
        waiting: What a waiting run waits for.
    """

    status: Status
    reason: str
    error: str
    waiting: Awaited | None = None


def cause(error: BaseException) -> BaseException:
    """The error behind an exception group: the first of ours, else the first of all.

    Tasks that run side by side end in a group; what a user must read is the error that began it.
    """
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [cause(inner) for inner in error.exceptions]
    ours = [leaf for leaf in leaves if isinstance(leaf, MaieuticError)]
    return (ours or leaves)[0]


def ending_of(error: BaseException, *, pausing: bool = False) -> Ending | None:
    """The ending that an error means, or None if it is no ending but a mistake that the caller must hear of.

    Args:
        error: What the graph raised.
        pausing: Whether the budget was meant to pause the run.
    """
    from langgraph.errors import GraphRecursionError

    error = cause(error)
    match error:
        case GraphRecursionError():
            return Ending(
                "stopped",
                "limit",
                'The graph took more steps than its limit allows; raise limits.steps (`--budget "50 steps"`).',
            )
        case asyncio.CancelledError() | KeyboardInterrupt():
            return Ending("cancelled", "cancelled", "The run was cancelled.")
        case BudgetExceeded() if pausing:
            return Ending("paused", "paused", str(error))
        case BudgetExceeded():
            return Ending("stopped", reason_of(error), str(error))
        case WaitingForPerson():
            return Ending("waiting", reason_of(error), str(error), Awaited(error.address, error.question))
        case ModelError() | ReplyError():
            return Ending("failed", reason_of(error), str(error))
        case StepFailed():
            return Ending("failed", f"failed:{error.kind}", str(error))
    return None
