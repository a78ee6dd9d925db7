"""How far judges agree: Krippendorff's α."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from maieutic.errors import UsageError

if TYPE_CHECKING:
    from maieutic.runs.experiments.results import Result

__all__ = ["Level", "Marks", "agreement", "krippendorff"]

Level = Literal["nominal", "ordinal", "interval", "ratio"]
"""What differences between marks mean: other names; places in an order; distances; distances beside the size."""


def krippendorff(units: Iterable[Sequence[Hashable]], level: Level = "nominal") -> float | None:
    """Krippendorff's α: 1 where all agree, 0 where they agree as chance would have it, below where less.

    Args:
        units: For each unit that was marked, the marks it got, in any order; a judge that gave none is left out. Units
            with fewer than two marks do not count.
        level: What differences between marks mean; all but "nominal" need numbers.

    Returns:
        α, or None where it is not defined: no unit has two marks, or all marks are the same.

    Raises:
        UsageError: Marks are no numbers and the level needs them.

    Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011.

    Example:
        >>> krippendorff([(1, 1), (2, 2), (3, 3), (3, 2)], "interval")
        0.8205128205128205
    """
    pairable = [tuple(unit) for unit in units if len(unit) > 1]
    counts = Counter(mark for unit in pairable for mark in unit)
    if level != "nominal" and any(isinstance(m, bool) or not isinstance(m, int | float) for m in counts):
        raise UsageError(f"marks at the level {level!r} are numbers; names are compared at the level 'nominal'")
    distance = _distance(counts, level)
    weighted = 0.0
    for unit in pairable:
        marks = Counter(unit)
        for one, many in marks.items():
            for other, more in marks.items():
                if one != other:
                    weighted += many * more * distance(one, other) / (len(unit) - 1)
    total = sum(counts.values())
    expected = sum(n * m * distance(a, b) for a, n in counts.items() for b, m in counts.items() if a != b)
    if not expected:
        return None
    return 1 - (total - 1) * weighted / expected


def _distance(counts: Mapping[Any, int], level: Level) -> Callable[[Any, Any], float]:
    """The squared distance between two marks."""
    if level == "nominal":
        return lambda one, other: float(one != other)
    if level == "interval":
        return lambda one, other: float((one - other) ** 2)
    if level == "ratio":
        return lambda one, other: float(((one - other) / (one + other)) ** 2) if one + other else 0.0
    below: dict[Any, float] = {}
    so_far = 0
    for mark in sorted(counts):
        below[mark] = so_far + counts[mark] / 2
        so_far += counts[mark]
    return lambda one, other: float((below[one] - below[other]) ** 2)


class Marks:
    """What judges said of many runs, taken in run by run: marks only, however many runs there are."""

    def __init__(self) -> None:
        self._units: dict[str, dict[str, list[tuple[Any, ...]]]] = {}

    def add(self, result: Result) -> None:
        """Take in what the scorers with several judges kept of a run."""
        for scorer, note in result.extra.get("scores", {}).items():
            for name, unit in _units(note.get("data", {})):
                if len(unit) > 1:
                    self._units.setdefault(scorer, {}).setdefault(name, []).append(unit)

    def agreement(self) -> dict[str, dict[str, float | None]]:
        """By scorer, α of each criterion of a rubric, of the "vote" on pairs, or of the "success" of turns.

        Differences between marks of a rubric are distances; votes and successes are names.
        """
        return {
            scorer: {
                name: krippendorff(units, "nominal" if name in ("vote", "success") else "interval")
                for name, units in by_name.items()
            }
            for scorer, by_name in self._units.items()
        }


def agreement(results: Iterable[Result]) -> dict[str, dict[str, float | None]]:
    """How far the judges of an experiment's scorers agree: by scorer and by what they marked (see `Marks`)."""
    marks = Marks()
    for result in results:
        marks.add(result)
    return marks.agreement()


def _units(data: Mapping[str, Any]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    """What was marked in one run, each with the judges' marks."""
    given = list(data.get("marks", {}).values())
    for criterion in (name for name in (given[0] if given else ()) if name != "reason"):
        yield criterion, tuple(marks[criterion] for marks in given if criterion in marks)
    if votes := data.get("votes"):
        yield "vote", tuple(vote["points"] for vote in votes.values())
    if turns := data.get("turns"):
        for unit in zip(*turns.values(), strict=True):
            yield "success", unit
