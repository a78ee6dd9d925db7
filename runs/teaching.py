"""Teaching protocols that run by themselves. They stand apart so that a debate need not load them."""

from __future__ import annotations

from maieutic.protocols.interact import Interact as PlainInteract
from maieutic.protocols.interventions.protocol import Interventions as PlainInterventions
from maieutic.protocols.tutor import Tutor as PlainTutor
from maieutic.runs.runnable import Runnable

__all__ = ["Interact", "Interventions", "Tutor"]


class Interact(Runnable, PlainInteract):
    """A lesson by question and answer that runs by itself (see maieutic.protocols.interact for the parameters)."""


class Interventions(Runnable, PlainInterventions):
    """Interventions under a budget that run by themselves (see maieutic.protocols.interventions for the parameters)."""


class Tutor(Runnable, PlainTutor):
    """A tutoring dialogue that runs by itself (see maieutic.protocols.tutor for the parameters)."""
