"""Scores of predictions, against values worked out by hand."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import UsageError
from maieutic.memory.student import calibration
from maieutic.memory.student.calibration import (
    Bin,
    Calibration,
    auc,
    brier,
    expected_calibration_error,
    log_loss,
    reliability,
)

predictions = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(calibration) == (0, 1)


def test_log_loss_is_the_mean_surprise_in_nats() -> None:
    assert log_loss([0.5, 0.25], [True, False]) == pytest.approx((math.log(2) - math.log(0.75)) / 2)


def test_a_certain_error_costs_much_but_not_infinity() -> None:
    assert log_loss([1.0], [False]) == pytest.approx(-math.log(1e-15))
    assert log_loss([0.0, 1.0], [False, True]) == 0


def test_brier_is_the_mean_squared_error() -> None:
    assert brier([0.9, 0.4], [1, 0]) == pytest.approx((0.01 + 0.16) / 2)


def test_bins_of_equal_width_leave_out_empty_ones_and_put_edges_upwards() -> None:
    found = reliability([0.5, 0.1, 0.2, 1.0], [True, False, True, True], 2)
    assert found == [Bin(0, 0.5, (0.1 + 0.2) / 2, 0.5, 2), Bin(0.5, 1, 0.75, 1.0, 2)]
    assert [b.n for b in reliability([0.05, 0.95], [False, True], 10)] == [1, 1]


def test_calibration_error_weighs_the_gaps_by_how_full_the_bins_are() -> None:
    # below a half: predicted 0.2, came 1/3; above: predicted 0.9, came 0
    assert expected_calibration_error([0.2, 0.2, 0.2, 0.9], [1, 0, 0, 0], 2) == pytest.approx(
        3 / 4 * abs(0.2 - 1 / 3) + 1 / 4 * 0.9
    )


def test_bins_of_equal_mass_hold_equally_many() -> None:
    found = reliability([k / 100 for k in range(12)], [k % 2 == 0 for k in range(12)], 4, equal="mass")
    assert [(b.low, b.high, b.n, b.observed) for b in found] == [
        (0.0, 0.02, 3, 2 / 3),
        (0.03, 0.05, 3, 1 / 3),
        (0.06, 0.08, 3, 2 / 3),
        (0.09, 0.11, 3, 1 / 3),
    ]


def test_bins_of_equal_mass_never_part_equal_predictions() -> None:
    found = reliability([0.3] * 7 + [0.8], [True] * 8, 4, equal="mass")
    assert [(b.predicted, b.n) for b in found] == [(pytest.approx(0.3), 7), (0.8, 1)]


def test_equal_mass_finds_a_fault_that_equal_width_averages_away() -> None:
    predicted, observed = [0.52] * 50 + [0.58] * 50, [1] * 5 + [0] * 45 + [1] * 50
    assert expected_calibration_error(predicted, observed, 10) == pytest.approx(0)
    assert expected_calibration_error(predicted, observed, 10, equal="mass") == pytest.approx(0.42)


def test_area_under_the_curve_counts_the_pairs_in_the_right_order_and_ties_half() -> None:
    # right: 0.8, 0.4; wrong: 0.4, 0.1. Pairs: 0.8 beats both, 0.4 ties and beats: 3.5 of 4
    assert auc([0.8, 0.4, 0.4, 0.1], [True, True, False, False]) == pytest.approx(3.5 / 4)


@given(predictions)
def test_a_calibration_holds_the_single_scores(pairs: list[tuple[float, bool]]) -> None:
    predicted, observed = [p for p, _ in pairs], [right for _, right in pairs]
    for equal in ("width", "mass"):
        whole = Calibration.of(predicted, observed, bins=5, equal=equal)
        assert whole.log_loss == log_loss(predicted, observed)
        assert whole.brier == brier(predicted, observed)
        assert sum(b.n for b in whole.bins) == whole.n == len(pairs)
        assert len(whole.bins) <= 5
        assert 0 <= whole.ece <= 1
        mean = math.fsum(predicted) / len(pairs) - sum(observed) / len(pairs)
        assert whole.ece >= abs(mean) - 1e-9  # gaps of single bins cannot cancel what is wrong on the whole


@pytest.mark.parametrize("score", [log_loss, brier, expected_calibration_error, reliability, auc, Calibration.of])
def test_what_cannot_be_judged_is_said(score: object) -> None:
    assert callable(score)
    with pytest.raises(UsageError, match="no predictions to judge"):
        score([], [])
    with pytest.raises(UsageError, match="2 predictions cannot be judged by 1 outcomes"):
        score([0.1, 0.2], [True])
    with pytest.raises(UsageError, match=r"prediction 1 is 1\.5; a prediction is a probability from 0 to 1"):
        score([0.1, 1.5], [True, False])
    with pytest.raises(UsageError, match="prediction 0 is nan"):
        score([math.nan, 0.5], [True, False])
    with pytest.raises(UsageError, match="outcome 1 is 2; an outcome is right"):
        score([0.1, 0.5], [True, 2])


def test_no_bins_and_one_sided_answers_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 1 bin, not 0"):
        reliability([0.5], [True], 0)
    with pytest.raises(UsageError, match="needs right and wrong answers"):
        auc([0.5, 0.6], [True, True])
