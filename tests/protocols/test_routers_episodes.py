"""Routers that ask several times: every call is counted, calls at the same time last as long as the longest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent, Router
from maieutic.backends import LLMRequest, ScriptedModel, in_memory
from maieutic.backends.endpoints import Endpoints
from maieutic.backends.types import LLMReply
from maieutic.errors import UsageError
from maieutic.protocols.decompose_and_route import DecomposeAndRoute
from maieutic.protocols.router_r1 import RouterR1
from maieutic.protocols.routing import Pool, performed
from maieutic.protocols.routing.routers import RoutingRecord, TradeOff
from maieutic.protocols.routing.routers.asking import Question, ask_all, bundled_questions
from maieutic.protocols.routing.routers.comparison import BEST, Answered, compare
from maieutic.protocols.routing.routers.episodes import Episode, cascade_of, played, prompted
from maieutic.runs import Workspace
from maieutic.testing.good_router import GoodRouter, described

POOL = Pool.model_validate(
    {
        "Small 1": {"model": "scripted/s", "price": {"input": 1, "output": 1}},
        "Big": {"model": "scripted/b", "price": {"input": 9, "output": 9}},
    }
)
SUM = Question(question="What is 2+2?", answer=["4", "four"])


def reply(text: str, seconds: float, usd: float | None = 0.001) -> LLMReply:
    return LLMReply(text=text, model="real", usd=usd, seconds=seconds)


def solution(answer: str) -> str:
    return f'{{"reasoning": "r", "answer": "{answer}", "confidence": 0.5}}'


def episode(protocol: Any, script: Any, question: Question = SUM, pool: Pool = POOL) -> Episode:
    async def go() -> list[Episode]:
        async with in_memory(Endpoints({"scripted": ScriptedModel(script)})) as at:
            return await played(protocol, [question], pool, at)

    [found] = asyncio.run(go())
    return found


def test_of_router_r1_all_calls_are_counted_and_candidates_at_once_last_as_long_as_the_longest() -> None:
    program = RouterR1(router=Router("rita", "scripted/r"), pool=POOL, parallel=2)
    found = episode(
        program,
        {
            "rita": [
                reply("<think>a</think><search>Small 1: 2+2?</search><search>Big: 2+2?</search>", 1.0, 0.01),
                reply("<think>b</think><answer>Four.</answer>", 2.0, 0.02),
            ],
            "Small 1": [reply("4", 3.0)],
            "Big": [reply("4", 5.0)],
        },
    )
    assert (found.quality, found.text, found.asked) == (1.0, "Four.", ("Small 1", "Big"))
    assert found.usd == pytest.approx(0.01 + 0.02 + 0.001 + 0.001)
    assert found.seconds == pytest.approx(1.0 + 5.0 + 2.0)


def test_of_a_cascade_the_checks_are_made_at_once() -> None:
    def script(request: LLMRequest) -> LLMReply:
        if request.address.path[-2].startswith("check"):
            return reply('{"reasoning": "r", "correct": false}', 2.0)
        return reply(solution("5" if request.agent == "Small-1" else "4"), 1.0)

    found = episode(cascade_of(POOL, samples=3), script)
    assert (found.quality, found.asked) == (1.0, ("Small 1", "Big"))
    assert found.usd == pytest.approx(0.005)
    assert found.seconds == pytest.approx(1.0 + 2.0 + 1.0)


def test_of_decomposition_each_part_is_a_way_of_its_own() -> None:
    def script(request: LLMRequest) -> LLMReply:
        step = request.address.path[-2]
        if step == "split":
            return reply('{"parts": ["2", "and 2"]}', 1.0)
        if step == "conclude":
            return reply(solution("5"), 1.0)
        return reply("2", 7.0 if step == "part0" else 4.0)

    program = DecomposeAndRoute(Agent("planner", "scripted/p"), pool=POOL, router="largest")
    found = episode(program, script)
    assert (found.quality, found.asked) == (0.0, ("Big",))
    assert found.seconds == pytest.approx(1.0 + 7.0 + 1.0)


def test_an_unknown_price_makes_the_episode_s_cost_unknown_and_no_answer_is_worth_nothing() -> None:
    program = RouterR1(router=Router("rita", "scripted/r"), pool=POOL, rounds=1)
    found = episode(program, {"rita": [reply("hm", 1.0, None), reply("hm", 1.0, None)]})
    assert found == Episode(0.0, None, 2.0, ())


def test_a_resumed_evaluation_takes_as_long_as_it_took(tmp_path: Path) -> None:
    program = RouterR1(router=Router("rita", "scripted/r"), pool=POOL)
    lines = {"rita": [reply("<think>b</think><answer>4</answer>", 2.0)]}

    async def go(script: Any) -> list[Episode]:
        async with (
            Workspace(tmp_path / "j.db", backends={"scripted": ScriptedModel(script)}) as workspace,
            workspace.place("compare", run_id="one") as at,
        ):
            return await played(program, [SUM], POOL, at)

    assert asyncio.run(go(lines)) == asyncio.run(go({}))


def test_a_simulated_candidate_takes_what_the_pool_says_and_a_simulated_router_nothing() -> None:
    pool = Pool.model_validate(
        {"x": {"model": "sim/expert", "price": {"input": 0, "output": 10}, "latency": {"p50": 2.5, "p95": 4}}}
    )
    program = RouterR1(router=Router("rita", {"model": "sim/router", "knows": 0.0}), pool=pool, rounds=2)

    async def go() -> list[Episode]:
        async with in_memory() as at:
            return await played(program, bundled_questions()[:1], pool, at)

    [found] = asyncio.run(go())
    assert found.asked == ("x",)
    assert found.seconds is not None
    assert found.seconds % 2.5 == 0
    assert found.usd is not None
    assert 0 < found.usd < 0.001


RECORDS = [
    RoutingRecord(question=question, model=name, quality=quality, usd=usd, seconds=1.0)
    for name, usd, qualities in (("Small 1", 0.01, (1, 0)), ("Big", 0.05, (0, 1)))
    for question, quality in zip(("q0", "q1"), qualities, strict=True)
]


def test_what_a_prompted_router_takes_for_its_choice_is_added() -> None:
    def script(request: LLMRequest) -> LLMReply:
        return reply('{"choice": "Big", "reason": "x"}', 0.5, 0.002)

    async def go() -> list[Episode]:
        async with in_memory(Endpoints({"scripted": ScriptedModel(script)})) as at:
            return await prompted("scripted/m", Answered.of(RECORDS, POOL), POOL, at)

    found = asyncio.run(go())
    assert [(e.quality, e.seconds, e.asked) for e in found] == [(0.0, 1.5, ("Big",)), (1.0, 1.5, ("Big",))]
    assert [e.usd for e in found] == pytest.approx([0.052, 0.052])


def test_episodes_stand_in_the_table_and_may_be_better_than_the_best_single_choice() -> None:
    answered = Answered.of(RECORDS, POOL)
    both = [Episode(1.0, 0.005, 1.0, ("Small 1", "Big")), Episode(1.0, 0.005, None, ("Big",))]
    found = compare(answered, {"mine": [0, 0]}, TradeOff(per_usd=10), episodes={"loop": both})
    assert [row.name for row in found.rows] == ["mine", "loop", "always Small 1", "always Big", BEST]
    row = found.row("loop")
    assert row.regret is not None
    assert row.regret.value == pytest.approx(((0.9 - 0.95) + (0.5 - 0.95)) / 2)
    assert (row.shares, row.seconds, row.front, found.row("mine").front) == (
        {"Small 1": 0.5, "Big": 1.0}, None, True, False,
    )  # fmt: skip
    with pytest.raises(UsageError, match="loop has 1 episodes for 2 questions; give one for each"):
        compare(answered, {}, episodes={"loop": both[:1]})


def test_a_cascade_goes_from_the_cheapest_to_the_dearest_and_needs_prices() -> None:
    turned = Pool(candidates=tuple(reversed(POOL.candidates)))
    assert cascade_of(turned).params.agents == ["Small-1", "Big"]
    with pytest.raises(UsageError, match="the pool has one candidate"):
        cascade_of(Pool(candidates=POOL.candidates[:1]))
    with pytest.raises(UsageError, match="of y no price is known"):
        cascade_of(Pool.model_validate({"x": {"model": "sim/a", "price": {"input": 1, "output": 1}}, "y": "sim/b"}))


PROMPT = """Candidates:
- Near: small; price 0.1 USD in and 1 USD out per million tokens; past performance: stars 50%, kings 10%
- Far: price 2 USD in and 4 USD out per million tokens; past performance: stars 80%
- Odd
"""


def test_the_good_router_reads_its_prompt() -> None:
    near, far = described(PROMPT)
    assert (near.name, near.cost, near.scores) == ("Near", 15.0, {"stars": 0.5, "kings": 0.1})
    assert (far.name, far.cost, far.scores) == ("Far", 60.0, {"stars": 0.8})


@pytest.mark.parametrize(
    ("credit", "alpha", "order"),
    [
        ("code", 0.0, ("Near", "Far")),  # the order makes no difference, so the first
        # C is 1 - sqrt(15 / 60) = 0.5 after Near, and 0 after Far or both.
        # Near, Far: 0.5 * 0.75 + 0.4 * 0.5 = 0.575. Far, Near: 0.8 * 0.5 + 0.1 * 0.5 = 0.45. Near: 0.375.
        ("code", 0.5, ("Near", "Far")),
        ("code", 1.0, ("Near",)),  # 0.5 * 0.5; what comes after costs all the rest
        # nobody: 0.5; Near, Far: 0.575
        ("paper", 0.5, ("Near", "Far")),
        # nobody: 0.6; Near, Far: 0.5 * (0.4 + 0.3) + 0.4 * 0.4 = 0.51; Near: 0.2 + 0.3 = 0.5
        ("paper", 0.6, ()),
    ],
)
def test_the_good_router_takes_the_order_with_the_highest_expected_reward(
    credit: Any, alpha: float, order: Sequence[str]
) -> None:
    good = GoodRouter({"Which star?": "stars"}, alpha, credit)
    assert good.plan("Which star?", described(PROMPT)) == order


def expert(seed: int, price: float, skill: float, **skills: float) -> dict[str, Any]:
    mind = {"model": "sim/expert", "seed": seed, "knows": 0, "guess": 0, "skill": skill, "skills": skills}
    return {"model": mind, "price": {"input": price / 4, "output": price}}


EXPERTS = Pool.model_validate(
    {
        "nature": expert(1, 0.4, 0.1, biology=0.95, physics=0.95, astronomy=0.95),
        "people": expert(2, 1.2, 0.1, history=0.95, geography=0.95, economics=0.95),
        "large": expert(3, 8.0, 0.7),
    }
)
QUESTIONS = bundled_questions()


def records_of(pool: Pool) -> list[RoutingRecord]:
    async def go() -> list[RoutingRecord]:
        async with in_memory() as at:
            return await ask_all(pool, QUESTIONS, at)

    return asyncio.run(go())


def scores_of(records: Sequence[RoutingRecord]) -> Mapping[str, Mapping[str, float]]:
    return performed((r.model, r.family, r.quality) for r in records)


def consulted(pool: Pool, alpha: float, credit: Any = "paper", everybody: Pool | None = None) -> list[Episode]:
    """Router-R1 with the good policy; whoever is in `everybody` and not in the pool joins at run time."""
    good = GoodRouter({q.question: q.family for q in QUESTIONS}, alpha, credit)
    joined = [] if everybody is None else [c for c in everybody.each() if c.name not in pool]
    added = Pool(candidates=tuple(joined)).model_dump(mode="json") if joined else {}
    inputs: dict[str, Any] = {"added": added} if joined else {}

    async def go() -> list[Episode]:
        async with in_memory(Endpoints({"scripted": ScriptedModel(good)})) as at:
            program = RouterR1(router=Router("rita", "scripted/r"), pool=pool)
            return await played(program, QUESTIONS, everybody or pool, at, **inputs)

    return asyncio.run(go())


def plane(episodes: Sequence[Episode]) -> tuple[float, float]:
    """Mean cost and quality."""
    return sum(e.usd or 0.0 for e in episodes) / len(episodes), sum(e.quality for e in episodes) / len(episodes)


def test_router_r1_with_a_good_policy_leaves_every_single_expert_behind_and_costs_less_with_alpha() -> None:
    """At some weight of cost it is better and cheaper than each alone in the same loop; the benchmark has intervals."""
    told = EXPERTS.updated(performance=scores_of(records_of(EXPERTS)))
    curve = [plane(consulted(told, alpha)) for alpha in (0.0, 0.3, 0.5, 0.6, 0.65, 0.7, 0.72, 0.9)]
    for candidate in told.each():
        usd, quality = plane(consulted(Pool(candidates=(candidate,)), 0.0))
        assert any(good > quality + 0.05 and paid < usd for paid, good in curve), candidate.name
    costs = [paid for paid, _ in curve]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 1.3 * costs[3] > 1.3 * costs[6] > costs[7] == 0


def test_a_better_model_that_joins_router_r1_at_run_time_is_used_and_a_worse_one_is_not() -> None:
    told = EXPERTS.updated(performance=scores_of(records_of(EXPERTS)))
    asked = {}
    for skill in (0.97, 0.0):
        new = Pool.model_validate({"new": expert(9, 0.4, skill)})
        new = new.updated(performance=scores_of(records_of(new)))
        found = consulted(told, 0.5, "code", told.added(new.the("new")))
        asked[skill] = sum(e.asked[:1] == ("new",) for e in found) / len(found)
        if skill > 0.5:
            (paid, good), (before, worse) = plane(found), plane(consulted(told, 0.5, "code"))
            assert (good > worse, paid < before) == (True, True)
    assert asked[0.97] > 0.5
    assert asked[0.0] == 0
