"""What an experiment came to, in numbers: conditions, comparisons between them, fronts and matches of cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from maieutic.errors import UsageError
from maieutic.runs.statistics.budgets import Front, Matched, Plane, cost_of_choice, plane_of
from maieutic.runs.statistics.corrections import Correction, corrected
from maieutic.runs.statistics.estimates import RESAMPLES, Estimate, estimate
from maieutic.runs.statistics.extra import require
from maieutic.runs.statistics.paired import Paired, Test, compare_pairs
from maieutic.runs.statistics.reliability import Marks
from maieutic.runs.statistics.samples import COSTS, Failed, Sample, samples_of, scorers_of

if TYPE_CHECKING:
    from maieutic.runs.experiments.results import Result

__all__ = ["Compared", "Condition", "Settings", "Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How an experiment is summed up.

    Attributes:
        against: The condition that all others are compared with; every pair is compared if left out.
        scorers: Only these scorers, in this order; all if left out.
        cost: What scores are weighed with: "calls", "tokens", "usd", "seconds"; left out, what tells most.
        failed: What a run counts that ended before its time and has no score: "out" leaves it out, "zero" counts 0.
        correction: Of p-values, for all comparisons by one scorer together: "holm", "bh" or "none".
        test: The paired test; what fits if left out (see `compare_pairs`).
        level: Confidence of intervals.
        resamples, seed: Of the bootstraps.
    """

    against: str | None = None
    scorers: tuple[str, ...] = ()
    cost: str | None = None
    failed: Failed = "out"
    correction: Correction = "holm"
    test: Test | None = None
    level: float = 0.95
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition's row.

    Attributes:
        name: Its name.
        n: Results.
        items: Different items.
        unfinished: Results that ended before their time, by reason.
        scores: By scorer, the mean score.
        costs: By cost, the mean for one run; None where one is unknown.
        families: By family, by scorer, the mean score.
        simulated: Whether simulated minds answered.
    """

    name: str
    n: int
    items: int
    unfinished: Mapping[str, int]
    scores: Mapping[str, Estimate | None]
    costs: Mapping[str, Estimate | None]
    families: Mapping[str, Mapping[str, Estimate | None]]
    simulated: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """Two conditions by one scorer.

    Attributes:
        first, second, scorer: Names.
        paired: First less second, on the items that both have.
        adjusted: The p-value, corrected for all comparisons by this scorer.
    """

    first: str
    second: str
    scorer: str
    paired: Paired
    adjusted: float = 1.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What an experiment came to.

    Attributes:
        experiment: Its name.
        settings: How it was summed up.
        conditions: In the experiment's order.
        comparisons: Scorer by scorer.
        fronts: By scorer, the plane of cost and score.
        matches: By scorer, each condition beside what the others buy for the same.
        agreement: By scorer with several judges, Krippendorff's α by criterion.
    """

    experiment: str
    settings: Settings
    conditions: tuple[Condition, ...]
    comparisons: tuple[Compared, ...]
    fronts: Mapping[str, Front]
    matches: Mapping[str, tuple[Matched, ...]]
    agreement: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def scorers(self) -> tuple[str, ...]:
        """Whose scores it tells."""
        return tuple(dict.fromkeys(name for row in self.conditions for name in row.scores))

    @property
    def simulated(self) -> bool:
        """Whether simulated minds answered anywhere."""
        return any(row.simulated for row in self.conditions)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return _plain(self)  # type: ignore[no-any-return]


def summarise(results: Iterable[Result], settings: Settings | None = None) -> Summary:
    """Sum an experiment up. The results are read once, and only numbers are kept of them.

    Args:
        results: The results (`Results`, or any iterable of one experiment's).
        settings: How.

    Raises:
        UsageError: There are no results, or none of a condition or scorer that is named.
    """
    require()
    how = settings or Settings()
    noted = _Noted(results)
    samples = samples_of(noted)
    scorers = _chosen(scorers_of(samples), how.scorers)
    if how.against is not None and how.against not in samples:
        raise UsageError(f"there are no results of {how.against!r}; there are some of: {', '.join(samples)}")
    cost = how.cost or cost_of_choice(list(samples.values()))
    how = replace(how, cost=cost)
    found = {name: plane_of(samples, name, cost, failed=how.failed) for name in scorers}
    planes = {name: plane for name, plane in found.items() if plane is not None}
    return Summary(
        experiment=noted.experiment,
        settings=how,
        conditions=tuple(_row(sample, scorers, how) for sample in samples.values()),
        comparisons=tuple(c for name in scorers for c in _compared(samples, name, how)),
        fronts={name: plane.front(resamples=how.resamples, seed=how.seed) for name, plane in planes.items()},
        matches={name: _matches(plane, how) for name, plane in planes.items()} if len(samples) > 1 else {},
        agreement={name: alphas for name, alphas in noted.marks.agreement().items() if name in scorers},
    )


class _Noted:
    """Results as they are read, with what is kept of them besides numbers by condition."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._results = results
        self.marks = Marks()
        self.experiment = ""

    def __iter__(self) -> Iterator[Result]:
        for result in self._results:
            self.experiment = self.experiment or result.experiment
            self.marks.add(result)
            yield result


def _chosen(known: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    if missing := [name for name in wanted if name not in known]:
        raise UsageError(f"nothing was scored by {missing[0]!r}; there are scores by: {', '.join(known) or 'nobody'}")
    return tuple(wanted or known)


def _row(sample: Sample, scorers: Sequence[str], how: Settings) -> Condition:
    def told(name: str, family: str | None = None) -> Estimate | None:
        column = sample.column(name, failed=how.failed, family=family)
        return estimate(
            column.values,
            column.groups,
            bounded=name not in COSTS,
            level=how.level,
            resamples=how.resamples,
            seed=how.seed,
        )

    return Condition(
        name=sample.condition,
        n=sample.n,
        items=len(set(sample.column("calls").items)),
        unfinished=dict(sample.unfinished),
        scores={name: told(name) for name in scorers},
        costs={name: told(name) if sample.known(name) else None for name in COSTS},
        families={family: {name: told(name, family) for name in scorers} for family in sample.families},
        simulated=sample.simulated,
    )


def _compared(samples: Mapping[str, Sample], scorer: str, how: Settings) -> list[Compared]:
    names = list(samples)
    if how.against is not None:
        pairs = [(name, how.against) for name in names if name != how.against]
    else:
        pairs = [(first, second) for n, second in enumerate(names) for first in names[n + 1 :]]
    columns = {name: sample.column(scorer, failed=how.failed) for name, sample in samples.items()}
    values = {name: column.by_item for name, column in columns.items()}
    groups = {item: group for column in columns.values() for item, group in column.group_of.items()}
    found: list[Compared] = []
    for first, second in pairs:
        paired = compare_pairs(
            values[first],
            values[second],
            groups,
            test=how.test,
            level=how.level,
            resamples=how.resamples,
            seed=how.seed,
        )
        if paired is not None:
            found.append(Compared(first, second, scorer, paired))
    adjusted = corrected([c.paired.p for c in found], how.correction)
    return [replace(c, adjusted=p) for c, p in zip(found, adjusted, strict=True)]


def _matches(plane: Plane, how: Settings) -> tuple[Matched, ...]:
    return tuple(plane.matched(name, level=how.level, resamples=how.resamples, seed=how.seed) for name in plane.names)


def _plain(value: Any) -> Any:
    """Dataclasses, mappings and sequences as plain JSON, their properties left out."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
