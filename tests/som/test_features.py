"""Features that know neither rotation nor flip, and the kernel on them."""

import numpy as np
import pytest
import torch

from skysort.errors import InputError
from skysort.som.config import SOMConfig
from skysort.som.features import (
    brightness,
    gaussian_kernel,
    invariant_kernel,
    median_distance,
    pairwise_distances,
    prototype_distances,
    ring_power,
)
from skysort.som.matching import Matcher, window_mask
from skysort.som.polar_som import PolarSOM
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_shapes

SIZE = 24
CONFIG = SOMConfig(image_shape=(1, SIZE, SIZE), rows=3, columns=3, n_rotations=72, epochs=4)


def make_smooth(n, seed=1, channels=1):
    """Random sources, smoothed by 1.5 pixels, that fade towards the rim."""
    rng = np.random.default_rng(seed)
    field = np.fft.rfft2(rng.normal(size=(n, channels, SIZE, SIZE)))
    ky, kx = np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)
    smooth = np.fft.irfft2(field * np.exp(-2.0 * (1.5 * np.pi) ** 2 * (kx**2 + ky**2)))
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2.0
    return (smooth * np.exp(-(x**2 + y**2) / (0.5 * (SIZE / 2.0) ** 2))).astype(np.float32)


def moved(images, seed=3):
    rng = np.random.default_rng(seed)
    angle = torch.from_numpy(rng.uniform(0.0, 2.0 * np.pi, len(images)))
    flip = torch.from_numpy(rng.integers(0, 2, len(images)).astype(bool))
    return rotate_images(torch.from_numpy(images), angle, flip).numpy()


def exact_distances(images, prototypes, config=CONFIG):
    """By brute force over all pixels, angles and flips."""
    matcher = Matcher(
        torch.from_numpy(prototypes),
        n_rotations=config.n_rotations,
        use_flip=config.use_flip,
        window=config.window,
        radius=config.radius,
    )
    return matcher.match(torch.from_numpy(images)).squared.sqrt().numpy()


def error(found, exact, a, b):
    """Error of squared distances (Na, Nb) as a share of the squared norms of the images."""
    norms = [brightness(part, CONFIG).astype(np.float64) ** 2 for part in (a, b)]
    return np.abs(found**2 - exact**2) / np.add.outer(*norms)


@pytest.fixture(scope="module")
def shapes():
    return make_shapes(90, size=SIZE, noise=0.03)


@pytest.fixture(scope="module")
def som(shapes):
    trained = PolarSOM(CONFIG)
    trained.fit(shapes[0])
    return trained


def test_prototype_distances_are_those_of_the_pixels(som, shapes):
    found = prototype_distances(som, shapes[0])
    prototypes = som.weights.numpy()
    exact = exact_distances(shapes[0], prototypes)
    assert found.shape == (90, 9)
    assert found.dtype == np.float32
    assert np.median(error(found, exact, shapes[0], prototypes)) < 0.01
    assert error(found, exact, shapes[0], prototypes).max() < 0.05


def test_prototype_distances_stay_under_rotation_and_flip(som, shapes):
    smooth = make_smooth(40)
    before, after = prototype_distances(som, smooth), prototype_distances(som, moved(smooth))
    assert np.abs(before - after).max() < 0.01 * before.mean()


def test_prototype_distances_come_in_the_order_of_the_images(som, shapes, monkeypatch):
    whole = prototype_distances(som, shapes[0])
    monkeypatch.setattr("skysort.som.features.CHUNK", 40)
    monkeypatch.setattr("skysort.som.features.BLOCK", 16)
    told = []
    parts = prototype_distances(som, shapes[0], on_progress=lambda *call: told.append(call))
    assert np.allclose(whole, parts, atol=1e-4)
    assert told == [(40, 90), (80, 90), (90, 90)]


def test_masked_pixels_are_not_compared(shapes):
    config = SOMConfig(
        image_shape=(1, SIZE, SIZE), rows=2, columns=2, n_rotations=72, epochs=2, blank="mask"
    )
    masked = PolarSOM(config)
    masked.fit(shapes[0])
    images = shapes[0].copy()
    images[:, :, :, :5] = np.nan
    found, whole = prototype_distances(masked, images), prototype_distances(masked, shapes[0])
    assert np.isfinite(found).all()
    assert np.median(np.abs(found / whole - 1.0)) < 0.15
    images[4, :, 3:-3, 3:-3] = np.nan
    images[4, :, :3] = images[4, :, -3:] = images[4, :, :, :3] = images[4, :, :, -3:] = np.nan
    images[4, 0, 0, 0] = 1.0  # a corner, which no disk covers
    for describe in (
        lambda: prototype_distances(masked, images),
        lambda: brightness(images, config),
    ):
        with pytest.raises(InputError, match="image 4 is blank in the whole disk"):
            describe()


def test_brightness_is_the_norm_over_the_disk():
    images = np.random.default_rng(1).normal(size=(5, 2, SIZE, SIZE)).astype(np.float32)
    config = SOMConfig(image_shape=(2, SIZE, SIZE), channel_weights=(1.0, 4.0), radius=8.0)
    disk = window_mask(SIZE, "disk", 8.0).numpy()
    power = (images[:, :, disk].astype(np.float64) ** 2).sum(axis=2) @ [1.0, 4.0]
    assert np.allclose(brightness(images, config), np.sqrt(power), rtol=1e-5)


