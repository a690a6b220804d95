"""How volunteers judge members of a grid: "people call this group LABEL; tick those that are not".

A judgment is a vote with two answers whose chances depend on the class of the member and on the
label that the grid named. The crowd has a table of them; a volunteer, who judges few members of
most pairs, has two numbers of their own: the odds of their ticks over the crowd's where the label
is right and where it is wrong, each shrunk to 1. Without pairs that differ this is the same
Dirichlet shrinkage as that of a confusion matrix.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = [
    "JudgmentSlots",
    "JudgmentTables",
    "Judgments",
    "fit_tables",
    "judgment_slots",
    "log_table",
    "prior_tables",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Chance that somebody whom nobody knows ticks a member that belongs to the group.
EXPECTED_FALSE_TICK = 0.1
#: The same for a member that does not belong; many a volunteer ticks only the worst.
EXPECTED_TRUE_TICK = 0.7

SAME, DIFFERENT = 0, 1


@dataclass(frozen=True)
class Judgments:
    """Ticks and passes on members of grids, one entry per member shown and answer.

    Attributes
    ----------
    item : array_like of int, (J,)
        Item judged, among the items of the fit.
    worker : array_like of int, (J,)
        Volunteer.
    label : array_like of int, (J,)
        Class that the grid named.
    ticked : array_like of bool, (J,)
        Whether the volunteer says "is not that".
    """

    item: ArrayLike
    worker: ArrayLike
    label: ArrayLike
    ticked: ArrayLike


@dataclass(frozen=True)
class JudgmentSlots:
    """Judgments (J,), each pointing to its slot (U,): what one volunteer does under one label."""

    item: IntArray  # (J,)
    slot: IntArray  # (J,)
    worker: IntArray  # (U,)
    label: IntArray  # (U,)
    ticked: IntArray  # (U,)


@dataclass(frozen=True)
class JudgmentTables:
    """Chances of passing and ticking.

    Attributes
    ----------
    crowd : ndarray, float64, (K, K, 2)
        By label, class, and answer (0 passes, 1 ticks), for somebody without judgments.
    odds : ndarray, float64, (W, 2)
        Each volunteer's odds of ticking over the crowd's: right label, wrong label.
    """

    crowd: FloatArray
    odds: FloatArray


def _flat(name: str, values: ArrayLike, stop: int) -> IntArray:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(
            f"judgments.{name} must be a flat array of integers, got {array.dtype} {array.shape}"
        )
    wrong = np.flatnonzero((array < 0) | (array >= stop))
    if len(wrong):
        raise InputError(
            f"judgments.{name} must lie between 0 and {stop - 1}, "
            f"got {array[wrong[0]]} at {wrong[0]}"
        )
    return array.astype(np.int64)


def judgment_slots(
    judgments: Judgments | None, *, n_items: int, n_workers: int, n_classes: int
) -> JudgmentSlots:
    """Check judgments and sort them into slots.

    Parameters
    ----------
    judgments : Judgments or None
        None stands for no judgments.
    n_items, n_workers, n_classes : int
        Sizes that the indices must respect.

    Returns
    -------
    JudgmentSlots
        Judgments in order of items.

    Raises
    ------
    InputError
        If an index is out of range, lengths differ or `ticked` is not boolean.
    """
    if judgments is None:
        empty = np.zeros(0, dtype=np.int64)
        return JudgmentSlots(empty, empty, empty, empty, empty)
    item = _flat("item", judgments.item, n_items)
    worker = _flat("worker", judgments.worker, n_workers)
    label = _flat("label", judgments.label, n_classes)
    ticked = np.asarray(judgments.ticked)
    if ticked.ndim != 1 or (ticked.size and ticked.dtype != bool):
        raise InputError(
            f"judgments.ticked must be a flat array of booleans, got {ticked.dtype} {ticked.shape}"
        )
    lengths = [len(item), len(worker), len(label), len(ticked)]
    if len(set(lengths)) > 1:
        raise InputError(f"judgments must have arrays of one length, got {lengths}")
    order = np.argsort(item, kind="stable")
    code = ((worker * n_classes + label) * 2 + ticked.astype(np.int64))[order]
    used, slot = np.unique(code, return_inverse=True)
    pair = used // 2
    return JudgmentSlots(item[order], slot, pair // n_classes, pair % n_classes, used % 2)


def prior_tables(n_workers: int, n_classes: int) -> JudgmentTables:
    """Give the tables of a crowd of strangers.

    Parameters
    ----------
    n_workers, n_classes : int
        Sizes W and K.

    Returns
    -------
    JudgmentTables
        Every volunteer is like the crowd.

    Examples
    --------
    >>> prior_tables(1, 2).crowd[..., 1].tolist()
    [[0.1, 0.7], [0.7, 0.1]]
    """
    ticks = np.where(np.eye(n_classes, dtype=bool), EXPECTED_FALSE_TICK, EXPECTED_TRUE_TICK)
    return JudgmentTables(np.stack([1.0 - ticks, ticks], axis=2), np.ones((n_workers, 2)))


def log_table(
    tables: JudgmentTables, worker: IntArray, label: IntArray, ticked: IntArray
) -> FloatArray:
    """Look up log chances of what volunteers did under labels.

    Parameters
    ----------
    tables : JudgmentTables
        Chances.
    worker, label, ticked : ndarray, int64, (U,)
        Volunteer, class named, 1 for a tick.

    Returns
    -------
    ndarray, float64, (K, U)
        Natural logarithm of the chance for each class of the member.
    """
    classes = np.arange(len(tables.crowd))
    crowd = tables.crowd[label]  # (U, K, 2)
    is_same = label[:, None] == classes  # (U, K)
    odds = np.where(is_same, tables.odds[worker, SAME, None], tables.odds[worker, DIFFERENT, None])
    ticks = crowd[..., 1] * odds
    chance = np.where(ticked[:, None] == 1, ticks, crowd[..., 0]) / (ticks + crowd[..., 0])
    table: FloatArray = np.log(chance).T.copy()
    return table


def _by_kind(counts: FloatArray, label: IntArray) -> FloatArray:
    """Sum (K, U) over classes apart for right and wrong labels: (2, U)."""
    same = counts[label, np.arange(len(label))]
    return np.stack([same, np.maximum(counts.sum(axis=0) - same, 0.0)])


def _by_worker(values: FloatArray, worker: IntArray, n_workers: int) -> FloatArray:
    """Sum (2, U) over slots of each volunteer: (W, 2)."""
    sums = [np.bincount(worker, weights=row, minlength=n_workers) for row in values]
    return np.stack(sums, axis=1).astype(float, copy=False)


def _crowd(
    slots: JudgmentSlots, counts: FloatArray, damping: FloatArray, strength: float
) -> FloatArray:
    """Sum damped counts (K, U) into a table (K, K, 2), shrunk to one row per kind of label."""
    n_classes = len(counts)
    cell = slots.label * 2 + slots.ticked
    table = np.empty((n_classes, n_classes, 2))
    for k, row in enumerate(counts):
        kind = np.where(slots.label == k, SAME, DIFFERENT)
        weights = row * damping[slots.worker, kind]
        table[:, k] = np.bincount(cell, weights=weights, minlength=2 * n_classes).reshape(-1, 2)
    is_same = np.eye(n_classes, dtype=bool)
    for kind, tick in ((is_same, EXPECTED_FALSE_TICK), (~is_same, EXPECTED_TRUE_TICK)):
        total = table[kind].sum(axis=0) + strength * np.array([1.0 - tick, tick])
        table[kind] += strength * total / total.sum()
    table /= table.sum(axis=2, keepdims=True)
    return table


def fit_tables(
    slots: JudgmentSlots,
    counts: FloatArray,
    *,
    n_workers: int,
    worker_strength: float,
    crowd_strength: float,
) -> JudgmentTables:
    """Estimate the tables from expected counts.

    Parameters
    ----------
    slots : JudgmentSlots
        Who did what under which label.
    counts : ndarray, float64, (K, U)
        Expected number of judgments of each slot on members of each class.
    n_workers : int
        Size W.
    worker_strength, crowd_strength : float
        Pseudo-judgments behind a volunteer's two numbers and behind each cell of the crowd's table;
        a volunteer's counts are damped as those of votes are.

    Returns
    -------
    JudgmentTables
        Crowd's table and volunteers' odds.
    """
    kinds = _by_kind(counts, slots.label)  # (2, U)
    n = _by_worker(kinds, slots.worker, n_workers)  # (W, 2)
    crowd = _crowd(slots, counts, worker_strength / (n + worker_strength), crowd_strength)
    ticks = crowd[slots.label, :, 1].T  # (K, U)
    expected = _by_worker(_by_kind(counts * ticks, slots.label), slots.worker, n_workers)
    found = _by_worker(kinds * slots.ticked, slots.worker, n_workers)
    mean = np.divide(expected, n, out=np.full_like(n, 0.5), where=n > 0.0)
    odds = (found + worker_strength * mean) / (n - found + worker_strength * (1.0 - mean))
    return JudgmentTables(crowd, odds * (1.0 - mean) / mean)
