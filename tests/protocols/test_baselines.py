"""The baselines step by step, with scripted agents: who is asked what, what each reads, when it ends, what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

import maieutic as mt
from maieutic.agents import Agent, Critic, Debater
from maieutic.backends import LLMRequest
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.base import Protocol, protocol_named
from maieutic.protocols.baselines import AgentForest, SelfRefine, SingleCall, SoloPerformance
from maieutic.testing.staged import play

ADA = Agent("ada", "scripted/a", persona="A chemist.")
BO = Agent("bo", "scripted/b")
CORA = Critic("cora", "scripted/c")
BASELINES: dict[str, Callable[..., Protocol[Any, Any]]] = {
    "single_call": lambda **params: SingleCall(ADA, **params),
    "agent_forest": lambda **params: AgentForest([ADA], **params),
    "self_refine": lambda **params: SelfRefine(ADA, **params),
    "solo_performance": lambda **params: SoloPerformance(ADA, **params),
}


def solved(answer: str, confidence: float = 0.7) -> dict[str, Any]:
    return {"reasoning": "It follows.", "answer": answer, "confidence": confidence}


def found(problem: str = "") -> dict[str, Any]:
    return {"problem": problem, "ok": not problem}


def asked(request: LLMRequest) -> str:
    return request.messages[-1].content


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BASELINES)
def test_each_is_known_by_its_name_in_files_and_from_python(name: str) -> None:
    assert protocol_named(name).name == name
    in_python = getattr(mt, "".join(word.title() for word in name.split("_")))
    assert issubclass(in_python, protocol_named(name))


@pytest.mark.parametrize("name", BASELINES)
def test_an_agent_solves_without_role_or_stance_and_reads_nothing_but_the_question(name: str) -> None:
    debater = Debater("ada", "scripted/a", persona="A chemist.", stance="Water.")
    made: Any = {
        "single_call": lambda: SingleCall(debater),
        "agent_forest": lambda: AgentForest([debater], samples=1),
        "self_refine": lambda: SelfRefine(debater, rounds=1),
        "solo_performance": lambda: SoloPerformance(debater),
    }

    def reply(request: LLMRequest) -> Any:
        return found() if "critique" in request.address.path[-1] else {**solved("x"), **PLAYED}

    first = play(made[name](), reply, "What is it?").requests[0]
    assert first.messages[0].content == "You are ada. A chemist."
    assert "What is it?" in " ".join(message.content for message in first.messages)
    assert "Water" not in str(first.messages)


PLAYED: dict[str, Any] = {"participants": [], "discussion": []}


@pytest.mark.parametrize("name", BASELINES)
def test_options_limit_a_closed_answer_and_do_not_go_with_an_open_one(name: str) -> None:
    def reply(request: LLMRequest) -> Any:
        return found() if "critique" in request.address.path[-1] else {**solved("tea"), **PLAYED}

    request = play(BASELINES[name](), reply, options=["tea", "coffee"]).requests[0]
    assert request.output is not None
    assert request.output.model_json_schema()["properties"]["answer"]["enum"] == ["tea", "coffee"]
    assert "- tea\n- coffee" in " ".join(message.content for message in request.messages)
    with pytest.raises(UsageError, match=f"{name}: options: an open answer is not one of several"):
        BASELINES[name](answers="open", options=["tea"])
    with pytest.raises(UsageError, match="an open answer is not one of several; leave out the options"):
        asyncio.run(BASELINES[name](answers="open").perform("Tea?", options=["tea"]))


@pytest.mark.parametrize("name", BASELINES)
def test_a_failed_call_ends_it_with_what_it_had_come_to(name: str) -> None:
    def fails(request: LLMRequest) -> Any:
        raise ModelError("gone", kind="auth")

    staged = play(BASELINES[name](), fails)
    assert isinstance(staged.error, ModelError)
    assert (staged.outcome.reason, staged.outcome.answer, staged.outcome.calls) == ("failed:auth", None, 0)
    assert staged.outcome.table() == ""


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("single_call", {"agents": ["ada"]}, "single_call: agents: Extra inputs are not permitted"),
        ("single_call", {"answers": "essay"}, "answers: Input should be 'closed' or 'open'"),
        ("single_call", {"answers": "open", "reasoning": False}, "reasoning: an open answer is given in the model's"),
        ("agent_forest", {"samples": 0}, "agent_forest: samples: Input should be greater than or equal to 1"),
        ("agent_forest", {"embedding": "openai/e"}, "embedding: closed answers are voted on and not compared"),
        ("agent_forest", {"temperature": 3.0}, "temperature: Input should be less than or equal to 2"),
        ("self_refine", {"rounds": 0}, "self_refine: rounds: Input should be greater than or equal to 1"),
        ("self_refine", {"critic": ADA}, "critic: the agent criticises itself anyway; leave out the critic"),
        ("solo_performance", {"participants": "a cook"}, "participants: Input should be a valid list"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(name: str, params: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        BASELINES[name](**params)


# --- a single call ---------------------------------------------------------------------------------------------------


def test_a_single_call_is_one_call() -> None:
    staged = play(SingleCall(ADA), [solved("42", 0.9)], "6 * 7?")
    outcome = staged.outcome
    assert (outcome.answer, outcome.reason, outcome.confidence, outcome.calls) == ("42", "answered", 0.9, 1)
    assert [(turn["speaker"], turn["data"]["answer"]) for turn in outcome.transcript] == [("ada", "42")]
    assert "Reason step by step" in asked(staged.requests[0])
    assert outcome.table() == "It said it was 90% sure."
    assert SingleCall(ADA).plan().calls == {"ada": (1, 1)}


def test_without_reasoning_the_answer_comes_at_once() -> None:
    staged = play(SingleCall(ADA, reasoning=False), [{"answer": "42", "confidence": 1.0}])
    output = staged.requests[0].output
    assert output is not None
    assert list(output.model_fields) == ["answer", "confidence"]
    assert "Reason" not in asked(staged.requests[0])


def test_an_open_answer_is_the_reply_as_it_is() -> None:
    staged = play(SingleCall(ADA, answers="open"), ["Dear reader,\n\nit rains.\n"])
    assert staged.requests[0].output is None
    assert (staged.outcome.answer, staged.outcome.confidence) == ("Dear reader,\n\nit rains.", None)
    assert staged.outcome.table() == ""


# --- Agent Forest ----------------------------------------------------------------------------------------------------


def test_the_forest_takes_the_most_frequent_closed_answer() -> None:
    lines = [solved(answer) for answer in ("41", "42", "Answer: 42.0", "40")]
    outcome = play(AgentForest([ADA], samples=4), lines).outcome
    assert (outcome.answer, outcome.decided_by) == ("42", "votes 2 of 4")
    assert outcome.votes == {"42": 2, "41": 1, "40": 1}
    assert [sample.answer for sample in outcome.samples] == ["41", "42", "42", "40"]
    assert outcome.table() == "votes  answer\n    2  42\n    1  41\n    1  40"


def test_a_tie_in_the_forest_goes_to_the_answer_sampled_first() -> None:
    assert play(AgentForest([ADA], samples=4), [solved(a) for a in "baab"]).outcome.answer == "b"
    same = [*["one text here", "another thing there"] * 2]
    assert play(AgentForest([ADA], samples=4, answers="open"), same).outcome.answer == "one text here"


def test_the_forest_samples_at_temperature_1_evenly_and_independently() -> None:
    staged = play(AgentForest([ADA, BO], samples=5), lambda _: solved("x"))
    assert [request.agent for request in staged.requests] == ["ada", "bo", "ada", "bo", "ada"]
    assert [request.sample for request in staged.requests] == list(range(5))
    assert {request.temperature for request in staged.requests} == {1.0}
    assert {asked(request) for request in staged.requests} == {asked(staged.requests[0])}
    assert AgentForest([ADA, BO], samples=5).plan().calls == {"ada": (3, 3), "bo": (2, 2)}
    own = play(AgentForest([ADA], samples=1, temperature=None), lambda _: solved("x"))
    assert own.requests[0].temperature is None


def test_of_open_answers_the_forest_takes_the_one_most_like_the_others() -> None:
    texts = [
        "Bananas are yellow fruit.",
        "The sky is blue because air scatters blue light more than red light.",
        "The sky is blue because the air scatters short waves more.",
        "It is blue because air scatters blue light most.",
    ]
    outcome = play(AgentForest([ADA], samples=4, answers="open"), texts).outcome
    assert outcome.answer == texts[1]
    totals = [sample.similarity or 0.0 for sample in outcome.samples]
    assert max(totals) == totals[1]
    assert outcome.samples[0].similarity == pytest.approx(0.0, abs=0.35)
    assert outcome.decided_by == f"most like the 3 others (BLEU, {totals[1] / 3:.2f} on average)"
    assert outcome.votes == {}
    assert outcome.table().splitlines()[1].endswith(texts[1])


def test_blank_replies_decide_nothing() -> None:
    outcome = play(AgentForest([ADA], samples=3, answers="open"), ["  ", "A text.", ""]).outcome
    assert (outcome.answer, outcome.decided_by, outcome.calls) == ("A text.", "alone", 3)
    assert [skipped["kind"] for skipped in outcome.skipped] == ["blank", "blank"]
    none = play(AgentForest([ADA], samples=2, answers="open"), ["", " "]).outcome
    assert (none.answer, none.reason, none.samples) == (None, "stopped", [])


def test_a_forest_in_which_one_fails_keeps_the_others_and_goes_on_if_told_so() -> None:
    def reply(request: LLMRequest) -> Any:
        if request.sample == 1:
            raise ModelError("too long", kind="context")
        return solved("x")

    fails = play(AgentForest([ADA], samples=3), reply)
    assert isinstance(fails.error, ModelError)
    assert (fails.outcome.reason, fails.outcome.votes) == ("failed:context", {"x": 2})
    skips = play(AgentForest([ADA], samples=3, on_failure="skip"), reply).outcome
    assert (skips.answer, skips.decided_by, skips.calls) == ("x", "votes 2 of 2", 2)
    assert skips.skipped == [{"agent": "ada", "act": "answer", "kind": "context", "error": "too long"}]


# --- self-refine -----------------------------------------------------------------------------------------------------


def test_a_draft_with_which_the_critic_is_content_stands() -> None:
    staged = play(SelfRefine(ADA), {"ada": [solved("42"), found()]})
    assert staged.asked == ["ada.say", "ada.critique"]
    outcome = staged.outcome
    assert (outcome.answer, outcome.reason, outcome.calls, outcome.content) == ("42", "agreed", 2, True)
    assert outcome.decided_by == "the critic was content with the first draft"
    assert outcome.table() == "draft: 42\n  critic: can stand"


def test_it_is_revised_until_the_critic_is_content() -> None:
    lines = {"ada": [solved("40"), solved("42")], "cora": [found("6 * 7 is more than 40."), found()]}
    staged = play(SelfRefine(ADA, CORA), lines, "6 * 7?")
    outcome = staged.outcome
    assert staged.asked == ["ada.say", "cora.critique", "ada.say", "cora.critique"]
    assert [(d.answer, d.problem, d.ok) for d in outcome.drafts] == [
        ("40", "6 * 7 is more than 40.", False),
        ("42", "", True),
    ]
    assert (outcome.answer, outcome.reason) == ("42", "agreed")
    assert outcome.decided_by == "the critic was content after it was revised once"
    assert [turn["speaker"] for turn in outcome.transcript] == ["moderator", "ada", "cora", "ada", "cora"]


def test_revisions_are_bounded_and_the_last_one_is_not_criticised() -> None:
    script = {"ada": [solved(a) for a in "abc"], "cora": [found("No."), found("No!")]}
    staged = play(SelfRefine(ADA, CORA, rounds=2), script)
    outcome = staged.outcome
    assert (outcome.answer, outcome.reason, outcome.calls, outcome.content) == ("c", "limit", 5, False)
    assert outcome.decided_by == "it was revised 2 times, and more was not allowed"
    assert outcome.drafts[-1].ok is None
    assert outcome.table().splitlines()[-2:] == ["revision 2: c", "  not looked at"]
    plan = SelfRefine(ADA, CORA, rounds=2).plan()
    assert plan.calls == {"ada": (1, 3), "cora": (1, 2)}
    assert SelfRefine(ADA, rounds=2).plan().calls == {"ada": (2, 5)}


def test_views_grow_at_the_end_and_author_and_critic_know_each_other_apart() -> None:
    lines = [solved("a"), found("First."), solved("b"), found("Second."), solved("c"), found()]
    requests = play(SelfRefine(ADA), {"ada": lines}).requests
    written, reviewed = requests[0::2], requests[1::2]
    for views in (written, reviewed):
        for earlier, later in pairwise(views):
            assert later.messages[: len(earlier.messages) - 1] == earlier.messages[:-1]
    assert [(m.role, m.content[:7]) for m in written[1].messages[2:-1]] == [
        ("assistant", "Reasoni"),
        ("user", "critic:"),
    ]
    assert [(m.role, m.content) for m in reviewed[1].messages[3:4]] == [("assistant", "First.")]
    assert reviewed[1].messages[2].content.startswith("author: Reasoning: It follows.\nAnswer: a")
    assert written[0].messages[0].content == "You are ada. A chemist."
    assert reviewed[0].messages[0].content.startswith("You are ada, a critic. A chemist.")


def test_an_agent_that_is_called_critic_still_reads_its_critic_as_another() -> None:
    agent = Agent("critic", "scripted/a")
    requests = play(SelfRefine(agent, rounds=1), [solved("a"), found("First."), solved("b")]).requests
    assert [m.role for m in requests[2].messages] == ["system", "user", "assistant", "user", "user"]
    assert requests[2].messages[3].content == "the critic: First."


@pytest.mark.parametrize("review", [{"problem": " ", "ok": False}, {"problem": "A matter of taste.", "ok": True}])
def test_a_critic_who_names_no_problem_or_lets_it_stand_is_content(review: dict[str, Any]) -> None:
    outcome = play(SelfRefine(ADA), [solved("a"), review]).outcome
    assert (outcome.reason, outcome.content, len(outcome.drafts)) == ("agreed", True, 1)
    assert outcome.transcript[-1]["content"] == "The draft can stand as it is."


def test_open_answers_are_refined_as_whole_texts() -> None:
    script: dict[str, list[Any]] = {
        "ada": ["It rains.", "It rains, since clouds cool."],
        "cora": [found("Why does it?"), found()],
    }
    staged = play(SelfRefine(ADA, CORA, answers="open"), script)
    assert staged.outcome.answer == "It rains, since clouds cool."
    assert [request.output is None for request in staged.requests] == [True, False, True, False]


def test_a_failure_keeps_the_last_draft() -> None:
    def reply(request: LLMRequest) -> Any:
        if request.agent == "cora":
            raise ModelError("gone", kind="server")
        return solved("a")

    outcome = play(SelfRefine(ADA, CORA), reply).outcome
    assert (outcome.answer, outcome.reason, outcome.calls) == ("a", "failed:server", 1)


# --- solo performance ------------------------------------------------------------------------------------------------


def test_one_call_plays_a_team_and_the_turn_reads_like_its_talk() -> None:
    played = {
        "participants": ["Cook: heat", "Chemist: sugars"],
        "discussion": [{"speaker": "Cook", "says": "Above 140."}, {"speaker": "Chemist", "says": "Degrees Celsius."}],
        "answer": "140 °C",
        "confidence": 0.8,
    }
    staged = play(SoloPerformance(ADA), [played], "When does bread brown?")
    outcome = staged.outcome
    assert (outcome.answer, outcome.confidence, outcome.calls) == ("140 °C", 0.8, 1)
    assert outcome.transcript[0]["content"] == "Cook: Above 140.\nChemist: Degrees Celsius.\nAnswer: 140 °C"
    assert outcome.table() == (
        "participants: Cook: heat, Chemist: sugars\n  Cook: Above 140.\n  Chemist: Degrees Celsius."
    )
    assert "Choose the team" in asked(staged.requests[0])
    assert "at most 3 times" in asked(staged.requests[0])
    assert SoloPerformance(ADA).plan().calls == {"ada": (1, 1)}


def test_participants_and_profiles_can_be_asked_for() -> None:
    given = SoloPerformance(ADA, participants=["a cook", "a chemist"], profiles=True, rounds=1)
    staged = play(given, [{**solved("x"), **PLAYED}])
    assert "The team is a cook, a chemist, and you, who lead it. Say in one sentence" in asked(staged.requests[0])
    assert "until all agree, once." in asked(staged.requests[0])
    assert staged.outcome.table() == "The model played nobody; it answered as in a single call."


def test_an_open_performance_gives_a_finished_text() -> None:
    staged = play(SoloPerformance(ADA, answers="open"), [{**PLAYED, "answer": "A story.\n"}])
    assert (staged.outcome.answer, staged.outcome.confidence) == ("A story.", None)
    assert "makes sense without the discussion" in asked(staged.requests[0])
