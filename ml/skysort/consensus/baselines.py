"""What the vote model is measured against: a count of votes, and Dawid-Skene as published."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.consensus.dawid_skene import fit_dawid_skene

__all__ = ["majority", "plain_dawid_skene"]

FloatArray = NDArray[np.float64]

#: Pseudo-votes that only keep logarithms of 0 away.
HARDLY_ANY = 1e-6


def majority(item: ArrayLike, label: ArrayLike, *, n_items: int, n_classes: int) -> FloatArray:
    """Count votes.

    Parameters
    ----------
    item, label : array_like of int, (V,)
        Item and class named.
    n_items, n_classes : int
        Sizes I and K.

    Returns
    -------
    ndarray, float64, (I, K)
        Share of each class among an item's votes; equal shares without votes.

    Examples
    --------
    >>> majority([0, 0, 0, 0], [1, 1, 1, 0], n_items=2, n_classes=2).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    cell = np.asarray(item) * n_classes + np.asarray(label)
    counts = np.bincount(cell, minlength=n_items * n_classes).reshape(n_items, n_classes)
    total = counts.sum(axis=1, keepdims=True)
    share: FloatArray = np.where(total > 0, counts, 1.0) / np.where(total > 0, total, n_classes)
    return share


def plain_dawid_skene(
    item: ArrayLike,
    worker: ArrayLike,
    label: ArrayLike,
    *,
    n_items: int,
    n_workers: int,
    n_classes: int,
) -> FloatArray:
    """Fit the model of Dawid & Skene (1979) with no prior to speak of.

    Parameters
    ----------
    item, worker, label : array_like of int, (V,)
        Item, volunteer and class named.
    n_items, n_workers, n_classes : int
        Sizes I, W and K.

    Returns
    -------
    ndarray, float64, (I, K)
        Class probabilities.

    Examples
    --------
    >>> plain_dawid_skene(
    ...     [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], n_items=2, n_workers=2, n_classes=2
    ... ).round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return fit_dawid_skene(
        item,
        worker,
        label,
        n_items=n_items,
        n_workers=n_workers,
        n_classes=n_classes,
        n_answers=n_classes,
        class_of_answer=np.arange(n_classes),
        worker_strength=HARDLY_ANY,
        crowd_strength=HARDLY_ANY,
        class_strength=HARDLY_ANY,
    ).item_probabilities
