"""Prototypes speak for near members, little for far ones, and not at all for outliers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.projection import (
    CellTable,
    fit_trust,
    membership,
    project_cells,
)
from skysort.errors import InputError

PRIOR = np.array([0.5, 0.3, 0.2])


def make_cells(n=200, n_cells=4, seed=0):
    rng = np.random.default_rng(seed)
    best = rng.integers(0, n_cells, n)
    distance = rng.gamma(20.0, 0.05, n)
    return CellTable(
        best, (best + 1) % n_cells, distance, distance * rng.uniform(1.0, 3.0, n), n_cells
    )


def place(distance, second_distance, n_typical=99):
    """One subject at a given place among typical members at distance 0.9, 1.0 and 1.1."""
    typical = np.tile([0.9, 1.0, 1.1], n_typical // 3)
    n = len(typical) + 1
    return CellTable(
        np.zeros(n, int),
        np.ones(n, int),
        np.append(typical, distance),
        np.append(np.full(n - 1, 9.0), second_distance),
        2,
    )


def test_membership_is_full_within_the_usual_distance_and_falls_beyond():
    total = [1.0 - membership(place(d, 99.0)).prior[-1] for d in (0.0, 0.5, 0.99, 1.2, 1.4, 5.0)]
    assert total[:3] == [1.0, 1.0, 1.0]
    assert np.all(np.diff(total[2:]) < 0.0)
    assert total[-1] < 0.01


def test_membership_is_halved_at_the_half_distance():
    # Beyond the median 1.0 by three times 1.4826 x 0.1, the members' robust standard deviation.
    weights = membership(place(1.0 + 3 * 1.4826 * 0.1, 1e9), half_distance=3.0)
    assert weights.best[-1] == pytest.approx(0.5, abs=0.01)


def test_equal_distances_divide_membership_equally():
    weights = membership(place(1.0, 1.0))
    assert weights.best[-1] == pytest.approx(weights.second[-1])
    assert weights.best[-1] == pytest.approx(0.5)


def test_fuzziness_divides_as_fuzzy_c_means():
    weights = membership(place(1.0, 1.25), fuzziness=2.0)
    assert weights.best[-1] == pytest.approx(1.25**2 / (1.25**2 + 1.0))


def test_a_perfect_match_belongs_to_its_prototype_alone():
    assert membership(place(0.0, 1.0)).best[-1] == 1.0
    assert membership(place(0.0, 0.0)).best[-1] == pytest.approx(0.5)


def test_a_lonely_member_is_compared_with_the_whole_map():
    cells = place(1.0, 9.0)
    far = CellTable(
        np.append(cells.best, 1),
        np.append(cells.second, 0),
        np.append(cells.distance, 50.0),
        np.append(cells.second_distance, 60.0),
        2,
    )
    assert membership(far).prior[-1] > 0.99


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), trust=st.floats(0, 1), scale=st.floats(1e-3, 1e3))
def test_weights_sum_to_one_whatever_the_unit_of_distance(seed, trust, scale):
    cells = make_cells(seed=seed)
    weights = membership(cells, trust=trust)
    np.testing.assert_allclose(weights.best + weights.second + weights.prior, 1.0)
    scaled = CellTable(
        cells.best, cells.second, cells.distance * scale, cells.second_distance * scale, 4
    )
    np.testing.assert_allclose(membership(scaled, trust=trust).best, weights.best, atol=1e-7)


def test_identical_distances_and_empty_tables_give_numbers():
    same = CellTable(np.zeros(5, int), np.ones(5, int), np.ones(5), np.full(5, 2.0), 2)
    assert (membership(same).prior == 0.0).all()
    none = CellTable(np.empty(0, int), np.empty(0, int), np.empty(0), np.empty(0), 2)
    assert membership(none).best.shape == (0,)


def test_subject_mixes_its_prototypes_and_the_prior():
    cells = CellTable(np.array([0]), np.array([1]), np.array([1.0]), np.array([1.2]), 2)
    classes = np.array([[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]])
    weights = membership(cells, trust=0.8)
    projected = project_cells(classes, cells, weights, class_prior=PRIOR)
    expected = weights.best[0] * classes[0] + weights.second[0] * classes[1] + 0.2 * PRIOR
    np.testing.assert_allclose(projected[0], expected)


def test_outlier_falls_back_to_the_class_prior():
    cells = place(500.0, 600.0)
    projected = project_cells(np.eye(3)[:2], cells, membership(cells), class_prior=PRIOR)
    np.testing.assert_allclose(projected[-1], PRIOR)


def test_mixed_prototype_spreads_as_the_prior():
    cells = place(1.0, 99.0)
    classes = np.array([[0.2, 0.0, 0.0, 0.8], [1.0, 0.0, 0.0, 0.0]])
    projected = project_cells(classes, cells, membership(cells), class_prior=PRIOR, mixed_class=3)
    np.testing.assert_allclose(projected[-1], [0.2 + 0.8 * 0.5, 0.8 * 0.3, 0.8 * 0.2], atol=1e-9)


def test_prototype_without_votes_says_nothing():
    cells = place(1.0, 99.0)
    known = np.array([False, True])
    projected = project_cells(
        np.eye(3)[:2], cells, membership(cells), class_prior=PRIOR, cell_is_known=known
    )
    np.testing.assert_allclose(projected[-1], PRIOR, atol=1e-9)


@pytest.mark.parametrize("third_class", [0, 1])
def test_neighbor_without_votes_leaves_its_share_as_far_as_neighbors_agree(third_class):
    # Subject 0 lies midway between prototype 0 and the silent 3; the others between 0 and 2.
    best, second = np.zeros(41, int), np.r_[3, np.full(40, 2)]
    second[21:] = 1
    cells = CellTable(best, second, np.ones(41), np.ones(41), 4)
    classes = np.eye(2)[[0, 0, third_class, 0]]
    projected = project_cells(
        classes,
        cells,
        membership(cells),
        class_prior=np.array([0.5, 0.5]),
        cell_is_known=np.array([True, True, True, False]),
    )
    kappa = 1.0 if third_class == 0 else 0.0
    told = 0.5 + 0.5 * kappa
    assert projected[0, 0] == pytest.approx(told + (1 - told) * 0.5)


@pytest.mark.parametrize("true_trust", [0.3, 0.6, 0.9])
def test_trust_is_learnt_from_subjects_with_votes(true_trust):
    rng = np.random.default_rng(1)
    cells = make_cells(n=3000)
    classes = np.eye(3)[[0, 1, 2, 0]]
    follows = rng.random(3000) < true_trust
    truth = np.where(follows, classes[cells.best].argmax(axis=1), rng.choice(3, 3000, p=PRIOR))
    cells = CellTable(cells.best, cells.second, np.ones(3000), np.full(3000, 9.0), 4)
    answer = np.where(rng.random(3000) < 0.85, truth, rng.integers(0, 3, 3000))
    log_likelihood = np.where(np.eye(3)[answer] > 0, np.log(0.9), np.log(0.05))
    log_likelihood[1500:] = 0.0  # nobody voted on these
    trust = fit_trust(classes, cells, log_likelihood, class_prior=PRIOR)
    assert trust == pytest.approx(true_trust, abs=0.06)


def test_trust_without_votes_is_the_mode_of_its_prior():
    cells = make_cells()
    trust = fit_trust(np.eye(3)[[0, 1, 2, 0]], cells, np.zeros((200, 3)), class_prior=PRIOR)
    assert trust == pytest.approx(0.85, abs=0.006)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"best": np.array([0, 2])}, "best must lie between 0 and 1, got 0 to 2"),
        ({"second": np.array([0.0, 1.0])}, "second must be a flat array of integers"),
        ({"distance": np.ones(3)}, "distance must have 2 entries, got 3"),
        ({"second_distance": np.array([1.0, np.nan])}, "second_distance must be finite"),
        ({"distance": np.array([1.0, -1.0])}, "distance must be finite and not negative"),
    ],
)
def test_refuses_a_broken_table(changes, message):
    good = {
        "best": np.array([0, 1]),
        "second": np.array([1, 0]),
        "distance": np.ones(2),
        "second_distance": np.ones(2),
    }
    with pytest.raises(InputError, match=message):
        CellTable(**good | changes, n_cells=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trust": 1.1}, "trust must lie between 0 and 1"),
        ({"half_distance": 0.0}, "half_distance must be positive"),
        ({"fuzziness": 1.0}, "fuzziness must be above 1"),
    ],
)
def test_refuses_parameters_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message):
        membership(make_cells(), **arguments)


def test_refuses_tables_that_do_not_fit_each_other():
    cells = make_cells()
    with pytest.raises(InputError, match="cell_probabilities must have 4 rows, got 3"):
        project_cells(np.eye(3), cells, membership(cells), class_prior=PRIOR)
    with pytest.raises(InputError, match="class_prior must have 4 entries"):
        project_cells(np.eye(4), cells, membership(cells), class_prior=PRIOR)
