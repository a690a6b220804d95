"""Evidence adds up to probabilities and to shares of the label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skysort.consensus.evidence import SOURCES, weigh
from skysort.errors import InputError

PRIOR, PROTOTYPE, HEAD, GRID, DIRECT = range(len(SOURCES))
LOGITS = arrays(float, (len(SOURCES), 6, 3), elements=st.floats(-40.0, 40.0))


def said(**logits):
    all_logits = np.zeros((len(SOURCES), 1, 3))
    for name, values in logits.items():
        all_logits[SOURCES.index(name), 0] = values
    return weigh(all_logits)


def test_probabilities_are_bayes_rule():
    prior, likelihood = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.6, 0.3])
    verdict = said(prior=np.log(prior), direct=np.log(likelihood))
    expected = prior * likelihood
    np.testing.assert_allclose(verdict.probabilities[0], expected / expected.sum())
    assert verdict.label.tolist() == [1]


@given(LOGITS)
def test_probabilities_and_shares_sum_to_one(logits):
    verdict = weigh(logits)
    np.testing.assert_allclose(verdict.probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(verdict.shares.sum(axis=1), 1.0)
    assert (verdict.shares >= 0.0).all()


@given(LOGITS, st.permutations(range(3)))
def test_names_of_classes_change_no_share(logits, order):
    shares, other = weigh(logits).shares, weigh(logits[:, :, order]).shares
    top = np.sort(logits.sum(axis=0), axis=1)
    clear = (top[:, 2] > top[:, 1] + 1e-9) & (top[:, 1] > top[:, 0] + 1e-9)
    np.testing.assert_allclose(shares[clear], other[clear], atol=1e-9)


def test_what_speaks_against_the_label_has_no_share():
    verdict = said(prototype=[3.0, 0.0, 0.0], direct=[0.0, 9.0, 0.0])
    assert verdict.label.tolist() == [1]
    assert verdict.shares[0, DIRECT] == 1.0


def test_equal_words_have_equal_shares():
    verdict = said(head=[2.0, 0.0, 0.0], grid=[2.0, 0.0, 0.0])
    np.testing.assert_allclose(verdict.shares[0, [HEAD, GRID]], 0.5)


def test_where_nothing_is_known_the_prior_has_it_all():
    assert said().shares[0, PRIOR] == 1.0


def test_a_single_class_is_certain():
    verdict = weigh(np.zeros((len(SOURCES), 2, 1)))
    assert (verdict.probabilities == 1.0).all()
    assert (verdict.shares[:, PRIOR] == 1.0).all()


def test_refuses_another_number_of_sources():
    with pytest.raises(InputError, match=r"logits must have shape \(5, N, C\)"):
        weigh(np.zeros((4, 2, 2)))
