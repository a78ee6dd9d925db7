"""How many calls a dialogue tree makes."""

from __future__ import annotations

from collections.abc import Mapping

from maieutic.protocols.base import CallPlan
from maieutic.protocols.persuasion.tree_confidence import SAMPLES
from maieutic.protocols.persuasion.tree_params import PersuasionTreeParams

__all__ = ["level_sizes", "tree_plan"]


def level_sizes(params: PersuasionTreeParams) -> list[int]:
    """The turns of each level, if no dialogue ends before its last turn and no bound is met.

    PBT: 1, 2, 6, 12; together 21.
    """
    sizes: list[int] = []
    for level in range(params.turns):
        speaker, last = (params.debaters[turn % len(params.debaters)] for turn in (level, level - 1))
        stances = params.stances_of(speaker if params.branch_by == "speaker" else last) if level else ()
        going_on = min(sizes[-1], params.beam or sizes[-1]) if level else 1
        sizes.append(going_on * max(1, len(stances)) * params.samples * (1 + len(params.voices_of(speaker))))
    return sizes


def tree_plan(params: PersuasionTreeParams) -> CallPlan:
    """The fewest and the most calls of each agent, if nothing fails.

    With voices, a speaker's calls are counted for the speaker, whosever model makes them.
    """
    sizes = level_sizes(params)
    most = _bounded(params, sum(sizes))
    soonest = min(params.turns, len(params.debaters)) if params.stop == "agreement" else params.turns
    turns: dict[str, tuple[int, int]] = {}
    for seat, name in enumerate(params.debaters):
        levels = range(seat, params.turns, len(params.debaters))
        whole = sum(sizes[level] for level in levels)
        sure = sum(sizes[level] for level in levels if level < soonest)
        turns[name] = (0 if _is_bounded(params) else sure, min(whole, most))
    return CallPlan(_with_readers(params, turns, most))


def _is_bounded(params: PersuasionTreeParams) -> bool:
    return params.nodes is not None or params.calls is not None or params.order == "mcts"


def _bounded(params: PersuasionTreeParams, turns: int) -> int:
    bounds = [turns]
    if params.nodes is not None:
        bounds.append(params.nodes)
    if params.calls is not None:
        bounds.append(params.calls // params.calls_each)
    if params.order == "mcts":
        bounds.append(params.simulations)
    return min(bounds)


def _with_readers(
    params: PersuasionTreeParams, turns: Mapping[str, tuple[int, int]], most: int
) -> dict[str, tuple[int, int]]:
    """The same with those who read and judge turns; a debater that tells its position is called twice a turn."""
    total = (sum(low for low, _ in turns.values()), most)
    calls = dict(turns)
    if params.answers == "position":
        calls = {name: (2 * low, 2 * high) for name, (low, high) in turns.items()}
    for name in (params.extractor, params.judge):
        if name:
            low, high = calls.get(name, (0, 0))
            calls[name] = (low + total[0], high + total[1])
    if params.confidence:
        low, high = calls.get(params.confidence, (0, 0))
        calls[params.confidence] = (low + total[0], high + (1 + SAMPLES) * total[1])
    return calls
