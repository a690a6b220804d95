"""Outliers are strange for their prototype and brightness, listed once, and not a family."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skysort.errors import InputError
from skysort.som.config import SOMConfig
from skysort.som.outliers import find_outliers, outlier_ranks, outlier_scores
from skysort.som.polar_som import PolarSOM
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_templates
from tests.som.test_quality import make_projection

SIZE = 24
N_ORDINARY = 600
N_ODD = 8
N_COPIES = 3


def make_members(seed=1):
    """Forty members near prototype 0 and forty far from prototype 1, both as usual there."""
    rng = np.random.default_rng(seed)
    near, far = rng.normal(1.0, 0.1, 40), rng.normal(5.0, 0.1, 40)
    return [0] * 40 + [1] * 40, [1] * 40 + [0] * 40, np.concatenate([near, far])


def make_odd(n, seed):
    """Pictures (n, 1, SIZE, SIZE) of four dots each at places of their own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2.0
    dots = rng.uniform(-SIZE / 3, SIZE / 3, (n, 4, 2, 1, 1))
    odd = np.exp(-(((x - dots[:, :, 0]) ** 2 + (y - dots[:, :, 1]) ** 2) / 4.0)).sum(axis=1)
    return (odd / odd.max(axis=(1, 2), keepdims=True))[:, None]


def turned(pictures, rng, noise):
    """Each at an angle and flip of its own, with noise."""
    n = len(pictures)
    moved = rotate_images(
        torch.from_numpy(pictures.astype(np.float32)),
        torch.from_numpy(rng.uniform(0.0, 2.0 * np.pi, n)),
        torch.from_numpy(rng.integers(0, 2, n).astype(bool)),
    ).numpy()
    return moved + rng.normal(0.0, noise, moved.shape).astype(np.float32)


def make_survey(seed):
    """Ordinary shapes of very different brightness, odd ones, and copies of the first odd one.

    An ordinary source is a template with up to 12 % of another one.
    """
    rng = np.random.default_rng(seed)
    templates = make_templates(SIZE)
    kind = rng.integers(0, 3, N_ORDINARY)
    trace = templates[(kind + rng.integers(1, 3, N_ORDINARY)) % 3]
    ordinary = templates[kind] + 0.12 * rng.random((N_ORDINARY, 1, 1, 1)) * trace
    ordinary *= np.exp(rng.normal(0.0, 0.6, (N_ORDINARY, 1, 1, 1)))
    odd = make_odd(N_ODD, seed)
    copies = np.repeat(odd[:1], N_COPIES, axis=0)
    return turned(np.concatenate([ordinary, odd, copies]), rng, noise=0.05)


def make_map(images):
    config = SOMConfig(image_shape=images.shape[1:], rows=4, columns=4, n_rotations=72, epochs=8)
    som = PolarSOM(config)
    som.fit(images)
    return som


@pytest.fixture(scope="module", params=[1, 2])
def sorted_survey(request):
    images = make_survey(request.param)
    som = make_map(images)
    return som, images, som.project(images)


@pytest.fixture(scope="module")
def found(sorted_survey):
    return find_outliers(*sorted_survey)


def test_planted_outliers_come_before_bright_ordinary_sources(sorted_survey, found):
    planted = np.arange(len(found.rank)) >= N_ORDINARY
    n = planted.sum()
    by_distance = outlier_ranks(sorted_survey[2].distance.astype(np.float64))
    precision = {
        "distance": planted[by_distance <= n].mean(),
        "deviation": planted[outlier_ranks(found.deviation) <= n].mean(),
        "score": planted[found.rank <= n].mean(),
    }
    print("\nprecision of the strangest", n, precision)
    assert precision["score"] >= 0.8
    assert precision["score"] >= precision["distance"] + 0.5


def test_turned_and_mirrored_copies_are_one_group_and_listed_once(found):
    copies = [N_ORDINARY, *range(N_ORDINARY + N_ODD, N_ORDINARY + N_ODD + N_COPIES)]
    assert len(set(found.group[copies].tolist())) == 1
    assert found.group[copies[0]] in copies
    assert set(np.flatnonzero(found.group == found.group[copies[0]]).tolist()) == set(copies)
    ranks = np.sort(found.rank[copies])
    assert (np.diff(ranks) == 1).all(), "a group stays together"
    assert found.rank[found.group[copies[0]]] == ranks[0], "its leader comes first"
    assert np.isin(copies, found.leaders()).sum() == 1


