"""The networkx student model as an estimator: it sees only which practice items the student got right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.estimators import Asked, Estimates
from maieutic.protocols.interventions.records import Estimate, Record

if TYPE_CHECKING:
    from maieutic.backends.place import Place
    from maieutic.memory.student.concepts import ConceptGraph
    from maieutic.memory.student.model import StudentModel

__all__ = ["ByStudentModel", "concepts_of"]

FOLDS = 5


class ByStudentModel:
    """Predicts with a `StudentModel` that has observed the practice answers, alone and explained. It makes no calls.

    Args:
        items: Every item, practice items included, with its concepts.
        concepts: The concept graph as plain JSON (`ConceptGraph.to_json`); None makes one of the items' concepts,
            without prerequisites.
    """

    name = "student_model"

    def __init__(self, items: Sequence[Item], concepts: Mapping[str, Any] | None = None) -> None:
        self._items = {item.id: item for item in items}
        self._concepts = concepts_of(items, concepts)
        self._practice: list[Record] = []

    def observe(self, practice: Sequence[Record]) -> None:
        """Keep the practice answers."""
        self._practice = list(practice)

    @property
    def model(self) -> StudentModel:
        """The student model after all the practice answers."""
        return self._after(self._practice)

    async def estimate(self, items: Sequence[Asked], at: Place) -> Estimates:
        """What the model predicts after practice."""
        model = self.model
        return {asked.item.id: _predicted(model, asked.item) for asked in items}

    async def estimate_practice(self, at: Place) -> Estimates:
        """Each practice item by a model that has observed the others (in five folds)."""
        found: dict[str, Estimate] = {}
        folds = min(FOLDS, len(self._practice))
        for k in range(folds):
            model = self._after([r for i, r in enumerate(self._practice) if i % folds != k])
            found |= {r.item: _predicted(model, self._items[r.item]) for r in self._practice[k::folds]}
        return found

    def _after(self, practice: Sequence[Record]) -> StudentModel:
        from maieutic.memory.student.model import StudentModel

        model = StudentModel(self._concepts, items=list(self._items.values()))
        for record in practice:
            model.answered(record.item, correct=record.alone.agrees)
            model.answered(record.item, correct=record.explained.agrees, with_explanation=True)
        return model


def _predicted(model: StudentModel, item: Item) -> Estimate:
    predicted = model.predict(item.id)
    return Estimate(alone=predicted.alone, explained=predicted.explained)


def concepts_of(items: Sequence[Item], concepts: Mapping[str, Any] | None = None) -> ConceptGraph:
    """The concept graph, or one of the items' own concepts without prerequisites."""
    from maieutic.memory.student.concepts import ConceptGraph

    if concepts is not None:
        return ConceptGraph.from_json(concepts)
    graph = ConceptGraph()
    for name in dict.fromkeys(concept for item in items for concept in item.concepts):
        graph.add(name)
    return graph
