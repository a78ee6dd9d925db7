"""Where in a run something happens, and the way to the run's resources."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from maieutic.memory import Address, Emit, silent

if TYPE_CHECKING:
    from maieutic.backends.gateway import Gateway

__all__ = ["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Handed down explicitly from graph to node to agent; each step down appends to the address.

    Attributes:
        gateway: The run's door to models.
        address: The journal address.
        seed: The run's seed.
        emit: Who is told of events.
        stream: Whether anybody watches text as it comes; if not, replies are not streamed.
    """

    gateway: Gateway
    address: Address
    seed: int = 0
    emit: Emit = silent
    stream: bool = False

    def __truediv__(self, step: str) -> Place:
        return replace(self, address=self.address / step)

    def rng(self) -> random.Random:
        """A generator of this place's own: the same in every execution, different at every other place."""
        return random.Random(f"{self.seed}/{self.address.local}")
