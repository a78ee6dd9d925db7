"""What can be said of interventions beforehand."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from maieutic.errors import UsageError
from maieutic.memory.student.items import Item
from maieutic.protocols.given import Concepts, read_concepts, read_items
from maieutic.protocols.interventions.misaligned import ALARM, MARGIN, MISALIGNED
from maieutic.protocols.interventions.rankers import PREDICTED, ranked
from maieutic.protocols.parameters import FromFile, Params, Plays
from maieutic.protocols.together import OnFailure

__all__ = ["DEFAULT_RANKERS", "EstimatorName", "InterventionsParams"]

EstimatorName = Literal["few_shot", "student_model", "combined"]
DEFAULT_RANKERS = (
    "random", "teacher_confidence", "student_confidence", "no_intervention", "intervention", "expected_utility",
    "wrong_first", "oracle",
)  # fmt: skip
_MEASURED = ("true_pre", "true_post")

Budget = Annotated[float, Field(ge=0, le=1)]


def _as_list(raw: Any) -> Any:
    """Any sequence of items is as good as a list."""
    return list(raw) if isinstance(raw, Sequence) and not isinstance(raw, str) else raw


class InterventionsParams(Params):
    """The parameters of interventions, as they stand under `with:`."""

    teacher: Annotated[str, Plays("teacher"), Field(description="Who explains, and predicts the student.")]
    student: Annotated[str, Plays("student"), Field(description="Who answers alone and with the explanation.")]
    items: Annotated[
        list[Item],
        FromFile(read_items),
        BeforeValidator(_as_list),
        Field(description="The questions, each with its right answer; or a file with them."),
    ]
    practice: Annotated[
        float | list[Item],
        FromFile(read_items),
        BeforeValidator(_as_list),
        Field(
            description="Items whose answers the teacher observes beforehand, and which are not judged: a share of "
            "`items` drawn by the seed, items of their own, or a file with them."
        ),
    ] = 0.3
    concepts: Annotated[
        Concepts | None,
        FromFile(read_concepts),
        Field(description="Concepts and prerequisites for the student model; left out, the items' concepts alone."),
    ] = None
    rankers: Annotated[
        list[str],
        Field(
            min_length=1,
            description="Who is explained first. One that needs an estimator stands for each of them, or names its own "
            "after a colon: expected_utility:student_model.",
        ),
    ] = list(DEFAULT_RANKERS)
    budgets: Annotated[list[Budget], Field(min_length=1, description="Shares of the items that are explained.")] = [
        0.0, 0.2, 0.4, 0.6, 0.8, 1.0,
    ]  # fmt: skip
    estimators: Annotated[
        list[EstimatorName] | None,
        Field(
            min_length=1,
            description="How the student is predicted: few_shot (the teacher's model simulates it), student_model "
            "(networkx), combined (both, calibrated on the practice items). Left out: all that the items allow.",
        ),
    ] = None
    shots: Annotated[
        int, Field(ge=0, description="Demonstrations of few_shot; practice items beyond them calibrate.")
    ] = 6
    samples: Annotated[int, Field(ge=1, description="Samples taken where an endpoint gives no log-probabilities.")] = 10
    confidence: Annotated[
        Literal["stated", "measured"],
        Field(
            description="stated: as they say it with their answers. measured: from the probabilities of the options, "
            "one more call for each answer (by samples where an endpoint gives no log-probabilities, or there are no "
            "options)."
        ),
    ] = "stated"
    teacher_knows_answers: Annotated[
        bool,
        Field(description="Whether the teacher is told the right answers; if not, its own stand for them."),
    ] = True
    explanations: Annotated[
        Literal["model", "given"], Field(description="Whose explanations: the teacher's, or those of the items.")
    ] = "model"
    misaligned: Annotated[bool, MISALIGNED] = False
    watch: Annotated[
        bool,
        Field(description="Whether a monitor watches for explanations that do harm, by the student model's surprise."),
    ] = False
    alarm: Annotated[float, ALARM] = 0.01
    margin: Annotated[float, MARGIN] = 0.05
    resamples: Annotated[int, Field(ge=0, description="Resamples of the items, for intervals.")] = 2000
    seed: Annotated[int, Field(description="Of the practice items, the demonstrations and the resamples.")] = 0
    on_failure: Annotated[
        OnFailure, Field(description="When a call for an item fails: everything fails, or the item is left out.")
    ] = "skip"

    @property
    def practice_items(self) -> list[Item]:
        """What the teacher observes beforehand, in the order of `items` if it is a share of them."""
        if isinstance(self.practice, list):
            return self.practice
        drawn = random.Random(f"{self.seed}/practice").sample(range(len(self.items)), self._apart)
        return [self.items[i] for i in sorted(drawn)]

    @property
    def test_items(self) -> list[Item]:
        """The items that are judged."""
        if isinstance(self.practice, list):
            return self.items
        apart = {item.id for item in self.practice_items}
        return [item for item in self.items if item.id not in apart]

    @property
    def _apart(self) -> int:
        return 0 if isinstance(self.practice, list) else round(self.practice * len(self.items))

    @property
    def all_items(self) -> list[Item]:
        """Both."""
        return [*self.practice_items, *self.test_items]

    @property
    def used_estimators(self) -> list[EstimatorName]:
        """The estimators, the default filled in; the combined one last."""
        if self.estimators is not None:
            return sorted(dict.fromkeys(self.estimators), key=lambda name: name == "combined")
        if all(item.concepts for item in self._given):
            return ["few_shot", "student_model", "combined"]
        return ["few_shot", "combined"]

    @property
    def asks_teacher(self) -> bool:
        """Whether the teacher's own answers to the judged items are needed."""
        return not self.teacher_knows_answers or "teacher_confidence" in self.rankers

    @property
    def _given(self) -> list[Item]:
        return [*self.items, *(self.practice if isinstance(self.practice, list) else ())]

    def _problems(self) -> Iterator[str]:
        if self.teacher == self.student:
            yield f"{self.teacher!r} cannot be teacher and student at once; name another agent"
        yield from self._problems_of_items()
        yield from self._problems_of_rankers()
        yield from self._problems_of_concepts()

    def _problems_of_items(self) -> Iterator[str]:
        if not self.items:
            yield "items: there are none; give one or more"
        seen: set[str] = set()
        for item in self._given:
            if item.id in seen:
                yield f"items: two are called {item.id!r}; give each its own id, in items and practice together"
            seen.add(item.id)
            yield from self._problems_of_item(item)
        if not isinstance(self.practice, list) and not 0 <= self.practice < 1:
            yield f"practice: a share lies from 0 to below 1, not at {self.practice:g}"
        elif not isinstance(self.practice, list) and self._apart == len(self.items):
            yield f"practice: of {len(self.items)} items none is left to be judged; set apart fewer"

    def _problems_of_item(self, item: Item) -> Iterator[str]:
        if not item.question.strip():
            yield f"items: {item.id!r} has no question"
        if item.answer is None:
            yield f"items: {item.id!r} has no answer; without one nobody can say whether the student is right"
        if self.explanations == "given" and not item.explanation.strip():
            yield f"items: {item.id!r} has no explanation; write one, or have them from the model"

    def _problems_of_rankers(self) -> Iterator[str]:
        try:
            rankers = ranked(self.rankers, self.used_estimators)
        except UsageError as error:
            yield f"rankers: {error}"
            return
        for ranker in rankers:
            estimator = ranker.name.partition(":")[2]
            if ranker.name in _MEASURED and self.confidence != "measured":
                yield f"rankers: {ranker.name} needs measured probabilities; set confidence to measured"
            if estimator and estimator not in self.used_estimators:
                yield f"rankers: {ranker.name}: {estimator!r} is not an estimator here; there are: " + ", ".join(
                    self.used_estimators
                )
        if self.watch and ("student_model" not in self.used_estimators or not self.predicts):
            yield "watch: the monitor needs the student model's predictions; add student_model to the estimators"
        if self.misaligned and self.explanations == "given":
            yield "misaligned: the teacher misleads in its own words; have the explanations from the model"
        if self.used_estimators == ["combined"]:
            yield "estimators: combined needs others to combine; add few_shot or student_model"

    def _problems_of_concepts(self) -> Iterator[str]:
        needed = "student_model" in self.used_estimators
        for item in self._given if needed else ():
            if not item.concepts:
                yield f"estimators: student_model must know what item {item.id!r} needs; give it concepts"
            for concept in item.concepts:
                if self.concepts is not None and concept not in self.concepts["concepts"]:
                    known = ", ".join(list(self.concepts["concepts"])[:10])
                    yield f"items: {item.id!r} needs the unknown concept {concept!r}; concepts: {known}"

    @property
    def predicts(self) -> bool:
        """Whether any ranker needs estimates at all."""
        return any(name.partition(":")[0] in PREDICTED for name in self.rankers)
