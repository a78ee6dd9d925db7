"""How many calls interventions make."""

from __future__ import annotations

from maieutic.protocols.base import CallPlan
from maieutic.protocols.interventions.asking import weighable
from maieutic.protocols.interventions.params import InterventionsParams

__all__ = ["interventions_plan"]


def interventions_plan(params: InterventionsParams) -> CallPlan:
    """Calls by agent. Weighing labels is one call where an endpoint gives log-probabilities, and samples where not."""
    practice, test = len(params.practice_items), len(params.test_items)
    by_model = params.explanations == "model"
    teacher = (practice + test) * by_model + practice * (not params.teacher_knows_answers) + test * params.asks_teacher
    student = 2 * (practice + test)
    weighs = {"teacher": _simulations(params), "student": 0}
    if params.confidence == "measured":
        options = sum(weighable(item) for item in params.test_items)
        answers = {"student": 2, "teacher": int(params.asks_teacher)}
        student += answers["student"] * (test - options) * params.samples
        teacher += answers["teacher"] * (test - options) * params.samples
        weighs = {who: weighs[who] + n * options for who, n in answers.items()}
    return CallPlan(
        {
            params.teacher: (teacher + weighs["teacher"], teacher + weighs["teacher"] * (1 + params.samples)),
            params.student: (student + weighs["student"], student + weighs["student"] * (1 + params.samples)),
        },
        apart=True,
    )


def _simulations(params: InterventionsParams) -> int:
    """Predictions of few_shot: two an item; with a combination, practice items that are no demonstrations too."""
    if "few_shot" not in params.used_estimators or not params.predicts:
        return 0
    beyond = max(0, len(params.practice_items) - params.shots) if "combined" in params.used_estimators else 0
    return 2 * (len(params.test_items) + beyond)
