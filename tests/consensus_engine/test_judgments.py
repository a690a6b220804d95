"""Judgments of grid members, items known beforehand and a warm start enter the vote model."""

import numpy as np
import pytest

from skysort.consensus.dawid_skene import (
    Judgments,
    fit_dawid_skene,
    judgment_log_likelihood,
)
from skysort.errors import InputError
from tests.consensus_engine.crowds import make_votes


def fit(votes, **changes):
    return fit_dawid_skene(votes.item, votes.worker, votes.answer, **votes.sizes | changes)


def make_judgments(seed, truth, *, n_workers=12, n=2000, false_tick=0.05, true_tick=0.8):
    """Labels are right seven times in ten."""
    rng = np.random.default_rng(seed)
    item, worker = rng.integers(0, len(truth), n), rng.integers(0, n_workers, n)
    n_classes = int(truth.max()) + 1
    label = np.where(rng.random(n) < 0.7, truth[item], rng.integers(0, n_classes, n))
    chance = np.where(
        label == truth[item], false_tick, np.broadcast_to(true_tick, n_workers)[worker]
    )
    return Judgments(item, worker, label, rng.random(n) < chance)


def right(probabilities, truth):
    return np.mean(probabilities.argmax(axis=1) == truth)


def test_judgments_alone_find_the_classes():
    votes = make_votes(1, n_items=300)
    none = np.array([], dtype=int)
    result = fit_dawid_skene(
        none, none, none, **votes.sizes, judgments=make_judgments(1, votes.truth, n=4000)
    )
    assert result.converged
    assert right(result.item_probabilities, votes.truth) > 0.95
    np.testing.assert_allclose(result.item_probabilities.sum(axis=1), 1.0)


def test_judgments_help_votes_and_learn_how_often_a_member_is_ticked():
    votes = make_votes(2, n_items=400, n_votes=800)
    judged = make_judgments(2, votes.truth, n=6000, false_tick=0.02, true_tick=0.5)
    alone, both = fit(votes), fit(votes, judgments=judged)
    assert right(both.item_probabilities, votes.truth) > right(
        alone.item_probabilities, votes.truth
    )
    ticks = both.crowd_judgment[..., 1]
    is_same = np.eye(3, dtype=bool)
    assert ticks[is_same].max() < 0.12
    assert np.abs(ticks[~is_same] - 0.5).max() < 0.12


def test_a_volunteer_who_ticks_nothing_is_told_from_one_who_ticks_with_care():
    votes = make_votes(3, n_items=400, n_votes=3000)
    skill = np.full(12, 0.9)
    skill[4] = 0.0
    result = fit(votes, judgments=make_judgments(3, votes.truth, n=6000, true_tick=skill))
    wrong = result.judgment_odds[:, 1]
    assert wrong.argmin() == 4
    assert wrong[4] < 0.05 < 0.5 < np.delete(wrong, 4).min()
    said = Judgments([0, 1], [4, 5], [2, 2], [False, False])
    lazy, careful = judgment_log_likelihood(result, said, n=2)
    assert np.ptp(lazy) < 0.3 < 1.0 < careful[2] - careful[0]


def test_odds_are_the_shrunk_odds_of_the_expected_counts():
    truth = np.array([0, 0, 0, 0, 1, 1])
    none = np.array([], dtype=int)
    judged = Judgments(
        np.arange(6), np.zeros(6, int), np.zeros(6, int), np.array([1, 0, 0, 0, 1, 1], bool)
    )
    result = fit_dawid_skene(
        none,
        none,
        none,
        n_items=6,
        n_workers=2,
        n_classes=2,
        n_answers=2,
        class_of_answer=[0, 1],
        known=truth,
        judgments=judged,
    )
    damped = np.array([3.0, 1.0]) * 5 / (4 + 5)  # passes and ticks under a right label
    kind = (damped + 40 * np.array([0.9, 0.1])) / (damped.sum() + 40)
    crowd = (damped + 40 * kind) / (damped.sum() + 40)
    np.testing.assert_allclose(result.crowd_judgment[0, 0], crowd)
    odds = (1 + 5 * crowd[1]) / (3 + 5 * crowd[0])
    assert result.judgment_odds[0, 0] == pytest.approx(odds * crowd[0] / crowd[1])
    np.testing.assert_array_equal(result.judgment_odds[1], 1.0)


def test_log_likelihood_of_judgments_multiplies_odds_with_the_crowds():
    votes = make_votes(4)
    result = fit(votes, judgments=make_judgments(4, votes.truth))
    said = Judgments([1, 1], [3, 5], [0, 2], [True, False])
    table = judgment_log_likelihood(result, said, n=3)
    crowd = result.crowd_judgment
    odds = np.where(np.arange(3) == 0, result.judgment_odds[3, 0], result.judgment_odds[3, 1])
    ticks = odds * crowd[0, :, 1] / (odds * crowd[0, :, 1] + crowd[0, :, 0])
    odds = np.where(np.arange(3) == 2, result.judgment_odds[5, 0], result.judgment_odds[5, 1])
    passes = crowd[2, :, 0] / (odds * crowd[2, :, 1] + crowd[2, :, 0])
    np.testing.assert_allclose(table[1], np.log(ticks) + np.log(passes))
    np.testing.assert_array_equal(table[[0, 2]], 0.0)


