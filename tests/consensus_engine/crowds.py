"""Votes of invented volunteers on invented items, for the tests of this folder."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Votes:
    item: np.ndarray
    worker: np.ndarray
    answer: np.ndarray
    truth: np.ndarray
    n_workers: int
    n_classes: int

    @property
    def sizes(self):
        return {
            "n_items": len(self.truth),
            "n_workers": self.n_workers,
            "n_classes": self.n_classes,
            "n_answers": self.n_classes + 1,
            "class_of_answer": [*range(self.n_classes), -1],
        }


def make_votes(seed, *, n_items=60, n_workers=12, n_classes=3, n_votes=400, skill=0.75):
    """Every fifteenth answer is "cannot tell"."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n_items)
    pairs = rng.permutation(n_items * n_workers)[:n_votes]
    item, worker = pairs // n_workers, pairs % n_workers
    is_right = rng.random(n_votes) < skill
    answer = np.where(is_right, truth[item], rng.integers(0, n_classes, n_votes))
    answer[rng.random(n_votes) < 1 / 15] = n_classes
    return Votes(item, worker, answer, truth, n_workers, n_classes)
