"""One run and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic

from maieutic.backends import Ledger
from maieutic.errors import MaieuticError
from maieutic.memory import RunRecord, Transcript
from maieutic.runs.endings import Awaited, Ending
from maieutic.runs.program import OutcomeT_co

__all__ = ["Run", "RunFailed"]


class RunFailed(MaieuticError):
    """A run did not come to its end, and the caller asked to hear of it.

    Attributes:
        run: The run, with everything that it came to.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(f"run {run.id} ended as {run.reason}: {run.error}")
        self.run = run


@dataclass(frozen=True, slots=True)
class Run(Generic[OutcomeT_co]):
    """What one execution of a graph or protocol came to; partial if it ended before its time.

    Attributes:
        id: Its id in the store.
        name: The name of what was run.
        outcome: The typed outcome, partial if the run was cut short.
        ending: How it ended before its time, or None if it came to its end.
        turns: Everything said, in the order in which it was said, probes included.
        edges: The routes taken, each with its expression, the values it read and the alternatives that were false.
        ledger: Calls, attempts, tokens, money and seconds, by agent and by model.
        seconds: Wall-clock time of this execution.
        simulated: Whether any reply came from a simulated mind.
        store: The journal's file or address, or None if it was in memory.
    """

    id: str
    name: str
    outcome: OutcomeT_co
    ending: Ending | None
    turns: Transcript
    edges: tuple[dict[str, Any], ...]
    ledger: Ledger
    seconds: float
    simulated: bool = False
    store: Path | str | None = field(default=None, compare=False)

    @property
    def answer(self) -> str | None:
        """What it came to."""
        return self.outcome.answer

    @property
    def status(self) -> str:
        """See maieutic.runs.endings.Status."""
        return self.ending.status if self.ending else "done"

    @property
    def reason(self) -> str:
        """Why it ended: as its outcome says ("answered", "agreed", "limit", "stopped"), or as its ending does."""
        return self.ending.reason if self.ending else self.outcome.reason

    @property
    def error(self) -> str | None:
        """The message of what cut it short, if anything did."""
        return self.ending.error if self.ending else None

    @property
    def waiting(self) -> Awaited | None:
        """What a waiting run waits for: a person's answer, and where it belongs."""
        return self.ending.waiting if self.ending else None

    def raise_for_status(self) -> Run:
        """Itself, if it came to its end.

        Raises:
            RunFailed: It did not.
        """
        if self.ending:
            raise RunFailed(self)
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: what `--json` prints and the store keeps as the run's result; `table` is left out if empty."""
        table = self.outcome.table()
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "reason": self.reason,
            "error": self.error,
            "waiting": asdict(self.waiting) if self.waiting else None,
            "answer": self.answer,
            "simulated": self.simulated,
            "seconds": round(self.seconds, 6),
            "outcome": self.outcome.model_dump(mode="json"),
            **({"table": table} if table else {}),
            "edges": list(self.edges),
            "ledger": self.ledger.to_json(),
        }


def new_id() -> str:
    """A fresh run id: sortable by time to the second, then random."""
    import secrets
    import time

    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(3)


def is_finished(record: RunRecord) -> bool:
    """Whether a recorded run came to its end."""
    return record.status == "done"
