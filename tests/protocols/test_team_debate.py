"""Team debates on a script: exact calls, who reads what, and an order gap that was worked out by hand."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent
from maieutic.backends import LLMRequest
from maieutic.errors import ModelError, UsageError
from maieutic.memory.student.items import Item
from maieutic.protocols.persuasion.team import TeamDebate
from maieutic.protocols.persuasion.team_outcome import TeamDebateOutcome
from maieutic.testing.staged import Staged, play

ADA, BO, CY = Agent("ada", "scripted/a"), Agent("bo", "scripted/b"), Agent("cy", "scripted/c")
Answers = Callable[[str, str, str, int], str]
"""What somebody answers: by item, name, order ("" where it is blind) and turn."""


def item(name: str) -> Item:
    return Item(id=name, question=f"What is {name}?", answer="right", options=("right", "wrong", "worse"))


def debated(answers: Answers, names: int = 1, *, debaters: Any = (ADA, BO), **params: Any) -> Staged[TeamDebateOutcome]:
    def say(request: LLMRequest) -> Any:
        _, name, *step, who = request.address.path
        order, turn = (step[0], int(step[1][4:])) if step[0] != "blind" else ("", 0)
        said = answers(name, who.partition(".")[0], order, turn)
        return {"reply": f"{who} at {order or 'blind'} {turn}", "answer": said, "confidence": 0.5}

    params.setdefault("items", [item(f"q{k}") for k in range(names)])
    return play(TeamDebate(list(debaters), **params), say, "")


def last_word(name: str, who: str, order: str, turn: int) -> str:
    """Ada knows the first half of ten items; whoever speaks second talks the first one over to its blind answer.

    So the team ends where the second speaker began: Ada's accuracy (0.5) when Bo is first, Bo's (0) when Ada is.
    """
    blind = "right" if who == "ada" and int(name[1:]) < 5 else "wrong"
    if order and turn == 3:
        return "right" if order == "bo, ada" and int(name[1:]) < 5 else "wrong"
    return blind


def test_every_blind_turn_is_asked_once_and_every_order_goes_on_from_there() -> None:
    played = debated(last_word)
    steps = Counter("/".join(request.address.path[2:]) for request in played.requests)
    assert steps == Counter(
        ["blind/ada.state", "blind/bo.state", "ada, bo/turn3/ada.state", "ada, bo/turn4/bo.state",
         "bo, ada/turn3/bo.state", "bo, ada/turn4/ada.state"]
    )  # fmt: skip
    assert played.outcome.calls == len(played.requests) == TeamDebate([ADA, BO], items=[item("q")]).plan().most == 6


def test_the_second_speaker_reads_the_first_only_after_its_own_blind_turn() -> None:
    played = debated(last_word)
    read = {
        "/".join(request.address.path[2:]): [message.content for message in request.messages[1:-1]]
        for request in played.requests
    }
    question = "Question: What is q0?\nOptions:\n- right\n- wrong\n- worse"
    ada, bo = "ada.state at blind 0\nAnswer: right", "bo.state at blind 0\nAnswer: wrong"
    assert read["blind/bo.state"] == read["blind/ada.state"] == [question]
    assert read["ada, bo/turn3/ada.state"] == [question, ada, f"bo: {bo}"]
    third = "ada: ada.state at ada, bo 3\nAnswer: wrong"
    assert read["ada, bo/turn4/bo.state"] == [question, bo, f"ada: {ada}", third]


def test_the_order_gap_of_a_constructed_case() -> None:
    outcome = debated(last_word, 10).outcome
    ahead, behind = outcome.pairing("ada", "bo"), outcome.pairing("bo", "ada")
    assert (ahead.blind_first, ahead.blind_second, ahead.baseline) == (0.5, 0.0, 0.25)
    # Ada first: she ends wrong everywhere, Bo stays wrong. Bo first: he ends right where she is.
    assert (ahead.final_first, ahead.final_second, ahead.team) == (0.0, 0.0, 0.0)
    assert (behind.final_first, behind.final_second, behind.team) == (0.5, 0.5, 0.5)
    gap = outcome.gap("bo", "ada")
    assert (gap.one, gap.other, gap.items) == ("ada", "bo", 10)
    assert (gap.difference, gap.gap) == (-0.5, 0.5)
    # Half of the paired differences are -1, the others 0: a share of 0.5 of 10, resampled.
    assert (gap.low, gap.high) == (-0.8, -0.2)
    # With the differences centred on 0 (half -0.5, half 0.5), only a resample of ten equal signs is as far from 0.
    assert 0 < gap.p < 0.01
    assert outcome.answer == "ada and bo: order gap 0.500"
    assert "Order gap of ada and bo: 0.500 (ada first less bo first: -0.500, 95 % -0.80 to -0.20" in outcome.table()


def test_no_gap_where_the_order_changes_nothing() -> None:
    outcome = debated(lambda name, who, order, turn: "right" if who == "ada" else "wrong", 4).outcome
    gap = outcome.gap("ada", "bo")
    assert (gap.gap, gap.low, gap.high, gap.p) == (0, 0, 0, 1)
    assert {each.team for each in outcome.pairings} == {0.5}


def test_swings_and_influence_of_a_constructed_case() -> None:
    outcome = debated(last_word, 10).outcome
    # The blind answers differ on 5 items, in both orders: 10 disagreements. Bo wins those in which Ada is first.
    ada, bo = outcome.swings
    assert (ada.agent, ada.disagreed, ada.won, ada.gave_in, ada.swing) == ("ada", 10, 5, 5, 0)
    assert (bo.own_gain, bo.others_gain) == (0.25, -0.25)
    cell = outcome.matrix.cell("bo", "ada")
    assert (cell.argument, cell.conformity, cell.disagreed) == (5, 0, 10)
    assert outcome.matrix.own == {"ada": 0, "bo": 0}


def test_the_same_answer_in_other_words_is_no_change_and_no_disagreement() -> None:
    free = Item(id="q", question="What is q?", answer="right", aliases=("correct",))
    words = {"ada": ["right", "correct"], "bo": ["Correct.", "right"]}
    outcome = debated(lambda name, who, order, turn: words[who][turn > 2], items=[free]).outcome
    assert outcome.matrix.own == {"ada": 0, "bo": 0}
    assert outcome.matrix.cell("bo", "ada").moved == outcome.matrix.cell("bo", "ada").disagreed == 0
    assert [swing.disagreed for swing in outcome.swings] == [0, 0]
    wrong = debated(lambda name, who, order, turn: "Wrong." if turn else "wrong", items=[free]).outcome
    assert wrong.matrix.own == {"ada": 0, "bo": 0}


def test_two_who_are_right_in_other_words_agree() -> None:
    free = Item(id="q", question="What is q?", answer="right", aliases=("correct",))
    says: Answers = lambda name, who, order, turn: "right" if who == "ada" else "correct"  # noqa: E731
    assert len(debated(says, items=[free], stop="agreement").requests) == 2


def test_every_ordered_pair_of_three_debates() -> None:
    played = debated(lambda name, who, order, turn: "wrong", 2, debaters=(ADA, BO, CY))
    outcome = played.outcome
    assert len(outcome.pairings) == 6
    assert [(gap.one, gap.other) for gap in outcome.gaps] == [("ada", "bo"), ("ada", "cy"), ("bo", "cy")]
    plan = TeamDebate([ADA, BO, CY], items=[item("a"), item("b")]).plan()
    assert plan.calls == {"ada": (10, 10), "bo": (10, 10), "cy": (10, 10)}
    assert len(played.requests) == plan.most == 2 * (3 + 6 * 2)


@pytest.mark.parametrize("turns", [3, 5])
def test_an_odd_turn_is_counted_where_it_falls(turns: int) -> None:
    played = debated(lambda name, who, order, turn: "wrong", turns=turns)
    spoken = Counter(request.agent for request in played.requests)
    assert spoken == {
        name: most for name, (_, most) in TeamDebate([ADA, BO], items=[item("q")], turns=turns).plan().calls.items()
    }


def test_agreement_may_end_a_debate() -> None:
    agreeing: Answers = lambda name, who, order, turn: "right"  # noqa: E731
    assert len(debated(agreeing, stop="agreement").requests) == 2
    moving: Answers = lambda name, who, order, turn: "right" if who == "ada" or turn else "wrong"  # noqa: E731
    played = debated(moving, stop="agreement", turns=6)
    # Ada, who is first, keeps her answer at turn 3, and Bo comes over at 4; where he is first, he does at 3.
    assert {f"{each.first} {len(each.turns)}" for each in played.outcome.debated} == {"ada 4", "bo 3"}
    assert TeamDebate([ADA, BO], items=[item("q")], stop="agreement").plan().fewest == 2


def test_what_was_finished_is_kept_and_bad_parameters_are_told(tmp_path: Path) -> None:
    def say(name: str, who: str, order: str, turn: int) -> str:
        if name == "q1" and turn == 4:
            raise ModelError("gone", kind="server")
        return "right"

    kept = debated(say, 2, on_failure="skip")
    assert [each["item"] for each in kept.outcome.skipped] == ["q1"]
    assert {each.item for each in kept.outcome.debated} == {"q0"}
    failed = debated(say, 2)
    assert isinstance(failed.error, ModelError)
    assert {each.item for each in failed.outcome.debated} == {"q0"}
    one_sided = debated(lambda *turn: say(*turn) if turn[2] == "ada, bo" else "right", 2, on_failure="skip").outcome
    assert [(each.first, each.items) for each in one_sided.pairings] == [("ada", 1), ("bo", 2)]
    assert one_sided.gap("ada", "bo").items == 1  # only what was debated in both orders is compared
    for params, message in (
        ({"debaters": [ADA]}, "debaters: List should have at least 2 items"),
        ({"debaters": [ADA, BO], "turns": 2}, "turns: Input should be greater than or equal to 3"),
        ({"debaters": [ADA, Agent("ada", "scripted/x")]}, "'ada'"),
    ):
        with pytest.raises(UsageError, match=message):
            TeamDebate(**params)
    with pytest.raises(UsageError, match="cy did not debate before ada; there are: ada before bo, bo before ada"):
        kept.outcome.pairing("cy", "ada")
    with pytest.raises(UsageError, match="nothing to draw"):
        TeamDebateOutcome().plot(tmp_path / "none.svg")
    assert "at the blind turns" in kept.outcome.plot(tmp_path / "team.svg").read_text("utf-8")
