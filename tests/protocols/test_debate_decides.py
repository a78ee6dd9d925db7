"""How a debate ends: decision rules, ties, stop rules, the baseline."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.agents import Debater, Judge
from maieutic.backends import LLMRequest
from maieutic.backends.scripted import Line
from maieutic.errors import UsageError
from maieutic.protocols import Debate, DebateOutcome, when_agreed, when_judged, when_stable
from maieutic.testing.staged import Staged, play

MODEL = "scripted/mind"
NAMES = ("ada", "bo", "cy", "di")
DEBATERS = [Debater(name, MODEL) for name in NAMES]
JUNE = Judge("june", MODEL)
JURY = [Judge(name, MODEL) for name in ("j1", "j2", "j3")]


def mind(holds: dict[str, Any], enough: bool = False) -> Any:
    """Agents that hold what they are told to hold: an answer, (answer, confidence), or a list of answers to vote for.

    A list of tuples changes from probe to probe.
    """
    asked: Counter[str] = Counter()

    def say(request: LLMRequest) -> Line:
        agent, verb = request.address.path[-1].split(".")
        held = holds.get(agent, "yes")
        match verb:
            case "rank" | "approve":
                return {"ranking" if verb == "rank" else "approved": held}
            case "argue":
                return f"I am {agent}."
            case "enough":
                return {"enough": enough, "reason": "So it is."}
        if isinstance(held, dict):
            held = held[min(asked[agent], max(held))]
            asked[agent] += 1
        answer, confidence = held if isinstance(held, tuple) else (held[0] if isinstance(held, list) else held, 0.5)
        return {"answer": answer, "confidence": confidence, "reason": "So it is.", "reasoning": "It follows."}

    return say


def staged(holds: dict[str, Any], *, debaters: int = 4, enough: bool = False, **params: Any) -> Staged[DebateOutcome]:
    return play(Debate(DEBATERS[:debaters], **{"rounds": 1, "probes": "never", **params}), mind(holds, enough))


# -- decision rules -----------------------------------------------------------------------------------------------

SPLIT = {"ada": "yes", "bo": "no", "cy": "yes", "di": "Yes."}
TIED = {"ada": "yes", "bo": "no", "cy": "yes", "di": "no"}


@pytest.mark.parametrize(
    ("decide", "holds", "answer", "how"),
    [
        ("majority", SPLIT, "yes", "majority 3 of 4"),
        ("supermajority", SPLIT, "yes", "supermajority 3 of 4"),
        ("unanimity", SPLIT, None, "tie: none (unanimity 3 of 4)"),
        ("unanimity", {}, "yes", "unanimity 4 of 4"),
        ("majority", TIED, None, "tie: none (majority 2 of 4)"),
        (
            "confidence_weighted",
            {"ada": ("yes", 0.2), "bo": ("no", 0.9), "cy": ("yes", 0.3), "di": ("yes", 0.2)},
            "no",
            "weighted 0.9 of 1.6 by confidence",
        ),
        ("ranked", {"ada": ["yes", "no"], "bo": ["no", "yes"], "cy": ["yes", "no"], "di": ["yes"]}, "yes", None),
        ("approval", {"ada": ["yes", "no"], "bo": ["no"], "cy": ["no"], "di": ["yes", "no"]}, "no", "approval 4 of 4"),
    ],
)
def test_each_rule_decides_in_its_own_way(decide: str, holds: dict[str, Any], answer: str | None, how: str) -> None:
    outcome = staged(holds, decide=decide).outcome
    assert outcome.answer == answer
    assert how is None or outcome.decided_by == how
    assert outcome.reason == ("limit" if answer is None else "answered")


def test_the_votes_are_the_last_positions_and_cost_nothing_more_where_these_are_known() -> None:
    known = staged(SPLIT, decide="majority", probes="each_round")
    assert Counter(step.split(".")[1] for step in known.asked) == {"argue": 4, "position": 8}
    asked = staged(SPLIT, decide="majority", probes="never")
    assert Counter(step.split(".")[1] for step in asked.asked) == {"argue": 4, "position": 4}
    assert known.outcome.votes == asked.outcome.votes == {"ada": ["yes"], "bo": ["no"], "cy": ["yes"], "di": ["yes"]}


def test_nobody_is_asked_to_rank_a_single_answer() -> None:
    outcome = staged({}, decide="ranked").outcome
    assert (outcome.answer, outcome.votes["ada"]) == ("yes", ["yes"])
    assert not any("ranking" in turn.get("data", {}) for turn in outcome.transcript)


def test_rankings_are_of_the_options_where_there_are_some() -> None:
    holds = {"ada": ["tea", "water", "coffee"], "bo": ["coffee", "water", "tea"], "cy": ["water", "tea", "coffee"]}
    outcome = staged(holds, debaters=3, decide="ranked", options=["tea", "coffee", "water"]).outcome
    assert (outcome.answer, outcome.tally) == ("water", {"water": 7, "tea": 6, "coffee": 5})


def test_a_jury_votes_and_nobody_reads_another_jurors_verdict() -> None:
    holds = {"j1": "yes", "j2": "no", "j3": "no"}
    outcome = staged(holds, debaters=2, jury=JURY).outcome
    assert (outcome.answer, outcome.decided_by) == ("no", "jury majority 2 of 3")
    assert [given.answer for given in outcome.jury] == ["yes", "no", "no"]
    assert outcome.verdict is None
    assert all(turn["audience"] == [] for turn in outcome.transcript if turn["speaker"].startswith("j"))


def test_answers_are_limited_to_the_options() -> None:
    shown = staged({"ada": "tea"}, debaters=2, options=["tea", "yes"]).requests[-1]
    assert shown.output is not None
    assert shown.output.model_json_schema()["properties"]["answer"]["enum"] == ["tea", "yes"]


# -- ties ---------------------------------------------------------------------------------------------------------


def test_a_tie_can_go_to_the_judge_who_decides_between_the_leaders() -> None:
    play_ = staged({**TIED, "june": "no"}, decide="majority", tie="judge", judge=JUNE)
    assert (play_.outcome.answer, play_.outcome.decided_by) == ("no", "tie: judge (majority 2 of 4)")
    assert "of yes / no" in play_.requests[-1].messages[-1].content
    assert play_.outcome.verdict is not None


def test_with_a_judge_there_ties_go_to_it_by_default() -> None:
    assert staged({**TIED, "june": "no"}, decide="majority", judge=JUNE).outcome.answer == "no"


def test_a_tie_can_go_to_the_answer_named_first() -> None:
    outcome = staged(TIED, decide="majority", tie="first").outcome
    assert (outcome.answer, outcome.decided_by) == ("yes", "tie: first (majority 2 of 4)")


def test_a_tie_can_ask_for_one_more_round() -> None:
    holds = {**TIED, "di": {0: "no", 1: "yes"}}
    outcome = staged(holds, decide="majority", tie="another_round").outcome
    assert (outcome.answer, outcome.rounds, outcome.decided_by) == ("yes", 2, "majority 3 of 4")


def test_only_one_more_round() -> None:
    outcome = staged(TIED, decide="majority", tie="another_round").outcome
    assert (outcome.answer, outcome.rounds, outcome.reason) == (None, 2, "limit")


def test_another_round_after_an_early_end_is_the_last() -> None:
    play_ = staged(TIED, decide="majority", tie="another_round", rounds=9, probes="each_round", stop="stable")
    assert (play_.outcome.rounds, play_.outcome.decided_by) == (2, "tie: none (majority 2 of 4)")


def test_a_jury_that_was_tied_votes_again_after_the_round_and_its_last_verdicts_count() -> None:
    holds = {"j1": "yes", "j2": {0: "no", 1: "yes"}}
    outcome = staged(holds, debaters=2, jury=JURY[:2], tie="another_round").outcome
    assert (outcome.answer, outcome.decided_by, len(outcome.jury)) == ("yes", "jury majority 2 of 2", 2)


# -- stop rules ---------------------------------------------------------------------------------------------------

MOVING = {"ada": "yes", "bo": {0: "no", 1: "no", 2: "yes"}}


def test_a_debate_ends_when_all_agree_and_the_agreement_is_the_answer() -> None:
    play_ = staged(MOVING, debaters=2, judge=JUNE, rounds=5, probes="each_round", stop="agreement")
    outcome = play_.outcome
    assert (outcome.rounds, outcome.reason, outcome.decided_by) == (2, "agreed", "agreement of all 2")
    assert "june.verdict" not in play_.asked


def test_agreement_before_the_debate_does_not_end_it() -> None:
    assert staged({}, debaters=2, rounds=3, probes="each_round", stop="agreement").outcome.rounds == 1


def test_a_debate_ends_when_nobody_moves_any_more() -> None:
    holds = {"ada": "yes", "bo": {0: "no", 1: "perhaps", 2: "no", 3: "no"}}
    outcome = staged(holds, debaters=2, judge=JUNE, rounds=9, probes="each_round", stop="stable").outcome
    assert (outcome.rounds, outcome.ended_by, outcome.decided_by) == (3, "stable", "judge")


def test_a_debate_ends_when_the_judge_has_heard_enough() -> None:
    play_ = staged({}, debaters=2, judge=JUNE, rounds=9, stop="judge", enough=True)
    assert (play_.outcome.rounds, play_.outcome.ended_by) == (1, "judge")
    assert play_.asked == ["ada.argue", "bo.argue", "june.enough", "june.verdict"]


def test_the_judge_is_not_asked_after_the_last_round() -> None:
    play_ = staged({}, debaters=2, judge=JUNE, rounds=3, stop="judge")
    assert play_.asked.count("june.enough") == 2
    assert play_.outcome.ended_by == "rounds"


def test_stop_rules_combine() -> None:
    stop = when_agreed() | when_stable() & when_judged()
    play_ = staged({"bo": "no"}, debaters=2, judge=JUNE, rounds=9, probes="each_round", stop=stop, enough=True)
    assert play_.outcome.ended_by == "stable and judge"
    assert Debate(DEBATERS, judge=JUNE, stop=stop).params.stop == ["agreement", ["stable", "judge"]]


# -- baseline -----------------------------------------------------------------------------------------------------


def test_the_baseline_makes_as_many_calls_as_the_debate_made_dealt_evenly() -> None:
    play_ = staged({"bo": "no"}, debaters=2, judge=JUNE, rounds=3, baseline="self_consistency")
    baseline = play_.outcome.baseline
    assert baseline is not None
    assert play_.outcome.calls == baseline.calls == 7
    assert len(play_.requests) == 14
    assert (baseline.answer, baseline.votes, baseline.decided_by) == ("yes", {"yes": 4, "no": 3}, "votes 4 of 7")
    assert play_.outcome.answer == "yes"


def test_the_baselines_samples_are_no_turns_of_the_debate() -> None:
    with_it = staged({"bo": "no"}, debaters=2, judge=JUNE, rounds=3, baseline="self_consistency")
    without = staged({"bo": "no"}, debaters=2, judge=JUNE, rounds=3)
    assert [e.data for e in with_it.events if e.kind == "turn"] == [e.data for e in without.events if e.kind == "turn"]


def test_the_baseline_reads_nothing_of_the_debate() -> None:
    play_ = staged({}, debaters=2, judge=JUNE, baseline="self_consistency", stances={"ada": "yes"})
    samples = [request for request in play_.requests if "baseline" in request.address.path]
    assert len({request.address for request in samples}) == len({request.sample for request in samples}) == 3
    for request in samples:
        assert not any("I am" in m.content or "debate" in m.content for m in request.messages)


# -- plan ---------------------------------------------------------------------------------------------------------

STOPS = ("rounds", "agreement", "stable", "judge", ["stable", "judge"], ["rounds", "agreement"])


@st.composite
def debates(draw: st.DrawFn) -> Debate:
    params: dict[str, Any] = {
        "rounds": draw(st.integers(1, 3)),
        "order": draw(st.sampled_from(["in_turn", "simultaneous", "random"])),
        "first_round": draw(st.sampled_from(["open", "blind"])),
        "decide": draw(
            st.sampled_from(
                ["judge", "majority", "supermajority", "unanimity", "ranked", "approval", "confidence_weighted"]
            )
        ),
        "tie": draw(st.sampled_from([None, "another_round", "judge", "first", "none"])),
        "probes": draw(st.sampled_from(["each_round", "ends", "never"])),
        "stop": draw(st.lists(st.sampled_from(STOPS), min_size=1, max_size=2)),
        "baseline": draw(st.sampled_from(["none", "self_consistency"])),
        "options": draw(st.sampled_from([[], ["yes", "no"]])),
        "judge": draw(st.sampled_from([None, JUNE])),
        "jury": draw(st.sampled_from([[], JURY])),
    }
    try:
        return Debate(DEBATERS[: draw(st.integers(2, 4))], **params)
    except UsageError:
        params |= {"judge": JUNE, "jury": [], "probes": "each_round"}
        return Debate(DEBATERS[:2], **params)


@settings(max_examples=150, deadline=None)
@given(debates(), st.randoms(use_true_random=False))
def test_the_plan_bounds_the_calls_that_are_really_made(debate: Debate, chance: Any) -> None:
    def say(request: LLMRequest) -> Line:
        one, other = chance.sample(["yes", "no"], 2)
        known = {
            "answer": one,
            "confidence": 0.5,
            "reason": "",
            "reasoning": "",
            "ranking": [one, other],
            "approved": [one],
            "enough": chance.random() < 0.3,
        }
        if request.output is None:
            return "I say."
        return {field: known[field] for field in request.output.model_fields}

    made = Counter(request.agent for request in play(debate, say).requests)
    plan = debate.plan()
    assert plan.fewest <= sum(made.values()) <= plan.most
    for name, (fewest, most) in plan.calls.items():
        assert fewest <= made[name] <= most, name
    assert set(made) <= set(plan.calls)


def test_a_debate_that_cannot_end_early_is_planned_exactly() -> None:
    debate = Debate(DEBATERS[:2], judge=JUNE, rounds=3, probes="never")
    assert (debate.plan().fewest, debate.plan().most) == (7, 7)
