"""What came of a series of items that arrived one by one, under each rule."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from maieutic.errors import UsageError
from maieutic.protocols.base import Outcome
from maieutic.protocols.interventions.measures import Measure, aligned
from maieutic.protocols.interventions.misaligned import LABEL, Watched
from maieutic.protocols.interventions.records import Answered

__all__ = ["OnlineComparison", "OnlineOutcome", "Step", "over_students"]


class Step(BaseModel):
    """One item as it came: what was decided, before anything was answered, and then what was answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(description="The item's id.")]
    explain: Annotated[bool, Field(description="Whether it was explained.")]
    utility: Annotated[float | None, Field(description="What explaining was expected to gain, in right answers.")]
    threshold: Annotated[float | None, Field(description="What the utility was held against.")] = None
    alone: Annotated[float, Field(description="Predicted chance of a right answer without help.")]
    explained: Annotated[float, Field(description="The same with an explanation.")]
    spent: Annotated[int, Field(description="Explanations so far, this one included.")]
    why: Annotated[list[str], Field(description="The student model's reasons, where it was asked.")] = []
    explanation: Annotated[str, Field(description="What was explained, or empty.")] = ""
    said: Annotated[Answered, Field(description="The student's answer.")]

    @property
    def predicted(self) -> float:
        """The chance of a right answer that was predicted for what was done."""
        return self.explained if self.explain else self.alone


class OnlineOutcome(Outcome):
    """What each rule came to on the same items; the first of them is the one that is used, the others compare.

    The transcript is that of the first rule.

    Attributes:
        budget: Share of the items that might be explained.
        misaligned: Whether the teacher was told to mislead.
        steps: Every item, by rule.
        accuracy: Share of right answers, by rule.
        explained: How many items were explained, by rule.
        first_beyond: How much more was right under the first rule than under each other, on the same items.
        watched: What a monitor found, by rule, if it was asked to watch.
    """

    budget: float = 0.0
    misaligned: bool = False
    steps: dict[str, list[Step]] = {}
    accuracy: dict[str, Measure] = {}
    explained: dict[str, int] = {}
    first_beyond: dict[str, Measure] = {}
    watched: dict[str, Watched] = {}

    def accuracy_over_time(self, rule: str) -> list[float]:
        """Share of right answers after each item."""
        right = accumulate(step.said.correct for step in self.steps[rule])
        return [total / n for n, total in enumerate(right, start=1)]

    def spent_over_time(self, rule: str) -> list[int]:
        """Explanations after each item."""
        return [step.spent for step in self.steps[rule]]

    def threshold_over_time(self, rule: str) -> list[float | None]:
        """What each item's utility was held against."""
        return [step.threshold for step in self.steps[rule]]

    def table(self) -> str:
        """Every rule's accuracy and spending, and what the monitor says."""
        if not self.accuracy:
            return ""
        rows = [["rule", "explained", "accuracy", f"{next(iter(self.accuracy))} beyond it"]]
        for rule, accuracy in self.accuracy.items():
            beyond = self.first_beyond.get(rule)
            of = f"{self.explained[rule]} of {len(self.steps[rule])}"
            rows.append([rule, of, str(accuracy), "" if beyond is None else str(beyond)])
        monitor = [f"{rule}: {watch.said}" for rule, watch in self.watched.items()]
        return "\n".join([*([LABEL] if self.misaligned else []), aligned(rows), *monitor])

    def plot(self, path: Path | str) -> Path:
        """Accuracy, spending, and the first rule's utilities against its threshold, item by item."""
        from maieutic.files.plotting import COLOURS, GREY, figure, save

        if not self.steps:
            raise UsageError("nothing was answered yet, so there is nothing to draw")
        picture, (top, middle, bottom) = figure(3, 1, height=8.0)
        for rule, colour in zip(self.steps, COLOURS * 2, strict=False):
            numbers = range(1, len(self.steps[rule]) + 1)
            top.plot(numbers, self.accuracy_over_time(rule), color=colour, label=rule)
            middle.step(numbers, self.spent_over_time(rule), where="post", color=colour)
        top.set_ylabel("share right so far")
        top.legend(frameon=False, ncols=3, fontsize=8)
        middle.set_ylabel("explained so far")
        first = next(iter(self.steps))
        for explain, colour in ((True, COLOURS[0]), (False, GREY)):
            chosen = [(n, s.utility) for n, s in enumerate(self.steps[first], start=1) if s.explain is explain]
            known = [(n, utility) for n, utility in chosen if utility is not None]
            label = "explained" if explain else "left alone"
            bottom.plot([n for n, _ in known], [u for _, u in known], "o", markersize=4, color=colour, label=label)
        limits = [float("nan") if limit is None else limit for limit in self.threshold_over_time(first)]
        bottom.step(range(1, len(limits) + 1), limits, where="mid", color=COLOURS[1], label="threshold")
        bottom.set_ylabel(f"expected gain ({first})")
        bottom.set_xlabel("item")
        bottom.legend(frameon=False, ncols=3, fontsize=8)
        if self.misaligned:
            picture.suptitle(LABEL, fontsize=9, color=COLOURS[1])
        return save(picture, path)


class OnlineComparison(BaseModel):
    """The same series taught to several students: means with intervals over students."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accuracy: Annotated[dict[str, Measure], Field(description="Mean share of right answers, by rule.")]
    first_beyond: Annotated[
        dict[str, Measure], Field(description="Mean of the first rule's share less each other's, by student.")
    ]
    flagged: Annotated[dict[str, float], Field(description="Share of the students at which an alarm was raised.")]
    misaligned: Annotated[bool, Field(description="Whether the teacher was told to mislead.")] = False

    def table(self) -> str:
        """One line a rule."""
        rows = [["rule", "accuracy", f"{next(iter(self.accuracy))} beyond it", *(["flagged"] if self.flagged else [])]]
        for rule, accuracy in self.accuracy.items():
            beyond = self.first_beyond.get(rule)
            alarms = [f"{self.flagged[rule]:.2f}"] if rule in self.flagged else []
            rows.append([rule, str(accuracy), "" if beyond is None else str(beyond), *alarms])
        return "\n".join([*([LABEL] if self.misaligned else []), aligned(rows)])


def over_students(outcomes: Sequence[OnlineOutcome]) -> OnlineComparison:
    """Compare the rules over several students (or seeds): the unit of the intervals is the student.

    Raises:
        UsageError: There is no outcome, or the rules differ.
    """
    if not outcomes:
        raise UsageError("a comparison over students needs at least one outcome")
    rules = list(outcomes[0].accuracy)
    if any(list(outcome.accuracy) != rules or outcome.misaligned != outcomes[0].misaligned for outcome in outcomes):
        raise UsageError("a comparison over students needs the same rules for each, under the same kind of teacher")
    shares = {rule: [outcome.accuracy[rule].value for outcome in outcomes] for rule in rules}
    first = rules[0]
    return OnlineComparison(
        accuracy={rule: Measure.mean(values) for rule, values in shares.items()},
        first_beyond={
            rule: Measure.difference(shares[first], values) for rule, values in shares.items() if rule != first
        },
        flagged={
            rule: sum(outcome.watched[rule].flagged for outcome in outcomes) / len(outcomes)
            for rule in outcomes[0].watched
        },
        misaligned=outcomes[0].misaligned,
    )
