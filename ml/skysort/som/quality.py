"""How well a map represents its images, and how its prototypes are used.

Quantization and topographic error: Kiviluoto 1996, Proc. ICNN 1, 294. U-matrix: Ultsch & Siemon
1990, Proc. INNC, 305; here the distance between two prototypes is the smallest over all angles and
flips, since a map is blind to both.
"""

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.som.exact import ExactSOM
from skysort.som.grid import Grid
from skysort.som.matching import pairwise_distances
from skysort.som.projection import Projection

__all__ = ["hit_entropy", "hits", "quantization_error", "topographic_error", "u_matrix"]


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


def u_matrix(som: ExactSOM) -> NDArray[np.float64]:
    """Mean distance (K,) of each prototype from the adjacent ones, at their best angle and flip.

    Large values are borders between families of shapes.
    """
    distances = pairwise_distances(
        som.weights,
        n_rotations=som.config.n_rotations,
        use_flip=som.config.use_flip,
        window=som.config.window,
        memory_bytes=som.memory_bytes,
    )
    adjacent = som.config.grid.neighbours()
    apart = np.where(adjacent, distances.cpu().numpy().astype(np.float64), 0.0)
    means: NDArray[np.float64] = apart.sum(axis=1) / adjacent.sum(axis=1)
    return means
