"""Why: the reasons in words, with the model's own numbers."""

import re

from maieutic.memory.student import ConceptGraph, Item, StudentModel


def student(*, keep_log: bool = True) -> StudentModel:
    concepts = ConceptGraph()
    concepts.add("division", prior=0.8)
    concepts.add("fractions", needs={"division": 0.9}, misconceptions={"adds": {"text": "1/2 + 1/3 = 2/5"}})
    items = [
        Item(id="q1", answer="5/6", options=("5/6", "2/5"), distractors={"2/5": "adds"}, concepts=("fractions",)),
        Item(id="q2", concepts=("division",)),
    ]
    return StudentModel(concepts, items, keep_log=keep_log)


def test_what_was_observed_is_told_with_what_it_did() -> None:
    model = student()
    before = model.mastery("fractions")
    model.answered("q1", correct=True)
    after = model.mastery("fractions")
    [reason] = [each for each in model.why("fractions") if "answered" in each.text]
    assert str(reason) == f"answered q1 right (fractions known {before:.2f} -> {after:.2f})"
    assert reason.effect == after - before


def test_every_kind_of_observation_has_its_words() -> None:
    model = student()
    model.answered("q1", choice="2/5", confidence=0.9)
    model.answered("q1", correct=True, with_explanation=True)
    model.explained("q1")
    model.asked("fractions")
    model.claimed("q1", 0.75)
    model.waited(3)
    said = [re.sub(r"0\.\d\d", "0", str(reason)) for reason in model.why("fractions")]
    known, thinks = "fractions known 0 -> 0", "thinks it knows 0 -> 0"
    assert f"answered q1 wrong with '2/5', 90% sure ({known}, {thinks})" in said
    assert f"answered q1 right with an explanation at hand ({known})" in said
    assert f"q1 was explained ({known})" in said
    assert f"asked about fractions ({known}, {thinks})" in said
    assert f"said to be 75% sure of q1 ({known}, {thinks})" in said
    assert f"said to be 75% sure of q1 ({known}, {thinks})" in [
        re.sub(r"0\.\d\d", "0", str(reason)) for reason in model.why("q1")
    ]


def test_the_effects_on_a_concept_add_up_to_its_change() -> None:
    model = student()
    model.answered("q1", correct=False)
    model.answered("q2", correct=False)  # tells of fractions through what they need
    model.explained("q2")
    model.waited(20)
    for name in ("division", "fractions"):
        reasons = model.why(name)
        observed = [each.effect for each in reasons if "->" in each.text or "related" in each.text]
        assert abs(sum(observed) - (model.mastery(name) - student().mastery(name))) < 0.006


def test_what_it_needs_and_what_an_explanation_would_do_are_told() -> None:
    model = student()
    said = [str(reason) for reason in model.why("fractions")]
    assert "needs division (mastery 0.80, weight 0.9)" in said
    assert "an explanation would raise its mastery from 0.41 to 0.70" in said
    prediction = model.predict("q1")
    told = model.why("q1")
    assert str(told[0]) == f"P(right) alone is {prediction.alone:.2f}: slip 0.10, guess 0.50"
    assert str(told[-1]) == (
        f"an explanation would raise P(right) from {prediction.alone:.2f} to {prediction.explained:.2f}"
    )
    assert told[-1].effect == prediction.utility


def test_overconfidence_and_misconceptions_are_told() -> None:
    model = student()
    for _ in range(3):
        model.answered("q1", choice="2/5", confidence=0.95)
    said = " ".join(map(str, model.why("fractions")))
    assert "may think that it knows fractions without knowing it (probability 0.9" in said
    assert "may hold the misconception 'adds' (probability 0." in said


def test_without_a_log_the_rest_is_told() -> None:
    model = student(keep_log=False)
    model.answered("q1", correct=True)
    said = [str(reason) for reason in model.why("fractions")]
    assert not any("answered" in each for each in said)
    assert any(each.startswith("what was observed") for each in said)
