"""Router-R1's reward, as objects that can be written down: format, outcome, cost, and how they are put together.

Router-R1 (NeurIPS 2025, arXiv 2506.09033), section 3. The paper and its code differ in the sum: see `RouterReward`.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from maieutic.protocols.routing.quantiles import quantile
from maieutic.protocols.routing.tags import TAGS, Block, Resolve, Scan, Tags, read_route, scan

__all__ = [
    "CostReward",
    "FormatReward",
    "FormatRule",
    "OutcomeReward",
    "RewardReport",
    "RouterReward",
    "exact_match",
    "squad_f1",
    "squad_normal",
]

Scorer = Callable[[str, Sequence[str]], float]
"""Scores an answer against the accepted ones, from 0 to 1."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def squad_normal(text: str) -> str:
    """SQuAD's normal form: lower case, without ASCII punctuation, without articles, single spaces.

    The steps stand in SQuAD's order, so that results can be compared with published ones; `maieutic.memory.answers`
    has a form of its own for everything else.
    """
    bare = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, accepted: Sequence[str]) -> float:
    """1 if the answer has the normal form of an accepted one, else 0."""
    return float(squad_normal(answer) in {squad_normal(one) for one in accepted})


def squad_f1(answer: str, accepted: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of words after normalisation, with the accepted answer it fits best."""
    return max((_f1(squad_normal(answer).split(), squad_normal(one).split()) for one in accepted), default=0.0)


def _f1(said: list[str], right: list[str]) -> float:
    if not said or not right:
        return float(said == right)
    common = sum((Counter(said) & Counter(right)).values())
    return 2 * common / (len(said) + len(right))


FormatRule = Literal[
    "unbalanced",
    "nested",
    "begins_without_think",
    "ends_without_answer",
    "not_one_answer",
    "no_think",
    "empty_think",
    "search_without_information",
    "colon",
    "unknown_model",
    "empty_query",
    "placeholder",
    "query_names_model",
]
"""A rule of the format that is broken."""


class FormatReward(BaseModel):
    """0 for an episode in form, -1 for any other.

    An episode is in form if each tag is opened as often as it is closed; no block stands in another; it begins with a
    thought and ends with the answer; it has exactly one answer and no empty thought; there are as many searches as
    blocks of information; and each search has exactly one colon, a known name, a query without the name in it, and no
    words of the instruction in their place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags: Tags = Tags()

    def broken(self, text: str, resolve: Resolve) -> list[FormatRule]:
        """The rules that an episode breaks, each once, in a fixed order.

        Args:
            text: The whole episode: what the router wrote and the information it got.
            resolve: Finds the pool's spelling of a name (see `Pool.find`).
        """
        found = scan(text, self.tags)
        return [rule for rule, wrong in self._rules(text.strip(), found, resolve) if wrong]

    def score(self, text: str, resolve: Resolve) -> int:
        """0 or -1."""
        return -1 if self.broken(text, resolve) else 0

    def _rules(self, text: str, found: Scan, resolve: Resolve) -> list[tuple[FormatRule, bool]]:
        thoughts, searches = found.of("think"), [block for block in found.of("search")]
        faults = {fault for block in searches for fault in _faults(block, resolve)}
        return [
            ("unbalanced", found.opened != found.closed or found.stray > 0),
            ("nested", found.nested > 0),
            ("begins_without_think", not text.startswith(self.tags.open("think"))),
            ("ends_without_answer", not text.endswith(self.tags.close("answer"))),
            ("not_one_answer", found.opened["answer"] != 1),
            ("no_think", not thoughts),
            ("empty_think", any(block.content.strip() in ("", "...") for block in thoughts)),
            ("search_without_information", found.opened["search"] != found.opened["information"]),
            *((rule, rule in faults) for rule in _SEARCH_RULES),
        ]


_SEARCH_RULES: tuple[FormatRule, ...] = ("colon", "unknown_model", "empty_query", "placeholder", "query_names_model")


def _faults(search: Block, resolve: Resolve) -> set[FormatRule]:
    """The rules that one search breaks."""
    if search.content.count(":") != 1:
        return {"colon"}
    route = read_route(search.content, resolve)
    faults: set[FormatRule] = {flag for flag in route.flags if flag in ("unknown_model", "empty_query", "placeholder")}
    if route.name and route.name.casefold() in route.query.casefold():
        faults.add("query_names_model")
    return faults


class OutcomeReward(BaseModel):
    """How good the answer is, from 0 to 1.

    Attributes:
        metric: "em" is exact match and "f1" the overlap of words, both after SQuAD's normalisation and against the
            accepted answer that fits best; "own" is `scorer`.
        scorer: A function of the answer and the accepted ones. It is not written down: give it anew when you read the
            object back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Literal["em", "f1", "own"] = "em"
    scorer: Annotated[SkipJsonSchema[Scorer | None], Field(exclude=True)] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.scorer is not None and self.metric != "own":
            raise ValueError("a scorer counts only with metric 'own'")
        return self

    def score(self, answer: str | None, accepted: Sequence[str]) -> float:
        """The score of an answer; no answer scores 0.

        Raises:
            ValueError: The metric is "own" and there is no scorer, or it gave a score outside 0 to 1.
        """
        if answer is None:
            return 0.0
        if self.metric != "own":
            return (exact_match if self.metric == "em" else squad_f1)(answer, accepted)
        if self.scorer is None:
            raise ValueError("the metric is 'own' and no scorer was given; give it as scorer=")
        found = self.scorer(answer, accepted)
        if not 0 <= found <= 1:
            raise ValueError(f"the scorer gave {found!r}; a score lies between 0 and 1")
        return float(found)


class CostReward(BaseModel):
    """How cheap an episode was beside the latest ones: from 0 (dear) to 1 (cheap).

    The square root r of an episode's cost enters a window of the latest `size` episodes. With lo and hi the 5th and
    95th percentile of the window, r itself included, the reward is 1 - clip((r - lo) / (hi - lo), 0, 1), and 0.5 where
    hi - lo is below 1e-8. The value depends on what was scored before; so the window is part of the object, and each
    training or evaluation that shall not disturb another has an object of its own.
    """

    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=1, description="How many episodes are remembered.")] = 1000
    low: Annotated[float, Field(ge=0, le=1, description="The lower percentile, as a share.")] = 0.05
    high: Annotated[float, Field(ge=0, le=1, description="The upper percentile, as a share.")] = 0.95
    window: Annotated[list[Annotated[float, Field(ge=0)]], Field(description="Square roots, the oldest first.")] = []

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        del self.window[: -self.size]
        return self

    def score(self, cost: float) -> float:
        """Enter an episode's cost into the window and return its reward.

        Args:
            cost: 0 or more, in any unit that is always the same.
        """
        self.window.append(math.sqrt(cost))
        del self.window[: -self.size]
        return self._place(self.window[-1], self.window)

    def peek(self, cost: float) -> float:
        """The reward that `score` would return; the window stays as it is."""
        root = math.sqrt(cost)
        return self._place(root, [*self.window, root][-self.size :])

    def _place(self, root: float, window: Sequence[float]) -> float:
        low, high = quantile(window, self.low), quantile(window, self.high)
        if high - low < 1e-8:
            return 0.5
        return 1 - min(1.0, max(0.0, (root - low) / (high - low)))

    def to_json(self) -> dict[str, Any]:
        """Settings and window as plain JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CostReward:
        """What `to_json` wrote."""
        return cls.model_validate(dict(raw))


class RewardReport(BaseModel):
    """The reward of one episode, part by part.

    Attributes:
        format: 0 or -1.
        broken: The rules of the format that it breaks.
        outcome: The score of the answer; None where the right answer is not known.
        raw_cost: Completion tokens of routed calls times their price per million output tokens, in millionths of a US
            dollar; None where a price or a count is unknown.
        cost: From 0 (dear) to 1 (cheap); None where the raw cost is unknown.
        total: The sum; None where a part that counts in it is unknown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    broken: list[FormatRule] = []
    outcome: float | None = None
    raw_cost: float | None = None
    cost: float | None = None
    total: float | None = None


class RouterReward(BaseModel):
    """The reward of an episode: format, outcome and cost with weight α.

    An episode that breaks the format gets -1. For any other one `credit` decides: by the paper's formula (1 - α) times
    the outcome plus α times the cost reward, whatever the outcome; by the paper's code the same for a right answer (a
    positive score) and 0 for a wrong one, which then is paid nothing for having been cheap.

    Example:
        >>> reward = RouterReward(alpha=0.5, credit="paper")
        >>> reward.total(0, outcome=0.0, cost=0.8), RouterReward(alpha=0.5).total(0, outcome=0.0, cost=0.8)
        (0.4, 0.0)
    """

    model_config = ConfigDict(extra="forbid")

    form: Annotated[bool, Field(description="Whether the format counts.")] = True
    outcome: OutcomeReward = OutcomeReward()
    cost: CostReward = Field(default_factory=CostReward)
    alpha: Annotated[float, Field(ge=0, le=1, description="The weight of cost; the paper's default is 0.")] = 0.0
    credit: Annotated[
        Literal["paper", "code"], Field(description="Whether a wrong answer is paid for being cheap (paper) or not.")
    ] = "code"

    def total(self, form: int, *, outcome: float | None, cost: float | None) -> float | None:
        """The sum of known parts; None where a part that counts is unknown."""
        if form < 0 and self.form:
            return -1.0
        if outcome is None and self.alpha < 1:
            return None
        if self.credit == "code" and not outcome:
            return 0.0 if outcome is not None else None
        if cost is None and self.alpha > 0:
            return None
        return (1 - self.alpha) * (outcome or 0.0) + self.alpha * (cost or 0.0)

    def score(
        self,
        text: str,
        resolve: Resolve,
        *,
        answer: str | None,
        accepted: Sequence[str] = (),
        raw_cost: float | None,
        tags: Tags = TAGS,
        remember: bool = True,
    ) -> RewardReport:
        """The reward of an episode.

        Args:
            text: The whole episode.
            resolve: Finds the pool's spelling of a name.
            answer: The last answer, if there is one.
            accepted: The right answer and its aliases; none where it is not known.
            raw_cost: See RewardReport; None if unknown, which then enters no window.
            tags: The names of the tags.
            remember: Whether the cost enters the window.
        """
        form = FormatReward(tags=tags)
        broken = form.broken(text, resolve)
        outcome = self.outcome.score(answer, accepted) if accepted else None
        cost = None
        if raw_cost is not None:
            cost = self.cost.score(raw_cost) if remember else self.cost.peek(raw_cost)
        value = -1 if broken else 0
        return RewardReport(
            format=value,
            broken=broken,
            outcome=outcome,
            raw_cost=raw_cost,
            cost=cost,
            total=self.total(value, outcome=outcome, cost=cost),
        )

    def to_json(self) -> dict[str, Any]:
        """Settings and window as plain JSON; a scorer of one's own is left out."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> RouterReward:
        """What `to_json` wrote."""
        return cls.model_validate(dict(raw))
