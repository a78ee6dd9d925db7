"""Statistics on fixed data, beside scipy, statsmodels and published worked examples."""

import doctest
import itertools
import math
from collections.abc import Hashable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]
from statsmodels.stats.power import TTestPower  # type: ignore[import-untyped]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]

from maieutic.errors import UsageError
from maieutic.protocols.intervals import Interval
from maieutic.runs.experiments import Result, Results
from maieutic.runs.statistics import (
    Settings,
    agreement,
    compare_pairs,
    corrected,
    estimate,
    extra,
    fronts,
    goal_success,
    items_needed,
    items_needed_for_shares,
    krippendorff,
    matched,
    mcnemar,
    plan_from,
    power,
    power_for_shares,
    samples_of,
    sign_flip,
    summarise,
    wilcoxon,
)

SCORES = [0.1, 0.9, 0.4, 0.4, 0.7, 0.2, 1.0, 0.6, 0.3, 0.8, 0.5, 0.5]


def result(condition: str, item: str, value: float | None, repeat: int = 0, **more: Any) -> Result:
    fields: dict[str, Any] = {"calls": 1, "tokens_in": 100, "tokens_out": 10, "usd": 0.01, **more}
    run = f"{condition}-{item}-{repeat}"
    return Result("exp", condition, item, repeat, 0, run, "done", scores={"s": value}, **fields)


# -- one condition ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (8, 10), (57, 100)])
def test_a_share_of_independent_items_has_wilsons_interval(right: int, n: int) -> None:
    found = estimate([1.0] * right + [0.0] * (n - right))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-12)
    assert (found.method, found.value) == ("wilson", right / n)


def test_other_values_have_scipys_bootstrap() -> None:
    found = estimate(SCORES, seed=3)
    assert found is not None
    rng = np.random.default_rng(3)
    wanted = stats.bootstrap((SCORES,), np.mean, n_resamples=2000, rng=rng).confidence_interval
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_repeats_of_an_item_are_drawn_together() -> None:
    groups = [n for n in range(len(SCORES)) for _ in range(5)]
    alone, repeated = estimate(SCORES, seed=1), estimate(np.repeat(SCORES, 5), groups, seed=1)
    assert alone is not None
    assert repeated is not None
    assert repeated.interval.low == pytest.approx(alone.interval.low)  # the same answer five times tells nothing new
    assert (repeated.n, repeated.groups) == (60, 12)


def test_groups_of_different_sizes_count_by_their_values() -> None:
    found = estimate([1.0, 1.0, 1.0, 0.0, 0.5], ["a", "a", "a", "b", "c"])
    assert found is not None
    assert found.value == pytest.approx(0.7)


def test_repeats_that_are_all_right_count_as_one_item_each() -> None:
    found = estimate([1.0] * 12, [n // 4 for n in range(12)])
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_confint(3, 3, method="wilson"))


def test_scores_that_are_all_the_same_may_differ_where_nobody_looked_and_costs_may_not() -> None:
    rare = proportion_confint(0, 10, method="wilson")[1]
    score, cost = estimate([0.5] * 10), estimate([0.5] * 10, bounded=False)
    assert score is not None
    assert cost is not None
    assert (score.low, score.high) == pytest.approx((0.5 - rare / 2, 0.5 + rare / 2))
    assert (cost.low, cost.high) == (0.5, 0.5)


def test_of_one_group_nothing_can_be_said_and_of_no_values_nothing_at_all() -> None:
    found = estimate([0.2, 0.4], ["a", "a"])
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert (found.method, found.few) == ("none", True)
    assert estimate([]) is None


@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=1, max_size=12), st.integers(0, 3))
def test_an_interval_is_finite_and_lies_among_the_values_whatever_they_are(values: list[float], seed: int) -> None:
    found = estimate(values, resamples=40, seed=seed)
    assert found is not None
    assert 0.0 <= found.low <= found.high <= 1.0
    if found.method == "bootstrap":
        assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="finite"):
        estimate([1.0, math.nan])
    with pytest.raises(UsageError, match="2 values need as many groups, not 1"):
        estimate([1.0, 0.5], ["a"])
    with pytest.raises(UsageError, match="between 0 and 1"):
        estimate([1.0, 0.5], level=95)


