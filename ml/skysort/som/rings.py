"""Where an image is sampled in polar coordinates. Needs no torch."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["Rings", "default_rings"]

#: Rings in a default transform: one per pixel up to here, wider ones for larger images.
MOST_RINGS = 48
#: Modes for each ring, but for small images not fewer: noise lives in the higher ones.
MODES_PER_RING = 0.75
FEWEST_MODES = 24
#: Samples around a ring for each mode; the Nyquist limit is 2.
ANGLES_PER_MODE = 3
#: Rings of the core are this far apart in pixels, since point sources lie there; farther out their
#: distance grows to that of all others, by this share of the radius.
CORE_WIDTH = 0.5
GROWTH = 0.2
#: Points of the polynomials between rings.
TAPS = 8
#: The last ring lies on the edge to this share.
ROUNDING = 1e-9


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
        Rings are at most ``radius / n_rings`` pixels apart. In the core they lie closer, so that
        there are more of them: see `radii`.
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

    @cached_property
    def radii(self) -> NDArray[np.float64]:
        """Radii (R,) of the rings in pixels: from 0, the centre, to the edge of the disk."""
        width, radii = self.radius / self.n_rings, [0.0]
        while radii[-1] < self.radius * (1.0 - ROUNDING):
            radii.append(radii[-1] + min(max(GROWTH * radii[-1], CORE_WIDTH), width))
        return np.array(radii) * (self.radius / radii[-1])

    @property
    def edges(self) -> NDArray[np.float64]:
        """Radii (R + 1,) in pixels between which each ring stands for the image."""
        between = 0.5 * (self.radii[1:] + self.radii[:-1])
        return np.concatenate([[0.0], between, [self.radius]])

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight (R,) of a ring's coefficients: the root of its area in pixels."""
        root: NDArray[np.float64] = np.sqrt(math.pi * np.diff(np.square(self.edges)))
        return root

    def between(self, radius: NDArray[np.float64], *, odd: bool) -> NDArray[np.float64]:
        """Interpolate what the rings know of a mode to other radii.

        By polynomials through the nearest rings (Lagrange). Beyond the centre lies the far side of
        the image, where even modes are the same and odd ones have the other sign.

        Parameters
        ----------
        radius : ndarray (P,), float64
            In pixels; beyond the last ring its value holds.
        odd : bool
            Whether the mode is odd.

        Returns
        -------
        ndarray (P, R), float64
            Weights of the rings.

        Examples
        --------
        >>> rings = default_rings(9)
        >>> weights = rings.between(np.array([1.3, 9.0]), odd=False)
        >>> (weights @ rings.radii**2).round(6).tolist()
        [1.69, 16.0]
        """
        n, sign = len(self.radii), -1.0 if odd else 1.0
        nodes = np.concatenate([-self.radii[:0:-1], self.radii])
        ring = np.abs(np.arange(1 - n, n))
        signs = np.where(np.arange(1 - n, n) < 0, sign, 1.0)
        taps = min(TAPS, len(nodes))
        at = np.minimum(radius, self.radius)
        first = np.searchsorted(nodes, at, side="right") - taps // 2
        places = np.clip(first, 0, len(nodes) - taps)[:, None] + np.arange(taps)  # (P, T)
        near, found = nodes[places], np.zeros((len(at), n))
        for tap in range(taps):
            rest = np.delete(near, tap, axis=1)
            factors = (at[:, None] - rest) / (near[:, tap, None] - rest)
            share = factors.prod(axis=1) * signs[places[:, tap]]
            np.add.at(found, (np.arange(len(at)), ring[places[:, tap]]), share)
        return found


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
        most = max(FEWEST_MODES, math.ceil(MODES_PER_RING * rings))
        wanted = max(4, min(most, math.ceil(math.pi * radius)))
        n_modes = wanted if n_angles is None else max(1, n_angles // ANGLES_PER_MODE)
    if n_angles is None:
        n_angles = 4 * math.ceil(ANGLES_PER_MODE * n_modes / 4)
    return Rings(size, radius, rings, n_angles, n_modes)
