"""What an INTERACT run came to: curves of accuracy over the turns, and the table over the conditions."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from maieutic.errors import UsageError
from maieutic.memory import MODERATOR, Transcript, Turn
from maieutic.protocols.base import Outcome
from maieutic.protocols.interact.arms import BORROWED, Arm, arms_of
from maieutic.protocols.interact.params import Choice, Condition, InteractParams
from maieutic.protocols.interact.quiz import QuizItem
from maieutic.protocols.intervals import Interval, bootstrap_difference, wilson

_CALLED: Mapping[Condition, str] = {
    "nothing": "nothing",
    "lesson": "lesson",
    "borrowed": "borrowed dialogue",
    "interaction": "interaction",
    "lesson_interaction": "lesson and interaction",
    "teacher_bound": "teacher with the text",
}

__all__ = ["Curve", "Dropped", "InteractOutcome", "Point", "interact_outcome"]


class Point(BaseModel):
    """One quiz: how much was right, after how many turns.

    Attributes:
        turn: How many turns the student had had.
        marks: For every question of the quiz, in the quiz's order, whether it was answered right.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    turn: int
    marks: list[bool]

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return sum(self.marks) / len(self.marks)

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval of the accuracy, over the questions."""
        return wilson(sum(self.marks), len(self.marks))


class Curve(BaseModel):
    """Accuracy over the turns of one condition, under one teacher and one way to choose questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    condition: Condition
    teacher: Annotated[str | None, Field(description="Whose lesson or answers; None where there is no teacher.")] = None
    choice: Annotated[Choice | None, Field(description="How the student found its questions.")] = None
    points: Annotated[list[Point], Field(min_length=1, description="One for every quiz, in order.")]

    @property
    def initial(self) -> float:
        """Accuracy at the first quiz."""
        return self.points[0].accuracy

    @property
    def final(self) -> float:
        """Accuracy at the last quiz."""
        return self.points[-1].accuracy

    @property
    def gain(self) -> float:
        """Last accuracy less the first."""
        return self.final - self.initial

    @property
    def gain_interval(self) -> Interval:
        """The paired bootstrap's 95 % interval of the gain, over the questions."""
        first, last = self.points[0].marks, self.points[-1].marks
        return bootstrap_difference([float(m) for m in last], [float(m) for m in first])

    @property
    def name(self) -> str:
        """In words, for tables and pictures."""
        return self.called()

    def called(self, *, teacher: bool = True, choice: bool = True) -> str:
        """The same without the teacher or the choice of questions, where there is only one."""
        words = _CALLED[self.condition]
        parts = (self.teacher if teacher else None, self.choice if choice else None)
        extra = ", ".join(part.replace("_", " ") for part in parts if part)
        return f"{words} ({extra})" if extra else words


