"""Simulated minds: small cognitive models that read only the messages they are sent, free and the same by seed.

`sim/…` models answer through `SimBackend`. The world they know of is a file (`load_world`); docs/simulated-minds.md
tells what is modelled and what is not.
"""

from maieutic.backends.sim.backend import SimBackend
from maieutic.backends.sim.params import MINDS, MindParams
from maieutic.backends.sim.world import Concept, Fact, Question, World, load_world

__all__ = ["MINDS", "Concept", "Fact", "MindParams", "Question", "SimBackend", "World", "load_world"]
