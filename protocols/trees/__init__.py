"""Dialogue trees: several replies at a turn, each continued; how they are grown, searched, scored and drawn.

Which agents speak and what they are told is the business of the protocols that grow trees (`protocols/persuasion`, …).
"""

from maieutic.protocols.trees.tree import Node, Scores, Tree, child_id, level_of, parent_id

__all__ = ["Node", "Scores", "Tree", "child_id", "level_of", "parent_id"]
