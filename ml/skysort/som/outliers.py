"""How strange a subject is: what to show to a person first, and once.

A raw distance mostly finds bright sources. Three steps make a distance mean something:

1. What is normal? Bright and extended sources are far from any prototype, and so are the ordinary
   members of some prototypes. So each distance is compared with a line in the brightness, fitted
   robustly to the members of the same prototype (M-estimator by reweighted least squares: Huber
   1981, Robust Statistics, ch. 7) and shrunk to the line of the survey; what is left is measured in
   robust standard deviations (modified z-score: Iglewicz & Hoaglin 1993).
2. Is it the only one? The strangest subjects are compared with each other. Those that are
   duplicates (a source in two fields, one artefact in many images) form one group, by leaders
   (Hartigan 1975, Clustering Algorithms, ch. 3).
3. Has it relatives? A leader with several others near it is one of a small family that has no
   prototype of its own, so it counts less: distance of the k-th nearest neighbour (Ramaswamy,
   Rastogi & Shim 2000, Proc. ACM SIGMOD, 427).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.som.base import SOM
from skysort.som.features import brightness as brightness_of
from skysort.som.features import pairwise_distances
from skysort.som.projection import Projection
from skysort.som.stack import ImageStack, Progress, Rows

__all__ = ["Outliers", "find_outliers", "outlier_ranks", "outlier_scores"]

Floats = NDArray[np.float64]

#: A subject and its likely duplicates: what a prototype of so few members shows is what they are,
#: and not what is normal.
PORTRAYED: Final = 5
#: Members that the whole survey counts as, when it is mixed into a prototype's own figures.
SHRINKAGE: Final = 10.0
#: Median absolute deviation of a Gaussian, in standard deviations.
MAD_OF_GAUSSIAN: Final = 0.6744897501960817
#: Residuals beyond so many standard deviations pull no harder: 95 % efficient for a Gaussian.
HUBER: Final = 1.345
#: Rounds of reweighting; the lines of 2,158 FIRST images moved by 0.1 % of the spread in the last.
ROUNDS: Final = 10
#: A unit whose members' brightness varies by less than this share of the survey's variance has no
#: slope of its own.
ALIKE: Final = 1e-4
#: Distances that differ by less than this share of the largest one are equal.
ROUNDING: Final = 1e-6

#: Strangest subjects that are compared with each other: 4 million pairs take seconds.
SHARE: Final = 0.05
MOST: Final = 2000
#: Subjects nearer to each other than this share of their distances from the map are duplicates.
DUPLICATE: Final = 0.5
#: A subject with so many relatives is one of a family.
RELATIVES: Final = 3


@dataclass(frozen=True)
class Outliers:
    """How strange each of N subjects is.

    Attributes
    ----------
    score : ndarray (N,), float64
        Robust standard deviations beyond what is normal for its prototype and brightness, less
        where it has relatives; that of the leader where it has duplicates. 0 is typical, large is
        strange.
    rank : ndarray (N,), int64
        From 1 for the strangest to N, in the order of the scores; a group stays together, its
        leader first.
    group : ndarray (N,), int64
        Row of its group's leader, the strangest of its duplicates; its own row where it has none.
    deviation : ndarray (N,), float64
        The score before relatives and duplicates were looked at.
    isolation : ndarray (N,), float64
        By what the deviation was multiplied, from 0 for a member of a close family to 1 for a
        subject that no others resemble; 1 for all that were not among the strangest.
    """

    score: NDArray[np.float64]
    rank: NDArray[np.int64]
    group: NDArray[np.int64]
    deviation: NDArray[np.float64]
    isolation: NDArray[np.float64]

    def leaders(self) -> NDArray[np.int64]:
        """Rows of the subjects from the strangest on, each group of duplicates once."""
        order = np.argsort(self.rank)
        leaders: NDArray[np.int64] = order[self.group[order] == order]
        return leaders


def find_outliers(
    som: SOM,
    images: ImageStack,
    projection: Projection,
    *,
    share: float = SHARE,
    most: int = MOST,
    duplicate: float = DUPLICATE,
    relatives: int = RELATIVES,
    shrinkage: float = SHRINKAGE,
    on_progress: Progress | None = None,
) -> Outliers:
    """Score, group and rank all subjects of a map.

    All images are read once for their brightness; only the strangest are compared pairwise, so
    that a million subjects take little more than their reading.

    Parameters
    ----------
    som : SOM
        The map.
    images : ImageStack
        The N images that were projected, in the same order.
    projection : Projection
        Of these images on this map.
    share, most : float, int, optional
        How many of the strangest are compared with each other: this share (0 to 1), but no more
        than `most`.
    duplicate : float, optional
        Two subjects are duplicates if they are nearer to each other than this share of the
        distance from the map of the nearer one; 0 to 1. Noise of its own keeps two copies 1.4
        times its norm apart, so they are found if the map is more than 2.8 times its norm away.
    relatives : int, optional
        Subjects, or groups, that make a family; at least 1. Two members of a prototype are about
        1.4 times as far from each other as from it. A subject that is nearer to this many others
        than to the map has its deviation multiplied by the distance of the farthest of these, as a
        share of its distance from the map.
    shrinkage : float, optional
        See `outlier_scores`.
    on_progress : callable, optional
        Called with (images done, N) while they are read, then with (pairs done, pairs).

    Returns
    -------
    Outliers

    Raises
    ------
    InputError
        If the numbers of images differ, an argument breaks its rule, or an image is as
        `SOM.project` does not take it.
    """
    if len(images) != len(projection):
        raise InputError(
            f"the projection has {len(projection)} rows, but there are {len(images)} images"
        )
    _check(share, most, duplicate, relatives)
    light = brightness_of(images, som.config, on_progress=on_progress)
    deviation = outlier_scores(projection, brightness=light, shrinkage=shrinkage)
    strangest = np.argsort(-deviation, kind="stable")[: min(most, math.ceil(share * len(images)))]
    chosen = Rows(images, strangest)
    apart = pairwise_distances(
        chosen, chosen, som.config, device=str(som.device), on_progress=on_progress
    ).astype(np.float64)
    apart = np.minimum(apart, apart.T)
    reach = _alone(projection)[1][strangest]
    leader = _leaders(apart, duplicate * np.minimum.outer(reach, reach))
    isolation, group = np.ones(len(images)), np.arange(len(images), dtype=np.int64)
    isolation[strangest] = _isolation(apart, reach, leader, relatives)
    group[strangest] = strangest[leader]
    return _ranked(deviation, isolation, group)


def _check(share: float, most: int, duplicate: float, relatives: int) -> None:
    for name, value in (("share", share), ("duplicate", duplicate)):
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{name} must lie between 0 and 1, got {value}")
    for name, number in (("most", most), ("relatives", relatives)):
        if number < 1:
            raise InputError(f"{name} must be at least 1, got {number}")


def _leaders(apart: Floats, limit: Floats) -> NDArray[np.int64]:
    """Leader (M,) of each of M subjects, sorted from the strangest: the first that is so near."""
    leader = np.full(len(apart), -1)
    for row in range(len(apart)):
        if leader[row] < 0:
            near = (apart[row] < limit[row]) & (leader < 0)
            near[row] = True
            leader[near] = row
    return leader


def _isolation(apart: Floats, reach: Floats, leader: NDArray[np.int64], relatives: int) -> Floats:
    """How alone (M,) the group of each subject is among the others, from 0 to 1."""
    rows = np.unique(leader)
    if len(rows) <= relatives:
        return np.ones(len(leader))
    others = apart[np.ix_(rows, rows)]
    np.fill_diagonal(others, np.inf)
    nearest = np.partition(others, relatives - 1, axis=1)[:, relatives - 1]
    alone = np.divide(nearest, reach[rows], out=np.ones_like(nearest), where=reach[rows] > 0.0)
    return np.minimum(alone, 1.0)[np.searchsorted(rows, leader)]


def _ranked(deviation: Floats, isolation: Floats, group: NDArray[np.int64]) -> Outliers:
    """Put the figures of all subjects together, the groups by their leaders."""
    score = deviation * np.where(deviation > 0.0, isolation, 1.0)
    leads = group == np.arange(len(group))
    order = np.lexsort((-deviation, ~leads, group, -score[group]))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(1, len(group) + 1)
    return Outliers(score[group], rank, group, deviation, isolation)


def outlier_scores(
    projection: Projection,
    *,
    brightness: NDArray[np.floating] | None = None,
    shrinkage: float = SHRINKAGE,
) -> NDArray[np.float64]:
    """Robust deviations of each distance from what is normal for its prototype and brightness.

    ``score = (d - a_k - b_k l) / (g(l) sqrt(spread_k^2 + spread^2))`` with the brightness l. The
    line is fitted to the members of prototype k and, as if it had `shrinkage` more members there,
    to the line of the survey. What is left grows with the brightness as g(l), a power law of the
    survey that is 1 up to the median. spread_k is the scaled median absolute deviation of the
    members, shrunk in the same way to that of the survey.

    The survey's own spread is added, and g never falls below 1, so that a trifle among point
    sources, which are all alike, is not stranger than a source like no other: without
    these two 8 of the 40 strangest of 2,158 FIRST images were point sources with a faint speck
    beside them, with them 2 are.

    A prototype is in part the portrait of its members: without a subject and up to four duplicates
    of it, the mean of n members would be ``n / (n - 5)`` times as far from it. It is judged by that
    distance, or from its second-best prototype where that is nearer, as for all members of a
    prototype that has no more than five.

    Parameters
    ----------
    projection : Projection
        Of N subjects.
    brightness : ndarray (N,), optional
        Norms of the images, see `skysort.som.features.brightness`; by default all are alike.
    shrinkage : float, optional
        At least 0; in units of members.

    Returns
    -------
    ndarray (N,), float64
        0 is typical, large is strange. All 0 where all distances are equal.

    Raises
    ------
    InputError
        If `shrinkage` is negative, or a distance or brightness is not finite or missing.
    """
    if not shrinkage >= 0.0:
        raise InputError(f"shrinkage must not be negative, got {shrinkage}")
    unit, distance = _alone(projection)
    light = np.ones_like(distance) if brightness is None else brightness.astype(np.float64)
    if len(light) != len(distance):
        raise InputError(
            f"brightness must have a value for each of the {len(distance)} rows, got {len(light)}"
        )
    _refuse(distance, "distance")
    _refuse(light, "brightness")
    x = (light - np.median(light)) / (float(np.std(light)) or 1.0)
    survey = np.zeros_like(unit)
    rest = distance - _line(x, distance, survey, 0.0)
    rest -= _line(x, rest, unit, shrinkage)
    rounding = ROUNDING * float(np.abs(distance).max())
    rest /= _growth(x, rest, rounding)
    scale = np.hypot(_spread(rest, unit, shrinkage), _spread(rest, survey, 0.0))
    return np.divide(rest, scale, out=np.zeros_like(rest), where=scale > rounding)


def _alone(projection: Projection) -> tuple[NDArray[np.int64], Floats]:
    """Give the unit and distance (N,) of each subject, had it not been in the training."""
    n = np.bincount(projection.best)[projection.best].astype(np.float64)
    more = np.divide(n, n - PORTRAYED, out=np.full_like(n, np.inf), where=n > PORTRAYED)
    own, second = projection.distance.astype(np.float64), projection.second_distance
    with np.errstate(invalid="ignore"):  # few members, and at distance 0
        without = own * more
    elsewhere = ~(without <= second)
    return (
        np.where(elsewhere, projection.second, projection.best),
        np.where(elsewhere, second.astype(np.float64), without),
    )


def _refuse(values: Floats, name: str) -> None:
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise InputError(f"the {name} of row {row} is not finite")


def _line(x: Floats, y: Floats, unit: NDArray[np.int64], shrinkage: float) -> Floats:
    """Heights (N,) of the robust lines of all units at x, each shrunk towards 0."""
    weight = np.ones_like(y)
    line = np.zeros_like(y)
    for _ in range(ROUNDS):
        sums = np.array(
            [np.bincount(unit, weights=weight * part) for part in (1.0, x, y, x * x, x * y)]
        )
        total, wx, wy, wxx, wxy = sums + np.array([[shrinkage], [0.0], [0.0], [shrinkage], [0.0]])
        determinant = total * wxx - wx * wx
        steep = determinant > ALIKE * total * total  # else all are equally bright
        slope = np.divide(total * wxy - wx * wy, determinant, out=np.zeros_like(total), where=steep)
        height = np.divide(wy - slope * wx, total, out=np.zeros_like(total), where=total > 0.0)
        line = height[unit] + slope[unit] * x
        limit = HUBER * _spread(y - line, unit, shrinkage)
        apart = np.abs(y - line)
        weight = np.divide(limit, apart, out=np.ones_like(y), where=apart > limit)
    return line


def _growth(x: Floats, rest: Floats, rounding: float) -> Floats:
    """Factor (N,), at least 1, by which what is left is usually larger than at median brightness.

    The median of x is 0.
    """
    size = np.log(np.maximum(np.abs(rest), rounding or 1.0))
    slope = _line(x, size, np.zeros(len(x), dtype=np.int64), 0.0)
    growth: Floats = np.maximum(np.exp(slope - np.median(slope)), 1.0)
    return growth


def _spread(residual: Floats, unit: NDArray[np.int64], shrinkage: float) -> Floats:
    """Scaled median absolute deviation (N,) of each subject's unit, shrunk to the survey's."""
    size = np.abs(residual)
    survey = float(np.median(size)) / MAD_OF_GAUSSIAN
    if survey <= ROUNDING * size.max():  # more than half of the survey is equally far
        survey = float(np.std(residual))
    n = np.bincount(unit)
    order = np.lexsort((size, unit))
    first, last = np.cumsum(n) - n, len(size) - 1
    low, high = np.minimum(first + (n - 1) // 2, last), np.minimum(first + n // 2, last)
    own = 0.5 * (size[order[low]] + size[order[high]]) / MAD_OF_GAUSSIAN
    spread: Floats = ((n * own + shrinkage * survey) / np.maximum(n + shrinkage, 1.0))[unit]
    return spread


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
