"""A simulated router that consults others: it reads pool, tags and replies in its messages, and nothing else."""

import asyncio
from typing import Any

import pytest

from maieutic.agents import Router
from maieutic.backends.sim import load_world
from maieutic.protocols.router_r1 import RouterR1, RouterR1Outcome

QUESTION = "From what does a star get its energy?"


def expert(seed: int, skill: float, **skills: float) -> dict[str, Any]:
    """Right with these chances by topic; what it does not know it says that it guesses."""
    return {"model": "sim/expert", "seed": seed, "skills": skills, "skill": skill, "knows": 0.0, "misconceptions": 0.0}


POOL: dict[str, Any] = {
    "Botanist": {"model": expert(1, 0.0, biology=1.0), "capability": "Good at biology."},
    "Stargazer": {"model": expert(2, 0.0, astronomy=1.0), "capability": "Good at astronomy."},
}


def episode(pool: Any = None, *, knows: float = 0.0, question: str = QUESTION, **params: Any) -> RouterR1Outcome:
    router = Router("rita", {"model": "sim/router", "knows": knows, "seed": 7})
    return asyncio.run(RouterR1(router=router, pool=pool or POOL, **params).perform(question))


HOW: list[dict[str, Any]] = [
    {"rendering": "turns"},
    {"rendering": "continue"},
    {"style": "tools"},
    {"tags": {"think": "thought", "search": "ask", "information": "info", "answer": "final"}},
]


@pytest.mark.parametrize("how", HOW, ids=["turns", "continue", "tools", "other tags"])
def test_it_asks_whose_description_fits_and_believes_who_is_sure(how: dict[str, Any]) -> None:
    outcome = episode(**how)
    assert [call.name for call in outcome.calls] == ["Stargazer"]
    assert outcome.answer == "nuclear fusion"
    assert {one.flag for one in outcome.flags} == {"unknown_cost"}  # no price was told
    assert outcome.reward.format == 0


@pytest.mark.parametrize("how", HOW[:3], ids=["turns", "continue", "tools"])
def test_it_asks_another_when_somebody_only_guesses(how: dict[str, Any]) -> None:
    swapped = {
        "Botanist": {**POOL["Botanist"], "capability": "Good at astronomy."},
        "Stargazer": {**POOL["Stargazer"], "capability": "Good at biology."},
    }
    outcome = episode(swapped, **how)
    assert [call.name for call in outcome.calls] == ["Botanist", "Stargazer"]
    assert outcome.answer == "nuclear fusion"


def test_it_consults_nobody_about_what_it_knows() -> None:
    outcome = episode(knows=1.0)
    assert outcome.calls == []
    assert outcome.answer == "nuclear fusion"


def test_of_two_that_fit_it_asks_the_cheaper() -> None:
    pool = {
        name: {"model": expert(seed, 1.0), "capability": "Good at astronomy.", "price": {"input": 1, "output": usd}}
        for seed, (name, usd) in enumerate({"Dear": 20, "Cheap": 1}.items())
    }
    assert [call.name for call in episode(pool).calls] == ["Cheap"]


def test_past_performance_counts_as_much_as_it_is() -> None:
    pool = {
        name: {"model": expert(seed, 1.0), "performance": {"astronomy": share}}
        for seed, (name, share) in enumerate({"Poor": 0.2, "Better": 0.9}.items())
    }
    assert [call.name for call in episode(pool).calls] == ["Better"]


def test_a_router_that_does_not_see_the_pool_asks_nobody() -> None:
    class Blind(RouterR1):
        async def begin(self, state: Any, runtime: Any) -> Any:
            begun = await super().begin(state, runtime)
            begun["prompt"][1]["content"] = begun["prompt"][1]["content"].replace("- Stargazer", "* *")
            return begun

    router = Router("rita", {"model": "sim/router", "knows": 0.0, "seed": 7})
    outcome = asyncio.run(Blind(router=router, pool=POOL).perform(QUESTION))
    assert "Stargazer" not in [call.name for call in outcome.calls]
    assert outcome.answer != "nuclear fusion"


def test_with_skilled_experts_it_is_right_about_most_of_the_world() -> None:
    world = load_world()
    topics = sorted({world.topic_of(question) for question in world.questions.values()})
    pool = {
        f"Model-{i}": {"model": expert(i, 0.0, **{topic: 1.0}), "capability": f"Good at {topic}."}
        for i, topic in enumerate(topics)
    }
    questions = list(world.questions.values())[::6]
    right = [question.answered_by(episode(pool, question=question.text).answer or "") for question in questions]
    assert sum(right) / len(right) > 0.9
