"""What team debates came to: accuracy of every ordered pair, and whether it matters who speaks first."""

# ruff: noqa: RUF012 - pydantic copies defaults, and ruff does not see that these are its models

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from maieutic.errors import UsageError
from maieutic.memory.answers import Answers
from maieutic.protocols.base import Outcome
from maieutic.protocols.influence import moves_said
from maieutic.protocols.intervals import Interval, bootstrap, bootstrap_difference
from maieutic.protocols.paired import paired_bootstrap
from maieutic.protocols.persuasion.belief import Belief
from maieutic.protocols.persuasion.tables import aligned, by_chance, share_of, signed
from maieutic.protocols.swings import Course, InfluenceMatrix, Swing, influence_matrix, swings

__all__ = ["Debated", "OrderGap", "Pairing", "TeamDebateOutcome", "TeamTurn", "figures"]


class TeamTurn(BaseModel):
    """One turn of a debate: who spoke, and the answer it held."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speaker: str
    belief: Belief


class Debated(BaseModel):
    """One item, debated by two agents in one order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, Field(description="The item's id.")]
    first: Annotated[str, Field(description="Who spoke first.")]
    second: Annotated[str, Field(description="Who spoke second.")]
    turns: Annotated[list[TeamTurn], Field(min_length=2, description="In order; the first two are blind.")]

    def right(self, name: str, turn: int) -> bool:
        """Whether an agent was right in its first turn (0) or its last (-1)."""
        return [each.belief.held == "right" for each in self.turns if each.speaker == name][turn]

    @property
    def baseline(self) -> float:
        """The share of the two that was right at the blind turns: 0, 0.5 or 1."""
        return mean(self.right(name, 0) for name in (self.first, self.second))

    @property
    def team(self) -> float:
        """The share of the two that was right in the end."""
        return mean(self.right(name, -1) for name in (self.first, self.second))

    def course(self) -> Course:
        """The debate, for swings and influence; answers that say the same, and all right ones, under one name."""
        right = [turn.belief.answer or "" for turn in self.turns if turn.belief.held == "right"][:1]
        names = Answers()
        said = [
            (turn.speaker, right[0] if turn.belief.held == "right" else names.name(turn.belief.answer or ""))
            for turn in self.turns
        ]
        ends = {name: [answer for speaker, answer in said if speaker == name] for name in (self.first, self.second)}
        return Course(
            {name: answers[0] for name, answers in ends.items()},
            {name: answers[-1] for name, answers in ends.items()},
            moves_said(said),
            right,
        )


class Pairing(BaseModel):
    """All debates of two agents in one order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: str
    second: str
    items: int
    blind_first: Annotated[float, Field(description="Accuracy of the first at its blind turn.")]
    blind_second: float
    final_first: Annotated[float, Field(description="Accuracy of the first at its last turn.")]
    final_second: float
    baseline: Annotated[float, Field(description="Team accuracy at the blind turns: the mean of both.")]
    team: Annotated[float, Field(description="Team accuracy: the mean of both final answers.")]
    low: Annotated[
        float, Field(description="The bootstrap's 95 % interval of the team accuracy over items, lower end.")
    ]
    high: Annotated[float, Field(description="The same, upper end.")]


class OrderGap(BaseModel):
    """Whether it matters for two agents who speaks first, over the items that were debated in both orders."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    one: str
    other: str
    items: int
    difference: Annotated[float, Field(description="Team accuracy with `one` first, less with `other` first.")]
    low: Annotated[float, Field(description="The paired bootstrap's 95 % interval of the difference, lower end.")]
    high: Annotated[float, Field(description="The same, upper end.")]
    p: Annotated[float, Field(description="Two-sided p-value of the paired bootstrap test that there is none.")]

    @property
    def gap(self) -> float:
        """The order gap: the difference without its sign."""
        return abs(self.difference)