def test_masked_items_teach_nothing_by_judgments():
    votes = make_votes(5)
    judged = make_judgments(5, votes.truth)
    mask = np.arange(60) >= 20
    kept = mask[judged.item]
    part = Judgments(
        judged.item[kept], judged.worker[kept], judged.label[kept], judged.ticked[kept]
    )
    one, two = (fit(votes, item_mask=mask, judgments=j) for j in (judged, part))
    np.testing.assert_allclose(one.judgment_odds, two.judgment_odds)
    np.testing.assert_allclose(one.crowd_judgment, two.crowd_judgment)


def test_known_items_keep_their_class_and_unmask_the_liars():
    votes = make_votes(6, n_items=300, n_votes=3000, skill=0.9)
    liars = votes.worker < 7  # most lie, and agree with each other
    votes.answer[liars] = (votes.truth[votes.item[liars]] + 1) % 3
    known = np.where(np.arange(300) < 60, votes.truth, -1)
    blind, told = fit(votes), fit(votes, known=known)
    assert right(blind.item_probabilities[60:], votes.truth[60:]) < 0.5
    assert right(told.item_probabilities[60:], votes.truth[60:]) > 0.95
    np.testing.assert_array_equal(told.item_probabilities[:60], np.eye(3)[votes.truth[:60]])


def test_item_prior_replaces_the_class_frequencies():
    votes = make_votes(7, n_items=61)
    votes.item[votes.item == 60] = 59  # nobody votes on the last
    prior = np.full((61, 3), np.nan)
    prior[60] = 0.2, 0.7, 0.1
    prior[5] = 0.98, 0.01, 0.01
    result, plain = fit(votes, item_prior=prior), fit(votes)
    np.testing.assert_allclose(result.item_probabilities[60], [0.2, 0.7, 0.1])
    assert result.item_probabilities[5, 0] > plain.item_probabilities[5, 0]
    np.testing.assert_allclose(
        fit(votes, item_prior=prior * np.nan).item_probabilities, plain.item_probabilities
    )


def test_item_prior_keeps_to_the_classes_of_the_kind():
    votes = make_votes(8)
    prior = np.full((60, 3), 1 / 3)
    result = fit(votes, item_prior=prior, allowed=np.array([[True, True, False]]))
    assert (result.item_probabilities[:, 2] == 0.0).all()


def test_warm_start_ends_where_a_cold_one_does_and_sooner():
    votes = make_votes(9, n_items=310, n_workers=23, n_votes=3200)
    early = (votes.item < 300) & (votes.worker < 20)
    first = fit_dawid_skene(
        votes.item[early],
        votes.worker[early],
        votes.answer[early],
        **votes.sizes | {"n_items": 300, "n_workers": 20},
    )
    cold, warm = fit(votes, tolerance=1e-8), fit(votes, tolerance=1e-8, start=first)
    np.testing.assert_allclose(warm.item_probabilities, cold.item_probabilities, atol=1e-5)
    np.testing.assert_allclose(warm.confusion, cold.confusion, atol=1e-5)
    assert fit(votes, start=first).n_iterations < fit(votes).n_iterations


def test_warm_start_from_itself_stays():
    votes = make_votes(10)
    judged = make_judgments(10, votes.truth)
    done = fit(votes, judgments=judged, tolerance=1e-10, max_iterations=500)
    again = fit(votes, judgments=judged, start=done)
    assert again.n_iterations == 1
    np.testing.assert_allclose(again.item_probabilities, done.item_probabilities, atol=1e-8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"known": [9] * 60}, "known must lie between -1 and 2, got 9 at 0"),
        ({"known": [2] * 60, "allowed": [[True, True, False]]}, "item 0 is said to have a class"),
        ({"item_prior": np.ones((60, 2))}, r"item_prior must have shape \(60, 3\)"),
        ({"item_prior": np.ones((60, 3))}, "item_prior must be at least 0 and sum to 1"),
        ({"judgments": Judgments([60], [0], [0], [True])}, "judgments.item must lie between"),
        ({"judgments": Judgments([0], [12], [0], [True])}, "judgments.worker must lie between"),
        ({"judgments": Judgments([0], [0], [3], [True])}, "judgments.label must lie between"),
        ({"judgments": Judgments([0.5], [0], [0], [True])}, "judgments.item must be a flat array"),
        ({"judgments": Judgments([0], [0], [0], [1])}, "judgments.ticked must be a flat array"),
        ({"judgments": Judgments([0], [0], [0, 1], [True])}, "judgments must have arrays of one"),
    ],
)
def test_refuses_what_does_not_fit(changes, message):
    with pytest.raises(InputError, match=message):
        fit(make_votes(11), **changes)


def test_refuses_a_start_with_more_volunteers():
    done = fit(make_votes(12))
    with pytest.raises(InputError, match="start must be a fit of 1 kinds, 3 classes, 4 answers"):
        fit(make_votes(12, n_workers=11), start=done)
