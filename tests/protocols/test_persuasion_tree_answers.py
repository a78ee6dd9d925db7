"""Which answer a turn holds, and when two answers are the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.protocols.persuasion.tree_answers import Read, alike, held_after, read_line, similarity, written_alike
from maieutic.protocols.persuasion.tree_turns import whole_sentences


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Answer: Paris\nIt lies on the Seine.", "Paris"),
        ("**Answer:** Paris.", "Paris"),
        ("**Answer**: “Paris”", "Paris"),
        ("My answer: Paris", "Paris"),
        ("Well.\nFinal answer: Paris", "Paris"),
        ("Answer: -5", "-5"),
        ("Answer: $3.50", "$3.50"),
        ("Answer: 12:30", "12:30"),
        ("I still say Paris. It is known.", "Paris"),
        ("No, I disagree: my answer is Rome.", "Rome"),
        ("You know better, and I agree: the answer is Rome.", "Rome"),
        ("I have changed my mind: Rome. Bo is right.", "Rome"),
        ("My answer stays yes: I should go.", "yes"),
        ("The answer is 3.5 because of it.", "3.5"),
        ("I say that it is Rome, because I was there.", "Rome"),
        ("Answer: Rome\nI agree with nobody; the answer is not Paris.", "Rome"),
    ],
)
def test_an_answer_is_read_in_words(said: str, answer: str) -> None:
    assert read_line(said) == Read("answer", answer)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("I agree. You know better.", "agree"),
        ("I fully agree with you.", "agree"),
        ("Answer: agree", "agree"),
        ("Answer: I disagree.", "disagree"),
        ("I disagree.", "disagree"),
        ("I don't agree at all.", "disagree"),
        ("The answer is not Paris.", "disagree"),
        ("Answer: none", "none"),
        ("Hm, hard to say.", "none"),
        ("", "none"),
        ("Answer:", "none"),
        ("Answer: …\nHm.", "none"),
    ],
)
def test_a_turn_may_name_no_answer(said: str, kind: str) -> None:
    assert read_line(said) == Read(kind)  # type: ignore[arg-type]


def test_only_the_speakers_answer_changes() -> None:
    before = {"ada": "Paris", "bo": "Rome"}
    assert held_after(before, "bo", "ada", Read("answer", "Lyon")) == {"ada": "Paris", "bo": "Lyon"}
    assert held_after(before, "bo", "ada", Read("agree")) == {"ada": "Paris", "bo": "Paris"}
    assert held_after(before, "bo", None, Read("agree")) == before
    assert held_after(before, "bo", "ada", Read("disagree")) == before
    assert held_after(before, "bo", "ada", Read("none")) == before
    assert held_after({"ada": None, "bo": "Rome"}, "bo", "ada", Read("agree"))["bo"] == "Rome"
    assert held_after(before, "bo", "ada", Read("answer", "the paris."), ["Paris"])["bo"] == "Paris"


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("Paris. It lies on the Seine", "Paris"),
        ("Paris! I am sure", "Paris"),
        ("Paris; I agree with you", "Paris"),
        ("Paris, because it is", "Paris"),
        ("Paris – it lies on the Seine", "Paris"),
        ("Paris (the capital of France)", "Paris"),
        ("(Paris)", "(Paris)"),
        ("f(x)", "f(x)"),
        ("St. Louis", "St. Louis"),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("Dr. Martin Luther King Jr", "Dr. Martin Luther King Jr"),
        ("Gen. Robert E. Lee", "Gen. Robert E. Lee"),
        ("Star Trek: the Motion Picture", "Star Trek: the Motion Picture"),
        ("12:30", "12:30"),
        ("1914 – 1918", "1914 – 1918"),
        ("I do not know", "Rome"),
        ("I don't know. It is hard to say", "Rome"),
    ],
)
def test_reasons_and_brackets_after_an_answer_are_no_part_of_it(line: str, held: str) -> None:
    assert held_after({"ada": "Rome"}, "ada", None, Read("answer", line))["ada"] == held


def test_an_option_is_taken_as_it_is_written() -> None:
    options = ["Mercury (planet)", "Yes. it always does", "unknown"]
    for option in options:
        assert held_after({"ada": None}, "ada", None, Read("answer", option), options)["ada"] == option
    assert held_after({"ada": None}, "ada", None, Read("answer", "Mars (planet)"), ["Mars"])["ada"] == "Mars"


@pytest.mark.parametrize(
    ("one", "other", "above", "same"),
    [
        ("Paris", "paris.", None, True),
        ("Paris", "Paris, France", 0.5, True),
        ("Paris", "Paris, France", None, False),
        ("Paris", "Paris, the capital of France", 0.5, False),
        ("York", "New York", 0.5, True),
        ("Rome", "Paris", 0.0, False),
        ("10", "100", 0.5, False),
        ("World War", "World War 2", 0.5, False),
        ("1066", "the year 1066", 0.3, True),
    ],
)
def test_answers_are_alike_if_one_contains_the_other(one: str, other: str, above: float | None, same: bool) -> None:
    assert alike(one, other, above) is same
    assert alike(other, one, above) is same


def test_two_options_are_never_alike() -> None:
    assert alike("male", "female", 0.5)
    assert not alike("male", "female", 0.5, ["male", "female"])
    assert alike("York", "New York", 0.5, ["New York", "Leeds"])


@pytest.mark.parametrize(
    ("held", "written"),
    [
        ({"ada": "Diego Rivera", "bo": "Rivera"}, {"ada": "Rivera", "bo": "Rivera"}),
        ({"ada": "Rivera", "bo": "Diego Rivera"}, {"ada": "Rivera", "bo": "Rivera"}),
        ({"ada": "Kahlo", "bo": "Frida Kahlo"}, {"ada": "Kahlo", "bo": "Kahlo"}),
        ({"ada": "Kahlo", "bo": "Rivera"}, {"ada": "Kahlo", "bo": "Rivera"}),
        ({"ada": "Diego Rivera", "bo": None}, {"ada": "Diego Rivera", "bo": None}),
    ],
)
def test_answers_that_are_alike_are_written_as_the_right_one_or_the_first(
    held: dict[str, str | None], written: dict[str, str | None]
) -> None:
    assert written_alike(held, lambda answer: answer == "Rivera", 0.5) == written


def test_similarity_by_hand() -> None:
    assert similarity("york", "new york") == pytest.approx(2 * 4 / 12)
    assert similarity("ab", "ba") == 0.5
    assert similarity("", "") == 1
    assert similarity("a", "") == 0


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_similarity_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == pytest.approx(similarity(other, one))
    assert similarity(one, one) == 1


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_can_be_read_and_cut(said: str) -> None:
    read_line(said)
    assert said.startswith(whole_sentences(said))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It is so. And", "It is so."),
        ("“It is so.” And", "“It is so.”"),
        ("Is it? It is 3.5 or", "Is it?"),
        ("no sentence", "no sentence"),
        ("Whole.", "Whole."),
    ],
)
def test_a_cut_text_ends_with_its_last_whole_sentence(text: str, kept: str) -> None:
    assert whole_sentences(text) == kept
