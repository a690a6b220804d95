"""On real volunteers with known truth the model is as good as published fits."""

import csv
import gzip

import numpy as np
import pytest

from skysort.consensus.vote_model import fit_vote_model

pytestmark = pytest.mark.realdata


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def load(folder, name):
    votes, gold = read(folder / f"{name}.labels.csv.gz"), read(folder / f"{name}.truth.csv.gz")
    items = {row["item"]: None for row in gold}
    number = {key: i for i, key in enumerate(items)}
    workers = {key: i for i, key in enumerate(sorted({row["worker"] for row in votes}))}
    return (
        np.array([number[row["item"]] for row in votes]),
        np.array([workers[row["worker"]] for row in votes]),
        np.array([int(row["label"]) - 1 for row in votes]),
        np.array([int(row["truth"]) - 1 for row in gold]),
        len(workers),
    )


@pytest.mark.parametrize(
    ("name", "floor", "majority"), [("bluebird", 0.89, 0.759), ("rte", 0.925, 0.906)]
)
def test_reaches_the_accuracy_of_published_fits(real_data, name, floor, majority):
    item, worker, answer, truth, n_workers = load(real_data / "crowd_labels", name)
    result = fit_vote_model(
        item,
        worker,
        answer,
        n_items=len(truth),
        n_workers=n_workers,
        n_classes=2,
        n_answers=2,
        class_of_answer=[0, 1],
    )
    accuracy = np.mean(result.item_probabilities.argmax(axis=1) == truth)
    print(f"{name}: accuracy {accuracy:.4f} after {result.n_iterations} rounds")
    assert result.converged
    assert accuracy >= floor
    assert accuracy > majority + 0.015
