"""The polar transform keeps products and norms, and turns rotations into phases."""

import math

import numpy as np
import pytest
import torch

from skysort.errors import InputError
from skysort.som.interpolation import spline_coefficients
from skysort.som.matching import window_mask
from skysort.som.polar import PolarTransform
from skysort.som.rings import Rings, default_rings
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_blobs

#: How far products, norms and turned images may be off, as a share of the norm. Twice what was
#: measured: the blobs of smaller images are less well sampled.
TOLERANCE = {5: 0.15, 6: 0.2, 7: 0.08, 9: 0.08, 16: 0.08, 31: 0.05, 64: 0.02, 101: 0.01, 150: 0.01}
SIZES = pytest.mark.parametrize("size", list(TOLERANCE))


def transform_of(size, **changes):
    return PolarTransform(default_rings(size, **changes))


def blobs_of(size, n=4, channels=1):
    return torch.from_numpy(make_blobs(n, size, channels, seed=size))


def coefficients_of(transform, images):
    return transform.coefficients(spline_coefficients(images))


def as_complex(coefficients):
    return torch.complex(coefficients[:, :, 0], coefficients[:, :, 1])  # (Q, M, N)


def relative_error(found, expected):
    """Largest distance of complex coefficients (Q, M, N) as a share of the norm."""
    apart = (found - expected).abs().square().sum((0, 1)).sqrt()
    return float((apart / expected.abs().square().sum((0, 1)).sqrt()).max())


def phase(modes, angle):
    """Factors (M, 1) that turn by an angle."""
    return torch.polar(torch.ones(modes), -angle * torch.arange(modes))[:, None]


def mirrored(coefficients):
    """Coefficients of mirrored images, by the rule of the module."""
    sign = (-1.0) ** torch.arange(coefficients.shape[1])[:, None]
    return coefficients.conj() * sign


@SIZES
@pytest.mark.parametrize("channels", [1, 3])
def test_products_of_coefficients_are_products_of_pixels_in_the_disk(size, channels):
    images, window = blobs_of(size, 6, channels), window_mask(size, "disk")
    ours = coefficients_of(transform_of(size), images)
    found = torch.einsum("qmcn,qmck->nk", ours, ours)
    pixels = images[..., window].flatten(1)
    expected = pixels @ pixels.T
    norm = expected.diagonal().sqrt()
    assert float(((found - expected) / (norm[:, None] * norm)).abs().max()) < TOLERANCE[size]


def test_products_are_those_of_a_smaller_disk_when_asked():
    images, window = blobs_of(64), window_mask(64, "disk", 12.0)
    ours = coefficients_of(transform_of(64, radius=12.0), images)
    expected = images[..., window].square().sum((1, 2))
    assert torch.allclose(ours.square().sum((0, 1, 2)), expected, rtol=0.02)


def test_wave_around_the_centre_is_one_mode():
    y, x = np.mgrid[:65, :65] - 32.0
    radius = np.hypot(y, x) / 12.0
    wave = radius**3 * np.exp(-(radius**2)) * np.cos(3 * np.arctan2(y, x) + 0.4)
    image = torch.from_numpy(wave.astype(np.float32))[None, None]
    found = as_complex(coefficients_of(transform_of(65), image))[..., 0]
    power = found.abs().square().sum(0)
    assert float(power[3] / power.sum()) > 0.9999
    assert float(found[:, 3].sum().angle()) == pytest.approx(0.4, abs=1e-3)


@SIZES
def test_turning_an_image_is_a_phase(size):
    images, transform = blobs_of(size), transform_of(size)
    before = as_complex(coefficients_of(transform, images))
    for angle in (0.7, 2.0, 5.1):
        turned = rotate_images(images, torch.full((4,), angle), torch.zeros(4, dtype=torch.bool))
        after = as_complex(coefficients_of(transform, turned))
        expected = before * phase(before.shape[1], angle)
        assert relative_error(after, expected) < TOLERANCE[size]


@SIZES
def test_mirroring_an_image_conjugates_and_alternates_the_sign(size):
    images, transform = blobs_of(size), transform_of(size)
    before = as_complex(coefficients_of(transform, images))
    after = as_complex(coefficients_of(transform, images.flip(-1)))
    assert relative_error(after, mirrored(before)) < 1e-5


@SIZES
def test_mirroring_comes_before_the_turn(size):
    images, transform = blobs_of(size), transform_of(size)
    before = as_complex(coefficients_of(transform, images))
    both = rotate_images(images, torch.full((4,), 0.7), torch.ones(4, dtype=torch.bool))
    expected = mirrored(before) * phase(before.shape[1], 0.7)
    assert relative_error(as_complex(coefficients_of(transform, both)), expected) < TOLERANCE[size]


@pytest.mark.parametrize("size", range(5, 40))
def test_quarter_turns_are_exact_at_every_size(size):
    images, transform = blobs_of(size), transform_of(size)
    before = as_complex(coefficients_of(transform, images))
    for quarter in (1, 2, 3):
        turned = images.rot90(quarter, (-1, -2))
        after = as_complex(coefficients_of(transform, turned))
        expected = before * phase(before.shape[1], quarter * math.pi / 2.0)
        assert relative_error(after, expected) < 1e-5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "error"), [(16, 0.15), (31, 0.05), (64, 0.02), (150, 0.01)])
