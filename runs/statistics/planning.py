"""How many items a comparison needs: planning with statsmodels' t-test and the exact test of McNemar."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maieutic.errors import UsageError
from maieutic.runs.statistics.extra import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Plan", "items_needed", "items_needed_for_shares", "plan_from", "power", "power_for_shares"]

MOST = 10_000_000
"""Beyond so many items nobody looks."""


def power(items: int, difference: float, spread: float, *, level: float = 0.05) -> float:
    """The chance to find a mean difference between two conditions on the same items (paired t-test, two-sided).

    Args:
        items: How many, 2 or more.
        difference: The true mean difference, not 0.
        spread: Standard deviation of the items' differences, above 0.
        level: The p-value below which a difference counts as found.
    """
    _check(difference, level, 0.5)
    if spread <= 0:
        raise UsageError(f"a spread is above 0, not {spread:g}")
    from statsmodels.stats.power import TTestPower  # type: ignore[import-untyped]

    return float(TTestPower().power(abs(difference) / spread, items, level))


def items_needed(difference: float, spread: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """How many items find a mean difference with this chance (paired t-test, two-sided).

    Args:
        difference: The smallest difference worth finding, not 0.
        spread: Standard deviation of the items' differences; of scores from 0 to 1 it is 1 at most.
        power: The chance to find it.
        level: The p-value below which it counts as found.

    Raises:
        UsageError: Numbers that no plan can have.

    Example:
        >>> items_needed(0.05, 0.5)
        787
    """
    _check(difference, level, power)
    return _least(lambda items: _t_power(items, difference, spread, level), power)


def _t_power(items: int, difference: float, spread: float, level: float) -> float:
    return power(items, difference, spread, level=level)


def power_for_shares(items: int, wins: float, losses: float, *, level: float = 0.05) -> float:
    """The chance to find that one condition is right more often than the other (McNemar's exact test).

    Args:
        items: How many.
        wins, losses: Shares of items that only the one, and only the other condition gets right; together 1 at most.
        level: The p-value below which a difference counts as found.

    Raises:
        UsageError: Shares that no items can have.
    """
    require()
    from scipy import stats

    apart = wins + losses
    if min(wins, losses) < 0 or apart > 1 or apart == 0:
        raise UsageError(f"shares of wins and losses are 0 or more and together 1 at most, not {wins:g} and {losses:g}")
    counts = np.arange(items + 1)
    chance = stats.binom.pmf(counts, items, apart)
    likely = counts[chance > 1e-12]
    edge = _edges(likely, level)  # so many losses, or fewer, are few enough
    found = stats.binom.cdf(edge, likely, losses / apart) + stats.binom.cdf(edge, likely, wins / apart)
    return float((chance[likely] * found).sum())


def _edges(changed: NDArray[np.intp], level: float) -> NDArray[np.float64]:
    """Of so many items on which the two differ, the most on the smaller side that are significant; -1 if none."""
    from scipy import stats

    edge = stats.binom.ppf(level / 2, changed, 0.5)
    exact: NDArray[np.float64] = np.where(2 * stats.binom.cdf(edge, changed, 0.5) <= level, edge, edge - 1)
    return exact


def items_needed_for_shares(difference: float, disagreement: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """How many items find a difference between two shares of right answers with this chance (McNemar's exact test).

    Args:
        difference: The smallest difference worth finding, not 0.
        disagreement: Share of items that only one of the two gets right; no less than the difference.
        power: The chance to find it.
        level: The p-value below which it counts as found.

    Raises:
        UsageError: Numbers that no plan can have.
    """
    _check(difference, level, power)
    if not abs(difference) <= disagreement <= 1:
        raise UsageError(
            f"where shares differ by {abs(difference):g}, the two disagree on {abs(difference):g} to 1 of the items, "
            f"not on {disagreement:g}"
        )
    wins, losses = (disagreement + abs(difference)) / 2, (disagreement - abs(difference)) / 2
    return _least(lambda items: power_for_shares(items, wins, losses, level=level), power)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many items a comparison needs, judged by what was measured so far.

    Attributes:
        difference: The difference to be found.
        items: How many items are needed, each with as many repeats as `repeats`.
        repeats: Repeats of each item under each condition.
        spread: Standard deviation of the items' differences, with so many repeats.
        between, within: Its parts: how far items differ in truth, and by how much a single repeat of one item differs.
            `within` is None where no item was repeated.
        pilot: Of how many items that was measured.
    """

    difference: float
    items: int
    repeats: int
    spread: float
    between: float
    within: float | None
    pilot: int


def plan_from(
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    difference: float,
    *,
    repeats: int | None = None,
    power: float = 0.8,
    level: float = 0.05,
) -> Plan:
    """How many items are needed to find a difference between two conditions that were tried on some items already.

    More repeats make an item's value surer and cost as much as more items; they help as far as `within` is large beside
    `between`. Where every item was answered once and is right or wrong, the test to be planned is McNemar's: the two
    are taken to disagree on as many items as measured, but on no fewer than the difference needs.

    Args:
        first, second: Values by item.
        difference: The smallest difference worth finding.
        repeats: Of each item in the plan; as many as were measured, on average, if left out.
        power, level: As in `items_needed`.

    Raises:
        UsageError: Fewer than two items in common, no spread at all, or other repeats where none were measured.

    Example:
        >>> once, twice = {"a": [1.0], "b": [0.0], "c": [0.0]}, {"a": [1.0], "b": [1.0], "c": [0.0]}
        >>> plan_from(twice, once, 0.1).items
        276
    """
    items = [item for item in first if item in second and len(first[item]) and len(second[item])]
    if len(items) < 2:
        raise UsageError(f"a plan needs two items or more that both conditions have, not {len(items)}")
    sides = [[np.asarray(side[item], dtype=np.float64) for side in (first, second)] for item in items]
    apart = np.array([one.mean() - other.mean() for one, other in sides])
    noise, total = _noise(sides), float(apart.var(ddof=1))
    measured = float(np.mean([min(map(len, pair)) for pair in sides]))
    wanted = max(1, round(measured)) if repeats is None else repeats
    if noise is None and wanted != round(measured):
        raise UsageError("what repeats would help can be told only where items were repeated; leave `repeats` out")
    if all(len(values) == 1 and values[0] in (0.0, 1.0) for pair in sides for values in pair):
        return _plan_of_shares(difference, apart, power, level)
    between = total if noise is None else max(0.0, total - noise / measured)
    spread = math.sqrt(between + (noise or 0.0) / wanted)
    if spread == 0:
        raise UsageError("all items differ by the same; nothing can be planned from that")
    needed = items_needed(difference, spread, power=power, level=level)
    within = None if noise is None else math.sqrt(noise)
    return Plan(difference, needed, wanted, spread, math.sqrt(between), within, len(items))


def _plan_of_shares(difference: float, apart: NDArray[np.float64], power: float, level: float) -> Plan:
    """The plan for items that are right or wrong, and were so once: of McNemar's test."""
    disagreement = max(abs(difference), float(np.abs(apart).mean()))
    items = items_needed_for_shares(difference, disagreement, power=power, level=level)
    spread = math.sqrt(max(0.0, disagreement - difference**2))
    return Plan(difference, items, 1, spread, spread, None, len(apart))


def _noise(items: Sequence[Sequence[NDArray[np.float64]]]) -> float | None:
    """The variance of the difference of single repeats of one item; None where nothing was repeated."""
    sides: list[float] = []
    for side in zip(*items, strict=True):
        repeated = [values for values in side if len(values) > 1]
        if not repeated:
            return None
        squares = sum(float(((values - values.mean()) ** 2).sum()) for values in repeated)
        sides.append(squares / sum(len(values) - 1 for values in repeated))
    return sum(sides)


def _check(difference: float, level: float, power: float) -> None:
    require()
    if difference == 0 or not math.isfinite(difference):
        raise UsageError(f"a difference to be found is not {difference:g}")
    if not 0 < level < 1 or not 0 < power < 1:
        raise UsageError(f"level and power lie between 0 and 1, not {level:g} and {power:g}")


def _least(chance: Callable[[int], float], wanted: float) -> int:
    """About the fewest items with which the chance is as wanted: an exact test's chance is a saw over their number."""
    high = 4
    while chance(high) < wanted:
        high *= 2
        if high > MOST:
            raise UsageError(f"more than {MOST:,} items would be needed; look for a larger difference")
    low = max(2, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= wanted else (middle + 1, high)
    return low
