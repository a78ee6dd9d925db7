"""What measured numbers can tell: intervals, paired tests, effects, fronts and matches of cost, power, agreement.

Functions on numbers and on results, with scipy and statsmodels inside (the extra `experiments`). Nothing here reads a
store or calls a model.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.statistics.budgets import Front, Matched, Plane, Point, fronts, matched, plane_of
    from maieutic.runs.statistics.corrections import corrected
    from maieutic.runs.statistics.estimates import Estimate, estimate
    from maieutic.runs.statistics.goal_rates import GoalSuccess, goal_success
    from maieutic.runs.statistics.paired import Paired, compare_pairs, mcnemar, sign_flip, wilcoxon
    from maieutic.runs.statistics.planning import (
        Plan,
        items_needed,
        items_needed_for_shares,
        plan_from,
        power,
        power_for_shares,
    )
    from maieutic.runs.statistics.reliability import agreement, krippendorff
    from maieutic.runs.statistics.samples import Column, Sample, samples_of
    from maieutic.runs.statistics.summary import Compared, Condition, Settings, Summary, summarise

_CONTENTS = {
    "reliability": ("agreement", "krippendorff"),
    "budgets": ("Front", "Matched", "Plane", "Point", "fronts", "matched", "plane_of"),
    "corrections": ("corrected",),
    "estimates": ("Estimate", "estimate"),
    "goal_rates": ("GoalSuccess", "goal_success"),
    "paired": ("Paired", "compare_pairs", "mcnemar", "sign_flip", "wilcoxon"),
    "planning": ("Plan", "items_needed", "items_needed_for_shares", "plan_from", "power", "power_for_shares"),
    "samples": ("Column", "Sample", "samples_of"),
    "summary": ("Compared", "Condition", "Settings", "Summary", "summarise"),
}

__all__ = [
    "Column",
    "Compared",
    "Condition",
    "Estimate",
    "Front",
    "GoalSuccess",
    "Matched",
    "Paired",
    "Plan",
    "Plane",
    "Point",
    "Sample",
    "Settings",
    "Summary",
    "agreement",
    "compare_pairs",
    "corrected",
    "estimate",
    "fronts",
    "goal_success",
    "items_needed",
    "items_needed_for_shares",
    "krippendorff",
    "matched",
    "mcnemar",
    "plan_from",
    "plane_of",
    "power",
    "power_for_shares",
    "samples_of",
    "sign_flip",
    "summarise",
    "wilcoxon",
]

__getattr__ = lazily(__name__, _CONTENTS)
