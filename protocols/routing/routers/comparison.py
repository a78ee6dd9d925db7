"""Routers judged by recorded answers: quality, cost, time, utility, regret and the Pareto front, with intervals."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from maieutic.errors import UsageError
from maieutic.protocols.fronts import on_front
from maieutic.protocols.intervals import bootstrap
from maieutic.protocols.routing.routers.base import Query, Router
from maieutic.protocols.routing.routers.records import RoutingRecord, by_question
from maieutic.protocols.routing.routers.spending import TradeOff

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maieutic.protocols.routing.pool import Pool
    from maieutic.protocols.routing.routers.episodes import Episode

    Numbers = NDArray[np.float64]

__all__ = ["BEST", "Answered", "Comparison", "Measured", "Row", "compare", "cross_fitted"]

BEST = "best per question"
"""The name of the row that knows afterwards which candidate was worth most for each question."""
RESAMPLES = 1000

Kind = Literal["router", "model", "bound"]


class Measured(BaseModel):
    """A mean and its 95 % interval (bootstrap over questions)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Numbers, seed: int) -> Measured | None:
        """The mean of the values; None if one is unknown (not a number)."""
        if np.isnan(values).any():
            return None
        found = bootstrap(values.tolist(), resamples=RESAMPLES, seed=seed)
        return cls(value=float(values.mean()), low=found.low, high=found.high)


