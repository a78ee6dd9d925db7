"""Who moved whom, over debates whose course is known."""

from pathlib import Path

import pytest

from maieutic.agents import Debater
from maieutic.backends.scripted import Line
from maieutic.errors import UsageError
from maieutic.protocols import Debate
from maieutic.protocols.influence import Move, moves_said
from maieutic.protocols.swings import Course, InfluenceMatrix, influence_matrix, swings
from maieutic.testing.staged import play


def move(who: str, to: str, by: list[str], label: str) -> Move:
    return Move.model_validate({"debater": who, "round": 1, "before": "x", "after": to, "moved_by": by, "label": label})


def test_an_agent_that_wins_others_over_has_a_positive_swing() -> None:
    courses = [
        Course({"ada": "yes", "bo": "no"}, {"ada": "yes", "bo": "yes"}, [move("bo", "yes", ["ada"], "argument")]),
        Course({"ada": "yes", "bo": "no"}, {"ada": "yes", "bo": "no"}, []),
        Course({"ada": "yes", "bo": "yes"}, {"ada": "yes", "bo": "yes"}, []),
        Course({"ada": "yes", "bo": "no"}, {"ada": "no", "bo": "no"}, [move("ada", "no", ["bo"], "argument")]),
        Course({"ada": "yes", "bo": "no"}, {"ada": "yes", "bo": "Yes."}, [move("bo", "yes", ["ada"], "argument")]),
    ]
    ada, bo = swings(courses)
    assert (ada.disagreed, ada.won, ada.gave_in, ada.swing) == (4, 2, 1, 0.25)
    assert bo.swing == -0.25
    assert (ada.own_gain, ada.others_gain) == (None, None)  # nobody said what is right


def test_gains_need_the_right_answers() -> None:
    course = Course({"ada": "yes", "bo": "no"}, {"ada": "yes", "bo": "yes"}, [], right=["yes"])
    ada, bo = swings([course, Course(course.first, course.first, [], right=["perhaps"])])
    assert (ada.own_gain, ada.others_gain) == (0, 0.5)
    assert (bo.own_gain, bo.others_gain) == (0.5, 0)


def test_a_change_that_several_can_have_caused_is_divided_and_conformity_stands_apart() -> None:
    first = {"ada": "yes", "bo": "yes", "cy": "yes", "di": "no"}
    last = {"ada": "yes", "bo": "yes", "cy": "no", "di": "yes"}
    moved = [
        move("di", "yes", ["ada", "bo"], "conformity"),
        move("cy", "no", ["di"], "argument"),
        move("di", "x", [], "own"),
    ]
    matrix = influence_matrix([Course(first, last, moved)])
    assert [(matrix.cell(by, "di").argument, matrix.cell(by, "di").conformity) for by in ("ada", "bo", "cy")] == [
        (0, 0.5), (0, 0.5), (0, 0),
    ]  # fmt: skip
    assert matrix.cell("di", "cy").moved == 1
    assert matrix.cell("di", "cy").disagreed == 1
    assert matrix.cell("ada", "bo").disagreed == 0
    assert matrix.own["di"] == 1
    lines = matrix.table().splitlines()
    assert lines[1].split("  ")[0] == "ada"
    assert "0 + 0.5 of 1" in lines[1]
    assert lines[-1] == "To an answer that nobody held before: di 1"


def test_moves_are_read_off_what_was_said() -> None:
    said = [("ada", "yes"), ("bo", "no"), ("cy", "no"), ("ada", "no"), ("bo", "perhaps"), ("cy", "yes"), ("bo", "no")]
    found = [(each.debater, each.round, each.after, each.moved_by, each.label) for each in moves_said(said)]
    assert found == [
        ("ada", 4, "no", ["bo", "cy"], "conformity"),  # two of three held it
        ("bo", 5, "perhaps", [], "own"),
        ("cy", 6, "yes", ["ada"], "argument"),  # she had said so first, though she holds it no more
        ("bo", 7, "no", ["ada", "cy"], "argument"),  # one of three
    ]


def test_debates_with_probes_have_a_course() -> None:
    position = [{"answer": answer, "confidence": 0.5} for answer in ("yes", "no", "yes", "yes")]
    debate = Debate([Debater("ada", "scripted/a"), Debater("bo", "scripted/b")], rounds=1)
    lines: dict[str, list[Line]] = {"ada": [position[0], "Yes.", position[2]], "bo": [position[1], "No.", position[3]]}
    outcome = play(debate, lines, "Should we?").outcome
    course = Course.of(outcome, right=["yes"])
    assert (course.first, course.last) == ({"ada": "yes", "bo": "no"}, {"ada": "yes", "bo": "yes"})
    assert swings([course])[0].swing == 1
    assert influence_matrix([course]).cell("ada", "bo").argument == 1


def test_a_matrix_is_drawn(tmp_path: Path) -> None:
    matrix = influence_matrix([Course({"ada": "yes", "bo": "no"}, {"ada": "yes", "bo": "no"}, [])])
    assert "ada" in matrix.plot(tmp_path / "matrix.svg").read_text("utf-8")
    with pytest.raises(UsageError, match="nothing to draw"):
        InfluenceMatrix().plot(tmp_path / "none.svg")
