"""The head corrects the prototypes where features know better, and does no harm elsewhere."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus import head
from skysort.consensus.head import HeadChoice, HeadSettings, fit_head, softmax
from skysort.errors import InputError

#: One fit at a temperature of 1, so that nothing is chosen by votes.
PLAIN = HeadSettings(temperatures=(1.0,))
CHOICE = HeadChoice(follow=1.0, strengths=(0.3,), shares=(1.0,))


@dataclass(frozen=True)
class Case:
    truth: np.ndarray
    features: np.ndarray
    cells: np.ndarray
    prior: np.ndarray
    rows: np.ndarray
    said: np.ndarray

    @property
    def rest(self):
        return np.setdiff1d(np.arange(len(self.truth)), self.rows)

    @property
    def arguments(self):
        return self.features, self.cells, self.prior, self.rows, self.said

    def fit(self, **options):
        return fit_head(*self.arguments, **options)

    def with_said(self, said):
        return replace(self, said=said)


def make_case(seed=0, *, n=600, n_votes=150, n_classes=3, noise=0.35, skill=0.7, hint=0.5):
    """Prototypes that are right with `hint`, features that know the class but for some noise.

    Each voted subject has one vote, right with probability `skill`.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    features = np.eye(n_classes)[truth] + rng.normal(0.0, noise, (n, n_classes))
    told = np.where(rng.random(n) < hint, truth, rng.integers(0, n_classes, n))
    cells = 0.5 * np.eye(n_classes)[told] + 0.5 / n_classes
    rows = rng.permutation(n)[:n_votes]
    is_right = rng.random(n_votes) < skill
    answer = np.where(is_right, truth[rows], rng.integers(0, n_classes, n_votes))
    wrong = (1.0 - skill) / n_classes
    said = np.log(np.eye(n_classes)[answer] * skill + wrong)
    return Case(truth, features, cells, np.full(n_classes, 1.0 / n_classes), rows, said)


def log_loss(probabilities, truth):
    return -np.log(probabilities[np.arange(len(truth)), truth]).mean()


def accuracy(probabilities, truth):
    return np.mean(probabilities.argmax(axis=1) == truth)


def logits_of(case, fit):
    return np.log(case.prior) + fit.cell_logits + fit.head_logits


def plain_weights(case, choice, n_steps=20_000):
    """Climb the posterior of the weights by small steps along its gradient."""
    features = np.column_stack([case.features, np.ones(len(case.truth))])[case.rows]
    cell = np.log(case.cells[case.rows]) - np.log(case.prior)
    offset = np.log(case.prior) + choice.follow * cell
    likelihood = np.exp(case.said)
    weights = np.zeros((features.shape[1], likelihood.shape[1]))
    step = 1.0 / (0.5 * np.linalg.norm(features, 2) ** 2 + choice.strengths[0])
    for _ in range(n_steps):
        before = softmax(offset + features @ weights)
        after = before * likelihood
        after /= after.sum(axis=1, keepdims=True)
        slope = features.T @ (after - before) - choice.strengths[0] * weights
        weights += step * slope
        if np.abs(slope).max() < 1e-9:
            break
    told = (before * (1.0 - before)).sum(axis=1) - (after * (1.0 - after)).sum(axis=1)
    precision = (features.T * np.maximum(told, 0.0) / 2.0) @ features
    precision += choice.strengths[0] * np.eye(len(weights))
    return weights, np.linalg.inv(precision)


def plain_head(case, choice):
    """Probabilities of subjects without votes, row by row."""
    weights, covariance = plain_weights(case, choice)
    rows = []
    for x, cell in zip(case.features, case.cells, strict=True):
        inputs = np.append(x, 1.0)
        drawn = inputs @ weights / np.sqrt(1.0 + np.pi / 8.0 * inputs @ covariance @ inputs)
        offset = np.log(case.prior) + choice.follow * (np.log(cell) - np.log(case.prior))
        rows.append(np.exp(offset + drawn) / np.exp(offset + drawn).sum())
    return np.array(rows)


@pytest.mark.parametrize(("follow", "strength"), [(1.0, 0.3), (0.5, 1.0), (0.0, 3.0)])
def test_fit_reaches_the_optimum_of_a_plain_climb(follow, strength):
    case = make_case()
    choice = HeadChoice(follow, (strength,), (1.0,))
    expected = plain_head(case, choice)
    exact = case.fit(choice=choice, settings=replace(PLAIN, n_steps=2000)).probabilities
    np.testing.assert_allclose(exact[case.rest], expected[case.rest], atol=1e-6)
    usual = case.fit(choice=choice, settings=PLAIN).probabilities
    np.testing.assert_allclose(usual[case.rest], expected[case.rest], atol=0.02)


