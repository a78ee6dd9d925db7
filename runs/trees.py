"""Protocols that grow trees of dialogues and run by themselves. A debate need not load them."""

from __future__ import annotations

from maieutic.protocols.persuasion.tree import PersuasionTree as PlainPersuasionTree
from maieutic.runs.runnable import Runnable

__all__ = ["PersuasionTree"]


class PersuasionTree(Runnable, PlainPersuasionTree):
    """A tree of dialogues in stances that runs by itself (see maieutic.protocols.persuasion.tree)."""
