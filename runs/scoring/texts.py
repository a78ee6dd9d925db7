"""Scorers that compare an answer with the accepted ones as text."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from maieutic.memory.answers import normal
from maieutic.protocols.routing.reward import exact_match, squad_f1, squad_normal
from maieutic.runs.scoring.base import Needs, RecordedRun, SampleItem, Score

if TYPE_CHECKING:
    from maieutic.backends import Place

__all__ = ["F1", "ExactMatch", "Regex", "Settings", "TextScorer"]


class Settings(BaseModel):
    """Base of the scorers that bring their settings with them.

    Attributes:
        name: Under which the scores stand; the kind's own name if left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    name: Annotated[str, Field(min_length=1)]


class TextScorer(Settings):
    """Base of the scorers that need the answer and the accepted ones, and nothing else.

    A run without an answer scores 0; an item without a target cannot be scored.
    """

    needs: ClassVar[Needs] = "nothing"

    async def score(self, run: RecordedRun, item: SampleItem, at: Place | None = None) -> Score:
        """The score of a run's answer."""
        if not item.target and self.needs_target:
            return Score(None, "the item has no target")
        if run.answer is None:
            return Score(0.0, "no answer")
        return self.judge(run.answer, item)

    @property
    def needs_target(self) -> bool:
        """Whether nothing can be said of an item without a target."""
        return True

    @abstractmethod
    def judge(self, answer: str, item: SampleItem) -> Score:
        """The score of an answer."""


class ExactMatch(TextScorer):
    """1 if the answer and an accepted one have the same form.

    The form "squad" is that of SQuAD's evaluation (lower case, without punctuation and articles), in which published
    results are told; it drops minus signs and decimal points. "normal" keeps what can change the meaning (see
    `maieutic.memory.answers.normal`), and "text" compares as it stands, without surrounding space.
    """

    name: str = "exact_match"
    form: Literal["squad", "normal", "text"] = "squad"

    def judge(self, answer: str, item: SampleItem) -> Score:
        """1 or 0."""
        if self.form == "squad":
            return Score(exact_match(answer, item.target), _seen(squad_normal(answer)))
        form = normal if self.form == "normal" else str.strip
        return Score(float(form(answer) in {form(one) for one in item.target}), _seen(form(answer)))


class F1(TextScorer):
    """The words in common with the accepted answer that fits best: F1 after SQuAD's normal form."""

    name: str = "f1"

    def judge(self, answer: str, item: SampleItem) -> Score:
        """From 0 to 1."""
        return Score(squad_f1(answer, item.target), _seen(squad_normal(answer)))


class Regex(TextScorer):
    """1 if a pattern is found.

    Where the pattern has a group called `answer`, what it caught must be an accepted answer in SQuAD's normal form; the
    last place where the pattern is found counts. Without such a group no target is needed.

    Attributes:
        pattern: A Python regular expression.
        of: Whether it is looked for in the answer or in all that was said aloud, turn by turn in lines.
        ignore_case: Whether case does not matter.
        whole: Whether it must fit from beginning to end.
    """

    name: str = "regex"
    pattern: Annotated[str, Field(min_length=1)]
    of: Literal["answer", "dialogue"] = "answer"
    ignore_case: bool = False
    whole: bool = False

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern

    @property
    def needs_target(self) -> bool:
        """Only with a group called `answer`."""
        return "answer" in self._compiled.groupindex

    @property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.MULTILINE | (re.IGNORECASE if self.ignore_case else 0))

    async def score(self, run: RecordedRun, item: SampleItem, at: Place | None = None) -> Score:
        """The score of a run's answer, or of its dialogue."""
        if self.of == "answer" or (self.needs_target and not item.target):
            return await super().score(run, item, at)
        return self.judge("\n".join(turn.content for turn in run.turns if turn.kind == "say"), item)

    def judge(self, answer: str, item: SampleItem) -> Score:
        """1 or 0."""
        pattern = self._compiled
        found = pattern.fullmatch(answer) if self.whole else _last(pattern, answer)
        if found is None:
            return Score(0.0, "the pattern is not there")
        if not self.needs_target:
            return Score(1.0, _seen(found[0]))
        caught = found["answer"] or ""
        return Score(exact_match(caught, item.target), _seen(caught))


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007 - the last one counts
        pass
    return found


def _seen(text: str) -> str:
    """What was compared, for the why."""
    return f"read as {text!r}" if len(text) <= 80 else f"read as {text[:79]!r}…"
