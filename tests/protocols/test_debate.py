"""Who speaks, who reads what, and what is reported of it."""

import asyncio
from typing import Any

import pytest

from maieutic.agents import Agent, Debater, Judge, Student
from maieutic.backends import Endpoints, LLMRequest, ScriptedModel, in_memory
from maieutic.backends.scripted import Line
from maieutic.errors import UsageError
from maieutic.protocols import Debate
from maieutic.protocols.debate_params import DebateParams
from maieutic.testing.staged import play

Script = dict[str, list[Line]]
MODEL = "scripted/mind"
ADA, BO, CY = (Debater(name, MODEL) for name in ("ada", "bo", "cy"))
JUNE = Judge("june", MODEL)


def yes(confidence: float = 0.8) -> dict[str, Any]:
    return {"answer": "yes", "confidence": confidence}


def no(confidence: float = 0.8) -> dict[str, Any]:
    return {"answer": "no", "confidence": confidence}


def verdict(answer: str) -> dict[str, Any]:
    return {"answer": answer, "reason": "It was better argued.", "confidence": 0.9}


def talkative(request: LLMRequest) -> Line:
    """Speaks by its address, holds yes if it is ada, and judges for yes."""
    place, step = request.address.path[-2:]
    agent, verb = step.split(".")
    match verb:
        case "position":
            return yes() if agent == "ada" else no()
        case "verdict":
            return verdict("yes")
        case "enough":
            return {"enough": False, "reason": "Go on."}
        case _:
            return f"{agent} in {place}"


def debate(*debaters: Agent, **params: Any) -> Debate:
    return Debate(debaters or (ADA, BO), **{"probes": "never", "rounds": 2, "judge": JUNE, **params})


# -- who speaks when ----------------------------------------------------------------------------------------------


def test_two_debaters_three_rounds_and_a_judge_make_seven_calls() -> None:
    staged = play(debate(rounds=3), talkative)
    assert staged.asked == ["ada.argue", "bo.argue"] * 3 + ["june.verdict"]
    assert staged.outcome.calls == 7
    assert (staged.outcome.answer, staged.outcome.decided_by, staged.outcome.reason) == ("yes", "judge", "answered")


@pytest.mark.parametrize(
    ("order", "speakers"),
    [
        ("in_turn", "ada bo cy ada bo cy"),
        ("reversed", "cy bo ada cy bo ada"),
        ("alternating", "ada bo cy cy bo ada"),
        ("simultaneous", "ada bo cy ada bo cy"),
    ],
)
def test_the_transcript_follows_the_order(order: str, speakers: str) -> None:
    outcome = play(debate(ADA, BO, CY, order=order), talkative).outcome
    assert " ".join(turn["speaker"] for turn in outcome.transcript[1:-1]) == speakers


def test_a_random_order_depends_on_the_seed_alone() -> None:
    def speakers(seed: int) -> tuple[str, ...]:
        return tuple(play(debate(ADA, BO, CY, order="random", rounds=4), talkative, seed=seed).asked)

    assert speakers(1) == speakers(1)
    assert len({speakers(seed) for seed in range(5)}) > 1


def test_a_call_stands_at_an_address_made_of_its_round_and_act() -> None:
    staged = play(debate(rounds=2, probes="ends"), talkative)
    assert [request.address.local for request in staged.requests] == [
        "0/0/round0/ada.position",
        "0/0/round0/bo.position",
        "0/0/round1/ada.argue",
        "0/0/round1/bo.argue",
        "0/0/round2/ada.argue",
        "0/0/round2/bo.argue",
        "0/0/round2/ada.position",
        "0/0/round2/bo.position",
        "0/0/round2/june.verdict",
    ]


# -- who reads what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["", "  \n", None, 3])
def test_nothing_cannot_be_debated(question: Any) -> None:
    with pytest.raises(UsageError, match="the question must be a text with something in it"):
        play(debate(), talkative, question)


