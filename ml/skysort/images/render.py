"""Draws pixels as PNG pictures: stretched, turned into another frame, coloured.

Row 0 of an array is at the bottom of its picture. The picture of an assignment is
``rotate(flip(image))``: mirrored left-right first if it is flipped, then turned counter-clockwise
about the centre ((W-1)/2, (H-1)/2), with y up.
"""

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from skysort.errors import InputError
from skysort.images.stretches import get_stretch
from skysort.images.turning import turn_picture

__all__ = ["COLORMAPS", "render_png", "render_sheet"]

FloatArray = NDArray[np.float32]
Bytes = NDArray[np.uint8]

MAX_SIZE: Final = 4096  # pixels along an edge of a picture or a sheet
COMPRESS_LEVEL: Final = 3  # of zlib: a third of the time of the usual 6, a few per cent larger
GAP: Final = 1  # pixels between the tiles of a sheet


def _table(*points: tuple[float, int, int, int]) -> Bytes:
    """Interpolate 256 colours (256, 3) between control points (position, red, green, blue)."""
    at, *colours = np.array(points, dtype=float).T
    steps = np.linspace(0.0, 1.0, 256)
    table = np.stack([np.interp(steps, at, colour) for colour in colours], axis=1)
    return table.round().astype(np.uint8)


#: Tables (256, 3) uint8 by name, dark to bright, straight lines between a few control points:
#: "heat" runs from black over purple and orange to pale yellow, "ice" from black over blue to
#: white. Lightness rises all the way in each, so they read the same in gray.
COLORMAPS: Mapping[str, Bytes] = MappingProxyType(
    {
        "gray": _table((0.0, 0, 0, 0), (1.0, 255, 255, 255)),
        "heat": _table(
            (0.0, 0, 0, 4),
            (0.25, 87, 16, 110),
            (0.5, 188, 55, 84),
            (0.75, 249, 142, 9),
            (1.0, 252, 255, 164),
        ),
        "ice": _table(
            (0.0, 0, 0, 8), (0.35, 20, 50, 120), (0.7, 90, 160, 215), (1.0, 240, 252, 255)
        ),
    }
)


def render_png(
    pixels: ArrayLike,
    *,
    size: int = 256,
    stretch: str = "sqrt",
    angle_rad: float = 0.0,
    flip: bool = False,
    invert: bool = False,
    colormap: str = "gray",
) -> bytes:
    """Draw one image.

    Parameters
    ----------
    pixels : array_like, (C, H, W) or (H, W)
        Real numbers; the faintest is drawn black and the brightest white. NaN and infinities are
        blank and drawn like the faintest. Three channels are red, green and blue with one common
        scale; of any other number the mean is drawn.
    size : int, optional
        Pixels along an edge of the picture, 1 to 4096.
    stretch : str, optional
        "linear", "sqrt", "cbrt", "asinh" or "log".
    angle_rad : float, optional
        Turn counter-clockwise by so much, after the flip.
    flip : bool, optional
        Mirror left-right first.
    invert : bool, optional
        Dark sources on a bright sky.
    colormap : str, optional
        A key of `COLORMAPS`; three channels need none.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    InputError
        If an argument breaks these rules.

    Examples
    --------
    >>> png = render_png([[0.0, 1.0], [2.0, 4.0]], size=2, stretch="linear")
    >>> np.asarray(Image.open(BytesIO(png))).tolist()  # row 0 is at the bottom
    [[128, 255], [0, 64]]
    """
    _check(size, stretch, angle_rad, colormap)
    shown = _draw(_channels(pixels), size, stretch, angle_rad, flip)
    return _png(255 - shown if invert else shown, colormap)


