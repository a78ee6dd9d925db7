"""What is remembered: the transcript, the journal of every effect from outside, and the model of a student.

Nothing here calls a model or knows an agent. The student model is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from maieutic.lazy import lazily
from maieutic.memory.address import Address
from maieutic.memory.difference import explain_miss
from maieutic.memory.entries import Entry, RunRecord, fingerprint
from maieutic.memory.events import Emit, Event, silent
from maieutic.memory.journal import Journal
from maieutic.memory.prune import PruneReport
from maieutic.memory.salvage import SalvageReport, salvage
from maieutic.memory.transcript import MODERATOR, Message, Transcript, Turn

if TYPE_CHECKING:
    from maieutic.memory.student import (
        Concept,
        ConceptGraph,
        InterventionPolicy,
        Item,
        Misconception,
        Observation,
        Prediction,
        Reason,
        StudentModel,
    )

_find = lazily(
    __name__,
    {
        "student": (
            "Concept",
            "ConceptGraph",
            "InterventionPolicy",
            "Item",
            "Misconception",
            "Observation",
            "Prediction",
            "Reason",
            "StudentModel",
        )
    },
)

__all__ = [
    "MODERATOR",
    "Address",
    "Concept",
    "ConceptGraph",
    "Emit",
    "Entry",
    "Event",
    "InterventionPolicy",
    "Item",
    "Journal",
    "Message",
    "Misconception",
    "Observation",
    "Prediction",
    "PruneReport",
    "Reason",
    "RunRecord",
    "SalvageReport",
    "StudentModel",
    "Transcript",
    "Turn",
    "explain_miss",
    "fingerprint",
    "salvage",
    "silent",
]


def __getattr__(name: str) -> Any:
    return _find(name)


def __dir__() -> list[str]:
    return list(__all__)
