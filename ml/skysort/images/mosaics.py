"""Cuts all sources out of a mosaic at once.

The world coordinates follow Greisen & Calabretta (2002, A&A 395, 1061; 1077), as read by astropy.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, WCSSUB_LATITUDE, WCSSUB_LONGITUDE
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError
from skysort.images.fits_image import read_fits_image

__all__ = ["Mosaic", "cutouts", "open_mosaic"]

BATCH: Final = 256  # cutouts gathered at once; they stay in the processor's cache
MAX_PIXELS: Final = 2**30  # 4 GiB as float32; more than any single mosaic of today's surveys


@dataclass(frozen=True, eq=False)
class Mosaic:
    """One image of a part of the sky.

    Attributes
    ----------
    path : Path
        Where it came from.
    pixels : ndarray, float32, (H, W)
        Row 0 is y = 0; NaN is blank.
    wcs : WCS
        Its two celestial axes.
    header : Header
        As read.
    """

    path: Path
    pixels: NDArray[np.float32]
    wcs: WCS
    header: fits.Header

    @property
    def pixel_scale_arcsec(self) -> float:
        """Edge of a square pixel of the same area, at the reference position."""
        scales_deg = proj_plane_pixel_scales(self.wcs)
        return float(np.sqrt(scales_deg[0] * scales_deg[1]) * 3600.0)

    def pixel_positions(
        self, ra_deg: ArrayLike, dec_deg: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the pixels of ICRS positions, whatever frame the mosaic is in.

        Parameters
        ----------
        ra_deg, dec_deg : array_like, (n,)
            ICRS.

        Returns
        -------
        x, y : ndarray, float64, (n,)
            From 0 at the centre of the first pixel; NaN where a position is not finite, not on
            the sky, or on the far side of the projection.
        """
        ra, dec = np.asarray(ra_deg, dtype=float), np.asarray(dec_deg, dtype=float)
        usable = np.isfinite(ra) & (np.abs(dec) <= 90)
        x, y = np.full(ra.shape, np.nan), np.full(ra.shape, np.nan)
        if usable.any():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # positions where the distortion diverges
                sky = SkyCoord(ra[usable], dec[usable], unit="deg")
                x[usable], y[usable] = self.wcs.world_to_pixel(sky)
        return x, y

    def sky_positions(self, x: ArrayLike, y: ArrayLike) -> SkyCoord:
        """Give the ICRS positions of pixels (n,), counted from 0."""
        return self.wcs.pixel_to_world(np.asarray(x, float), np.asarray(y, float)).icrs


def open_mosaic(path: Path | str) -> Mosaic:
    """Read a mosaic.

    Parameters
    ----------
    path : path
        A FITS file, plain, gzipped or tile-compressed. Its first image is taken; axes other than
        the two celestial ones, as in radio cubes (Stokes, frequency), must have length one.

    Returns
    -------
    Mosaic

    Raises
    ------
    InputError
        Naming the file, if it is damaged, has no celestial coordinates or several planes.
    """
    path = Path(path)
    pixels, header = read_fits_image(path, max_pixels=MAX_PIXELS)
    wcs = _read_wcs(path, header)
    if not wcs.has_celestial or wcs.naxis < 2:
        raise InputError(
            f"{path} has no celestial coordinates (WCS); its CTYPE cards must name two sky axes"
        )
    plane = _celestial_plane(path, pixels, wcs)
    sky_wcs = wcs.sub([WCSSUB_LONGITUDE, WCSSUB_LATITUDE])  # the plane's order, in any file
    return Mosaic(path, plane, sky_wcs, header)


