"""The state of an INTERACT run as plain JSON."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

__all__ = ["State"]


class State(TypedDict, total=False):
    """What the graph keeps.

    Attributes:
        question, context: The inputs: the topic and the text, where they replace the parameters'.
        topic: What it is about, as the student is told.
        turns: The transcript of all dialogues and everything off the record.
        quiz: The questions (see QuizItem), those dropped by the filter taken out.
        dropped: The questions taken out.
        turn: How many turns every dialogue has had.
        over: Whether nothing is left to do.
        skipped: Answers to the quiz that failed.
        failure: The error that ends the run, kept so that what was finished beside it is kept too.
    """

    question: str
    context: str
    topic: str
    turns: Annotated[list[dict[str, Any]], operator.add]
    quiz: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    turn: int
    over: bool
    skipped: Annotated[list[dict[str, Any]], operator.add]
    failure: dict[str, Any]
