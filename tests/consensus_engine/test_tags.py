"""Tags are found one by one, from volunteers who overlook and imagine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.tags import EXPECTED_FREQUENCY, fit_tags
from skysort.errors import InputError

FREQUENCY, HIT, FALSE_ALARM = np.array([0.4, 0.1, 0.03]), 0.7, 0.03


def make_showings(seed, *, n_items=400, n_workers=30, n=3000, hit=HIT, false_alarm=FALSE_ALARM):
    rng = np.random.default_rng(seed)
    truth = rng.random((n_items, len(FREQUENCY))) < FREQUENCY
    item, worker = rng.integers(0, n_items, n), rng.integers(0, n_workers, n)
    hits = np.broadcast_to(hit, n_workers)[worker][:, None]
    alarms = np.broadcast_to(false_alarm, n_workers)[worker][:, None]
    tags = rng.random((n, len(FREQUENCY))) < np.where(truth[item], hits, alarms)
    return item, worker, tags, truth


def fit(item, worker, tags, **changes):
    return fit_tags(item, worker, tags, **{"n_items": 400, "n_workers": 30} | changes)


def slow_round(item, worker, tags, present, s=5.0, c=40.0, b=10.0):
    """One round for one tag, vote by vote."""
    n_items, n_workers = len(present), int(worker.max()) + 1
    counts = np.zeros((2, n_workers, 2))
    for i, w, is_set in zip(item, worker, tags, strict=True):
        counts[1, w, int(is_set)] += present[i]
        counts[0, w, int(is_set)] += 1.0 - present[i]
    rates = np.zeros((2, n_workers))
    crowd = []
    for state, expected in ((0, 0.05), (1, 0.6)):
        spoken = sum(row * s / (row.sum() + s) for row in counts[state])
        crowd.append((spoken[1] + c * expected) / (spoken.sum() + c))
        for w, row in enumerate(counts[state]):
            rates[state, w] = (row[1] + s * crowd[-1]) / (row.sum() + s)
    seen = sorted(set(item.tolist()))
    frequency = (present[seen].sum() + b * EXPECTED_FREQUENCY) / (len(seen) + b)
    odds = np.full(n_items, frequency / (1.0 - frequency))
    for i, w, is_set in zip(item, worker, tags, strict=True):
        hit, alarm = rates[1, w], rates[0, w]
        odds[i] *= hit / alarm if is_set else (1.0 - hit) / (1.0 - alarm)
    return odds / (1.0 + odds), rates, np.array(crowd), frequency


def test_equals_a_plain_loop():
    item, worker, tags, _ = make_showings(1, n_items=12, n_workers=4, n=40)
    sizes = {"n_items": 12, "n_workers": 4, "tolerance": 0.0}
    one, two = (fit_tags(item, worker, tags, **sizes, max_iterations=n) for n in (1, 2))
    for t in range(3):
        slow, rates, crowd, frequency = slow_round(
            item, worker, tags[:, t], one.probabilities[:, t]
        )
        np.testing.assert_allclose(two.probabilities[:, t], slow, rtol=1e-9)
        np.testing.assert_allclose(two.rates[:, t], rates.T, rtol=1e-9)
        np.testing.assert_allclose(two.crowd_rates[t], crowd, rtol=1e-9)
        assert two.frequency[t] == pytest.approx(frequency)


def test_finds_tags_their_frequency_and_the_rates_of_the_crowd():
    item, worker, tags, truth = make_showings(2)
    result = fit(item, worker, tags)
    assert result.converged
    right = (result.probabilities > 0.5) == truth
    counted = np.zeros((400, 3))
    np.add.at(counted, item, tags)
    by_half = counted / np.maximum(np.bincount(item, minlength=400), 1)[:, None] > 0.5
    assert (right.mean(axis=0) > 0.98).all()
    assert right.mean() > (by_half == truth).mean()
    np.testing.assert_allclose(result.frequency, truth.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(result.crowd_rates[:, 1], HIT, atol=0.1)
    np.testing.assert_allclose(result.crowd_rates[:, 0], FALSE_ALARM, atol=0.02)


def test_probabilities_are_calibrated():
    item, worker, tags, truth = make_showings(3, n=1500)
    p = fit(item, worker, tags).probabilities
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):
        chosen = (p > low) & (p <= high)
        error = 3.0 * np.sqrt(0.25 / chosen.sum())
        assert abs(p[chosen].mean() - truth[chosen].mean()) < error + 0.02


def test_tells_who_overlooks_and_who_sets_everything():
    hit, alarm = np.full(30, 0.8), np.full(30, 0.02)
    hit[3], alarm[7] = 0.1, 0.7
    item, worker, tags, _ = make_showings(4, n=6000, hit=hit, false_alarm=alarm)
    rates = fit(item, worker, tags).rates[:, 0]  # the most frequent tag
    assert rates[:, 1].argmin() == 3
    assert rates[:, 0].argmax() == 7
    assert rates[3, 1] < 0.3
    assert rates[7, 0] > 0.5


def test_an_item_that_nobody_saw_has_the_frequency_of_the_tag():
    item, worker, tags, _ = make_showings(5)
    result = fit(item, worker, tags, n_items=401)
    np.testing.assert_allclose(result.probabilities[400], result.frequency)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_tags_are_independent_and_names_change_nothing(seed):
    item, worker, tags, _ = make_showings(seed, n=800)
    rng = np.random.default_rng(seed)
    new_item, new_worker, order = rng.permutation(400), rng.permutation(30), rng.permutation(800)
    tight = {"tolerance": 1e-10, "max_iterations": 1000}
    one = fit(item, worker, tags, **tight)
    two = fit(new_item[item][order], new_worker[worker][order], tags[order][:, [2, 0]], **tight)
    np.testing.assert_allclose(two.probabilities[new_item], one.probabilities[:, [2, 0]], atol=1e-6)
    assert ((one.probabilities >= 0.0) & (one.probabilities <= 1.0)).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), item=st.integers(0, 399))
def test_one_more_who_sets_a_tag_never_lowers_it(seed, item):
    items, worker, tags, _ = make_showings(seed, n=800)
    before = fit(items, worker, tags, n_workers=31)
    more = np.append(items, item), np.append(worker, 30), np.vstack([tags, np.ones((1, 3), bool)])
    after = fit(*more, n_workers=31)
    assert (after.probabilities[item] >= before.probabilities[item] - 1e-3).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tags": [[1, 0]]}, "tags must be a table of booleans"),
        ({"item": [0, 1]}, "item must be 1 integers, one per row of tags"),
        ({"item": [9]}, "item must lie between 0 and 3"),
        ({"worker": [-1]}, "worker must lie between 0 and 1"),
        ({"worker_strength": 0.0}, "strengths must be positive"),
        ({"max_iterations": 0}, "max_iterations must be at least 1"),
    ],
)
def test_refuses_what_does_not_fit(changes, message):
    arguments = {"item": [0], "worker": [0], "tags": [[True, False]], "n_items": 4, "n_workers": 2}
    with pytest.raises(InputError, match=message):
        fit_tags(**arguments | changes)
