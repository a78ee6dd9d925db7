import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.memory.answers import Answers, normal, same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes.", "yes"),
        ("yeah", "Yes"),
        ("Nope!", "no"),
        ("The Eiffel Tower", "eiffel tower"),
        ("Answer: Paris", "paris"),
        ("The answer is 42.", "42"),
        ("1,000", "1000"),
        ("42.0", "42"),
        ("  Tea,   please ", "tea please"),
        ("well-known", "well known"),
        ("“Mars”", "Mars"),
        ("−3", "-3"),
        ("-0", "0"),
        ("a", "A."),
    ],
)
def test_answers_that_say_the_same_have_one_form(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("yes", "no"),
        ("yes", "Yes, but only in the centre"),
        ("yes", "true"),
        ("C", "C++"),
        ("C++", "C#"),
        ("1.5", "15"),
        ("-5", "5"),
        ("1,5", "15"),
        ("not tea", "tea"),
        ("A", "the"),
        ("3:15", "315"),
        ("", "the"),
    ],
)
def test_answers_that_may_differ_are_kept_apart(one: str, other: str) -> None:
    assert not same(one, other)


@given(st.text())
def test_the_normal_form_is_stable(text: str) -> None:
    assert normal(normal(text)) == normal(text)


def test_a_group_is_called_by_the_option_or_by_the_form_first_seen() -> None:
    assert Answers(["Yes", "No"]).name("yes!") == "Yes"
    free = Answers()
    assert [free.name(a) for a in ("The Moon", "moon", "Mars", " the moon. ")] == [
        "The Moon",
        "The Moon",
        "Mars",
        "The Moon",
    ]


def test_an_option_is_matched_as_it_stands_before_its_normal_form_counts() -> None:
    options = Answers(["the a", "The A"])
    assert options.name("The A") == "The A"
    assert options.name("THE A") == "the a"


def test_an_answer_that_is_no_option_is_a_group_of_its_own() -> None:
    assert Answers(["tea", "coffee"]).name("water") == "water"
