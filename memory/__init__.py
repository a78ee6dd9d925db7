"""What is remembered: the transcript, the journal of every effect from outside, and the addresses they stand at.

Nothing here calls a model or knows an agent.
"""

from maieutic.memory.address import Address
from maieutic.memory.events import Emit, Event, silent
from maieutic.memory.transcript import MODERATOR, Message, Transcript, Turn

__all__ = ["MODERATOR", "Address", "Emit", "Event", "Message", "Transcript", "Turn", "silent"]
