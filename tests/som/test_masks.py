"""Blank pixels are left out of the comparison and move no prototype."""

import math

import numpy as np
import pytest
import torch

from skysort.cli import main
from skysort.errors import InputError
from skysort.som.checkpoint import load_map
from skysort.som.config import SOMConfig
from skysort.som.exact import ExactSOM
from skysort.som.polar_som import PolarSOM
from skysort.som.quality import quantization_error
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_blobs

SIZE = 24


def make_map(prototypes, **changes):
    settings = {"rows": 2, "columns": 3, "n_rotations": 24, "blank": "mask"}
    som = PolarSOM(SOMConfig(image_shape=prototypes.shape[1:], **settings | changes))
    som.weights = torch.from_numpy(prototypes.copy())
    return som


def with_gaps(images, share=0.2, seed=1):
    """Images with a blank block in each, which may go around the edge: every pixel in `share`."""
    rng = np.random.default_rng(seed)
    spoilt = images.copy()
    size = images.shape[-1]
    block = np.arange(round(size * math.sqrt(share)))
    for image in spoilt:
        y, x = rng.integers(0, size, 2)
        image[:, (y + block[:, None]) % size, (x + block) % size] = np.nan
    return spoilt


def turn_all(image, n_rotations):
    """One image (C, H, W) at all angles and flips: (2 n_rotations, C, H, W)."""
    angles = 2.0 * math.pi / n_rotations * torch.arange(n_rotations, dtype=torch.float64).repeat(2)
    flips = torch.arange(2).repeat_interleave(n_rotations) == 1
    copies = torch.from_numpy(image).expand(2 * n_rotations, *image.shape)
    return rotate_images(copies.clone(), angles, flips).numpy()


def compare_one_by_one(image, prototypes, som):
    """Least distances at any angle and flip over what is seen, scaled up to the window."""
    window, n_rotations = som._comparison.window.numpy(), som.config.n_rotations
    shown = np.nan_to_num(image)
    pixels = turn_all(shown, n_rotations)[..., window].astype(np.float64)  # (A, C, D)
    seen = 1.0 - turn_all(np.isnan(image).astype(np.float32), n_rotations)[..., window]
    squares = shown[None] ** 2
    if som.config.window == "square":  # which the image is turned out of
        squares = turn_all(shown**2, n_rotations)
    norms = squares[..., window].sum(axis=(1, 2), dtype=np.float64)  # (A,) or (1,)
    scale = seen[0].size / seen.sum(axis=(1, 2))
    found = []
    for unit in prototypes[..., window].astype(np.float64):
        apart = norms + (unit**2 * seen - 2.0 * unit * pixels).sum(axis=(1, 2))
        found.append(math.sqrt(max(0.0, float((scale * apart).min()))))
    return found


@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize("channels", [1, 2])
def test_distance_is_that_of_the_seen_pixels_scaled_up(window, channels):
    # With 180 steps none is 45 degrees, where half of a gap's edge is exactly half a pixel.
    prototypes = make_blobs(6, SIZE, channels, seed=1)
    som = make_map(prototypes, window=window, n_rotations=180)
    images = with_gaps(make_blobs(25, SIZE, channels, seed=2))
    places = som.project(images)
    tables = [compare_one_by_one(image, prototypes, som) for image in images]
    farther = places.distance / np.min(tables, axis=1) - 1.0
    assert farther.min() >= -1e-4
    # Gaps have sharp edges, which the few rings of a small image do not: measured 0.9 to 0.97.
    assert (farther < 5e-3).mean() >= 0.85
    assert (places.best == np.argmin(tables, axis=1)).mean() >= 0.95


@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize("size", [24, 64])
def test_images_with_gaps_stay_on_their_unit(window, size):
    images = make_blobs(200, size, seed=3)
    prototypes, images = images[:6], images[6:]
    whole, gappy = (
        make_map(prototypes, window=window).project(x)
        for x in (images, with_gaps(images, share=0.05))
    )
    clear = whole.second_distance > 1.1 * whole.distance
    assert clear.sum() > 100
    assert (whole.best == gappy.best)[clear].mean() >= 0.95


def test_images_without_gaps_are_placed_as_without_masks():
    images = make_blobs(40, SIZE, seed=4)
    masked, plain = (make_map(images[:6], blank=blank) for blank in ("mask", "error"))
    one, other = masked.project(images[6:]), plain.project(images[6:])
    assert np.array_equal(one.best, other.best)
    assert np.array_equal(one.distance, other.distance)
    spoilt = images[6:].copy()
    spoilt[0, :, :4] = np.nan  # one image with a gap among many without
    among = masked.project(spoilt)
    assert np.array_equal(among.best[1:], other.best[1:])
    assert np.allclose(among.distance[1:], other.distance[1:], rtol=1e-3)


