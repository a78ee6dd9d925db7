"""Dialogue trees: several replies at a turn, each continued; how they are grown, searched, scored and drawn.

Which agents speak and what they are told is the business of the protocols that grow trees (`protocols/persuasion`, …):
each is an `Expander`, and a `TreeProtocol` puts it into a LangGraph graph.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily
from maieutic.protocols.trees.tree import Node, Scores, Tree, child_id, level_of, parent_id

if TYPE_CHECKING:
    from maieutic.protocols.trees.growing import Expander, grown, node_place, plant, step
    from maieutic.protocols.trees.outcome import TreeOutcome
    from maieutic.protocols.trees.params import TreeParams
    from maieutic.protocols.trees.picture import save_tree, tree_svg
    from maieutic.protocols.trees.protocol import TreeProtocol
    from maieutic.protocols.trees.scoring import compared, rescored, subtree_scores
    from maieutic.protocols.trees.searching import Growth, Pick, Search, Way, puct

__all__ = [
    "Expander",
    "Growth",
    "Node",
    "Pick",
    "Scores",
    "Search",
    "Tree",
    "TreeOutcome",
    "TreeParams",
    "TreeProtocol",
    "Way",
    "child_id",
    "compared",
    "grown",
    "level_of",
    "node_place",
    "parent_id",
    "plant",
    "puct",
    "rescored",
    "save_tree",
    "step",
    "subtree_scores",
    "tree_svg",
]

__getattr__ = lazily(
    __name__,
    {
        "growing": ("Expander", "grown", "node_place", "plant", "step"),
        "outcome": ("TreeOutcome",),
        "params": ("TreeParams",),
        "picture": ("save_tree", "tree_svg"),
        "protocol": ("TreeProtocol",),
        "scoring": ("compared", "rescored", "subtree_scores"),
        "searching": ("Growth", "Pick", "Search", "Way", "puct"),
    },
)
