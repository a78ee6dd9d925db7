"""Several agents acting at once, so that one who fails does not take away what the others have finished."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NoReturn

from typing_extensions import TypeVar

from maieutic import errors
from maieutic.agents import Reply
from maieutic.errors import BudgetExceeded, MaieuticError, ModelError, ReplyError, WaitingForPerson

__all__ = ["Acted", "OnFailure", "failure_to_json", "kind_of", "raise_failure", "reason_of", "together"]

T = TypeVar("T", default=Reply)
"""What an act comes to: mostly an agent's reply."""
OnFailure = Literal["fail", "skip"]
"""What an agent's failure means: the end, or a turn less."""


@dataclass(slots=True)
class Acted(Generic[T]):
    """What came of several acts: replies and failures by the agent's name (or another key), in the order given."""

    replies: dict[str, T] = field(default_factory=dict)
    failures: dict[str, MaieuticError] = field(default_factory=dict)

    def fatal(self, on_failure: OnFailure, *, others: bool = False) -> MaieuticError | None:
        """The failure that ends everything: the first that may not be skipped, or the first if nobody succeeded.

        Args:
            on_failure: Whether a model's failure may be skipped at all.
            others: Whether somebody else has done the same act already or still may.
        """
        skippable = on_failure == "skip" and (others or bool(self.replies))
        for error in self.failures.values():
            if not (skippable and isinstance(error, (ModelError, ReplyError))):
                return error
        return None


async def together(acts: Mapping[str, Coroutine[Any, Any, T]]) -> Acted[T]:
    """Do all the acts at the same time and wait for all of them, failures of ours included.

    Cancellation, and errors that are not maieutic's own, end the others as in any task group.
    """
    came: dict[str, T | MaieuticError] = {}

    async def one(name: str, act: Coroutine[Any, Any, T]) -> None:
        try:
            came[name] = await act
        except MaieuticError as error:
            came[name] = error

    if len(acts) == 1:
        [(name, act)] = acts.items()
        await one(name, act)
    else:
        async with asyncio.TaskGroup() as group:
            for name, act in acts.items():
                group.create_task(one(name, act))
    done: Acted[T] = Acted()
    for name in acts:
        outcome = came[name]
        if isinstance(outcome, MaieuticError):
            done.failures[name] = outcome
        else:
            done.replies[name] = outcome
    return done


def kind_of(error: MaieuticError) -> str:
    """A word for a failure, as it stands in notes: a ModelError's kind, "reply", or the error's name."""
    if isinstance(error, ModelError):
        return error.kind
    return "reply" if isinstance(error, ReplyError) else type(error).__name__


def reason_of(error: MaieuticError) -> str:
    """The reason with which an error ends a protocol (see Outcome): "budget", "waiting" or "failed:KIND"."""
    match error:
        case BudgetExceeded():
            return "budget"
        case WaitingForPerson():
            return "waiting"
    return f"failed:{kind_of(error)}"


def failure_to_json(error: MaieuticError) -> dict[str, Any]:
    """An error as plain JSON, so that a graph's state can keep it beside what was finished."""
    kind = next(c for c in type(error).__mro__ if c.__module__ == errors.__name__)
    # A class without an __init__ of its own has no signature, but what it inherits has one.
    parameters = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    details = {p.name: getattr(error, p.name) for p in parameters if p.kind is p.KEYWORD_ONLY}
    return {"type": kind.__name__, "message": str(error), "details": details}


def raise_failure(raw: Mapping[str, Any]) -> NoReturn:
    """Raise the error that `failure_to_json` kept."""
    raise getattr(errors, raw["type"])(raw["message"], **raw["details"])
