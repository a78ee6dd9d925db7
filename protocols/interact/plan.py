"""How many calls an INTERACT run makes."""

from __future__ import annotations

from maieutic.protocols.base import CallPlan
from maieutic.protocols.interact.arms import arms_of, roots_of
from maieutic.protocols.interact.params import InteractParams

__all__ = ["interact_plan"]


def interact_plan(params: InteractParams) -> CallPlan:
    """The fewest and most calls of each agent.

    Exact for a quiz that is brought and not filtered. A written quiz may have fewer questions than were asked for, and
    a filter may leave none. Most calls answer a quiz after a short dialogue, so they are estimated as calls apart.
    """
    plan = CallPlan()
    most = len(params.quiz) if params.quiz is not None else params.levels * params.per_level
    fewest = most if params.quiz is not None else 1
    if params.quiz is None:
        plan += CallPlan({params.writer: (1, 1)})
    if params.closed_book_filter:
        plan += CallPlan({params.sieve: (fewest, most)})
    low, nothing_left = (0, 0) if params.closed_book_filter else (fewest, 1)
    arms = arms_of(params)
    for root in roots_of(arms):
        if root.condition == "lesson" and root.teacher:
            plan += CallPlan({root.teacher: (nothing_left, 1)})
        who = root.teacher if root.condition == "teacher_bound" and root.teacher else params.student
        plan += CallPlan({who: (low, most)})
    for arm in (arm for arm in arms if arm.grows):
        borrowed = arm.condition == "borrowed"
        turns = min(params.turns, len(params.borrowed)) if borrowed else params.turns
        quizzes = turns if params.quiz_every == "turn" else 1
        plan += CallPlan({params.student: (low * quizzes, most * quizzes)})
        if not borrowed and arm.teacher:
            asking = turns * (1 if arm.choice == "free" else 2)
            plan += CallPlan(
                {params.student: (asking * nothing_left, asking), arm.teacher: (turns * nothing_left, turns)}
            )
    return CallPlan(plan.calls, apart=True)
