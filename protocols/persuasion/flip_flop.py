"""Flip-flop: does an agent keep its answer when it is asked whether it is sure?

Laban et al., "Are You Sure? Challenging LLMs Leads to Performance Drops in the FlipFlop Experiment", 2023, as
Stengel-Eskin et al. use it ("Teaching Models to Balance Resisting and Accepting Persuasion", NAACL 2025, section 4).
"""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from maieutic.agents import Agent, Prompt, Verb, among
from maieutic.agents.replies import Position
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.memory.answers import same
from maieutic.memory.student.items import Item
from maieutic.protocols.base import CallPlan, Outcome
from maieutic.protocols.given import read_items
from maieutic.protocols.intervals import Interval, bootstrap_difference, wilson
from maieutic.protocols.paired import mcnemar
from maieutic.protocols.parameters import FromFile, Params, Plays, template
from maieutic.protocols.persuasion.belief import Belief, belief_in, judged
from maieutic.protocols.persuasion.items import problems_of_items
from maieutic.protocols.persuasion.over_items import (
    UNASKED,
    Done,
    OverItems,
    calls_in,
    marked,
    plain,
    prompt,
    reason_for,
    replied,
    weighing_of,
)
from maieutic.protocols.persuasion.tables import aligned, by_chance, share_of, signed
from maieutic.protocols.together import OnFailure

if TYPE_CHECKING:
    from maieutic.backends.place import Place

__all__ = ["Challenged", "FlipFlop", "FlipFlopOutcome", "FlipFlopParams"]

_SETTLE = Verb("settle", takes=("options",), output=Position)


class FlipFlopParams(Params):
    """The parameters of a flip-flop test, as they stand under `with:`."""

    target: Annotated[str, Plays("agent"), Field(description="Who answers and is challenged.")]
    items: Annotated[
        Annotated[list[Item], Field(min_length=1)] | None,
        FromFile(read_items),
        Field(
            description="The questions, each with its right answer, or a file of them; left out, those of the bundled "
            "world, which simulated minds know."
        ),
    ] = None
    limit: Annotated[int | None, Field(ge=1, description="How many of the items are used; left out, all.")] = None
    challenges: Annotated[int, Field(ge=1, description="How often the answer is challenged in a row.")] = 1
    challenge: Annotated[
        Annotated[str, Field(min_length=1), template("question", "answer")] | None,
        Field(description="Template of the challenge, instead of the bundled one; it may use question and answer."),
    ] = None
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="Temperature of the answers; null leaves it to the model.")
    ] = 0.0
    on_failure: Annotated[
        OnFailure, Field(description="When a call for an item fails: everything fails, or the item is left out.")
    ] = "fail"

    @cached_property
    def used(self) -> list[Item]:
        """The items that are used."""
        from maieutic.protocols.persuasion.bundled import bundled_items

        return (bundled_items() if self.items is None else self.items)[: self.limit]

    def _problems(self) -> Iterator[str]:
        if self.target == MODERATOR:
            yield f"nobody can be called {MODERATOR!r}: that is who puts the question"
        yield from problems_of_items(self.items or ())


class Challenged(BaseModel):
    """One item: the first answer, and the answer after each challenge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(description="The item's id.")]
    before: Belief
    after: Annotated[list[Belief], Field(min_length=1, description="After each challenge, in order.")]

    @property
    def final(self) -> Belief:
        """The answer after the last challenge."""
        return self.after[-1]

    @property
    def changed(self) -> bool:
        """Whether the last answer is another one than the first."""
        return not same(self.before.answer or "", self.final.answer or "")


class FlipFlopOutcome(Outcome):
    """What a flip-flop test came to.

    Attributes:
        target: Who was challenged.
        challenged: Every item.
        before, after: Accuracy before the first and after the last challenge.
        to_wrong, to_right: Items whose right answer became a wrong one, and the other way round.
        to_other: Items whose wrong answer became another wrong one.
        p: The two-sided p-value of McNemar's exact test that right and wrong change places equally often.
        skipped: Items that failed and were left out (`on_failure: skip`).
        calls: How many replies it took.
    """

    target: str = ""
    challenged: list[Challenged] = []
    before: float | None = None
    after: float | None = None
    to_wrong: int = 0
    to_right: int = 0
    to_other: int = 0
    p: float | None = None
    skipped: list[dict[str, Any]] = []
    calls: int = 0

    def marks(self, challenge: int = -1) -> list[bool]:
        """Whether each item is right: after the n-th challenge, from 0 (before any); -1 is after the last."""
        answers = [[each.before, *each.after] for each in self.challenged]
        return [found[challenge].held == "right" for found in answers]

    @property
    def difference(self) -> Interval | None:
        """The paired bootstrap's 95 % interval of accuracy after less accuracy before; None without items."""
        if not self.challenged:
            return None
        return bootstrap_difference([float(m) for m in self.marks()], [float(m) for m in self.marks(0)])

    def table(self) -> str:
        """Accuracy before and after each challenge with intervals, what changed, and McNemar's test."""
        if not self.challenged or (bounds := self.difference) is None or self.p is None:
            return "No item was answered."
        count = len(self.challenged)
        rows: list[Sequence[str]] = [("", "right", "accuracy", "95 %")]
        steps = len(self.challenged[0].after)
        for k in range(steps + 1):
            right = sum(self.marks(k))
            called = "before" if k == 0 else "after" if steps == 1 else f"after challenge {k}"
            rows.append((called, f"{right} of {count}", f"{right / count:.2f}", share_of(wilson(right, count))))
        gap = (self.after or 0.0) - (self.before or 0.0)
        lines = aligned(rows)
        lines.append(f"Difference {gap:+.2f} ({signed(bounds)}), McNemar's exact test {by_chance(self.p)}")
        lines.append(
            f"Changed: {self.to_wrong} from right to wrong, {self.to_right} from wrong to right, {self.to_other} from "
            "one wrong answer to another"
        )
        if self.skipped:
            lines.append(f"{len(self.skipped)} left out because a call failed")
        return "\n".join(lines)

    def plot(self, path: Path | str) -> Path:
        """Accuracy before and after each challenge with 95 % intervals.

        Raises:
            UsageError: No item was answered, matplotlib is missing, or the file cannot be written.
        """
        from maieutic.protocols.persuasion.pictures import bars

        steps = len(self.challenged[0].after) if self.challenged else 0
        labels = ["before", *(f"after {k}" if steps > 1 else "after" for k in range(1, steps + 1))]
        counts = {label: (sum(self.marks(k)), len(self.challenged)) for k, label in enumerate(labels)}
        return bars(path, counts if self.challenged else {}, "accuracy")


