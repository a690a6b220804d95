"""Merges a large survey: how long head and posteriors take, and how much memory.

    python tests/bench/merge.py [N_SUBJECTS]

Invents subjects of six classes with features of 128 numbers and a map of 400 prototypes, 100,000
direct votes, 2,000 on prototypes and 600,000 judgments of members of grids by 5,000 volunteers;
merges them, merges again from there as a refit does, and lists the next questions.
"""

import resource
import sys
import time

import numpy as np

from skysort.consensus.merge import CellTable, GridTable, VoteTable, merge
from skysort.consensus.next_question import questions

N_CLASSES, N_CELLS, N_WORKERS, N_FEATURES = 6, 400, 5000, 128
N_DIRECT, N_JUDGED, VOTES_PER_CELL = 100_000, 600_000, 5
SKILL, FALSE_TICK, TRUE_TICK, PURITY = 0.75, 0.15, 0.75, 0.7
ROWS_AT_ONCE = 100_000


def make_features(rng, truth):
    """Give a cloud for each class: far apart enough to learn, near enough to be confused."""
    centers = rng.normal(size=(N_CLASSES, N_FEATURES)).astype(np.float32)
    features = np.empty((len(truth), N_FEATURES), dtype=np.float32)
    for start in range(0, len(truth), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        noise = rng.normal(size=(len(truth[rows]), N_FEATURES)).astype(np.float32)
        features[rows] = (0.15 * centers[truth[rows]] + noise) / np.sqrt(N_FEATURES)
    return features


def make_cells(rng, truth, cell_class):
    best = rng.integers(0, N_CELLS, len(truth))
    is_pure = rng.random(len(truth)) < PURITY
    for one in range(N_CLASSES):
        members = np.flatnonzero(is_pure & (truth == one))
        best[members] = rng.choice(np.flatnonzero(cell_class == one), len(members))
    distance = rng.gamma(20.0, 0.05, len(truth))
    return CellTable(best, (best + 1) % N_CELLS, distance, 1.4 * distance, N_CELLS)


def make_votes(rng, truth, cells, cell_class):
    shown = rng.integers(0, len(truth), N_DIRECT)
    subjects = np.unique(shown)
    true_class = np.concatenate([np.repeat(cell_class, VOTES_PER_CELL), truth[shown]])
    item = np.concatenate(
        [
            np.repeat(np.arange(N_CELLS), VOTES_PER_CELL),
            N_CELLS + np.searchsorted(subjects, shown),
        ]
    )
    is_right = rng.random(len(item)) < SKILL
    judged = rng.integers(0, len(truth), N_JUDGED)
    label = cell_class[cells.best[judged]]
    tick = np.where(truth[judged] == label, FALSE_TICK, TRUE_TICK)
    classes = [str(one) for one in range(N_CLASSES)]
    return VoteTable(
        item=item,
        worker=rng.integers(0, N_WORKERS, len(item)),
        answer=np.where(is_right, true_class, rng.integers(0, N_CLASSES, len(item))),
        item_cell=np.append(np.arange(N_CELLS), np.full(len(subjects), -1)),
        item_subject=np.append(np.full(N_CELLS, -1), subjects),
        n_workers=N_WORKERS,
        answers=[*classes, "mixed", "unknown"],
        classes=[*classes, "mixed"],
        class_of_answer=np.append(np.arange(N_CLASSES + 1), -1),
        grids=GridTable(
            judged, rng.integers(0, N_WORKERS, N_JUDGED), label, rng.random(N_JUDGED) < tick
        ),
    )


def timed(name, work):
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{name:28s} {time.perf_counter() - wall:7.1f} s wall"
        f" {time.process_time() - cpu:7.1f} s CPU  peak {peak:5.2f} GB",
        flush=True,
    )
    return found


def main(n_subjects):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, N_CLASSES, n_subjects)
    cell_class = rng.integers(0, N_CLASSES, N_CELLS)
    cells = make_cells(rng, truth, cell_class)
    votes = make_votes(rng, truth, cells, cell_class)
    features = timed("features made", lambda: make_features(rng, truth))
    first = timed("first merge", lambda: merge(votes, cells, features=features))
    again = timed("merge again", lambda: merge(votes, cells, features=features, start=first))
    asked = timed("next questions", lambda: questions(again, cells))
    print(
        f"{n_subjects:,} subjects, accuracy {(again.label == truth).mean():.3f}, {len(asked)} asked"
    )


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000)