def test_odd_sources_that_differ_are_not_grouped(found):
    odd = np.arange(N_ORDINARY, N_ORDINARY + N_ODD)
    assert len(set(found.group[odd].tolist())) == N_ODD


def test_ranks_follow_the_scores(found):
    assert sorted(found.rank.tolist()) == list(range(1, len(found.rank) + 1))
    assert (np.diff(found.score[np.argsort(found.rank)]) <= 0.0).all()
    leaders = found.leaders()
    assert (found.group[leaders] == leaders).all()
    assert len(leaders) == len(set(found.group.tolist()))
    ordinary = found.group == np.arange(len(found.group))
    assert (found.score[ordinary] <= np.maximum(found.deviation, 0.0)[ordinary]).all()


def test_a_family_is_less_strange_than_a_unique_source():
    """Six of a kind that has no prototype, each a little different, against one of its own kind."""
    rng = np.random.default_rng(5)
    odd = make_odd(8, seed=11)
    family = odd[:1] + 0.6 * odd[2:8]
    ordinary = np.repeat(make_templates(SIZE), 60, axis=0)
    images = turned(np.concatenate([ordinary, family, odd[1:2]]), rng, noise=0.05)
    som = make_map(images[:180])
    found = find_outliers(som, images, som.project(images), share=0.1)
    assert found.isolation[180:186].max() < 0.9 < found.isolation[186]


def test_few_images_are_scored_without_neighbours(sorted_survey):
    som, images, projection = sorted_survey
    few = find_outliers(som, images, projection, most=2)
    assert (few.isolation == 1.0).all()
    assert np.allclose(few.score[few.group == np.arange(len(images))].max(), few.deviation.max())


def test_nothing_is_compared_where_the_share_is_zero(sorted_survey):
    found = find_outliers(*sorted_survey, share=0.0)
    assert np.array_equal(found.group, np.arange(len(found.group)))
    assert np.array_equal(found.score, found.deviation)


def test_strangeness_is_measured_against_the_own_prototype():
    best, second, distance = make_members()
    distance[7] = 2.5  # far for prototype 0, though prototype 1 has nobody so near
    ranks = outlier_ranks(outlier_scores(make_projection(best, second, distance)))
    assert ranks[7] == 1


def test_strangeness_is_measured_against_sources_of_the_same_brightness():
    rng = np.random.default_rng(3)
    brightness = np.exp(rng.normal(0.0, 0.7, 200))
    distance = brightness * rng.normal(0.5, 0.02, 200)
    odd = int(np.argsort(brightness)[100])
    distance[odd] *= 1.6
    projection = make_projection([0] * 200, [1] * 200, distance)
    assert outlier_ranks(outlier_scores(projection))[odd] > 10
    assert outlier_ranks(outlier_scores(projection, brightness=brightness))[odd] == 1


def test_a_score_is_in_standard_deviations():
    rng = np.random.default_rng(4)
    distance = rng.normal(5.0, 0.3, 4000)
    scores = outlier_scores(make_projection([0] * 4000, [1] * 4000, distance))
    # The prototype's own spread and the survey's, which are equal here, add up to sqrt(2).
    assert np.std(scores) == pytest.approx(1.0 / np.sqrt(2.0), rel=0.05)
    assert np.median(scores) == pytest.approx(0.0, abs=0.05)


def test_small_cells_borrow_from_the_survey():
    best, second, distance = make_members()
    best, second = [*best, *[2] * 8], [*second, *[0] * 8]
    projection = make_projection(best, second, np.append(distance, [9.0] * 8))
    projection.second_distance[-8:] = 99.0
    assert outlier_scores(projection)[-1] > 0.5, "alike, and strange if the survey is nearer"
    assert abs(outlier_scores(projection, shrinkage=0.0)[-1]) < 1e-6