def test_everybody_reads_the_question_first() -> None:
    staged = play(debate(), talkative, "Should cities ban cars?", options=["yes", "no"])
    openings = {request.messages[1].content for request in staged.requests}
    assert len(openings) == 1
    [opening] = openings
    assert opening.startswith("Question: Should cities ban cars?")
    assert "- yes\n- no" in opening


def test_in_turn_a_debater_answers_what_it_has_just_heard() -> None:
    staged = play(debate(rounds=2), talkative)
    assert [read[1:] for read in staged.read("bo.argue")] == [
        ["ada: ada in round1"],
        ["ada: ada in round1", "bo in round1", "ada: ada in round2"],
    ]


def test_in_a_blind_first_round_nobody_has_read_the_others() -> None:
    staged = play(debate(first_round="blind", rounds=2), talkative)
    assert [read[1:] for read in staged.read("bo.argue")] == [
        [],
        ["bo in round1", "ada: ada in round1", "ada: ada in round2"],
    ]
    assert staged.read("june.verdict")[0][1:3] == ["ada: ada in round1", "bo: bo in round1"]


def test_simultaneous_rounds_are_blind_to_their_own_turns_only() -> None:
    staged = play(debate(order="simultaneous", rounds=3), talkative)
    assert staged.read("ada.argue")[2][1:] == [
        "ada in round1",
        "bo: bo in round1",
        "ada in round2",
        "bo: bo in round2",
    ]


@pytest.mark.parametrize(
    ("visible", "read"),
    [
        ("all", ["ada: ada in round1", "bo in round1", "ada: ada in round2", "bo in round2", "ada: ada in round3"]),
        ("last_round", ["ada: ada in round2", "bo in round2", "ada: ada in round3"]),
        ("own_and_last", ["bo in round1", "ada: ada in round2", "bo in round2", "ada: ada in round3"]),
    ],
)
def test_a_debater_reads_what_is_visible_and_the_judge_reads_all(visible: str, read: list[str]) -> None:
    staged = play(debate(rounds=3, visible=visible), talkative)
    assert staged.read("bo.argue")[2][1:] == read
    assert len(staged.read("june.verdict")[0]) == 7


def test_a_position_is_off_the_record() -> None:
    staged = play(debate(probes="each_round"), talkative)
    dialogues = [text for request in staged.requests for text in (m.content for m in request.messages[1:-1])]
    assert not any("Confidence" in text for text in dialogues)


def test_stances_and_personas_reach_the_agents_they_are_for() -> None:
    params = {"stances": {"ada": "Ban them all."}, "personas": {"bo": "A taxi driver."}}
    staged = play(debate(**params), talkative)
    systems = {request.agent: request.messages[0].content for request in staged.requests}
    assert "Ban them all." in systems["ada"]
    assert "A taxi driver." in systems["bo"]
    assert "Ban them all." not in systems["bo"]
    assert ADA.stance == BO.persona == ""


def test_the_opening_can_be_worded_anew() -> None:
    staged = play(debate(brief="{{ debaters | join(' v ') }}: {{ question }}"), talkative, "Why?")
    assert staged.outcome.transcript[0]["content"] == "ada v bo: Why?"


def test_a_student_can_be_cast_as_a_debater_under_its_own_name() -> None:
    cast = {"ada": Student("ada", MODEL, persona="Ten years old."), "bo": BO, "june": JUNE, "unused": CY}
    params = DebateParams(debaters=["ada", "bo"], judge="june", rounds=1, probes="never")
    staged = play(Debate.of(cast, params), talkative)
    assert staged.asked == ["ada.argue", "bo.argue", "june.verdict"]
    assert "Ten years old." in staged.requests[0].messages[0].content


# -- what is reported ---------------------------------------------------------------------------------------------


def test_positions_are_known_before_after_each_round_and_at_the_end() -> None:
    lines: Script = {
        "ada": [yes(0.6), "For.", yes(0.7), "For again.", yes(0.9)],
        "bo": [no(0.9), "Against.", no(0.6), "Well.", yes(0.55)],
        "june": [verdict("yes")],
    }
    outcome = play(debate(probes="each_round"), lines).outcome
    told = [(held.round, held.answer, held.confidence) for held in outcome.positions["bo"]]
    assert told == [(0, "no", 0.9), (1, "no", 0.6), (2, "yes", 0.55)]


