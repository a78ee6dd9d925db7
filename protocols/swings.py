"""Persuasion as a swing: whom an agent moved and who moved it, over many debates, by argument or by conformity.

Read off debates and team debates. It is association, not proof: who was heard and held the new answer before somebody
changed to it is known; which sentence did it is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from maieutic.errors import UsageError
from maieutic.memory.answers import same
from maieutic.protocols.influence import Move

if TYPE_CHECKING:
    from maieutic.protocols.debate_outcome import DebateOutcome

__all__ = ["Course", "Influence", "InfluenceMatrix", "Swing", "influence_matrix", "swings"]


@dataclass(frozen=True, slots=True)
class Course:
    """How one debate went, as far as it matters here.

    Attributes:
        first: Each agent's answer before it had read anybody (the blind answer), by its name.
        last: Each agent's last answer.
        moves: Every change between.
        right: Those answers that are right; None where that is not known.
    """

    first: Mapping[str, str]
    last: Mapping[str, str]
    moves: Sequence[Move]
    right: Collection[str] | None = None

    @classmethod
    def of(cls, outcome: DebateOutcome, right: Collection[str] | None = None) -> Course:
        """The course of a debate. Who was never asked for its position is left out.

        Args:
            outcome: A debate with probes.
            right: The right answer in all its forms, if it is known.
        """
        held = {name: places for name, places in outcome.positions.items() if places}
        return cls(
            {name: places[0].answer for name, places in held.items()},
            {name: places[-1].answer for name, places in held.items()},
            outcome.influence,
            right,
        )

    def is_right(self, answer: str) -> bool:
        """Whether an answer is among the right ones."""
        return any(same(answer, right) for right in self.right or ())


class Swing(BaseModel):
    """What one agent did to others, and they to it.

    `swing` lies between -1 and 1: of the disagreements that it began with, the share in which the other came over to
    its first answer, less the share in which it went over to the other's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: str
    disagreed: Annotated[int, Field(description="Pairs of first answers, its own and another's, that differed.")]
    won: Annotated[int, Field(description="Of these, those in which the other ended at its first answer.")]
    gave_in: Annotated[int, Field(description="Of these, those in which it ended at the other's first answer.")]
    swing: Annotated[float | None, Field(description="(won - gave_in) / disagreed; None without a disagreement.")]
    own_gain: Annotated[
        float | None, Field(description="Its accuracy at the end less at the beginning; None where right is unknown.")
    ] = None
    others_gain: Annotated[float | None, Field(description="The same of those that it debated with.")] = None


