"""A dialogue that is planned where its policy is in doubt (DPDP, ACL 2024)."""

from maieutic.protocols.dialogue_planner.gate import Gate
from maieutic.protocols.dialogue_planner.outcome import DialoguePlannerOutcome, PlannedTurn
from maieutic.protocols.dialogue_planner.params import DialoguePlannerParams, Rewards
from maieutic.protocols.dialogue_planner.protocol import DialoguePlanner

__all__ = ["DialoguePlanner", "DialoguePlannerOutcome", "DialoguePlannerParams", "Gate", "PlannedTurn", "Rewards"]
