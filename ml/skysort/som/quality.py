"""How well a map represents its images, and how its prototypes are used.

Quantization and topographic error: Kiviluoto 1996, Proc. ICNN 1, 294. U-matrix: Ultsch & Siemon
1990, Proc. INNC, 305; here the distance between two prototypes is the smallest over all angles and
flips, since a map is blind to both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.som.grid import Grid
from skysort.som.projection import Projection

__all__ = [
    "MapQuality",
    "hit_entropy",
    "hits",
    "map_quality",
    "quantization_error",
    "topographic_error",
    "u_matrix",
]


def quantization_error(projection: Projection) -> float:
    """Mean distance of the images from their best prototypes."""
    return float(projection.distance.mean(dtype=np.float64))


def topographic_error(projection: Projection, grid: Grid) -> float:
    """Share of the images, 0 to 1, whose best and second-best units are not adjacent."""
    return float(1.0 - grid.neighbours()[projection.best, projection.second].mean())


def hits(projection: Projection, grid: Grid) -> NDArray[np.int64]:
    """Count the images (K,) on each unit."""
    return np.bincount(projection.best, minlength=grid.n_units)


def hit_entropy(counts: NDArray[np.int64]) -> float:
    """How evenly the units are used: entropy of the hits over that of equal hits.

    Parameters
    ----------
    counts : ndarray (K,), int
        Hits; K is at least 2.

    Returns
    -------
    float
        From 0 (all images on one unit) to 1 (equally many on each).

    Raises
    ------
    InputError
        If there are no hits at all.

    Examples
    --------
    >>> hit_entropy(np.array([5, 5, 0, 0]))
    0.5
    """
    if counts.sum() == 0:
        raise InputError("hit_entropy needs at least one hit, got 0")
    share = counts[counts > 0] / counts.sum()
    return float(np.sum(share * -np.log(share)) / np.log(len(counts)))


def u_matrix(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance (K,) of each prototype from the adjacent ones.

    Large values are borders between families of shapes.

    Parameters
    ----------
    distances : ndarray (K, K)
        Between prototypes at their best angle and flip; NaN between those that are not adjacent.

    Returns
    -------
    ndarray (K,), float64

    Examples
    --------
    >>> u_matrix(np.array([[np.nan, 1.0, np.nan], [1.0, np.nan, 3.0], [np.nan, 3.0, np.nan]]))
    array([1., 2., 3.])
    """
    means: NDArray[np.float64] = np.nanmean(distances, axis=1)
    return means


@dataclass(frozen=True)
class MapQuality:
    """How good a map is for some images.

    Attributes
    ----------
    quantization_error : float
        See `quantization_error`.
    topographic_error : float
        See `topographic_error`.
    dead_share : float
        Share of the units, 0 to 1, that are no image's best one.
    hit_entropy : float
        See `hit_entropy`.
    """

    quantization_error: float
    topographic_error: float
    dead_share: float
    hit_entropy: float


def map_quality(projection: Projection, grid: Grid) -> MapQuality:
    """All four figures of a projection."""
    counts = hits(projection, grid)
    return MapQuality(
        quantization_error=quantization_error(projection),
        topographic_error=topographic_error(projection, grid),
        dead_share=float((counts == 0).mean()),
        hit_entropy=hit_entropy(counts),
    )
