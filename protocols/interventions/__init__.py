"""Interventions under a budget: whom a teacher explains what, when it cannot explain everything.

Saha, Hase and Bansal, "Can Language Models Teach? Teacher Explanations Improve Student Performance via
Personalization", NeurIPS 2023. Here live the protocol, its rankers, estimators and curves; the student model itself is
in `maieutic.memory.student`.
"""

from typing import TYPE_CHECKING, Any

from maieutic.lazy import lazily
from maieutic.protocols.interventions.curves import Measured, Outcomes, Ranking
from maieutic.protocols.interventions.estimators import Asked, Estimates, Estimator
from maieutic.protocols.interventions.rankers import OBSERVED, PREDICTED, Ranker, ranker_named, scores
from maieutic.protocols.interventions.records import Answered, Estimate, Record

if TYPE_CHECKING:
    from maieutic.protocols.interventions.by_student_model import ByStudentModel
    from maieutic.protocols.interventions.few_shot import FewShot
    from maieutic.protocols.interventions.generalisation import ExplanationTransfer
    from maieutic.protocols.interventions.online import OnlineInterventions
    from maieutic.protocols.interventions.online_outcome import OnlineOutcome, over_students
    from maieutic.protocols.interventions.outcome import InterventionsOutcome
    from maieutic.protocols.interventions.params import InterventionsParams
    from maieutic.protocols.interventions.personalised import PersonalisedExplanations
    from maieutic.protocols.interventions.protocol import Interventions
    from maieutic.protocols.interventions.stacking import Stacking

_find = lazily(
    __name__,
    {
        "by_student_model": ("ByStudentModel",),
        "few_shot": ("FewShot",),
        "generalisation": ("ExplanationTransfer",),
        "online": ("OnlineInterventions",),
        "online_outcome": ("OnlineOutcome", "over_students"),
        "outcome": ("InterventionsOutcome",),
        "params": ("InterventionsParams",),
        "personalised": ("PersonalisedExplanations",),
        "protocol": ("Interventions",),
        "stacking": ("Stacking",),
    },
)

__all__ = [
    "OBSERVED",
    "PREDICTED",
    "Answered",
    "Asked",
    "ByStudentModel",
    "Estimate",
    "Estimates",
    "Estimator",
    "ExplanationTransfer",
    "FewShot",
    "Interventions",
    "InterventionsOutcome",
    "InterventionsParams",
    "Measured",
    "OnlineInterventions",
    "OnlineOutcome",
    "Outcomes",
    "PersonalisedExplanations",
    "Ranker",
    "Ranking",
    "Record",
    "Stacking",
    "over_students",
    "ranker_named",
    "scores",
]


def __getattr__(name: str) -> Any:
    return _find(name)


def __dir__() -> list[str]:
    return list(__all__)