class Influence(BaseModel):
    """How often one agent moved another; a change that several can have caused is divided among them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Annotated[str, Field(description="Who held the answer before, and was heard.")]
    on: Annotated[str, Field(description="Who changed to it.")]
    argument: Annotated[float, Field(description="Changes while most held another answer.")] = 0.0
    conformity: Annotated[float, Field(description="Changes to what most held already.")] = 0.0
    disagreed: Annotated[int, Field(description="Debates that the two began with different answers.")] = 0

    @property
    def moved(self) -> float:
        """Both together."""
        return self.argument + self.conformity


class InfluenceMatrix(BaseModel):
    """Who moved whom.

    Attributes:
        agents: In the order in which they first appear.
        cells: One for each ordered pair that met in a debate.
        own: Changes by agent to an answer that nobody it had heard held.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agents: list[str] = []
    cells: list[Influence] = []
    own: dict[str, int] = {}

    def cell(self, by: str, on: str) -> Influence:
        """How often `by` moved `on`; nothing where they did not meet."""
        return next((c for c in self.cells if (c.by, c.on) == (by, on)), Influence(by=by, on=on))

    def table(self) -> str:
        """A row for who moved, a column for whom: by argument + by conformity, and how often they disagreed before."""
        rows = [["moved", *self.agents]]
        for by in self.agents:
            cells = [self.cell(by, on) for on in self.agents]
            rows.append(
                [by, *("-" if c.by == c.on else f"{c.argument:g} + {c.conformity:g} of {c.disagreed}" for c in cells)]
            )
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        if any(self.own.values()):
            told = ", ".join(f"{name} {n}" for name, n in self.own.items() if n)
            lines.append(f"To an answer that nobody held before: {told}")
        return "\n".join(lines)

    def plot(self, path: Path | str) -> Path:
        """The matrix as a map: shades for the share of disagreements after which the one moved the other.

        Raises:
            UsageError: Nobody met, matplotlib is missing, or the file cannot be written.
        """
        from maieutic.files.plotting import INK, figure, save

        if not self.cells:
            raise UsageError("nobody debated, so there is nothing to draw")
        size = len(self.agents)
        picture, (panel,) = figure(width=2.2 + 1.1 * size, height=1.6 + 0.9 * size)
        cells = [[self.cell(by, on) for on in self.agents] for by in self.agents]
        shares = [[min(1.0, c.moved / c.disagreed) if c.disagreed else 0.0 for c in row] for row in cells]
        shown = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for y, row in enumerate(cells):
            for x, cell in enumerate(row):
                if cell.by != cell.on:
                    colour = "white" if shares[y][x] > 0.6 else INK
                    words = f"{cell.argument:g} + {cell.conformity:g}\nof {cell.disagreed}"
                    panel.text(x, y, words, ha="center", va="center", fontsize=8, color=colour)
        panel.set_xticks(range(size), self.agents)
        panel.set_yticks(range(size), self.agents)
        panel.set_xlabel("was moved (by argument + by conformity)")
        panel.set_ylabel("moved")
        panel.grid(False)
        picture.colorbar(shown, ax=panel, label="of their disagreements")
        return save(picture, path)


def influence_matrix(courses: Sequence[Course]) -> InfluenceMatrix:
    """Who moved whom over many debates; a pure function."""
    agents = list(dict.fromkeys(name for course in courses for name in course.first))
    moved: dict[tuple[str, str], dict[str, float]] = {}
    met: dict[tuple[str, str], int] = {}
    own = dict.fromkeys(agents, 0)
    for course in courses:
        for by in course.first:
            for on in course.first:
                if by != on:
                    met[by, on] = met.get((by, on), 0) + (not same(course.first[by], course.first[on]))
        for move in course.moves:
            if move.label == "own":
                own[move.debater] = own.get(move.debater, 0) + 1
            for by in move.moved_by:
                counts = moved.setdefault((by, move.debater), {"argument": 0.0, "conformity": 0.0})
                counts[move.label] += 1 / len(move.moved_by)
    cells = [Influence(by=by, on=on, disagreed=times, **moved.get((by, on), {})) for (by, on), times in met.items()]
    return InfluenceMatrix(agents=agents, cells=cells, own=own)


def swings(courses: Sequence[Course]) -> list[Swing]:
    """What every agent did to the others and they to it, over many debates; a pure function."""
    agents = list(dict.fromkeys(name for course in courses for name in course.first))
    return [_swing(name, [course for course in courses if name in course.first]) for name in agents]


def _swing(agent: str, courses: Sequence[Course]) -> Swing:
    disagreed = won = gave_in = 0
    own: list[float] = []
    theirs: list[float] = []
    for course in courses:
        gains = {
            name: course.is_right(course.last[name]) - course.is_right(first) for name, first in course.first.items()
        }
        mine = course.first[agent]
        for other, held in course.first.items():
            if other == agent:
                continue
            if course.right is not None:
                theirs.append(gains[other])
            if not same(mine, held):
                disagreed += 1
                won += same(course.last[other], mine)
                gave_in += same(course.last[agent], held)
        if course.right is not None:
            own.append(gains[agent])
    return Swing(
        agent=agent,
        disagreed=disagreed,
        won=won,
        gave_in=gave_in,
        swing=(won - gave_in) / disagreed if disagreed else None,
        own_gain=mean(own) if own else None,
        others_gain=mean(theirs) if theirs else None,
    )
