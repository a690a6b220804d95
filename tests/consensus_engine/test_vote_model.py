"""The vote model loses to no simple one, whatever is wrong with the crowd."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.baselines import majority, plain_dawid_skene
from skysort.consensus.dawid_skene import fit_dawid_skene
from skysort.consensus.vote_model import (
    CROWD_STRENGTH,
    STRENGTHS,
    choose_worker_strength,
    fit_vote_model,
)
from skysort.errors import InputError
from tests.consensus_engine.crowds import make_votes
from tests.consensus_engine.difficult_crowds import KINDS, make_difficult

HALF_A_POINT = 0.005


def accuracy(probabilities, truth):
    """Share of right labels; of labels that tie, each is drawn with the same chance."""
    is_top = probabilities >= probabilities.max(axis=1, keepdims=True) - 1e-12
    return (is_top[np.arange(len(truth)), truth] / is_top.sum(axis=1)).mean()


def brier(probabilities, truth):
    return ((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(axis=1).mean()


def compared(votes):
    """Probabilities by majority, plain Dawid-Skene and the model."""
    sizes = {"n_items": len(votes.truth), "n_classes": votes.n_classes}
    told = votes.item, votes.worker, votes.answer
    return (
        majority(votes.item, votes.answer, **sizes),
        plain_dawid_skene(*told, n_workers=votes.n_workers, **sizes),
        fit_vote_model(
            *told,
            n_workers=votes.n_workers,
            n_answers=votes.n_classes,
            class_of_answer=range(votes.n_classes),
            **sizes,
        ).item_probabilities,
    )


@pytest.mark.parametrize("name", KINDS)
def test_loses_no_more_than_half_a_point_to_the_better_of_majority_and_plain_dawid_skene(name):
    results = []
    for seed in range(2):
        votes = make_difficult(seed, **KINDS[name])
        tables = compared(votes)
        results.append([[f(p, votes.truth) for p in tables] for f in (accuracy, brier)])
    (by_count, plain, model), (_, plain_brier, model_brier) = np.mean(results, axis=0)
    print(f"{name}: majority {by_count:.4f}, plain {plain:.4f}, model {model:.4f}")
    assert model >= max(by_count, plain) - HALF_A_POINT
    assert model_brier < plain_brier


def test_is_better_than_both_where_items_are_hard_and_classes_rare():
    votes = make_difficult(5, **KINDS["rare classes, five in all"])
    by_count, plain, model = (accuracy(p, votes.truth) for p in compared(votes))
    assert plain < by_count < model - 0.01


def test_finds_out_how_alike_votes_are():
    alike = make_difficult(1, hardness=2.0, lookalike=0.9, votes_per_item=8)
    apart = make_votes(1, n_items=800, n_workers=40, n_votes=6000)
    for votes, low, high in ((alike, 0.1, 0.5), (apart, 0.0, 0.02)):
        fit = fit_vote_model(votes.item, votes.worker, votes.answer, **votes.sizes)
        assert low <= fit.correlation[0] <= high
        assert fit.judgment_correlation == 0.0


def test_independent_votes_leave_the_fit_as_it_is_without_correlation():
    votes = make_votes(2, n_items=800, n_workers=40, n_votes=6000)
    told = votes.item, votes.worker, votes.answer
    model = fit_vote_model(*told, **votes.sizes, worker_strength=5.0)
    plain = fit_dawid_skene(*told, **votes.sizes, crowd_strength=CROWD_STRENGTH)
    assert model.correlation[0] == 0.0
    np.testing.assert_array_equal(model.item_probabilities, plain.item_probabilities)


def test_a_crowd_with_little_in_common_has_a_weak_prior():
    rng = np.random.default_rng(3)
    votes = make_votes(3, n_items=100, n_workers=40, n_classes=2, n_votes=4000, skill=1.0)
    lies = rng.random(40) < 0.4
    votes.answer[lies[votes.worker]] = 1 - votes.truth[votes.item[lies[votes.worker]]]
    votes.answer[votes.answer < 0] = 0
    assert choose_worker_strength(votes.item, votes.worker, votes.answer, **votes.sizes) == 1.0
    few = votes.item[:40], votes.worker[:40], votes.answer[:40]
    assert choose_worker_strength(*few, **votes.sizes) == STRENGTHS[0]


def test_masked_items_have_no_say_in_the_choice():
    votes = make_votes(4, n_votes=500)
    mask = np.arange(60) >= 30
    scrambled = votes.answer.copy()
    hidden = ~mask[votes.item]
    scrambled[hidden] = np.random.default_rng(4).permutation(scrambled[hidden])
    fits = [
        fit_vote_model(votes.item, votes.worker, answer, **votes.sizes, item_mask=mask)
        for answer in (votes.answer, scrambled)
    ]
    np.testing.assert_allclose(fits[0].confusion, fits[1].confusion)
    np.testing.assert_array_equal(fits[0].correlation, fits[1].correlation)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_names_of_items_and_volunteers_change_nothing(seed):
    votes = make_difficult(seed, n_items=100, n_workers=20, hardness=1.5)
    rng = np.random.default_rng(seed)
    new_item, new_worker = rng.permutation(100), rng.permutation(20)
    one = fit_vote_model(votes.item, votes.worker, votes.answer, **votes.sizes, tolerance=1e-8)
    two = fit_vote_model(
        new_item[votes.item],
        new_worker[votes.worker],
        votes.answer,
        **votes.sizes,
        tolerance=1e-8,
    )
    np.testing.assert_array_equal(one.correlation, two.correlation)
    np.testing.assert_allclose(two.item_probabilities[new_item], one.item_probabilities, atol=1e-5)
    np.testing.assert_allclose(one.item_probabilities.sum(axis=1), 1.0)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), item=st.integers(0, 99))
def test_with_alike_votes_too_an_agreeing_vote_never_lowers_the_winner(seed, item):
    votes = make_difficult(seed, n_items=100, n_workers=20, n_classes=2, hardness=1.5)
    sizes = votes.sizes | {"n_workers": 21, "correlation": 0.2}
    before = fit_dawid_skene(votes.item, votes.worker, votes.answer, **sizes)
    winner = before.item_probabilities[item].argmax()
    columns = zip((votes.item, votes.worker, votes.answer), (item, 20, winner), strict=True)
    after = fit_dawid_skene(*(np.append(*pair) for pair in columns), **sizes)
    assert after.item_probabilities[item, winner] >= before.item_probabilities[item, winner] - 2e-3


def test_with_alike_votes_too_a_volunteer_who_answers_at_random_moves_nobody_in_the_limit():
    votes = make_difficult(7, n_items=3000, n_workers=30, votes_per_item=4, hardness=1.5)
    rng = np.random.default_rng(107)
    sizes = votes.sizes | {"n_workers": 31, "correlation": 0.2}
    before = fit_dawid_skene(votes.item, votes.worker, votes.answer, **sizes)
    after = fit_dawid_skene(
        np.append(votes.item, np.arange(3000)),
        np.append(votes.worker, np.full(3000, 30)),
        np.append(votes.answer, rng.integers(0, 3, 3000)),
        **sizes,
    )
    assert after.vote_size[0, 30] < 0.15 < np.median(after.vote_size[0, :30])
    assert np.abs(after.item_probabilities - before.item_probabilities).mean() < 0.015


def test_refuses_a_correlation_beyond_one():
    votes = make_votes(8)
    with pytest.raises(InputError, match=r"correlation must lie between 0 and 1, got 1\.5"):
        fit_dawid_skene(votes.item, votes.worker, votes.answer, **votes.sizes, correlation=1.5)
