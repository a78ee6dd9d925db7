"""Experiments: a data set, conditions, repeats; run once each, resumable and extensible, results written as they come.

Scoring, statistics and reports read `Results`; they live in maieutic.runs.scoring and maieutic.runs.statistics.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.experiments.execution import ExperimentRun
    from maieutic.runs.experiments.experiment import Experiment, load_experiment, results_of
    from maieutic.runs.experiments.items import SampleItem
    from maieutic.runs.experiments.progress import Progress
    from maieutic.runs.experiments.reading import schema
    from maieutic.runs.experiments.results import Result, Results
    from maieutic.runs.experiments.store import ExperimentStore, open_store

__all__ = [
    "Experiment",
    "ExperimentRun",
    "ExperimentStore",
    "Progress",
    "Result",
    "Results",
    "SampleItem",
    "load_experiment",
    "open_store",
    "results_of",
    "schema",
]

__getattr__ = lazily(
    __name__,
    {
        "execution": ("ExperimentRun",),
        "experiment": ("Experiment", "load_experiment", "results_of"),
        "items": ("SampleItem",),
        "progress": ("Progress",),
        "reading": ("schema",),
        "results": ("Result", "Results"),
        "store": ("ExperimentStore", "open_store"),
    },
)
