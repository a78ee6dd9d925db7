"""Evaluations of persuasion that run by themselves. They stand apart so that a debate need not load them."""

from __future__ import annotations

from maieutic.protocols.persuasion.flip_flop import FlipFlop as PlainFlipFlop
from maieutic.protocols.persuasion.misinformation import Misinformation as PlainMisinformation
from maieutic.protocols.persuasion.resist_or_accept import ResistOrAccept as PlainResistOrAccept
from maieutic.protocols.persuasion.team import TeamDebate as PlainTeamDebate
from maieutic.runs.runnable import Runnable

__all__ = ["FlipFlop", "Misinformation", "ResistOrAccept", "TeamDebate"]


class FlipFlop(Runnable, PlainFlipFlop):
    """A flip-flop test that runs by itself (see maieutic.protocols.persuasion.flip_flop for the parameters)."""


class Misinformation(Runnable, PlainMisinformation):
    """A test for misinformation that runs by itself (see maieutic.protocols.persuasion.misinformation_params)."""


class ResistOrAccept(Runnable, PlainResistOrAccept):
    """Resisting and accepting in balance (see maieutic.protocols.persuasion.resist_or_accept for the parameters)."""


class TeamDebate(Runnable, PlainTeamDebate):
    """Team debates that run by themselves (see maieutic.protocols.persuasion.team for the parameters)."""
