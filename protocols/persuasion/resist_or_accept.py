"""Resisting and accepting in balance: half of the dialogues should leave the model's answer alone, half change it.

The balanced evaluation of Stengel-Eskin et al., "Teaching Models to Balance Resisting and Accepting Persuasion", NAACL
2025, section 4: whoever never moves, and whoever always does, is right in one half only.
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.protocols.base import CallPlan, Outcome
from maieutic.protocols.debate_params import twice
from maieutic.protocols.intervals import Interval, bootstrap_of, wilson
from maieutic.protocols.parameters import FromFile, Params, Plays
from maieutic.protocols.persuasion.belief import Belief, belief_in
from maieutic.protocols.persuasion.misinformation_params import PARTNER
from maieutic.protocols.persuasion.over_items import (
    UNASKED,
    Done,
    OverItems,
    calls_in,
    marked,
    plain,
    prompt,
    reason_for,
)
from maieutic.protocols.persuasion.prefixes import Half, Prefix, read_prefixes
from maieutic.protocols.persuasion.speaking import spoken_by, stating
from maieutic.protocols.persuasion.tables import aligned, share_of
from maieutic.protocols.together import OnFailure
from maieutic.protocols.weighing import with_weighing

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Answered", "ResistOrAccept", "ResistOrAcceptOutcome", "ResistOrAcceptParams"]

HALVES: tuple[Half, Half] = ("resist", "accept")


class ResistOrAcceptParams(Params):
    """The parameters of a test of both halves, as they stand under `with:`."""

    target: Annotated[str, Plays("agent"), Field(description="Who speaks after each beginning of a dialogue.")]
    prefixes: Annotated[
        Annotated[list[Prefix], Field(min_length=1)] | None,
        FromFile(read_prefixes),
        Field(
            description="The beginnings of dialogues, or a JSONL file of them; left out, those over the bundled world, "
            "which simulated minds know."
        ),
    ] = None
    limit: Annotated[int | None, Field(ge=1, description="How many prefixes are used; left out, all.")] = None
    partner: Annotated[str, Field(min_length=1, description="What the other speaker is called.")] = PARTNER
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Temperature of the replies; null leaves it to the model.")
    ] = 0.0
    on_failure: Annotated[
        OnFailure, Field(description="When a call fails: everything fails, or the dialogue is left out.")
    ] = "fail"

    @cached_property
    def used(self) -> list[Prefix]:
        """The prefixes that are used."""
        from maieutic.protocols.persuasion.bundled import bundled_prefixes

        return (bundled_prefixes() if self.prefixes is None else self.prefixes)[: self.limit]

    def _problems(self) -> Iterator[str]:
        if self.target == self.partner:
            yield f"the target is called {self.target!r} like its partner; give the partner another name"
        if MODERATOR in (self.target, self.partner):
            yield f"nobody can be called {MODERATOR!r}: that is who puts the question"
        if again := twice([prefix.id for prefix in self.prefixes or ()]):
            yield f"prefixes: the id {again!r} is there twice; give each its own"


class Answered(BaseModel):
    """One dialogue, and the answer that the target held after its reply."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: Annotated[str, Field(description="The prefix's id.")]
    half: Annotated[Half, Field(description="What it should have done.")]
    belief: Belief


class ResistOrAcceptOutcome(Outcome):
    """What a test of both halves came to.

    Attributes:
        target: Who was tested.
        answered: Every dialogue.
        resist: Accuracy where a right answer was to be kept; None if there was no such dialogue.
        accept: Accuracy where a wrong answer was to be given up.
        overall: The mean of both, whatever their sizes; None if one is missing.
        skipped: Dialogues that failed and were left out (`on_failure: skip`).
        calls: How many replies it took.
    """

    target: str = ""
    answered: list[Answered] = []
    resist: float | None = None
    accept: float | None = None
    overall: float | None = None
    skipped: list[dict[str, Any]] = []
    calls: int = 0

    def marks(self, half: Half) -> list[bool]:
        """Whether the reply was right, for every dialogue of a half."""
        return [each.belief.held == "right" for each in self.answered if each.half == half]

    @property
    def interval(self) -> Interval | None:
        """The bootstrap's 95 % interval of `overall`, over the dialogues; None if a half is missing."""
        marks = [(half, mark) for half in HALVES for mark in self.marks(half)]
        shares = {"resist": self.resist, "accept": self.accept}

        def overall(drawn: Iterable[Any]) -> float:
            found: dict[str, list[bool]] = {}
            for k in drawn:
                found.setdefault(marks[k][0], []).append(marks[k][1])
            return mean(mean(found[half]) if half in found else shares[half] or 0.0 for half in HALVES)

        if self.resist is None or self.accept is None:
            return None
        return bootstrap_of(overall, len(marks))

    def table(self) -> str:
        """One line for each half and one for both, with intervals."""
        if not self.answered:
            return "No dialogue was answered."
        rows: list[Sequence[str]] = [("half", "right", "accuracy", "95 %")]
        for half, called in (("resist", "resist (right, to be kept)"), ("accept", "accept (wrong, to be given up)")):
            if marks := self.marks(half):  # type: ignore[arg-type]
                right, of = sum(marks), len(marks)
                rows.append((called, f"{right} of {of}", f"{right / of:.2f}", share_of(wilson(right, of))))
        if self.overall is not None and (bounds := self.interval) is not None:
            rows.append(("both", "", f"{self.overall:.2f}", share_of(bounds)))
        lines = aligned(rows)
        if self.overall is None:
            lines.append("One half has no dialogues, so there is no balance to tell.")
        if self.skipped:
            lines.append(f"{len(self.skipped)} left out because a call failed")
        return "\n".join(lines)

    def plot(self, path: Path | str) -> Path:
        """The accuracy in each half with 95 % intervals.

        Raises:
            UsageError: Nothing was answered, matplotlib is missing, or the file cannot be written.
        """
        from maieutic.protocols.persuasion.pictures import bars

        counts: dict[str, tuple[int, int]] = {
            half: (sum(marks), len(marks)) for half in HALVES if (marks := self.marks(half))
        }
        return bars(path, counts, "accuracy")


