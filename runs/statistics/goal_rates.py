"""Goals over many dialogues: how many were reached, and why the others were not (Mind the Goal, arXiv 2510.03696)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maieutic.runs.statistics.estimates import Estimate, estimate

if TYPE_CHECKING:
    from maieutic.runs.experiments.results import Result

__all__ = ["GoalSuccess", "goal_success"]


@dataclass(frozen=True, slots=True)
class GoalSuccess:
    """Goals of many dialogues.

    Attributes:
        rate: Goals reached of all goals, with its interval (dialogues of one group are resampled together).
        goals: How many goals there were.
        causes: By code (see `maieutic.runs.scoring.goals.CAUSES`, or "unsettled"), how many goals failed for it, the
            most frequent first.
        several: The rate among goals of more than one turn; None where there are none.
        unsettled: How many turns wait for a person.
    """

    rate: Estimate
    goals: int
    causes: dict[str, int]
    several: Estimate | None
    unsettled: int


def goal_success(
    results: Iterable[Result], scorer: str = "goals", *, level: float = 0.95, seed: int = 0
) -> GoalSuccess | None:
    """Add up what the scorer `goals` found; None where it found no goal.

    Args:
        results: The results, of one condition.
        scorer: The scorer's name.
        level, seed: As in `estimate`.
    """
    reached: list[float] = []
    groups: list[str] = []
    longer: list[int] = []
    causes: Counter[str] = Counter()
    unsettled = 0
    for result in results:
        data = result.extra.get("scores", {}).get(scorer, {}).get("data", {})
        unsettled += len(data.get("unsettled", ()))
        for goal in data.get("goals", ()):
            if len(goal["turns"]) > 1:
                longer.append(len(reached))
            reached.append(float(goal["success"]))
            groups.append(result.group or result.item)
            if goal["cause"]:
                causes[goal["cause"]] += 1
    rate = estimate(reached, groups, level=level, seed=seed)
    if rate is None:
        return None
    several = estimate([reached[n] for n in longer], [groups[n] for n in longer], level=level, seed=seed)
    return GoalSuccess(rate, len(reached), dict(causes.most_common()), several, unsettled)
