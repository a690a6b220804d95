"""Chooses the middle of large images that holds their sources, and averages it down.

Images of surveys are cut generously: a source in the middle, its unrelated neighbors around it.
Neighbors lie anywhere, so over many images they add the same brightness everywhere; what the mean
image has beyond the brightness of its own outer parts belongs to the sources in the middle (as in
stacking, e.g. White et al. 2007, ApJ 654, 99).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.images.recipes import get_recipe

__all__ = ["FieldOfView", "choose_field", "signal_radius"]

FloatArray = NDArray[np.float32]

#: Share of the mean source's light within the radius. On 300 x 300 images of FIRST it gives 50
#: pixels; twice the field or half of it classified no better.
LIGHT_SHARE: Final = 0.95
#: Beyond this share of the inscribed circle's radius, light counts as that of neighbors.
OUTER_SHARE: Final = 0.8
#: A field is at least so many pixels across: fewer show no shape.
LEAST_WIDTH: Final = 16


@dataclass(frozen=True)
class FieldOfView:
    """The middle of square images, seen more coarsely.

    Attributes
    ----------
    width : int
        Pixels across that are kept, a multiple of `factor`.
    factor : int
        Pixels along each side that are averaged into one.

    Examples
    --------
    >>> image = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> FieldOfView(width=2, factor=1)(image)[0, 0].tolist()
    [[5.0, 6.0], [9.0, 10.0]]
    >>> FieldOfView(width=4, factor=2)(image)[0, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """

    width: int
    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1 or self.width < 1 or self.width % self.factor:
            raise InputError(
                f"width must be a positive multiple of factor, got {self.width} and {self.factor}"
            )

    @property
    def size(self) -> int:
        """Pixels across of what comes out."""
        return self.width // self.factor

    def __call__(self, images: NDArray[np.generic]) -> FloatArray:
        """Cut and average; the input is not changed.

        Parameters
        ----------
        images : ndarray of real numbers, (N, C, H, H)
            At least `width` pixels across.

        Returns
        -------
        ndarray, float32, (N, C, size, size)
            Blank pixels (NaN or infinite) do not enter a mean; where all are blank it is NaN.

        Raises
        ------
        InputError
            If the images are smaller than the field.
        """
        n, channels, side = images.shape[:3]
        if side < self.width:
            raise InputError(f"images must be {self.width} pixels across at least, got {side}")
        first = (side - self.width) // 2
        middle = images[:, :, first : first + self.width, first : first + self.width]
        blocks = middle.reshape(n, channels, self.size, self.factor, self.size, self.factor)
        with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, hence blank
            values = blocks.astype(np.float32)
        is_seen = np.isfinite(values)
        total = np.where(is_seen, values, 0.0).sum(axis=(3, 5), dtype=np.float64)
        count = is_seen.sum(axis=(3, 5))
        mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        result: FloatArray = mean.astype(np.float32)
        return result


def signal_radius(parts: Iterable[NDArray[np.generic]], *, share: float = LIGHT_SHARE) -> float:
    """Find the radius within which the sources in the middle of images have their light.

    Every image loses its background and noise and is scaled to its peak (recipe "linear-1"); the
    sum of all, less its brightness far out, is added up from the middle outwards.

    Parameters
    ----------
    parts : iterable of ndarrays of real numbers, each (n, C, H, H)
        A few hundred images that stand for all, some at a time; NaN is blank.
    share : float, optional
        Of the light, above 0 and at most 1.

    Returns
    -------
    float
        Pixels, at most H / 2, which it also is where there is no light beyond the outer parts'.

    Raises
    ------
    InputError
        If there is no image.

    Examples
    --------
    >>> y, x = np.mgrid[:64, :64] - 31.5
    >>> round(signal_radius([np.exp(-(x**2 + y**2) / 50.0)[None, None]]))
    13
    """
    prepare = get_recipe("linear-1")
    sums = [prepare(part).sum(axis=(0, 1), dtype=np.float64) for part in parts]
    if not sums:
        raise InputError("parts must hold at least one image")
    light_seen = np.sum(sums, axis=0)
    side = len(light_seen)
    n_rings = side // 2
    at = np.arange(side) - (side - 1) / 2.0
    ring = np.hypot(at[:, None], at).astype(int).ravel()
    count = np.bincount(ring)[:n_rings]
    profile = np.bincount(ring, weights=light_seen.ravel())[:n_rings] / np.maximum(count, 1)
    outer = float(np.median(profile[int(OUTER_SHARE * n_rings) :])) if n_rings else 0.0
    light = np.cumsum(np.maximum(profile - outer, 0.0) * count)
    if not len(light) or light[-1] <= 0.0:
        return float(side / 2)
    return float(np.searchsorted(light, share * light[-1]) + 1)


def choose_field(side: int, radius: float, size: int) -> FieldOfView:
    """Choose the smallest field that holds a radius, averaged down to a size.

    Parameters
    ----------
    side : int
        Pixels across of the images.
    radius : float
        What to hold, in pixels.
    size : int
        The result is at most so many pixels across.

    Returns
    -------
    FieldOfView
        The whole image as it is where it is not larger than `size`.

    Raises
    ------
    InputError
        If `size` is not positive.

    Examples
    --------
    >>> choose_field(300, 50.0, 64), choose_field(300, 20.2, 64), choose_field(48, 9.0, 64)
    (FieldOfView(width=100, factor=2), FieldOfView(width=42, factor=1), \
FieldOfView(width=48, factor=1))
    """
    if size < 1:
        raise InputError(f"size must be at least 1, got {size}")
    if side <= size:
        return FieldOfView(side, 1)
    wanted = min(side, max(LEAST_WIDTH, 2 * math.ceil(radius)))
    factor = math.ceil(wanted / size)
    width = min(math.ceil(wanted / factor), side // factor) * factor
    if (side - width) % 2 and factor % 2:  # as many pixels cut on the left as on the right
        width += factor if width + factor <= min(side, size * factor) else -factor
    return FieldOfView(width, factor)
