"""Experiments: a data set, conditions, repeats; run once each, resumable and extensible, results written as they come.

Scoring, statistics and reports read `Results`; they live in maieutic.runs.scoring and maieutic.runs.statistics.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.experiments.items import SampleItem
    from maieutic.runs.experiments.results import Result, Results

__all__ = ["Result", "Results", "SampleItem"]

__getattr__ = lazily(
    __name__,
    {"items": ("SampleItem",), "results": ("Result", "Results")},
)
