"""How many calls a debate makes."""

from __future__ import annotations

from maieutic.protocols.base import CallPlan
from maieutic.protocols.debate_params import DebateParams
from maieutic.protocols.self_consistency import dealt

__all__ = ["debate_plan"]


def debate_plan(params: DebateParams) -> CallPlan:
    """The fewest and the most calls of each agent, the baseline's included, if nothing fails."""
    fewest = 1 if any("rounds" not in way for way in params.stopping.ways) else params.rounds
    again = int(params.on_tie == "another_round" and params.rule != "judge")
    certain = int("agreement" not in params.stopping.conditions)  # agreement leaves nothing to decide
    low = fewest + _probes(params, fewest)
    high = params.rounds + again + _probes(params, params.rounds + again, again)
    if params.debaters_vote and params.rule in ("ranked", "approval"):
        low += certain if params.options else 0  # without options, all may hold the same answer
        high += 1 + again
    calls = {**dict.fromkeys(params.debaters, (low, high)), **dict.fromkeys(params.jury, (certain, 1 + again))}
    if params.judge:
        calls[params.judge] = _judging(params, certain)
    plan = CallPlan(calls)
    return plan if params.baseline == "none" else plan + dealt(params.debaters, plan.fewest, plan.most)


def _probes(params: DebateParams, rounds: int, again: int = 0) -> int:
    match params.probes:
        case "each_round":
            return rounds + 1
        case "ends":
            return 2 + again
        case "never":
            return 1 + again if params.debaters_vote else 0


def _judging(params: DebateParams, certain: int) -> tuple[int, int]:
    low = high = 0
    if params.rule == "judge":
        low, high = certain, 1
    elif params.on_tie == "judge":
        high = 1
    ways = params.stopping.ways
    if params.rounds > 1 and any("judge" in way and "rounds" not in way for way in ways):
        always_asked = ("judge",) in ways and all("judge" in way or "rounds" in way for way in ways)
        low, high = low + always_asked, high + params.rounds - 1
    return low, high
