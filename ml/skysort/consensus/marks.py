"""What several people agree on who marked the same picture.

Marks of one role are gathered into spots by complete linkage (Defays 1977, Comput. J. 20, 364), the
nearest first: no two marks of a spot lie farther apart than a given reach, and no volunteer has two
of them. So a slip of the finger makes a spot of its own, which nobody seconds, instead of pulling
others away. Boxes are told apart by how much they overlap (intersection over union): people see the
ends of a long jet better than its middle.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = ["REACH", "AgreedMarks", "agreed_boxes", "agreed_points"]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

#: Largest distance of two marks of one spot, in sides of the picture. Simulated crowds of 3 to 10,
#: who miss a fifth of the spots and hit the others to 1 to 3 % of the side, agree on the same share
#: of spots from here on (88, 95 and 99 % where they hit them to 2 %), and on fewer false ones than
#: with a longer reach.
REACH = 0.12
#: Least overlap of two boxes of one spot. Crowds that draw edges to 1.5 % of the side lose nothing
#: by it, those that draw to 3 % would lose a tenth of the spots with 0.3.
LEAST_OVERLAP = 0.2
#: One person alone is no agreement.
LEAST_VOLUNTEERS = 2


@dataclass(frozen=True)
class AgreedMarks:
    """The S spots on which people agree, those of most volunteers first.

    Attributes
    ----------
    positions : ndarray, float64, (S, 2)
        Mean x and y of the marks of each spot.
    sizes : ndarray, float64, (S, 2)
        Median width and height of its boxes; 0 for points.
    scatter : ndarray, float64, (S,)
        Standard deviation of one volunteer's mark, along one axis.
    n_volunteers : ndarray, int64, (S,)
        Those who marked it, each once.
    """

    positions: FloatArray
    sizes: FloatArray
    scatter: FloatArray
    n_volunteers: IntArray

    def __len__(self) -> int:
        return len(self.positions)


def agreed_points(
    positions: ArrayLike,
    volunteers: ArrayLike,
    *,
    n_volunteers: int,
    reach: float,
    most: int | None = None,
) -> AgreedMarks:
    """Find the spots that at least half of the people put a point on, and at least two.

    Parameters
    ----------
    positions : array_like, (M, 2)
        x and y of all points of one role in one picture; finite.
    volunteers : array_like of int, (M,)
        Whose point each is.
    n_volunteers : int
        People who marked the picture, also those who put no point of this role.
    reach : float
        Largest distance of two points of one spot, in the unit of `positions`: `REACH` times the
        side of the picture.
    most : int, optional
        Spots at most; those of most volunteers are taken.

    Returns
    -------
    AgreedMarks

    Raises
    ------
    InputError
        If the shapes differ, a value is not finite or `reach` is not positive.

    Examples
    --------
    >>> agreed = agreed_points(
    ...     [[9.0, 0.0], [-5.0, 1.0], [11.0, 0.0]], [1, 1, 2], n_volunteers=3, reach=4.0
    ... )
    >>> agreed.positions.tolist(), agreed.n_volunteers.tolist()
    ([[10.0, 0.0]], [2])
    """
    if not reach > 0.0:
        raise InputError(f"reach must be positive, got {reach}")
    places = _pairs("positions", positions)
    whose = _volunteers(volunteers, len(places))
    apart = np.linalg.norm(places[:, None] - places, axis=2)  # (M, M)
    spots = _spots(apart, whose, farthest=reach)
    return _agreement(spots, places, np.zeros_like(places), n_volunteers, most)


def agreed_boxes(
    positions: ArrayLike,
    sizes: ArrayLike,
    volunteers: ArrayLike,
    *,
    n_volunteers: int,
    most: int | None = None,
) -> AgreedMarks:
    """Find the boxes that at least half of the people drew, and at least two.

    Parameters
    ----------
    positions, sizes : array_like, (M, 2)
        Centers, and widths and heights along x and y, of all boxes of one role in one picture;
        finite, and sizes positive.
    volunteers : array_like of int, (M,)
        Whose box each is.
    n_volunteers : int
        People who marked the picture, also those who drew no box of this role.
    most : int, optional
        Spots at most; those of most volunteers are taken.

    Returns
    -------
    AgreedMarks

    Raises
    ------
    InputError
        If the shapes differ, a value is not finite or a size not positive.

    Examples
    --------
    >>> agreed = agreed_boxes(
    ...     [[0.0, 0.0], [1.0, 0.0]], [[8.0, 4.0], [6.0, 4.0]], [1, 2], n_volunteers=2
    ... )
    >>> agreed.positions.tolist(), agreed.sizes.tolist()
    ([[0.5, 0.0]], [[7.0, 4.0]])
    """
    places, extents = _pairs("positions", positions), _pairs("sizes", sizes)
    if len(extents) != len(places) or not (extents > 0.0).all():
        raise InputError("sizes must be positive, a width and a height for each position")
    whose = _volunteers(volunteers, len(places))
    apart = 1.0 - _overlaps(places, extents)
    spots = _spots(apart, whose, farthest=1.0 - LEAST_OVERLAP)
    return _agreement(spots, places, extents, n_volunteers, most)


def _pairs(name: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise InputError(f"{name} must be finite pairs, (M, 2), got shape {array.shape}")
    return array


def _volunteers(values: ArrayLike, length: int) -> IntArray:
    array = np.asarray(values)
    if array.shape != (length,) or (length and array.dtype.kind not in "iu"):
        raise InputError(f"volunteers must be {length} integers, got {array.dtype} {array.shape}")
    return array.astype(np.int64)


def _overlaps(places: FloatArray, sizes: FloatArray) -> FloatArray:
    """Intersection over union of all pairs of boxes, (M, M)."""
    low, high = places - sizes / 2.0, places + sizes / 2.0
    common = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    shared = common.clip(0.0).prod(axis=2)
    area = sizes.prod(axis=1)
    overlap: FloatArray = shared / (area[:, None] + area - shared)
    return overlap


def _spots(apart: FloatArray, volunteers: IntArray, *, farthest: float) -> IntArray:
    """Tell the spot of each mark, given the distances (M, M) of all pairs.

    Marks that cannot be of one spot are infinitely far apart, and of two spots the distance is
    that of their farthest marks; so both rules hold in every spot.
    """
    cannot_join = (volunteers[:, None] == volunteers) | (apart > farthest)
    apart = np.where(cannot_join, np.inf, apart)
    spot = np.arange(len(volunteers))
    while apart.size:
        one, other = divmod(int(apart.argmin()), len(apart))
        if np.isinf(apart[one, other]):
            break
        apart[one] = apart[:, one] = np.maximum(apart[one], apart[other])
        apart[other] = apart[:, other] = apart[one, one] = np.inf
        spot[spot == other] = one
    return spot


def _agreement(
    spots: IntArray, places: FloatArray, sizes: FloatArray, n_volunteers: int, most: int | None
) -> AgreedMarks:
    needed = max(LEAST_VOLUNTEERS, math.ceil(n_volunteers / 2))
    found = [marks for marks in _members(spots) if len(marks) >= needed]
    scatter = np.array([_scatter(places[marks]) for marks in found])
    n_marks = np.array([len(marks) for marks in found], dtype=np.int64)
    order = np.lexsort((scatter, -n_marks))[:most]
    best = [found[number] for number in order]
    return AgreedMarks(
        positions=np.array([places[marks].mean(axis=0) for marks in best]).reshape(-1, 2),
        sizes=np.array([np.median(sizes[marks], axis=0) for marks in best]).reshape(-1, 2),
        scatter=scatter[order],
        n_volunteers=n_marks[order],
    )


def _members(spots: IntArray) -> Iterator[IntArray]:
    for number in np.unique(spots):
        yield np.flatnonzero(spots == number)


def _scatter(places: FloatArray) -> float:
    """Unbiased standard deviation along one axis of marks (m, 2), m > 1."""
    squares = ((places - places.mean(axis=0)) ** 2).sum()
    return float(np.sqrt(squares / (2 * (len(places) - 1))))
