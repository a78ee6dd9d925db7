"""Router-R1's reward against values worked out by hand."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from maieutic.protocols.routing.reward import (
    CostReward,
    FormatReward,
    OutcomeReward,
    RouterReward,
    exact_match,
    squad_f1,
    squad_normal,
)

NAMES = {"small": "Small", "large-70b": "Large-70B"}
GOOD = (
    "<think>Hm.</think>\n<search>Small: Who wrote Emma?</search>\n\n<information>Jane Austen.</information>\n\n"
    "<think>So.</think><answer>Jane Austen</answer>"
)


def resolve(name: str) -> str | None:
    return NAMES.get(name.casefold())


def broken(text: str) -> list[str]:
    return [*FormatReward().broken(text, resolve)]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("An apple, a day", "apple day"),
        ("A.B.C.", "abc"),
        ("the-end", "theend"),  # punctuation goes before articles, as in SQuAD's script
        ("Théâtre", "théâtre"),
        ("“quoted”", "“quoted”"),  # only ASCII punctuation counts
        ("the the", ""),
    ],
)
def test_the_normal_form_is_that_of_squad(text: str, normal: str) -> None:
    assert squad_normal(text) == normal


def test_exact_match_takes_any_alias() -> None:
    assert exact_match("the United States.", ["USA", "United States"]) == 1
    assert exact_match("United States of America", ["USA", "United States"]) == 0
    assert exact_match("x", []) == 0


def test_f1_is_that_of_the_alias_that_fits_best() -> None:
    # "jane austen novelist" and "jane austen": 2 common words, precision 2/3, recall 1, F1 0.8
    assert squad_f1("Jane Austen, the novelist", ["Austen", "Jane Austen"]) == pytest.approx(0.8)
    assert squad_f1("red red", ["red blue"]) == pytest.approx(0.5)  # a word counts as often as it stands
    assert squad_f1("the", ["a"]) == 1  # both empty
    assert squad_f1("the", ["b"]) == 0


def test_an_episode_in_form_breaks_nothing() -> None:
    assert broken(GOOD) == []
    assert FormatReward().score(f"  {GOOD}\n", resolve) == 0
    assert FormatReward().score("<think>I know.</think><answer>4</answer>", resolve) == 0


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("<think>So.</think>", "<think>So.", ["unbalanced", "nested"]),
        ("<think>So.</think>", "</think>", ["unbalanced"]),
        ("<think>Hm.</think>", "Well. <think>Hm.</think>", ["begins_without_think"]),
        ("</answer>", "</answer> I hope.", ["ends_without_answer"]),
        ("<answer>Jane Austen</answer>", "<answer>x</answer><answer>y</answer>", ["not_one_answer"]),
        ("<answer>Jane Austen</answer>", "", ["ends_without_answer", "not_one_answer"]),
        ("<think>So.</think>", "<think> ... </think>", ["empty_think"]),
        ("<think>So.</think>", "<think></think>", ["empty_think"]),
        ("<think>Hm.</think>", "<think>a <think>b</think></think>", ["nested"]),
        ("<information>Jane Austen.</information>", "", ["search_without_information"]),
        ("Small: Who", "Small: Novels: who", ["colon"]),
        ("Small: Who", "Small who", ["colon"]),
        ("Small: Who", "Medium: Who", ["unknown_model"]),
        ("Small: Who wrote Emma?", "Small: ", ["empty_query"]),
        ("Small: Who wrote Emma?", "NAME: Who?", ["placeholder"]),
        ("Small: Who wrote Emma?", "Small: sub-query", ["placeholder"]),
        ("Small: Who wrote Emma?", "Small: What does SMALL say?", ["query_names_model"]),
    ],
)
def test_each_rule_of_the_format(old: str, new: str, rules: list[str]) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    assert broken(text) == rules
    assert FormatReward().score(text, resolve) == -1


def test_no_thought_at_all_is_out_of_form() -> None:
    assert broken("<answer>4</answer>") == ["begins_without_think", "no_think"]


def test_the_first_cost_alone_is_in_the_middle() -> None:
    cost = CostReward()
    assert cost.window == []
    assert cost.score(100.0) == 0.5  # lo = hi
    assert cost.window == [10.0]


def test_a_window_of_one_has_only_a_middle_and_one_of_none_is_refused() -> None:
    cost = CostReward(size=1)
    assert cost.peek(9.0) == 0.5  # nothing was seen before
    assert [cost.score(100.0), cost.score(1.0), cost.peek(9.0)] == [0.5, 0.5, 0.5]
    assert cost.window == [1.0]
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        CostReward(size=0)


def test_of_two_costs_the_dearer_gets_nothing_and_the_cheaper_everything() -> None:
    cost = CostReward(window=[2.0])
    # window [2, 4]: lo = 2 + 2 * 0.05 = 2.1, hi = 3.9; r = 4 is beyond hi
    assert cost.score(16.0) == 0.0
    # window [2, 4, 3]: lo = 2.1, hi = 3.9, r = 3: 1 - 0.9 / 1.8
    assert cost.score(9.0) == pytest.approx(0.5)
    # window [2, 4, 3, 2.5]: positions 0.15 and 2.85: lo = 2.075, hi = 3.85, r = 2.5: 1 - 0.425 / 1.775
    assert cost.score(6.25) == pytest.approx(1 - 0.425 / 1.775)
    assert CostReward(window=[4.0]).score(4.0) == 1.0  # window [4, 2], r = 2 is below lo


def test_costs_that_hardly_differ_are_in_the_middle() -> None:
    cost = CostReward(window=[1.0, 1.0, 1.0])
    assert cost.score(1.0) == 0.5
    assert CostReward(window=[1.0]).score((1.0 + 1e-9) ** 2) == 0.5


def test_beyond_a_thousand_the_oldest_are_forgotten() -> None:
    cost = CostReward()
    for i in range(1500):
        cost.score(float(i * i))
    assert len(cost.window) == 1000
    assert (cost.window[0], cost.window[-1]) == (500.0, 1499.0)
    # window 501 ... 1500 after the next: positions 49.95 and 949.05: lo = 550.95, hi = 1450.05
    assert cost.peek(1500.0**2) == 0.0
    # 501 ... 1499, and 1000 once more: lo = 550.95 as before, hi = 1449.05
    assert cost.score(1000.0**2) == pytest.approx(1 - 449.05 / 898.1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.integers(1, 8))
def test_it_agrees_with_numpy(costs: list[float], size: int) -> None:
    import numpy as np

    reward = CostReward(size=size)
    roots: list[float] = []
    for raw in costs:
        found = reward.score(raw)
        roots = [*roots, float(np.sqrt(raw))][-size:]
        low, high = np.percentile(roots, 5), np.percentile(roots, 95)
        wanted = 0.5 if high - low < 1e-8 else 1 - float(np.clip((roots[-1] - low) / (high - low), 0, 1))
        assert found == pytest.approx(wanted, abs=1e-6)


def test_the_window_is_kept_in_writing() -> None:
    generator = random.Random(5)
    cost = CostReward(size=20)
    for _ in range(30):
        cost.score(generator.uniform(0, 100))
    other = CostReward.from_json(json.loads(json.dumps(cost.to_json())))
    assert other == cost
    assert other.score(50.0) == cost.score(50.0)
    whole = RouterReward(alpha=0.3, cost=cost, credit="paper")
    assert RouterReward.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def test_looking_leaves_the_window_as_it_is() -> None:
    cost = CostReward(window=[2.0])
    assert cost.peek(16.0) == 0.0
    assert cost.window == [2.0]


def test_two_objects_do_not_share_a_window() -> None:
    one, other = RouterReward(), RouterReward()
    one.cost.score(4.0)
    assert other.cost.window == []


@pytest.mark.parametrize(
    ("credit", "form", "outcome", "cost", "total"),
    [
        ("paper", 0, 1.0, 0.5, 0.4 * 1 + 0.6 * 0.5),
        ("code", 0, 1.0, 0.5, 0.4 * 1 + 0.6 * 0.5),
        ("paper", 0, 0.0, 0.5, 0.6 * 0.5),  # the difference between formula and code
        ("code", 0, 0.0, 0.5, 0.0),
        ("code", 0, 0.25, 0.5, 0.4 * 0.25 + 0.6 * 0.5),  # F1: any overlap is paid
        ("paper", -1, 1.0, 1.0, -1.0),
        ("code", -1, 1.0, 1.0, -1.0),
        ("paper", -1, None, None, -1.0),
        ("paper", 0, None, 0.5, None),
        ("code", 0, 1.0, None, None),
        ("code", 0, 0.0, None, 0.0),  # the cost does not count here
        ("paper", 0, 0.0, None, None),
    ],
)
def test_the_total(credit: str, form: int, outcome: float | None, cost: float | None, total: float | None) -> None:
    reward = RouterReward.model_validate({"alpha": 0.6, "credit": credit})
    found = reward.total(form, outcome=outcome, cost=cost)
    assert found == (None if total is None else pytest.approx(total))


def test_without_weight_on_cost_an_unknown_cost_does_no_harm() -> None:
    assert RouterReward(alpha=0).total(0, outcome=1.0, cost=None) == 1.0


def test_a_whole_episode() -> None:
    reward = RouterReward(alpha=0.6)
    reward.cost.window.append(2.0)
    report = reward.score(GOOD, resolve, answer="jane austen!", accepted=["Jane Austen"], raw_cost=9.0)
    assert (report.format, report.broken, report.outcome, report.raw_cost) == (0, [], 1.0, 9.0)
    assert report.cost == 0.0  # 3 is the dearer of two
    assert report.total == pytest.approx(0.4)
    assert reward.cost.window == [2.0, 3.0]


def test_an_unknown_cost_enters_no_window() -> None:
    reward = RouterReward(alpha=0.6)
    report = reward.score(GOOD, resolve, answer="x", accepted=["y"], raw_cost=None)
    assert (report.cost, report.total, reward.cost.window) == (None, 0.0, [])


def test_the_format_can_be_left_out_of_the_sum() -> None:
    reward = RouterReward(form=False)
    report = reward.score("<answer>4</answer>", resolve, answer="4", accepted=["4"], raw_cost=0.0)
    assert (report.format, report.total) == (-1, 1.0)


def test_a_scorer_of_ones_own() -> None:
    half = OutcomeReward(metric="own", scorer=lambda answer, accepted: 0.5)
    assert half.score("x", ["y"]) == 0.5
    assert half.score(None, ["y"]) == 0
    with pytest.raises(ValueError, match="no scorer was given"):
        OutcomeReward(metric="own").score("x", ["y"])
    with pytest.raises(ValueError, match=r"gave 2\.0; a score lies between 0 and 1"):
        OutcomeReward(metric="own", scorer=lambda answer, accepted: 2.0).score("x", ["y"])
    with pytest.raises(ValidationError, match="counts only with metric 'own'"):
        OutcomeReward(scorer=lambda answer, accepted: 1.0)
    with pytest.raises(ValidationError, match=r"low \(0\.9\) must be below high \(0\.1\)"):
        CostReward(low=0.9, high=0.1)