def test_several_strengths_are_mixed_in_their_logits():
    case = make_case()
    fits = [case.fit(choice=HeadChoice(1.0, (s,), (1.0,)), settings=PLAIN) for s in (0.1, 1.0)]
    both = case.fit(choice=HeadChoice(1.0, (0.1, 1.0), (0.25, 0.75)), settings=PLAIN)
    expected = 0.25 * fits[0].head_logits + 0.75 * fits[1].head_logits
    np.testing.assert_allclose(both.head_logits, expected, atol=1e-9)
    assert both.choice.strength == pytest.approx(0.1**0.25)


@pytest.mark.parametrize("n_votes", [0, 9])
def test_without_lessons_it_repeats_the_prototypes(n_votes):
    case = make_case(n_votes=n_votes)
    fit = case.fit()
    np.testing.assert_allclose(fit.probabilities, case.cells)
    np.testing.assert_array_equal(fit.head_logits, 0.0)
    assert (fit.choice, fit.temperature, fit.gain_bits) == (None, 1.0, 0.0)
    assert fit.n_features == 3


def test_informative_features_beat_the_prototypes_alone():
    case = make_case()
    found = case.fit()
    for rows in (case.rest, case.rows):
        truth = case.truth[rows]
        assert log_loss(found.probabilities[rows], truth) < 0.55
        assert log_loss(case.cells[rows], truth) > 0.75
        assert accuracy(found.probabilities[rows], truth) > 0.85
        assert accuracy(case.cells[rows], truth) < 0.75
    assert found.gain_bits > 0.1


def test_more_votes_teach_more():
    losses = []
    for n_votes in (20, 80, 400):
        case = make_case(n=2000, n_votes=n_votes)
        losses.append(log_loss(case.fit().probabilities[case.rest], case.truth[case.rest]))
    assert losses[0] > losses[1] + 0.05 > losses[2] + 0.1


@pytest.mark.parametrize("seed", range(4))
def test_useless_features_do_no_harm(seed):
    case = make_case(seed, n=1000, n_votes=200, hint=0.8)
    cells = np.where(case.cells > 0.5, 0.86, 0.07)  # calibrated: 0.8 + 0.2 / 3
    noise = np.random.default_rng(seed).normal(size=(1000, 30)) / np.sqrt(30)
    case = replace(case, features=noise, cells=cells)
    found, truth = case.fit(), case.truth[case.rest]
    p, before = found.probabilities[case.rest], cells[case.rest]
    # 200 single votes, of which a fifth are wrong, cannot tell 30 features from none: 0.09 nats of
    # 0.54 are the price of trying.
    assert log_loss(p, truth) < log_loss(before, truth) + 0.09
    assert accuracy(p, truth) > accuracy(before, truth) - 0.01
    assert found.gain_bits < 0.05


def test_without_features_a_constant_corrects_the_frequencies():
    case = make_case(n=2000, n_votes=400)
    kept = (case.truth != 2) | (np.arange(2000) % 5 == 0)  # the third class is rare
    index = np.cumsum(kept) - 1
    is_kept = kept[case.rows]
    rare = Case(
        case.truth[kept],
        np.zeros((kept.sum(), 0)),
        np.full((kept.sum(), 3), 1.0 / 3.0),
        case.prior,
        index[case.rows[is_kept]],
        case.said[is_kept],
    )
    found = rare.fit().probabilities[rare.rest].mean(axis=0)
    shares = np.bincount(rare.truth) / len(rare.truth)
    np.testing.assert_allclose(found, shares, atol=0.08)
    assert rare.fit().n_features == 0


def test_own_votes_do_not_speak_through_the_head():
    case = make_case()
    turned = case.said.copy()
    turned[5] = turned[5][[1, 2, 0]] * 3.0
    before = case.fit(choice=CHOICE, settings=PLAIN).probabilities
    after = case.with_said(turned).fit(choice=CHOICE, settings=PLAIN).probabilities
    own = case.rows[5]
    np.testing.assert_allclose(after[own], before[own], atol=1e-12)
    moved = np.abs(after - before).max(axis=1)
    assert np.median(moved[case.rest]) > 1e-3
    # Others of its part have not learnt of it either, all the rest have.
    assert np.mean(moved[case.rows] > 1e-9) == pytest.approx(0.8, abs=0.01)


