"""The teacher's next move: every rule at the numbers where it turns."""

import pytest

from maieutic.memory.student import ConceptGraph, Item, StudentModel
from maieutic.protocols.tutor import Exercise, Rules, choose

RULES = Rules()


def course(**priors: float) -> ConceptGraph:
    concepts = ConceptGraph(
        [
            Item(id="d1", question="6 / 3?", answer="2", concepts=("division",)),
            Item(id="d2", question="8 / 4?", answer="2", concepts=("division",)),
            Item(id="f1", question="1/2 + 1/4?", answer="3/4", concepts=("fractions",), distractors={"2/6": "adds"}),
        ]
    )
    concepts.add("division", prior=priors.get("division", 0.5))
    concepts.add("fractions", needs={"division": 1.0}, prior=priors.get("fractions", 0.5), misconceptions={"adds": ""})
    return concepts


def test_what_is_uncertain_is_found_out_before_it_is_taught() -> None:
    model = StudentModel(course())
    choice = choose(model, model.items, RULES)
    assert (choice.move, choice.concept, choice.item) == ("try", "division", "d1")
    assert choice.reasons == (
        "mastery of division is 0.50, uncertain by 1.00 bits",
        "P(right) on d1 is 0.55, so the answer will tell much",
    )


def test_what_is_surely_unknown_is_introduced_by_an_example() -> None:
    model = StudentModel(course(division=0.05))
    assert choose(model, model.items, RULES).move == "example"
    assert choose(model, model.items, RULES, taught=["division"]).move == "try"


def test_nothing_is_taught_before_what_it_needs() -> None:
    model = StudentModel(course(division=0.3, fractions=0.9))
    assert choose(model, model.items, RULES).concept == "division"
    known = StudentModel(course(division=0.95))
    assert choose(known, known.items, RULES).concept == "fractions"


def test_the_exercise_set_least_often_comes_first() -> None:
    model = StudentModel(course())
    assert choose(model, model.items, RULES, used={"d1": 1}).item == "d2"


def test_a_wrong_answer_to_what_may_be_known_gets_a_hint_first() -> None:
    model = StudentModel(course(division=0.9))
    model.answered("d1", correct=False)
    assert model.mastery("division") > RULES.near
    choice = choose(model, model.items, RULES, exercise=Exercise("d1", wrong=1))
    assert (choice.move, choice.item) == ("hint", "d1")


def test_a_wrong_answer_to_what_is_not_known_gets_an_explanation() -> None:
    model = StudentModel(course(division=0.3))
    model.answered("d1", correct=False)
    choice = choose(model, model.items, RULES, exercise=Exercise("d1", wrong=1))
    assert choice.move == "explain"
    assert choice.reasons[0] == "d1 was answered wrong once"
    predicted = model.predict("d1")
    assert f"from {predicted.alone:.2f} to {predicted.explained:.2f}" in choice.reasons[-1]


def test_a_misconception_is_explained_away_even_where_a_hint_might_do() -> None:
    model = StudentModel(course(division=0.99, fractions=0.7))
    model.answered("f1", choice="2/6")
    assert model.misconception("fractions")["adds"] >= RULES.believes
    choice = choose(model, model.items, RULES, exercise=Exercise("f1", wrong=1))
    assert choice.move == "explain"
    assert "probably believes 'adds'" in choice.reasons[1], "the name stands where it has no words"
    model.concepts.add("fractions", needs=["division"], prior=0.7, misconceptions={"adds": "1/2 + 1/3 = 2/5"})
    said = choose(model, model.items, RULES, exercise=Exercise("f1", wrong=1)).reasons[1]
    assert "probably believes '1/2 + 1/3 = 2/5'" in said


def test_a_misconception_that_outlasts_its_explanation_is_met_by_an_example() -> None:
    model = StudentModel(course(division=0.99, fractions=0.7))
    model.answered("f1", choice="2/6")
    choice = choose(model, model.items, RULES, exercise=Exercise("f1", wrong=2, helped=("explain",)))
    assert (choice.move, choice.believes) == ("example", "adds")


def test_told_exercises_are_not_set_again() -> None:
    model = StudentModel(course())
    assert choose(model, model.items, RULES, told={"d1"}).item == "d2"
    asked = choose(model, model.items, RULES, told={"d1", "d2"})
    assert (asked.move, asked.concept, asked.item) == ("ask", "division", None)


@pytest.mark.parametrize(
    ("wrong", "helped", "move"),
    [(2, ("hint",), "explain"), (2, ("explain",), "example"), (1, ("explain",), "example")],
)
def test_help_grows_with_what_was_not_enough(wrong: int, helped: tuple[str, ...], move: str) -> None:
    model = StudentModel(course(division=0.9))
    exercise = Exercise("d1", wrong, helped)  # type: ignore[arg-type]
    assert choose(model, model.items, RULES, exercise=exercise).move == move


def test_after_three_wrong_answers_another_exercise_is_set() -> None:
    model = StudentModel(course())
    choice = choose(model, model.items, RULES, exercise=Exercise("d1", wrong=3, helped=("hint", "explain")))
    assert (choice.move, choice.item) == ("try", "d2")


def test_without_an_exercise_the_teacher_asks_or_shows() -> None:
    concepts = ConceptGraph()
    concepts.add("tides", prior=0.5)
    asked = choose(StudentModel(concepts), {}, RULES)
    assert (asked.move, asked.item) == ("ask", None)
    concepts.add("tides", prior=0.05)
    assert choose(StudentModel(concepts), {}, RULES).move == "example"


def test_when_everything_is_mastered_the_lesson_is_over() -> None:
    model = StudentModel(course(division=0.99, fractions=0.99))
    assert choose(model, model.items, RULES).move == "done"


def test_the_numbers_can_be_set() -> None:
    model = StudentModel(course(division=0.6))
    assert choose(model, model.items, Rules(mastered=0.55)).concept == "fractions"
