"""How strange a subject is, against what is normal for its own prototype.

A prototype of bright, extended sources has distant members that are perfectly ordinary; so each
distance is measured in robust standard deviations of its prototype's members (modified z-score,
Iglewicz & Hoaglin 1993), and prototypes with few members borrow from the whole survey.
"""

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.som.projection import Projection

__all__ = ["outlier_ranks", "outlier_scores"]

#: Members that the whole survey counts as, when it is mixed into a prototype's own figures.
SHRINKAGE = 10.0
#: Median absolute deviation of a Gaussian, in standard deviations.
MAD_OF_GAUSSIAN = 0.6744897501960817


def _spread(distance: NDArray[np.float64], median: float) -> float:
    return float(np.median(np.abs(distance - median))) / MAD_OF_GAUSSIAN


def outlier_scores(projection: Projection, *, shrinkage: float = SHRINKAGE) -> NDArray[np.float64]:
    """Robust deviations of each subject's distance from what is normal for its prototype.

    ``score = (d - median_k) / spread_k``, where spread is the scaled median absolute deviation and
    both figures are shrunk towards the survey's: ``(n_k x_k + s x) / (n_k + s)``.

    A subject alone on its prototype would look perfectly normal: the prototype is its own
    portrait. It is judged by its second-best distance, against the members of that unit.

    Parameters
    ----------
    projection : Projection
        Of N subjects.
    shrinkage : float, optional
        s, at least 0; in units of members.

    Returns
    -------
    ndarray (N,), float64
        0 is typical, large is strange. All 0 where all distances are equal.

    Raises
    ------
    InputError
        If `shrinkage` is negative or a distance is not finite.
    """
    if not shrinkage >= 0.0:
        raise InputError(f"shrinkage must not be negative, got {shrinkage}")
    alone = np.bincount(projection.best)[projection.best] == 1
    unit = np.where(alone, projection.second, projection.best)
    distance = np.where(alone, projection.second_distance, projection.distance).astype(np.float64)
    if not np.isfinite(distance).all():
        raise InputError(
            f"the distance of row {int(np.argmin(np.isfinite(distance)))} is not finite"
        )
    median, spread = _normal(distance, unit, shrinkage)
    return np.divide(distance - median, spread, out=np.zeros_like(distance), where=spread > 0.0)


def _normal(
    distance: NDArray[np.float64], unit: NDArray[np.int64], shrinkage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shrunk median and spread (N,) of each subject's unit."""
    survey_median = float(np.median(distance))
    survey_spread = _spread(distance, survey_median)
    if survey_spread == 0.0:  # more than half of the survey is equally far
        survey_spread = float(np.std(distance))
    median, spread = np.empty_like(distance), np.empty_like(distance)
    for k in np.unique(unit):
        members = unit == k
        own = distance[members]
        own_median = float(np.median(own))
        share = len(own) / (len(own) + shrinkage)
        median[members] = share * own_median + (1.0 - share) * survey_median
        spread[members] = share * _spread(own, own_median) + (1.0 - share) * survey_spread
    return median, spread


def outlier_ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank scores (N,): 1 is the strangest; ties go to the lower index.

    Returns
    -------
    ndarray (N,), int64
        A permutation of 1 to N.

    Raises
    ------
    InputError
        If a score is NaN.

    Examples
    --------
    >>> outlier_ranks(np.array([0.5, 9.0, 0.5])).tolist()
    [2, 1, 3]
    """
    if np.isnan(scores).any():
        raise InputError(f"the score of row {int(np.argmax(np.isnan(scores)))} is NaN")
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks
