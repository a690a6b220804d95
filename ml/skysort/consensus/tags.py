"""Tags: what any number of may be true of one item, each for itself.

A volunteer who is shown an item sets the tags that they see. Each tag is there or not (independent
Bernoulli), and the two-class model of Dawid & Skene (1979) holds for it: a volunteer sets a tag
that is there with their hit rate, and one that is not with their false-alarm rate. Both are shrunk
to the crowd's, tag by tag, as in `dawid_skene`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = ["TagFit", "fit_tags"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ABSENT, PRESENT = 0, 1
#: Chance that a stranger sets a tag that is not there, and one that is: people overlook more than
#: they imagine.
EXPECTED_RATES = (0.05, 0.6)
#: Share of items that have a tag of which nothing is known.
EXPECTED_FREQUENCY = 0.2


@dataclass(frozen=True)
class TagFit:
    """What the showings say of T tags.

    Attributes
    ----------
    probabilities : ndarray, float64, (I, T)
        Chance that an item has a tag; the tag's frequency for an item that nobody saw.
    rates : ndarray, float64, (W, T, 2)
        Chance that a volunteer sets a tag that is absent (false alarm) and one that is there (hit).
    crowd_rates : ndarray, float64, (T, 2)
        The same for somebody who saw nothing yet.
    frequency : ndarray, float64, (T,)
        Share of items that have the tag.
    n_iterations : int
        Number of rounds.
    converged : bool
        Whether no probability changed by more than the tolerance in the last round.
    """

    probabilities: FloatArray
    rates: FloatArray
    crowd_rates: FloatArray
    frequency: FloatArray
    n_iterations: int
    converged: bool


@dataclass(frozen=True)
class _Strengths:
    worker: float
    crowd: float
    frequency: float


@dataclass(frozen=True)
class _Showings:
    item: IntArray  # (V,)
    slot: IntArray  # (T, V): volunteer and whether they set the tag
    n_items: int
    n_workers: int
    seen: NDArray[np.bool_]  # (I,)


@dataclass(frozen=True)
class _Parameters:
    rates: FloatArray  # (T, 2, W)
    crowd: FloatArray  # (T, 2)
    frequency: FloatArray  # (T,)


def _column(name: str, values: ArrayLike, length: int, stop: int) -> IntArray:
    array = np.asarray(values)
    if array.shape != (length,) or (length and array.dtype.kind not in "iu"):
        raise InputError(
            f"{name} must be {length} integers, one per row of tags, "
            f"got {array.dtype} {array.shape}"
        )
    if length and not (array.min() >= 0 and array.max() < stop):
        raise InputError(f"{name} must lie between 0 and {stop - 1}")
    return array.astype(np.int64)


def _maximize(shown: _Showings, present: FloatArray, strengths: _Strengths) -> _Parameters:
    """M step: rates and frequencies that fit the probabilities (T, I) best."""
    n_tags, n_slots = len(present), 2 * shown.n_workers
    counts = np.empty((n_tags, 2, shown.n_workers, 2))  # by state, volunteer, and set or not
    for t, slot in enumerate(shown.slot):
        weight = present[t, shown.item]
        counts[t, ABSENT] = np.bincount(slot, 1.0 - weight, n_slots).reshape(-1, 2)
        counts[t, PRESENT] = np.bincount(slot, weight, n_slots).reshape(-1, 2)
    total = counts.sum(axis=3)
    damped = counts * (strengths.worker / (total + strengths.worker))[..., None]
    spoken = damped.sum(axis=2)  # (T, 2, 2)
    prior = strengths.crowd * np.array(EXPECTED_RATES)
    crowd = (spoken[..., 1] + prior) / (spoken.sum(axis=2) + strengths.crowd)
    rates = (counts[..., 1] + strengths.worker * crowd[..., None]) / (total + strengths.worker)
    known = present[:, shown.seen]
    frequency = (known.sum(axis=1) + strengths.frequency * EXPECTED_FREQUENCY) / (
        known.shape[1] + strengths.frequency
    )
    return _Parameters(rates, crowd, frequency)


def _expect(shown: _Showings, parameters: _Parameters) -> FloatArray:
    """E step: probabilities (T, I)."""
    n_tags = len(shown.slot)
    rates = parameters.rates
    by_set = np.log(np.stack([1.0 - rates, rates], axis=3))  # (T, 2, W, 2)
    tells = (by_set[:, PRESENT] - by_set[:, ABSENT]).reshape(n_tags, -1)
    odds = np.log(parameters.frequency) - np.log1p(-parameters.frequency)
    log_odds = np.stack(
        [
            np.bincount(shown.item, tells[t, slot], shown.n_items)
            for t, slot in enumerate(shown.slot)
        ]
    )
    log_odds = log_odds + odds[:, None]
    present: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return present


def fit_tags(
    item: ArrayLike,
    worker: ArrayLike,
    tags: ArrayLike,
    *,
    n_items: int,
    n_workers: int,
    worker_strength: float = 5.0,
    crowd_strength: float = 40.0,
    frequency_strength: float = 10.0,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
) -> TagFit:
    """Estimate which tags items have, and how well each volunteer sees them.

    Parameters
    ----------
    item, worker : array_like of int, (V,)
        Who was shown what; one entry per showing, also where no tag was set.
    tags : array_like of bool, (V, T)
        Tags that were set.
    n_items, n_workers : int
        Sizes I and W.
    worker_strength, crowd_strength, frequency_strength : float, optional
        Pseudo-showings behind a volunteer's rates, the crowd's rates and a tag's frequency.
        Positive.
    max_iterations : int, optional
        Rounds at most.
    tolerance : float, optional
        Largest change of a probability that counts as none.

    Returns
    -------
    TagFit
        Probabilities and rates.

    Raises
    ------
    InputError
        If an index is out of range, a shape or type is wrong or a strength is not positive.

    Examples
    --------
    >>> spiral, merger = [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1]
    >>> fit = fit_tags(
    ...     [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2], np.array([spiral, merger], dtype=bool).T,
    ...     n_items=2, n_workers=3,
    ... )
    >>> fit.probabilities.round().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    table = np.asarray(tags)
    if table.ndim != 2 or table.dtype != bool:
        raise InputError(f"tags must be a table of booleans, got {table.dtype} {table.shape}")
    items = _column("item", item, len(table), n_items)
    workers = _column("worker", worker, len(table), n_workers)
    strengths = _Strengths(worker_strength, crowd_strength, frequency_strength)
    if not min(worker_strength, crowd_strength, frequency_strength) > 0.0:
        raise InputError(f"strengths must be positive, got {strengths}")
    if max_iterations < 1:
        raise InputError(f"max_iterations must be at least 1, got {max_iterations}")
    seen = np.bincount(items, minlength=n_items) > 0
    shown = _Showings(items, workers * 2 + table.T, n_items, n_workers, seen)
    strangers = np.tile(np.array(EXPECTED_RATES)[:, None], (table.shape[1], 1, n_workers))
    frequency = np.full(table.shape[1], EXPECTED_FREQUENCY)
    present = _expect(shown, _Parameters(strangers, strangers[..., 0], frequency))
    n_rounds, converged = 0, False
    while not converged and n_rounds < max_iterations:
        parameters = _maximize(shown, present, strengths)
        updated = _expect(shown, parameters)
        converged = not updated.size or bool(np.abs(updated - present).max() <= tolerance)
        present = updated
        n_rounds += 1
    return TagFit(
        present.T.copy(),
        parameters.rates.transpose(2, 0, 1).copy(),
        parameters.crowd,
        parameters.frequency,
        n_rounds,
        converged,
    )