def test_pairwise_distances_are_those_of_the_pixels():
    a, b = make_smooth(20, seed=1), make_smooth(30, seed=2)
    found = pairwise_distances(a, b, CONFIG)
    assert found.shape == (20, 30)
    assert error(found, exact_distances(a, b), a, b).max() < 0.05


def test_pairwise_distances_are_symmetric_and_blind_to_rotation_and_flip():
    images = make_smooth(20)
    apart = pairwise_distances(images, images, CONFIG)
    assert np.allclose(apart, apart.T, atol=0.01 * apart.mean())
    assert np.diag(apart).max() < 0.01 * apart.mean()
    again = pairwise_distances(moved(images), images, CONFIG)
    assert error(again, apart, images, images).max() < 0.03


def test_without_flips_a_mirror_image_is_another_one():
    images = make_smooth(6)
    mirrored = np.ascontiguousarray(images[..., ::-1])
    config = SOMConfig(image_shape=(1, SIZE, SIZE), use_flip=False)
    assert np.diag(pairwise_distances(images, mirrored, config)).min() > (
        10.0 * np.diag(pairwise_distances(images, mirrored, CONFIG)).max()
    )


def test_pairwise_distances_come_in_blocks(monkeypatch):
    a, b = make_smooth(7, seed=1), make_smooth(9, seed=2)
    whole = pairwise_distances(a, b, CONFIG)
    monkeypatch.setattr("skysort.som.features.PROTOTYPE_BLOCK", 4)
    monkeypatch.setattr("skysort.som.features.CHUNK", 5)
    told = []
    parts = pairwise_distances(a, b, CONFIG, on_progress=lambda *call: told.append(call))
    assert np.allclose(whole, parts, atol=1e-4)
    assert told[-1] == (63, 63)
    assert told == sorted(told)


def test_ring_power_sums_to_the_squared_norm():
    images = make_smooth(8, channels=2)
    power = ring_power(images, CONFIG.rings, scale="linear")
    norm = brightness(images, SOMConfig(image_shape=(2, SIZE, SIZE))) ** 2
    assert np.allclose(power.sum(axis=1), norm, rtol=0.1)


def test_ring_power_stays_under_rotation_and_flip():
    images = make_smooth(20)
    before, after = (ring_power(part, CONFIG.rings) for part in (images, moved(images)))
    change = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    assert change.max() < 0.05
    assert median_distance(before) > 5.0 * np.linalg.norm(after - before, axis=1).max()


def test_logarithmic_ring_power_does_not_know_the_brightness():
    images = make_smooth(5)
    one, bright = (ring_power(part, CONFIG.rings, scale="log") for part in (images, 7.0 * images))
    assert np.allclose(one, bright, atol=1e-3)
    blank = ring_power(np.zeros((1, 1, SIZE, SIZE)), CONFIG.rings, scale="log")
    assert np.isfinite(blank).all()


def test_kernel_is_one_for_turned_copies_and_positive():
    images = make_smooth(15)
    both = np.concatenate([images, moved(images)])
    kernel = invariant_kernel(both, both, images, CONFIG)
    assert np.allclose(np.diag(kernel), 1.0)
    assert kernel[np.arange(15), np.arange(15) + 15].min() > 0.99
    assert np.linalg.eigvalsh(kernel).min() > -1e-8
    assert np.median(kernel) == pytest.approx(np.exp(-0.5), abs=0.05)


def test_kernel_of_some_images_is_a_part_of_the_kernel_of_all():
    images = make_smooth(12)
    whole = invariant_kernel(images, images, images[:5], CONFIG, bandwidth=3.0)
    part = invariant_kernel(images[:4], images, images[:5], CONFIG, bandwidth=3.0)
    assert np.allclose(whole[:4], part, atol=2e-3)


def test_bad_input_is_refused(som, shapes):
    images = shapes[0].copy()
    images[7, 0, 3, 3] = np.nan
    for describe in (
        lambda: prototype_distances(som, images),
        lambda: pairwise_distances(images, images[:2], CONFIG),
        lambda: ring_power(images, CONFIG.rings),
        lambda: brightness(images, CONFIG),
    ):
        with pytest.raises(InputError, match="image 7 has blank"):
            describe()
    with pytest.raises(InputError, match="scale must be linear, sqrt or log, got cubic"):
        ring_power(shapes[0], CONFIG.rings, scale="cubic")
    with pytest.raises(InputError, match="there are no images to describe, got 0"):
        ring_power(images[:0], CONFIG.rings)
    with pytest.raises(InputError, match=r"bandwidth must be positive and finite, got 0\.0"):
        gaussian_kernel(np.ones((2, 1)), np.ones((2, 1)), bandwidth=0.0)
    with pytest.raises(InputError, match="a median distance needs at least two rows, got 1"):
        median_distance(np.ones((1, 3)))
    with pytest.raises(InputError, match="more than half of the rows are equal"):
        median_distance(np.ones((4, 3)))
