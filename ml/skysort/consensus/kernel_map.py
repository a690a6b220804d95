"""Turns invariant features of any scale into a few numbers whose inner products are a kernel.

The Nystroem method (Williams & Seeger 2001, NIPS 13, 682): a Gaussian kernel between all subjects
and a sample of them, the landmarks, rotated to the sample's leading eigenvectors. A linear model of
these numbers is then a kernel machine, and costs a million subjects one matrix product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError
from skysort.images.whole_file import write_whole

__all__ = ["KernelMap", "fit_kernel_map"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Subjects between which the kernel is known exactly.
N_LANDMARKS = 512
#: Eigenvectors kept; on images of radio sources 128 held 99 % of the kernel's variance.
N_FEATURES = 128
#: Width of the Gaussian in median distances between subjects.
BANDWIDTH = 1.5
#: Rows worked on at once: 512 landmarks take 32 MB then.
ROWS_AT_ONCE = 8192
#: Eigenvalues below this share of the largest are rounding.
LEAST_EIGENVALUE = 1e-9
#: Squared lengths below this share of the largest are rounding too.
LEAST_SQUARE = 1e-12


@dataclass(frozen=True)
class KernelMap:
    """The way from raw features, given in blocks, to a few numbers.

    Attributes
    ----------
    widths : ndarray, int64, (B,)
        Columns of each block of features.
    scales : ndarray, float64, (B,)
        Median distance between subjects in each block of features.
    landmarks : ndarray, float64, (L, D)
        Scaled features of the landmarks, all blocks side by side.
    projection : ndarray, float64, (L, d)
        From the kernel with the landmarks to the numbers.
    mean : ndarray, float64, (d,)
        What is subtracted.
    bandwidth : float
        Of the Gaussian, in scaled features.
    """

    widths: IntArray
    scales: FloatArray
    landmarks: FloatArray
    projection: FloatArray
    mean: FloatArray
    bandwidth: float

    @property
    def n_features(self) -> int:
        """How many numbers a subject gets, d."""
        return len(self.mean)

    def transform(self, blocks: Sequence[ArrayLike]) -> NDArray[np.float32]:
        """Map subjects; what they are to each other does not depend on who else is mapped.

        Parameters
        ----------
        blocks : sequence of array_like, each (N, D_b)
            As for `fit_kernel_map`.

        Returns
        -------
        ndarray, float32, (N, d)
            Their mean squared length over the landmarks is 1.

        Raises
        ------
        InputError
            If a block has another width than when fitted, or is not finite.
        """
        arrays = _checked(blocks)
        widths = [array.shape[1] for array in arrays]
        if widths != self.widths.tolist():
            raise InputError(
                f"blocks must have {self.widths.tolist()} columns as when fitted, got {widths}"
            )
        n = len(arrays[0])
        mapped = np.empty((n, self.n_features), dtype=np.float32)
        for start in range(0, n, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            scaled = _side_by_side([array[rows] for array in arrays], self.scales)
            kernel = _gaussian(scaled, self.landmarks, self.bandwidth)
            mapped[rows] = kernel @ self.projection - self.mean
        return mapped

    def save(self, path: Path) -> None:
        """Write a file of NumPy's arrays, whole or not at all."""
        with write_whole(path) as file:
            np.savez(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> "KernelMap":
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is damaged or something else.
        """
        try:
            with path.open("rb") as binary, np.load(binary, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            found = cls(**{**arrays, "bandwidth": float(arrays["bandwidth"])})
            found._check()
            return found
        except Exception as error:  # zip and NumPy have a dozen words for damage
            raise InputError(f"{path} holds no map of features: {error}") from error

    def _check(self) -> None:
        n_landmarks, n_columns = self.landmarks.shape
        if self.projection.shape != (n_landmarks, len(self.mean)):
            raise ValueError(f"the projection has shape {self.projection.shape}")
        if self.scales.shape != self.widths.shape or self.widths.sum() != n_columns:
            raise ValueError(f"the widths are {self.widths}, the landmarks' {n_columns}")


def fit_kernel_map(
    blocks: Sequence[ArrayLike],
    *,
    n_landmarks: int = N_LANDMARKS,
    n_features: int = N_FEATURES,
    bandwidth: float = BANDWIDTH,
    seed: int = 0,
) -> KernelMap:
    """Choose landmarks among subjects and find the leading directions of their kernel.

    Parameters
    ----------
    blocks : sequence of array_like, each (N, D_b)
        Features of the same N subjects, such as distances to prototypes and ring powers. Each
        block is divided by the median distance between subjects in it, so that all count alike.
    n_landmarks, n_features : int, optional
        At most so many; fewer if there are fewer subjects or directions.
    bandwidth : float, optional
        Width of the Gaussian in median distances between subjects.
    seed : int, optional
        Of the choice of landmarks.

    Returns
    -------
    KernelMap

    Raises
    ------
    InputError
        If blocks differ in length, are empty or not finite, or a number is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(1).normal(size=(300, 5))
    >>> found = fit_kernel_map([rows], n_landmarks=100, n_features=20)
    >>> mapped = found.transform([rows])
    >>> mapped.shape, mapped.dtype.name
    ((300, 20), 'float32')
    """
    arrays = _checked(blocks)
    if n_landmarks < 1 or n_features < 1:
        raise InputError(
            f"n_landmarks and n_features must be at least 1, got {n_landmarks} and {n_features}"
        )
    if not bandwidth > 0.0:
        raise InputError(f"bandwidth must be positive, got {bandwidth}")
    n = len(arrays[0])
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:n_landmarks])
    sample = [array[chosen] for array in arrays]
    scales = np.array([_median_distance(array) for array in sample])
    landmarks = _side_by_side(sample, scales)
    width = bandwidth * _median_distance(landmarks)
    kernel = _gaussian(landmarks, landmarks, width)
    values, vectors = np.linalg.eigh(kernel)
    values, vectors = values[::-1][:n_features], vectors[:, ::-1][:, :n_features]
    kept = values > LEAST_EIGENVALUE * values[0]
    projection = vectors[:, kept] / np.sqrt(values[kept])
    mapped = kernel @ projection
    mean = mapped.mean(axis=0)
    square = float(((mapped - mean) ** 2).sum(axis=1).mean())  # of 1, a subject's own kernel
    size = float(np.sqrt(square)) if square > LEAST_SQUARE else 1.0
    widths = np.array([array.shape[1] for array in sample])
    return KernelMap(widths, scales, landmarks, projection / size, mean / size, width)


def _checked(blocks: Sequence[ArrayLike]) -> list[NDArray[np.floating]]:
    arrays = [np.asarray(block) for block in blocks]
    if not arrays:
        raise InputError("blocks must hold at least one array")
    for number, array in enumerate(arrays):
        if array.ndim != 2 or not array.size or len(array) != len(arrays[0]):
            raise InputError(
                f"block {number} must have {len(arrays[0])} rows and at least one column, "
                f"got shape {array.shape}"
            )
        wrong = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if len(wrong):
            raise InputError(f"block {number} must be finite, row {wrong[0]} is not")
    return arrays


def _side_by_side(arrays: Sequence[NDArray[np.floating]], scales: FloatArray) -> FloatArray:
    scaled = [array / scale for array, scale in zip(arrays, scales, strict=True)]
    return np.concatenate(scaled, axis=1, dtype=np.float64)


def _squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    a, b = a - b[0], b - b[0]  # an offset common to all would drown the differences in rounding
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * (a @ b.T)
    distances: FloatArray = np.maximum(squares, 0.0, out=squares)
    return distances


def _gaussian(a: FloatArray, b: FloatArray, width: float) -> FloatArray:
    kernel: FloatArray = np.exp(_squared_distances(a, b) / (-2.0 * width**2))
    return kernel


def _median_distance(rows: NDArray[np.floating]) -> float:
    """Median distance between rows that differ; 1 where all are equal."""
    values = rows.astype(np.float64)
    apart = _squared_distances(values, values)[np.triu_indices(len(values), 1)]
    apart = apart[apart > LEAST_SQUARE * apart.max(initial=0.0)]
    return float(np.sqrt(np.median(apart))) if apart.size else 1.0