def test_positions_at_the_ends_only() -> None:
    outcome = play(debate(probes="ends"), talkative).outcome
    assert [held.round for held in outcome.positions["ada"]] == [0, 2]


def test_finished_turns_are_told_as_they_are_finished() -> None:
    staged = play(debate(rounds=1, probes="ends"), talkative)
    turns = [event.data for event in staged.events if event.kind == "turn"]
    assert turns == staged.outcome.transcript
    assert [turn.get("kind", "say") for turn in turns] == [
        "say",
        "probe",
        "probe",
        "say",
        "say",
        "probe",
        "probe",
        "say",
    ]


def test_the_minority_is_heard() -> None:
    lines: Script = {
        "ada": ["Cars kill.", yes()],
        "bo": ["Cars stink.", yes()],
        "cy": ["Cars carry the lame.", no()],
    }
    outcome = play(debate(ADA, BO, CY, judge=None, rounds=1), lines).outcome
    assert (outcome.answer, outcome.decided_by) == ("yes", "majority 2 of 3")
    [view] = outcome.minority
    assert (view.answer, view.held_by, view.arguments) == ("no", ["cy"], {"cy": "Cars carry the lame."})
    assert play(debate(ADA, BO, CY, judge=None, rounds=1, keep_minority=False), lines).outcome.minority == []


def test_the_outcome_is_plain_json() -> None:
    outcome = play(debate(probes="each_round", baseline="none"), talkative).outcome
    assert type(outcome).model_validate_json(outcome.model_dump_json()) == outcome


# -- influence ----------------------------------------------------------------------------------------------------


def moved(*debaters: Agent, lines: Script) -> list[tuple[str, str, list[str]]]:
    outcome = play(debate(*debaters, rounds=1, probes="each_round", judge=None), lines).outcome
    return [(move.debater, move.label, move.moved_by) for move in outcome.influence]


def test_who_is_moved_by_one_of_two_is_moved_by_argument() -> None:
    lines: Script = {"ada": [yes(), "For.", yes()], "bo": [no(), "Hm.", yes()]}
    assert moved(ADA, BO, lines=lines) == [("bo", "argument", ["ada"])]


def test_who_joins_the_majority_conforms() -> None:
    lines: Script = {"ada": [yes(), "For.", yes()], "bo": [yes(), "For.", yes()], "cy": [no(), "Hm.", yes()]}
    assert moved(ADA, BO, CY, lines=lines) == [("cy", "conformity", ["ada", "bo"])]


def test_who_leaves_the_majority_is_moved_by_argument() -> None:
    lines: Script = {"ada": [yes(), "For.", no()], "bo": [yes(), "For.", yes()], "cy": [no(), "Look.", no()]}
    assert moved(ADA, BO, CY, lines=lines) == [("ada", "argument", ["cy"])]


def test_an_answer_that_nobody_held_is_the_debaters_own() -> None:
    lines: Script = {"ada": [yes(), "For.", yes()], "bo": [no(), "Hm.", {"answer": "perhaps", "confidence": 0.5}]}
    assert moved(ADA, BO, lines=lines) == [("bo", "own", [])]


# -- size ---------------------------------------------------------------------------------------------------------


def test_a_thousand_turns_are_no_more_than_a_thousand_visits() -> None:
    staged = play(debate(rounds=500, visible="last_round"), talkative)
    assert staged.outcome.calls == 1001
    assert len(staged.requests[-2].messages) < 8


def test_one_debate_serves_many_questions_at_once() -> None:
    async def all_at_once() -> list[str]:
        async with in_memory(Endpoints({"scripted": ScriptedModel(talkative)})) as at:
            shared = debate(first_round="blind")
            runs = [shared.perform(f"Question {i}?", at=at / f"item{i}") for i in range(20)]
            return [outcome.question for outcome in await asyncio.gather(*runs)]

    assert asyncio.run(all_at_once()) == [f"Question {i}?" for i in range(20)]