def test_subject_alone_on_its_prototype_is_judged_by_the_second():
    best, second, distance = make_members()
    projection = make_projection([*best, 2], [*second, 0], np.append(distance, 0.0))
    projection.second_distance[-1] = 4.0  # its own portrait fits; others are far
    assert outlier_ranks(outlier_scores(projection))[-1] == 1
    projection.second_distance[-1] = 1.0  # as near to prototype 0 as its members
    assert abs(outlier_scores(projection)[-1]) < 1.0


def test_a_prototype_of_ten_is_half_the_portrait_of_a_subject_and_its_copies():
    best, second, distance = make_members()
    ten, zeros = [2] * 10, [0] * 10
    near = make_projection([*best, *ten], [*second, *zeros], np.append(distance, [1.0] * 10))
    near.second_distance[-10:] = 9.0  # 10 / (10 - 5) times as far would be 2
    other = make_projection([*best, *ten], [*second, *zeros], np.append(distance, [1.5] * 10))
    other.second_distance[-10:] = 2.0  # nearer than 3: judged by the second
    scores = [outlier_scores(one, shrinkage=1e9)[-10:] for one in (near, other)]
    assert np.allclose(scores[0], scores[1], atol=1e-3)


def test_equal_distances_give_no_outliers():
    scores = outlier_scores(make_projection([0, 0, 1, 1], [1, 1, 0, 0]))
    assert (scores == 0.0).all()


def test_one_far_subject_among_equals_is_found():
    scores = outlier_scores(make_projection([0] * 9, [1] * 9, np.array([1.0] * 8 + [3.0])))
    assert outlier_ranks(scores)[8] == 1
    assert np.allclose(scores[:8], scores[0])


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
def test_ranks_are_a_permutation_from_the_strangest(scores):
    ranks = outlier_ranks(scores)
    assert sorted(ranks.tolist()) == list(range(1, len(scores) + 1))
    in_order = scores[np.argsort(ranks)]
    assert (np.diff(in_order) <= 0.0).all()


@given(
    st.integers(2, 40).flatmap(
        lambda n: st.tuples(
            arrays(np.int64, n, elements=st.integers(0, 4)),
            arrays(np.float64, n, elements=st.floats(0.0, 1e6)),
            arrays(np.float64, n, elements=st.floats(0.0, 1e6)),
        )
    )
)
def test_scores_are_finite_whatever_the_distances(drawn):
    best, distance, brightness = drawn
    projection = make_projection(best, (best + 1) % 5, distance)
    assert np.isfinite(outlier_scores(projection, brightness=brightness)).all()


def test_ties_go_to_the_lower_index():
    assert outlier_ranks(np.array([1.0, 2.0, 2.0, 1.0])).tolist() == [3, 1, 2, 4]


def test_bad_input_is_refused(sorted_survey):
    with pytest.raises(InputError, match="the score of row 1 is NaN"):
        outlier_ranks(np.array([1.0, np.nan]))
    three = make_projection([0, 0, 0], [1, 1, 1], np.array([1.0, np.inf, 2.0]))
    with pytest.raises(InputError, match="the distance of row 1 is not finite"):
        outlier_scores(three)
    pair = make_projection([0, 0], [1, 1])
    with pytest.raises(InputError, match="shrinkage must not be negative, got -1"):
        outlier_scores(pair, shrinkage=-1.0)
    with pytest.raises(InputError, match="the brightness of row 0 is not finite"):
        outlier_scores(pair, brightness=np.array([np.nan, 1.0]))
    with pytest.raises(InputError, match="brightness must have a value for each of the 2 rows"):
        outlier_scores(pair, brightness=np.ones(3))
    som, images, projection = sorted_survey
    with pytest.raises(InputError, match="the projection has 2 rows, but there are 611 images"):
        find_outliers(som, images, pair)
    with pytest.raises(InputError, match=r"share must lie between 0 and 1, got 1\.5"):
        find_outliers(som, images, projection, share=1.5)
    with pytest.raises(InputError, match="relatives must be at least 1, got 0"):
        find_outliers(som, images, projection, relatives=0)
