"""First prototypes: images that differ, laid out so that similar ones lie together.

The choice is k-means++ (Arthur & Vassilvitskii 2007, SODA) under the rotation-invariant distance;
the layout takes the first two coordinates of classical scaling (Torgerson 1952, Psychometrika 17,
401) of the chosen images.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skysort.som.config import SOMConfig
from skysort.som.matching import pairwise_distances
from skysort.som.stack import ImageStack, read_images

__all__ = ["lay_out", "seed_prototypes", "spread"]

#: Candidates for each unit, and in all: the distances between all candidates must stay cheap.
POOL_PER_UNIT = 4
POOL_LIMIT = 1024
#: Seeds need to differ, not to be measured: every 10 degrees is enough.
POOL_ROTATIONS = 36


def spread(distances: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose `n` different items with a probability that grows as the squared distance.

    Parameters
    ----------
    distances : ndarray (M, M)
        Between all items; M >= n.
    n : int
        How many to choose.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    ndarray (n,), int64
        Items in the order of their choice. Among items that are all alike any free one is taken.
    """
    chosen = [int(rng.integers(len(distances)))]
    nearest = distances[chosen[0]] ** 2
    free = np.ones(len(distances), dtype=bool)
    free[chosen[0]] = False
    while len(chosen) < n:
        weight = np.where(free, nearest, 0.0)
        if weight.sum() == 0.0:
            weight = free.astype(float)
        item = int(rng.choice(len(distances), p=weight / weight.sum()))
        chosen.append(item)
        free[item] = False
        nearest = np.minimum(nearest, distances[item] ** 2)
    return np.array(chosen, dtype=np.int64)


def lay_out(distances: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.int64]:
    """Give each of ``rows * columns`` items a place on the grid.

    The items are sorted along their main coordinate, cut into lines across the longer side of
    the grid, and each line is sorted along the second coordinate.

    Returns
    -------
    ndarray (rows * columns,), int64
        The item of each unit.

    Examples
    --------
    >>> x = np.array([3.0, 0.0, 2.0, 1.0])
    >>> lay_out(np.abs(x[:, None] - x), 4, 1).tolist() in ([1, 3, 2, 0], [0, 2, 3, 1])
    True
    """
    squared = distances**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    _, vectors = np.linalg.eigh(-0.5 * centred)
    first, second = vectors[:, -1], vectors[:, -2]
    lines = np.argsort(first, kind="stable").reshape(max(rows, columns), min(rows, columns))
    placed = np.stack([line[np.argsort(second[line], kind="stable")] for line in lines])
    units: NDArray[np.int64] = (placed if rows >= columns else placed.T).ravel()
    return units


def seed_prototypes(
    images: ImageStack, config: SOMConfig, *, device: torch.device, memory_bytes: int
) -> Tensor:
    """First prototypes (K, C, H, W), float32: copies of K different images."""
    n_units = config.grid.n_units
    rng = np.random.default_rng([config.seed, 0])
    size = min(len(images), max(n_units, min(POOL_PER_UNIT * n_units, POOL_LIMIT)))
    drawn = np.sort(rng.choice(len(images), size=size, replace=False)).tolist()
    pool = np.concatenate([read_images(images, i, i + 1, config.image_shape) for i in drawn])
    candidates = torch.from_numpy(pool).to(device)
    distances = pairwise_distances(
        candidates,
        n_rotations=min(config.n_rotations, POOL_ROTATIONS),
        use_flip=config.use_flip,
        window=config.window,
        memory_bytes=memory_bytes,
    )
    apart = distances.cpu().numpy().astype(np.float64)
    chosen = spread(apart, n_units, rng)
    units = chosen[lay_out(apart[np.ix_(chosen, chosen)], config.rows, config.columns)]
    return candidates[torch.from_numpy(units).to(device)].clone()