def test_images_come_back_from_their_coefficients(size, error, channels):
    images, transform = blobs_of(size, channels=channels), transform_of(size)
    back = transform.images(coefficients_of(transform, images))
    inside = window_mask(size, "disk", (size - 3) / 2.0)
    apart = (back - images)[..., inside].square().sum((1, 2)).sqrt()
    assert float((apart / images[..., inside].square().sum((1, 2)).sqrt()).max()) < error


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [5, 24, 64, 150])
def test_adjoint_makes_products_those_of_the_drawn_image(size, channels):
    images, transform = blobs_of(size, 6, channels), transform_of(size)
    ours = coefficients_of(transform, images[:3])
    found = torch.einsum("qmcn,qmck->nk", ours, transform.adjoint(images[3:]))
    drawn = transform.images(ours)
    expected = drawn.flatten(1) @ images[3:].flatten(1).T
    norm = drawn.flatten(1).norm(dim=1)[:, None] * images[3:].flatten(1).norm(dim=1)
    assert float(((found - expected) / norm).abs().max()) < 1e-5


@pytest.mark.parametrize("size", [16, 24, 33, 64, 101])
def test_adjoint_makes_products_those_of_the_pixels_even_of_point_sources(size):
    """Where a source spreads over a pixel or two; measured 0.0002, and 0.0011 for 101 pixels."""
    window, transform = window_mask(size, "disk"), transform_of(size)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    shifts = [(0.0, 0.0), (0.5, 0.3), (1.2, -0.8), (3.0, 2.2)]
    points = [np.exp(-((y - b) ** 2 + (x - a) ** 2) / (2.0 * 1.2**2)) for b, a in shifts]
    images = torch.from_numpy(np.stack(points)[:, None].astype(np.float32)) * window
    found = torch.einsum(
        "qmcn,qmck->nk", coefficients_of(transform, images), transform.adjoint(images)
    )
    expected = images.flatten(1) @ images.flatten(1).T
    norm = expected.diagonal().sqrt()
    assert float(((found - expected) / (norm[:, None] * norm)).abs().max()) < 2e-3


@pytest.mark.parametrize("odd", [False, True])
def test_modes_are_interpolated_between_the_rings_and_through_the_centre(odd):
    rings = default_rings(64)
    at = np.array([0.0, 0.2, 0.7, 5.3, 20.1, 31.4, 40.0])

    def profile(radius):
        wave = np.exp(-((radius / 6.0) ** 2))
        return radius * wave if odd else wave

    found = rings.between(at, odd=odd) @ profile(rings.radii)
    assert found == pytest.approx(profile(np.minimum(at, 31.5)), abs=2e-4)


def test_rings_lie_closer_in_the_core_and_end_at_the_edge():
    rings = default_rings(64)
    apart = np.diff(rings.radii)
    assert rings.radii[0] == 0.0
    assert rings.radii[-1] == 31.5
    assert apart[0] == pytest.approx(0.5, rel=0.05)
    assert (np.diff(apart) >= -1e-9).all()
    assert apart.max() == pytest.approx(31.5 / rings.n_rings, rel=0.05)
    assert np.square(rings.weights).sum() == pytest.approx(math.pi * 31.5**2)


def test_pictures_are_zero_outside_of_the_disk():
    transform = transform_of(40, radius=10.0)
    back = transform.images(coefficients_of(transform, torch.ones(1, 1, 40, 40)))
    assert (back[..., ~window_mask(40, "disk", 10.5)] == 0.0).all()
    assert torch.allclose(back[..., window_mask(40, "disk", 10.0)], torch.tensor(1.0), atol=1e-5)


def test_channels_are_transformed_one_after_the_other():
    images, transform = blobs_of(24, channels=3), transform_of(24)
    together = coefficients_of(transform, images)
    alone = [coefficients_of(transform, images[:, channel : channel + 1]) for channel in range(3)]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize(
    "changes",
    [{"n_rings": 20}, {"n_modes": 10}, {"n_angles": 48}, {"n_angles": 80, "n_modes": 40}],
)
def test_rings_angles_and_modes_can_be_set(changes):
    rings = default_rings(64, **changes)
    for name, value in changes.items():
        assert getattr(rings, name) == value
    images = blobs_of(64)
    ours = coefficients_of(PolarTransform(rings), images)
    assert ours.shape == (len(rings.radii), rings.n_modes, 2, 4)
    expected = images[..., window_mask(64, "disk")].square().sum((1, 2))
    assert torch.allclose(ours.square().sum((0, 1, 2)), expected, rtol=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"radius": 32.0}, r"radius must be above 0 and at most \(size - 1\) / 2 = 31.5, got 32.0"),
        ({"radius": 0.0}, r"radius must be above 0 and at most .* got 0.0"),
        ({"n_rings": 0}, "n_rings must be at least 1, got 0"),
        ({"n_angles": 90}, "n_angles must be a positive multiple of 4, got 90"),
        ({"n_angles": 0}, "n_angles must be a positive multiple of 4, got 0"),
        ({"n_modes": 9, "n_angles": 16}, "n_modes .* at most half of n_angles = 16, got 9"),
    ],
)
def test_impossible_rings_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        default_rings(64, **changes)


def test_default_rings_keep_to_the_image():
    for size in range(5, 151):
        rings = default_rings(size)
        assert rings.radius == (size - 1) / 2.0
        assert isinstance(rings, Rings)
        assert 2 * rings.n_modes <= rings.n_angles
