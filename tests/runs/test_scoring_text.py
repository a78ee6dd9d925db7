"""Scorers that compare an answer with the accepted ones."""

import asyncio
from typing import Any

import pytest

from maieutic.errors import UsageError
from maieutic.runs.scoring import RecordedRun, SampleItem, Score, Scorer, score_run, scorer_from, scorers, scorers_from
from maieutic.runs.scoring.numbers import numbers_in


def scored(
    given: str | dict[str, Any], answer: str | None, *target: str, options: tuple[str, ...] = (), own: Any = None
) -> float | None:
    scorer = scorer_from(given, own)
    item = SampleItem("1", {"question": "?"}, target, options)
    values, _ = asyncio.run(score_run([scorer], RecordedRun("r", answer), item))
    return values[scorer.name]


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ("The Eiffel Tower!", ("eiffel tower",), 1.0),
        ("NYC", ("New York", "NYC"), 1.0),
        ("Eiffel", ("Eiffel Tower",), 0.0),
        (None, ("yes",), 0.0),
        ("yes", (), None),
    ],
)
def test_exact_match_is_squads(answer: str | None, target: tuple[str, ...], value: float | None) -> None:
    assert scored("exact_match", answer, *target) == value


def test_exact_match_can_keep_signs_and_points_which_squads_form_drops() -> None:
    assert scored("exact_match", "-1.5", "15") == 1.0
    assert scored({"use": "exact_match", "form": "normal"}, "-1.5", "15") == 0.0
    assert scored({"use": "exact_match", "form": "normal"}, "the yes", "Yes.") == 1.0
    assert scored({"use": "exact_match", "form": "text"}, " yes ", "yes") == 1.0
    assert scored({"use": "exact_match", "form": "text"}, "Yes", "yes") == 0.0


def test_f1_counts_words_in_common_with_the_best_accepted_answer() -> None:
    assert scored("f1", "the big red dog", "red dog", "cat") == pytest.approx(0.8)  # 2 common of 3 and 2
    assert scored("f1", "a cat", "red dog", "cat") == 1.0
    assert scored("f1", "bird", "red dog") == 0.0


CITIES = ("Rome", "Paris", "New York", "York")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("B", 1.0),
        ("(b)", 1.0),
        ("b.", 1.0),
        ("**B**", 1.0),
        ("The answer is (B).", 1.0),
        ("Final answer: B", 1.0),
        ("B) Paris", 1.0),
        ("B - Paris", 1.0),
        ("paris", 1.0),
        ("It is Paris, of course.", 1.0),
        ("B) Rome", 0.0),
        ("A", 0.0),
        ("Rome or Paris", 0.0),
        ("neither", 0.0),
        ("E", 0.0),
        ("A city in France", 0.0),
    ],
)
def test_an_option_is_meant_by_its_letter_or_its_words(answer: str, value: float) -> None:
    assert scored("multiple_choice", answer, "Paris", options=CITIES) == value
    assert scored("multiple_choice", answer, "B", options=CITIES) == value


def test_an_option_within_a_longer_one_is_not_meant() -> None:
    assert scored("multiple_choice", "I say New York", "New York", options=CITIES) == 1.0
    assert scored("multiple_choice", "I say New York", "York", options=CITIES) == 0.0
    assert scored("multiple_choice", "York", "York", options=CITIES) == 1.0


def test_a_letter_that_is_itself_an_option_is_that_option() -> None:
    assert scored("multiple_choice", "B", "B", options=("B", "A")) == 1.0
    assert scored("multiple_choice", "B", "A", options=("B", "A")) == 0.0


def test_without_options_letters_are_compared() -> None:
    assert scored("multiple_choice", "The answer is (c)", "C") == 1.0
    assert scored("multiple_choice", "2.", "2") == 1.0
    assert scored("multiple_choice", "D", "C") == 0.0


def test_a_target_that_is_no_option_cannot_be_scored() -> None:
    assert scored("multiple_choice", "A", "Oslo", options=CITIES) is None


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("0.75", "3/4"),
        ("75%", "3/4"),
        ("75 percent", "0.75"),
        (r"\frac{3}{4}", "0.75"),
        (r"$\boxed{\dfrac{3}{4}}$", "0.75"),
        ("¾", "0.75"),
        ("1 3/4", "1.75"),
        ("1¾", "7/4"),
        ("1,250", "1250"),
        ("1 250", "1250"),
        ("1.25e3", "1250"),
        ("1.25 × 10^3", "1250"),
        ("1.25 \\times 10^{3}", "1250"),
        ("10⁻²", "0.01"),
        ("−5", "-5"),
        ("$18.00", "18"),
        ("18 dollars", "$18"),
        ("5 apples", "5"),
        ("5 apples", "5 apple"),
        ("x = 5.", "5"),
        ("5 km", "5000 m"),
        ("90 min", "1.5 hours"),
        ("50 cents", "$0.50"),
        ("5, that is 5.0", "5"),
        ("0.50", ".5"),
        ("-6/4", "-1.5"),
    ],
)
def test_numbers_that_are_the_same(answer: str, target: str) -> None:
    assert scored("numeric", answer, target) == 1.0


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("0.7500001", "3/4"),
        ("75", "75%"),
        ("5 m", "5 km"),
        ("5 apples", "5 pears"),
        ("5", "-5"),
        ("2 + 3 = 5", "5"),
        ("five", "5"),
        ("0.333", "1/3"),
        ("1/0", "1"),
        ("5 kg", "5 km"),
        ("1,5", "1.5"),
    ],
)
def test_numbers_that_are_not_the_same(answer: str, target: str) -> None:
    assert scored("numeric", answer, target) == 0.0


