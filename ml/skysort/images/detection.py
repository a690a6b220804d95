"""Finds the sources of a mosaic that has no table.

Background, noise and islands of bright pixels come from `sep` (Barbary 2016, JOSS 1, 58), the
algorithms of SExtractor (Bertin & Arnouts 1996, A&AS 117, 393). As in PyBDSF (Mohan & Rafferty
2015) a source is an island above a low threshold with a peak above a high one.
"""

from typing import Any, Final

import numpy as np
import sep
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from skysort.errors import InputError
from skysort.images.mosaics import Mosaic

__all__ = ["detect_sources"]

ISLAND_SIGMA: Final = 3.0  # an island reaches down to here, so lobes join over their bridge
MIN_PIXELS: Final = 3  # in an island; fewer are a hot pixel, not a beam
BOX: Final = 64  # pixels along an edge of the boxes in which the background is measured
NOISE_FLOOR: Final = 0.5  # of the median noise: near an edge the local one may be nothing


def detect_sources(mosaic: Mosaic, *, n_sigma: float = 5.0) -> Table:
    """Find islands with a peak above `n_sigma` times the local noise.

    All peaks of one island are one source: the lobes and core of a radio galaxy that touch at
    three times the noise stay together.

    Parameters
    ----------
    mosaic : Mosaic
        Blank pixels are left out, and so are those of a floating-point mosaic that are exactly
        zero, with which some pipelines fill its corners.
    n_sigma : float, optional
        Of the peak.

    Returns
    -------
    Table
        One row per source, from the bottom of the mosaic to its top, with `id` (JHHMMSS.s+DDMMSS,
        cut and not rounded as the IAU wants it; a letter follows where two sources share one),
        `ra` and `dec` (ICRS of the barycentre, deg), `flux_peak` (above the background, in the
        mosaic's unit), `snr` (peak over local noise), `a_pixel` and `b_pixel` (root mean square
        extent along the axes) and `theta_rad` (of the major axis, counter-clockwise from +x). A
        mosaic that is blank or constant has no rows.

    Raises
    ------
    InputError
        If `n_sigma` is not positive or the islands are too many or too large to be held.
    """
    if not n_sigma > 0:
        raise InputError(f"n_sigma must be positive, got {n_sigma}")
    found = _islands(mosaic, n_sigma)
    sky = mosaic.sky_positions(found["x"], found["y"])
    return Table(
        {
            "id": _names(sky, found["peak"]),
            "ra": sky.ra.deg * u.deg,
            "dec": sky.dec.deg * u.deg,
            "flux_peak": found["peak"] * _flux_unit(mosaic),
            "snr": found["snr"],
            "a_pixel": found["a"] * u.pix,
            "b_pixel": found["b"] * u.pix,
            "theta_rad": found["theta"] * u.rad,
        },
        copy=False,
    )


def _islands(mosaic: Mosaic, n_sigma: float) -> dict[str, NDArray[np.float64]]:
    """Measure the islands whose peak is bright enough."""
    columns = ("x", "y", "peak", "snr", "a", "b", "theta")
    blank = _is_blank(mosaic)
    if blank.all():
        return {name: np.empty(0) for name in columns}
    pixels = np.where(blank, np.float32(0.0), mosaic.pixels)
    background = sep.Background(pixels, mask=blank, bw=BOX, bh=BOX)
    if not background.globalrms > 0:
        return {name: np.empty(0) for name in columns}
    noise = np.maximum(background.rms(), NOISE_FLOOR * background.globalrms)
    pixels -= background.back()
    islands = _extract(mosaic, pixels, noise, blank, min(ISLAND_SIGMA, n_sigma))
    snr = islands["peak"] / noise[islands["ypeak"], islands["xpeak"]]
    measured = {name: np.asarray(islands[name], float) for name in columns if name != "snr"}
    measured["snr"] = np.asarray(snr, float)
    return {name: values[snr >= n_sigma] for name, values in measured.items()}


def _is_blank(mosaic: Mosaic) -> NDArray[np.bool_]:
    blank: NDArray[np.bool_] = ~np.isfinite(mosaic.pixels)
    if mosaic.header["BITPIX"] < 0:  # noise is never exactly zero; counts may be
        blank |= mosaic.pixels == 0
    return blank


def _extract(
    mosaic: Mosaic,
    pixels: NDArray[np.float32],
    noise: NDArray[np.float32],
    blank: NDArray[np.bool_],
    threshold: float,
) -> Any:
    sep.set_extract_pixstack(max(300_000, pixels.size // 4))
    try:
        return sep.extract(
            pixels,
            threshold,
            err=noise,
            mask=blank,
            minarea=MIN_PIXELS,
            filter_kernel=None,
            deblend_nthresh=1,
            deblend_cont=1.0,
            clean=False,
        )
    except Exception as error:  # sep raises the bare class
        raise InputError(f"{mosaic.path} has islands that cannot be held: {error}") from error


def _flux_unit(mosaic: Mosaic) -> Any:
    unit = u.Unit(str(mosaic.header.get("BUNIT", "")).strip(), parse_strict="silent")
    return u.dimensionless_unscaled if isinstance(unit, u.UnrecognizedUnit) else unit


def _names(sky: SkyCoord, peak: NDArray[np.float64]) -> list[str]:
    """Name each position; of those that share a name, the fainter get a letter."""
    stems = [_name(float(ra), float(dec)) for ra, dec in zip(sky.ra.deg, sky.dec.deg, strict=True)]
    names, used = list(stems), dict.fromkeys(stems, 0)
    for number in np.argsort(-peak, kind="stable"):
        stem = stems[number]
        names[number] = stem + _letters(used[stem])
        used[stem] += 1
    return names


def _letters(count: int) -> str:
    """Count: nothing, a, b, ... z, aa, ab, ..."""
    letters = ""
    while count > 0:
        count, letter = divmod(count - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters


def _name(ra_deg: float, dec_deg: float) -> str:
    """Cut a position to JHHMMSS.s+DDMMSS; a hair is added against 59.99999 for 60."""
    tenths = int(ra_deg / 15.0 * 36000.0 + 1e-6) % 864000
    arcsec = int(abs(dec_deg) * 3600.0 + 1e-6)
    hours, minutes, seconds = tenths // 36000, tenths // 600 % 60, tenths / 10 % 60
    sign = "-" if dec_deg < 0 else "+"
    return (
        f"J{hours:02d}{minutes:02d}{seconds:04.1f}"
        f"{sign}{arcsec // 3600:02d}{arcsec // 60 % 60:02d}{arcsec % 60:02d}"
    )
