"""Calibration makes boasts honest from few and noisy votes, and leaves honest machines alone."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.calibration import (
    Calibration,
    calibrate_held_out,
    fit_calibration,
    pool_adjacent_violators,
)
from skysort.errors import InputError
from tests.consensus_engine.audits import certain, make_audit, normalized

MAPS = [
    Calibration(),
    Calibration("temperature", temperature=2.5),
    Calibration("temperature", temperature=0.4),
    Calibration(
        "isotonic", claimed=(0.1, 0.2, 0.6, 0.9), found=(0.0, 0.3, 0.3, 0.8), identity_share=0.01
    ),
]


def loss(probabilities, truth):
    return -np.mean(np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-300)))


def test_temperature_is_found_where_votes_are_certain():
    audit = make_audit(1, 4000, boast=2.0)
    found = fit_calibration(audit.said, certain(audit.truth))
    assert found.method == "temperature"
    assert found.temperature == pytest.approx(2.0, rel=0.06)
    np.testing.assert_allclose(found.apply(audit.said), audit.honest, atol=0.02)


def test_temperature_is_found_from_few_noisy_votes_and_not_from_majorities():
    by_votes, by_majority = [], []
    for seed in range(10):
        audit = make_audit(seed, 400, boast=1.8, n_votes=(3, 3))
        majority = certain(audit.log_likelihood.argmax(axis=1))
        by_votes.append(fit_calibration(audit.said, audit.log_likelihood).temperature)
        by_majority.append(fit_calibration(audit.said, majority).temperature)
    assert np.mean(by_votes) == pytest.approx(1.8, abs=0.12)
    assert np.mean(by_majority) > 2.3


def test_an_honest_machine_is_left_as_it_is():
    chosen = [fit_calibration(a.said, a.log_likelihood) for a in map(make_audit, range(15))]
    assert np.mean([c.method == "none" for c in chosen]) > 0.7
    change = [np.abs(c.apply(make_audit(99).said) - make_audit(99).said).mean() for c in chosen]
    assert np.mean(change) < 0.01


def test_calibrated_boasts_predict_other_subjects_nearly_as_well_as_the_truth_allows():
    fresh = make_audit(1000, 5000, boast=2.5)
    chosen = [
        fit_calibration(a.said, a.log_likelihood)
        for a in (make_audit(s, boast=2.5) for s in range(10))
    ]
    best, plain = loss(fresh.honest, fresh.truth), loss(fresh.said, fresh.truth)
    calibrated = np.mean([loss(c.apply(fresh.said), fresh.truth) for c in chosen])
    assert plain > best + 0.25
    assert calibrated < best + 0.03


def test_a_crooked_curve_is_straightened_by_the_isotonic_map():
    rng = np.random.default_rng(5)
    said = rng.uniform(0.5, 1.0, 3000)
    right = rng.random(3000) < np.where(said < 0.8, 0.55, 0.9)
    said = np.column_stack([said, 1 - said])
    found = fit_calibration(said, certain(np.where(right, 0, 1), 2))
    assert found.method == "isotonic"
    shown = found.apply([[0.6, 0.4], [0.75, 0.25], [0.85, 0.15], [0.97, 0.03]])[:, 0]
    np.testing.assert_allclose(shown, [0.55, 0.55, 0.9, 0.9], atol=0.04)


def test_the_isotonic_map_sees_through_noisy_votes():
    rng = np.random.default_rng(6)
    said = rng.uniform(0.5, 1.0, 8000)
    truth = np.where(rng.random(8000) < np.where(said < 0.8, 0.55, 0.95), 0, 1)
    answers = np.where(rng.random((8000, 3)) < 0.75, truth[:, None], 1 - truth[:, None])
    odds = (np.log(3.0) * (1 - 2 * answers)).sum(axis=1)
    found = fit_calibration(np.column_stack([said, 1 - said]), np.column_stack([odds, 0 * odds]))
    assert found.method == "isotonic"
    shown = found.apply([[0.6, 0.4], [0.75, 0.25], [0.9, 0.1], [0.97, 0.03]])[:, 0]
    np.testing.assert_allclose(shown, [0.55, 0.55, 0.95, 0.95], atol=0.05)


def test_a_small_sample_moves_the_temperature_less():
    def temperature(n):
        said = np.tile([0.999, 0.001], (n, 1))
        return fit_calibration(said, certain(np.arange(n) % 10 >= 6, 2)).temperature

    assert 1.3 < temperature(20) < temperature(50) < temperature(90)


@pytest.mark.parametrize("n_rows", [0, 1, 19])
def test_too_few_votes_choose_nothing(n_rows):
    audit = make_audit(7, n_rows + 50, boast=4.0)
    evidence = audit.log_likelihood.copy()
    evidence[n_rows:] = -3.0  # no votes
    found = fit_calibration(audit.said, evidence)
    assert (found.method, found.n_rows, found.gain_bits) == ("none", n_rows, None)


def test_weights_count_as_repeated_rows():
    audit = make_audit(8, 300, boast=2.0)
    weights = np.where(audit.said.max(axis=1) > 0.9, 3, 1)
    again = np.repeat(np.arange(300), weights)
    weighted = fit_calibration(audit.said, audit.log_likelihood, weights)
    repeated = fit_calibration(audit.said[again], audit.log_likelihood[again])
    plain = fit_calibration(audit.said, audit.log_likelihood)
    assert weighted.temperature == pytest.approx(repeated.temperature, rel=0.03)
    assert plain.temperature != pytest.approx(weighted.temperature, rel=0.001)


def test_subjects_are_calibrated_without_their_own_votes():
    audit = make_audit(9, 150, boast=2.5)
    honest = calibrate_held_out(audit.said, audit.log_likelihood, seed=3)
    np.testing.assert_allclose(honest.sum(axis=1), 1.0)
    assert loss(honest, audit.truth) < loss(audit.said, audit.truth) - 0.05
    for row in (0, 77):
        other = audit.log_likelihood.copy()
        other[row] = [0.0, -9.0, -9.0, -9.0]
        changed = calibrate_held_out(audit.said, other, seed=3)
        np.testing.assert_array_equal(changed[row], honest[row])
        assert (changed != honest).any()


def test_own_votes_are_added_after_calibration():
    said, votes = np.array([[0.9, 0.08, 0.02]]), np.array([[-2.0, -0.5, -1.0]])
    calibration = Calibration("temperature", temperature=2.0)
    expected = normalized(np.sqrt(said) * np.exp(votes))
    np.testing.assert_allclose(calibration.apply(said, votes), expected)
    np.testing.assert_allclose(Calibration().apply(said, 0 * votes), said)


@pytest.mark.parametrize("calibration", MAPS, ids=lambda c: c.method)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_map_gives_probabilities_in_the_same_order(calibration, data):
    seed, n_classes = data.draw(st.integers(0, 10**6)), data.draw(st.integers(1, 7))
    spread = data.draw(st.sampled_from([0.05, 1.0, 20.0]))
    rng = np.random.default_rng(seed)
    said = rng.dirichlet(np.full(n_classes, 1 / spread), 20)
    shown = calibration.apply(said)
    np.testing.assert_allclose(shown.sum(axis=1), 1.0)
    assert (shown >= 0.0).all()
    by_claim = np.take_along_axis(shown, said.argsort(axis=1), axis=1)
    assert (np.diff(by_claim, axis=1) >= -1e-15).all()
    order = rng.permutation(n_classes)
    np.testing.assert_allclose(calibration.apply(said[:, order]), shown[:, order])


@given(seed=st.integers(0, 10**6), order=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_other_names_of_classes_change_nothing(seed, order):
    audit = make_audit(seed, 120, boast=2.0)
    found = fit_calibration(audit.said, audit.log_likelihood)
    renamed = fit_calibration(audit.said[:, order], audit.log_likelihood[:, order])
    assert renamed.method == found.method
    np.testing.assert_allclose(
        renamed.apply(audit.said[:, order]), found.apply(audit.said)[:, order], atol=1e-4
    )


@given(seed=st.integers(0, 10**6), shift=st.floats(-500, 500))
@settings(max_examples=10, deadline=None)
def test_constants_in_log_likelihoods_change_nothing(seed, shift):
    audit = make_audit(seed, 60, boast=2.0)
    rows = shift * np.random.default_rng(seed).random((60, 1))
    found = fit_calibration(audit.said, audit.log_likelihood)
    shifted = fit_calibration(audit.said, audit.log_likelihood + rows)
    assert shifted.temperature == pytest.approx(found.temperature, abs=1e-3)


@given(
    values=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    seed=st.integers(0, 10**6),
)
def test_rising_steps_equal_the_min_max_formula(values, seed):
    # Robertson, Wright & Dykstra 1988, theorem 1.4.4
    target, n = np.array(values), len(values)
    weight = np.random.default_rng(seed).uniform(0.2, 2.0, n)

    def mean(i, j):
        return target[i : j + 1] @ weight[i : j + 1] / weight[i : j + 1].sum()

    plain = [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]
    level, block = pool_adjacent_violators(target, weight)
    np.testing.assert_allclose(level[block], plain, atol=1e-12)
    assert (np.diff(level) > 0).all()


@pytest.mark.parametrize("calibration", MAPS, ids=lambda c: c.method)
def test_a_calibration_survives_json(calibration):
    record = json.loads(json.dumps(calibration.to_dict()))
    assert Calibration.from_dict(record) == calibration


def test_a_fitted_calibration_survives_json_and_tells_why_it_was_chosen():
    audit = make_audit(11, 150, boast=2.5)
    found = fit_calibration(audit.said, audit.log_likelihood)
    assert Calibration.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.n_rows == 150
    assert found.gain_bits["temperature"] > 2 * found.gain_error_bits["temperature"] > 0


def test_the_same_seed_gives_the_same_map():
    audit = make_audit(12, 100, boast=1.5)
    assert fit_calibration(audit.said, audit.log_likelihood, seed=4) == fit_calibration(
        audit.said, audit.log_likelihood, seed=4
    )


@pytest.mark.parametrize(
    ("said", "votes", "weights", "message"),
    [
        ([[0.5, 0.4]], [[0, 0]], None, "sum to 1, row 0 does not"),
        ([0.5, 0.5], [0, 0], None, "rows and columns, got shape"),
        ([[0.5, 0.5]], [[0, 0, 0]], None, r"must have shape \(1, 2\), got \(1, 3\)"),
        ([[0.5, 0.5]] * 2, [[0, 0], [0, np.nan]], None, "those of row 1 are not"),
        ([[0.5, 0.5]], [[-np.inf, -np.inf]], None, "those of row 0 are not"),
        ([[0.5, 0.5]], [[0, 0]], [0.0], "weights must be 1 numbers above 0"),
        ([[0.5, 0.5]], [[0, 0]], [1.0, 1.0], "weights must be 1 numbers above 0"),
    ],
)
def test_refuses_what_makes_no_sense(said, votes, weights, message):
    with pytest.raises(InputError, match=message):
        fit_calibration(said, votes, weights)


def test_refuses_fewer_than_two_folds():
    for fit in (fit_calibration, calibrate_held_out):
        with pytest.raises(InputError, match="n_folds must be at least 2, got 1"):
            fit([[0.5, 0.5]], [[0.0, 0.0]], n_folds=1)


def test_refuses_a_foreign_record():
    record = Calibration().to_dict()
    with pytest.raises(InputError, match="other fields than colour"):
        Calibration.from_dict({**record, "colour": "red"})
    with pytest.raises(InputError, match="method must be one of"):
        Calibration.from_dict({**record, "method": "magic"})