def test_what_is_lenient_about_numbers_is_said() -> None:
    def numeric(answer: str, target: str, **settings: Any) -> float | None:
        return scored({"use": "numeric", **settings}, answer, target)

    assert numeric("2 + 3 = 5", "5", take="last") == 1.0
    assert numeric("5 because 2 + 3", "5", take="first") == 1.0
    assert numeric("75", "75%", percent="number") == 1.0
    assert numeric("0.75", "75%", percent="number") == 0.0
    assert numeric("75", "75%", percent="either") == numeric("0.75", "75%", percent="either") == 1.0
    assert numeric("5 km", "5000 m", units="same") == 0.0
    assert numeric("5 m", "5 km", units="ignore") == 1.0
    assert numeric("0.333", "1/3", rounded=3) == numeric("0.67", "2/3", rounded=2) == 1.0
    assert numeric("0.33", "1/3", rounded=3) == numeric("0.66", "2/3", rounded=2) == 0.0
    assert numeric("33.3%", "1/3", rounded=3) == 1.0
    assert numeric("3.1", "3", tolerance=0.1) == 1.0
    assert numeric("3.11", "3", tolerance=0.1) == 0.0
    assert numeric("101", "100", relative=0.01) == 1.0
    assert numeric("102", "100", relative=0.01) == 0.0


def test_a_target_without_a_number_cannot_be_scored() -> None:
    assert scored("numeric", "5", "many") is None


def test_numbers_are_read_exactly() -> None:
    assert [str(number.value) for number in numbers_in("0.1 and 1/3, v2, 3e400, 1e999")] == [
        "1/10",
        "1/3",
        str(3 * 10**400),
    ]


def test_a_pattern_is_found_in_the_answer_or_catches_it() -> None:
    assert scored({"use": "regex", "pattern": r"^def \w+"}, "Here:\ndef f(): pass") == 1.0
    assert scored({"use": "regex", "pattern": "yes"}, "YES") == 0.0
    assert scored({"use": "regex", "pattern": "yes", "ignore_case": True}, "YES") == 1.0
    assert scored({"use": "regex", "pattern": "yes", "whole": True}, "yes, yes") == 0.0
    caught = {"use": "regex", "pattern": r"#### (?P<answer>\S+)"}
    assert scored(caught, "#### 3\n…\n#### 4", "4") == 1.0
    assert scored(caught, "#### 4\n…\n#### 3", "4") == 0.0
    assert scored(caught, "#### 4") is None


def test_functions_and_classes_of_the_hosts_own_are_scorers() -> None:
    class Length:
        needs = "nothing"

        def __init__(self, name: str = "length", most: int = 10) -> None:
            self.name, self.most = name, most

        async def score(self, run: RecordedRun, item: SampleItem, at: object) -> Score:
            return Score(min(1.0, len(run.answer or "") / self.most))

    async def soon(run: RecordedRun, item: SampleItem) -> float:
        return 0.25

    own: dict[str, Any] = {
        "short": lambda run, item: len(run.answer or "") < 4,
        "soon": soon,
        "length": Length,
        "two": lambda r, i: 2,
    }
    assert isinstance(scorer_from("length", own), Scorer)
    assert scored("short", "yes", own=own) == 1.0
    assert scored("soon", "yes", own=own) == 0.25
    assert scored({"use": "length", "most": 4}, "yes", own=own) == 0.75
    with pytest.raises(UsageError, match="the scorer 'two': a score lies between 0 and 1"):
        scored("two", "yes", own=own)
    with pytest.raises(UsageError, match="the scorer 'text' gave 'good'; give a Score, a number from 0 to 1"):
        scored("text", "yes", own={"text": lambda run, item: "good"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("exact_macth", "unknown scorer 'exact_macth'; did you mean 'exact_match'. There are: exact_match, f1"),
        (
            {"use": "numeric", "tolerence": 1},
            "the scorer 'numeric' has no setting 'tolerence'; did you mean",
        ),
        ({"use": "numeric", "tolerance": 1, "relative": 0.1}, "give tolerance or relative, not both"),
        ({"use": "regex", "pattern": "("}, "is no regular expression: missing \\)"),
        ({"name": "x"}, "a scorer is its name, or its name after `use:` with settings"),
        (
            {"use": "judge", "models": "sim/critic", "rubric": "r", "low": 5, "high": 5},
            "low \\(5\\) must be below high",
        ),
        ({"use": "judge", "models": "sim/critic", "rubric": {"is it": "good?"}}, "a criterion is called by one word"),
        ({"use": "goals", "models": ["sim/critic"] * 2}, "2 models have no majority"),
    ],
)
def test_a_scorer_that_cannot_be_made_says_why(given: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scorer_from(given)


def test_two_scorers_need_two_names() -> None:
    close = {"use": "numeric", "relative": 0.1}
    with pytest.raises(UsageError, match="two scorers are called 'numeric'"):
        scorers_from(["numeric", close])
    assert [s.name for s in scorers_from(["numeric", {**close, "name": "close"}])] == ["numeric", "close"]


def test_every_scorer_of_ours_is_listed() -> None:
    assert {"exact_match", "f1", "goals", "judge", "multiple_choice", "numeric", "pairwise", "regex"} <= set(scorers())
