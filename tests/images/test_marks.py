"""Marks travel between the frames of prototype, member and sky, and hit what they were put on."""

import math

import astropy.units as u
import numpy as np
import pytest
import torch
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skysort.errors import InputError
from skysort.images.marks import (
    angles_to_member,
    angles_to_prototype,
    box_corners,
    positions_to_member,
    positions_to_prototype,
    sky_positions,
)
from skysort.som.rotation import rotate_images

SIZE = 33
CENTRE = (SIZE - 1) / 2

angles = st.floats(-10, 10)
lengths = st.floats(-100, 100)


def dot(x, y):
    """Draw a spot of light at a position from the centre."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - CENTRE
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4.0).astype(np.float32)


def brightest(image):
    row, column = np.unravel_index(np.argmax(image), image.shape)
    return np.array([column - CENTRE, row - CENTRE])


def aligned(image, angle_rad, is_flipped):
    pixels = torch.from_numpy(image).view(1, 1, SIZE, SIZE)
    turned = rotate_images(pixels, torch.tensor([angle_rad]), torch.tensor([is_flipped]))
    return turned[0, 0].numpy()


@settings(max_examples=60, deadline=None)
@given(
    reach=st.floats(0, CENTRE - 3),
    where=angles,
    angle_rad=st.floats(0, 7),
    is_flipped=st.booleans(),
)
def test_a_mark_hits_what_it_was_put_on_after_the_pixels_are_turned(
    reach, where, angle_rad, is_flipped
):
    put = np.array([reach * math.cos(where), reach * math.sin(where)])
    moved = positions_to_prototype(put, angle_rad, is_flipped)
    found = brightest(aligned(dot(*put), angle_rad, is_flipped))
    assert np.abs(found - moved).max() < 1.0


@given(
    positions=arrays(float, (3, 1, 2), elements=lengths),
    angle_rad=arrays(float, 4, elements=angles),
    is_flipped=arrays(bool, 4),
)
def test_a_mark_comes_back_from_all_members(positions, angle_rad, is_flipped):
    there = positions_to_member(positions, angle_rad, is_flipped)
    assert there.shape == (3, 4, 2)
    back = positions_to_prototype(there, angle_rad, is_flipped)
    np.testing.assert_allclose(back, np.broadcast_to(positions, (3, 4, 2)), atol=1e-9)


@given(box=st.floats(-1.5, 1.5), angle_rad=angles, is_flipped=st.booleans())
def test_a_box_comes_back_with_its_angle(box, angle_rad, is_flipped):
    there = angles_to_member(box, angle_rad, is_flipped)
    assert -math.pi / 2 <= there <= math.pi / 2
    back = angles_to_prototype(there, angle_rad, is_flipped)
    assert math.remainder(float(back) - box, math.pi) == pytest.approx(0.0, abs=1e-9)


@given(
    center=arrays(float, 2, elements=lengths),
    size=arrays(float, 2, elements=st.floats(1, 50)),
    box=st.floats(-1.5, 1.5),
    angle_rad=angles,
    is_flipped=st.booleans(),
)
def test_the_corners_of_a_box_travel_like_points(center, size, box, angle_rad, is_flipped):
    """A mirrored box names its corners in another order, so they are matched by distance."""
    corners = positions_to_member(box_corners(center, size, box), angle_rad, is_flipped)
    turned = box_corners(
        positions_to_member(center, angle_rad, is_flipped),
        size,
        angles_to_member(box, angle_rad, is_flipped),
    )
    apart = np.linalg.norm(corners[:, None] - turned, axis=2)
    assert apart.min(axis=0).max() < 1e-9
    assert apart.min(axis=1).max() < 1e-9


def test_unknown_positions_stay_unknown():
    assert np.isnan(positions_to_member([np.nan, 1.0], 0.3, False)).all()


@pytest.mark.parametrize("positions", [3.0, [1.0, 2.0, 3.0], np.zeros((2, 1))])
def test_a_position_has_x_and_y(positions):
    with pytest.raises(InputError, match=r"positions must hold x and y, \(..., 2\), got shape"):
        positions_to_prototype(positions, 0.0, False)


@settings(max_examples=40, deadline=None)
@given(
    offsets=arrays(float, (5, 2), elements=st.floats(-900, 900)),
    ra_deg=st.floats(0, 359.99),
    dec_deg=st.floats(-90, 90),
)
def test_positions_on_the_sky_are_those_of_astropy(offsets, ra_deg, dec_deg):
    """In the tangent plane an offset is the tangent of the angle, along the same great circle."""
    centre = SkyCoord(ra_deg, dec_deg, unit="deg")
    reach = np.arctan(np.hypot(*offsets.T) / 3600 * np.pi / 180)
    towards = np.arctan2(-offsets[:, 0], offsets[:, 1])  # from north through east, which is left
    expected = centre.directional_offset_by(towards * u.rad, reach * u.rad)
    ra, dec = sky_positions(offsets, ra_deg, dec_deg)
    assert ((ra >= 0) & (ra < 360)).all()
    assert SkyCoord(ra, dec, unit="deg").separation(expected).arcsec.max() < 1e-4


def test_the_centre_stays_where_it_is():
    ra, dec = sky_positions(np.zeros((2, 2)), [0.0, 359.5], [-45.0, 89.0])
    np.testing.assert_allclose(ra, [0.0, 359.5], atol=1e-12)
    np.testing.assert_allclose(dec, [-45.0, 89.0], atol=1e-12)
