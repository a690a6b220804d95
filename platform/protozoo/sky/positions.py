"""Positions on the sky as HEALPix indices, so that any database can search a cone.

The index is nested, so that the pixels of a disk form few ranges (Gorski et al. 2005).
"""

from typing import Final

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray

# Order 16 has pixels of 3.2 arcsec: a little less than the beam of the surveys sorted here.
ORDER: Final = 16
# From the center of a pixel to its farthest corner, in sides of a square of the same area: 1.045
# where the polar caps begin, less elsewhere.
FARTHEST_CORNER: Final = 1.05
_GRID: Final = HEALPix(nside=2**ORDER, order="nested")


def healpix_of(ra_deg: ArrayLike, dec_deg: ArrayLike) -> NDArray[np.int64]:
    """Give the nested index of each position (ICRS, degrees)."""
    lon = np.asarray(ra_deg, dtype=float) * u.deg
    lat = np.asarray(dec_deg, dtype=float) * u.deg
    return np.asarray(_GRID.lonlat_to_healpix(lon, lat), dtype=np.int64)


def cone_ranges(
    ra_deg: float, dec_deg: float, radius_deg: float, *, max_pixels: int = 300
) -> list[tuple[int, int]]:
    """Give index ranges [first, last] that cover a cone; a coarser grid serves a wider cone."""
    order = ORDER
    while order > 0 and _pixels_in_cone(_widened(radius_deg, order), order) > max_pixels:
        order -= 1
    grid = HEALPix(nside=2**order, order="nested")
    radius = _widened(radius_deg, order) * u.deg
    coarse = np.sort(grid.cone_search_lonlat(ra_deg * u.deg, dec_deg * u.deg, radius=radius))
    if not len(coarse):
        return []
    breaks = np.flatnonzero(np.diff(coarse) > 1)
    firsts = coarse[np.r_[0, breaks + 1]]
    lasts = coarse[np.r_[breaks, len(coarse) - 1]]
    shift = 2 * (ORDER - order)
    return [
        (int(first) << shift, ((int(last) + 1) << shift) - 1)
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _widened(radius_deg: float, order: int) -> float:
    """Add the way from a pixel's center to its corner, so that centers in the cone suffice.

    The library's own search now and then leaves out a pixel whose corner alone lies in the cone
    (https://github.com/astropy/astropy-healpix/issues/287).
    """
    side_deg = float(np.degrees(np.sqrt(np.pi / 3) / 2**order))
    return min(180.0, radius_deg + FARTHEST_CORNER * side_deg)


def _pixels_in_cone(radius_deg: float, order: int) -> float:
    area = 2 * np.pi * (1 - np.cos(np.radians(min(radius_deg, 180.0))))
    return float(area * 12 * 4**order / (4 * np.pi))


def separation_arcsec(
    ra_deg: ArrayLike, dec_deg: ArrayLike, center_ra_deg: float, center_dec_deg: float
) -> NDArray[np.float64]:
    """Give the angular distance of each position from a center."""
    positions = SkyCoord(ra_deg, dec_deg, unit="deg")
    center = SkyCoord(center_ra_deg, center_dec_deg, unit="deg")
    return np.asarray(positions.separation(center).arcsec, dtype=np.float64)


def is_near(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    other_ra_deg: ArrayLike,
    other_dec_deg: ArrayLike,
    *,
    radius_arcsec: float,
) -> NDArray[np.bool_]:
    """Tell for each position whether one of the others lies within the radius."""
    here = _unit_vectors(ra_deg, dec_deg)
    others = _unit_vectors(other_ra_deg, other_dec_deg)
    others = others[np.argsort(others[:, 2])]
    chord = 2 * np.sin(np.radians(radius_arcsec / 3600) / 2)
    first = np.searchsorted(others[:, 2], here[:, 2] - chord)
    last = np.searchsorted(others[:, 2], here[:, 2] + chord, side="right")
    near = np.zeros(len(here), dtype=bool)
    for i in np.flatnonzero(last > first):  # only the others in a thin ring of latitude
        near[i] = (np.linalg.norm(others[first[i] : last[i]] - here[i], axis=1) <= chord).any()
    return near


def _unit_vectors(ra_deg: ArrayLike, dec_deg: ArrayLike) -> NDArray[np.float64]:
    ra = np.radians(np.asarray(ra_deg, dtype=np.float64))
    dec = np.radians(np.asarray(dec_deg, dtype=np.float64))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
