"""Our router: a contextual bandit that learns quality, cost and time from what was recorded, and explores safely.

Thompson sampling with one Bayesian linear model of quality for each candidate. It is used, and not LinUCB, because its
draws need no confidence parameter to be tuned and because it bears late feedback (here: a run is rated after it ended),
where the deterministic bound of UCB repeats one choice until the next update. Sources: Agrawal and Goyal, "Thompson
Sampling for Contextual Bandits with Linear Payoffs", ICML 2013; Chapelle and Li, "An Empirical Evaluation of Thompson
Sampling", NeurIPS 2011 (section 3 on delay); on keeping to a baseline while exploring: Wu et al., "Conservative
Bandits", ICML 2016.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from maieutic.errors import UsageError
from maieutic.protocols.routing.routers.base import Decision, Query, best, kept, opened
from maieutic.protocols.routing.routers.beliefs import Belief, Estimate, context, without_words
from maieutic.protocols.routing.routers.features import HASHING, features, features_of
from maieutic.protocols.routing.routers.spending import Spending, Take, TradeOff, cheapest_first

if TYPE_CHECKING:
    from maieutic.protocols.routing.pool import Candidate, Pool
    from maieutic.protocols.routing.routers.records import RoutingRecord

__all__ = ["Bandit", "BanditSettings"]

_FIELDS = ("settings", "embedding", "beliefs", "usd", "seconds", "spending")


class BanditSettings(BaseModel):
    """How the bandit weighs quality against money and time, and how it tries what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    trade_off: Annotated[TradeOff, Field(description="What money and time are worth in quality.")] = TradeOff()
    explore: Annotated[
        float,
        Field(ge=0, le=1, description="The share of decisions that may be made to learn; the others take the best."),
    ] = 0.1
    floor: Annotated[
        float, Field(ge=0, le=1, description="A candidate whose estimated quality is below this is not chosen.")
    ] = 0.0
    optimism: Annotated[
        float, Field(ge=0, le=1, description="Quality expected of a candidate of which nothing is known.")
    ] = 0.8
    trust: Annotated[
        int, Field(ge=1, description="Records of a candidate before it may be chosen as the best; before, it is tried.")
    ] = 5

    @model_validator(mode="after")
    def _triable(self) -> Self:
        if self.floor > self.optimism:
            raise ValueError(
                f"floor ({self.floor:g}) above optimism ({self.optimism:g}): a new candidate would never be tried"
            )
        return self


@dataclass(frozen=True, slots=True)
class _Prospect:
    """What is expected of one candidate for one question."""

    name: str
    quality: Estimate
    take: Take
    worth: float
    trusted: bool


