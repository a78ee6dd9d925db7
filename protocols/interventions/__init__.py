"""Interventions under a budget: whom a teacher explains what, when it cannot explain everything.

Saha, Hase and Bansal, "Can Language Models Teach? Teacher Explanations Improve Student Performance via
Personalization", NeurIPS 2023. Here live the protocol, its rankers, estimators and curves; the student model itself is
in `maieutic.memory.student`.
"""

from maieutic.protocols.interventions.curves import Measured, Outcomes, Ranking
from maieutic.protocols.interventions.estimators import Asked, Estimates, Estimator
from maieutic.protocols.interventions.rankers import OBSERVED, PREDICTED, Ranker, ranker_named, scores
from maieutic.protocols.interventions.records import Answered, Estimate, Record

__all__ = [
    "OBSERVED",
    "PREDICTED",
    "Answered",
    "Asked",
    "Estimate",
    "Estimates",
    "Estimator",
    "Measured",
    "Outcomes",
    "Ranker",
    "Ranking",
    "Record",
    "ranker_named",
    "scores",
]
