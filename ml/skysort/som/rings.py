"""Where an image is sampled in polar coordinates. Needs no torch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["Rings", "default_rings"]

#: Rings in a default transform: one per pixel up to here, wider ones for larger images.
MOST_RINGS = 48
#: Modes for each ring beyond the first FEWEST_MODES rings: noise lives in the higher ones.
MODES_PER_RING = 0.75
FEWEST_MODES = 24
#: Samples around a ring for each mode; the Nyquist limit is 2.
ANGLES_PER_MODE = 3
#: The midpoint rule misses this share of the innermost ring: Euler-Maclaurin, (1/24) / (1/2).
INNERMOST_EXCESS = 1.0 / 12.0


@dataclass(frozen=True)
class Rings:
    """Where an image is sampled.

    Parameters
    ----------
    size : int
        Edge of the image in pixels.
    radius : float
        Of the disk in pixels, at most (size - 1) / 2, where no angle leaves the image.
    n_rings : int
        Rings of equal width.
    n_angles : int
        Samples around each ring, a positive multiple of 4: quarter turns and flips then only move
        samples.
    n_modes : int
        Fourier modes that are kept, the mean included; at most n_angles / 2.

    Raises
    ------
    InputError
        If an argument breaks one of these rules.
    """

    size: int
    radius: float
    n_rings: int
    n_angles: int
    n_modes: int

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not 0.0 < self.radius <= (self.size - 1) / 2.0:
            raise InputError(
                f"radius must be above 0 and at most (size - 1) / 2 = {(self.size - 1) / 2.0}, "
                f"got {self.radius}"
            )
        if self.n_rings < 1:
            raise InputError(f"n_rings must be at least 1, got {self.n_rings}")
        if self.n_angles < 4 or self.n_angles % 4:
            raise InputError(f"n_angles must be a positive multiple of 4, got {self.n_angles}")
        if not 1 <= self.n_modes <= self.n_angles // 2:
            raise InputError(
                f"n_modes must be at least 1 and at most half of n_angles = {self.n_angles}, "
                f"got {self.n_modes}"
            )

    @property
    def width(self) -> float:
        """Distance between two rings in pixels."""
        return self.radius / self.n_rings

    def radii(self) -> NDArray[np.float64]:
        """Radii (R,) of the rings in pixels."""
        radii: NDArray[np.float64] = (np.arange(self.n_rings, dtype=np.float64) + 0.5) * self.width
        return radii

    def weights(self) -> NDArray[np.float64]:
        """Weight (R,) of a ring's coefficients: the root of its area in pixels."""
        area: NDArray[np.float64] = 2.0 * math.pi * self.radii() * self.width
        area[0] *= 1.0 - INNERMOST_EXCESS
        root: NDArray[np.float64] = np.sqrt(area)
        return root


def default_rings(
    size: int,
    *,
    radius: float | None = None,
    n_rings: int | None = None,
    n_angles: int | None = None,
    n_modes: int | None = None,
) -> Rings:
    """Rings that suit an image of an edge of `size` pixels; whatever is given stays.

    Examples
    --------
    >>> default_rings(64)
    Rings(size=64, radius=31.5, n_rings=32, n_angles=72, n_modes=24)
    """
    radius = (size - 1) / 2.0 if radius is None else radius
    rings = min(MOST_RINGS, max(1, math.ceil(radius))) if n_rings is None else n_rings
    if n_modes is None:
        wanted = max(4, min(rings, max(FEWEST_MODES, math.ceil(MODES_PER_RING * rings))))
        n_modes = wanted if n_angles is None else max(1, n_angles // ANGLES_PER_MODE)
    if n_angles is None:
        n_angles = 4 * math.ceil(ANGLES_PER_MODE * n_modes / 4)
    return Rings(size, radius, rings, n_angles, n_modes)
