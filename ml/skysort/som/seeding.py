"""First prototypes: images that differ, laid out so that similar ones lie together, or a plane.

The choice of images is k-means++ (Arthur & Vassilvitskii 2007, SODA) under the rotation-invariant
distance; the layout takes the first two coordinates of classical scaling (Torgerson 1952,
Psychometrika 17, 401) of the chosen images, of many by landmarks (de Silva & Tenenbaum 2004,
Stanford technical report). The plane is that of the first two principal
components (Kohonen, Self-Organizing Maps, 3rd ed., 2001, sec. 3.7) of images aligned to the one
that resembles all others most.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from skysort.som.comparison import Comparison
from skysort.som.config import SOMConfig
from skysort.som.interpolation import spline_coefficients
from skysort.som.polar import PolarTransform
from skysort.som.polar_matching import Alignment, PolarMatcher
from skysort.som.stack import ImageStack, Rows, read_chunk, slices
from skysort.som.training import PolarSums

__all__ = ["lay_out", "principal_plane", "seed_prototypes", "spread"]

#: Candidates for each unit, and in all: the distances between all candidates must stay cheap.
POOL_PER_UNIT = 4
POOL_LIMIT = 1024
#: Items whose coordinates are computed by an eigenvalue problem, which takes the cube of their
#: number; the others are placed between them.
LANDMARKS = 256
#: Images compared with the pool at once.
BLOCK = 64
#: The plane reaches so many standard deviations to either side of the mean.
PLANE_REACH = 2.0


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
    squared = distances[:, :LANDMARKS] ** 2  # (K, L)
    apart, mean = squared[:LANDMARKS], squared[:LANDMARKS].mean(axis=0)
    _, vectors = np.linalg.eigh(-0.5 * (apart - mean - mean[:, None] + mean.mean()))
    second, first = ((mean - squared) @ vectors[:, -2:]).T
    lines = np.argsort(first, kind="stable").reshape(max(rows, columns), min(rows, columns))
    placed = np.stack([line[np.argsort(second[line], kind="stable")] for line in lines])
    units: NDArray[np.int64] = (placed if rows >= columns else placed.T).ravel()
    return units


def principal_plane(
    coordinates: NDArray[np.float64], rows: int, columns: int
) -> NDArray[np.float64]:
    """Points of a grid on the plane of the first two principal components.

    Parameters
    ----------
    coordinates : ndarray (M, F)
        Of M items.
    rows, columns : int
        Of the grid; the longer side lies along the first component.

    Returns
    -------
    ndarray (rows * columns, F)
        Up to two standard deviations to either side of the mean.

    Examples
    --------
    >>> x = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.5], [0.0, -0.5]])
    >>> np.abs(principal_plane(x, 1, 3)).round(2).tolist()
    [[1.41, 0.0], [0.0, 0.0], [1.41, 0.0]]
    """
    mean = coordinates.mean(axis=0)
    _, size, axes = np.linalg.svd(coordinates - mean, full_matrices=False)
    reach = PLANE_REACH / math.sqrt(len(coordinates)) * size[:2, None] * axes[:2]  # (2, F)
    if len(reach) < 2:
        reach = np.concatenate([reach, np.zeros_like(reach)])
    row, column = np.divmod(np.arange(rows * columns), columns)
    down, along = _centred(row, rows), _centred(column, columns)
    first, second = (down, along) if rows > columns else (along, down)
    plane: NDArray[np.float64] = mean + np.outer(first, reach[0]) + np.outer(second, reach[1])
    return plane


def _centred(place: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Places 0 to n - 1 as numbers from -1 to 1; 0 where there is only one."""
    return 2.0 * place / max(1, n - 1) - (1.0 if n > 1 else 0.0)


def seed_prototypes(images: ImageStack, config: SOMConfig, *, device: torch.device) -> Tensor:
    """First prototypes (K, C, H, W), float32, by the settings' `initialization`."""
    n_units = config.grid.n_units
    rng = np.random.default_rng([config.seed, 0])
    size = min(len(images), max(n_units, min(POOL_PER_UNIT * n_units, POOL_LIMIT)))
    drawn = np.sort(rng.choice(len(images), size=size, replace=False))
    chunk = read_chunk(
        Rows(images, drawn), 0, size, config.image_shape, allow_blank=config.blank == "mask"
    )
    pool = from_dlpack(chunk.pixels).to(device)
    transform = PolarTransform(config.rings, device=device)
    alignment = _all_pairs(pool, transform, config)
    squared = torch.minimum(alignment.squared, alignment.squared.T).fill_diagonal_(0.0)
    apart = squared.sqrt().cpu().numpy().astype(np.float64)
    if config.initialization == "pca":
        coefficients = transform.coefficients(spline_coefficients(pool))
        coordinates = _aligned(coefficients, alignment, int(apart.sum(1).argmin()))
        plane = principal_plane(coordinates.cpu().numpy(), config.rows, config.columns)
        shape = (-1, transform.rings.n_modes, 2, n_units)
        coefficients = torch.from_numpy(plane.T.astype(np.float32)).to(device).reshape(shape)
        return transform.images(coefficients)
    chosen = spread(apart, n_units, rng)
    units = chosen[lay_out(apart[np.ix_(chosen, chosen)], config.rows, config.columns)]
    return pool[torch.from_numpy(units).to(device)].clone()


def _all_pairs(pool: Tensor, transform: PolarTransform, config: SOMConfig) -> Alignment:
    """Alignments of all images of the pool (M, C, H, W) with each other."""
    matcher = PolarMatcher(
        transform,
        Comparison(config.image_shape[1], config.window, config.radius, device=pool.device),
        pool,
        n_rotations=config.n_rotations,
        use_flip=config.use_flip,
        smooth=True,
    )
    parts = slices(len(pool), BLOCK)
    return Alignment.joined([matcher(pool[start:stop]) for start, stop in parts])


def _aligned(coefficients: Tensor, alignment: Alignment, onto: int) -> Tensor:
    """Coefficients (M, F), float64, of all images of the pool, aligned to one of them."""
    rows, modes, _, n = coefficients.shape
    turned = []
    for i in range(n):
        sums = PolarSums(1, rows, modes, coefficients.device)
        angle, flip = alignment.angle_rad[i, onto], alignment.flip[i, onto]
        one = torch.ones((1, 1), device=coefficients.device)
        sums.add(coefficients[..., i : i + 1], angle.view(1, 1), flip.view(1, 1), one)
        turned.append(sums.numerator.flatten())
    return torch.stack(turned)
