"""How good a run was: scorers that read a recorded run and its item, apart from running.

Nothing here runs a program; judges are models, and their calls are journaled like any other.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.scoring.base import Needs, PairScorer, RecordedRun, SampleItem, Score, Scorer

__all__ = ["Needs", "PairScorer", "RecordedRun", "SampleItem", "Score", "Scorer"]

__getattr__ = lazily(__name__, {"base": ("Needs", "PairScorer", "RecordedRun", "SampleItem", "Score", "Scorer")})
