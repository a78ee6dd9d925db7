"""Teaching protocols that run by themselves. They stand apart so that a debate need not load them."""

from __future__ import annotations

from maieutic.protocols.interact import Interact as PlainInteract
from maieutic.protocols.interventions.generalisation import ExplanationTransfer as PlainExplanationTransfer
from maieutic.protocols.interventions.online import OnlineInterventions as PlainOnlineInterventions
from maieutic.protocols.interventions.personalised import PersonalisedExplanations as PlainPersonalisedExplanations
from maieutic.protocols.interventions.protocol import Interventions as PlainInterventions
from maieutic.protocols.tutor import Tutor as PlainTutor
from maieutic.runs.runnable import Runnable

__all__ = [
    "ExplanationTransfer",
    "Interact",
    "Interventions",
    "OnlineInterventions",
    "PersonalisedExplanations",
    "Tutor",
]


class ExplanationTransfer(Runnable, PlainExplanationTransfer):
    """Whether explanations carry over to other questions (see maieutic.protocols.interventions.generalisation)."""


class Interact(Runnable, PlainInteract):
    """A lesson by question and answer that runs by itself (see maieutic.protocols.interact for the parameters)."""


class Interventions(Runnable, PlainInterventions):
    """Interventions under a budget that run by themselves (see maieutic.protocols.interventions for the parameters)."""


class OnlineInterventions(Runnable, PlainOnlineInterventions):
    """Interventions as the items come, one by one (see maieutic.protocols.interventions.online)."""


class PersonalisedExplanations(Runnable, PlainPersonalisedExplanations):
    """Explanations made for this student beside others (see maieutic.protocols.interventions.personalised)."""


class Tutor(Runnable, PlainTutor):
    """A tutoring dialogue that runs by itself (see maieutic.protocols.tutor for the parameters)."""
