"""Every error that maieutic raises on purpose. Each message says what happened, where, and what to do."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BudgetExceeded",
    "ConceptFileError",
    "ExperimentFileError",
    "FileError",
    "GraphFileError",
    "JournalError",
    "MaieuticError",
    "ModelError",
    "PromptError",
    "ReplayMiss",
    "ReplyError",
    "StudentModelError",
    "UsageError",
    "WaitingForPerson",
]


class MaieuticError(Exception):
    """Base of all errors raised by maieutic.

    Attributes:
        partial: What a protocol had come to when the error ended it (an outcome), where there is something.
    """

    partial: Any = None


class UsageError(MaieuticError):
    """A caller asked for something that cannot be done as asked (bad argument, unknown name)."""


class FileError(MaieuticError):
    """A file is not valid; the message lists every problem with its place.

    Attributes:
        problems: The problems one by one, each a maieutic.files.problems.Problem, in the order of the file.
    """

    def __init__(self, message: str, problems: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class GraphFileError(FileError):
    """A graph file is not valid."""


class ExperimentFileError(FileError):
    """An experiment file, or a data set that it names, is not valid."""


class StudentModelError(MaieuticError):
    """A student model was asked about what it does not know (a concept, an item), or told what cannot be."""


class ConceptFileError(FileError, StudentModelError):
    """A file of concepts or items is not valid."""


class PromptError(MaieuticError):
    """A prompt file is missing, does not parse, or uses an undefined variable."""


class ModelError(MaieuticError):
    """A model could not answer.

    Attributes:
        kind: What went wrong, for statistics and routing: "auth", "not_found", "bad_request", "context_window",
            "content_filter", "rate_limit", "timeout", "connection", "server", "truncated", "malformed", "circuit_open".
        retryable: Whether asking again can succeed.
        retry_after: Seconds the endpoint asked us to wait, if it did.
        status: HTTP status, if there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        retryable: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.retry_after = retry_after
        self.status = status


class ReplyError(MaieuticError):
    """A model answered, but its reply does not fit the schema asked for, even after a repair turn.

    Attributes:
        text: The last reply as it came.
    """

    def __init__(self, message: str, *, text: str) -> None:
        super().__init__(message)
        self.text = text


class BudgetExceeded(MaieuticError):
    """A call was refused because it could exceed the run's budget.

    Attributes:
        limit: Which limit: "usd", "tokens", "calls", "seconds".
    """

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class JournalError(MaieuticError):
    """A journal cannot be opened, read or written."""


class ReplayMiss(MaieuticError):
    """A replay asked for a reply that was never recorded; the message shows the nearest recorded request."""


class WaitingForPerson(MaieuticError):
    """A person's input is needed and nobody is there to give it.

    Attributes:
        address: The journal address at which the answer belongs.
        question: What the person is asked.
    """

    def __init__(self, message: str, *, address: str, question: str) -> None:
        super().__init__(message)
        self.address = address
        self.question = question
