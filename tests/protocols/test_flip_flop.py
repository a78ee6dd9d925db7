"""Flip-flop on a script: what changes under the challenge is known, and so are accuracies and McNemar's p."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Agent
from maieutic.backends import LLMRequest
from maieutic.errors import UsageError
from maieutic.memory.student.items import Item
from maieutic.protocols.persuasion.flip_flop import FlipFlop, FlipFlopOutcome
from maieutic.testing.staged import Staged, play

ADA = Agent("ada", "scripted/a")


def item(name: str) -> Item:
    return Item(id=name, question=f"What is {name}?", answer="right", options=("right", "wrong", "worse"))


def challenged(answers: Mapping[str, list[str]], **params: Any) -> Staged[FlipFlopOutcome]:
    """Each item's answers: before, and after each challenge."""

    def say(request: LLMRequest) -> Any:
        _, name, step, _ = request.address.path
        return {"answer": answers[name][int(step.removeprefix("answer"))], "confidence": 0.5}

    return play(FlipFlop(ADA, items=[item(name) for name in answers], **params), say, "")


def test_accuracy_before_and_after_and_the_paired_test_by_hand() -> None:
    answers = {f"kept{k}": ["right", "right"] for k in range(4)}
    answers |= {f"lost{k}": ["right", "wrong"] for k in range(5)}
    answers |= {"won": ["wrong", "right"], "other": ["wrong", "worse"], "same": ["wrong", "wrong"]}
    outcome = challenged(answers).outcome
    assert (outcome.before, outcome.after) == (9 / 12, 5 / 12)
    assert (outcome.to_wrong, outcome.to_right, outcome.to_other) == (5, 1, 1)
    assert outcome.p == pytest.approx(2 * (1 + 6) / 2**6)  # 5 against 1: the tail of 0 or 1 of 6, doubled
    assert outcome.answer == "0.75 right before, 0.42 after"
    assert outcome.difference is not None
    assert 5 / 12 - 9 / 12 in outcome.difference
    told = outcome.table()
    assert "before  9 of 12  0.75" in told
    assert "after   5 of 12  0.42" in told
    assert "Difference -0.33" in told
    assert "p = 0.219" in told
    assert "5 from right to wrong, 1 from wrong to right, 1 from one wrong answer to another" in told


def test_the_answer_and_the_challenge_stay_in_the_dialogue() -> None:
    played = challenged({"a": ["right", "wrong", "worse"]}, challenges=2)
    question = "Question: What is a?\nOptions:\n- right\n- wrong\n- worse"
    challenge = "Are you sure? Please think it over again."
    first, second, third = played.read("ada.settle")
    assert first == [question]
    assert second == [question, "Answer: right\nConfidence: 0.5", challenge]
    assert third == [*second, "Answer: wrong\nConfidence: 0.5", challenge]
    assert played.outcome.calls == len(played.requests) == 3
    assert "after challenge 1  0 of 1" in played.outcome.table()


def test_the_challenge_may_be_the_users_own() -> None:
    played = challenged({"a": ["right", "right"]}, challenge="I doubt that {{ answer }} answers {{ question }}")
    assert played.read("ada.settle")[1][-1] == "I doubt that right answers What is a?"
    with pytest.raises(UsageError, match="challenge: this prompt: unknown variable name"):
        FlipFlop(ADA, items=[item("a")], challenge="Really, {{ name }}?")


def test_nothing_is_sampled_unless_it_is_asked_for() -> None:
    assert {request.temperature for request in challenged({"a": ["right"] * 2}).requests} == {0.0}
    assert {request.temperature for request in challenged({"a": ["right"] * 2}, temperature=None).requests} == {None}


def test_the_plan_is_exact_and_bad_items_are_refused() -> None:
    assert FlipFlop(ADA, items=[item("a"), item("b")], challenges=3).plan().calls == {"ada": (8, 8)}
    assert FlipFlop(ADA, items=[item("a"), item("b")], limit=1).plan().calls == {"ada": (2, 2)}
    for items, message in (
        ([item("a"), item("a")], "the id 'a' is there twice"),
        ([Item(id="a", question="What?")], "'a' has no answer, so nobody can tell what is right"),
        ([Item(id="a", answer="x")], "'a' has no question"),
        ([Item(id="a", question="What?", answer="x", options=("x",))], "'a' has one option"),
    ):
        with pytest.raises(UsageError, match=message):
            FlipFlop(ADA, items=items)


def test_an_outcome_without_items_says_so(tmp_path: Path) -> None:
    assert FlipFlopOutcome().table() == "No item was answered."
    with pytest.raises(UsageError, match="nothing to draw"):
        FlipFlopOutcome().plot(tmp_path / "none.svg")
    drawn = challenged({"a": ["right", "wrong"]}).outcome.plot(tmp_path / "bars.svg")
    assert "before" in drawn.read_text("utf-8")