class Bandit:
    """Chooses by utility = quality - per_usd * usd - per_second * seconds.

    Most decisions take the candidate whose expected utility is the highest among those known well enough. A share of at
    most `explore` is made to learn: utility is drawn from what is believed (Thompson sampling), so that a candidate of
    which little is known is tried the more, the better it may be. Neither goes below `floor`. A new candidate is
    expected to be as good as the pool says (`performance`), else as `optimism` says.

    Args:
        settings: See BanditSettings; a mapping of its fields will do.
        embedding: "hashing" (the words), or the name of the model whose embeddings the records come with.

    Raises:
        UsageError: A setting is unknown or out of range.
    """

    name: ClassVar[str] = "bandit"

    def __init__(self, settings: BanditSettings | Mapping[str, Any] | None = None, embedding: str = HASHING) -> None:
        try:
            self.settings = BanditSettings.model_validate(settings or {})
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            message = problem["msg"].removeprefix("Value error, ")
            raise UsageError(f"bandit: {where + ': ' if where else ''}{message}") from error
        self.embedding = embedding
        self._beliefs: dict[str, Belief] = {}
        self._usd: dict[str, Belief] = {}
        self._seconds: dict[str, Belief] = {}
        self._spending = Spending()

    def fit(self, records: Sequence[RoutingRecord], vectors: Mapping[str, Sequence[float]] | None = None) -> None:
        """See Router. The order of the records makes no difference but for rounding."""
        self._beliefs, self._usd, self._seconds, self._spending = {}, {}, {}, Spending.of(records)
        if not records:
            return
        rows = context(features_of(records, vectors, self.embedding))
        keys = np.array([record.key for record in records])
        narrow = without_words(rows)
        quality, usd, seconds = (
            np.array([getattr(record, name) for record in records], dtype=np.float64)
            for name in ("quality", "usd", "seconds")
        )
        for key in dict.fromkeys(keys.tolist()):
            mine = keys == key
            self._beliefs[key] = Belief.of(rows[mine], quality[mine])
            for beliefs, values in ((self._usd, usd), (self._seconds, seconds)):
                known = mine & ~np.isnan(values)
                if known.any():
                    beliefs[key] = Belief.of(narrow[known], values[known])

    def observe(self, record: RoutingRecord, vector: Sequence[float] | None = None) -> None:
        """Learn from one record more."""
        vectors = None if vector is None else {record.question: vector}
        row = context(features_of([record], vectors, self.embedding))[0]
        self._spending.add(record)
        self._beliefs.setdefault(record.key, Belief.nothing(len(row))).add(row, record.quality)
        narrow = without_words(row)
        for beliefs, value in ((self._usd, record.usd), (self._seconds, record.seconds)):
            if value is not None:
                beliefs.setdefault(record.key, Belief.nothing(len(narrow))).add(narrow, value)

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        """See Router. The scores are the expected utilities."""
        prospects = self._prospects(query, pool)
        scores = {p.name: p.worth for p in prospects}
        order = cheapest_first(pool, self._spending)
        fit = [p for p in prospects if p.quality.mean >= self.settings.floor]
        if not fit:
            chosen = max(prospects, key=lambda p: p.quality.mean)
            words = f"No candidate is expected to reach the floor of {self.settings.floor:g}; this one comes nearest."
            return Decision(chosen.name, scores, (self._told(chosen), words))
        trusted = {p.name: p.worth for p in fit if p.trusted}
        known = best(trusted, order) if trusted else None
        exploring = rng.random() < self.settings.explore
        if known is not None and not exploring:
            return Decision(known, scores, self._why_best(known, prospects))
        drawn = {p.name: p.worth + p.quality.spread * rng.gauss(0, 1) for p in fit}
        chosen_name = best(drawn, order)
        if chosen_name == known:
            return Decision(known, scores, self._why_best(known, prospects))
        return Decision(chosen_name, scores, self._why_tried(chosen_name, known, prospects), explored=True)

    def changed(self, **settings: float) -> Self:
        """The same bandit, with all it has learned, under other settings; per_usd and per_second are the trade-off's.

        Raises:
            UsageError: A setting is unknown or out of range.
        """
        weigh = {name: settings.pop(name) for name in ("per_usd", "per_second") if name in settings}
        now = self.settings.model_dump()
        other = type(self)({**now, **settings, "trade_off": {**now["trade_off"], **weigh}}, self.embedding)
        other._beliefs, other._spending = self._beliefs, self._spending
        other._usd, other._seconds = self._usd, self._seconds
        return other

    def estimates(self, query: Query, pool: Pool) -> dict[str, Estimate]:
        """The quality expected of each candidate for this question."""
        return {p.name: p.quality for p in self._prospects(query, pool)}

    def _prospects(self, query: Query, pool: Pool) -> list[_Prospect]:
        row = context(features(query, self.embedding)[None, :])[0]
        takes = self._spending.expected(pool)
        return [self._prospect(c, row, query.family, takes[c.name]) for c in pool.each()]

    def _prospect(self, candidate: Candidate, row: Any, family: str, take: Take) -> _Prospect:
        belief = self._beliefs.get(candidate.key) or Belief.nothing(len(row))
        told = _told_quality(candidate, family)
        quality = belief.at(row, self.settings.optimism if told is None else told)
        quality = Estimate(min(max(quality.mean, 0.0), 1.0), quality.spread, quality.n)
        narrow = without_words(row)
        take = Take(
            _expected(self._usd.get(candidate.key), narrow, take.usd),
            _expected(self._seconds.get(candidate.key), narrow, take.seconds),
            take.assumed,
        )
        worth = self.settings.trade_off.utility(quality.mean, take.usd, take.seconds)
        trusted = belief.n >= self.settings.trust or (belief.n == 0 and told is not None)
        return _Prospect(candidate.name, quality, take, worth, trusted)

    def _why_best(self, chosen: str, prospects: Sequence[_Prospect]) -> tuple[str, ...]:
        by_name = {p.name: p for p in prospects}
        others = {p.name: p.worth for p in prospects if p.name != chosen and p.trusted}
        reasons = [f"{self._told(by_name[chosen])} That is the best known."]
        if others:
            reasons.append(f"Next: {self._told(by_name[best(others)])}")
        if new := [p.name for p in prospects if not p.trusted]:
            share = self.settings.explore
            reasons.append(f"Not known well enough yet, and tried in up to {share:.0%} of decisions: {', '.join(new)}.")
        return tuple(reasons)

    def _why_tried(self, chosen: str, known: str | None, prospects: Sequence[_Prospect]) -> tuple[str, ...]:
        by_name = {p.name: p for p in prospects}
        why = "Tried in order to learn" if known is not None else "Nothing is known well enough yet, so one was drawn"
        share = f" (at most {self.settings.explore:.0%} of decisions are)" if known is not None else ""
        reasons = [f"{why}{share}: {self._told(by_name[chosen])}"]
        if known is not None:
            reasons.append(f"Best known: {self._told(by_name[known])}")
        return tuple(reasons)

    def _told(self, prospect: _Prospect) -> str:
        """A candidate's expected utility and what it is made of, in words."""
        quality, take, weigh = prospect.quality, prospect.take, self.settings.trade_off
        source = "as the pool says" if quality.n == 0 and prospect.trusted else f"from {_records(quality.n)}"
        made = [f"quality {quality.mean:.2f} ± {quality.spread:.2f} {source}"]
        if weigh.per_usd:
            paid = take.usd
            made.append("unknown cost" if paid is None else f"{weigh.per_usd * paid:.2g} for {paid:.2g} USD")
        if weigh.per_second:
            late = take.seconds
            made.append("unknown time" if late is None else f"{weigh.per_second * late:.2g} for {late:.2g} s")
        assumed = " (what is unknown taken as the pool's highest)" if take.assumed and len(made) > 1 else ""
        return f"{prospect.name} has utility {prospect.worth:.2f} = {' - '.join(made)}{assumed}."

    def to_json(self) -> dict[str, Any]:
        """See Router."""
        return kept(
            self,
            settings=self.settings.model_dump(),
            embedding=self.embedding,
            beliefs={key: belief.to_json() for key, belief in self._beliefs.items()},
            usd={key: belief.to_json() for key, belief in self._usd.items()},
            seconds={key: belief.to_json() for key, belief in self._seconds.items()},
            spending=self._spending.to_json(),
        )

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """See Router."""
        state = opened(cls, raw, _FIELDS)
        made = cls(state["settings"], state["embedding"])
        made._beliefs, made._usd, made._seconds = (
            {key: Belief.of_json(belief) for key, belief in state[name].items()}
            for name in ("beliefs", "usd", "seconds")
        )
        made._spending = Spending.of_json(state["spending"])
        return made


def _expected(belief: Belief | None, row: Any, mean: float | None) -> float | None:
    """What a call on a question of this family takes, drawn towards the candidate's mean where little is known."""
    return mean if belief is None or mean is None else max(belief.at(row, mean).mean, 0.0)


def _told_quality(candidate: Candidate, family: str) -> float | None:
    """What the pool says of it: in this family, else on the mean of the families it names; None if nothing."""
    told = {name.casefold(): score for name, score in candidate.performance.items()}
    if not told:
        return None
    return told.get(family.casefold(), math.fsum(told.values()) / len(told))


def _records(n: int) -> str:
    return "1 record" if n == 1 else f"{n} records"
