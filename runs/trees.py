"""Protocols that grow trees of dialogues and run by themselves. A debate need not load them."""

from __future__ import annotations

from maieutic.protocols.dialogue_planner import DialoguePlanner as PlainDialoguePlanner
from maieutic.protocols.persuasion.tree import PersuasionTree as PlainPersuasionTree
from maieutic.protocols.refinement_tree import RefinementTree as PlainRefinementTree
from maieutic.runs.runnable import Runnable

__all__ = ["DialoguePlanner", "PersuasionTree", "RefinementTree"]


class DialoguePlanner(Runnable, PlainDialoguePlanner):
    """A planned dialogue that runs by itself (see maieutic.protocols.dialogue_planner for the parameters)."""


class PersuasionTree(Runnable, PlainPersuasionTree):
    """A tree of dialogues in stances that runs by itself (see maieutic.protocols.persuasion.tree)."""


class RefinementTree(Runnable, PlainRefinementTree):
    """A tree of refinements that runs by itself (see maieutic.protocols.refinement_tree for the parameters)."""
