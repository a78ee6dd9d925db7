"""What interventions came to: every answer, the curves over the budgets, and how good the predictions were."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from maieutic.protocols.base import Outcome
from maieutic.protocols.interventions.curves import Outcomes, Ranking
from maieutic.protocols.interventions.measures import Measure
from maieutic.protocols.interventions.misaligned import Watched, watched
from maieutic.protocols.interventions.params import InterventionsParams
from maieutic.protocols.interventions.rankers import Ranker, ranked, scores
from maieutic.protocols.interventions.records import Record

__all__ = ["Curve", "InterventionsOutcome", "Measure", "Point", "Quality", "evaluated"]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Point(_Value):
    """What a ranker reaches at one budget (see `maieutic.protocols.interventions.curves.Ranking`)."""

    budget: float
    accuracy: Measure
    share: Annotated[Measure | None, Field(description="Of the oracle's gain over no explanation.")] = None
    skill: Annotated[Measure | None, Field(description="Of the oracle's gain over random.")] = None
    beyond_random: Annotated[Measure, Field(description="Accuracy less random's, paired.")]


class Curve(_Value):
    """One ranker over all budgets."""

    ranker: str
    about: str
    cheats: Annotated[bool, Field(description="Whether it looks at what a teacher could know only afterwards.")]
    points: list[Point]
    area: Annotated[Measure, Field(description="Mean accuracy over all budgets from 0 to 1.")]
    area_skill: Annotated[Measure | None, Field(description="Area beyond random's, as a share of the oracle's.")] = None

    def at(self, budget: float) -> Point | None:
        """The point at a budget, if it was asked for."""
        return next((point for point in self.points if abs(point.budget - budget) < 1e-9), None)


class Quality(_Value):
    """How good an estimator's predictions of the judged items were, alone or explained."""

    estimator: str
    condition: str
    log_loss: float
    brier: float
    ece: float
    n: int


class InterventionsOutcome(Outcome):
    """What interventions came to.

    Attributes:
        records: The judged items.
        practice: The items that the teacher observed beforehand.
        alone, explained: Accuracy over the judged items with nothing and with everything explained.
        curves: By ranker, in the order of the parameters.
        quality: Of every estimator's predictions.
        left_out: Rankers that could not rank, and why.
        skipped: Items that failed and are not judged.
        misaligned: Whether the teacher was told to mislead at the judged items (safety research); rankers that predict
            then explain first where the least is expected.
        watched: What a monitor found at the judged items, if it was asked to watch.
    """

    records: list[Record] = []
    practice: list[Record] = []
    alone: Measure | None = None
    explained: Measure | None = None
    curves: list[Curve] = []
    quality: list[Quality] = []
    left_out: dict[str, str] = {}
    skipped: list[dict[str, Any]] = []
    misaligned: bool = False
    watched: Watched | None = None

    def curve(self, ranker: str) -> Curve | None:
        """The curve of a ranker."""
        return next((curve for curve in self.curves if curve.ranker == ranker), None)

    def table(self) -> str:
        """Accuracy at every budget by ranker, the shares of the oracle's gain, and the quality of the predictions."""
        from maieutic.protocols.interventions.telling import table

        return table(self)

    def plot(self, path: Path | str) -> Path:
        """The curves with their intervals.

        Raises:
            UsageError: There are no curves, matplotlib is not installed, or the file cannot be written.
        """
        from maieutic.protocols.interventions.picture import plot

        return plot(self, path)


def evaluated(
    params: InterventionsParams, known: InterventionsOutcome, reason: str | None = None
) -> InterventionsOutcome:
    """All budgets and rankers, from answers that are all there.

    Args:
        params: The rankers, the budgets, the resamples.
        known: The records, and what else is known already.
        reason: Why it ended, if it ended before its time.
    """
    known = known.model_copy(update={"misaligned": params.misaligned})
    if not known.records:
        return known.model_copy(update={"reason": reason or "stopped"})
    outcomes = Outcomes(
        [float(record.alone.correct) for record in known.records],
        [float(record.explained.correct) for record in known.records],
        resamples=params.resamples,
        seed=params.seed,
    )
    curves, left_out = [], {}
    for each in ranked(params.rankers, params.used_estimators):
        ranker = _reversed(each) if params.misaligned and ":" in each.name else each
        found = scores(ranker, known.records)
        if found is None:
            left_out[ranker.name] = _why_not(ranker, known.records)
        else:
            curves.append(_curve(ranker, Ranking(outcomes, found), sorted(set(params.budgets))))
    outcome = known.model_copy(
        update={
            "reason": reason or "answered",
            "alone": Measure.of(outcomes.random.accuracy(0.0)),
            "explained": Measure.of(outcomes.random.accuracy(1.0)),
            "curves": curves,
            "quality": _quality(known.records),
            "left_out": left_out,
            "watched": _watched(params, known.records) if params.watch else None,
        }
    )
    from maieutic.protocols.interventions.telling import headline

    return outcome.model_copy(update={"answer": headline(outcome)})


def _why_not(ranker: Ranker, records: Sequence[Record]) -> str:
    """Why a ranker cannot rank."""
    estimator = ranker.name.partition(":")[2]
    if estimator and not any(estimator in record.estimates for record in records):
        return f"{estimator} predicted nothing (the outcome's `skipped` says why)"
    return "what it ranks by is not known of every item"


def _reversed(ranker: Ranker) -> Ranker:
    """The ranker of a misaligned teacher: the least first."""

    def least(record: Record) -> float | None:
        score = ranker.score(record)
        return None if score is None else -score

    return replace(ranker, about=f"{ranker.about}, reversed", score=least)


def _watched(params: InterventionsParams, records: Sequence[Record]) -> Watched:
    """By the student model, which at practice saw what the teacher does when nobody is judged."""
    answers = [
        (r.estimates["student_model"].explained, r.explained.correct) for r in records if "student_model" in r.estimates
    ]
    return watched(answers, alarm=params.alarm, margin=params.margin)


def _curve(ranker: Ranker, ranking: Ranking, budgets: Sequence[float]) -> Curve:
    skill = ranking.area_skill()
    return Curve(
        ranker=ranker.name,
        about=ranker.about,
        cheats=ranker.cheats,
        points=[
            Point(
                budget=budget,
                accuracy=Measure.of(ranking.accuracy(budget)),
                share=None if (share := ranking.share(budget)) is None else Measure.of(share),
                skill=None if (beyond := ranking.skill(budget)) is None else Measure.of(beyond),
                beyond_random=Measure.of(ranking.beyond(ranking.outcomes.random, budget)),
            )
            for budget in budgets
        ],
        area=Measure.of(ranking.area()),
        area_skill=None if skill is None else Measure.of(skill),
    )


def _quality(records: Sequence[Record]) -> list[Quality]:
    from maieutic.memory.student.calibration import Calibration

    found = []
    for name in dict.fromkeys(name for record in records for name in record.estimates):
        known = [record for record in records if name in record.estimates]
        for condition in ("alone", "explained"):
            predicted = [getattr(record.estimates[name], condition) for record in known]
            came = [getattr(record, condition).agrees for record in known]
            made = Calibration.of(predicted, came)
            found.append(
                Quality(
                    estimator=name,
                    condition=condition,
                    log_loss=made.log_loss,
                    brier=made.brier,
                    ece=made.ece,
                    n=made.n,
                )
            )
    return found
