"""Volunteers who marked the same picture agree on spots, whatever single people miss or add."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skysort.consensus.marks import LEAST_OVERLAP, REACH, agreed_boxes, agreed_points
from skysort.errors import InputError

SIDE = 100.0
SPOTS = np.array([[-30.0, 5.0], [0.0, 0.0], [28.0, -12.0]])


def make_marks(*, n_volunteers, sigma=2.0, missing=0.2, extra=0.3, seed=1):
    """Marks on three spots: some missed, some extra, one of twenty hit badly."""
    rng = np.random.default_rng(seed)
    positions, volunteers = [], []
    for volunteer in range(n_volunteers):
        seen = SPOTS[rng.random(len(SPOTS)) >= missing]
        spread = sigma * np.where(rng.random(len(seen)) < 0.05, 4.0, 1.0)[:, None]
        hits = seen + spread * rng.normal(size=seen.shape)
        strays = rng.uniform(-SIDE / 2, SIDE / 2, (rng.poisson(extra), 2))
        positions += [*hits, *strays]
        volunteers += [volunteer] * (len(hits) + len(strays))
    return np.array(positions), np.array(volunteers)


def nearest_spot(positions):
    apart = np.linalg.norm(SPOTS[:, None] - positions, axis=2)
    return apart.min(axis=1), apart.min(axis=0)


def test_a_crowd_finds_all_spots_and_no_others():
    n_found = n_true = 0
    for seed in range(60):
        positions, volunteers = make_marks(n_volunteers=10, seed=seed)
        agreed = agreed_points(positions, volunteers, n_volunteers=10, reach=REACH * SIDE)
        to_spot, to_agreed = nearest_spot(agreed.positions)
        n_found += (to_spot < 5.0).sum()
        n_true += (to_agreed < 5.0).sum() == len(agreed)
    assert n_found >= 0.97 * 60 * len(SPOTS)
    assert n_true >= 58


def test_the_scatter_is_that_of_one_volunteers_hand():
    scatters = []
    for seed in range(60):
        marks = make_marks(n_volunteers=20, missing=0.0, extra=0.0, seed=seed)
        agreed = agreed_points(*marks, n_volunteers=20, reach=REACH * SIDE)
        scatters += agreed.scatter.tolist()
    assert np.median(scatters) == pytest.approx(2.0, rel=0.1)


def test_a_slip_of_one_finger_pulls_nobody_away():
    marks = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [40.0, 40.0]]
    agreed = agreed_points(marks, [1, 2, 3, 4], n_volunteers=4, reach=12.0)
    assert agreed.positions.tolist() == [[1.0, 0.0]]
    assert agreed.n_volunteers.tolist() == [3]
    assert agreed.scatter == pytest.approx([np.sqrt(2 / 4)])
    assert agreed.sizes.tolist() == [[0.0, 0.0]]


def test_two_near_points_of_one_person_are_two_spots():
    marks = [[0.0, 0.0], [6.0, 0.0], [0.5, 0.0], [6.5, 0.0]]
    agreed = agreed_points(marks, [1, 1, 2, 2], n_volunteers=2, reach=12.0)
    assert sorted(agreed.positions.tolist()) == [[0.25, 0.0], [6.25, 0.0]]


@pytest.mark.parametrize(
    ("n_marks", "n_volunteers", "n_agreed"),
    [(1, 1, 0), (2, 2, 1), (2, 3, 1), (2, 4, 1), (2, 5, 0), (3, 5, 1), (0, 5, 0)],
)
def test_half_of_the_people_and_two_of_them_make_an_agreement(n_marks, n_volunteers, n_agreed):
    marks, whose = np.zeros((n_marks, 2)), np.arange(n_marks)
    assert len(agreed_points(marks, whose, n_volunteers=n_volunteers, reach=1.0)) == n_agreed
    boxes = agreed_boxes(marks, marks + 1.0, whose, n_volunteers=n_volunteers)
    assert len(boxes) == n_agreed


def test_of_more_spots_than_there_may_be_those_of_most_people_stay():
    marks = [[0.0, 0.0], [30.0, 0.0], [0.0, 1.0], [30.0, 1.0], [30.0, 2.0]]
    agreed = agreed_points(marks, [1, 2, 3, 4, 5], n_volunteers=4, reach=12.0, most=1)
    assert agreed.positions.tolist() == [[30.0, 1.0]]


def test_boxes_of_the_same_thing_agree_however_long_it_is():
    """Their middles lie farther apart than points of one spot may."""
    agreed = agreed_boxes(
        [[0.0, 0.0], [15.0, 0.0], [4.0, 30.0]],
        [[60.0, 8.0], [40.0, 6.0], [6.0, 6.0]],
        [1, 2, 1],
        n_volunteers=2,
    )
    assert agreed.positions.tolist() == [[7.5, 0.0]]
    assert agreed.sizes.tolist() == [[50.0, 7.0]]


@settings(max_examples=40, deadline=None)
@given(
    positions=arrays(float, (12, 2), elements=st.integers(-20, 20).map(float)),
    volunteers=arrays(int, 12, elements=st.integers(1, 5)),
    reach=st.floats(1, 30),
)
def test_nobody_counts_twice_wherever_the_center_lies(positions, volunteers, reach):
    agreed = agreed_points(positions, volunteers, n_volunteers=2, reach=reach)
    assert (agreed.n_volunteers <= len(np.unique(volunteers))).all()
    assert (agreed.scatter <= reach).all()
    assert (np.diff(agreed.n_volunteers) <= 0).all()
    moved = agreed_points(positions + 7.0, volunteers + 3, n_volunteers=2, reach=reach)
    np.testing.assert_allclose(moved.positions, agreed.positions + 7.0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    positions=arrays(float, (8, 2), elements=st.floats(-20, 20)),
    sizes=arrays(float, (8, 2), elements=st.floats(1, 20)),
)
def test_boxes_that_agree_overlap(positions, sizes):
    agreed = agreed_boxes(positions, sizes, np.arange(8), n_volunteers=2)
    for center, size in zip(agreed.positions, agreed.sizes, strict=True):
        assert (np.abs(positions - center) < (sizes + size) / (1 + LEAST_OVERLAP)).all(axis=1).any()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: agreed_points([[0.0]], [1], n_volunteers=1, reach=1.0), "must be finite pairs"),
        (
            lambda: agreed_points([[np.nan, 0.0]], [1], n_volunteers=1, reach=1.0),
            r"positions must be finite pairs, \(M, 2\), got shape \(1, 2\)",
        ),
        (
            lambda: agreed_points([[0.0, 0.0]], [1, 2], n_volunteers=2, reach=1.0),
            r"volunteers must be 1 integers, got int64 \(2,\)",
        ),
        (
            lambda: agreed_points([[0.0, 0.0]], [0.5], n_volunteers=2, reach=1.0),
            "volunteers must be 1 integers, got float64",
        ),
        (
            lambda: agreed_points([[0.0, 0.0]], [1], n_volunteers=1, reach=0.0),
            r"reach must be positive, got 0\.0",
        ),
        (
            lambda: agreed_boxes([[0.0, 0.0]], [[0.0, 1.0]], [1], n_volunteers=1),
            "sizes must be positive, a width and a height for each position",
        ),
    ],
)
def test_marks_that_are_none_are_refused(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()