def cutouts(
    mosaic: Mosaic, ra_deg: ArrayLike, dec_deg: ArrayLike, size: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Cut out all positions at once, whole pixels, without resampling.

    A source at pixel position x is cut from pixel ``ceil(x - size / 2)`` on, so it lies within
    half a pixel of the cutout's centre ``(size - 1) / 2``, about which images are turned. A source
    on the very centre of a pixel lies on pixel ``size // 2`` of the cutout, for even and for odd
    sizes. This is the convention of `astropy.nddata.Cutout2D`, and the pixels are identical.

    Parameters
    ----------
    mosaic : Mosaic
        Where to cut.
    ra_deg, dec_deg : array_like, (n,)
        ICRS.
    size : int
        Pixels along an edge.

    Returns
    -------
    pixels : ndarray, float32, (n, size, size)
        NaN beyond the mosaic's edge.
    inside : ndarray, bool, (n,)
        Whether the position is on a pixel of the mosaic and that pixel or one of its neighbours
        is not blank. Where it is not, all pixels are NaN.

    Raises
    ------
    InputError
        If `size` is not positive or the positions are not two equally long lists.
    """
    ra, dec = np.asarray(ra_deg, dtype=float), np.asarray(dec_deg, dtype=float)
    if ra.ndim != 1 or ra.shape != dec.shape:
        raise InputError(
            f"ra_deg and dec_deg must be equally long lists, got {ra.shape} and {dec.shape}"
        )
    if size < 1:
        raise InputError(f"size must be at least 1 pixel, got {size}")
    x, y = mosaic.pixel_positions(ra, dec)
    inside = _is_on_pixels(mosaic.pixels, x, y)
    cut = np.empty((len(ra), size, size), dtype=np.float32)
    cut[~inside] = np.nan
    rows = np.flatnonzero(inside)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        left = np.ceil(x[part] - size / 2).astype(np.int64)
        bottom = np.ceil(y[part] - size / 2).astype(np.int64)
        cut[part] = _gather(mosaic.pixels, left, bottom, size)
    return cut, inside


def _read_wcs(path: Path, header: fits.Header) -> WCS:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return WCS(header)
    except (ValueError, KeyError, TypeError, MemoryError, OSError, AssertionError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path} has coordinates (WCS) that cannot be read: {said}") from error


def _celestial_plane(path: Path, pixels: NDArray[np.float32], wcs: WCS) -> NDArray[np.float32]:
    """Bring the pixels to (latitude, longitude), dropping axes of length one."""
    latitude, longitude = pixels.ndim - 1 - wcs.wcs.lat, pixels.ndim - 1 - wcs.wcs.lng
    others = [axis for axis in range(pixels.ndim) if axis not in (latitude, longitude)]
    if min(latitude, longitude) < 0 or any(pixels.shape[axis] != 1 for axis in others):
        raise InputError(
            f"{path} must hold one plane of the sky; its axes have lengths {pixels.shape}"
        )
    plane = pixels.transpose(*others, latitude, longitude)
    return np.ascontiguousarray(plane.reshape(plane.shape[-2:]))


def _is_on_pixels(
    pixels: NDArray[np.float32], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    height, width = pixels.shape
    with np.errstate(invalid="ignore"):
        on: NDArray[np.bool_] = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    left = np.floor(x[on] + 0.5).astype(np.int64) - 1
    bottom = np.floor(y[on] + 0.5).astype(np.int64) - 1
    on[on] = np.isfinite(_gather(pixels, left, bottom, 3)).any(axis=(1, 2))
    return on


def _gather(
    pixels: NDArray[np.float32], left: NDArray[np.int64], bottom: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    """Take windows (n, size, size) from their lower left corners; NaN beyond the edge.

    Windows that lie wholly on the mosaic, nearly all, are gathered from a view of all windows;
    only a strip around the edge is padded, never the whole mosaic.
    """
    height, width = pixels.shape
    windows = np.empty((len(left), size, size), dtype=np.float32)
    whole = (left >= 0) & (bottom >= 0) & (left + size <= width) & (bottom + size <= height)
    if whole.any():
        windows[whole] = sliding_window_view(pixels, (size, size))[bottom[whole], left[whole]]
    if not whole.all():
        windows[~whole] = _gather_at_edge(pixels, left[~whole], bottom[~whole], size)
    return windows


def _gather_at_edge(
    pixels: NDArray[np.float32], left: NDArray[np.int64], bottom: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    height, width = pixels.shape
    rows, columns = (start[:, None] + np.arange(size) for start in (bottom, left))  # (n, size)
    on_rows, on_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    nearest = pixels[rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None, :]]
    return np.where(on_rows[:, :, None] & on_columns[:, None, :], nearest, np.float32(np.nan))
