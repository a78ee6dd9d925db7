"""What is remembered: the transcript, the journal of every effect from outside, and the addresses they stand at.

Nothing here calls a model or knows an agent.
"""

from maieutic.memory.address import Address
from maieutic.memory.difference import explain_miss
from maieutic.memory.entries import Entry, RunRecord, fingerprint
from maieutic.memory.events import Emit, Event, silent
from maieutic.memory.journal import Journal
from maieutic.memory.prune import PruneReport
from maieutic.memory.salvage import SalvageReport, salvage
from maieutic.memory.transcript import MODERATOR, Message, Transcript, Turn

__all__ = [
    "MODERATOR",
    "Address",
    "Emit",
    "Entry",
    "Event",
    "Journal",
    "Message",
    "PruneReport",
    "RunRecord",
    "SalvageReport",
    "Transcript",
    "Turn",
    "explain_miss",
    "fingerprint",
    "salvage",
    "silent",
]
