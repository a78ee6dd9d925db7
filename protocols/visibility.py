"""How far back a debater reads."""

from __future__ import annotations

from typing import Literal

from maieutic.memory import Transcript, Turn

__all__ = ["Visible", "seen_by"]

Visible = Literal["all", "last_round", "own_and_last"]


def seen_by(name: str, transcript: Transcript, visible: Visible, round_: int) -> Transcript:
    """The part of a transcript that a debater is shown while round `round_` is going on; a pure function.

    The opening (turns outside rounds and of round 0) is always shown. "last_round" adds the round before and what was
    said in this one; "own_and_last" adds the debater's own earlier turns as well. Anything but "all" moves the window
    from round to round, so a serving engine's prefix cache keeps the opening only.
    """
    if visible == "all":
        return transcript

    def shown(turn: Turn) -> bool:
        recent = not turn.round or turn.round >= round_ - 1
        return recent or (visible == "own_and_last" and turn.speaker == name)

    return Transcript(tuple(turn for turn in transcript if shown(turn)))
