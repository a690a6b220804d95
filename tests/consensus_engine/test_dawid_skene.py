"""The vote model finds classes and volunteers, and is what a plain loop computes."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.dawid_skene import (
    EXPECTED_SKILL,
    fit_dawid_skene,
    vote_log_likelihood,
)
from skysort.errors import InputError
from tests.consensus_engine.crowds import make_votes


def fit(votes, **changes):
    return fit_dawid_skene(votes.item, votes.worker, votes.answer, **votes.sizes | changes)


@dataclass(frozen=True)
class Plain:
    """Dawid-Skene as one would write it on paper: a loop over votes for every number."""

    votes: object
    group: list
    mask: list
    allowed: list
    s: float = 5.0
    c: float = 40.0
    b: float = 10.0
    t: float = 0.25

    @property
    def rows(self):
        v = self.votes
        return zip(v.item.tolist(), v.worker.tolist(), v.answer.tolist(), strict=True)

    def start(self):
        n_classes = self.votes.n_classes
        p = np.full((len(self.votes.truth), n_classes), 1 / n_classes)
        for i, _, a in self.rows:
            if a < n_classes:
                p[i, a] += 1
        p *= np.array([self.allowed[g] for g in self.group])
        return p / p.sum(axis=1, keepdims=True)

    def row(self, p, g, k, worker):
        """Expected count of each answer of one volunteer to class k in kind g."""
        n = [0.0] * (self.votes.n_classes + 1)
        for i, w, a in self.rows:
            if w == worker and self.mask[i]:
                n[a] += p[i, k] * (1.0 if self.group[i] == g else self.t)
        return n

    def crowd(self, p, g, k):
        n_answers = self.votes.n_classes + 1
        wrong = (1 - EXPECTED_SKILL) / (n_answers - 1)
        total = [self.c * (EXPECTED_SKILL if a == k else wrong) for a in range(n_answers)]
        for worker in range(self.votes.n_workers):
            n = self.row(p, g, k, worker)
            total = [x + y * self.s / (sum(n) + self.s) for x, y in zip(total, n, strict=True)]
        return [x / sum(total) for x in total]

    def matrix(self, p, g, k, worker):
        n, crowd = self.row(p, g, k, worker), self.crowd(p, g, k)
        return [(x + self.s * y) / (sum(n) + self.s) for x, y in zip(n, crowd, strict=True)]

    def prior(self, p, g):
        voted = {i for i, _, _ in self.rows}
        members = [i for i in voted if self.group[i] == g and self.mask[i]]
        share = [
            (sum(p[i, k] for i in members) + self.b / sum(self.allowed[g])) * self.allowed[g][k]
            for k in range(self.votes.n_classes)
        ]
        return np.array(share) / sum(share)

    def round(self, p):
        """One round: new probabilities, and the tables they came from."""
        groups, classes = range(len(self.allowed)), range(self.votes.n_classes)
        workers = range(self.votes.n_workers)
        crowd = np.array([[self.crowd(p, g, k) for k in classes] for g in groups])
        confusion = np.array(
            [[[self.matrix(p, g, k, w) for k in classes] for w in workers] for g in groups]
        )
        prior = np.array([self.prior(p, g) for g in groups])
        new = prior[self.group]
        for i, w, a in self.rows:
            new[i] *= confusion[self.group[i], w, :, a]
        return new / new.sum(axis=1, keepdims=True), confusion, crowd, prior


@pytest.mark.parametrize("n_rounds", [1, 4])
def test_equals_a_plain_loop(n_rounds):
    votes = make_votes(1, n_items=15, n_workers=5, n_votes=50)
    group = np.arange(15) % 2
    mask = np.arange(15) != 4
    allowed = np.array([[True, True, True], [True, True, False]])
    fast = fit(
        votes,
        item_group=group,
        item_mask=mask,
        allowed=allowed,
        max_iterations=n_rounds,
        tolerance=0.0,
    )
    plain = Plain(votes, group.tolist(), mask.tolist(), allowed.tolist())
    slow = [plain.start()]
    for _ in range(n_rounds):
        slow = plain.round(slow[0])
    assert fast.n_iterations == n_rounds
    assert fast.converged is False  # no NumPy's own, which JSON does not take
    np.testing.assert_allclose(fast.item_probabilities, slow[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(fast.confusion, slow[1], rtol=1e-10)
    np.testing.assert_allclose(fast.crowd_confusion, slow[2], rtol=1e-10)
    np.testing.assert_allclose(fast.class_prior, slow[3], rtol=1e-10)


def test_log_likelihood_is_that_of_the_votes_under_the_returned_matrices():
    votes = make_votes(2, n_items=20, n_workers=4, n_votes=60)
    result = fit(votes)
    expected = 0.0
    for i in range(20):
        joint = result.class_prior[0].copy()
        for w, a in zip(votes.worker[votes.item == i], votes.answer[votes.item == i], strict=True):
            joint *= result.confusion[0, w, :, a]
        expected += math.log(joint.sum())
    assert result.log_likelihood[-1] == pytest.approx(expected)


def test_finds_most_classes_and_who_is_good_at_it():
    votes = make_votes(3, n_items=400, n_workers=30, n_votes=4000, skill=0.6)
    liar = votes.worker == 7
    votes.answer[liar] = (votes.truth[votes.item[liar]] + 1) % 3
    result = fit(votes)
    assert result.converged
    assert np.mean(result.item_probabilities.argmax(axis=1) == votes.truth) > 0.95
    skill = result.confusion[0, :, range(3), range(3)].mean(axis=0)
    assert skill.argmin() == 7
    assert skill[7] < 0.15 < 0.5 < np.delete(skill, 7).min()


def test_likelihood_rises_while_it_fits():
    trace = fit(make_votes(4, n_votes=500)).log_likelihood
    assert trace[-1] > trace[0] + 5.0
    assert np.diff(trace).min() > -0.5


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_probabilities_sum_to_one(seed):
    result = fit(make_votes(seed, n_votes=80))
    for table in (
        result.item_probabilities,
        result.confusion,
        result.crowd_confusion,
        result.class_prior,
    ):
        assert np.isfinite(table).all()
        assert (table >= 0).all()
        np.testing.assert_allclose(table.sum(axis=-1), 1.0, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_names_and_order_of_items_volunteers_and_votes_change_nothing(seed):
    votes = make_votes(seed)
    rng = np.random.default_rng(seed)
    new_item, new_worker = rng.permutation(60), rng.permutation(12)
    order = rng.permutation(len(votes.item))
    one = fit(votes, tolerance=1e-9)
    two = fit_dawid_skene(
        new_item[votes.item][order],
        new_worker[votes.worker][order],
        votes.answer[order],
        **votes.sizes,
        tolerance=1e-9,
    )
    np.testing.assert_allclose(two.item_probabilities[new_item], one.item_probabilities, atol=1e-6)
    np.testing.assert_allclose(two.confusion[0, new_worker], one.confusion[0], atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), item=st.integers(0, 59))
def test_one_more_agreeing_vote_never_lowers_the_winner(seed, item):
    votes = make_votes(seed)
    sizes = votes.sizes | {"n_workers": 13}  # the thirteenth has not voted before
    before = fit_dawid_skene(votes.item, votes.worker, votes.answer, **sizes)
    winner = before.item_probabilities[item].argmax()
    after = fit_dawid_skene(
        np.append(votes.item, item),
        np.append(votes.worker, 12),
        np.append(votes.answer, winner),
        **sizes,
    )
    assert after.item_probabilities[item, winner] >= before.item_probabilities[item, winner] - 1e-3


def test_a_volunteer_who_answers_at_random_moves_nobody_in_the_limit():
    votes = make_votes(5, n_items=3000, n_votes=12000, n_workers=10)
    rng = np.random.default_rng(105)
    sizes = votes.sizes | {"n_workers": 11}
    before = fit_dawid_skene(votes.item, votes.worker, votes.answer, **sizes)
    after = fit_dawid_skene(
        np.append(votes.item, np.arange(3000)),
        np.append(votes.worker, np.full(3000, 10)),
        np.append(votes.answer, rng.integers(0, 3, 3000)),
        **sizes,
    )
    change = np.abs(after.item_probabilities - before.item_probabilities)
    assert change.mean() < 0.01
    np.testing.assert_allclose(after.confusion[0, 10, :, :3], 1 / 3, atol=0.06)


def test_item_without_votes_has_the_class_prior():
    votes = make_votes(6)
    votes.item[votes.item == 9] = 8
    result = fit(votes)
    np.testing.assert_allclose(result.item_probabilities[9], result.class_prior[0])


def test_volunteer_without_votes_answers_like_the_crowd():
    result = fit(make_votes(7), n_workers=14)
    np.testing.assert_allclose(result.confusion[0, 13], result.crowd_confusion[0])


def test_no_votes_at_all_leave_equal_classes():
    none = np.array([], dtype=int)
    result = fit_dawid_skene(
        none, none, none, n_items=2, n_workers=0, n_classes=4, n_answers=4, class_of_answer=range(4)
    )
    assert result.converged
    np.testing.assert_allclose(result.item_probabilities, 0.25)


def test_few_votes_move_a_matrix_less_than_many():
    crowd = fit(make_votes(8)).crowd_confusion[0]
    loose = fit(make_votes(8), worker_strength=0.1).confusion[0]
    tight = fit(make_votes(8), worker_strength=1000.0).confusion[0]
    assert np.abs(tight - crowd).max() < 0.06 < 0.3 < np.abs(loose - crowd).max()


def test_cannot_tell_names_no_class_but_may_still_speak():
    votes = make_votes(9, n_items=300, n_workers=20, n_votes=3000, skill=0.9)
    hard = votes.truth[votes.item] == 2
    rng = np.random.default_rng(9)
    votes.answer[hard & (rng.random(len(hard)) < 0.6)] = 3  # class 2 is the one hard to tell
    result = fit(votes)
    assert result.crowd_confusion[0, 2, 3] > 0.4 > 0.15 > result.crowd_confusion[0, 0, 3]
    assert np.mean(result.item_probabilities.argmax(axis=1) == votes.truth) > 0.97


def test_masked_items_are_judged_but_teach_nothing():
    votes = make_votes(10)
    mask = np.arange(60) >= 20
    result = fit(votes, item_mask=mask)
    kept = mask[votes.item]
    without = fit_dawid_skene(
        votes.item[kept], votes.worker[kept], votes.answer[kept], **votes.sizes, item_mask=mask
    )
    np.testing.assert_allclose(result.confusion, without.confusion)
    np.testing.assert_allclose(result.item_probabilities[20:], without.item_probabilities[20:])
    assert np.mean(result.item_probabilities[:20].argmax(axis=1) == votes.truth[:20]) > 0.8


def test_forbidden_class_has_probability_zero():
    votes = make_votes(11)
    group = (np.arange(60) < 30).astype(int)
    allowed = np.array([[True, True, True], [True, True, False]])
    result = fit(votes, item_group=group, allowed=allowed)
    assert (result.item_probabilities[:30, 2] == 0.0).all()
    assert (result.item_probabilities[30:, 2] > 0.0).any()


def test_without_transfer_kinds_are_fitted_apart():
    votes = make_votes(12)
    group = (np.arange(60) < 30).astype(int)
    one = votes.item >= 30
    apart = fit(votes, item_group=group, transfer=0.0, tolerance=1e-8)
    alone = fit_dawid_skene(
        votes.item[one], votes.worker[one], votes.answer[one], **votes.sizes, tolerance=1e-8
    )
    np.testing.assert_allclose(apart.confusion[0], alone.confusion[0], atol=1e-5)


def test_with_transfer_a_spammer_on_one_kind_is_doubted_on_the_other():
    votes = make_votes(13, n_items=300, n_workers=10, n_votes=2500, skill=0.85)
    group = (np.arange(300) < 150).astype(int)
    first = (votes.worker == 0) & (votes.item < 150)
    keep = ~((votes.worker == 0) & (votes.item >= 150))
    votes.answer[first] = 0
    result = fit_dawid_skene(
        votes.item[keep], votes.worker[keep], votes.answer[keep], **votes.sizes, item_group=group
    )
    assert result.confusion[0, 0, 1, 1] < result.crowd_confusion[0, 1, 1] - 0.3


def test_log_likelihood_of_votes_sums_the_matrices():
    votes = make_votes(14)
    result = fit(votes)
    table = vote_log_likelihood(result, [1, 1], [3, 4], [0, 2], n=3, group=0)
    expected = np.log(result.confusion[0, 3, :, 0]) + np.log(result.confusion[0, 4, :, 2])
    np.testing.assert_allclose(table[1], expected)
    np.testing.assert_array_equal(table[[0, 2]], 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_items": 50}, "item must lie between 0 and 49, got 5"),
        ({"n_workers": 3}, "worker must lie between 0 and 2"),
        ({"n_answers": 3, "class_of_answer": [0, 1, 2]}, "answer must lie between 0 and 2, got 3"),
        ({"class_of_answer": [0, 1, 2]}, "class_of_answer must have 4 entries, got 3"),
        ({"class_of_answer": [0, 1, 2, 3]}, "class_of_answer must lie between -1 and 2, got 3"),
        ({"item_group": [0, 1]}, "item_group must have 60 entries, got 2"),
        ({"item_mask": [1] * 60}, "item_mask must be 60 booleans"),
        ({"allowed": [[True, True]]}, "allowed must be booleans of shape"),
        ({"worker_strength": 0.0}, "worker_strength must be positive"),
        ({"crowd_strength": math.nan}, "crowd_strength must be positive"),
        ({"class_strength": -1.0}, "class_strength must be positive"),
        ({"transfer": 2.0}, "transfer must lie between 0 and 1"),
        ({"max_iterations": 0}, "max_iterations must be at least 1"),
    ],
)
def test_refuses_what_does_not_fit(changes, message):
    with pytest.raises(InputError, match=message):
        fit(make_votes(15), **changes)


def test_refuses_arrays_of_unequal_length_or_of_fractions():
    sizes = make_votes(0).sizes
    with pytest.raises(InputError, match="worker must have 2 entries, got 1"):
        fit_dawid_skene([0, 1], [0], [0, 0], **sizes)
    with pytest.raises(InputError, match="item must be a flat array of integers, got float64"):
        fit_dawid_skene([0.5], [0], [0], **sizes)
