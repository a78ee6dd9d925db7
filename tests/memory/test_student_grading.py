"""Right or wrong, from the text of an answer and the item alone."""

from __future__ import annotations

import pytest

from maieutic.memory.student.grading import chosen, is_right, last_word
from maieutic.memory.student.items import Item

HALVES = Item(
    id="halves",
    question="What is 1/2 + 1/3?",
    answer="5/6",
    aliases=("five sixths",),
    distractors={"2/5": "adds-denominators"},
    concepts=("fractions",),
)
CAPITAL = Item(id="capital", answer="Canberra", options=("Canberra", "Sydney", "The Hague"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5/6", "5/6"),
        ("One adds them.\nAnswer: 5/6", "5/6"),
        ("Answer: 1/6\nNo, wait.\n**Final answer:** 5/6.", "5/6."),
        ("The answer: is it 5/6?", "is it 5/6?"),
        ("  a line\nanother  ", "a line\nanother"),
        ("The answer is not obvious", "The answer is not obvious"),
    ],
)
def test_the_last_line_that_says_answer_counts(text: str, said: str) -> None:
    assert last_word(text) == said


@pytest.mark.parametrize("text", ["5/6", "Five sixths.", "Common denominator.\nAnswer: 5/6", "answer: five sixths"])
def test_an_answer_is_right_in_any_of_its_ways(text: str) -> None:
    assert is_right(HALVES, text) is True


@pytest.mark.parametrize("text", ["2/5", "It is not 5/6", "", "Answer: 5/6\nAnswer: 2/5"])
def test_another_answer_is_wrong(text: str) -> None:
    assert is_right(HALVES, text) is False


def test_without_a_known_answer_nothing_is_right_or_wrong() -> None:
    assert is_right(Item(id="open"), "anything") is None


def test_a_wrong_option_or_distractor_is_recognised_as_it_stands_in_the_item() -> None:
    assert chosen(HALVES, "Answer: 2/5.") == "2/5"
    assert chosen(CAPITAL, "the hague") == "The Hague"
    assert chosen(CAPITAL, "Canberra") is None
    assert chosen(HALVES, "7/6") is None


def test_a_choice_is_the_option_that_it_names_word_for_word() -> None:
    interval = Item(id="half-open", answer="[0, 1)", options=("[0, 1)", "(0, 1]", "True", "true"))
    assert [is_right(interval, option) for option in interval.options] == [True, False, False, False]
    assert is_right(interval, "Answer: (0, 1]") is False
    assert chosen(interval, "(0, 1]") == "(0, 1]"
    labelled = Item(id="label", answer="Answer: 3", options=("Answer: 3", "3"))
    assert is_right(labelled, "Answer: 3") is True
    assert is_right(labelled, "3") is False
