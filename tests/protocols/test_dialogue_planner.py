"""DPDP's planner on a stage: the gate, PUCT by hand, what is led and what is tried out beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.agents import Agent, Critic, Person
from maieutic.backends import LLMReply, LLMRequest
from maieutic.backends.scripted import Line
from maieutic.backends.types import TokenLogprob, Usage
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.dialogue_planner import DialoguePlanner, DialoguePlannerOutcome, Gate
from maieutic.protocols.dialogue_planner.gate import gap_of
from maieutic.testing.staged import Staged, play

SUE, ULF, CORA = Agent("sue", "scripted/s"), Agent("ulf", "scripted/u"), Critic("cora", "scripted/c")
ACTS = {"ask": "Ask what troubles him.", "reassure": "Say that it will be well.", "suggest": "Say what he may do."}
Policy = Mapping[str, float]


def weighed(policy: Policy) -> LLMReply:
    """A reply whose log-probabilities are a policy's."""
    best = max(policy, key=lambda act: policy[act])
    top = {act: math.log(p) for act, p in policy.items()}
    token = TokenLogprob(best, top[best], top)
    return LLMReply(best, "m", Usage(1, 1), usd=0.0, logprobs=(token,))


class Talk:
    """Speaks for everybody: the policy by the number of turns, and the reply that each act is met with."""

    def __init__(self, policies: list[Policy], standing: Callable[[str], str]) -> None:
        self.policies = policies
        self.standing = standing

    def __call__(self, request: LLMRequest) -> Line:
        step = request.address.path[-1]
        said = [message.content for message in request.messages[1:-1]]
        if step == "sue.weigh":
            return weighed(self.policies[min((len(said) - 1) // 2, len(self.policies) - 1)])
        if step == "sue.act":
            return next(act for act, how in ACTS.items() if how in request.messages[-1].content)
        if step.endswith(".reply"):
            return f"to {said[-1].removeprefix('sue: ')}"
        return {"reason": "", "standing": self.standing(said[-1].removeprefix("ulf: "))}


def talk(model: Any, **params: Any) -> Staged[DialoguePlannerOutcome]:
    params = {"system": SUE, "user": ULF, "critic": CORA, "acts": ACTS, **params}
    return play(DialoguePlanner(**params), model, "Ulf has lost his job.")


def standing(solved: str = "suggest") -> Callable[[str], str]:
    return lambda reply: "solved" if reply == f"to {solved}" else "worse" if reply == "to reassure" else "better"


SURE: Policy = {"ask": 0.8, "reassure": 0.1, "suggest": 0.1}
UNSURE: Policy = {"ask": 0.4, "reassure": 0.35, "suggest": 0.25}


# -- the gate ------------------------------------------------------------------------------------------------------


def test_a_gap_above_the_quantile_of_former_gaps_is_left_to_the_policy() -> None:
    gate = Gate(0.5, (0.1, 0.2, 0.6))
    assert gate.threshold == 0.2
    assert gate.plans(0.2)
    assert not gate.plans(0.21)
    assert Gate(0.25, (0.0, 0.4)).threshold == pytest.approx(0.1)
    assert Gate(0.5).threshold is None
    assert Gate(0.5).plans(0.99)
    assert not Gate(0, ()).plans(0.0)
    assert Gate(1, (0.1,)).plans(0.9)


def test_the_gap_is_between_the_two_best() -> None:
    assert gap_of(UNSURE) == pytest.approx(0.05)
    assert gap_of({"ask": 1.0}) == 1.0


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=40, max_size=80, unique=True), st.sampled_from([0.2, 0.5, 0.8]))
def test_about_the_share_of_turns_is_planned(gaps: list[float], share: float) -> None:
    planned = sum(Gate(share, gaps).plans(gap) for gap in gaps)
    assert abs(planned / len(gaps) - share) < 0.05


# -- dialogues -----------------------------------------------------------------------------------------------------


def test_a_policy_alone_leads_the_dialogue_to_its_last_turn() -> None:
    staged = talk(Talk([SURE], standing()), planned=0, turns=3)
    outcome = staged.outcome
    assert [(step.act, step.by, step.node) for step in outcome.steps] == [
        ("ask", "policy", "0"),
        ("ask", "policy", "0.0.0"),
        ("ask", "policy", "0.0.0.0.0"),
    ]
    assert (outcome.solved, outcome.reason, outcome.ended_by) == (False, "limit", "depth")
    assert [step.reward for step in outcome.steps] == [0.1, 0.1, 0.1]
    assert len(staged.requests) == 3 * 4
    assert outcome.calls == 9
    assert outcome.weighed == 3
    assert outcome.table().splitlines()[1:] == [
        "   1  ask  policy  0.70          –   +0.10",
        "   2  ask  policy  0.70       0.70   +0.10",
        "   3  ask  policy  0.70       0.70   +0.10",
        "",
        "not solved in 3 turns, 0 of them planned; 9 calls, and the policy was asked 3 times",
    ]


def test_simulations_are_spent_by_puct() -> None:
    """Priors ask 0.4, reassure 0.35, suggest 0.25; rewards ask 0.1, reassure -1, suggest 1 (solved: an end).

    Simulation 1: nothing was tried, the prior decides: ask (0.1).
    2: ask 0.1 + 0.4·1/2 = 0.3; reassure 0.35; suggest 0.25: reassure (-1).
    3: ask 0.1 + 0.4·√2/2 = 0.383; reassure -1 + …; suggest 0.25·√2 = 0.354: ask again. Below it nothing was tried,
       so its prior decides: ask (0.1): Q(ask) = 0.1.
    4: ask 0.1 + 0.4·√3/3 = 0.331; suggest 0.25·√3 = 0.433: suggest (1).
    5 to 10: suggest 1 + … every time; it is an end, and costs nothing.
    """
    staged = talk(Talk([UNSURE], standing()), planned=1, turns=3)
    outcome = staged.outcome
    tree = outcome.tree
    assert {node.stance: node.scores.visits for node in tree.children("")} == {"ask": 2, "reassure": 1, "suggest": 7}
    assert tree["2"].scores.value == pytest.approx(1.0)
    assert tree["0"].scores.value == pytest.approx(0.1)
    assert tree.root.scores.value == pytest.approx((2 * 0.1 - 1 + 7) / 10)
    assert (outcome.solved, outcome.reason, outcome.answer) == (True, "answered", "solved")
    assert [(step.act, step.by) for step in outcome.steps] == [("suggest", "plan")]
    assert {node.id for node in tree if node.notes.get("led")} == {"", "2", "2.1"}


def test_what_was_tried_out_is_said_as_it_was_and_the_user_answers_for_itself() -> None:
    staged = talk(Talk([UNSURE], standing()), planned=1, turns=3)
    places = ["/".join(request.address.path) for request in staged.requests]
    assert places.count("2/sue.act") == 1
    assert places[-2:] == ["2.1/ulf.reply", "2.1/assessment1/cora.assess"]
    assert len(set(places)) == len(places)
    assert [turn["speaker"] for turn in staged.outcome.transcript] == ["moderator", "sue", "ulf"]


def test_only_turns_in_doubt_are_planned() -> None:
    outcome = talk(Talk([UNSURE, SURE, UNSURE], standing("nothing")), planned=0.5, turns=3, gaps=[0.1, 0.4]).outcome
    assert [(step.by, round(step.gap, 2)) for step in outcome.steps] == [
        ("plan", 0.05),
        ("policy", 0.7),
        ("plan", 0.05),
    ]
    assert [step.threshold for step in outcome.steps] == pytest.approx([0.25, 0.1, 0.25])
    assert outcome.gaps == pytest.approx([0.1, 0.4, 0.05, 0.7, 0.05])


def test_the_second_plan_sets_out_from_where_the_dialogue_is() -> None:
    outcome = talk(Talk([UNSURE], standing("nothing")), planned=1, turns=2, simulations=4).outcome
    first, second = outcome.steps
    now = outcome.tree.parent(second.node)
    assert now is not None
    assert now.notes.get("led")
    assert second.node.startswith(f"{first.node}.1.")
    assert sum(child.scores.visits for child in outcome.tree.children(now.id)) == 4
    assert outcome.tree.root.scores.visits == 4


def test_another_agent_may_imagine_the_user_and_reads_the_users_turns_as_its_own() -> None:
    ivo = Agent("ivo", "scripted/i")
    staged = talk(Talk([UNSURE], standing("nothing")), planned=1, turns=2, simulations=2, imagined=ivo)
    asked = [request for request in staged.requests if request.agent == "ivo"]
    assert len(asked) == 4
    assert "You speak for ulf here" in asked[-1].messages[-1].content
    roles = [message.role for message in asked[-1].messages]
    assert roles[:4] == ["system", "user", "user", "assistant"]
    assert {node.speaker for node in staged.outcome.tree} == {"moderator", "sue", "ulf"}


def test_rewards_are_averaged_over_assessments() -> None:
    votes = iter(["better", "worse", "solved"])
    model = Talk([SURE], lambda _: next(votes))
    outcome = talk(model, planned=0, turns=1, assessments=3).outcome
    assert outcome.steps[0].reward == pytest.approx((0.1 - 1 + 1) / 3)
    assert not outcome.solved


def test_one_act_needs_no_policy() -> None:
    model = Talk([SURE], standing("nothing"))
    staged = talk(model, planned=0, turns=1, acts={"ask": ACTS["ask"]})
    assert staged.asked == ["sue.act", "ulf.reply", "cora.assess"]
    assert staged.outcome.weighed == 0


@pytest.mark.parametrize(("step", "said"), [("sue.act", 0), ("ulf.reply", 1), ("cora.assess", 2), ("sue.weigh", 0)])
def test_what_was_said_before_a_failure_is_kept(step: str, said: int) -> None:
    def model(request: LLMRequest) -> Line:
        if request.address.path[-1] == step:
            return ModelError("down", kind="server")
        return Talk([SURE], standing())(request)

    staged = talk(model, planned=0, turns=3)
    assert isinstance(staged.error, ModelError)
    assert staged.outcome.reason == "failed:server"
    assert len(staged.outcome.tree) == said


def test_the_plan_is_kept_to() -> None:
    program = DialoguePlanner(
        system=SUE, user=ULF, critic=CORA, acts=ACTS, turns=2, simulations=5, samples=1, planned=1
    )
    staged = talk(Talk([UNSURE], standing("nothing")), planned=1, turns=2, simulations=5)
    plan = program.plan()
    assert plan.fewest <= len(staged.requests) <= plan.most


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"user": Person("ulf")}, "a person cannot be asked for that; name an agent as imagined, or set planned to 0"),
        ({"acts": {}}, "acts"),
        ({"acts": {"ask": "x", "Ask": "y"}}, "two acts have the same name"),
        ({"planned": 1.5}, "planned"),
        ({"rewards": {"fine": 1}}, "rewards.fine"),
    ],
)
def test_what_does_not_fit_is_refused(params: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        DialoguePlanner(**{"system": SUE, "user": ULF, "critic": CORA, "acts": ACTS, **params})


def test_a_person_may_take_part_where_nothing_is_planned() -> None:
    assert DialoguePlanner(system=SUE, user=Person("ulf"), critic=CORA, acts=ACTS, planned=0).plan().fewest > 0
