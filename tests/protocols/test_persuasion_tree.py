"""PBT's dialogue trees on a stage: sizes, stops, answers by agent, scores, what each speaker read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from maieutic.agents import Agent, Debater, Judge
from maieutic.backends import LLMReply, LLMRequest
from maieutic.backends.scripted import Line
from maieutic.backends.types import Usage
from maieutic.errors import ModelError, UsageError
from maieutic.protocols.persuasion.pairs import mined
from maieutic.protocols.persuasion.tree import PersuasionTree, PersuasionTreeOutcome
from maieutic.testing.staged import Staged, play

QUESTION = "What is the capital of France?"
ADA, BO = Debater("ada", "scripted/a"), Debater("bo", "scripted/b")
RELEASED = {"ada": ["resist", "accept"], "bo": ["logical", "emotional", "credibility"]}


def stance_of(request: LLMRequest) -> str:
    told = request.messages[-1].content
    cues = {
        "disagree with": "resist",
        "Take over": "accept",
        "by logic": "logical",
        "by emotion": "emotional",
        "by cred": "credibility",
    }
    return next((stance for cue, stance in cues.items() if cue in told), "neutral")


def stubborn(request: LLMRequest) -> Line:
    """Ada knows it, Bo does not, and nobody ever gives way."""
    return f"Answer: {'Paris' if request.agent == 'ada' else 'Rome'}\nThat is what I learnt."


def as_told(request: LLMRequest) -> Line:
    """Bo starts with Rome; who is told to accept gives way once it has heard somebody."""
    heard = [m.content for m in request.messages[2:-1]]
    if stance_of(request) == "accept" and heard:
        return "I agree. You know better."
    return stubborn(request)


def grow(
    lines: Callable[[LLMRequest], Line] = stubborn, *, accepted: Any = ("Paris",), options: Any = (), **params: Any
) -> Staged[PersuasionTreeOutcome]:
    params.setdefault("first", "logical")
    program = PersuasionTree([ADA, BO], **params)
    return play(program, lines, QUESTION, accepted=list(accepted), options=list(options))


def sizes(outcome: PersuasionTreeOutcome) -> list[int]:
    levels = [node.level for node in outcome.tree]
    return [levels.count(level) for level in range(1, outcome.tree.depth + 1)]


def test_a_tree_has_at_most_21_turns_and_shares_what_they_begin_with() -> None:
    outcome = grow().outcome
    assert sizes(outcome) == [1, 2, 6, 12]
    assert len(outcome.tree) == outcome.calls == 21
    assert outcome.calls_apart == 12 * 4
    assert [n.stance for n in outcome.tree.children("0")] == ["resist", "accept"]
    assert [n.stance for n in outcome.tree.children("0.1")] == ["logical", "emotional", "credibility"]
    assert {leaf.stopped for leaf in outcome.tree.leaves()} == {"depth"}
    assert outcome.ended_by == "complete"


def test_the_released_code_branches_by_the_stances_of_who_spoke_last() -> None:
    released = grow(stances=RELEASED, branch_by="last_speaker").outcome
    assert sizes(released) == [1, 2, 6, 12]
    assert [n.stance for n in released.tree.children("0")] == ["resist", "accept"]
    assert [n.speaker for n in released.tree.children("0")] == ["bo", "bo"]
    by_speaker = grow(stances=RELEASED).outcome
    assert sizes(by_speaker) == [1, 3, 6, 18]
    assert len(by_speaker.tree) == 28


def test_a_dialogue_ends_once_both_hold_the_same_answer() -> None:
    outcome = grow(as_told).outcome
    leaves = {leaf.id: leaf.stopped for leaf in outcome.tree.leaves()}
    assert sizes(outcome) == [1, 2, 6, 12]  # at the blind first turn there is nobody to agree with
    assert leaves == {
        f"0.{turn}.{appeal}.{last}": "agreed" if last else "depth"
        for turn in (0, 1)
        for appeal in (0, 1, 2)
        for last in (0, 1)
    }
    going_on = grow(as_told, stop="never", turns=5).outcome
    assert {leaf.stopped for leaf in going_on.tree.leaves()} == {"depth"}
    early = grow(lambda _: "Answer: Paris").outcome
    assert (sizes(early), early.reason, early.answer) == ([1, 2], "agreed", "Paris")


def test_scores_count_right_answers_at_a_node_and_below() -> None:
    """Ada is right everywhere; Bo is right where it accepted at its last turn: 2 there, 1 everywhere else."""
    tree = grow(as_told).outcome.tree
    assert tree["0.0.0.0"].scores.own == 1
    assert tree["0.0.0.1"].scores.own == 2
    assert tree["0.0.0"].scores.subtree == 1 + 1 + 2
    assert tree["0.0"].scores.subtree == 1 + 3 * 4
    assert tree["0"].scores.subtree == 1 + 2 * 13
    assert tree.root.scores.subtree == 27


def test_answers_are_kept_by_agent_and_only_the_speakers_changes() -> None:
    tree = grow(as_told).outcome.tree
    assert tree.root.answers == {"ada": None, "bo": None}
    assert tree["0"].answers == {"ada": "Paris", "bo": None}
    assert tree["0.1"].answers == {"ada": "Paris", "bo": "Rome"}
    assert tree["0.1.0.1"].answers == {"ada": "Paris", "bo": "Paris"}
    assert tree["0.1.0.1"].notes["read"] == "agree"
    assert tree.correct("0.1") == {"ada": True, "bo": False}


def test_first_turns_are_blind_unless_they_are_open() -> None:
    staged = grow(turns=3)
    assert staged.read("bo.turn")[0] == [staged.outcome.tree.root.turn.content]
    third = staged.read("ada.turn")[1]
    assert third[1:] == ["Answer: Paris\nThat is what I learnt.", "bo: Answer: Rome\nThat is what I learnt."]
    assert "ada: Answer: Paris" in "\n".join(grow(turns=2, first_round="open").read("bo.turn")[0])


def test_the_stance_is_told_to_the_speaker_alone_and_the_record_keeps_the_neutral_prompt() -> None:
    staged = grow(turns=3)
    tree = staged.outcome.tree
    node = tree["0.0"]
    assert node.told is not None
    assert node.neutral is not None
    assert "In this turn, resist" in node.told
    assert "In this turn" not in node.neutral
    assert tree.read("0.0")[-1].content == node.neutral
    assert tree.read("0.0")[0].content == BO.opening.content
    assert not any("In this turn" in said for dialogue in staged.read("ada.turn") for said in dialogue)


def test_a_turn_is_sampled_as_the_paper_samples_it() -> None:
    staged = grow(turns=1)
    request = staged.requests[0]
    assert (request.temperature, request.max_tokens) == (0.7, 80)
    assert "min_tokens" not in request.model.extra
    vllm = PersuasionTree([Debater("ada", "hosted_vllm/x"), BO], turns=1, first="neutral")
    assert vllm.params.min_tokens == 8


def test_a_turn_that_was_cut_off_ends_with_its_last_whole_sentence() -> None:
    def cut(request: LLMRequest) -> Line:
        text = "Answer: Paris\nIt lies on the Seine. It is also the"
        return LLMReply(text, "m", Usage(1, 1), usd=0.0, finish="length")

    assert grow(cut, turns=1).outcome.tree["0"].turn.content == "Answer: Paris\nIt lies on the Seine."
    assert grow(cut, turns=1, trim=False).outcome.tree["0"].turn.content.endswith("It is also the")


def test_the_first_stance_is_drawn_from_a_set_or_given() -> None:
    def first(seed: int) -> str | None:
        staged = play(PersuasionTree([ADA, BO], turns=1), stubborn, QUESTION, seed=seed)
        return staged.outcome.tree["0"].stance

    assert {first(seed) for seed in range(12)} == {"logical", "resist"}
    assert first(3) == first(3)
    assert grow(turns=1, first="neutral").outcome.tree["0"].stance is None


def test_without_stances_it_is_one_dialogue() -> None:
    outcome = grow(stances={}, first="neutral").outcome
    assert sizes(outcome) == [1, 1, 1, 1]
    assert outcome.calls == outcome.calls_apart == 4
    assert outcome.held == {"Paris": 1, "Rome": 1}


def test_samples_and_voices_are_branches_too() -> None:
    def by_model(request: LLMRequest) -> Line:
        return f"Answer: {request.model.model}/{request.sample}"

    staged = grow(by_model, stances={}, first="neutral", samples=2, voices=[Debater("zed", "scripted/z")], turns=1)
    tree = staged.outcome.tree
    assert [n.answers["ada"] for n in tree.children("")] == [
        "scripted/a/0",
        "scripted/a/1",
        "scripted/z/0",
        "scripted/z/1",
    ]
    assert [n.speaker for n in tree.children("")] == ["ada"] * 4
    assert [n.notes.get("voice") for n in tree.children("")] == [None, None, "zed", "zed"]


def test_a_debaters_own_voice_is_no_further_branch() -> None:
    staged = grow(voices=[ADA], turns=2)
    assert sizes(staged.outcome) == [1, 4]
    assert staged.outcome.calls == PersuasionTree([ADA, BO], voices=[ADA], turns=2, first="logical").plan().most


def test_neutral_is_a_stance_beside_others() -> None:
    staged = grow(stances={"ada": ["logical"], "bo": ["neutral", "resist"]}, first="neutral", turns=2)
    assert [node.stance for node in staged.outcome.tree if node.id] == [None, None, "resist"]
    assert [stance_of(request) for request in staged.requests] == ["neutral", "neutral", "resist"]


def test_a_stance_of_ones_own_is_a_template() -> None:
    staged = grow(
        turns=1, stances={"ada": ["doubt"]}, first="doubt", prompts={"doubt": "Doubt what {{ partners }} says."}
    )
    assert "Doubt what bo says." in staged.requests[0].messages[-1].content


# -- where answers are read ----------------------------------------------------------------------------------------


def test_a_speaker_may_tell_its_answer_off_the_record() -> None:
    def lines(request: LLMRequest) -> Line:
        told = request.address.path[-1]
        return {"answer": "Paris", "confidence": 1} if told.endswith("position") else "I like Paris best."

    staged = grow(lines, answers="position", turns=1)
    assert staged.asked == ["ada.turn", "ada.position"]
    assert "Answer: …" not in staged.requests[0].messages[-1].content
    assert staged.outcome.tree["0"].answers["ada"] == "Paris"
    assert (staged.outcome.calls, len(staged.outcome.tree)) == (2, 1)


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ({"kind": "answer", "answer": "Lyon"}, "Lyon"),
        ({"kind": "agree", "answer": ""}, "Paris"),
        ({"kind": "disagree", "answer": ""}, "Rome"),
        ({"kind": "none", "answer": ""}, "Rome"),
        ({"kind": "answer", "answer": " "}, "Rome"),
    ],
)
def test_an_extractor_reads_answers(said: dict[str, str], holds: str) -> None:
    """Ada says Paris, Bo Rome, Ada Paris; what Bo says then is read in every way."""
    readings = iter([{"kind": "answer", "answer": a} for a in ("Paris", "Rome", "Paris")])

    def lines(request: LLMRequest) -> Line:
        return next(readings, said) if request.agent == "rex" else "Well."

    rex = Agent("rex", "scripted/r")
    staged = grow(lines, answers="extractor", extractor=rex, stances={}, first="neutral")
    assert staged.outcome.tree["0.0.0.0"].answers == {"ada": "Paris", "bo": holds}
    asked = next(r for r in staged.requests if r.agent == "rex")
    assert asked.temperature == 0
    assert "What ada said:\nWell." in asked.messages[-1].content


def test_an_answer_that_contains_the_other_ends_the_dialogue_if_they_are_alike_enough() -> None:
    def lines(request: LLMRequest) -> Line:
        return "Answer: Paris" if request.agent == "ada" else "Answer: Paris, France"

    assert grow(lines).outcome.tree["0.0"].stopped == "agreed"
    assert grow(lines, same_from=0.9).outcome.tree["0.0"].stopped is None
    assert grow(lines, same_from=None).outcome.tree["0.0"].stopped is None


@pytest.mark.parametrize(("says", "other"), [("Paris", "Paris, France"), ("Paris, France", "Paris")])
def test_answers_that_say_the_same_are_right_together_whoever_speaks_first(says: str, other: str) -> None:
    outcome = grow(lambda request: f"Answer: {says if request.agent == 'ada' else other}").outcome
    assert outcome.tree["0.0"].answers == {"ada": "Paris", "bo": "Paris"}
    assert outcome.tree["0.0"].scores.own == 2
    assert outcome.held == {"Paris": 4}


def test_who_is_right_in_other_words_is_no_reason_for_a_pair() -> None:
    """The speaker that accepts names the answer as its partner does, the one that resists in other words."""

    def lines(request: LLMRequest) -> Line:
        if request.agent == "ada":
            return "Answer: Paris"
        heard = any("Paris" in message.content for message in request.messages[1:-1])
        return f"Answer: {'Rome' if not heard else 'Paris' if stance_of(request) == 'accept' else 'Paris, France'}"

    assert mined(grow(lines).outcome.tree) == []


def test_different_options_and_different_numbers_are_different_answers() -> None:
    def lines(request: LLMRequest) -> Line:
        return "Answer: 10" if request.agent == "ada" else "Answer: 100"

    assert grow(lines, accepted=["100"]).outcome.tree["0.0"].stopped is None

    def sexes(request: LLMRequest) -> Line:
        return "Answer: male" if request.agent == "ada" else "Answer: female"

    assert grow(sexes, accepted=["male"]).outcome.tree["0.0"].stopped == "agreed"
    assert grow(sexes, accepted=["male"], options=["male", "female"]).outcome.tree["0.0"].stopped is None


# -- searched by a value -------------------------------------------------------------------------------------------


def test_a_judge_may_score_nodes_where_the_right_answer_is_not_known() -> None:
    def lines(request: LLMRequest) -> Line:
        if request.agent == "june":
            return {"answer": "Rome", "reason": "", "confidence": 0.8}
        return as_told(request)

    june = Judge("june", "scripted/j")
    staged = grow(lines, accepted=(), score="judge", judge=june, order="best", calls=12)
    tree = staged.outcome.tree
    assert tree["0"].scores.own == 0
    assert tree["0.0"].scores.own == 0.8
    assert tree["0.0"].calls == 2
    assert staged.outcome.calls <= 12
    assert staged.outcome.ended_by == "calls"


def test_agreement_may_be_the_score() -> None:
    tree = grow(as_told, accepted=(), score="agreement", rule="max").outcome.tree
    assert tree["0"].scores.own == 0.5
    assert tree["0.0.0"].scores.own == 0.5
    assert tree["0.0.0.1"].scores.own == 1
    assert tree.root.scores.subtree == 1


def test_simulations_search_the_tree() -> None:
    staged = grow(as_told, order="mcts", simulations=8)
    tree = staged.outcome.tree
    assert len(tree) == len(staged.requests) <= 8
    assert tree.root.scores.visits == 8
    assert staged.outcome.ended_by == "simulations"


# -- failures, refusals, plans -------------------------------------------------------------------------------------


def test_what_was_said_beside_a_failure_is_kept() -> None:
    def lines(request: LLMRequest) -> Line:
        if stance_of(request) == "emotional":
            return ModelError("down", kind="server")
        return stubborn(request)

    failed = grow(lines)
    assert isinstance(failed.error, ModelError)
    assert failed.outcome.reason == "failed:server"
    assert sizes(failed.outcome) == [1, 2, 4]
    skipped = grow(lines, on_failure="skip").outcome
    assert sizes(skipped) == [1, 2, 4, 8]
    assert [s["stance"] for s in skipped.skipped] == ["emotional", "emotional"]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"stances": {"cy": ["resist"]}}, "stances names 'cy', who is no debater; debaters: ada, bo"),
        ({"stances": {"ada": ["loud"]}}, "there is no stance 'loud'"),
        ({"first": "loud"}, "there is no stance 'loud'"),
        ({"stances": {"ada": ["resist", "resist"]}}, "'resist' twice"),
        ({"answers": "extractor"}, "answers: extractor needs an extractor; name one"),
        ({"extractor": Agent("rex", "scripted/r")}, "'rex' would never be asked; set answers: extractor"),
        ({"score": "judge"}, "score: judge needs a judge"),
        ({"order": "depth", "beam": 2}, "beam is for order: breadth"),
        ({"c": 2.0}, "c is for order: mcts"),
        ({"parallel": 4}, "parallel is for order: depth or best"),
        ({"prompts": {"x": "{{ nobody }}"}}, r"prompts\.x: this prompt: unknown variable nobody"),
        ({"prompts": {"x": "{{ what"}}, r"prompts\.x: this prompt:1: "),
        ({"prompts": {"neutral": "Hm."}}, "neutral is the instruction without a stance"),
        ({"prompts": {"loud": "Shout."}}, "nobody takes the stance 'loud'; name it in stances or first"),
        ({"max_tokens": 4}, "min_tokens, 8, is more than max_tokens, 4; lower it, or set it null"),
        ({"voices": [Debater("vi", "scripted/v")] * 2}, "voices names 'vi' twice"),
        ({"turns": 0}, "turns"),
    ],
)
def test_what_does_not_fit_is_refused(params: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        PersuasionTree([ADA, BO], **params)


@pytest.mark.parametrize("accepted", [[None], [["Paris"]], [True], {"a": 1}])
def test_right_answers_are_texts(accepted: Any) -> None:
    program = PersuasionTree([ADA, BO])
    with pytest.raises(UsageError, match="the input accepted is a text or a list of texts"):
        play(program, stubborn, QUESTION, accepted=accepted)


def test_a_right_answer_is_one_of_the_options() -> None:
    program = PersuasionTree([ADA, BO])
    with pytest.raises(UsageError, match=r"of the accepted answers \(Lyon\) none is among the options \(Paris, Rome\)"):
        play(program, stubborn, QUESTION, accepted=["Lyon"], options=["Paris", "Rome"])
    assert grow(accepted=["Lutetia", "paris"], options=["Paris", "Rome"]).outcome.tree.correct("0") == {"ada": True}


@pytest.mark.parametrize("question", ["", " ", 7])
def test_a_tree_needs_a_question(question: Any) -> None:
    with pytest.raises(UsageError, match="persuasion_tree: the question must be a text with something in it"):
        play(PersuasionTree([ADA, BO]), stubborn, question)


def test_a_number_is_a_right_answer_too() -> None:
    outcome = play(PersuasionTree([ADA, BO], turns=2), lambda _: "Answer: 1,789", QUESTION, accepted=1789).outcome
    assert outcome.tree.correct("0.0") == {"ada": True, "bo": True}


def test_a_balanced_agent_weighs_arguments_where_no_stance_tells_it_what_to_do_with_them() -> None:
    def lines(request: LLMRequest) -> Line:
        if request.output is not None:
            return {"plausibilities": [{"answer": "Paris", "plausibility": 0.9}, {"answer": "Rome", "plausibility": 0}]}
        return stubborn(request)

    balanced = PersuasionTree([ADA.balanced(), BO], stances={"bo": ["resist"]}, first="neutral")
    staged = play(balanced, lines, QUESTION, accepted=["Paris"])
    assert {step.rpartition("/")[2] for step in staged.asked if "weigh" in step} != set()
    third = staged.outcome.tree["0.0.0"]
    assert third.turn.data["weighed"]["calls"] == third.calls - 1
    assert balanced.plan().most >= staged.outcome.calls == len(staged.requests)
    resisting = play(PersuasionTree([ADA, BO.balanced()], first="neutral", turns=2), lines, QUESTION)
    assert not any("weigh" in step for step in resisting.asked)


def test_a_search_by_right_answers_needs_them() -> None:
    with pytest.raises(UsageError, match="order: best needs scores"):
        grow(order="best", accepted=())
    with pytest.raises(UsageError, match="a beam needs scores, and without the input accepted nobody is right"):
        grow(beam=1, accepted=())
    assert sizes(grow(beam=1, accepted=(), score="agreement").outcome) == [1, 2, 3, 2]
    with pytest.raises(UsageError, match="'ada'"):
        PersuasionTree([ADA, ADA])


@pytest.mark.parametrize(
    ("params", "fewest", "most"),
    [
        ({}, 3, 21),
        ({"turns": 1}, 1, 1),
        ({"stop": "never"}, 21, 21),
        ({"stances": RELEASED}, 4, 28),
        ({"stances": {}, "stop": "never"}, 4, 4),
        ({"samples": 2, "turns": 2, "stop": "never"}, 2 + 2 * 4, 10),
        ({"beam": 1, "stop": "never"}, 8, 8),
        ({"answers": "position", "stop": "never"}, 42, 42),
    ],
)
def test_the_plan_tells_the_calls(params: dict[str, Any], fewest: int, most: int) -> None:
    plan = PersuasionTree([ADA, BO], first="neutral", **params).plan()
    assert (plan.fewest, plan.most) == (fewest, most)

    def lines(request: LLMRequest) -> Line:
        if request.address.path[-1].endswith("position"):
            return {"answer": "Paris" if request.agent == "ada" else "Rome", "confidence": 1}
        return stubborn(request)

    assert len(grow(lines, **{"first": "neutral", **params}).requests) == most
