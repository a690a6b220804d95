"""Cubic interpolation as sparse matrices: one matrix serves all images of a batch.

Images are turned by cubic splines (Unser 1999, IEEE Signal Processing Magazine 16(6), 22): the
coefficients of the spline that passes through all pixels are found once, and weighted with four by
four B-splines at every position. Rings are sampled by cubic convolution (Keys 1981, IEEE ASSP 29,
1153), which needs no coefficients and suffices to choose candidates. On a CPU a sparse product over
a batch costs a twentieth of torch's ``grid_sample`` (1 against 27 microseconds for 64 x 64 pixels),
since positions and weights are computed once.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "WeightedSums",
    "cubic_convolution",
    "cubic_spline",
    "sampling_matrix",
    "spline_coefficients",
]

SHARPNESS = -0.75  # of cubic convolution; its overshoot keeps more of the noise than -0.5
TAPS = np.arange(-1, 3)
#: A position that is rounded out of the image is inside.
EDGE = 1e-6
#: Images whose coefficients are found at once.
AT_ONCE = 128

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class WeightedSums(nn.Module):
    """A sparse matrix of float32: each row is a weighted sum of a few rows of what it multiplies.

    Made of torch's embedding bags, which take a third of the time of its CSR product.

    Parameters
    ----------
    starts : Tensor (rows,), int
        Where the entries of each row begin.
    columns, values : Tensor (entries,), int and float32
        Of all rows, one after the other.

    Examples
    --------
    >>> matrix = WeightedSums(torch.tensor([0, 2]), torch.tensor([0, 1, 1]), torch.ones(3))
    >>> matrix @ torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[4., 6.],
            [3., 4.]])
    """

    starts: Tensor
    columns: Tensor
    values: Tensor

    def __init__(self, starts: Tensor, columns: Tensor, values: Tensor) -> None:
        super().__init__()
        self.register_buffer("starts", starts)
        self.register_buffer("columns", columns)
        self.register_buffer("values", values)

    def __matmul__(self, dense: Tensor) -> Tensor:
        """Multiply with a matrix (columns, N); gives (rows, N)."""
        return functional.embedding_bag(
            self.columns, dense, self.starts, mode="sum", per_sample_weights=self.values
        )


def cubic_convolution(fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (..., 4) of the values -1, 0, 1, 2 for a position `fraction` after value 0."""
    distance = np.abs(fraction[..., None] - TAPS)
    near = ((SHARPNESS + 2.0) * distance - (SHARPNESS + 3.0)) * distance**2 + 1.0
    far = SHARPNESS * (((distance - 5.0) * distance + 8.0) * distance - 4.0)
    return np.where(distance <= 1.0, near, far)


def cubic_spline(fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (..., 4) of the spline coefficients -1, 0, 1, 2, as `cubic_convolution`."""
    rest = 1.0 - fraction
    before, last = rest**3 / 6.0, fraction**3 / 6.0
    here = 2.0 / 3.0 - fraction**2 * (1.0 - 0.5 * fraction)
    return np.stack([before, here, 1.0 - before - here - last, last], axis=-1)


@lru_cache(maxsize=8)
def _to_coefficients(size: int) -> Tensor:
    """Matrix (size, size) that takes a line of pixels to its spline's coefficients.

    Beyond its ends the line goes on mirrored about its last pixels.
    """
    from_coefficients = np.zeros((size, size))
    every = np.arange(size)
    for offset, weight in ((-1, 1.0 / 6.0), (0, 2.0 / 3.0), (1, 1.0 / 6.0)):
        np.add.at(from_coefficients, (every, _mirrored(every + offset, size)), weight)
    return torch.from_numpy(np.linalg.inv(from_coefficients)).float()


def _mirrored(index: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Reflect indices about the first and the last pixel, each of them once."""
    period = max(1, 2 * (size - 1))
    index = index % period
    return np.minimum(index, period - index)


def spline_coefficients(images: Tensor, out: Tensor | None = None) -> Tensor:
    """Coefficients (..., H, H) of the cubic splines through images (..., H, H) float32.

    Some images at a time, so that what lies between the two products stays in the cache; written
    to `out` where that is given.

    Examples
    --------
    >>> spline_coefficients(torch.ones(2, 5, 5)).allclose(torch.ones(2, 5, 5))
    True
    """
    matrix = _to_coefficients(images.shape[-1]).to(images.device)
    found = torch.empty_like(images) if out is None else out
    lines = images.flatten(0, -3)
    at_once = AT_ONCE if images.device.type == "cpu" else max(1, len(lines))
    places = found.flatten(0, -3)
    parts = zip(torch.split(lines, at_once), torch.split(places, at_once), strict=True)
    for part, target in parts:
        torch.matmul(matrix, part @ matrix.T, out=target)
    return found


def sampling_matrix(
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    shape: tuple[int, int],
    *,
    kernel: Kernel = cubic_spline,
    polar: bool = False,
    blank: NDArray[np.bool_] | None = None,
) -> "WeightedSums":
    """Build the matrix that interpolates an array of `shape` at given positions.

    Parameters
    ----------
    y, x : ndarray (P, S), float64
        Row and column of the positions; each row of the matrix is the mean of S samples.
    shape : tuple of int
        (H, W) of the array.
    kernel : callable, optional
        `cubic_spline`, for arrays of coefficients, or `cubic_convolution`, for arrays of values.
    polar : bool, optional
        The array's rows are rings and its columns angles: columns go around, and what lies before
        ring 0 is on the far side of the centre. Beyond the last ring its value continues.
        Otherwise the array goes on mirrored about its edges for half a pixel, and then gives 0.
    blank : ndarray (P,), bool, optional
        Positions that give 0.

    Returns
    -------
    WeightedSums
        P rows; ``matrix @ columns`` takes flattened arrays (H * W, N) to samples (P, N).
    """
    height, width = shape
    bottom, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    row = bottom[..., None, None] + TAPS[:, None]  # (P, S, 4, 1)
    column = left[..., None, None] + TAPS  # (P, S, 1, 4)
    weight = kernel(y - bottom)[..., :, None] * kernel(x - left)[..., None, :]  # (P, S, 4, 4)
    if polar:
        beyond = row < 0
        column = (column + np.where(beyond, width // 2, 0)) % width
        row = np.minimum(np.where(beyond, -1 - row, row), height - 1)
    else:
        inside = (np.abs(2.0 * y - (height - 1)) <= height + EDGE) & (
            np.abs(2.0 * x - (width - 1)) <= width + EDGE
        )
        weight = weight * inside[..., None, None]
        row, column = _mirrored(row, height), _mirrored(column, width)
    if blank is not None:
        weight = weight * ~blank[:, None, None, None]
    place = row * width + column  # (P, S, 4, 4)
    used = weight.reshape(len(y), -1) != 0.0
    values = weight.reshape(len(y), -1)[used] / y.shape[1]
    columns = place.reshape(len(y), -1)[used]
    ends = np.cumsum(used.sum(axis=1))
    return WeightedSums(
        torch.from_numpy((ends - used.sum(axis=1)).astype(np.int32)),
        torch.from_numpy(columns.astype(np.int32)),
        torch.from_numpy(values.astype(np.float32)),
    )