def render_sheet(
    images: ArrayLike,
    *,
    size: int = 64,
    stretch: str = "sqrt",
    invert: bool = False,
    colormap: str = "gray",
) -> bytes:
    """Draw a grid of images, such as the prototypes of a map, each with its own scale.

    Parameters
    ----------
    images : array_like, (rows, columns, C, H, W)
        As for `render_png`. Row 0 of the grid is at the top of the sheet, as one reads.
    size : int, optional
        Pixels along an edge of each tile; tiles stand one pixel apart. It shrinks where the
        sheet would be more than 4096 pixels wide or high.
    stretch, invert, colormap : optional
        As for `render_png`.

    Returns
    -------
    bytes
        A PNG file of ``columns * (size + 1) - 1`` by ``rows * (size + 1) - 1`` pixels.

    Raises
    ------
    InputError
        If an argument breaks these rules.
    """
    grid = np.asarray(images)
    _check(size, stretch, 0.0, colormap)
    if grid.ndim != 5 or grid.size == 0 or max(grid.shape[:2]) > MAX_SIZE // (1 + GAP):
        raise InputError(
            "images must have shape (rows, columns, C, H, W) with 1 to "
            f"{MAX_SIZE // (1 + GAP)} rows and columns, got {grid.shape}"
        )
    rows, columns = grid.shape[:2]
    size = min(size, (MAX_SIZE + GAP) // max(rows, columns) - GAP)
    pitch = size + GAP
    depth = (3,) if grid.shape[2] == 3 else ()
    sheet = np.zeros((rows * pitch - GAP, columns * pitch - GAP, *depth), dtype=np.uint8)
    for row, column in np.ndindex(rows, columns):
        tile = _draw(_channels(grid[row, column]), size, stretch, 0.0, flip=False)
        top, left = row * pitch, column * pitch
        sheet[top : top + size, left : left + size] = tile
    return _png(255 - sheet if invert else sheet, colormap)


def _check(size: int, stretch: str, angle_rad: float, colormap: str) -> None:
    get_stretch(stretch)
    if not 1 <= size <= MAX_SIZE:
        raise InputError(f"size must lie between 1 and {MAX_SIZE} pixels, got {size}")
    if not np.isfinite(angle_rad):
        raise InputError(f"angle_rad must be finite, got {angle_rad}")
    if colormap not in COLORMAPS:
        raise InputError(f"colormap must be one of {', '.join(COLORMAPS)}, got {colormap!r}")


def _channels(pixels: ArrayLike) -> FloatArray:
    """Give one or three channels (C, H, W), blank pixels NaN."""
    values = np.asarray(pixels)
    if values.ndim not in (2, 3) or values.size == 0 or values.dtype.kind not in "biuf":
        raise InputError(
            "pixels must be real numbers of shape (C, H, W) or (H, W), "
            f"got {values.dtype} of shape {values.shape}"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    if values.ndim == 2:
        return values[None]
    return values if len(values) in (1, 3) else values.mean(axis=0, keepdims=True)


def _unit_scale(values: FloatArray) -> FloatArray:
    """Bring the finite range to [0, 1]; zeros if there is none; blank pixels become 0."""
    finite = values[~np.isnan(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high <= low:
        return np.zeros_like(values)
    scaled = np.nan_to_num((values.astype(np.float64) - low) / (high - low), nan=0.0)
    return scaled.astype(np.float32)


def _draw(values: FloatArray, size: int, stretch: str, angle_rad: float, flip: bool) -> Bytes:
    """Give the picture, top row first: (size, size) or (size, size, 3)."""
    stretched = get_stretch(stretch)(_unit_scale(values))
    if flip:
        stretched = stretched[..., ::-1]
    planes = [_turn_and_resize(plane[::-1], size, angle_rad) for plane in stretched]
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


def _turn_and_resize(picture: FloatArray, size: int, angle_rad: float) -> Bytes:
    """Turn a picture (H, W), top row first, and bring it to its final size as bytes."""
    image = Image.fromarray(np.ascontiguousarray(picture))  # mode "F"
    if angle_rad:
        image = turn_picture(image, angle_rad)
    if image.size != (size, size):
        image = image.resize((size, size), resample=Image.Resampling.BICUBIC)
    shown = np.asarray(image) * np.float32(255.0)
    return np.clip(np.rint(shown), 0, 255).astype(np.uint8)  # bicubic curves overshoot


def _png(shown: Bytes, colormap: str) -> bytes:
    image = Image.fromarray(shown)
    if image.mode == "L" and colormap != "gray":
        image.putpalette(COLORMAPS[colormap].tobytes())
    buffer = BytesIO()
    image.save(buffer, format="PNG", compress_level=COMPRESS_LEVEL)
    return buffer.getvalue()
