"""How good a run was: scorers that read a recorded run and its item, apart from running.

Nothing here runs a program; judges are models, and their calls are journaled like any other.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.scoring.base import Needs, PairScorer, RecordedRun, SampleItem, Score, Scorer
    from maieutic.runs.scoring.catalogue import scorer_from, scorers, scorers_from
    from maieutic.runs.scoring.choice import MultipleChoice
    from maieutic.runs.scoring.functions import Function, Scoring
    from maieutic.runs.scoring.goals import Goals
    from maieutic.runs.scoring.judging import Judged
    from maieutic.runs.scoring.numbers import Numeric
    from maieutic.runs.scoring.pairwise import Pairwise
    from maieutic.runs.scoring.scored import Rescored, check_against, outdated, scorable, score_again, score_run
    from maieutic.runs.scoring.texts import F1, ExactMatch, Regex

__all__ = [
    "F1",
    "ExactMatch",
    "Function",
    "Goals",
    "Judged",
    "MultipleChoice",
    "Needs",
    "Numeric",
    "PairScorer",
    "Pairwise",
    "RecordedRun",
    "Regex",
    "Rescored",
    "SampleItem",
    "Score",
    "Scorer",
    "Scoring",
    "check_against",
    "outdated",
    "scorable",
    "score_again",
    "score_run",
    "scorer_from",
    "scorers",
    "scorers_from",
]

__getattr__ = lazily(
    __name__,
    {
        "base": ("Needs", "PairScorer", "RecordedRun", "SampleItem", "Score", "Scorer"),
        "catalogue": ("scorer_from", "scorers", "scorers_from"),
        "choice": ("MultipleChoice",),
        "functions": ("Function", "Scoring"),
        "goals": ("Goals",),
        "judging": ("Judged",),
        "numbers": ("Numeric",),
        "pairwise": ("Pairwise",),
        "scored": ("Rescored", "check_against", "outdated", "scorable", "score_again", "score_run"),
        "texts": ("F1", "ExactMatch", "Regex"),
    },
)
