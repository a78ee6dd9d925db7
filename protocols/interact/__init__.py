"""INTERACT: a student learns what a text says by asking, and a quiz off the record shows what it has learned."""

from maieutic.protocols.interact.outcome import Curve, InteractOutcome, Point
from maieutic.protocols.interact.params import InteractParams
from maieutic.protocols.interact.protocol import Interact
from maieutic.protocols.interact.quiz import QuizItem
from maieutic.protocols.interact.sources import Exchange

__all__ = ["Curve", "Exchange", "Interact", "InteractOutcome", "InteractParams", "Point", "QuizItem"]