class Dropped(BaseModel):
    """A question that was answered right without the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    question: str


class InteractOutcome(Outcome):
    """What an INTERACT run came to.

    `answer` tells the first dialogue in a line. The transcript holds everything: the text in a turn that only the
    teachers may read, the lesson, the dialogues (`data.arm` tells which), and off the record every quiz and estimate.

    Attributes:
        topic: What it was about.
        turns: How many turns were finished.
        quiz: The questions that were asked.
        dropped: The questions that the closed-book filter took out.
        curves: One for each line of the table.
        unanswered: How many answers failed and count as wrong (`on_failure: skip`).
        calls: How many replies it took.
    """

    topic: str = ""
    turns: int = 0
    quiz: list[QuizItem] = []
    dropped: list[Dropped] = []
    curves: list[Curve] = []
    unanswered: int = 0
    calls: int = 0

    def curve(self, condition: Condition, *, teacher: str | None = None, choice: Choice | None = None) -> Curve:
        """The first curve of a condition, of a teacher and a choice of questions if they are named.

        Raises:
            UsageError: It was not measured.
        """
        for curve in self.curves:
            named = teacher in (None, curve.teacher) and choice in (None, curve.choice)
            if curve.condition == condition and named:
                return curve
        known = ", ".join(curve.name for curve in self.curves) or "none"
        raise UsageError(f"there is no such curve; there are: {known}")

    def label(self, curve: Curve) -> str:
        """A curve's name, with teacher and choice of questions where several are compared."""
        teachers = {each.teacher for each in self.curves if each.teacher}
        choices = {each.choice for each in self.curves if each.choice}
        return curve.called(teacher=len(teachers) > 1, choice=len(choices) > 1)

    def recovery(self, curve: Curve) -> float | None:
        """Final accuracy over the teacher's own; None if the teacher was not measured or had nothing right."""
        bounds = [c for c in self.curves if c.condition == "teacher_bound" and curve.teacher in (None, c.teacher)]
        return curve.final / bounds[0].final if bounds and bounds[0].final else None

    def table(self) -> str:
        """One line a curve: first and last accuracy, gain (with 95 % intervals over the questions) and recovery."""
        if not self.curves:
            dropped = f": all {len(self.dropped)} questions were answered right without the text"
            return f"No quiz was taken{dropped * (bool(self.dropped) and not self.quiz)}."
        rows = [("condition", "first", "last", "95 %", "gain", "95 %", "recovery")]
        rows += [self._row(curve) for curve in self.curves]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        size = len(self.quiz)
        note = f"{size} question{'s' * (size != 1)}"
        if self.dropped:
            note += f", {len(self.dropped)} more dropped because they were answered right without the text"
        if self.unanswered:
            one = self.unanswered == 1
            note += "; 1 answer failed and counts" if one else f"; {self.unanswered} answers failed and count"
            note += " as wrong"
        return "\n".join([*lines, note])

    def _row(self, curve: Curve) -> tuple[str, str, str, str, str, str, str]:
        last, recovery = curve.points[-1], self.recovery(curve)
        grown = len(curve.points) > 1
        return (
            self.label(curve),
            f"{curve.initial:.2f}",
            f"{curve.final:.2f}",
            f"{last.interval.low:.2f}-{last.interval.high:.2f}",
            f"{curve.gain:+.2f}" if grown else "",
            f"{curve.gain_interval.low:+.2f} to {curve.gain_interval.high:+.2f}" if grown else "",
            "" if recovery is None else f"{recovery:.2f}",
        )

    def plot(self, path: Path | str) -> Path:
        """Accuracy over the turns with 95 % intervals, and what does not change with the turns as level lines.

        Raises:
            UsageError: No quiz was taken, matplotlib is missing, or the file cannot be written.
        """
        from maieutic.files.plotting import COLOURS, GREY, MARKERS, figure, save

        if not self.curves:
            raise UsageError("no quiz was taken, so there is nothing to draw")
        picture, (panel,) = figure(height=4.8)
        grown = [curve for curve in self.curves if len(curve.points) > 1]
        for i, curve in enumerate(grown):
            turns = [point.turn + 0.06 * (i - (len(grown) - 1) / 2) for point in curve.points]
            right, bounds = [p.accuracy for p in curve.points], [p.interval for p in curve.points]
            reach = [[r - b.low for r, b in zip(right, bounds, strict=True)]]
            reach.append([b.high - r for r, b in zip(right, bounds, strict=True)])
            panel.errorbar(
                turns,
                right,
                yerr=reach,
                elinewidth=0.8,
                capsize=2,
                label=self.label(curve),
                color=COLOURS[i % len(COLOURS)],
                marker=MARKERS[i % len(MARKERS)],
                markersize=5,
            )
        for i, curve in enumerate(c for c in self.curves if len(c.points) == 1):
            style = ("--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))[i % 4]
            panel.axhline(curve.final, color=GREY, linestyle=style, linewidth=1.2, label=self.label(curve))
        panel.set_ylim(-0.02, 1.02)
        panel.set_xlabel("turns")
        panel.set_ylabel("share of the quiz answered right")
        panel.set_xticks(range(max(p.turn for c in self.curves for p in c.points) + 1))
        picture.legend(fontsize=8, loc="outside lower center", ncols=3, frameon=False)
        return save(picture, path)


def interact_outcome(params: InteractParams, state: Mapping[str, Any], reason: str | None) -> InteractOutcome:
    """The outcome of a state, wherever the run stopped. A quiz that was not finished is left out."""
    transcript = Transcript.of(state.get("turns") or [])
    quiz = [QuizItem.model_validate(each) for each in state.get("quiz") or []]
    marks = _marks(transcript)
    curves = [curve for arm in arms_of(params) if (curve := _curve(arm, marks, quiz))]
    over = bool(state.get("over"))
    return InteractOutcome(
        answer=_told(curves),
        reason=reason or ("stopped" if not over else "answered" if quiz else "limit"),
        transcript=transcript.to_json(),
        topic=state.get("topic", ""),
        turns=state.get("turn", 0),
        quiz=quiz,
        dropped=[Dropped(id=raw["item"]["id"], question=raw["item"]["question"]) for raw in state.get("dropped") or []],
        curves=curves,
        unanswered=sum(1 for turn in transcript if "item" in turn.data and turn.data.get("answer") is None),
        calls=sum(_spoken(turn) for turn in transcript),
    )


def _spoken(turn: Turn) -> bool:
    """Whether a model was asked for this turn and answered."""
    return turn.speaker not in (MODERATOR, *BORROWED) and turn.data.get("answer", "") is not None


def _marks(transcript: Transcript) -> dict[tuple[str, int], dict[str, bool]]:
    """Marks by item, for every arm's key and number of turns."""
    marks: dict[tuple[str, int], dict[str, bool]] = {}
    for turn in transcript:
        if turn.kind == "probe" and "item" in turn.data:
            marks.setdefault((turn.data["arm"], turn.round or 0), {})[turn.data["item"]] = turn.data["correct"]
    return marks


def _curve(arm: Arm, marks: Mapping[tuple[str, int], Mapping[str, bool]], quiz: Sequence[QuizItem]) -> Curve | None:
    points = []
    last = max((turn for key, turn in marks if key == arm.key), default=0)
    for turn in range(last + 1):
        found = marks.get((arm.key if turn or not arm.grows else arm.root, turn), {})
        if quiz and len(found) == len(quiz):
            points.append(Point(turn=turn, marks=[found[each.item.id] for each in quiz]))
    if not points:
        return None
    return Curve(condition=arm.condition, teacher=arm.teacher, choice=arm.choice, points=points)


def _told(curves: Sequence[Curve]) -> str | None:
    """The first dialogue in a line, else the first condition."""
    curve = next((c for c in curves if c.condition in ("interaction", "lesson_interaction", "borrowed")), None)
    if curve is None:
        return f"{curves[0].name}: {curves[0].final:.2f} right" if curves else None
    turns = curve.points[-1].turn
    words = f"{curve.initial:.2f} to {curve.final:.2f} right in {turns} turn{'s' * (turns != 1)}"
    return f"{curve.condition.replace('_', ' ')}: {words}"
