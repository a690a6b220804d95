"""Crowds as public benchmarks have them, with all that makes simple models fail."""

import numpy as np

from tests.consensus_engine.crowds import Votes

#: Named after what makes them difficult.
KINDS = {
    "hard items, four ordered classes": {
        "n_classes": 4,
        "n_workers": 270,
        "votes_per_item": 8,
        "hardness": 1.5,
        "lookalike": 0.8,
        "favourite": 0.3,
        "is_ordered": True,
        "frequencies": [0.57, 0.15, 0.12, 0.16],
    },
    "rare classes, five in all": {
        "n_items": 300,
        "n_classes": 5,
        "n_workers": 460,
        "votes_per_item": 6,
        "skill": 1.2,
        "hardness": 1.5,
        "lookalike": 0.8,
        "frequencies": [0.3, 0.3, 0.3, 0.07, 0.03],
    },
    "a class that is mostly mistaken for another": {
        "votes_per_item": 5,
        "n_workers": 200,
        "skill": 1.5,
        "lookalike": 0.7,
        "mistaken": 0.75,
        "frequencies": [0.5, 0.45, 0.05],
    },
    "a handful of votes of each of two thousand": {
        "n_classes": 6,
        "n_workers": 2000,
        "votes_per_item": 5,
        "hardness": 0.8,
        "lookalike": 0.5,
        "inequality": 0.5,
    },
    "three votes, two classes, one rare": {
        "n_items": 2000,
        "n_classes": 2,
        "n_workers": 176,
        "votes_per_item": 3,
        "skill": 2.0,
        "skill_spread": 1.0,
        "favourite": 0.2,
        "frequencies": [0.87, 0.13],
    },
    "two in five answer at random": {"votes_per_item": 7, "skill": 1.5, "random": 0.4},
    "one in three always says the same": {"votes_per_item": 7, "skill": 1.5, "constant": 0.33},
    "one in five lies": {"votes_per_item": 7, "skill": 1.5, "liars": 0.2},
    "two classes, twenty votes": {
        "n_items": 300,
        "n_classes": 2,
        "n_workers": 60,
        "votes_per_item": 20,
        "favourite": 0.2,
        "hardness": 0.5,
    },
    "eight classes, four votes": {
        "n_items": 700,
        "n_classes": 8,
        "n_workers": 44,
        "votes_per_item": 4,
        "hardness": 1.2,
        "lookalike": 0.6,
    },
}


def _who_votes(rng, n_items, n_workers, votes_per_item, inequality):
    """Draw different volunteers for each item, a few of whom do most of the work."""
    effort = rng.permutation(np.arange(1, n_workers + 1) ** -inequality)
    key = np.log(effort) + rng.gumbel(size=(n_items, n_workers))
    chosen = np.argpartition(-key, votes_per_item - 1, axis=1)[:, :votes_per_item]
    return np.repeat(np.arange(n_items), votes_per_item), chosen.ravel()


def make_difficult(
    seed,
    *,
    n_items=800,
    n_classes=3,
    n_workers=80,
    votes_per_item=5,
    inequality=1.0,
    frequencies=None,
    skill=1.0,
    skill_spread=0.8,
    hardness=1.0,
    lookalike=0.5,
    favourite=0.0,
    is_ordered=False,
    mistaken=0.0,
    random=0.0,
    constant=0.0,
    liars=0.0,
):
    """Votes whose errors are shared: an item is hard for all, and looks like one other class.

    `skill`, its spread and `hardness` (the spread over items) are on the scale of log odds to be
    right; `lookalike` is the share of errors that name the look-alike; `mistaken` the chance that
    the last class is called the one before.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(n_classes, n_items, p=frequencies)
    item, worker = _who_votes(rng, n_items, n_workers, votes_per_item, inequality)
    n_votes = len(item)
    ease = rng.normal(skill, skill_spread, n_workers)[worker]
    ease -= rng.normal(0.0, hardness, n_items)[item]
    is_right = rng.random(n_votes) < 1.0 / (1.0 + np.exp(-ease))
    step = rng.choice([-1, 1], n_items) if is_ordered else rng.integers(1, n_classes, n_items)
    similar = (truth + step) % n_classes
    habit = (truth[item] + rng.integers(1, n_classes, n_workers)[worker]) % n_classes
    wrong = np.where(rng.random(n_votes) < lookalike, similar[item], habit)
    answer = np.where(is_right, truth[item], wrong)
    sways = rng.random(n_votes) < favourite * rng.random(n_workers)[worker]
    liked = rng.integers(0, n_classes, n_workers)[worker]
    answer = np.where(sways, liked, answer)
    misled = (truth[item] == n_classes - 1) & (rng.random(n_votes) < mistaken)
    answer = np.where(misled, n_classes - 2, answer)
    kind = rng.random(n_workers)[worker]
    noise = rng.integers(0, n_classes, n_votes)
    answer = np.where(kind < random, noise, answer)
    answer = np.where((kind >= random) & (kind < random + constant), liked, answer)
    answer = np.where(kind > 1.0 - liars, (truth[item] + 1) % n_classes, answer)
    return Votes(item, worker, answer, truth, n_workers, n_classes)
