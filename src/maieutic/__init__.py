"""maieutic: agents that teach, debate and route along LangGraph state machines, over any LiteLLM model.

    import maieutic as mt

    ada, bo, june = mt.Debater("Ada", "sim/debater"), mt.Debater("Bo", "sim/debater"), mt.Judge("June", "sim/judge")
    run = mt.Debate([ada, bo], judge=june).run_sync("Should cities ban cars?")
    print(run.answer, run.ledger.total.calls)

This module is the table of contents. Every name is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from maieutic.lazy import lazily

if TYPE_CHECKING:
    from maieutic.agents import (
        Agent,
        Balance,
        Critic,
        Debater,
        Judge,
        Person,
        Reply,
        Router,
        Student,
        Teacher,
        Verb,
        view,
    )
    from maieutic.backends import Budget, LLMReply, LLMRequest, ModelSpec, PersonBackend, Place, ScriptedModel
    from maieutic.errors import (
        BudgetExceeded,
        GraphFileError,
        JournalError,
        MaieuticError,
        ModelError,
        PromptError,
        ReplayMiss,
        ReplyError,
        UsageError,
        WaitingForPerson,
    )
    from maieutic.memory import (
        ConceptGraph,
        Event,
        Item,
        Journal,
        Message,
        Observation,
        StudentModel,
        Transcript,
        Turn,
    )
    from maieutic.protocols.base import CallPlan, Outcome, Params, Plays, heard
    from maieutic.runs import (
        AgentForest,
        Debate,
        ExplanationTransfer,
        FlipFlop,
        Graph,
        Interact,
        Interventions,
        Misinformation,
        OnlineInterventions,
        PersonalisedExplanations,
        PersuasionTree,
        Protocol,
        RefinementTree,
        ResistOrAccept,
        RouterR1,
        Run,
        RunFailed,
        SelfConsistency,
        SelfRefine,
        SingleCall,
        SoloPerformance,
        TeamDebate,
        Tutor,
        Workspace,
        load,
        run,
        run_sync,
        stream,
    )

_ROOMS = {
    "agents": (
        "Agent",
        "Balance",
        "Critic",
        "Debater",
        "Judge",
        "Person",
        "Reply",
        "Router",
        "Student",
        "Teacher",
        "Verb",
        "view",
    ),
    "backends": ("Budget", "LLMReply", "LLMRequest", "ModelSpec", "PersonBackend", "Place", "ScriptedModel"),
    "errors": (
        "BudgetExceeded",
        "GraphFileError",
        "JournalError",
        "MaieuticError",
        "ModelError",
        "PromptError",
        "ReplayMiss",
        "ReplyError",
        "UsageError",
        "WaitingForPerson",
    ),
    "memory": (
        "ConceptGraph",
        "Event",
        "Item",
        "Journal",
        "Message",
        "Observation",
        "StudentModel",
        "Transcript",
        "Turn",
    ),
    "protocols.base": ("CallPlan", "Outcome", "Params", "Plays", "heard"),
    "runs": (
        "AgentForest",
        "Debate",
        "ExplanationTransfer",
        "FlipFlop",
        "Graph",
        "Interact",
        "Interventions",
        "Misinformation",
        "OnlineInterventions",
        "PersonalisedExplanations",
        "PersuasionTree",
        "Protocol",
        "RefinementTree",
        "ResistOrAccept",
        "RouterR1",
        "Run",
        "RunFailed",
        "SelfConsistency",
        "SelfRefine",
        "SingleCall",
        "SoloPerformance",
        "TeamDebate",
        "Tutor",
        "Workspace",
        "load",
        "run",
        "run_sync",
        "stream",
    ),
}
_find = lazily(__name__, _ROOMS)

__all__ = [
    "Agent",
    "AgentForest",
    "Budget",
    "BudgetExceeded",
    "CallPlan",
    "ConceptGraph",
    "Critic",
    "Debate",
    "Debater",
    "Event",
    "Experiment",
    "ExperimentRun",
    "ExplanationTransfer",
    "FlipFlop",
    "Graph",
    "GraphFileError",
    "Interact",
    "Interventions",
    "Item",
    "Journal",
    "JournalError",
    "Judge",
    "LLMReply",
    "LLMRequest",
    "MaieuticError",
    "Message",
    "Misinformation",
    "ModelError",
    "ModelSpec",
    "Observation",
    "OnlineInterventions",
    "Outcome",
    "Params",
    "Person",
    "PersonBackend",
    "PersonalisedExplanations",
    "PersuasionTree",
    "Place",
    "Plays",
    "PromptError",
    "Protocol",
    "RefinementTree",
    "ReplayMiss",
    "Reply",
    "ReplyError",
    "ResistOrAccept",
    "Result",
    "Results",
    "Router",
    "RouterR1",
    "Run",
    "RunFailed",
    "ScriptedModel",
    "SelfConsistency",
    "SelfRefine",
    "SingleCall",
    "SoloPerformance",
    "Student",
    "StudentModel",
    "Teacher",
    "TeamDebate",
    "Transcript",
    "Turn",
    "Tutor",
    "UsageError",
    "Verb",
    "WaitingForPerson",
    "Workspace",
    "heard",
    "load",
    "load_experiment",
    "run",
    "run_sync",
    "stream",
    "view",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("maieutic")
    return _find(name)


def __dir__() -> list[str]:
    return sorted((*__all__, "__version__"))