def test_held_out_answers_are_no_better_than_those_of_strangers():
    case = make_case(n=4000, n_votes=200, noise=1.0)
    found = case.fit().probabilities
    own, others = (log_loss(found[rows], case.truth[rows]) for rows in (case.rows, case.rest))
    assert own == pytest.approx(others, abs=0.12)


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(4)))
def test_names_of_classes_change_nothing(order):
    case = make_case(n_classes=4, n_votes=60, n=200)
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    case = replace(case, prior=prior)
    renamed = replace(
        case, cells=case.cells[:, order], prior=prior[order], said=case.said[:, order]
    )
    few = HeadSettings(strengths=(0.1, 1.0), temperatures=(0.8, 1.0, 1.25))
    expected, found = case.fit(settings=few), renamed.fit(settings=few)
    np.testing.assert_allclose(found.probabilities, expected.probabilities[:, order], atol=1e-8)
    assert found.temperature == expected.temperature
    assert found.gain_bits == pytest.approx(expected.gain_bits, abs=1e-9)


def test_order_of_lessons_changes_no_subject_without_votes():
    case = make_case()
    order = np.random.default_rng(1).permutation(len(case.rows))
    shuffled = replace(case, rows=case.rows[order], said=case.said[order])
    expected, found = (
        each.fit(choice=CHOICE, settings=PLAIN).probabilities for each in (case, shuffled)
    )
    np.testing.assert_allclose(found[case.rest], expected[case.rest], atol=1e-9)
    # Those with votes fall into other parts and so get answers of other fits.
    assert np.abs(found[case.rows] - expected[case.rows]).mean() < 0.03


def test_order_of_subjects_changes_nothing():
    case = make_case()
    order = np.random.default_rng(2).permutation(len(case.truth))
    place = np.argsort(order)
    turned = replace(
        case,
        truth=case.truth[order],
        features=case.features[order],
        cells=case.cells[order],
        rows=place[case.rows],
    )
    np.testing.assert_allclose(
        turned.fit().probabilities, case.fit().probabilities[order], atol=1e-9
    )


def test_turned_features_change_nothing():
    case = make_case()
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    turned = replace(case, features=case.features @ turn)
    np.testing.assert_allclose(turned.fit().probabilities, case.fit().probabilities, atol=1e-8)


def test_a_constant_factor_of_the_likelihood_changes_nothing():
    case = make_case()
    shifted = case.with_said(case.said - np.arange(150.0)[:, None])
    np.testing.assert_allclose(shifted.fit().probabilities, case.fit().probabilities, atol=1e-9)


def test_votes_that_say_nothing_teach_nothing():
    case = make_case()
    silent = case.with_said(np.full_like(case.said, -2.0)).fit(choice=CHOICE, settings=PLAIN)
    np.testing.assert_allclose(silent.probabilities, case.cells, atol=1e-12)
    assert silent.gain_bits == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_logits_add_up_to_probabilities_that_sum_to_one(seed):
    case = replace(make_case(seed), prior=np.array([0.6, 0.3, 0.1]))
    fit = case.fit()
    np.testing.assert_allclose(fit.probabilities.sum(axis=1), 1.0)
    assert (fit.probabilities > 0.0).all()
    np.testing.assert_allclose(softmax(logits_of(case, fit)), fit.probabilities, atol=1e-12)


def test_size_of_the_blocks_does_not_matter(monkeypatch):
    case = make_case()
    whole = case.fit()
    monkeypatch.setattr(head, "ROWS_AT_ONCE", 17)
    np.testing.assert_allclose(case.fit().probabilities, whole.probabilities, atol=1e-12)


def test_a_part_of_many_lessons_is_enough():
    case = make_case(n=3000, n_votes=1500)
    part = case.fit(settings=HeadSettings(max_lessons=300, max_compared=100))
    assert log_loss(part.probabilities, case.truth) < 0.4
    assert log_loss(case.cells, case.truth) > 0.75
    # What is left out teaches nothing: lessons that contradict all others change nothing there.
    some = np.random.default_rng(0).permutation(1500)[:300]
    said = np.full_like(case.said, -1.0)
    said[some] = case.said[some]
    silenced = case.with_said(said).fit(settings=HeadSettings(max_lessons=300, max_compared=100))
    np.testing.assert_allclose(silenced.probabilities, part.probabilities, atol=1e-12)


def test_known_classes_teach_more_than_votes():
    case = make_case(n_votes=60, noise=0.6, skill=0.4)
    certain = np.where(np.eye(3)[case.truth[case.rows]] > 0.0, 0.0, -np.inf)
    found = case.with_said(certain).fit().probabilities
    assert np.isfinite(found).all()
    truth = case.truth[case.rest]
    losses = [log_loss(each[case.rest], truth) for each in (found, case.fit().probabilities)]
    assert losses[0] < losses[1] - 0.1


