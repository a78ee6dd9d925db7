"""What a mind comes to before it is put into words or into a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Thought"]


@dataclass(frozen=True, slots=True)
class Thought:
    """One reply in all the forms in which it may be asked for.

    Attributes:
        text: The reply in words.
        answer: The answer in it, or "" where it holds none.
        shares: Probability by answer: the belief behind it, empty where there is none.
        confidence: How sure the mind says it is.
        reason: Why, in a sentence.
        ranking: All answers, best first.
        approved: The answers it could accept.
        ok: Whether something (a draft, the state of a debate) will do.
        problem: What is wrong with it, or "".
        lists: Lists of several things, each a mapping, by the name of the field that asks for them: the questions of a
            quiz, the estimates of what one knows.
    """

    text: str
    answer: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.5
    reason: str = ""
    ranking: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    ok: bool = True
    problem: str = ""
    lists: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