class FlipFlop(OverItems[FlipFlopParams, FlipFlopOutcome]):
    """Asks a question, challenges the answer without an argument, and asks again.

    Args:
        target: Who answers.
        **params: See FlipFlopParams: `items`, `challenges`, ….

    Raises:
        UsageError: The parameters do not fit together.

    Example:
        >>> test = FlipFlop(Debater("Ada", {"model": "sim/debater", "self_doubt": 0.5}))
        >>> print((await test.perform()).table())                          # doctest: +SKIP
    """

    name = "flip_flop"
    params_model = FlipFlopParams
    outcome_model = FlipFlopOutcome

    def __init__(self, target: Agent, **params: Any) -> None:
        super().__init__(target=target, **params)

    def prepare(self) -> None:
        """Give the target the verb that this protocol brings; read the challenge."""
        self.cast[self.params.target] = self.cast[self.params.target].able(_SETTLE, prompt("settle"))
        own = self.params.challenge
        self._challenge = prompt("challenge") if own is None else Prompt(own, "challenge")

    @property
    def on_failure(self) -> OnFailure:
        """What the failure of one item means."""
        return self.params.on_failure

    def acts(self, at: Place) -> dict[str, Coroutine[Any, Any, Done]]:
        """Every item by itself."""
        return {item.id: self._item(item, at / item.id) for item in self.params.used}

    async def _item(self, item: Item, at: Place) -> Done:
        """The answer, and after each challenge another one."""
        asked = prompt("question").render({"question": item.question, "options": list(item.options)})
        turns: list[Turn] = []
        out: list[dict[str, Any]] = []
        beliefs: list[Belief] = []
        for number in range(self.params.challenges + 1):
            here = at / f"answer{number}"
            if number:
                asked = self._challenge.render({"question": item.question, "answer": beliefs[-1].answer or ""})
            put = marked(Turn(MODERATOR, asked, round=number, data=UNASKED), item=item.id)
            given = await self._answers(item, Transcript.of([*turns, put]), number, here)
            turns += [put, given]
            out += plain(put, given)
            beliefs.append(belief_in(given))
        record = Challenged(item=item.id, before=beliefs[0], after=beliefs[1:])
        return Done([record.model_dump(mode="json")], out)

    async def _answers(self, item: Item, said: Transcript, number: int, at: Place) -> Turn:
        target = self.cast[self.params.target]
        reply = await target.do(
            "settle",
            at,
            said,
            output=among(Position, item.options),
            temperature=self.params.temperature,
            options=list(item.options),
        )
        belief = {**judged(item, reply).model_dump(mode="json"), **weighing_of(target, reply)}
        given = replied(Turn(target.name, reply.text, round=number, data=belief), at, _SETTLE.name)
        return marked(given, item=item.id)

    def outcome(self, state: Mapping[str, Any], reason: str | None = None) -> FlipFlopOutcome:
        """The accuracies over whatever was finished."""
        challenged = [Challenged.model_validate(each) for each in state.get("records") or []]
        turns = state.get("turns") or []
        found = FlipFlopOutcome(
            reason=reason_for(state, reason),
            transcript=turns,
            target=self.params.target,
            challenged=challenged,
            skipped=state.get("skipped") or [],
            calls=calls_in(turns),
        )
        return found.model_copy(update=_figures(found)) if challenged else found

    def plan(self) -> CallPlan:
        """Exact: an answer before, and one after each challenge."""
        calls = len(self.params.used) * (1 + self.params.challenges)
        return CallPlan({self.params.target: (calls, calls)}, apart=True)


def _figures(found: FlipFlopOutcome) -> dict[str, Any]:
    first, last = found.marks(0), found.marks()
    to_wrong = sum(a and not b for a, b in zip(first, last, strict=True))
    to_right = sum(b and not a for a, b in zip(first, last, strict=True))
    before, after = sum(first) / len(first), sum(last) / len(last)
    return {
        "answer": f"{before:.2f} right before, {after:.2f} after",
        "before": before,
        "after": after,
        "to_wrong": to_wrong,
        "to_right": to_right,
        "to_other": sum(
            each.changed and "right" not in (each.before.held, each.final.held) for each in found.challenged
        ),
        "p": mcnemar(to_wrong, to_right),
    }
