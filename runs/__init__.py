"""Running one graph or many items: workspaces, runs, what is kept of them and how it is exported.

Nothing here knows the command line.
"""

from typing import TYPE_CHECKING

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.runs.baselines import AgentForest, SelfRefine, SingleCall, SoloPerformance
    from maieutic.runs.definition import Definition, definition_of, spec_of
    from maieutic.runs.endings import Ending
    from maieutic.runs.estimates import Estimate, estimate
    from maieutic.runs.experiments import Experiment, ExperimentRun, Result, Results, load_experiment
    from maieutic.runs.history import FORMATS, export, ledger_of, transcript_of
    from maieutic.runs.overrides import limits_from_text, override, value_from_text
    from maieutic.runs.persuading import FlipFlop, Misinformation, ResistOrAccept, TeamDebate
    from maieutic.runs.program import Program
    from maieutic.runs.result import Run, RunFailed
    from maieutic.runs.routing import RouterR1
    from maieutic.runs.runnable import Debate, Graph, Protocol, SelfConsistency, load, run, run_sync, stream
    from maieutic.runs.teaching import (
        ExplanationTransfer,
        Interact,
        Interventions,
        OnlineInterventions,
        PersonalisedExplanations,
        Tutor,
    )
    from maieutic.runs.trees import DialoguePlanner, PersuasionTree, RefinementTree
    from maieutic.runs.two_runs import SideBySide, side_by_side
    from maieutic.runs.workspace import Workspace

__all__ = [
    "FORMATS",
    "AgentForest",
    "Debate",
    "Definition",
    "DialoguePlanner",
    "Ending",
    "Estimate",
    "Experiment",
    "ExperimentRun",
    "ExplanationTransfer",
    "FlipFlop",
    "Graph",
    "Interact",
    "Interventions",
    "Misinformation",
    "OnlineInterventions",
    "PersonalisedExplanations",
    "PersuasionTree",
    "Program",
    "Protocol",
    "RefinementTree",
    "ResistOrAccept",
    "Result",
    "Results",
    "RouterR1",
    "Run",
    "RunFailed",
    "SelfConsistency",
    "SelfRefine",
    "SideBySide",
    "SingleCall",
    "SoloPerformance",
    "TeamDebate",
    "Tutor",
    "Workspace",
    "definition_of",
    "estimate",
    "export",
    "ledger_of",
    "limits_from_text",
    "load",
    "load_experiment",
    "override",
    "run",
    "run_sync",
    "side_by_side",
    "spec_of",
    "stream",
    "transcript_of",
    "value_from_text",
]


__getattr__ = lazily(
    __name__,
    {
        "baselines": ("AgentForest", "SelfRefine", "SingleCall", "SoloPerformance"),
        "definition": ("Definition", "definition_of", "spec_of"),
        "endings": ("Ending",),
        "estimates": ("Estimate", "estimate"),
        "experiments": ("Experiment", "ExperimentRun", "Result", "Results", "load_experiment"),
        "history": ("FORMATS", "export", "ledger_of", "transcript_of"),
        "overrides": ("limits_from_text", "override", "value_from_text"),
        "persuading": ("FlipFlop", "Misinformation", "ResistOrAccept", "TeamDebate"),
        "program": ("Program",),
        "result": ("Run", "RunFailed"),
        "routing": ("RouterR1",),
        "runnable": ("Debate", "Graph", "Protocol", "SelfConsistency", "load", "run", "run_sync", "stream"),
        "teaching": (
            "ExplanationTransfer",
            "Interact",
            "Interventions",
            "OnlineInterventions",
            "PersonalisedExplanations",
            "Tutor",
        ),
        "trees": ("DialoguePlanner", "PersuasionTree", "RefinementTree"),
        "two_runs": ("SideBySide", "side_by_side"),
        "workspace": ("Workspace",),
    },
)
