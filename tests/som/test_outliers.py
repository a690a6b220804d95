import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skysort.errors import InputError
from skysort.som.outliers import outlier_ranks, outlier_scores
from tests.som.test_quality import make_projection


def make_members(seed=1):
    """Forty members near prototype 0 and forty far from prototype 1, both as usual there."""
    rng = np.random.default_rng(seed)
    near, far = rng.normal(1.0, 0.1, 40), rng.normal(5.0, 0.1, 40)
    return [0] * 40 + [1] * 40, [1] * 40 + [0] * 40, np.concatenate([near, far])


def test_strangeness_is_measured_against_the_own_prototype():
    best, second, distance = make_members()
    distance[7] = 2.5  # far for prototype 0, though prototype 1 has nobody so near
    ranks = outlier_ranks(outlier_scores(make_projection(best, second, distance)))
    assert ranks[7] == 1


def test_without_shrinkage_the_score_is_the_robust_deviation_of_the_cell():
    best, second, distance = make_members()
    scores = outlier_scores(make_projection(best, second, distance), shrinkage=0.0)
    own = distance[40:].astype(np.float32).astype(np.float64)
    spread = np.median(np.abs(own - np.median(own))) / 0.6744897501960817
    assert np.allclose(scores[40:], (own - np.median(own)) / spread)


def test_small_cells_borrow_from_the_survey():
    best, second, distance = make_members()
    best, second = [*best, 2, 2], [*second, 0, 0]
    distance = np.concatenate([distance, [9.0, 9.0]])
    scores = outlier_scores(make_projection(best, second, distance))
    assert scores[-1] > 0.5, "two alike are strange if the whole survey is nearer"
    alone = outlier_scores(make_projection(best, second, distance), shrinkage=0.0)
    assert alone[-1] == 0.0


def test_subject_alone_on_its_prototype_is_judged_by_the_second():
    best, second, distance = make_members()
    projection = make_projection([*best, 2], [*second, 0], np.append(distance, 0.0))
    projection.second_distance[-1] = 4.0  # its own portrait fits; others are far
    assert outlier_ranks(outlier_scores(projection))[-1] == 1
    projection.second_distance[-1] = 1.0  # as near to prototype 0 as its members
    assert abs(outlier_scores(projection)[-1]) < 1.0


def test_equal_distances_give_no_outliers():
    scores = outlier_scores(make_projection([0, 0, 1, 1], [1, 1, 0, 0]))
    assert (scores == 0.0).all()


def test_one_far_subject_among_equals_is_found():
    scores = outlier_scores(make_projection([0] * 9, [1] * 9, np.array([1.0] * 8 + [3.0])))
    assert outlier_ranks(scores)[8] == 1
    assert (scores[:8] == scores[0]).all()


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
def test_ranks_are_a_permutation_from_the_strangest(scores):
    ranks = outlier_ranks(scores)
    assert sorted(ranks.tolist()) == list(range(1, len(scores) + 1))
    in_order = scores[np.argsort(ranks)]
    assert (np.diff(in_order) <= 0.0).all()


def test_ties_go_to_the_lower_index():
    assert outlier_ranks(np.array([1.0, 2.0, 2.0, 1.0])).tolist() == [3, 1, 2, 4]


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="the score of row 1 is NaN"):
        outlier_ranks(np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="the distance of row 1 is not finite"):
        outlier_scores(make_projection([0, 0, 0], [1, 1, 1], np.array([1.0, np.inf, 2.0])))
    with pytest.raises(InputError, match="shrinkage must not be negative, got -1"):
        outlier_scores(make_projection([0, 0], [1, 1]), shrinkage=-1.0)
