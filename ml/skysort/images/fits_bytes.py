"""Writes single images as FITS, in 16 bits where that loses nothing that could be seen.

Steps follow the noise, as in fpack (Pence, Seaman & White 2009, PASP 121, 414; 2010, PASP 122,
1065), whose estimate of the noise is used too: the median absolute third-order difference along
rows, which structure does not disturb.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from astropy.io import fits
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError
from skysort.images.fits_text import plain_text

__all__ = ["fits_bytes", "quantization_step"]

FloatArray = NDArray[np.float32]

BLOCK: Final = 2880  # bytes; FITS files come in such blocks
CARD: Final = 80  # characters
STEPS_PER_SIGMA: Final = 16  # rounding then adds 0.02 % to the noise
SIGMA_PER_DIFFERENCE: Final = 0.6052697  # 1.4826 / sqrt(6): of Gaussian noise
LARGEST: Final = 32767  # of 16 bits; one more, negative, is kept for blank pixels
BLANK: Final = -32768


def fits_bytes(pixels: ArrayLike, cards: Mapping[str, tuple[object, str]] | None = None) -> bytes:
    """Write one image as a FITS file.

    Parameters
    ----------
    pixels : array_like, (C, H, W)
        Real numbers, row 0 at the bottom. NaN and infinities are blank.
    cards : mapping, optional
        Further cards of the header: keyword to value and comment.

    Returns
    -------
    bytes
        A file with axes (x, y), or (x, y, channel) for several channels: 16-bit integers with
        BSCALE, BZERO and BLANK where all values lie within so many steps of
        `quantization_step`, else 32-bit floating point.

    Raises
    ------
    InputError
        If `pixels` has not three axes or is empty.

    Examples
    --------
    >>> file = fits.HDUList.fromstring(fits_bytes([[[1, 2], [3, 4]]], {"OBJECT": ("3C 31", "")}))
    >>> file[0].header["OBJECT"], file[0].header["BITPIX"], file[0].data.tolist()
    ('3C 31', 16, [[1, 2], [3, 4]])
    """
    with np.errstate(over="ignore"):
        values = np.asarray(pixels).astype(np.float32)
    if values.ndim != 3 or values.size == 0:
        raise InputError(f"pixels must have shape (C, H, W), got {values.shape}")
    values[~np.isfinite(values)] = np.nan
    step = quantization_step(values)
    shape = [("NAXIS1", values.shape[2], "x"), ("NAXIS2", values.shape[1], "y")]
    if len(values) > 1:
        shape.append(("NAXIS3", len(values), "channel"))
    scaling: list[tuple[str, object, str]]
    if step is None:
        bits, scaling, data = -32, [], values.astype(">f4")
    else:
        zero = float(np.nanmin(values)) + LARGEST * step
        bits, data = 16, _quantized(values, step, zero)
        scaling = [
            ("BSCALE", step, "one step"),
            ("BZERO", zero, "value of 0"),
            ("BLANK", BLANK, "pixel without a value"),
        ]
    header = [
        ("SIMPLE", True, "FITS standard 4.0"),
        ("BITPIX", bits, "bits of a pixel"),
        ("NAXIS", len(shape), "axes"),
        *shape,
        *scaling,
        *((name, value, comment) for name, (value, comment) in (cards or {}).items()),
    ]
    return _header(header) + _padded(data.tobytes(), b"\0")


def quantization_step(values: FloatArray) -> float | None:
    """Choose the step of 16-bit integers for (C, H, W); None where they cannot hold the image.

    It is 1 for whole numbers, which then stay as they are, else a sixteenth of the noise of the
    quietest channel.
    """
    finite = values[~np.isnan(values)]
    if not finite.size:
        return None
    extent = float(finite.max()) - float(finite.min())
    if extent <= 2 * LARGEST and bool((finite == np.rint(finite)).all()):
        return 1.0
    step = min(_noise(channel) for channel in values) / STEPS_PER_SIGMA
    return step if step > 0 and extent / step <= 2 * LARGEST else None


def _noise(channel: FloatArray) -> float:
    """Estimate the noise of (H, W) from differences along its rows; 0 if there are too few."""
    if channel.shape[1] < 5:
        return 0.0
    difference = np.abs(2 * channel[:, 2:-2] - channel[:, :-4] - channel[:, 4:])
    known = difference[~np.isnan(difference)]
    return SIGMA_PER_DIFFERENCE * float(np.median(known)) if known.size else 0.0


def _quantized(values: FloatArray, step: float, zero: float) -> NDArray[np.int16]:
    steps = np.rint((values.astype(np.float64) - zero) / step)
    return np.where(np.isnan(steps), BLANK, steps).astype(">i2")


def _header(cards: list[tuple[str, object, str]]) -> bytes:
    lines = [
        str(fits.Card(name, plain_text(value) if isinstance(value, str) else value, comment))
        for name, value, comment in cards
    ]
    return _padded("".join([*lines, "END".ljust(CARD)]).encode("ascii"), b" ")


def _padded(data: bytes, filling: bytes) -> bytes:
    return data + filling * (-len(data) % BLOCK)
