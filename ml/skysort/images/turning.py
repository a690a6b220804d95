"""Turns single images about their center by interpolation, for the eye; torch is not needed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from skysort.errors import InputError

__all__ = ["turn_image", "turn_picture"]

FloatArray = NDArray[np.float32]


def turn_image(pixels: ArrayLike, *, angle_rad: float = 0.0, flip: bool = False) -> FloatArray:
    """Bring an image into another frame: ``rotate(flip(image))``.

    Parameters
    ----------
    pixels : array_like, (C, H, W)
        Real numbers, row 0 at the bottom. NaN and infinities are blank.
    angle_rad : float, optional
        Turn counter-clockwise by so much about the center, after the flip; bicubic.
    flip : bool, optional
        Mirror left-right first.

    Returns
    -------
    ndarray, float32, (C, H, W)
        Blank pixels are NaN, and so is what lay outside the image.

    Raises
    ------
    InputError
        If `pixels` has not three axes or `angle_rad` is not finite.

    Examples
    --------
    >>> image = np.zeros((1, 3, 3))
    >>> image[0, 1, 2] = 1.0  # right of the center
    >>> turn_image(image, angle_rad=np.pi / 2)[0].round(6).tolist()  # now above it
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    with np.errstate(over="ignore"):
        planes = np.array(pixels, dtype=np.float32)
    if planes.ndim != 3:
        raise InputError(f"pixels must have shape (C, H, W), got {planes.shape}")
    if not np.isfinite(angle_rad):
        raise InputError(f"angle_rad must be finite, got {angle_rad}")
    planes[~np.isfinite(planes)] = np.nan
    if flip:
        planes = planes[..., ::-1]
    if angle_rad:
        planes = np.stack([_turn_plane(plane, angle_rad) for plane in planes])
    return np.ascontiguousarray(planes)


def turn_picture(picture: Image.Image, angle_rad: float, *, fill: float = 0.0) -> Image.Image:
    """Turn a picture of mode "F" counter-clockwise about its center; `fill` is what lay outside."""
    angle = float(np.degrees(angle_rad))
    return picture.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=fill)


def _turn_plane(plane: FloatArray, angle_rad: float) -> FloatArray:
    """Turn (H, W); a blank pixel stays one and does not spread over its neighbours."""
    blank = np.isnan(plane)
    middle = np.float32(0.0 if blank.all() else np.nanmedian(plane))
    filled = np.where(blank, middle, plane)[::-1]
    turned = turn_picture(Image.fromarray(np.ascontiguousarray(filled)), angle_rad, fill=np.nan)
    values = np.array(turned)[::-1]
    if blank.any():
        mask = Image.fromarray(np.ascontiguousarray(blank[::-1]).astype(np.uint8))
        values[np.asarray(mask.rotate(float(np.degrees(angle_rad))))[::-1] > 0] = np.nan
    return values