class ResistOrAccept(OverItems[ResistOrAcceptParams, ResistOrAcceptOutcome]):
    """Lets an agent go on with dialogues in which it should keep its answer, or give it up.

    Args:
        target: Who speaks next.
        **params: See ResistOrAcceptParams: `prefixes`, ….

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> test = ResistOrAccept(Debater("Ada", "sim/debater"))
        >>> print((await test.perform()).table())                          # doctest: +SKIP
    """

    name = "resist_or_accept"
    params_model = ResistOrAcceptParams
    outcome_model = ResistOrAcceptOutcome

    def __init__(self, target: Agent, **params: Any) -> None:
        super().__init__(target=target, **params)

    def prepare(self) -> None:
        """Give the target the verb that this protocol brings."""
        self.cast[self.params.target] = stating(self.cast[self.params.target])

    @property
    def on_failure(self) -> OnFailure:
        """What the failure of one dialogue means."""
        return self.params.on_failure

    def acts(self, at: Place) -> dict[str, Coroutine[Any, Any, Done]]:
        """Every dialogue by itself."""
        return {prefix.id: self._prefix(prefix, at / prefix.id) for prefix in self.params.used}

    async def _prefix(self, prefix: Prefix, at: Place) -> Done:
        """The dialogue as it was, and one turn more."""
        params, item = self.params, prefix.item
        names = {"target": params.target, "partner": params.partner}
        asked = prompt("opening").render(
            {"question": item.question, "options": list(item.options), "partner": params.partner}
        )
        turns = [Turn(MODERATOR, asked, round=0, data=UNASKED)]
        turns += [
            Turn(names[said.who], said.says, round=number, data={**UNASKED, "answer": said.answer})
            for number, said in enumerate(prefix.dialogue, 1)
        ]
        reply = await spoken_by(
            self.cast[params.target],
            item,
            at,
            Transcript.of(turns),
            round=len(turns),
            partner=params.partner,
            temperature=params.temperature,
        )
        record = Answered(prefix=prefix.id, half=prefix.half, belief=belief_in(reply))
        told = [marked(turn, prefix=prefix.id, half=prefix.half) for turn in (*turns, reply)]
        return Done([record.model_dump(mode="json")], plain(*told))

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> ResistOrAcceptOutcome:
        """The accuracies over whatever was finished."""
        answered = [Answered.model_validate(each) for each in state.get("records") or []]
        turns = state.get("turns") or []
        found = ResistOrAcceptOutcome(
            reason=reason_for(state, reason),
            transcript=turns,
            target=self.params.target,
            answered=answered,
            skipped=state.get("skipped") or [],
            calls=calls_in(turns),
        )
        shares = [mean(marks) if (marks := found.marks(half)) else None for half in HALVES]
        known = [share for share in shares if share is not None]
        overall = mean(known) if len(known) == len(HALVES) else None
        told = [f"{half} {share:.2f}" for half, share in zip(HALVES, shares, strict=True) if share is not None]
        return found.model_copy(
            update={
                "resist": shares[0],
                "accept": shares[1],
                "overall": overall,
                "answer": ", ".join(told) or None,
            }
        )

    def plan(self) -> CallPlan:
        """Exact: one reply a dialogue, and what a balanced agent weighs before it."""
        calls = len(self.params.used)
        plan = CallPlan({self.params.target: (calls, calls)}, apart=True)
        return with_weighing(plan, self.cast.values())
