"""What `--budget` limits, where there are no steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.backends import Budget

__all__ = ["budget_of", "limits_of"]


def limits_of(text: str, what: str) -> dict[str, Any]:
    """The limits that were typed: `usd`, `tokens`, `calls` and `seconds`, None where there is none.

    Args:
        text: As typed.
        what: What is limited, which has no steps.

    Raises:
        UsageError: It cannot be read, or limits steps.
    """
    from maieutic.graphs.spec import Limits
    from maieutic.runs import limits_from_text

    limits = limits_from_text(text, Limits())
    if limits.steps is not None:
        raise UsageError(f"--budget: {what} has no steps; limit calls instead")
    return limits.model_dump(include={"usd", "tokens", "calls", "seconds"})


def budget_of(text: str | None, what: str) -> Budget | None:
    """The same as a budget; None if nothing was typed.

    Raises:
        UsageError: As `limits_of`.
    """
    if text is None:
        return None
    from maieutic.backends import Budget

    return Budget(**limits_of(text, what))