def test_known_classes_that_the_prototypes_rule_out_teach_too():
    case = make_case(n_votes=60)
    certain = np.where(np.eye(3)[case.truth[case.rows]] > 0.0, 0.0, -np.inf)
    tiny = np.finfo(float).tiny
    wrong = np.where(np.eye(3)[(case.truth + 1) % 3] > 0.0, 1.0, tiny)
    found = replace(case, cells=wrong, said=certain).fit()
    assert np.isfinite(found.probabilities).all()
    assert accuracy(found.probabilities[case.rest], case.truth[case.rest]) > 0.85
    assert found.choice.follow == 0.0


def test_a_choice_made_before_is_kept():
    case = make_case()
    first = case.fit()
    again = case.fit(choice=first.choice)
    assert again.choice == first.choice
    np.testing.assert_allclose(again.probabilities, first.probabilities, atol=1e-12)


def test_a_hint_keeps_the_comparison_near_it():
    case = make_case()
    choice = case.fit(hint=HeadChoice(1.0, (0.01,), (1.0,))).choice
    assert max(choice.strengths) <= 0.04
    assert sum(choice.shares) == pytest.approx(1.0)


def test_a_hint_far_from_all_strengths_is_no_trap():
    case = make_case()
    choice = case.fit(
        settings=HeadSettings(strengths=(0.1, 1.0)), hint=HeadChoice(1.0, (50.0,), (1.0,))
    ).choice
    assert set(choice.strengths) <= {0.1, 1.0}


def test_prototypes_that_mislead_are_not_followed():
    case = make_case(n_votes=300, noise=0.2)
    misled = replace(case, cells=0.9 * np.eye(3)[(case.truth + 1) % 3] + 0.1 / 3.0)
    assert misled.fit().choice.follow == 0.0
    good = replace(case, cells=0.9 * np.eye(3)[case.truth] + 0.1 / 3.0, features=case.features * 0)
    assert good.fit().choice.follow == 1.0


def test_temperature_tempers_claims_that_votes_refute():
    case = make_case(n=2000, n_votes=500, hint=0.6)
    told = case.cells.argmax(axis=1)
    loud = replace(case, cells=0.99 * np.eye(3)[told] + 0.01 / 3.0, features=np.zeros((2000, 0)))
    only_whole = HeadSettings(follow=(1.0,))
    found = loud.fit(settings=only_whole)
    assert found.temperature > 1.2
    truth = case.truth[case.rest]
    assert log_loss(found.probabilities[case.rest], truth) < log_loss(loud.cells[case.rest], truth)


def test_a_single_class_is_certain():
    ones = np.ones((30, 1))
    fit = fit_head(np.zeros((30, 2)), ones, [1.0], np.arange(20), np.log(np.full((20, 1), 0.5)))
    np.testing.assert_array_equal(fit.probabilities, 1.0)
    assert fit.gain_bits == 0.0


def without(name):
    return lambda case: {name: getattr(case, name)[:-1]}


def with_zero(case):
    return {"cells": np.where(np.arange(3) == 0, 0.0, case.cells)}


def with_said(row, values):
    def change(case):
        said = case.said.copy()
        said[row] = values
        return {"said": said}

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda case: {"features": case.features[:, 0]}, r"features must have rows and columns"),
        (without("cells"), r"cell_probabilities must have shape \(600, 3\), got \(599, 3\)"),
        (without("said"), r"log_likelihood must have shape \(150, 3\), got \(149, 3\)"),
        (with_zero, "cell_probabilities and class_prior must be positive"),
        (lambda case: {"prior": np.array([0.5, 0.5, 0.0])}, "class_prior must be positive"),
        (lambda case: {"rows": case.rows + 500}, "rows must lie between 0 and 599"),
        (lambda case: {"rows": case.rows * 0}, "rows must name each subject once"),
        (with_said(7, -np.inf), "log_likelihood must have a finite maximum, row 7 has none"),
        (with_said(3, [0.0, np.nan, 0.0]), "log_likelihood must have .* row 3 has none"),
    ],
)
def test_refuses_what_does_not_fit_together(change, message):
    case = make_case()
    with pytest.raises(InputError, match=message):
        replace(case, **change(case)).fit()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_folds": 1}, "n_folds must be at least 2, got 1"),
        ({"strengths": ()}, "strengths must hold at least one number"),
        ({"follow": ()}, "follow must hold at least one number"),
        ({"temperatures": ()}, "temperatures must hold at least one number"),
    ],
)
def test_refuses_settings_without_a_choice(options, message):
    with pytest.raises(InputError, match=message):
        HeadSettings(**options)