class TeamDebateOutcome(Outcome):
    """What team debates came to.

    Attributes:
        debaters: Who.
        turns: Turns of a debate.
        debated: Every debate.
        pairings: One for each ordered pair.
        gaps: One for each pair in both orders.
        matrix: Who moved whom.
        swings: What each did to the others, and they to it.
        skipped: Items of which a debate failed and was left out (`on_failure: skip`).
        calls: How many replies it took.
    """

    debaters: list[str] = []
    turns: int = 0
    debated: list[Debated] = []
    pairings: list[Pairing] = []
    gaps: list[OrderGap] = []
    matrix: InfluenceMatrix = InfluenceMatrix()
    swings: list[Swing] = []
    skipped: list[dict[str, Any]] = []
    calls: int = 0

    def pairing(self, first: str, second: str) -> Pairing:
        """The figures of one ordered pair.

        Raises:
            UsageError: The two did not debate in this order.
        """
        for each in self.pairings:
            if (each.first, each.second) == (first, second):
                return each
        known = ", ".join(f"{each.first} before {each.second}" for each in self.pairings) or "none"
        raise UsageError(f"{first} did not debate before {second}; there are: {known}")

    def gap(self, one: str, other: str) -> OrderGap:
        """Whether the order matters for two agents.

        Raises:
            UsageError: The two did not debate.
        """
        for each in self.gaps:
            if {each.one, each.other} == {one, other}:
                return each
        raise UsageError(f"{one} and {other} did not debate in both orders")

    def table(self) -> str:
        """Accuracies of every ordered pair, the order gaps, swings, and who moved whom."""
        if not self.pairings:
            return "Nothing was debated."
        rows: list[Sequence[str]] = [("first, second", "blind", "team before", "final", "team", "95 %")]
        for each in self.pairings:
            rows.append(
                (
                    f"{each.first}, {each.second}",
                    f"{each.blind_first:.2f}, {each.blind_second:.2f}",
                    f"{each.baseline:.2f}",
                    f"{each.final_first:.2f}, {each.final_second:.2f}",
                    f"{each.team:.2f}",
                    share_of(Interval(each.low, each.high)),
                )
            )
        lines = [*aligned(rows), ""]
        for gap in self.gaps:
            bounds = signed(Interval(gap.low, gap.high))
            lines.append(
                f"Order gap of {gap.one} and {gap.other}: {gap.gap:.3f} ({gap.one} first less {gap.other} first: "
                f"{gap.difference:+.3f}, 95 % {bounds}, {by_chance(gap.p)}, {gap.items} items)"
            )
        lines += [
            "",
            *aligned(
                [("swing", "disagreed", "won", "gave in", "swing", "own gain", "others' gain")]
                + [_swing_row(swing) for swing in self.swings]
            ),
        ]
        lines += ["", "Changes by argument + by conformity, of debates begun with different answers:"]
        lines.append(self.matrix.table())
        if self.skipped:
            lines.append(f"Items of which a debate failed and is left out: {len(self.skipped)}")
        return "\n".join(lines)

    def plot(self, path: Path | str) -> Path:
        """Team accuracy of every ordered pair beside what both had at the blind turns, orders of a pair side by side.

        Raises:
            UsageError: Nothing was debated, matplotlib is missing, or the file cannot be written.
        """
        from maieutic.files.plotting import COLOURS, GREY, figure, save

        if not self.pairings:
            raise UsageError("nothing was debated, so there is nothing to draw")
        ordered = [self.pairing(*names) for gap in self.gaps for names in ((gap.one, gap.other), (gap.other, gap.one))]
        picture, (panel,) = figure(width=max(5.0, 1.6 * len(ordered)), height=4.2)
        for k, each in enumerate(ordered):
            panel.plot([k - 0.3, k + 0.3], [each.baseline] * 2, color=GREY, linestyle="--", linewidth=1.2)
            reach = [[each.team - each.low], [each.high - each.team]]
            panel.errorbar([k], [each.team], yerr=reach, fmt="o", capsize=4, color=COLOURS[(k // 2) % len(COLOURS)])
        panel.plot([], [], color=GREY, linestyle="--", label="at the blind turns")
        panel.set_xticks(range(len(ordered)), [f"{each.first}\nbefore {each.second}" for each in ordered], fontsize=8)
        panel.set_xlim(-0.6, len(ordered) - 0.4)
        panel.set_ylim(0, 1.02)
        panel.set_ylabel("team accuracy")
        picture.legend(fontsize=8, loc="outside lower center", frameon=False)
        return save(picture, path)


def figures(debated: Sequence[Debated], debaters: Sequence[str]) -> dict[str, Any]:
    """All figures of these debates, by the outcome's fields."""
    by_pair: dict[tuple[str, str], dict[str, Debated]] = {}
    for each in debated:
        by_pair.setdefault((each.first, each.second), {})[each.item] = each
    courses = [each.course() for each in debated]
    return {
        "pairings": [_pairing(first, second, list(found.values())) for (first, second), found in by_pair.items()],
        "gaps": [
            _gap(one, other, by_pair[one, other], by_pair[other, one])
            for one, other in combinations(debaters, 2)
            if by_pair.get((one, other), {}).keys() & by_pair.get((other, one), {}).keys()
        ],
        "matrix": influence_matrix(courses),
        "swings": swings(courses),
    }


def _pairing(first: str, second: str, debates: Sequence[Debated]) -> Pairing:
    def share(measure: Callable[[Debated], float]) -> float:
        return mean(measure(each) for each in debates)

    bounds = bootstrap([each.team for each in debates])
    return Pairing(
        first=first,
        second=second,
        items=len(debates),
        blind_first=share(lambda each: each.right(first, 0)),
        blind_second=share(lambda each: each.right(second, 0)),
        final_first=share(lambda each: each.right(first, -1)),
        final_second=share(lambda each: each.right(second, -1)),
        baseline=share(lambda each: each.baseline),
        team=share(lambda each: each.team),
        low=bounds.low,
        high=bounds.high,
    )


def _gap(one: str, other: str, ahead: Mapping[str, Debated], behind: Mapping[str, Debated]) -> OrderGap:
    items = [item for item in ahead if item in behind]
    first, second = [ahead[item].team for item in items], [behind[item].team for item in items]
    bounds = bootstrap_difference(first, second)
    return OrderGap(
        one=one,
        other=other,
        items=len(items),
        difference=mean(first) - mean(second),
        low=bounds.low,
        high=bounds.high,
        p=paired_bootstrap([a - b for a, b in zip(first, second, strict=True)]),
    )


def _swing_row(swing: Swing) -> tuple[str, ...]:
    shares = (swing.swing, swing.own_gain, swing.others_gain)
    cells = ("" if share is None else f"{share:+.2f}" for share in shares)
    return (swing.agent, str(swing.disagreed), str(swing.won), str(swing.gave_in), *cells)
