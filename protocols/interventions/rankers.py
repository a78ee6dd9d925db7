"""Who is explained first: pure functions from a record to a score; the greatest scores are explained first.

Names and definitions follow Saha, Hase and Bansal, "Can Language Models Teach?", NeurIPS 2023, section 5 (their
"intervention functions"). Ties are not broken here: a curve (`maieutic.protocols.interventions.curves`) is the
expectation over all orders of equal scores, so that `random`, which gives every item the same score, is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from maieutic.errors import UsageError
from maieutic.protocols.interventions.records import Record

__all__ = ["OBSERVED", "PREDICTED", "Ranker", "ranked", "ranker_named", "scores"]

Score = Callable[[Record], float | None]


@dataclass(frozen=True, slots=True)
class Ranker:
    """One way to choose the items that are explained.

    Attributes:
        name: As it stands under `rankers`, and after a colon the estimator's name where it has one.
        about: What it does, in a line.
        score: The score of a record, or None where what it needs was not measured.
        cheats: Whether it looks at what a teacher could only know after the fact.
    """

    name: str
    about: str
    score: Score
    cheats: bool = False


def _random(record: Record) -> float:
    """The paper's *random*: every item is as good as another."""
    return 0.0


def _teacher_confidence(record: Record) -> float | None:
    """The paper's *teacher confidence*: where the teacher is surest of the right answer."""
    return None if record.teacher is None else record.teacher.in_target


def _student_confidence(record: Record) -> float | None:
    """The paper's *student least confidence*: where the student alone is least sure, by margin where it is measured."""
    alone = record.alone
    sure = alone.margin if alone.margin is not None else alone.confidence
    return None if sure is None else -sure


def _true_pre(record: Record) -> float | None:
    """The paper's *pre-intervention student confidence*: least probability of the right answer, measured."""
    return None if record.alone.right is None else -record.alone.right


def _true_post(record: Record) -> float | None:
    """The paper's *post-intervention student confidence*: most probability of the right answer, explained."""
    return record.explained.right


def _true_utility(record: Record) -> float:
    """The paper's *true utility*: measured its probability explained less alone (of 0 and 1 if not measured)."""
    before, after = record.alone.right, record.explained.right
    return record.gain if before is None or after is None else after - before


def _oracle(record: Record) -> float:
    """The best that can be done: what explaining gains in truth (helped first, harmed last)."""
    return record.gain


def _wrong_first(record: Record) -> float:
    """The paper's *oracle*: whatever the student alone gets wrong, whether or not explaining helps there."""
    return -float(record.alone.correct)


OBSERVED: dict[str, Ranker] = {
    r.name: r
    for r in (
        Ranker("random", "any item", _random),
        Ranker("teacher_confidence", "the teacher is surest", _teacher_confidence),
        Ranker("student_confidence", "the student is least sure", _student_confidence),
        Ranker("true_pre", "the student alone gives the right answer the least probability", _true_pre, True),
        Ranker("true_post", "the student explained gives the right answer the most probability", _true_post, True),
        Ranker("true_utility", "the right answer gains the most probability", _true_utility, True),
        Ranker("wrong_first", "what the student alone gets wrong", _wrong_first, True),
        Ranker("oracle", "what explaining turns from wrong to right", _oracle, True),
    )
}
"""Rankers by name that need no estimate."""

PREDICTED: dict[str, str] = {
    "no_intervention": "least chance alone",
    "intervention": "greatest chance explained",
    "expected_utility": "greatest expected gain",
}
"""Rankers that need an estimator: the paper's two one-sided mental models, and its expected utility."""


def _by(name: str, estimator: str) -> Score:
    def score(record: Record) -> float | None:
        found = record.estimates.get(estimator)
        if found is None:
            return None
        return {"no_intervention": -found.alone, "intervention": found.explained}.get(name, found.utility)

    return score


def ranker_named(name: str) -> Ranker:
    """The ranker of that name: `random`, `student_confidence`, …, or `expected_utility:student_model`.

    Raises:
        UsageError: There is none; the message lists those there are.
    """
    kind, _, estimator = name.partition(":")
    if kind in OBSERVED and not estimator:
        return OBSERVED[kind]
    if kind in PREDICTED and estimator:
        return Ranker(name, f"{PREDICTED[kind]} ({estimator})", _by(kind, estimator))
    known = ", ".join([*OBSERVED, *(f"{p}:ESTIMATOR" for p in PREDICTED)])
    raise UsageError(f"unknown ranker {name!r}; there are: {known}")


def ranked(names: Iterable[str], estimators: Sequence[str]) -> list[Ranker]:
    """The rankers of these names; one that needs an estimator and names none stands for each of the estimators.

    Raises:
        UsageError: A ranker is unknown.
    """
    spelled = [
        full
        for name in names
        for full in ([f"{name}:{estimator}" for estimator in estimators] if name in PREDICTED else [name])
    ]
    return [ranker_named(name) for name in dict.fromkeys(spelled)]


def scores(ranker: Ranker, records: Sequence[Record]) -> list[float] | None:
    """The score of every record, or None if any is missing: a ranker ranks all items or none."""
    found = [ranker.score(record) for record in records]
    return None if any(score is None for score in found) else [float(s) for s in found if s is not None]
