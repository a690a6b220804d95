"""Recipes bring images of any kind to comparable pixels from 0 to 1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.images.recipes import DEFAULT_RECIPE, RECIPES, Recipe, get_recipe
from skysort.synthetic import make_images

CURVES = {
    "linear": lambda x: x,
    "sqrt": lambda x: x**0.5,
    "cbrt": lambda x: x ** (1 / 3),
    "asinh": lambda x: np.arcsinh(x / 0.1) / np.arcsinh(10),
}


def plain_recipe(image, stretch, n_sigma=3.0):
    """Prepare one image (C, H, W), step by step."""
    _, height, width = image.shape
    image = np.where(np.isfinite(image), image, np.nan).astype(np.float64)
    edge = max(1, min(height, width) // 16)
    y, x = np.mgrid[:height, :width]
    is_border = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y]) < edge
    for channel in image:
        border = channel[is_border]
        if np.isnan(border).all():
            border = channel
        border = border[np.isfinite(border)]
        middle = np.median(border) if border.size else 0.0
        noise = 1.4826 * np.median(np.abs(border - middle)) if border.size else 0.0
        channel -= middle
        channel[np.isnan(channel)] = 0.0
        channel[(channel <= n_sigma * noise) | (channel < 0)] = 0.0
    disk = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) <= min(height, width) / 2
    peak = image[:, disk].max()
    if peak <= 0:
        return np.zeros_like(image)
    return CURVES[stretch](np.minimum(image / peak, 1.0))


@pytest.mark.parametrize("stretch", sorted(CURVES))
@pytest.mark.parametrize("size", [16, 33, 64])
def test_it_equals_the_plain_version(stretch, size):
    rng = np.random.default_rng(size)
    images = rng.normal(3.0, 1.0, (12, 2, size, size))
    images[:, :, size // 3 : size // 2, size // 3 :] += rng.uniform(0, 50, (12, 2, 1, 1))
    images[rng.random(images.shape) < 0.05] = np.nan
    images[3, 0, :3] = np.inf
    images[4, :, : size // 16 + 1] = np.nan
    images[5, 0] = np.nan
    border = max(1, size // 16)
    images[6, 1, :border] = images[6, 1, -border:] = np.nan
    images[6, 1, :, :border] = images[6, 1, :, -border:] = np.nan
    prepared = get_recipe(f"{stretch}-1")(images)
    expected = [plain_recipe(image.astype(np.float32), stretch) for image in images]
    np.testing.assert_allclose(prepared, expected, atol=2e-3 if stretch == "cbrt" else 2e-4)
    assert prepared.dtype == np.float32


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_uint8_and_float_images_come_out_between_zero_and_one(name):
    radio, _ = make_images(40, size=32, seed=1)
    clipped = np.clip(radio / radio.max(axis=(1, 2, 3), keepdims=True) * 255, 0, 255)
    for images in (radio, clipped.astype(np.uint8), (-radio).astype(np.float64)):
        prepared = get_recipe(name)(images)
        assert prepared.shape == images.shape
        assert prepared.min() >= 0
        assert prepared.max() <= 1
    assert (get_recipe(name)(radio).max(axis=(1, 2, 3)) > 0.9).all()


def test_most_of_the_sky_is_zero():
    radio, _ = make_images(100, size=64, seed=2, shapes=["compact"])
    assert (get_recipe(DEFAULT_RECIPE)(radio) == 0).mean() > 0.97


@pytest.mark.parametrize("value", [0, 7, -3, np.nan, np.inf, -np.inf, 255])
@pytest.mark.parametrize("name", sorted(RECIPES))
def test_constant_and_blank_images_give_zeros(name, value):
    images = np.full((2, 3, 9, 9), value, dtype=np.float64)
    assert (get_recipe(name)(images) == 0).all()


@settings(max_examples=50, deadline=None)
@given(
    name=st.sampled_from(sorted(RECIPES)),
    offset=st.floats(-2, 2),
    scale=st.floats(0.01, 100),
    seed=st.integers(0, 2**32 - 1),
)
def test_scale_and_offset_of_an_image_do_not_matter(name, offset, scale, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((1, 1, 16, 16)) ** 3 + 5.0 * (rng.random((1, 1, 16, 16)) > 0.9)
    near_the_cut = Recipe("here", 1, RECIPES[name].stretch, n_sigma=0.0)  # nothing jumps
    np.testing.assert_allclose(
        near_the_cut((image + offset) * scale), near_the_cut(image), atol=0.02
    )


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(RECIPES)), seed=st.integers(0, 2**32 - 1))
def test_a_turned_or_mirrored_image_is_prepared_alike(name, seed):
    image = np.random.default_rng(seed).normal(size=(1, 2, 20, 20)) ** 3
    recipe = get_recipe(name)
    for turned in (lambda a: np.rot90(a, axes=(2, 3)), lambda a: a[..., ::-1]):
        np.testing.assert_allclose(recipe(turned(image)), turned(recipe(image)), atol=1e-6)


def test_channels_have_their_own_background_and_one_common_peak():
    image = np.zeros((1, 2, 8, 8))
    image[0, 0] = 10.0
    image[0, 0, 4, 4] = 14.0
    image[0, 1, 3, 3] = 1.0
    prepared = get_recipe("linear-1")(image)[0]
    assert prepared[0, 4, 4] == 1.0
    assert prepared[1, 3, 3] == 0.25
    assert prepared.sum() == 1.25


def test_a_neighbour_in_the_corner_does_not_dim_the_source():
    image = np.zeros((1, 1, 32, 32))
    image[0, 0, 16, 16] = 1.0
    image[0, 0, 3, 3] = 100.0
    prepared = get_recipe("sqrt-1")(image)[0, 0]
    assert prepared[16, 16] == prepared[3, 3] == 1.0


def test_a_taper_brings_the_rim_to_zero_and_leaves_the_middle():
    image = np.random.default_rng(3).random((1, 1, 40, 40)) + np.eye(40)
    tapered, whole = get_recipe("sqrt-tapered-1")(image), get_recipe("sqrt-1")(image)
    y, x = np.mgrid[:40, :40] - 19.5
    radius = np.hypot(x, y) / 20.0
    assert (tapered[0, 0][radius >= 1] == 0).all()
    np.testing.assert_array_equal(tapered[0, 0][radius <= 0.8], whole[0, 0][radius <= 0.8])
    half = np.isclose(radius, 0.9, atol=0.005)
    np.testing.assert_allclose(tapered[0, 0][half], 0.5 * whole[0, 0][half], atol=0.05)


def test_the_input_is_not_changed_and_batches_do_not_matter():
    images = np.random.default_rng(0).normal(size=(1030, 1, 8, 8)).astype(np.float32)
    images[0, 0, 0, 0] = np.nan
    before = images.copy()
    recipe = get_recipe("asinh-1")
    prepared = recipe(images)
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(prepared[1020:], recipe(images[1020:]))
    assert recipe(images[:0]).shape == (0, 1, 8, 8)


def test_numbers_beyond_float32_are_blank():
    image = np.zeros((1, 1, 8, 8))
    image[0, 0, 4, 4], image[0, 0, 2, 2] = 1e300, 1.0
    assert get_recipe("linear-1")(image)[0, 0, 2, 2] == 1.0
    assert get_recipe("linear-1")(image).sum() == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get_recipe("magic"), "recipe must be one of linear-1, sqrt-1"),
        (lambda: Recipe("x", 1, stretch="magic"), "stretch must be one of linear, sqrt"),
        (lambda: Recipe("x", 1, n_sigma=-1), "n_sigma must not be negative"),
        (lambda: Recipe("x", 1, n_sigma=np.nan), "n_sigma must not be negative"),
        (lambda: Recipe("x", 1, taper=2), "taper must lie between 0 and 1"),
        (lambda: get_recipe("sqrt-1")(np.zeros((8, 8))), r"shape \(N, C, H, W\)"),
        (lambda: get_recipe("sqrt-1")(np.zeros((1, 1, 8, 8), complex)), "real numbers"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_keys_are_names_and_versions():
    assert {str(recipe) for recipe in RECIPES.values()} == set(RECIPES)
    assert DEFAULT_RECIPE == "sqrt-1"
