"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from maieutic.runs.statistics.budgets import Matched
from maieutic.runs.statistics.estimates import Estimate
from maieutic.runs.statistics.summary import Compared, Summary

__all__ = ["LABELS", "bought", "compared", "cost", "early", "facts", "method", "p_value", "score", "signed"]

LABELS: Mapping[str, str] = {"calls": "calls", "tokens": "tokens", "usd": "US dollars", "seconds": "seconds"}
"""What costs are called."""
_CORRECTIONS = {"holm": "Holm", "bh": "Benjamini and Hochberg", "none": "no correction"}
_TESTS = {"mcnemar": "McNemar", "permutation": "permutation", "wilcoxon": "Wilcoxon"}


def facts(summary: Summary) -> str:
    """The size of an experiment in a line."""
    counts = {
        "condition": len(summary.conditions),
        "item": max(row.items for row in summary.conditions),
        "dialogue": sum(row.n for row in summary.conditions),
    }
    return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counts.items())


def score(found: Estimate | None) -> str:
    """A mean score with its interval: 0.523 [0.450, 0.597]; ~ where the interval is too narrow, as groups are few."""
    if found is None:
        return "–"
    if found.method == "none":
        return f"{found.value:.3f}"
    return f"{found.value:.3f} {'~' if found.few else ''}[{found.low:.3f}, {found.high:.3f}]"


def cost(name: str, value: float | None) -> str:
    """A mean cost; – if it is unknown."""
    if value is None:
        return "–"
    if name == "usd":
        return "$0" if value == 0 else f"${value:.2f}" if value >= 1 else f"${value:.3g}"
    if name == "seconds":
        return f"{value:.2f}"
    return f"{value:,.1f}".removesuffix(".0")


def signed(value: float) -> str:
    """A difference: +0.060."""
    return f"{value:+.3f}"


def p_value(p: float) -> str:
    """0.013, or <0.001."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def compared(found: Compared) -> tuple[str, ...]:
    """A comparison's cells: who, difference with interval, corrected p, test, wins/ties/losses, effect."""
    paired = found.paired
    between = paired.difference
    mark = "~" if between.few else ""
    return (
        f"{found.first} − {found.second}",
        f"{signed(between.value)} {mark}[{signed(between.low)}, {signed(between.high)}]",
        p_value(found.adjusted),
        _TESTS[paired.test],
        f"{paired.wins}/{paired.ties}/{paired.losses}",
        "–" if paired.effect is None else f"{paired.effect:+.2f}",
    )


def bought(found: Matched) -> tuple[str, ...]:
    """A match's cells: who, what it spends, its score, what the others buy for it and how, the difference."""
    own = (found.condition, cost(found.cost, found.spent), f"{found.score:.3f}")
    if found.bought is None or found.difference is None:
        return (*own, "–", "all others cost more", "–")
    mix = " + ".join(f"{share:.0%} {name}" if share < 1 else name for name, share in found.mix.items())
    spends = "" if found.alike else f" (for {cost(found.cost, found.cheaper)})"
    ends = "" if found.interval is None else f" [{signed(found.interval.low)}, {signed(found.interval.high)}]"
    return (*own, f"{found.bought:.3f}", mix + spends, signed(found.difference) + ends)


def early(unfinished: Mapping[str, int]) -> str:
    """How many runs ended before their time, and why: "3 failed:server", or nothing."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(unfinished.items(), key=lambda at: -at[1]))


def method(summary: Summary) -> tuple[str, ...]:
    """What was computed, in sentences."""
    how, comparisons = summary.settings, len(summary.comparisons) // max(1, len(summary.scorers))
    several = f"{_CORRECTIONS[how.correction]} over {comparisons} comparisons by each scorer"
    return (
        f"Brackets are {how.level:.0%} intervals: Wilson's where every item was answered once and is right or wrong, "
        "else a bootstrap over items (or the groups that the data set names), so that repeats of an item count as "
        "one; ~ marks intervals from fewer than 20 groups, which are too narrow.",
        "Differences are paired by item. p is two-sided, of McNemar's exact test for right and wrong, else of a "
        f"permutation test{'' if how.test is None else f' ({_TESTS[how.test]} was asked for)'}, corrected for several "
        f"comparisons: {several}." if comparisons > 1 else
        "Differences are paired by item. p is two-sided, of McNemar's exact test for right and wrong, else of a "
        "permutation test.",
        f"What the others buy is the best mix of the other conditions that costs no more {LABELS[how.cost or 'calls']} "
        f"a run{_common(summary)}.",
        "Runs that ended before their time without a score are "
        + ("left out." if how.failed == "out" else "counted as 0."),
    )  # fmt: skip


def _common(summary: Summary) -> str:
    """On which items costs and scores were weighed, if not on all."""
    items = max(row.items for row in summary.conditions)
    common = {name: front.items for name, front in summary.fronts.items()}
    if all(number == items for number in common.values()):
        return ""
    told = common.values() if len(set(common.values())) == 1 else (f"{n} ({name})" for name, n in common.items())
    numbers = ", ".join(dict.fromkeys(map(str, told)))
    return f", measured on the items that every condition has a score for: {numbers} of {items}"
