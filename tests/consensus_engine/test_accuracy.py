"""Scores are those of the textbook and of known answers."""

import math

import numpy as np
import pytest

from skysort.consensus.accuracy import score, wilson_interval, wilson_limits
from skysort.errors import InputError


@pytest.mark.parametrize(
    ("n_right", "n", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, 857, table I (Wilson, method 3).
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_interval_equals_the_published_one(n_right, n, low, high):
    interval = wilson_interval(n_right, n)
    assert interval.low == pytest.approx(low, abs=6e-5)
    assert interval.high == pytest.approx(high, abs=6e-5)


def test_interval_covers_the_true_share_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    intervals = [wilson_interval(int(k), 40) for k in rng.binomial(40, 0.85, 2000)]
    covered = np.mean([interval.low <= 0.85 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_interval_without_trials_is_the_whole_range():
    interval = wilson_interval(0, 0)
    assert math.isnan(interval.value)
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_limits_take_broken_trials_and_no_knowledge():
    whole = wilson_interval(17, 20)
    assert wilson_limits(0.85, 20.0) == pytest.approx((whole.low, whole.high))
    assert wilson_limits(0.85, 20.0)[0] > wilson_limits(0.85, 19.5)[0]
    assert wilson_limits(0.85, 0.0) == wilson_limits(math.nan, 5.0) == (0.0, 1.0)


def test_perfect_probabilities_have_a_perfect_score():
    truth = np.array([0, 1, 2, 1])
    result = score(np.eye(3)[truth], truth)
    assert result.accuracy.value == 1.0
    assert (result.brier, result.log_loss, result.calibration_error) == (0.0, 0.0, 0.0)
    assert result.coverage == 1.0
    np.testing.assert_array_equal(result.purity, 1.0)


def test_brier_and_log_loss_equal_a_plain_sum():
    rng = np.random.default_rng(2)
    p, truth = rng.dirichlet(np.ones(4), 50), rng.integers(0, 4, 50)
    brier = np.mean([sum((p[i, k] - (k == truth[i])) ** 2 for k in range(4)) for i in range(50)])
    log_loss = -np.mean([math.log(p[i, truth[i]]) for i in range(50)])
    result = score(p, truth)
    assert result.brier == pytest.approx(brier)
    assert result.log_loss == pytest.approx(log_loss)


def test_honest_probabilities_have_a_small_calibration_error_and_boasts_a_large_one():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(3), 20000)
    truth = (rng.random((20000, 1)) > np.cumsum(p, axis=1)).sum(axis=1).clip(0, 2)
    assert score(p, truth).calibration_error < 0.015
    boast = p**4 / (p**4).sum(axis=1, keepdims=True)
    assert score(boast, truth).calibration_error > 0.1


def test_reliability_bins_hold_every_row_once():
    rng = np.random.default_rng(4)
    p, truth = rng.dirichlet(np.ones(2), 300), rng.integers(0, 2, 300)
    bins = score(np.vstack([p, [[1.0, 0.0]]]), np.append(truth, 0), n_bins=5).reliability
    assert bins.count.sum() == 301
    assert np.isnan(bins.accuracy[:2]).all()
    filled = bins.count > 0
    assert (bins.probability[filled] > bins.edges[:-1][filled]).all()
    assert (bins.probability[filled] <= bins.edges[1:][filled]).all()


def test_purity_and_completeness_of_each_class():
    p = np.eye(3)[[0, 0, 0, 1, 1]]
    result = score(p, [0, 0, 1, 1, 0])
    np.testing.assert_allclose(result.purity, [2 / 3, 1 / 2, np.nan])
    np.testing.assert_allclose(result.completeness, [2 / 3, 1 / 2, np.nan])


def test_coverage_counts_rows_at_nine_tenths():
    result = score([[0.9, 0.1], [0.95, 0.05], [0.89, 0.11], [0.5, 0.5]], [0, 1, 0, 0])
    assert result.coverage == 0.5
    assert (result.accuracy_covered.value, result.accuracy_covered.n) == (0.5, 2)


@pytest.mark.parametrize(
    ("probabilities", "truth", "message"),
    [
        ([[0.5, 0.4]], [0], "sum to 1, row 0 does not"),
        ([[1.0, 0.0], [np.nan, 1.0]], [0, 0], "row 1 does not"),
        ([[1.5, -0.5]], [0], "row 0 does not"),
        ([[1.0, 0.0]], [2], "truth must lie between 0 and 1"),
        ([[1.0, 0.0]], [0, 1], "truth must be 1 integers"),
        (np.empty((0, 2)), [], "probabilities must have rows"),
    ],
)
def test_refuses_what_is_no_probability(probabilities, truth, message):
    with pytest.raises(InputError, match=message):
        score(probabilities, truth)


def test_refuses_impossible_counts():
    with pytest.raises(InputError, match="n_right must lie between 0 and n = 2, got 3"):
        wilson_interval(3, 2)
    with pytest.raises(InputError, match="confidence must lie between 0 and 1"):
        wilson_interval(1, 2, confidence=1.0)


def test_macro_f1_counts_rare_classes_like_common_ones():
    truth = np.array([0, 0, 0, 0, 1, 1, 2])
    named = np.array([0, 0, 0, 1, 1, 0, 0])
    result = score(np.eye(4)[named], truth)
    # 2 tp / (2 tp + fp + fn): 6 / (6 + 2 + 1), 2 / (2 + 1 + 1), 0; the fourth is not.
    np.testing.assert_allclose(result.f1, [6 / 9, 2 / 4, 0.0, np.nan])
    assert result.macro_f1 == pytest.approx((6 / 9 + 2 / 4) / 3)


def test_a_class_that_is_not_but_was_named_has_an_f1_of_zero():
    result = score(np.eye(3)[[0, 1, 2]], np.array([0, 1, 1]))
    np.testing.assert_allclose(result.f1, [1.0, 2 / 3, 0.0])
