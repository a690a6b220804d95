"""Large images are cut to what belongs to their sources, whatever lies around."""

import numpy as np
import pytest

from skysort.errors import InputError
from skysort.images.field_of_view import FieldOfView, choose_field, signal_radius


def make_sources(n=40, side=96, sigma=5.0, neighbors=0, seed=1):
    """Blobs in the middle, neighbors of the same kind anywhere, noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2.0
    images = np.exp(-(x**2 + y**2) / (2 * sigma**2)) + rng.normal(0.0, 0.01, (n, side, side))
    for image in images:
        for at_y, at_x in rng.uniform(-side / 2, side / 2, (neighbors, 2)):
            image += 0.8 * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / 8.0)
    return images[:, None]


def test_the_radius_follows_the_size_of_the_sources():
    # A Gaussian has 95 % of its light within 2.45 sigma; the clip at 3 times the noise cuts little.
    for sigma in (4.0, 8.0):
        assert signal_radius([make_sources(sigma=sigma)]) == pytest.approx(2.45 * sigma, abs=1.5)


def test_neighbors_do_not_widen_it():
    alone, crowded = make_sources(), make_sources(n=300, neighbors=2)
    assert signal_radius([crowded]) == pytest.approx(signal_radius([alone]), abs=4.0)


def test_parts_give_what_the_whole_gives():
    images = make_sources(neighbors=1)
    assert signal_radius([images[:7], images[7:]]) == signal_radius([images])


def test_images_without_light_keep_their_field():
    assert signal_radius([np.zeros((3, 1, 20, 20))]) == 10.0
    assert signal_radius([np.full((3, 1, 20, 20), np.nan)]) == 10.0


def test_blank_pixels_do_not_enter_a_mean():
    image = np.ones((1, 1, 4, 4))
    image[0, 0, 0, 0] = np.nan
    image[0, 0, 0, 1] = np.inf
    image[0, 0, 2:, 2:] = np.nan
    seen = FieldOfView(width=4, factor=2)(image)
    np.testing.assert_array_equal(seen[0, 0], [[1.0, 1.0], [1.0, np.nan]])


def test_averaging_keeps_channels_and_images_apart():
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (3, 2, 10, 10)).astype(np.uint8)
    seen = FieldOfView(width=6, factor=3)(images)
    assert seen.shape == (3, 2, 2, 2)
    assert seen[2, 1, 0, 1] == pytest.approx(images[2, 1, 2:5, 5:8].mean(), rel=1e-6)


@pytest.mark.parametrize("side", [65, 100, 150, 301, 424])
@pytest.mark.parametrize("radius", [3.0, 20.0, 50.0, 1000.0])
@pytest.mark.parametrize("size", [33, 64])
def test_the_field_holds_the_radius_and_fits_the_size(side, radius, size):
    field = choose_field(side, radius, size)
    assert field.width <= side
    assert 1 <= field.size <= size
    assert field.width > min(2 * radius, side) - 2 * field.factor
    assert field.factor > 1 or (side - field.width) % 2 == 0  # as much cut left as right


def test_small_images_stay_as_they_are():
    assert choose_field(64, 5.0, 64) == FieldOfView(64, 1)


def test_wrong_settings_are_told():
    with pytest.raises(InputError, match="size must be at least 1, got 0"):
        choose_field(64, 5.0, 0)
    with pytest.raises(InputError, match="parts must hold at least one image"):
        signal_radius([])
    with pytest.raises(InputError, match="width must be a positive multiple of factor, got 5 and"):
        FieldOfView(5, 2)
    with pytest.raises(InputError, match="images must be 12 pixels across at least, got 8"):
        FieldOfView(12, 1)(np.zeros((1, 1, 8, 8)))
