"""Routers compared on recorded answers: hand-computed means, regret and front; nothing is learned from its own part."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from maieutic.backends import LLMRequest, ScriptedModel, in_memory
from maieutic.backends.endpoints import Endpoints
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.routing import Pool
from maieutic.protocols.routing.routers import Bandit, Decision, Query, RoutingRecord, TradeOff
from maieutic.protocols.routing.routers.asking import Question, ask_all, bundled_questions, read_questions, slug
from maieutic.protocols.routing.routers.comparison import BEST, Answered, Comparison, compare, cross_fitted
from maieutic.protocols.routing.routers.simple import Cheapest
from maieutic.runs import Workspace

POOL = Pool.model_validate(
    {
        "a": {"model": "scripted/a", "price": {"input": 1, "output": 1}},
        "b": {"model": "scripted/b", "price": {"input": 2, "output": 2}},
    }
)
QUALITY = {"a": [1, 0, 1, 0], "b": [1, 1, 0, 0]}
USD = {"a": 0.01, "b": 0.02}


def records(quality: Mapping[str, Sequence[float]] = QUALITY, usd: Mapping[str, float | None] = USD) -> list[Any]:
    return [
        RoutingRecord(question=f"q{n}", model=name, quality=q, usd=usd[name], seconds=1.0)
        for name, qualities in quality.items()
        for n, q in enumerate(qualities)
    ]


def compared(chosen: Sequence[int], weigh: TradeOff | None = None, usd: Mapping[str, float | None] = USD) -> Comparison:
    return compare(Answered.of(records(usd=usd), POOL), {"mine": chosen}, weigh)


def test_means_regret_and_shares_by_hand() -> None:
    """mine takes b for the second question and a for the others: right, right, right, wrong."""
    row = compared([0, 1, 0, 0]).row("mine")
    assert row.quality.value == 0.75
    assert row.usd is not None
    assert row.usd.value == pytest.approx((3 * 0.01 + 0.02) / 4)
    assert row.regret is not None
    assert row.regret.value == 0
    assert row.shares == {"a": 0.75, "b": 0.25}


def test_regret_is_in_utility_against_the_best_of_each_question() -> None:
    """per_usd 10: a is worth 0.9, -0.1, 0.9, -0.1 and b 0.8, 0.8, -0.2, -0.2; the best sum to 0.9 + 0.8 + 0.9 - 0.1."""
    found = compared([1, 1, 1, 1], TradeOff(per_usd=10))
    row, best = found.row("mine"), found.row(BEST)
    assert row.utility is not None
    assert row.utility.value == pytest.approx(0.3)
    assert best.utility is not None
    assert best.utility.value == pytest.approx(2.5 / 4)
    assert row.regret is not None
    assert row.regret.value == pytest.approx(2.5 / 4 - 0.3)
    assert row.regret.low <= row.regret.value <= row.regret.high


def test_the_front_is_what_nothing_beats_in_cost_and_quality() -> None:
    found = compared([0, 1, 0, 0])
    fronts = {row.name: row.front for row in found.rows}
    assert fronts == {"mine": True, "always a": True, "always b": False, BEST: None}
    shares = {row.name: row.front_share for row in found.rows}
    assert shares["always a"] == 1.0  # nothing is ever cheaper
    assert 0.5 < (shares["mine"] or 0) <= 1
    assert (shares["always b"] or 0) < 0.4
    worse = compared([1, 0, 1, 1])  # wrong but for the first, and dear
    assert worse.row("mine").front is False


def test_an_unknown_cost_stays_unknown() -> None:
    found = compared([0, 1, 0, 0], usd={"a": 0.01, "b": None})
    assert found.row("mine").usd is None
    assert found.row("mine").front is None
    assert found.row("always a").usd is not None
    assert found.row("mine").quality.value == 0.75
    weighed = compared([0, 1, 0, 0], TradeOff(per_usd=1), usd={"a": 0.01, "b": None})
    assert weighed.row("mine").utility is None
    with pytest.raises(UsageError, match=f"nothing called '{BEST}' was compared; there are: mine, always a, always b"):
        weighed.row(BEST)


def test_questions_that_not_everybody_answered_are_left_out_and_counted() -> None:
    some = [*records(), RoutingRecord(question="q9", model="a", quality=1)]
    answered = Answered.of(some, POOL)
    assert (len(answered.queries), answered.left_out) == (4, 1)
    with pytest.raises(
        UsageError, match=r"no question in the records was answered by every candidate of the pool \(a, b\)"
    ):
        Answered.of(some[-1:], POOL)


class Spy(Cheapest):
    """Remembers what it was taught and what it was asked."""

    made: ClassVar[list[Spy]] = []

    def __init__(self) -> None:
        super().__init__()
        self.taught: set[str] = set()
        self.asked: set[str] = set()
        Spy.made.append(self)

    def fit(self, records: Sequence[RoutingRecord], vectors: Any = None) -> None:
        self.taught = {record.question for record in records}

    def decide(self, query: Query, pool: Pool, rng: random.Random) -> Decision:
        self.asked.add(query.question)
        return super().decide(query, pool, rng)


def test_each_part_is_routed_by_what_was_learned_from_the_others() -> None:
    Spy.made = []
    answered = Answered.of(records({"a": [1.0] * 10, "b": [0.0] * 10}), POOL)
    assert cross_fitted(answered, POOL, Spy, folds=5) == [0] * 10
    assert len(Spy.made) == 5
    for spy in Spy.made:
        assert len(spy.asked) == 2
        assert spy.taught == {f"q{n}" for n in range(10)} - spy.asked
    assert set().union(*(spy.asked for spy in Spy.made)) == {f"q{n}" for n in range(10)}
    with pytest.raises(UsageError, match="10 questions cannot be split into 11 parts"):
        cross_fitted(answered, POOL, Spy, folds=11)


def test_the_picture_shows_cost_and_quality(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    text = compared([0, 1, 0, 0]).plot(tmp_path / "plane.svg").read_text("utf-8")
    for word in ("mine", "always b", BEST, "Pareto front", "US dollars for 1,000 questions", "4 questions"):
        assert word in text
    with pytest.raises(UsageError, match="needs the price of every candidate"):
        compared([0, 1, 0, 0], usd={"a": None, "b": None}).plot(tmp_path / "none.svg")


SUMS = [Question(question="1+1?", answer=["2", "two"], family="sums"), Question(question="2+2?", answer=["4"])]


def answers(request: LLMRequest) -> Mapping[str, Any]:
    """a is right about 1+1 in words, b about 2+2."""
    asked = request.messages[-1].content
    said = {("a", "1+1"): "Two.", ("b", "2+2"): "4"}.get((request.agent, asked[10:13]), "7")
    return {"reasoning": "I count.", "answer": said, "confidence": 0.5}


def test_everybody_is_asked_everything_once_and_scored() -> None:
    script = ScriptedModel(answers)

    async def go() -> list[RoutingRecord]:
        async with in_memory(Endpoints({"scripted": script})) as at:
            return await ask_all(POOL, SUMS, at)

    found = asyncio.run(go())
    assert [(r.question, r.model, r.quality) for r in found] == [
        ("1+1?", "a", 1.0),
        ("1+1?", "b", 0.0),
        ("2+2?", "a", 0.0),
        ("2+2?", "b", 1.0),
    ]
    assert [r.family for r in found] == ["sums", "sums", "", ""]
    assert sorted({"/".join(r.address.path) for r in script.requests}) == [
        "question0/a.say", "question0/b.say", "question1/a.say", "question1/b.say",
    ]  # fmt: skip


def test_an_evaluation_that_broke_off_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    broken = True

    def fragile(request: LLMRequest) -> Any:
        if broken and request.agent == "b" and "2+2" in request.messages[-1].content:
            raise ModelError("gone", kind="auth")
        return answers(request)

    async def go() -> tuple[list[RoutingRecord], int]:
        script = ScriptedModel(fragile)
        async with (
            Workspace(tmp_path / "j.db", backends={"scripted": script}) as workspace,
            workspace.place("compare", run_id="one") as at,
        ):
            found = await ask_all(POOL, SUMS, at)
        return found, len(script.requests)

    with pytest.raises(ModelError, match="gone"):
        asyncio.run(go())
    broken = False
    found, calls = asyncio.run(go())
    assert (len(found), calls) == (4, 1)


def test_a_simulated_expert_costs_what_the_pool_says() -> None:
    pool = Pool.model_validate(
        {"x y": {"model": {"model": "sim/expert", "seed": 1}, "price": {"input": 1, "output": 10},
                 "latency": {"p50": 2.5, "p95": 4}}}
    )  # fmt: skip

    async def go() -> list[RoutingRecord]:
        async with in_memory() as at:
            return await ask_all(pool, bundled_questions()[:3], at)

    for found in asyncio.run(go()):
        assert found.simulated
        assert found.seconds == 2.5
        assert found.usd is not None
        assert found.tokens is not None
        assert found.tokens * 1e-6 < found.usd < found.tokens * 10e-6
    assert [slug(name) for name in ("x y", "gpt-5.1", "4o", "Ü_1")] == ["x-y", "gpt-5-1", "m-4o", "Ü_1"]


def test_questions_come_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"question": "1+1?", "answer": "2", "family": "sums"}\n\n{"question": "x", "answer": ["y", "z"]}\n'
    )
    assert [q.answer for q in read_questions(path)] == [["2"], ["y", "z"]]
    path.write_text('{"question": "1+1?", "answer": "2"}\n{"question": "1+1?", "answer": "3"}\n')
    with pytest.raises(UsageError, match=r"q.jsonl:2: the question '1\+1\?' stands in the file twice"):
        read_questions(path)
    path.write_text('{"question": "1+1?"}\n')
    with pytest.raises(UsageError, match=r"q.jsonl:1: this is no question \(answer: Field required\)"):
        read_questions(path)
    path.write_text("\n")
    with pytest.raises(UsageError, match="has no questions"):
        read_questions(path)


def test_the_bandit_beats_every_single_expert_of_the_bundled_world() -> None:
    """Two specialists at different prices and a dear generalist; utility, paired by question, interval above 0."""
    from maieutic.protocols.intervals import bootstrap_difference

    def expert(seed: int, price: float, skill: float, **skills: float) -> dict[str, Any]:
        mind = {"model": "sim/expert", "seed": seed, "knows": 0, "guess": 0, "skill": skill, "skills": skills}
        return {"model": mind, "price": {"input": price / 4, "output": price}}

    pool = Pool.model_validate(
        {
            "nature": expert(1, 0.4, 0.1, biology=0.95, physics=0.95, astronomy=0.95),
            "people": expert(2, 1.2, 0.1, history=0.95, geography=0.95, economics=0.95),
            "large": expert(3, 8.0, 0.7),
        }
    )

    async def go() -> list[RoutingRecord]:
        async with in_memory() as at:
            return await ask_all(pool, bundled_questions(), at)

    answered, weigh = Answered.of(asyncio.run(go()), pool), TradeOff(per_usd=300)
    chosen = cross_fitted(answered, pool, lambda: Bandit({"explore": 0, "trade_off": weigh.model_dump()}))
    worth = answered.utility(weigh)
    mine = [float(worth[n, column]) for n, column in enumerate(chosen)]
    for column in range(len(pool)):
        assert bootstrap_difference(mine, worth[:, column].tolist()).low > 0.05
    large = compare(answered, {"bandit": chosen}, weigh)
    router, single = large.row("bandit"), large.row("always large")
    assert router.quality.low > single.quality.value
    assert router.usd is not None
    assert single.usd is not None
    assert router.usd.high < single.usd.low
