"""Carries what people mark in a picture to the frames of prototypes, of members and of the sky.

A position is (x, y) from the picture's centre, x to the right and y up, in any unit of length. The
one convention of alignment holds, ``aligned = rotate(flip(image))``: mirror left-right first, then
turn counter-clockwise about the centre. So a mark at p of a member lies at ``R(angle) F p`` of its
prototype, and a mark at q of the prototype at ``F R(-angle) q`` of the member, where F changes the
sign of x.

The way to the sky is the inverse of the gnomonic projection (Calabretta & Greisen 2002, A&A 395,
1077, sect. 5.1.3) with its tangent point in the picture's centre.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skysort.errors import InputError

__all__ = [
    "angles_to_member",
    "angles_to_prototype",
    "box_corners",
    "positions_to_member",
    "positions_to_prototype",
    "sky_positions",
]

FloatArray: TypeAlias = NDArray[np.float64]
ARCSEC_PER_RAD = np.degrees(1.0) * 3600.0


def positions_to_prototype(
    positions: ArrayLike, angle_rad: ArrayLike, is_flipped: ArrayLike
) -> FloatArray:
    """Carry positions from members' own frames into their prototype's.

    Parameters
    ----------
    positions : array_like, (..., 2)
        x and y from the centre of the member's picture; NaN stays NaN.
    angle_rad : array_like
        By which the member is turned into its prototype's frame; its shape and that of
        `is_flipped` are broadcast against ``positions.shape[:-1]``.
    is_flipped : array_like of bool
        Whether the member is mirrored left-right first.

    Returns
    -------
    ndarray, float64, (..., 2)
        In the unit of `positions`.

    Raises
    ------
    InputError
        If the last axis does not hold x and y.

    Examples
    --------
    >>> positions_to_prototype([3.0, 1.0], np.pi / 2, True).round(9).tolist()
    [-1.0, -3.0]
    """
    x, y = _x_and_y(positions)
    x = np.where(is_flipped, -x, x)
    return _turned(x, y, np.asarray(angle_rad, dtype=np.float64))


def positions_to_member(
    positions: ArrayLike, angle_rad: ArrayLike, is_flipped: ArrayLike
) -> FloatArray:
    """Carry positions from a prototype's frame into those of its members.

    Parameters
    ----------
    positions : array_like, (..., 2)
        x and y from the centre of the prototype's picture; NaN stays NaN.
    angle_rad, is_flipped : array_like
        How each member is turned into the prototype's frame, broadcast against
        ``positions.shape[:-1]``: one position (2,) and N members give (N, 2), and K positions
        (K, 1, 2) give (K, N, 2).

    Returns
    -------
    ndarray, float64, (..., 2)
        In the unit of `positions`.

    Raises
    ------
    InputError
        If the last axis does not hold x and y.

    Examples
    --------
    The inverse of `positions_to_prototype`, here for two members of the same prototype:

    >>> positions_to_member([-1.0, -3.0], [np.pi / 2, 0.0], [True, False]).round(9).tolist()
    [[3.0, 1.0], [-1.0, -3.0]]
    """
    x, y = _x_and_y(positions)
    turned = _turned(x, y, -np.asarray(angle_rad, dtype=np.float64))
    turned[..., 0] = np.where(is_flipped, -turned[..., 0], turned[..., 0])
    return turned


def angles_to_prototype(
    box_angle_rad: ArrayLike, angle_rad: ArrayLike, is_flipped: ArrayLike
) -> FloatArray:
    """Carry the angles of boxes from members' own frames into their prototype's.

    Parameters
    ----------
    box_angle_rad : array_like
        From the x axis to the side that is the box's width, counter-clockwise.
    angle_rad, is_flipped : array_like
        How the member is turned into its prototype's frame, of a shape that fits.

    Returns
    -------
    ndarray, float64
        From -pi / 2 up to pi / 2: a box turned by half a turn is the same box.

    Examples
    --------
    >>> np.degrees(angles_to_prototype(np.radians(10.0), np.radians(30.0), True)).round(9).item()
    20.0
    """
    box = np.asarray(box_angle_rad, dtype=np.float64)
    return _half_turn(np.where(is_flipped, -box, box) + np.asarray(angle_rad, dtype=np.float64))


def angles_to_member(
    box_angle_rad: ArrayLike, angle_rad: ArrayLike, is_flipped: ArrayLike
) -> FloatArray:
    """Carry the angles of boxes from a prototype's frame into those of its members.

    Parameters
    ----------
    box_angle_rad : array_like
        From the x axis to the side that is the box's width, counter-clockwise; 0 where a
        volunteer drew the box on the prototype.
    angle_rad, is_flipped : array_like
        How each member is turned into its prototype's frame, of a shape that fits.

    Returns
    -------
    ndarray, float64
        From -pi / 2 up to pi / 2; width and height of the box stay what they are.

    Examples
    --------
    >>> np.degrees(angles_to_member(0.0, np.radians([30.0, 30.0]), [False, True])).round(9).tolist()
    [-30.0, 30.0]
    """
    turned = np.asarray(box_angle_rad, dtype=np.float64) - np.asarray(angle_rad, dtype=np.float64)
    return _half_turn(np.where(is_flipped, -turned, turned))


def box_corners(positions: ArrayLike, sizes: ArrayLike, box_angle_rad: ArrayLike) -> FloatArray:
    """Give the corners of turned boxes, counter-clockwise from the lower left one.

    Parameters
    ----------
    positions : array_like, (..., 2)
        Centers.
    sizes : array_like, (..., 2)
        Width and height.
    box_angle_rad : array_like, (...)
        By which the box is turned counter-clockwise about its center.

    Returns
    -------
    ndarray, float64, (..., 4, 2)
        x and y of each corner.

    Examples
    --------
    >>> box_corners([1.0, 0.0], [4.0, 2.0], 0.0).tolist()
    [[-1.0, -1.0], [3.0, -1.0], [3.0, 1.0], [-1.0, 1.0]]
    """
    center = np.asarray(positions, dtype=np.float64)
    half = np.asarray(sizes, dtype=np.float64)[..., None, :] / 2.0
    corners = half * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])  # (..., 4, 2)
    angle = np.asarray(box_angle_rad, dtype=np.float64)[..., None]
    return center[..., None, :] + _turned(corners[..., 0], corners[..., 1], angle)


def sky_positions(
    offsets_arcsec: ArrayLike, ra_deg: ArrayLike, dec_deg: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Give the places on the sky of positions in a cutout with north up and east left.

    A cutout's own orientation is not kept when a survey is imported: its pixels are taken as they
    are. So a position is as right as "north is up" is. It is where images come from a cutout
    service. In a mosaic, north is up along the meridian of its reference position; a cutout that
    lies a difference in right ascension away is turned by about that difference times sin(dec),
    and one from a mosaic whose header turns it (CD or PC cards, CROTA2), by that angle.

    Parameters
    ----------
    offsets_arcsec : array_like, (..., 2)
        x to the right, which is west, and y up, which is north, in the tangent plane.
    ra_deg, dec_deg : array_like
        Of the picture's centre (ICRS), broadcast against ``offsets_arcsec.shape[:-1]``. A cutout
        of whole pixels is centred on its source to half a pixel.

    Returns
    -------
    ra_deg, dec_deg : ndarray, float64, (...)
        ICRS; the right ascension lies from 0 up to 360 degrees.

    Raises
    ------
    InputError
        If the last axis does not hold x and y.

    Examples
    --------
    >>> ra, dec = sky_positions([[-3600.0, 0.0], [0.0, 3600.0]], 0.0, 0.0)
    >>> ra.round(3).tolist(), dec.round(3).tolist()
    ([1.0, 0.0], [0.0, 1.0])
    """
    x, y = _x_and_y(offsets_arcsec)
    east, north = -x / ARCSEC_PER_RAD, y / ARCSEC_PER_RAD
    dec = np.radians(np.asarray(dec_deg, dtype=np.float64))
    # The unit vector along the meridian of the centre, across it, and to the pole.
    along = np.cos(dec) - north * np.sin(dec)
    to_pole = np.sin(dec) + north * np.cos(dec)
    ra = np.asarray(ra_deg, dtype=np.float64) + np.degrees(np.arctan2(east, along))
    ra = ra % 360.0 % 360.0  # the first leaves 360 of what is a hair less than 0
    return ra, np.degrees(np.arctan2(to_pole, np.hypot(along, east)))


def _x_and_y(positions: ArrayLike) -> tuple[FloatArray, FloatArray]:
    array = np.asarray(positions, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 2:
        raise InputError(f"positions must hold x and y, (..., 2), got shape {array.shape}")
    return array[..., 0], array[..., 1]


def _turned(x: FloatArray, y: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Turn counter-clockwise, y up."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.stack(np.broadcast_arrays(cosine * x - sine * y, sine * x + cosine * y), axis=-1)


def _half_turn(angle_rad: FloatArray) -> FloatArray:
    return (angle_rad + np.pi / 2.0) % np.pi - np.pi / 2.0
