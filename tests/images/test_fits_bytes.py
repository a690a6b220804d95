"""Single images are written as FITS, in 16 bits where that loses nothing one could see."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.images.fits_bytes import fits_bytes, quantization_step


def noisy(sigma: float = 1.5e-4, *, channels: int = 1, size: int = 64) -> np.ndarray:
    rng = np.random.default_rng(4)
    image = rng.normal(3e-4, sigma, (channels, size, size)).astype(np.float32)
    image[:, 30:34, 30:34] += 100 * sigma
    return image


def opened(file: bytes):
    assert len(file) % 2880 == 0
    with fits.HDUList.fromstring(file) as hdus:
        hdus.verify("exception")
        return hdus[0].header.copy(), np.array(hdus[0].data)


@pytest.mark.parametrize("sigma", [1e-7, 1.5e-4, 12.0])
def test_rounding_stays_far_below_the_noise(sigma):
    image = noisy(sigma)
    header, data = opened(fits_bytes(image))
    assert np.abs(data - image[0]).max() < sigma / 8
    assert header["BSCALE"] == pytest.approx(sigma / 16, rel=0.1)


def test_sixteen_bits_are_kept_where_they_are_enough():
    file = fits_bytes(noisy())
    assert fits.Header.fromstring(file)["BITPIX"] == 16
    assert len(file) == 2880 * (1 + 3)


def test_a_bright_peak_needs_floating_point_and_stays_exact():
    image = noisy()
    image[0, 5, 5] = 1.0e3
    header, data = opened(fits_bytes(image))
    assert header["BITPIX"] == -32
    np.testing.assert_array_equal(data, image[0])


def test_blank_pixels_stay_blank():
    image = noisy()
    image[0, :3, 10] = [np.nan, np.inf, -np.inf]
    _, data = opened(fits_bytes(image))
    assert np.isnan(data[:3, 10]).all()
    assert np.isfinite(data).sum() == data.size - 3


def test_channels_are_the_third_axis_and_share_the_finest_step():
    image = np.concatenate([noisy(1.0), noisy(3.0), noisy(9.0)])
    header, data = opened(fits_bytes(image))
    assert (header["NAXIS"], header["NAXIS3"]) == (3, 3)
    assert np.abs(data - image).max() < 1 / 8


@pytest.mark.parametrize("span", [1, 255, 65534])
def test_whole_numbers_stay_as_they_are(span):
    image = np.array([[[0, span, 1, 0, 0, 1, 1, 0, span]]], dtype=np.float32)
    header, data = opened(fits_bytes(image))
    assert (header["BITPIX"], header["BSCALE"]) == (16, 1.0)
    np.testing.assert_array_equal(data, image[0])


@pytest.mark.parametrize("image", [np.full((1, 6, 6), np.nan), np.full((1, 6, 6), 0.25)])
def test_an_image_without_noise_is_floating_point(image):
    header, data = opened(fits_bytes(image))
    assert header["BITPIX"] == -32
    np.testing.assert_array_equal(data, image[0])


def test_cards_are_said_in_plain_characters():
    header, _ = opened(fits_bytes(noisy(), {"OBJECT": ("Méndez's ☉", ""), "RA": (1.5, "[deg]")}))
    assert (header["OBJECT"], header["RA"]) == ("Mendez's ?", 1.5)


def test_a_long_name_is_kept_whole():
    header, _ = opened(fits_bytes(noisy(), {"OBJECT": ("w" * 200, "")}))
    assert header["OBJECT"] == "w" * 200


@given(st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
@settings(max_examples=30, deadline=None)
def test_no_value_moves_by_more_than_half_a_step(seed, middle, sigma):
    image = np.random.default_rng(seed).normal(middle, sigma, (1, 8, 8)).astype(np.float32)
    step = quantization_step(image)
    _, data = opened(fits_bytes(image))
    if step is None:
        np.testing.assert_array_equal(data, image[0])
    else:
        limit = 0.51 * step + 4e-7 * np.abs(image).max()
        assert np.abs(data.astype(np.float64) - image[0]).max() <= limit


@pytest.mark.parametrize("shape", [(4, 4), (1, 0, 4)])
def test_bad_shapes_are_named(shape):
    with pytest.raises(InputError, match="pixels must have shape"):
        fits_bytes(np.zeros(shape))
