"""Personalised explanations (Saha, Hase and Bansal 2023, research question 3), call by call."""

from pathlib import Path
from typing import Any

import pytest

from maieutic.agents import Student, Teacher
from maieutic.backends import LLMRequest
from maieutic.errors import UsageError
from maieutic.memory.student.items import Item
from maieutic.protocols.interventions.personalised import PersonalisedExplanations, PersonalisedOutcome
from maieutic.testing.staged import Staged, play

TESS = Teacher("tess", "scripted/t")
SAM = Student("sam", "scripted/s")
PRACTICE = [Item(id=f"p{i}", question=f"Old question {i}?", answer="yes", options=("yes", "no")) for i in range(4)]
ITEMS = [
    Item(id=f"q{i}", question=f"New question {i}?", answer="yes", options=("yes", "no"), explanation=f"A person: {i}.")
    for i in range(3)
]
KINDS = ["personalised", "unpersonalised", "undemonstrated", "rationalised", "given"]


def said(right: bool) -> dict[str, Any]:
    return {"reasoning": "So it seems.", "answer": "yes" if right else "no", "confidence": 0.6}


def classroom(request: LLMRequest) -> dict[str, Any] | str:
    """At practice explaining turns p1 and p3 only; at the test personalised explanations help, but not with q2."""
    phase, item, *rest = request.address.path
    if request.agent == "tess":
        return f"Because of {'/'.join((phase, item, *rest[:-1]))}."
    if phase == "practice":
        return said(item == "p0" or (rest[0] == "explained" and item in ("p1", "p3")))
    return said(rest[0] == "personalised" and item != "q2")


def compare(**params: Any) -> Staged[PersonalisedOutcome]:
    given: dict[str, Any] = {"practice": PRACTICE, "items": ITEMS, "kinds": KINDS, **params}
    return play(PersonalisedExplanations(teacher=TESS, student=SAM, **given), classroom, "")


def test_demonstrations_are_the_explanations_that_turned_this_student_from_wrong_to_right() -> None:
    outcome = compare().outcome
    assert outcome.useful == ["p1", "p3"]
    shown = outcome.demonstrations["personalised"]
    assert sorted((d.item, d.explanation) for d in shown) == [
        ("p1", "Because of practice/p1."),
        ("p3", "Because of practice/p3."),
    ]
    assert len(outcome.demonstrations["unpersonalised"]) == 2  # as many, so that only what they show differs
    assert outcome.notes == ["Only 2 of 4 demonstrations: more explanations did not turn the student."]


def test_the_teacher_reads_demonstrations_before_its_instruction_and_the_kinds_differ_in_nothing_else() -> None:
    staged = compare()
    asked = {r.address.path: r for r in staged.requests if r.agent == "tess"}
    personalised = [m.content for m in asked["test", "q0", "personalised", "tess.explain"].messages]
    unpersonalised = [m.content for m in asked["test", "q0", "unpersonalised", "tess.explain"].messages]
    bare = [m.content for m in asked["test", "q0", "undemonstrated", "tess.explain"].messages]
    told = [m.content for m in asked["test", "q0", "rationalised", "tess.explain"].messages]
    assert [personalised[0], personalised[-1]] == [unpersonalised[0], unpersonalised[-1]] == bare
    assert told[:2] == unpersonalised[:2]
    first, second = staged.outcome.demonstrations["personalised"]
    assert personalised[1] == (
        "These questions have been explained to this student before. Explain the next one in the same manner.\n\n"
        f"Question: {first.question}\nOptions: yes | no\nExplanation: {first.explanation}\n\n"
        f"Question: {second.question}\nOptions: yes | no\nExplanation: {second.explanation}"
    )
    assert "correct_answer" not in bare[-1].lower().replace(" ", "_")
    assert "Correct answer: yes" in told[-1]


def test_the_student_reads_one_explanation_and_never_a_demonstration() -> None:
    staged = compare()
    read = {r.address.path: r for r in staged.requests if r.agent == "sam"}
    assert [m.role for m in read["test", "q1", "alone", "sam.answer"].messages] == ["system", "user"]
    explained = read["test", "q1", "given", "sam.answer"].messages
    assert [m.content for m in explained[1:-1]] == ["tess: A person: 1."]
    everything = "\n".join(m.content for r in read.values() for m in r.messages)
    assert "explained to this student before" not in everything


def test_accuracies_and_paired_differences_are_those_of_the_answers() -> None:
    outcome = compare().outcome
    assert {kind: round(m.value, 3) for kind, m in outcome.accuracy.items()} == {
        "alone": 0.0, "personalised": 0.667, "unpersonalised": 0.0, "undemonstrated": 0.0, "rationalised": 0.0,
        "given": 0.0,
    }  # fmt: skip
    assert outcome.beyond_others["given"].value == pytest.approx(2 / 3)
    assert outcome.beyond_alone["unpersonalised"].value == 0
    assert "personalised" not in outcome.beyond_others
    lines = outcome.table().splitlines()
    assert lines[0].split("  ")[0] == "explanation"
    assert any(line.startswith("personalised ") and "0.667" in line for line in lines)


def test_calls_are_as_planned() -> None:
    staged = compare()
    plan = PersonalisedExplanations(teacher=TESS, student=SAM, practice=PRACTICE, items=ITEMS, kinds=KINDS).plan()
    # practice: 4 explanations; 4 answers, and 3 more after explanations of what was wrong. test: 4 kinds by the teacher
    assert plan.calls == {"tess": (4 + 3 * 3, 4 + 4 * 3), "sam": (4 + 5 * 3, 8 + 6 * 3)}
    assert sum(r.agent == "tess" for r in staged.requests) == 4 + 4 * 3
    assert sum(r.agent == "sam" for r in staged.requests) == 4 + 3 + 6 * 3


def test_without_a_useful_explanation_nothing_is_called_personalised() -> None:
    staged = compare(practice=[item for item in PRACTICE if item.id in ("p0", "p2")])
    assert staged.outcome.useful == []
    assert "personalised" not in staged.outcome.accuracy
    assert staged.outcome.notes[0].startswith("No explanation turned the student from wrong to right")
    assert not any("personalised" in r.address.path for r in staged.requests)


def test_a_practice_explanation_by_a_person_is_used_as_it_is() -> None:
    practice = [*PRACTICE[:3], PRACTICE[3].model_copy(update={"explanation": "As my aunt says."})]
    staged = compare(practice=practice)
    shown = {d.item: d.explanation for d in staged.outcome.demonstrations["personalised"]}
    assert shown["p3"] == "As my aunt says."
    assert not any(r.address.path[:2] == ("practice", "p3") and r.agent == "tess" for r in staged.requests)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="'given' explanations are compared, and the item 'x' brings none"):
        compare(items=[Item(id="x", question="?", answer="1")])
    with pytest.raises(UsageError, match="'p1' is both a practice item and a test item"):
        compare(items=[PRACTICE[1]], kinds=["personalised"])
    with pytest.raises(UsageError, match="the item 'x' has no answer"):
        compare(items=[Item(id="x", question="?")], kinds=["personalised"])


def test_it_is_drawn(tmp_path: Path) -> None:
    picture = compare().outcome.plot(tmp_path / "kinds.svg").read_text("utf-8")
    assert "personalised" in picture
    assert "rationalised" in picture
