"""What the command line exits with, so that a script can tell how a run ended."""

from __future__ import annotations

from maieutic.errors import (
    BudgetExceeded,
    FileError,
    MaieuticError,
    PromptError,
    ReplayMiss,
    StudentModelError,
    UsageError,
    WaitingForPerson,
)

__all__ = ["BUDGET", "CANCELLED", "DONE", "FAILED", "MEANINGS", "REPLAY_MISS", "USAGE", "WAITING", "of_error", "of_run"]

DONE, FAILED, USAGE, BUDGET, WAITING, REPLAY_MISS, CANCELLED = 0, 1, 2, 3, 4, 5, 130

MEANINGS = {
    DONE: "done",
    FAILED: "failed",
    USAGE: "wrong usage, or an invalid file",
    BUDGET: "a budget or limit was reached; the partial result is kept",
    WAITING: "waiting for a person, or paused; `maieutic resume` goes on",
    REPLAY_MISS: "a replay asked for something that was not recorded",
    CANCELLED: "cancelled (Ctrl-C); `maieutic resume` goes on",
}

_ERRORS: tuple[tuple[type[MaieuticError], int], ...] = (
    (UsageError, USAGE),
    (FileError, USAGE),
    (StudentModelError, USAGE),
    (PromptError, USAGE),
    (BudgetExceeded, BUDGET),
    (WaitingForPerson, WAITING),
    (ReplayMiss, REPLAY_MISS),
)
_STATUS = {"done": DONE, "stopped": BUDGET, "paused": WAITING, "waiting": WAITING, "cancelled": CANCELLED}


def of_error(error: MaieuticError) -> int:
    """The exit code of an error that ended a command."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), FAILED)


def of_run(status: str) -> int:
    """The exit code of a run that ended with this status (see maieutic.runs.endings.Status)."""
    return _STATUS.get(status, FAILED)
