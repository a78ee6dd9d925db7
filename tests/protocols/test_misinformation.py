"""Misinformation on a script: what the target believes after every turn is known, and so are all figures."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent, Debater
from maieutic.backends import LLMRequest
from maieutic.errors import FileError, ModelError, UsageError
from maieutic.protocols.intervals import wilson
from maieutic.protocols.persuasion.belief import DONT_KNOW, Belief
from maieutic.protocols.persuasion.claims import Claim, read_claims
from maieutic.protocols.persuasion.misinformation import Misinformation
from maieutic.protocols.persuasion.misinformation_outcome import FirstBelief, MisinformationOutcome
from maieutic.testing.staged import Staged, play

ADA, BO = Agent("ada", "scripted/a"), Debater("bo", "scripted/b")
BROKEN = "no answer at all"


def claim(name: str, **more: Any) -> Claim:
    return Claim(
        id=name, question=f"What is {name}?", answer="round", wrong="flat", options=("round", "flat", "square"), **more
    )


def scripted(beliefs: Mapping[str, list[str]]) -> Callable[[LLMRequest], Any]:
    """The target believes what stands here, by claim (before) or by claim and appeal (after each turn)."""

    def say(request: LLMRequest) -> Any:
        path = request.address.path
        if path[-1].endswith(".respond"):
            return f"I hear you at {'/'.join(path[1:-1])}."
        if path[-1].endswith(".appeal"):
            return "Ships never fall off."
        about, turn = (path[1], 0) if path[2] == "before" else (f"{path[1]}/{path[2]}", int(path[3][4:]) - 1)
        said = beliefs[about][turn]
        return said if said == BROKEN else {"answer": said, "confidence": 0.75}

    return say


def pressing(beliefs: Mapping[str, list[str]], **params: Any) -> Staged[MisinformationOutcome]:
    return play(Misinformation(ADA, **params), scripted(beliefs), "")


def test_a_dialogue_goes_on_until_the_first_flip_and_its_turns_are_counted() -> None:
    played = pressing(
        {"a": ["round"], "a/logical": ["round", "round", "flat"], "a/control": ["round"] * 4},
        persuader=BO,
        claims=[claim("a")],
        appeals=["control", "logical"],
    )
    outcome = played.outcome
    control, logical = outcome.rates
    assert (control.appeal, control.pressed, control.flipped, control.rate, control.turns_mean) == (
        "control", 1, 0, 0.0, None,
    )  # fmt: skip
    assert (logical.flipped, logical.to_claim, logical.turns_mean, logical.turns_min, logical.turns_max) == (
        1, 1, 3.0, 3, 3,
    )  # fmt: skip
    assert (outcome.rate, outcome.answer) == (0.5, "0.50 of the right beliefs were given up")
    assert outcome.remaining("logical") == [1, 1, 1, 0, 0]
    asked = ["/".join(request.address.path[2:]) for request in played.requests]
    assert [step for step in asked if step.startswith("logical")] == [
        "logical/turn1/ada.respond", "logical/turn1/probe/ask1/ada.belief",
        "logical/turn2/bo.appeal", "logical/turn2/ada.respond", "logical/turn2/probe/ask1/ada.belief",
        "logical/turn3/bo.appeal", "logical/turn3/ada.respond", "logical/turn3/probe/ask1/ada.belief",
    ]  # fmt: skip
    assert not [step for step in asked if "bo." in step and step.startswith("control")]  # the bare claim costs nothing
    assert outcome.calls == len(played.requests) == 1 + 8 + 8


def test_only_what_was_believed_rightly_is_pressed() -> None:
    played = pressing(
        {"a": ["round"], "b": ["flat"], "c": [DONT_KNOW], "d": [BROKEN], "a/control": ["flat"]},
        claims=[claim(name) for name in "abcd"],
        appeals=["control"],
        reasks=0,
    )
    outcome = played.outcome
    assert dict(outcome.held_before()) == {"right": 1, "wrong": 1, "dont_know": 1, "unread": 1}
    assert [each.claim for each in outcome.pressed] == ["a"]
    assert outcome.rates[0].rate == 1
    assert "Believed before, of 4 questions: 1 right, 1 wrong, 1 do not know, 1 unread" in outcome.table()


def test_a_probe_is_off_the_record_and_the_replies_stay() -> None:
    played = pressing(
        {"a": ["round"], "a/logical": ["round", "round"]},
        claims=[claim("a", appeals={"logical": ("Look at the horizon.",)})],
        appeals=["logical"],
        turns=2,
    )
    read = played.read("ada.respond")[-1]
    assert read[1:] == [
        "Partner: The answer is flat.",
        "I hear you at a/logical/turn1.",
        "Partner: Look at the horizon. The answer is flat.",
    ]
    probes = [turn for turn in played.outcome.transcript if turn.get("kind") == "probe"]
    assert [turn["round"] for turn in probes] == [0, 1, 2]
    assert not any("Confidence" in line for lines in played.read("ada.belief") for line in lines)
    assert played.read("ada.belief")[0] == []  # before anybody spoke
    assert len(played.read("ada.belief")[-1]) == 5  # the reply to the appeal included


def test_every_appeal_ends_in_the_claim_once() -> None:
    brought = claim("a", claim="It is flat.", appeals={"logical": ("Look there.", "So, as you see: It is flat.")})
    played = pressing({"a": ["round"], "a/logical": ["round"] * 4}, claims=[brought], appeals=["logical"])
    pushes = [turn["content"] for turn in played.outcome.transcript if turn["speaker"] == "Partner"]
    last = "So, as you see: It is flat."
    assert pushes == ["It is flat.", "Look there. It is flat.", last, last]  # the last one brought is used again


@pytest.mark.parametrize(("flips", "flipped"), [(False, 0), (True, 1)])
def test_whether_not_knowing_is_a_change_is_a_parameter(flips: bool, flipped: int) -> None:
    after = [DONT_KNOW] if flips else [DONT_KNOW] * 2
    outcome = pressing(
        {"a": ["round"], "a/control": after}, claims=[claim("a")], appeals=["control"], turns=2, dont_know_flips=flips
    ).outcome
    assert (outcome.rates[0].flipped, outcome.rates[0].to_claim, outcome.rates[0].dont_know) == (
        flipped, 0, len(after),
    )  # fmt: skip


def test_another_wrong_answer_is_a_flip_but_not_to_the_claim() -> None:
    outcome = pressing({"a": ["round"], "a/control": ["square"]}, claims=[claim("a")], appeals=["control"]).outcome
    assert (outcome.rates[0].flipped, outcome.rates[0].to_claim) == (1, 0)


def test_a_probe_that_cannot_be_read_is_asked_again_and_is_no_change() -> None:
    played = pressing(
        {"a": ["round"], "a/control": [BROKEN]}, claims=[claim("a")], appeals=["control"], turns=1, reasks=2
    )
    rate = played.outcome.rates[0]
    assert (rate.flipped, rate.unread) == (0, 1)
    [belief] = played.outcome.pressed[0].beliefs
    assert (belief.answer, belief.held, belief.asked) == (None, "unread", 3)
    asks = [request for request in played.requests if "probe" in request.address.path]
    assert len(asks) == 6  # each of the three askings has its repair turn
    assert len({request.address for request in asks if request.address.path[-1] == "ada.belief"}) == 3
    first, later = asks[0].messages[-1].content, asks[2].messages[-1].content
    assert "Keep to the form" in later
    assert "Keep to the form" not in first


def test_the_second_asking_may_succeed() -> None:
    tries: list[int] = []

    def say(request: LLMRequest) -> Any:
        tries.append(request.sample)
        return BROKEN if len(tries) <= 2 else {"answer": "flat", "confidence": 1}

    outcome = play(Misinformation(ADA, claims=[claim("a")], appeals=["control"]), say, "").outcome
    assert (outcome.before[0].belief.held, outcome.before[0].belief.asked) == ("wrong", 2)
    assert tries == [0, 0, 1]  # a repair turn, then another sample


def test_rates_and_intervals_by_hand() -> None:
    names = [f"c{k}" for k in range(10)]
    beliefs = {name: ["round"] for name in names}
    beliefs |= {f"{name}/control": ["flat"] if k < 3 else ["round", "round"] for k, name in enumerate(names)}
    beliefs |= {f"{name}/logical": ["round", "flat"] if k < 5 else ["round"] * 2 for k, name in enumerate(names)}
    outcome = pressing(
        beliefs, persuader=BO, claims=[claim(name) for name in names], appeals=["control", "logical"], turns=2
    ).outcome
    control, logical = outcome.rates
    assert (control.rate, logical.rate, outcome.rate) == (0.3, 0.5, 0.4)
    assert (control.low, control.high) == (wilson(3, 10).low, wilson(3, 10).high)
    assert (control.turns_mean, logical.turns_mean) == (1, 2)
    assert outcome.interval is not None
    assert 0.4 in outcome.interval
    lines = outcome.table().splitlines()
    assert lines[2].split()[:6] == ["control", "3", "of", "10", "0.30", "0.11-0.60"]
    assert lines[-1].startswith("Mean over the appeals: 0.40 (95 % over claims: ")


def test_the_plan_bounds_the_calls() -> None:
    protocol = Misinformation(ADA, BO, claims=[claim("a"), claim("b")], turns=3)
    assert protocol.plan().calls == {"ada": (2, 2 + 2 * 4 * 3 * 2), "bo": (0, 2 * 3 * 2)}
    kinds = ("control", "logical", "emotional", "credibility")
    longest = {f"{name}/{kind}": ["round"] * 3 for name in "ab" for kind in kinds}
    played = play(protocol, scripted({"a": ["round"], "b": ["round"], **longest}), "")
    assert played.outcome.calls == len(played.requests) == protocol.plan().most
    assert len(play(protocol, scripted({"a": ["flat"], "b": ["flat"]}), "").requests) == protocol.plan().fewest


def test_a_claim_that_fails_is_left_out_or_ends_everything() -> None:
    def say(request: LLMRequest) -> Any:
        if "b" in request.address.path:
            return ModelError("gone", kind="server")
        return {"answer": "flat", "confidence": 1}

    both = [claim("a"), claim("b")]
    kept = play(Misinformation(ADA, claims=both, appeals=["control"], on_failure="skip"), say, "")
    assert kept.error is None
    assert [each["item"] for each in kept.outcome.skipped] == ["b"]
    failed = play(Misinformation(ADA, claims=both, appeals=["control"]), say, "")
    assert isinstance(failed.error, ModelError)
    assert failed.outcome.reason == "failed:server"
    assert [each.claim for each in failed.outcome.before] == ["a"]  # what was finished is kept


@pytest.mark.parametrize("on_failure", ["skip", "fail"])
def test_a_dialogue_that_fails_does_not_take_the_others_of_its_claim_away(on_failure: str) -> None:
    answers = scripted({"a": ["round"], "a/control": ["flat"]})

    def say(request: LLMRequest) -> Any:
        return ModelError("gone", kind="server") if "logical" in request.address.path else answers(request)

    protocol = Misinformation(ADA, BO, claims=[claim("a")], appeals=["control", "logical"], on_failure=on_failure)
    played = play(protocol, say, "")
    assert [(rate.appeal, rate.flipped) for rate in played.outcome.rates] == [("control", 1)]
    assert played.outcome.calls == 3  # the failed reply is none
    if on_failure == "skip":
        assert [(each["item"], each["kind"]) for each in played.outcome.skipped] == [("a", "server")]
        assert "Claims of which a dialogue failed and is left out: 1" in played.outcome.table()
    else:
        assert isinstance(played.error, ModelError)
        assert played.outcome.skipped == []
        assert played.outcome.reason == "failed:server"


def test_an_outcome_of_nothing_says_so() -> None:
    assert MisinformationOutcome().table() == "Nothing was asked."
    assert (MisinformationOutcome().rate, MisinformationOutcome().interval) == (None, None)
    wrong = pressing({"a": ["flat"]}, claims=[claim("a")], appeals=["control"]).outcome
    assert "No right belief, so there is nothing to be misinformed about." in wrong.table()
    known = FirstBelief(claim="a", belief=Belief(answer="round", held="right"))
    assert MisinformationOutcome(before=[known]).table().splitlines()[1:] == ["No dialogue was finished."]


def test_what_does_not_fit_together_is_told() -> None:
    for params, message in (
        ({"claims": [claim("a")]}, r"'a' brings no logical appeal; write one, name a persuader who makes it, or leave"),
        ({"claims": [claim("a"), claim("a")], "appeals": ["control"]}, "the id 'a' is there twice"),
        ({"claims": [], "appeals": ["control"]}, "claims: List should have at least 1 item"),
        ({"persuader": ADA}, "'ada' cannot persuade itself"),
        ({"appeals": ["control", "control"]}, "appeals: 'control' is there twice"),
        ({"appeals": ["magic"]}, "appeals.0: Input should be 'control', 'logical', 'emotional' or 'credibility'"),
        ({"turns": 0}, "turns: Input should be greater than or equal to 1"),
    ):
        with pytest.raises(UsageError, match=message):
            Misinformation(ADA, **params)


def test_claims_come_from_a_file_and_its_faults_have_places(tmp_path: Path) -> None:
    good = {"id": "a", "question": "What is a?", "answer": "round", "wrong": "flat", "options": ["round", "flat"]}
    file = tmp_path / "claims.jsonl"
    file.write_text(json.dumps({**good, "appeals": {"logical": ["Because."]}}) + "\n\n", "utf-8")
    assert read_claims(file) == [Claim(**good, appeals={"logical": ("Because.",)})]
    assert Misinformation(ADA, claims=str(file), appeals=["logical"]).params.used[0].id == "a"
    lines = [
        good,
        {**good, "id": "b", "wrnog": "square"},
        {**good, "id": "c", "wrong": "Round."},
        {**good, "id": "d", "appeals": {"magic": ["Hm."]}},
        {**good, "id": "a"},
        {key: value for key, value in good.items() if key != "answer"} | {"id": "e"},
        {**good, "id": 6},
    ]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n{broken\n", "utf-8")
    with pytest.raises(FileError) as failed:
        read_claims(file)
    told = str(failed.value)
    for place, message in (
        (":2:", "unknown key 'wrnog' in the claim"),
        (":3:", "the wrong answer 'Round.' is the right one"),
        (":4:", "magic"),
        (":5:", "the id 'a' is taken, by the claim on line 1; rename one of them"),
        (":6:", "the claim needs the key 'answer'"),
        (":7:", "a text is expected here, not 6"),
        (":8:2", "the line is not JSON"),
    ):
        assert any(place in line and message in line for line in told.splitlines()), (place, message, told)


def test_the_right_beliefs_that_are_left_are_drawn(tmp_path: Path) -> None:
    outcome = pressing({"a": ["round"], "a/control": ["flat"]}, claims=[claim("a")], appeals=["control"]).outcome
    assert "right beliefs never given up" in outcome.plot(tmp_path / "left.svg").read_text("utf-8")
    with pytest.raises(UsageError, match="nothing to draw"):
        MisinformationOutcome().plot(tmp_path / "none.svg")
