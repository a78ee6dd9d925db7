"""A response is refined by a tree search over its critiques (SPaR, ICLR 2025)."""

from maieutic.protocols.refinement_tree.outcome import RefinementTreeOutcome
from maieutic.protocols.refinement_tree.params import RefinementTreeParams
from maieutic.protocols.refinement_tree.protocol import RefinementTree

__all__ = ["RefinementTree", "RefinementTreeOutcome", "RefinementTreeParams"]