# -- two conditions ---------------------------------------------------------------------------------------------------


def pairs(
    first: Sequence[float], second: Sequence[float], groups: dict[str, Hashable] | None = None, **how: Any
) -> Any:
    return compare_pairs(
        {f"q{n}": [value] for n, value in enumerate(first)},
        {f"q{n}": [value] for n, value in enumerate(second)},
        groups,
        **how,
    )


def test_right_and_wrong_are_compared_by_mcnemars_exact_test() -> None:
    first = [1.0] * 8 + [0.0] * 2 + [1.0] * 30
    second = [0.0] * 8 + [1.0] * 2 + [1.0] * 30
    found = pairs(first, second)
    assert found.test == "mcnemar"
    assert found.p == pytest.approx(reference_mcnemar([[30, 8], [2, 0]], exact=True).pvalue, abs=1e-12)
    assert (found.wins, found.losses, found.ties, found.odds_ratio) == (8, 2, 30, 4.0)
    assert found.difference.value == pytest.approx(0.15)
    assert found.superiority == pytest.approx(0.575)


def test_scores_are_compared_by_flipping_signs() -> None:
    apart = [0.3, -0.1, 0.2, 0.25, 0.05, -0.02, 0.4]
    means = [
        np.mean([s * a for s, a in zip(signs, apart, strict=True)]) for signs in itertools.product((1, -1), repeat=7)
    ]
    exact = np.mean([abs(mean) >= np.mean(apart) - 1e-12 for mean in means])
    found = pairs(apart, [0.0] * 7)
    assert found.test == "permutation"
    assert found.p == pytest.approx(exact)
    assert found.effect == pytest.approx(np.mean(apart) / np.std(apart, ddof=1))


def test_wilcoxons_test_is_there_for_marks() -> None:
    apart = [0.5, -0.25, 0.75, 0.25, 0.25, 0.0, 1.0]
    assert pairs(apart, [0.0] * 7, test="wilcoxon").p == pytest.approx(
        stats.wilcoxon(apart, zero_method="pratt").pvalue
    )


def test_repeats_are_averaged_and_groups_flipped_as_one() -> None:
    first = {"a": [1.0, 0.0, 1.0], "b": [1.0], "c": [0.5]}
    second = {"a": [0.0, 0.0, 1.0], "b": [0.0], "d": [1.0]}
    found = compare_pairs(first, second)
    assert found is not None
    assert found.items == 2
    assert found.difference.value == pytest.approx((1 / 3 + 1) / 2)
    assert found.test == "permutation"
    together = compare_pairs(first, second, {"a": "g", "b": "g"})
    assert together is not None
    assert together.p == 1.0  # one group: its sign alone tells nothing


def test_conditions_that_never_differ_may_differ_on_what_was_not_seen() -> None:
    found = pairs([1.0] * 20, [1.0] * 20)
    rare = proportion_confint(0, 20, method="wilson")[1]
    assert (found.difference.low, found.difference.high) == pytest.approx((-rare, rare))
    assert (found.p, found.effect, found.odds_ratio) == (1.0, None, None)
    assert pairs([1.0] * 20, [0.0] * 20).difference.high == 1.0


def test_nothing_in_common_is_no_comparison() -> None:
    assert compare_pairs({"a": [1.0]}, {"b": [1.0]}) is None


def test_mcnemars_test_is_refused_where_it_does_not_fit() -> None:
    with pytest.raises(UsageError, match="McNemar's test needs items that stand alone"):
        pairs([0.5, 1.0], [0.0, 1.0], test="mcnemar")


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemars_test_does_not_know_first_from_second(one: int, other: int) -> None:
    assert mcnemar(one, other) == mcnemar(other, one)
    assert 0 < mcnemar(one, other) <= 1


def test_no_difference_at_all_is_no_finding() -> None:
    assert sign_flip([0.0] * 5) == wilcoxon([0.0] * 5) == mcnemar(0, 0) == 1.0


P = [0.001, 0.04, 0.03, 0.2, 0.01]


