"""Votes on one item are not independent: a hard item misleads many volunteers alike.

Taken at face value, ten votes on a picture that looks like something else are ten proofs. As in a
survey of people from the same houses (Kish 1965, "Survey Sampling", the design effect), the votes
on an item are worth ``m / (1 + rho (m - 1))`` independent ones, where m is how much the votes tell
together in units of a usual vote, and rho how alike they are. rho is learnt by asking how well the
other votes on an item foretell each vote: with votes that only echo each other, a small rho is too
sure of itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CORRELATIONS", "Foretold", "answer_sizes", "choose_correlation", "damped"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Values that are tried; beyond them a few votes no longer stand up to the class frequencies.
CORRELATIONS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
#: Votes count as independent unless a correlation is better by so many errors of the difference.
ERRORS_TO_BELIEVE = 1.0


def answer_sizes(confusion: FloatArray, class_prior: FloatArray) -> FloatArray:
    """Measure how much the answers of each volunteer tell.

    Parameters
    ----------
    confusion : ndarray, float64, (K, ..., A)
        Chance of each answer for each class.
    class_prior : ndarray, float64, (K, ...)
        Frequencies of the classes, of as many axes.

    Returns
    -------
    ndarray, float64, (...)
        Square root of the mutual information of class and answer in nats, which grows like the log
        odds of a vote; 0 for whoever answers at random.

    Examples
    --------
    >>> matrices = np.array([[[0.5, 0.5], [0.9, 0.1]], [[0.5, 0.5], [0.1, 0.9]]])  # (K, W, A)
    >>> answer_sizes(matrices, np.array([[0.5], [0.5]])).round(3).tolist()
    [0.0, 0.607]
    """
    joint = class_prior[..., None] * confusion
    answer = joint.sum(axis=0)
    told = (joint * np.log(confusion)).sum(axis=(0, -1)) - (answer * np.log(answer)).sum(axis=-1)
    size: FloatArray = np.sqrt(np.maximum(told, 0.0))
    return size


def damped(
    log_likelihood: FloatArray, amount: FloatArray, correlation: FloatArray | float
) -> FloatArray:
    """Weaken what many votes that are alike say together.

    Parameters
    ----------
    log_likelihood : ndarray, float64, (K, I)
        Sum over the votes on each thing.
    amount : ndarray, float64, (I,)
        Sum of their sizes; a usual vote has size 1.
    correlation : ndarray, float64, (I,), or float
        From 0 (independent) to 1 (all votes together say no more than one).

    Returns
    -------
    ndarray, float64, (K, I)
        Divided by the design effect.

    Examples
    --------
    >>> damped(np.array([[1.0, 6.0]]), np.array([1.0, 6.0]), 0.2).tolist()
    [[1.0, 3.0]]
    """
    weakened: FloatArray = log_likelihood / (1.0 + correlation * np.maximum(amount - 1.0, 0.0))
    return weakened


@dataclass(frozen=True)
class Foretold:
    """Votes (V,) to be foretold by the others on the same item.

    Attributes
    ----------
    item : ndarray, int64, (V,)
        Item of each vote.
    rest : ndarray, float64, (K, V)
        Log likelihood of the other votes on the item.
    amount : ndarray, float64, (V,)
        Size of the other votes together.
    base : ndarray, float64, (K, V)
        Log prior of the item, with all evidence of other kinds.
    chance : ndarray, float64, (K, V)
        Chance of the vote for each class, learnt without it.
    """

    item: IntArray
    rest: FloatArray
    amount: FloatArray
    base: FloatArray
    chance: FloatArray


def _foretold(votes: Foretold, correlation: float) -> FloatArray:
    """Log chance (V,) of each vote."""
    log_weight = votes.base + damped(votes.rest, votes.amount, correlation)
    weight = np.exp(log_weight - log_weight.max(axis=0))
    chance: FloatArray = (weight * votes.chance).sum(axis=0) / weight.sum(axis=0)
    return np.log(chance)


def choose_correlation(votes: Foretold) -> float:
    """Find the correlation under which the votes on an item foretell each other best.

    Parameters
    ----------
    votes : Foretold
        Votes on items with at least two.

    Returns
    -------
    float
        One of `CORRELATIONS`; 0 where the best is not better for certain, or without votes.
    """
    if not len(votes.item):
        return 0.0
    independent = _foretold(votes, 0.0)
    gains = {value: _foretold(votes, value) - independent for value in CORRELATIONS}
    best = max(gains, key=lambda value: float(gains[value].sum()))
    by_item = np.bincount(votes.item, weights=gains[best])
    error = np.sqrt((by_item**2).sum())  # votes on one item are surprising together
    return best if by_item.sum() > ERRORS_TO_BELIEVE * error else 0.0
