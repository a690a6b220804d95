"""Votes that echo each other are told from independent ones, and weakened."""

from dataclasses import replace

import numpy as np
import pytest

from skysort.consensus.dawid_skene import (
    Judgments,
    fit_dawid_skene,
    judgment_log_likelihood,
    vote_log_likelihood,
)
from skysort.consensus.dependence import (
    CORRELATIONS,
    Foretold,
    answer_sizes,
    choose_correlation,
    damped,
)
from tests.consensus_engine.crowds import make_votes


def fit(votes, **changes):
    return fit_dawid_skene(votes.item, votes.worker, votes.answer, **votes.sizes | changes)


def test_one_usual_vote_is_not_weakened_and_many_say_at_most_a_limit():
    log_likelihood = np.array([[2.0, 20.0, 2e6]])
    weakened = damped(log_likelihood, np.array([0.4, 10.0, 1e6]), 0.25)
    np.testing.assert_allclose(weakened, [[2.0, 20.0 / 3.25, 8.0]], rtol=1e-5)


def test_size_is_the_root_of_the_mutual_information():
    rng = np.random.default_rng(1)
    confusion = rng.dirichlet(np.ones(4), size=(3, 5))  # (K, W, A)
    prior = np.array([0.2, 0.3, 0.5])
    for w in range(5):
        joint = prior[:, None] * confusion[:, w]
        expected = (joint * np.log(joint / (prior[:, None] * joint.sum(axis=0)))).sum()
        size = answer_sizes(confusion, prior[:, None])[w]
        assert size == pytest.approx(np.sqrt(expected))


def test_echoes_have_a_high_correlation_and_independent_votes_none():
    rng = np.random.default_rng(2)
    n = 4000
    base = np.log(np.full((2, n), 0.5))
    row = np.array([[0.8, 0.2], [0.2, 0.8]])  # (K, A)
    truth = rng.integers(0, 2, n)
    said = (rng.random((5, n)) < row[truth, 1]).astype(int)
    rest = np.log(row[:, said[:4]]).sum(axis=1)  # (K, n)
    chance, amount = row[:, said[4]], np.full(n, 4.0)
    independent = Foretold(np.arange(n), rest, amount, base, chance)
    echo = Foretold(np.arange(n), 4.0 * np.log(row[:, said[0]]), amount, base, chance)
    assert choose_correlation(independent) == 0.0
    assert choose_correlation(echo) == CORRELATIONS[-1]


def test_nothing_to_foretell_leaves_votes_independent():
    none = np.zeros((2, 0))
    assert choose_correlation(Foretold(np.zeros(0, int), none, np.zeros(0), none, none)) == 0.0


def test_log_likelihood_of_votes_is_damped_as_in_the_fit():
    votes = make_votes(3)
    result = fit(votes, correlation=0.3)
    told = vote_log_likelihood(result, votes.item, votes.worker, votes.answer, n=60, group=0)
    log_weight = told + np.log(result.class_prior[0])
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        weight / weight.sum(axis=1, keepdims=True), result.item_probabilities, atol=1e-10
    )
    size = result.vote_size[0, votes.worker]
    assert (size**2).sum() / size.sum() == pytest.approx(1.0)


def test_kinds_of_items_have_their_own_correlation():
    easy = make_votes(4, n_items=600, n_workers=30, n_votes=4000)
    rng = np.random.default_rng(4)
    misleads = rng.beta(0.5, 0.5, 600)  # every item of the second kind in its own measure
    fooled = (easy.item >= 300) & (rng.random(4000) < misleads[easy.item])
    easy.answer[fooled] = (easy.truth[easy.item[fooled]] + 1) % 3
    result = fit(easy, item_group=(np.arange(600) >= 300).astype(int), correlation=None)
    assert result.correlation[0] <= 0.02 < 0.1 <= result.correlation[1]


def test_judgments_of_one_item_are_damped_by_what_they_tell():
    votes = make_votes(5)
    rng = np.random.default_rng(5)
    item, worker = rng.integers(0, 60, 900), rng.integers(0, 12, 900)
    judged = Judgments(item, worker, votes.truth[item], rng.random(900) < 0.1)
    result = fit(votes, judgments=judged, correlation=0.3)
    independent = replace(result, judgment_correlation=0.0)
    total, damped_total = (judgment_log_likelihood(f, judged, n=60) for f in (independent, result))
    single = np.arange(900)
    one = Judgments(single, worker, votes.truth[item], judged.ticked)
    size = np.ptp(judgment_log_likelihood(independent, one, n=900), axis=1) / result.judgment_unit
    amount = np.bincount(item, weights=size, minlength=60)
    assert (amount > 2.0).all()
    np.testing.assert_allclose(damped_total, total / (1.0 + 0.3 * (amount - 1.0))[:, None])