@pytest.mark.parametrize(("ours", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_p_values_are_corrected_as_statsmodels_does(ours: Any, theirs: str) -> None:
    assert corrected(P, ours) == pytest.approx(multipletests(P, method=theirs)[1])


def test_holms_correction_by_hand() -> None:
    assert corrected([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert corrected([0.01, 0.04], "none") == [0.01, 0.04]
    assert corrected([]) == []
    with pytest.raises(UsageError, match="a p-value lies between 0 and 1"):
        corrected([1.2])


# -- agreement --------------------------------------------------------------------------------------------------------

BINARY = ("0100000010", "1110010000")
NAMES = ("aabbdcccedda", "babbbccceddd")
FOUR = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def units(raters: Sequence[str]) -> list[list[Any]]:
    columns = zip(*raters, strict=True)
    return [[int(m) if m.isdigit() else m for m in column if m != "."] for column in columns]


@pytest.mark.parametrize(
    ("raters", "level", "alpha"),
    [
        (BINARY, "nominal", 0.095),
        (NAMES, "nominal", 0.692),
        (FOUR, "nominal", 0.743),
        (FOUR, "ordinal", 0.815),
        (FOUR, "interval", 0.849),
        (FOUR, "ratio", 0.797),
    ],
)
def test_krippendorffs_alpha_of_his_worked_examples(raters: Sequence[str], level: Any, alpha: float) -> None:
    """Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, parts A to E."""
    found = krippendorff(units(raters), level)
    assert found is not None
    assert round(found, 3) == alpha


def test_alpha_is_not_defined_without_variation_or_pairs() -> None:
    assert krippendorff([(1, 1), (1, 1)]) is None
    assert krippendorff([(1,), (2,)]) is None
    assert krippendorff([(1, 1), (2, 2)], "interval") == 1.0
    with pytest.raises(UsageError, match="marks at the level 'interval' are numbers"):
        krippendorff([("a", "b")], "interval")


def test_judges_agreement_is_of_each_criterion() -> None:
    def noted(item: str, data: dict[str, Any]) -> Result:
        return result("c", item, 0.5, extra={"scores": {"judge": {"data": data}}})

    marks = [
        noted(
            f"q{n}", {"marks": {"judge1": {"reason": "", "x": n, "y": n}, "judge2": {"reason": "", "x": n, "y": 3 - n}}}
        )
        for n in range(4)
    ]
    found = agreement(marks)["judge"]
    assert found["x"] == 1.0
    assert found["y"] is not None
    assert found["y"] < 0
    turns = noted("q", {"turns": {"judge1": [True, False], "judge2": [True, False]}})
    votes = noted("q", {"votes": {"judge1": {"points": 1.0}, "judge2": {"points": 0.0}}})
    assert agreement([turns])["judge"] == {"success": 1.0}
    assert agreement([votes])["judge"] == {"vote": 0.0}


# -- planning ---------------------------------------------------------------------------------------------------------


def test_items_needed_are_statsmodels() -> None:
    wanted = TTestPower().solve_power(effect_size=0.1 / 0.5, power=0.8, alpha=0.05)
    assert items_needed(0.1, 0.5) == items_needed(-0.1, 0.5) == math.ceil(wanted)
    assert power(math.ceil(wanted), 0.1, 0.5) >= 0.8 > power(math.floor(wanted), 0.1, 0.5)


def test_the_exact_tests_power_is_summed_over_all_that_can_happen() -> None:
    n, wins, losses, found = 12, 0.5, 0.1, 0.0
    for w in range(n + 1):
        for lost in range(n + 1 - w):
            chance = stats.multinomial.pmf([w, lost, n - w - lost], n, [wins, losses, 1 - wins - losses])
            found += float(chance) * (mcnemar(w, lost) <= 0.05)
    assert power_for_shares(n, wins, losses) == pytest.approx(found, abs=1e-9)
    needed = items_needed_for_shares(0.1, 0.3)
    assert power_for_shares(needed, 0.2, 0.1) >= 0.8


def test_what_repeats_would_help_is_planned_from_a_pilot() -> None:
    rng = np.random.default_rng(0)
    level = rng.uniform(0.2, 0.8, 400)
    apart = rng.normal(0.1, 0.15, 400)
    first = {f"q{n}": list(level[n] + apart[n] + rng.normal(0, 0.3, 4)) for n in range(400)}
    second = {f"q{n}": list(level[n] + rng.normal(0, 0.3, 4)) for n in range(400)}
    plan = plan_from(first, second, 0.05)
    assert (plan.repeats, plan.pilot) == (4, 400)
    assert plan.between == pytest.approx(0.15, abs=0.03)
    assert plan.within == pytest.approx(0.3 * math.sqrt(2), abs=0.03)
    once, often = plan_from(first, second, 0.05, repeats=1), plan_from(first, second, 0.05, repeats=100)
    assert once.items > plan.items > often.items
    assert once.items == items_needed(0.05, once.spread)


def test_a_plan_for_right_and_wrong_is_mcnemars_whatever_little_differed_in_the_pilot() -> None:
    first = {f"q{n}": [float(n < 18)] for n in range(30)}
    second = {f"q{n}": [float(n < 17)] for n in range(30)}
    plan = plan_from(first, second, 0.1)
    assert plan.items == items_needed_for_shares(0.1, 0.1), "two that differ by 0.1 disagree on a tenth of the items"
    assert power_for_shares(plan.items, 0.1, 0.0) >= 0.8
    assert (plan.repeats, plan.pilot) == (1, 30)
    assert plan.spread == pytest.approx(0.3)
    assert plan_from(first, first, 0.1).items == plan.items
    often = {item: [1 - value[0]] if int(item[1:]) % 5 == 0 else value for item, value in first.items()}
    assert plan_from(first, often, 0.1).items == items_needed_for_shares(0.1, 0.2)


def test_plans_that_cannot_be_made_say_why() -> None:
    with pytest.raises(UsageError, match="a difference to be found is not 0"):
        items_needed(0, 0.5)
    with pytest.raises(UsageError, match="more than 10,000,000 items would be needed"):
        items_needed(1e-6, 1)
    with pytest.raises(UsageError, match=r"the two disagree on 0\.2 to 1 of the items, not on 0\.1"):
        items_needed_for_shares(0.2, 0.1)
    with pytest.raises(UsageError, match="two items or more that both conditions have, not 1"):
        plan_from({"a": [1.0]}, {"a": [0.0]}, 0.1)
    with pytest.raises(UsageError, match="only where items were repeated"):
        plan_from({"a": [1.0], "b": [0.0]}, {"a": [0.0], "b": [0.0]}, 0.1, repeats=3)


# -- cost -------------------------------------------------------------------------------------------------------------


def costed(*conditions: tuple[str, float, Sequence[float]]) -> dict[str, Any]:
    return samples_of(
        result(name, f"q{n}", value, usd=usd) for name, usd, values in conditions for n, value in enumerate(values)
    )


def test_the_front_is_what_nothing_else_beats() -> None:
    samples = costed(
        ("cheap", 1, [0, 1, 0, 0]), ("dear", 7, [1, 1, 1, 0]), ("worse", 7, [1, 0, 0, 1]), ("same", 8, [1, 1, 1, 0])
    )
    found = fronts(samples, "s", "usd")
    assert found is not None
    assert {point.condition: point.front for point in found.points} == {
        "cheap": True,
        "dear": True,
        "worse": False,
        "same": False,
    }
    shares = {point.condition: point.share for point in found.points}
    assert shares["cheap"] == 1.0
    assert 0 < shares["worse"] < shares["dear"] < 1
    assert shares["same"] == 0


def test_a_condition_is_matched_by_a_mix_of_the_others() -> None:
    samples = costed(
        ("once", 1, [0, 0, 0, 1]), ("often", 9, [1, 1, 0, 1]), ("debate", 5, [1, 1, 1, 1]), ("bad", 4, [0, 0, 0, 0])
    )
    found = matched(samples, "debate", "s", "usd")
    assert found is not None
    assert found.mix == {"once": 0.5, "often": 0.5}
    assert (found.bought, found.cheaper, found.difference) == (0.5, 5.0, 0.5)
    assert found.alike
    assert found.interval is not None
    assert found.interval.low > 0


@settings(deadline=None, max_examples=30)
@given(
    others=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=6),
    spent=st.integers(1, 7),
)
def test_the_best_mix_is_that_of_linear_programming(others: list[tuple[int, int]], spent: int) -> None:
    of_others = ((f"c{n}", float(cost), [score / 5] * 2) for n, (cost, score) in enumerate(others))
    found = matched(costed(("it", spent, [0.5, 0.5]), *of_others), "it", "s", "usd", resamples=20)
    costs, scores = [[cost for cost, _ in others]], [-score / 5 for _, score in others]
    best: Any = optimize.linprog(scores, A_ub=costs, b_ub=[spent], A_eq=[[1] * len(others)], b_eq=[1], bounds=(0, 1))
    assert found is not None
    if best.status == 2:  # nothing is cheap enough
        assert (found.bought, found.interval) == (None, None)
    else:
        assert found.bought == pytest.approx(-best.fun)
        assert found.cheaper is not None
        assert found.cheaper <= spent + 1e-9
        assert found.interval is not None
        assert found.interval.low == pytest.approx(0.5 + best.fun), "no item differs from another"


def test_others_that_cannot_spend_as_much_are_said_to_be_cheaper_and_dearer_ones_buy_nothing() -> None:
    samples = costed(("once", 1, [0, 1]), ("debate", 5, [1, 1]))
    found = matched(samples, "debate", "s", "usd")
    assert found is not None
    assert (found.mix, found.cheaper, found.alike) == ({"once": 1.0}, 1.0, False)
    other = matched(samples, "once", "s", "usd")
    assert other is not None
    assert (other.bought, other.interval) == (None, None)


def test_matching_needs_two_conditions_and_a_known_cost() -> None:
    samples = costed(("once", 1, [0, 1]), ("debate", 5, [1, 1]))
    with pytest.raises(UsageError, match="to match 'x', it and another condition are needed; there are: once, debate"):
        matched(samples, "x", "s", "usd")
    with pytest.raises(UsageError, match="unknown cost 'time'; there are: calls, tokens, usd, seconds"):
        fronts(samples, "s", "time")


# -- the whole --------------------------------------------------------------------------------------------------------

RIGHT = {
    "single": [1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1],
    "vote": [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1],
    "debate": [1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
}
TABLE = [
    result(name, f"q{n}", float(value), usd=1.0 if name == "single" else 5.0, family="ab"[n % 2])
    for name, values in RIGHT.items()
    for n, value in enumerate(values)
]


def test_a_table_stands_beside_statsmodels() -> None:
    summary = summarise(Results.of(TABLE))
    for row in summary.conditions:
        found = row.scores["s"]
        assert found is not None
        right = sum(RIGHT[row.name])
        assert found.value == right / 12
        assert (found.low, found.high) == pytest.approx(proportion_confint(right, 12, method="wilson"))
    assert [(c.first, c.second) for c in summary.comparisons] == [
        ("vote", "single"),
        ("debate", "single"),
        ("debate", "vote"),
    ]
    raw = []
    for one in summary.comparisons:
        first, second = (np.array(RIGHT[name]) for name in (one.first, one.second))
        table = [[0, int((first > second).sum())], [int((first < second).sum()), 0]]
        raw.append(reference_mcnemar(table, exact=True).pvalue)
    assert [c.paired.p for c in summary.comparisons] == pytest.approx(raw)
    assert [c.adjusted for c in summary.comparisons] == pytest.approx(multipletests(raw, method="holm")[1])


def test_one_condition_can_be_what_all_are_compared_with() -> None:
    summary = summarise(TABLE, Settings(against="vote", correction="bh"))
    assert [(c.first, c.second) for c in summary.comparisons] == [("single", "vote"), ("debate", "vote")]
    with pytest.raises(UsageError, match="no results of 'nobody'; there are some of: single, vote, debate"):
        summarise(TABLE, Settings(against="nobody"))
    with pytest.raises(UsageError, match="nothing was scored by 'f1'; there are scores by: s"):
        summarise(TABLE, Settings(scorers=("f1",)))
    with pytest.raises(UsageError, match="no results yet"):
        summarise([])


def test_cost_is_money_where_it_is_known_else_tokens_else_calls() -> None:
    assert summarise(TABLE).settings.cost == "usd"
    assert summarise([result("a", "q", 1.0, usd=None)]).settings.cost == "tokens"
    assert summarise([result("a", "q", 1.0, usd=0.0)]).settings.cost == "tokens"
    assert summarise([result("a", "q", 1.0, usd=None, tokens_in=0, tokens_out=0)]).settings.cost == "calls"
    [row] = summarise([result("a", "q", 1.0, usd=None)]).conditions
    assert row.costs["usd"] is None


def test_families_have_rows_of_their_own() -> None:
    row = summarise(TABLE).conditions[0]
    assert {family: scores["s"].value for family, scores in row.families.items() if scores["s"]} == pytest.approx(
        {"a": sum(RIGHT["single"][::2]) / 6, "b": sum(RIGHT["single"][1::2]) / 6}
    )


def test_runs_that_ended_early_are_told_and_counted_as_asked() -> None:
    broken = Result("exp", "debate", "q12", 0, 0, "x", "failed", reason="failed:server")
    unknown = result("debate", "q13", None)
    summary = summarise([*TABLE, broken, unknown])
    row = summary.conditions[-1]
    assert (row.n, row.unfinished) == (14, {"failed:server": 1})
    assert row.scores["s"] is not None
    assert row.scores["s"].n == 12
    zero = summarise([*TABLE, broken, unknown], Settings(failed="zero")).conditions[-1].scores["s"]
    assert zero is not None
    assert (zero.n, zero.value) == (13, sum(RIGHT["debate"]) / 13)


def test_a_summary_is_plain_json() -> None:
    import json

    told = json.loads(json.dumps(summarise(TABLE).to_json(), allow_nan=False))
    assert told["conditions"][2]["scores"]["s"]["value"] == pytest.approx(11 / 12)
    assert told["matches"]["s"][2]["condition"] == "debate"


def test_the_same_seed_gives_the_same_summary() -> None:
    scored = [
        result(r.condition, r.item, SCORES[int(r.item[1:])] * (1 if r.condition == "vote" else 0.9)) for r in TABLE
    ]
    assert summarise(scored).to_json() == summarise(scored).to_json()
    assert summarise(scored).to_json() != summarise(scored, Settings(seed=1)).to_json()


def test_goals_of_many_dialogues_are_added_up() -> None:
    def dialogue(item: str, *goals: tuple[bool, int, str | None], unsettled: int = 0) -> Result:
        data = {
            "goals": [
                {"goal": "g", "turns": list(range(turns)), "success": ok, "cause": why} for ok, turns, why in goals
            ],
            "unsettled": [1] * unsettled,
        }
        return result("c", item, 0.5, extra={"scores": {"goals": {"data": data}}})

    found = goal_success(
        [
            dialogue("a", (True, 1, None), (False, 3, "E4")),
            dialogue("b", (True, 2, None)),
            dialogue("c", (False, 1, "E4"), unsettled=1),
        ]
    )
    assert found is not None
    assert (found.rate.value, found.goals, found.causes, found.unsettled) == (0.5, 4, {"E4": 2}, 1)
    assert found.several is not None
    assert found.several.value == 0.5
    assert goal_success([result("c", "a", 1.0)]) is None


def test_an_interval_is_the_houses_own() -> None:
    found = estimate([0.0, 1.0])
    assert found is not None
    assert isinstance(found.interval, Interval)


@pytest.mark.parametrize(
    "module", ["protocols.fronts", "runs.scoring.catalogue", "runs.scoring.choice", "runs.scoring.numbers",
               "runs.statistics.planning", "runs.statistics.reliability"]
)  # fmt: skip
def test_the_examples_are_true(module: str) -> None:
    found = doctest.testmod(import_module(f"maieutic.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_what_is_missing_is_said_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    extra.require.cache_clear()
    with pytest.raises(UsageError, match="Statistics need scipy and statsmodels"):
        summarise(TABLE)
    monkeypatch.undo()
    extra.require.cache_clear()
    assert summarise(TABLE).conditions
