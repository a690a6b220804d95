"""Reads the first image of a FITS file, and says in one sentence why it cannot."""

import warnings
import zlib
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from skysort.errors import InputError

__all__ = ["FITS_SUFFIXES", "read_fits_image"]

FITS_SUFFIXES = (".fits", ".fit", ".fits.gz", ".fits.fz", ".fit.gz", ".fit.fz")

# All that astropy and the decompressors beneath it raise on damaged files.
DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    zlib.error,
    fits.VerifyError,
)


def read_fits_image(path: Path, *, max_pixels: int) -> tuple[NDArray[np.float32], fits.Header]:
    """Read the first HDU that holds an image, compressed or not.

    Parameters
    ----------
    path : path
        Of a FITS file, perhaps gzipped.
    max_pixels : int
        Refuse images with more, before their memory is taken.

    Returns
    -------
    pixels : ndarray, float32, all axes of the file
        Native byte order, scaled by BSCALE and BZERO; BLANK becomes NaN.
    header : Header
        Of the same HDU.

    Raises
    ------
    InputError
        If the file is missing, no FITS file, truncated or damaged, or holds no image.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} cannot be read: it is no file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.filterwarnings("error", message=".*truncated.*", category=AstropyWarning)
            warnings.filterwarnings("ignore", category=RuntimeWarning)  # casts beyond float32
            return _read(path, max_pixels)
    except AstropyWarning as error:
        raise InputError(f"{path} is truncated: {error}") from error
    except InputError:
        raise
    except DAMAGE as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is no readable FITS file: {said}") from error


def _read(path: Path, max_pixels: int) -> tuple[NDArray[np.float32], fits.Header]:
    # Opened here, for astropy leaves its own file open when it raises.
    with path.open("rb") as file, fits.open(file, memmap=False) as hdus:
        for hdu in hdus:
            if not hdu.is_image or not hdu.shape or 0 in hdu.shape:
                continue
            n_pixels = int(np.prod(hdu.shape, dtype=object))
            if n_pixels > max_pixels:
                raise InputError(f"{path} has {n_pixels} pixels; at most {max_pixels} are read")
            if hdu.data is None:
                raise InputError(f"{path} is truncated: its image has no data")
            return np.ascontiguousarray(hdu.data, dtype=np.float32), hdu.header
    raise InputError(f"{path} holds no image; one of its HDUs must")
