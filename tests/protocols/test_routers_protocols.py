"""The cascade and the decomposition: who is asked what, when an answer stands, what each may read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent
from maieutic.backends import LLMRequest
from maieutic.errors import ModelError, UsageError
from maieutic.graphs.graph import load_graph
from maieutic.protocols.cascade import Cascade
from maieutic.protocols.decompose_and_route import DecomposeAndRoute
from maieutic.protocols.routing import Pool
from maieutic.protocols.routing.routers import Elo, save_router
from maieutic.testing.staged import play

CHECKS = 4


def solution(answer: str, confidence: float = 0.5) -> dict[str, Any]:
    return {"reasoning": "So it is.", "answer": answer, "confidence": confidence}


def team(*names: str, model: str = "scripted/x") -> list[Agent]:
    return [Agent(name, model) for name in names]


def answering(passed: Mapping[str, int]) -> Any:
    """Everybody answers with its own name; so many of its checks find that correct."""

    def reply(request: LLMRequest) -> Any:
        step = request.address.path[-2]
        if step.startswith("check"):
            return {"reasoning": "Let me see.", "correct": int(step.removeprefix("check")) < passed[request.agent]}
        return solution(f"as {request.agent} says")

    return reply


@pytest.mark.parametrize(
    ("passed", "by", "calls", "why"),
    [
        (2, "small", 5, "2 of 4 checks found it correct; 0.5 of them were enough"),
        (1, "large", 6, "large was asked last"),
        (4, "small", 5, "4 of 4 checks found it correct; 0.5 of them were enough"),
    ],
)
def test_an_answer_stands_from_the_threshold_on(passed: int, by: str, calls: int, why: str) -> None:
    staged = play(Cascade(team("small", "large"), samples=CHECKS), answering({"small": passed}), "1+1?")
    outcome = staged.outcome
    assert (outcome.answered_by, outcome.answer, outcome.decided_by) == (by, f"as {by} says", why)
    assert outcome.calls == len(staged.requests) == calls
    assert outcome.levels[0].verified == passed / CHECKS
    assert [turn["speaker"] for turn in outcome.transcript] == [level.agent for level in outcome.levels]


def test_every_model_before_the_last_is_checked() -> None:
    staged = play(Cascade(team("a", "b", "c"), samples=CHECKS, threshold=1), answering({"a": 3, "b": 3}))
    assert [(level.agent, level.verified, level.stands) for level in staged.outcome.levels] == [
        ("a", 0.75, False),
        ("b", 0.75, False),
        ("c", None, True),
    ]
    plan = Cascade(team("a", "b", "c"), samples=CHECKS).plan()
    assert plan.calls == {"a": (5, 5), "b": (0, 5), "c": (0, 1)}
    assert plan.fewest <= staged.outcome.calls <= plan.most


def test_a_check_reads_the_answer_and_no_other_check_and_is_a_sample_of_its_own() -> None:
    staged = play(Cascade(team("small", "large"), samples=CHECKS), answering({"small": 4}), "1+1?")
    checks = [request for request in staged.requests if request.address.path[-2].startswith("check")]
    assert {request.messages[-1].content for request in checks} == {checks[0].messages[-1].content}
    assert "Proposed answer: as small says" in checks[0].messages[-1].content
    assert [request.sample for request in checks] == [0, 1, 2, 3]
    cold = play(Cascade(team("small", "large", model="scripted/x"), samples=1), answering({"small": 1}))
    assert cold.requests[1].temperature is None
    frozen = [Agent(name, {"model": "scripted/x", "temperature": 0}) for name in ("small", "large")]
    assert play(Cascade(frozen, samples=1), answering({"small": 1})).requests[1].temperature == 0.7


def test_a_cascade_that_fails_keeps_what_it_had() -> None:
    def reply(request: LLMRequest) -> Any:
        if request.agent == "large":
            raise ModelError("gone", kind="auth")
        return answering({"small": 0})(request)

    staged = play(Cascade(team("small", "large"), samples=2), reply)
    assert isinstance(staged.error, ModelError)
    assert (staged.outcome.reason, staged.outcome.answer) == ("failed:auth", "as small says")


def test_a_cascade_needs_two_different_agents() -> None:
    with pytest.raises(UsageError, match="cascade: agents: List should have at least 2 items"):
        Cascade(team("small"))
    small = Agent("small", "scripted/x")
    with pytest.raises(UsageError, match="one stands in the cascade twice"):
        Cascade([small, small])


def test_simulated_a_cascade_is_right_more_often_than_its_small_model() -> None:
    """The small student knows which facts it has; where it has them its checks pass, else the large one is asked."""
    from maieutic.protocols.routing.routers.asking import SCORERS, bundled_questions

    small = Agent("small", {"model": "sim/student", "knows": 0.4, "seed": 3, "temperature": 0})
    large = Agent("large", {"model": "sim/student", "knows": 0.9, "seed": 4})
    cascade = Cascade([small, large], samples=2)
    questions = bundled_questions()[:40]

    async def go() -> list[Any]:
        return [await cascade.perform(q.question, options=q.options) for q in questions]

    outcomes = asyncio.run(go())
    right = [SCORERS["em"](str(o.answer), q.answer) for o, q in zip(outcomes, questions, strict=True)]
    first = [SCORERS["em"](o.levels[0].answer, q.answer) for o, q in zip(outcomes, questions, strict=True)]
    assert sum(right) >= sum(first) + 8
    assert 5 < sum(o.answered_by == "small" for o in outcomes) < 35


POOL = Pool.model_validate(
    {
        "Small": {"model": "scripted/s", "price": {"input": 1, "output": 1}, "capability": "numbers"},
        "Big 2": {"model": "scripted/b", "price": {"input": 9, "output": 9}, "capability": "kings"},
    }
)


def parted(request: LLMRequest) -> Any:
    """The planner splits into two and routes kings to Big 2."""
    step, said = request.address.path[-1], request.messages[-1].content
    if request.address.path[-2] == "split":
        return {"parts": ["Who was king?", " How old was he? ", "Who was king?", "And then?"]}
    if step.endswith(".decide"):
        return {"choice": "Big 2" if "king" in said.partition("Question")[2][:40] else "Small", "reason": "It fits."}
    if request.address.path[-2] == "conclude":
        return solution("Henry, 55", 0.8)
    return f"{request.model.model} says so"


def test_a_question_is_split_routed_and_concluded() -> None:
    staged = play(
        DecomposeAndRoute(Agent("pia", "scripted/p"), pool=POOL, parts=2), parted, "Who was king, and how old?"
    )
    outcome = staged.outcome
    assert (outcome.answer, outcome.confidence, outcome.reason) == ("Henry, 55", 0.8, "answered")
    assert [(p.question, p.candidate, p.answer) for p in outcome.parts] == [
        ("Who was king?", "Big 2", "scripted/b says so"),
        ("How old was he?", "Small", "scripted/s says so"),
    ]
    assert outcome.parts[0].reasons == ["scripted/p chose Big 2: It fits."]
    assert len(staged.requests) == 1 + 2 + 2 + 1
    plan = DecomposeAndRoute(Agent("pia", "scripted/p"), pool=POOL, parts=2).plan()
    assert (plan.fewest, plan.most) == (4, 8 - 2)


def test_a_candidate_reads_its_part_and_nothing_else() -> None:
    staged = play(DecomposeAndRoute(Agent("pia", "scripted/p"), pool=POOL), parted, "A secret question?")
    experts = [request for request in staged.requests if request.model.model in ("scripted/s", "scripted/b")]
    assert len(experts) == 3
    for request in experts:
        assert "secret" not in " ".join(message.content for message in request.messages)
        assert request.max_tokens == 512
    [last] = [request for request in staged.requests if request.address.path[-2] == "conclude"]
    assert "A secret question?" in last.messages[-1].content
    assert "Question: How old was he?\nAnswer: scripted/s says so" in last.messages[-1].content


def test_any_router_may_choose(tmp_path: Path) -> None:
    staged = play(DecomposeAndRoute(Agent("pia", "scripted/p"), pool=POOL, router="cheapest"), parted)
    assert {part.candidate for part in staged.outcome.parts} == {"Small"}
    save_router(Elo({"small": 900.0, "big 2": 1100.0}), tmp_path / "elo.json")
    learned = DecomposeAndRoute(Agent("pia", "scripted/p"), pool=POOL, router="elo", learned=tmp_path / "elo.json")
    assert {part.candidate for part in play(learned, parted).outcome.parts} == {"Big 2"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"router": "elo"}, "router: elo decides by what it has learned; train it, and name the file: learned: FILE"),
        (
            {"router": "elo", "learned": {"router": "bandit"}},
            "router: the state of router 'bandit' is damaged|this is the",
        ),
        ({"router": "oracle"}, "router: there is no router 'oracle'"),
        ({"learned": {}}, "learned: a prompted router has learned nothing; name the router that has"),
        ({"router": "elo", "learned": "nowhere.json"}, "nowhere.json cannot be read as a router: No such file"),
    ],
)
def test_routers_that_cannot_be_used_are_refused(params: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DecomposeAndRoute(Agent("pia", "scripted/p"), pool=POOL, **params)


def test_both_stand_in_graph_files(tmp_path: Path) -> None:
    (tmp_path / "pool.yaml").write_text("small: {model: sim/expert, price: {input: 1, output: 1}}\n", "utf-8")
    head = "version: 1\nname: x\nmodels: {m: sim/student}\n"
    one = "agents: {a: {model: m}, b: {model: m}}\nuse: cascade\nwith: {agents: [a, b], samples: 2}\n"
    two = "agents: {a: {model: m}}\nuse: decompose_and_route\nwith: {planner: a, pool: pool.yaml, router: cheapest}\n"
    for n, text in enumerate((one, two)):
        (tmp_path / f"{n}.yaml").write_text(head + text, "utf-8")
        assert load_graph(tmp_path / f"{n}.yaml").plan().fewest >= 3
