"""Invented campaigns: nobody sees anything twice, budgets are kept, and answers teach."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from skysort.consensus import experiment
from skysort.consensus.accuracy import score
from skysort.consensus.experiment import (
    Campaign,
    ask_adaptively,
    ask_majority,
    ask_prototypes,
    ask_singly,
)
from skysort.consensus.projection import CellTable
from skysort.consensus.simulation import simulate_crowd

CLASSES = ("compact", "double")
BUDGETS = (30, 90)


def make_campaign(n=60, n_cells=4, blur=0.3, seed=1):
    """Two classes, half of the prototypes each; features that tell them apart almost always."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    best = truth * (n_cells // 2) + rng.integers(0, n_cells // 2, n)
    cells = CellTable(
        best, (best + 1) % n_cells, rng.uniform(1.0, 1.2, n), rng.uniform(2.0, 3.0, n), n_cells
    )
    features = np.stack([truth - 0.5, np.zeros(n)], axis=1) + rng.normal(0.0, blur, (n, 2))
    return Campaign(truth, CLASSES, cells, features.astype(np.float32))


def make_crowd(n=12, seed=1, **changes):
    return simulate_crowd(n, CLASSES, **{"skill": 0.8, "spammers": 0.0, "seed": seed} | changes)


ADAPTIVE = (ask_adaptively, ask_singly)


@cache
def tried(ask):
    return ask(make_campaign(), make_crowd(), BUDGETS, seed=5)


@pytest.mark.parametrize("ask", [*ADAPTIVE, ask_prototypes])
def test_it_stops_at_every_budget(ask):
    budgets = BUDGETS if ask is not ask_prototypes else (8, 30)
    snapshots = ask(make_campaign(), make_crowd(), budgets, seed=5)
    assert [snapshot.n_votes for snapshot in snapshots] == list(budgets)
    for snapshot in snapshots:
        assert sum(snapshot.kinds.values()) == snapshot.n_votes
        np.testing.assert_allclose(snapshot.probabilities.sum(axis=1), 1.0)
    assert 0.0 < snapshots[0].seconds < snapshots[1].seconds


@pytest.mark.parametrize("ask", ADAPTIVE)
def test_equal_seeds_give_equal_campaigns(ask):
    again = ask(make_campaign(), make_crowd(), BUDGETS, seed=5)
    other = ask(make_campaign(), make_crowd(), BUDGETS, seed=6)
    for one, same in zip(tried(ask), again, strict=True):
        np.testing.assert_array_equal(one.probabilities, same.probabilities)
        assert (one.seconds, one.kinds) == (same.seconds, same.kinds)
    assert not np.array_equal(tried(ask)[1].probabilities, other[1].probabilities)


def test_nobody_sees_a_subject_twice_alone_or_in_a_grid(monkeypatch):
    tables = []

    def keep(votes, *arguments, **options):
        tables.append(votes)
        return merge(votes, *arguments, **options)

    merge = experiment.merge
    monkeypatch.setattr(experiment, "merge", keep)
    ask_adaptively(make_campaign(), make_crowd(4), (150,), seed=2)
    votes = tables[-1]
    shown = Counter(zip(votes.worker.tolist(), votes.item.tolist(), strict=True))
    assert max(shown.values()) == 1
    subject = votes.item_subject[votes.item]
    seen = list(zip(votes.worker[subject >= 0], subject[subject >= 0], strict=True))
    seen += list(zip(votes.grids.worker, votes.grids.subject, strict=True))
    assert len(votes.grids.subject) > 0
    assert len(set(seen)) == len(seen)


def test_ours_asks_about_prototypes_grids_and_subjects_and_the_baseline_about_subjects():
    assert set(tried(ask_adaptively)[1].kinds) == {"prototype", "grid", "subject"}
    assert set(tried(ask_singly)[1].kinds) == {"subject"}


def test_with_votes_on_half_of_the_subjects_the_machine_knows_the_others():
    campaign = make_campaign()
    ours, alone = (score(tried(ask)[0].probabilities, campaign.truth) for ask in ADAPTIVE)
    assert ours.accuracy.value > 0.8
    assert ours.accuracy.value > alone.accuracy.value + 0.1


def test_where_features_say_nothing_ours_still_learns_from_votes():
    n = 40
    rng = np.random.default_rng(3)
    truth, best = rng.integers(0, 2, n), rng.integers(0, 4, n)
    cells = CellTable(best, (best + 1) % 4, np.ones(n), np.full(n, 2.0), 4)
    campaign = Campaign(truth, CLASSES, cells, rng.normal(size=(n, 2)).astype(np.float32))
    ours = ask_adaptively(campaign, make_crowd(30, skill=0.9), (200,), seed=1)[0]
    assert score(ours.probabilities, truth).accuracy.value >= 0.9


def test_a_majority_counts_so_many_votes_on_every_subject():
    campaign = make_campaign()
    counted = ask_majority(campaign, make_crowd(), 5, seed=1)
    assert counted.n_votes == 5 * campaign.n_subjects
    assert counted.kinds == {"subject": counted.n_votes}
    fifths = counted.probabilities * 5
    unsure = np.abs(fifths - fifths.round()).max(axis=1) > 1e-9  # somebody could not tell
    assert unsure.mean() < 0.5
    assert score(counted.probabilities, campaign.truth).accuracy.value > 0.85


def test_copied_labels_are_those_of_prototypes():
    campaign = make_campaign()
    copied = ask_prototypes(campaign, make_crowd(), (60,), seed=1)[0]
    for cell in range(4):
        rows = copied.probabilities[campaign.cells.best == cell]
        np.testing.assert_array_equal(rows, np.broadcast_to(rows[0], rows.shape))
    assert score(copied.probabilities, campaign.truth).accuracy.value == 1.0


def test_copied_labels_of_mixed_prototypes_are_the_commonest():
    truth = np.array([0] * 30 + [1] * 10 + [0] * 10)
    best = np.array([0] * 30 + [1] * 20)
    cells = CellTable(best, 1 - best, np.ones(50), np.full(50, 2.0), 2)
    campaign = Campaign(truth, CLASSES, cells, np.zeros((50, 1), np.float32))
    copied = ask_prototypes(campaign, make_crowd(40, skill=0.99), (60,), seed=1)[0]
    assert copied.probabilities[40].argmax() == 0


@pytest.mark.parametrize("ask", ADAPTIVE)
def test_it_ends_early_when_everybody_has_seen_everything(ask):
    campaign, crowd = make_campaign(n=20), make_crowd(3)
    snapshots = ask(campaign, crowd, (15, 500, 900), seed=1)
    assert snapshots[0].n_votes == 15
    assert snapshots[1].n_votes == snapshots[2].n_votes <= 3 * (20 + 4)
    np.testing.assert_array_equal(snapshots[1].probabilities, snapshots[2].probabilities)
    if ask is ask_singly:
        assert snapshots[1].n_votes == 3 * 20


@pytest.mark.parametrize("ask", ADAPTIVE)
def test_progress_is_told_up_to_the_last_budget(ask):
    told = []
    ask(
        make_campaign(),
        make_crowd(),
        BUDGETS,
        seed=5,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (90, 90)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
