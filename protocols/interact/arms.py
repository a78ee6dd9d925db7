"""The dialogues that a run compares, and what of the transcript belongs to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.memory import Transcript, Turn
from maieutic.protocols.interact.params import Choice, Condition, InteractParams

__all__ = ["BORROWED", "NOTHING", "Arm", "arms_of", "belonging", "roots_of", "said_in"]

NOTHING = "nothing"
"""The root of every dialogue that begins without a lesson."""
BORROWED = ("another_student", "their_teacher")
"""Who speaks in a borrowed dialogue."""
_ARM = "arm"


@dataclass(frozen=True, slots=True)
class Arm:
    """One line of the table: a condition under one teacher and one way to choose questions, where it has these.

    A dialogue grows out of a root: nothing, or a teacher's lesson. What the student knows before the first turn is
    measured once at the root, however many dialogues begin there.
    """

    condition: Condition
    teacher: str | None = None
    choice: Choice | None = None

    @property
    def key(self) -> str:
        """Its name in addresses and in the transcript."""
        return ".".join(part for part in (self.condition, self.teacher, self.choice) if part)

    @property
    def root(self) -> str:
        """The key of the arm that it grows out of; its own if it does not grow."""
        match self.condition:
            case "interaction" | "borrowed":
                return NOTHING
            case "lesson_interaction":
                return Arm("lesson", self.teacher).key
        return self.key

    @property
    def grows(self) -> bool:
        """Whether it has turns."""
        return self.root != self.key


def arms_of(params: InteractParams) -> list[Arm]:
    """The lines of the table, in order."""
    arms: list[Arm] = []
    for condition in params.measured:
        if condition in ("nothing", "borrowed"):
            arms.append(Arm(condition))
        elif condition in ("lesson", "teacher_bound"):
            arms += [Arm(condition, teacher) for teacher in params.teacher]
        else:
            arms += [Arm(condition, teacher, choice) for teacher in params.teacher for choice in params.question_choice]
    return arms


def roots_of(arms: Sequence[Arm]) -> list[Arm]:
    """What is measured before the first turn: what does not grow, and what the others grow out of, each once."""
    roots: dict[str, Arm] = {}
    for arm in arms:
        match arm.root.partition(".")[0]:
            case "lesson":
                roots.setdefault(arm.root, Arm("lesson", arm.teacher))
            case "nothing":
                roots.setdefault(arm.root, Arm("nothing"))
            case _:
                roots.setdefault(arm.key, arm)
    return list(roots.values())


def belonging(turn: Turn, arm: str) -> Turn:
    """The turn, marked as one of an arm's."""
    return Turn(
        turn.speaker,
        turn.content,
        audience=turn.audience,
        kind=turn.kind,
        round=turn.round,
        data={**turn.data, _ARM: arm},
    )


def said_in(transcript: Transcript, arm: Arm) -> Transcript:
    """What belongs to an arm, its root and the opening; who may read which of it is for the view to tell."""
    mine = {arm.key, arm.root, None}
    return Transcript(tuple(turn for turn in transcript if turn.data.get(_ARM) in mine))
