"""The Theory-of-Mind student model: what a teacher believes that a student knows, and thinks it knows.

Nothing here calls a model.
"""

from typing import TYPE_CHECKING, Any

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.memory.student.concepts import Concept, ConceptGraph, Misconception
    from maieutic.memory.student.items import Item
    from maieutic.memory.student.model import Prediction, StudentModel
    from maieutic.memory.student.observations import Observation
    from maieutic.memory.student.policy import InterventionPolicy
    from maieutic.memory.student.reasons import Reason

_find = lazily(
    __name__,
    {
        "concepts": ("Concept", "ConceptGraph", "Misconception"),
        "items": ("Item",),
        "model": ("Prediction", "StudentModel"),
        "observations": ("Observation",),
        "policy": ("InterventionPolicy",),
        "reasons": ("Reason",),
    },
)

__all__ = [
    "Concept",
    "ConceptGraph",
    "InterventionPolicy",
    "Item",
    "Misconception",
    "Observation",
    "Prediction",
    "Reason",
    "StudentModel",
]


def __getattr__(name: str) -> Any:
    return _find(name)


def __dir__() -> list[str]:
    return list(__all__)