def test_blank_corners_outside_of_the_disk_change_nothing():
    """A mosaic's edge in a corner that no angle turns into the disk."""
    images = make_blobs(40, 33, seed=4)
    som = make_map(images[:6])
    spoilt = images[6:].copy()
    spoilt[:, :, :4, :4] = np.nan
    whole, gappy = som.project(images[6:]), som.project(spoilt)
    assert np.array_equal(whole.best, gappy.best)
    assert np.allclose(whole.distance, gappy.distance, rtol=1e-3)


@pytest.mark.parametrize("window", ["disk", "square"])
def test_near_images_with_gaps_are_compared_too(window):
    images = make_blobs(20, SIZE, seed=5)
    som = make_map(images[:6], window=window)
    places = som.project(with_gaps(images[:6], share=0.1))
    assert places.best.tolist() == list(range(6))
    norm = np.sqrt(np.square(images[:6]).sum(axis=(1, 2, 3)))
    assert (places.distance < 0.05 * norm).all()


def train(images, **changes):
    settings = {"rows": 3, "columns": 3, "n_rotations": 72, "epochs": 6, "blank": "mask"}
    som = PolarSOM(SOMConfig(image_shape=images.shape[1:], **settings | changes))
    som.fit(images)
    return som


def error_of(som, images):
    """Quantization error by the reference."""
    config = SOMConfig(image_shape=images.shape[1:], rows=3, columns=3, n_rotations=72)
    exact = ExactSOM(config)
    exact.weights = som.weights
    return quantization_error(exact.project(images))


@pytest.mark.parametrize(("window", "batch_size"), [("disk", None), ("square", None), ("disk", 60)])
def test_training_with_gaps_ends_near_the_map_of_whole_images(window, batch_size):
    images, held_out = make_blobs(300, SIZE, seed=6), make_blobs(100, SIZE, seed=7)
    whole = train(images, window=window, batch_size=batch_size)
    gappy = train(with_gaps(images), window=window, batch_size=batch_size)
    assert torch.isfinite(gappy.weights).all()
    # Measured: 1 % better to 2.7 % worse, with a fifth of the pixels missing.
    assert error_of(gappy, held_out) <= 1.04 * error_of(whole, held_out)
    assert len(gappy.project(with_gaps(held_out))) == 100


def test_gaps_do_not_darken_the_prototypes():
    """Were blank pixels taken for 0, the mean would fall by the share that is missing."""
    one = make_blobs(1, SIZE, seed=8, width=4.0) + 1.0
    images = np.repeat(one, 60, axis=0)
    som = train(with_gaps(images, share=0.3), rows=1, columns=2, epochs=8)
    inside = som._comparison.window
    mean = som.weights[..., inside].mean(dim=2)
    # The gaps of the first prototypes fill up by and by: measured 2 and 3 % after 8 epochs.
    assert torch.allclose(mean, torch.from_numpy(one)[0, 0][inside].mean(), rtol=0.06)


def test_blank_image_is_refused_with_its_index():
    images = make_blobs(40, SIZE, seed=9)
    images[17] = np.nan
    for action in (make_map(images[:6]).project, make_map(images[:6]).fit):
        with pytest.raises(InputError, match="image 17 is blank: all of its pixels are NaN"):
            action(images)


def test_image_that_is_blank_in_the_window_is_refused_with_its_index():
    images = make_blobs(40, SIZE, seed=9)
    som = make_map(images[:6])
    images[17, :, som._comparison.window.numpy()] = np.nan
    with pytest.raises(InputError, match="image 17 is blank in the whole window that is compared"):
        som.project(images)


@pytest.mark.parametrize("blank", ["mask", "error"])
def test_infinite_pixels_are_always_refused(blank):
    images = make_blobs(40, SIZE, seed=9)
    som = make_map(images[:6], blank=blank)
    images[23, 0, 3, 4] = np.inf
    for action in (som.project, som.fit):
        with pytest.raises(InputError, match="image 23 has infinite pixels"):
            action(images)


def test_nan_is_refused_unless_it_is_to_be_masked():
    images = with_gaps(make_blobs(40, SIZE, seed=9))
    som = make_map(make_blobs(6, SIZE, seed=1), blank="error")
    with pytest.raises(InputError, match=r"image 0 has blank \(NaN\) pixels; apply a"):
        som.project(images)
    with pytest.raises(InputError, match=r"has blank \(NaN\) pixels; apply a"):
        som.fit(images)


def test_the_command_trains_and_maps_images_with_gaps(tmp_path, capsys):
    images = with_gaps(make_blobs(60, SIZE, seed=10))
    source, target = tmp_path / "images.npy", tmp_path / "map.safetensors"
    np.save(source, images)
    training = ["--grid", "2x3", "--epochs", "3", "--rotations", "24", "--recipe", "none"]
    assert main(["train", str(source), "-o", str(target), *training]) == 1
    assert "blank (NaN) pixels" in capsys.readouterr().err
    assert main(["train", str(source), "-o", str(target), *training, "--blank", "mask"]) == 0
    state = load_map(target)
    assert state.config.blank == "mask"
    assert np.isfinite(state.weights).all()
    assert main(["map", str(target), str(source), "-o", str(tmp_path / "places.fits")]) == 0
    assert main(["quality", str(target), str(source)]) == 0