class Row(BaseModel):
    """How one way of choosing did.

    Attributes:
        name: The router, the model that is always taken, or BEST.
        kind: "router", "model", or "bound" for BEST.
        quality, usd, seconds, utility, regret: Means for one question. Regret is the utility that the best candidate
            for each question would have had more. None where a number is unknown.
        shares: In which share of the questions each candidate was asked, from 0 to 1.
        front: Whether no other row but BEST is as cheap and as good, and better in one; None if the cost is unknown.
        front_share: In which share of the resampled sets of questions it is on the front.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind
    quality: Measured
    usd: Measured | None
    seconds: Measured | None
    utility: Measured | None
    regret: Measured | None
    shares: dict[str, float] = {}
    front: bool | None = None
    front_share: float | None = None


class Comparison(BaseModel):
    """Routers beside one another.

    Attributes:
        rows: Routers as they were given, then models, then BEST.
        questions: How many questions were compared on.
        folds: In how many parts they were split: each part was routed by what was learned from the others.
        trade_off: What utility was computed with.
        left_out: Questions that not every candidate answered.
        simulated: Whether simulated minds answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: list[Row]
    questions: int
    folds: int
    trade_off: TradeOff
    left_out: Annotated[int, Field(ge=0)] = 0
    simulated: bool = False

    def row(self, name: str) -> Row:
        """The row of that name.

        Raises:
            UsageError: There is none.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise UsageError(f"nothing called {name!r} was compared; there are: {', '.join(r.name for r in self.rows)}")

    def plot(self, path: Path | str) -> Path:
        """Draw quality over cost to an .svg, .png or .pdf file.

        Raises:
            UsageError: No cost is known, matplotlib is not installed, or the file cannot be written.
        """
        from maieutic.protocols.routing.routers.picture import plot

        return plot(self, path)


@dataclass(frozen=True, slots=True)
class Answered:
    """Recorded answers as tables with a row for each question and a column for each candidate; nan is unknown.

    Attributes:
        queries: The questions.
        names: The candidates, by their names in the pool.
        quality, usd, seconds: The tables.
        records: What they were made of, by question.
        left_out: Questions that not every candidate answered.
    """

    queries: tuple[Query, ...]
    names: tuple[str, ...]
    quality: Numbers
    usd: Numbers
    seconds: Numbers
    records: tuple[tuple[RoutingRecord, ...], ...]
    left_out: int

    @classmethod
    def of(
        cls, records: Sequence[RoutingRecord], pool: Pool, vectors: Mapping[str, Sequence[float]] | None = None
    ) -> Answered:
        """From records; of several of one pair the last counts.

        Raises:
            UsageError: No question was answered by the whole pool.
        """
        keys = [candidate.key for candidate in pool.each()]
        rows = [{record.key: record for record in met if record.key in keys} for met in by_question(records).values()]
        full = [tuple(row[key] for key in keys) for row in rows if len(row) == len(keys)]
        if not full:
            raise UsageError(
                f"no question in the records was answered by every candidate of the pool ({', '.join(pool.names)})"
            )
        known = vectors or {}
        queries = tuple(Query(met[0].question, met[0].family, _tuple(known.get(met[0].question))) for met in full)
        quality, usd, seconds = (
            np.array([[_number(getattr(record, name)) for record in met] for met in full])
            for name in ("quality", "usd", "seconds")
        )
        return cls(queries, pool.names, quality, usd, seconds, tuple(full), len(rows) - len(full))

    def utility(self, trade_off: TradeOff) -> Numbers:
        """The table of utilities; nan where a number is unknown that the trade-off needs."""
        return _Way(self.quality, self.usd, self.seconds).utility(trade_off)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _tuple(vector: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if vector is None else tuple(vector)


def cross_fitted(
    answered: Answered, pool: Pool, make: Callable[[], Router], *, folds: int = 5, seed: int = 0
) -> list[int]:
    """The column that a router chooses for each question, having learned from the other parts' questions only.

    Args:
        answered: The recorded answers.
        pool: The candidates.
        make: Makes the router anew for each part.
        folds: How many parts.
        seed: Of the split and of what a router draws.

    Raises:
        UsageError: There are fewer questions than parts, or fewer than two parts; and what the router raises.
    """
    n = len(answered.queries)
    if not 2 <= folds <= n:
        raise UsageError(f"{n} questions cannot be split into {folds} parts; there must be 2 parts or more, none empty")
    order = list(range(n))
    random.Random(f"{seed}/folds").shuffle(order)
    column = {name: place for place, name in enumerate(answered.names)}
    vectors = {q.question: q.vector for q in answered.queries if q.vector is not None}
    chosen = [0] * n
    for fold in range(folds):
        held = set(order[fold::folds])
        router = make()
        router.fit([record for q in range(n) if q not in held for record in answered.records[q]], vectors)
        for q in sorted(held):
            rng = random.Random(f"{seed}/{q}")
            chosen[q] = column[router.decide(answered.queries[q], pool, rng).name]
    return chosen


def compare(
    answered: Answered,
    chosen: Mapping[str, Sequence[int]],
    trade_off: TradeOff | None = None,
    *,
    folds: int = 5,
    seed: int = 0,
    episodes: Mapping[str, Sequence[Episode]] | None = None,
) -> Comparison:
    """What came of choosing so, beside every single model and the best per question.

    Args:
        answered: The recorded answers.
        chosen: By router, the column that it chose for each question (see `cross_fitted`).
        trade_off: What money and time are worth; nothing if left out.
        folds: For the report.
        seed: Of the intervals.
        episodes: By router, what each question came to, in the order of the recorded ones (see `played`). They come
            after the other routers. Where one asks several candidates its regret may be below 0.

    Raises:
        UsageError: There is not one episode for each question.
    """
    weigh = trade_off or TradeOff()
    for name, met in (episodes or {}).items():
        if len(met) != len(answered.queries):
            raise UsageError(f"{name} has {len(met)} episodes for {len(answered.queries)} questions; give one for each")
    table = _Way(answered.quality, answered.usd, answered.seconds)
    worth = table.utility(weigh)
    columns = {name: np.array(chosen[name]) for name in chosen}
    models = {f"always {name}": np.full(len(worth), place) for place, name in enumerate(answered.names)}
    comparing = _Comparing(answered.names, worth.max(axis=1), weigh, seed)
    ways: dict[str, tuple[Kind, _Way, Mapping[str, float]]] = {
        name: ("router", table.at(places), _shares(places, answered.names)) for name, places in columns.items()
    }
    ways |= {name: ("router", _Way.of(met), _asked(met)) for name, met in (episodes or {}).items()}
    ways |= {name: ("model", table.at(places), _shares(places, answered.names)) for name, places in models.items()}
    rows = [comparing.row(name, kind, way, shares) for name, (kind, way, shares) in ways.items()]
    if not np.isnan(worth).any():
        top = worth.argmax(axis=1)
        rows.append(comparing.row(BEST, "bound", table.at(top), _shares(top, answered.names)))
    points = np.array([[way.usd, way.quality] for _, way, _ in ways.values()])
    return Comparison(
        rows=_fronted(rows, points, seed),
        questions=len(worth),
        folds=folds,
        trade_off=weigh,
        left_out=answered.left_out,
        simulated=any(record.simulated for met in answered.records for record in met),
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """Quality, cost and time, a number for each question, or a row for each question; nan is unknown."""

    quality: Numbers
    usd: Numbers
    seconds: Numbers

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> Self:
        return cls(*(np.array([_number(getattr(e, name)) for e in episodes]) for name in ("quality", "usd", "seconds")))

    def at(self, columns: NDArray[np.intp]) -> _Way:
        """One column for each question."""
        each = np.arange(len(columns))
        return _Way(self.quality[each, columns], self.usd[each, columns], self.seconds[each, columns])

    def utility(self, trade_off: TradeOff) -> Numbers:
        """Utilities; nan where a number is unknown that the trade-off needs."""
        worth = self.quality.copy()
        if trade_off.per_usd:
            worth = worth - trade_off.per_usd * self.usd
        if trade_off.per_second:
            worth = worth - trade_off.per_second * self.seconds
        return worth


@dataclass(frozen=True, slots=True)
class _Comparing:
    names: Sequence[str]
    top: Numbers
    weigh: TradeOff
    seed: int

    def row(self, name: str, kind: Kind, way: _Way, shares: Mapping[str, float]) -> Row:
        """How one way did, before the front is known."""
        quality, worth = Measured.of(way.quality, self.seed), way.utility(self.weigh)
        assert quality is not None
        return Row(
            name=name,
            kind=kind,
            quality=quality,
            usd=Measured.of(way.usd, self.seed),
            seconds=Measured.of(way.seconds, self.seed),
            utility=Measured.of(worth, self.seed),
            regret=Measured.of(self.top - worth, self.seed),
            shares={model: round(share, 6) for model in self.names if (share := shares.get(model, 0.0))},
        )


def _shares(columns: NDArray[np.intp], names: Sequence[str]) -> dict[str, float]:
    counts = np.bincount(columns, minlength=len(names)) / len(columns)
    return {name: float(share) for name, share in zip(names, counts, strict=True)}


def _asked(episodes: Sequence[Episode]) -> dict[str, float]:
    counts = Counter(name for episode in episodes for name in episode.asked)
    return {name: count / len(episodes) for name, count in counts.items()}


def _fronted(rows: Sequence[Row], points: Numbers, seed: int) -> list[Row]:
    """The rows with their places on the front of cost and quality.

    Args:
        rows: All rows; those with points come first.
        points: For each row a pair of (cost, quality), each a number for every question.
    """
    priced = [n for n in range(len(points)) if not np.isnan(points[n, 0]).any()]
    if not priced:
        return list(rows)
    kept = points[priced]
    drawn = np.random.default_rng(seed).integers(points.shape[2], size=(RESAMPLES, points.shape[2]))
    counts = np.zeros((RESAMPLES, points.shape[2]))
    np.add.at(counts, (np.arange(RESAMPLES)[:, None], drawn), 1 / points.shape[2])
    now = on_front(kept.mean(axis=2)[None])[0]
    often = on_front(np.einsum("rpq,sq->srp", kept, counts)).mean(axis=0)
    places = {n: (bool(now[at]), float(often[at])) for at, n in enumerate(priced)}
    return [
        row.model_copy(update={"front": places[n][0], "front_share": places[n][1]}) if n in places else row
        for n, row in enumerate(rows)
    ]
