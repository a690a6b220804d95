"""Turning or mirroring an image changes neither its unit nor its distance; ties are no chance."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.som.config import SOMConfig
from skysort.som.polar_som import PolarSOM
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_blobs, make_noise

SIZE = 33
SHAPE = (1, SIZE, SIZE)


def make_map(prototypes=None, **changes):
    weights = make_blobs(12, SIZE, seed=1) if prototypes is None else prototypes
    settings = {"rows": 3, "columns": len(weights) // 3, "n_rotations": 360}
    som = PolarSOM(SOMConfig(image_shape=weights.shape[1:], **settings | changes))
    som.weights = torch.from_numpy(weights.copy())
    return som


def moved(images, angle, *, flip):
    n = len(images)
    pixels = torch.from_numpy(images)
    return rotate_images(pixels, torch.full((n,), angle), torch.full((n,), flip)).numpy()


@pytest.mark.parametrize("window", ["disk", "square"])
def test_images_keep_unit_and_distance_at_any_angle(window):
    """Blobs so wide (a sigma of 4 pixels) that interpolation takes nothing from them."""
    size, rng = 64, np.random.default_rng(3)
    som = make_map(make_blobs(12, size, seed=1, width=4.0), window=window)
    images = make_blobs(400, size, seed=2, width=4.0)
    turned = rotate_images(
        torch.from_numpy(images),
        torch.from_numpy(rng.uniform(0.0, 2.0 * math.pi, 400)),
        torch.from_numpy(rng.integers(0, 2, 400).astype(bool)),
    ).numpy()
    before, after = som.project(images), som.project(turned)
    tied = before.second_distance <= before.distance * 1.005
    assert ((before.best == after.best) | tied).mean() >= 0.995
    same = before.best == after.best
    # Whole degrees, and interpolation, change a distance too: measured 0.08 % at most.
    assert np.allclose(after.distance[same], before.distance[same], rtol=2e-3)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    angle=st.floats(0.0, 2.0 * math.pi),
    flip=st.booleans(),
    seed=st.integers(0, 1000),
    window=st.sampled_from(["disk", "square"]),
)
def test_nearly_tied_or_not_the_distance_stays(angle, flip, seed, window):
    som = make_map(make_blobs(6, 48, seed=1, width=4.0), n_rotations=180, window=window)
    images = make_blobs(8, 48, seed=seed, width=4.0)
    before, after = som.project(images), som.project(moved(images, angle, flip=flip))
    # Two units may be equally near within the error of interpolation; the distance is one.
    norm = np.sqrt(np.square(images).sum(axis=(1, 2, 3)))
    assert (np.abs(after.distance - before.distance) <= 0.01 * before.distance + 0.003 * norm).all()
    untied = before.second_distance > before.distance * 1.03
    assert np.array_equal(before.best[untied], after.best[untied])


@pytest.mark.parametrize(("quarter", "flip"), [(1, False), (2, False), (0, True), (3, True)])
@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize(("size", "channels"), [(16, 2), (24, 1), (33, 1)])
def test_quarter_turns_and_flips_are_exact(quarter, flip, window, size, channels):
    som = make_map(make_blobs(12, size, channels, seed=1), n_rotations=72, window=window)
    images = make_blobs(300, size, channels, seed=9)
    before = som.project(images)
    after = som.project(moved(images, quarter * math.pi / 2.0, flip=flip))
    assert np.array_equal(before.best, after.best)
    # One in some hundred images is climbed to from another side, to a step that is as good.
    assert np.isclose(after.distance, before.distance, rtol=1e-4).mean() >= 0.99
    assert np.allclose(after.distance, before.distance, rtol=2e-3)


@settings(deadline=None, max_examples=10, derandomize=True)
@given(st.integers(0, 100))
def test_angle_and_flip_bring_the_image_to_its_distance(seed):
    som, images = make_map(), make_blobs(40, SIZE, seed=200 + seed)
    places = som.project(images)
    aligned = rotate_images(
        torch.from_numpy(images),
        torch.from_numpy(places.angle_rad),
        torch.from_numpy(places.flip),
    )
    apart = (aligned - som.weights[places.best])[..., som._comparison.window]
    # The distance is that of the nearest whole degree, the angle lies between two.
    norm = np.sqrt(np.square(images).sum(axis=(1, 2, 3)))
    assert np.abs(apart.square().sum((1, 2)).sqrt().numpy() - places.distance).max() <= (
        0.005 * norm.max()
    )


@pytest.mark.parametrize("angle", [0.0, 0.3, 2.0, 4.0, 6.2])
@pytest.mark.parametrize("flip", [False, True])
def test_turned_prototype_is_found_again_with_its_angle_and_flip(angle, flip):
    som = make_map()
    # A mirror undoes itself, so the same turn follows it: rotate(a) flip rotate(a) flip = 1.
    turned = moved(som.weights.numpy(), angle if flip else -angle, flip=flip)
    places = som.project(turned)
    assert places.best.tolist() == list(range(12))
    assert (places.flip == flip).all()
    apart = np.abs((places.angle_rad - angle + np.pi) % (2.0 * np.pi) - np.pi)
    assert (apart < math.radians(0.2)).all()


@pytest.mark.parametrize("n_copies", [3, 6, 9, 12])
@pytest.mark.parametrize("window", ["disk", "square"])
def test_ties_go_to_the_lowest_unit(n_copies, window):
    """Copies of one prototype, more than the short list holds, after units that are far."""
    far = make_blobs(12 - n_copies, SIZE, seed=5) * 10.0
    copies = np.repeat(make_blobs(1, SIZE, seed=6), n_copies, axis=0)
    som = make_map(np.concatenate([far, copies]), window=window)
    places = som.project(make_blobs(30, SIZE, seed=7))
    assert (places.best == 12 - n_copies).all()
    assert (places.second == 13 - n_copies).all()
    # Only the best unit's distance is looked for at more than the neighbouring angles.
    assert (places.distance <= places.second_distance * (1.0 + 1e-6)).all()
    assert np.allclose(places.distance, places.second_distance, rtol=1e-3)


def test_mirrored_copy_of_a_prototype_ties_with_it():
    one = make_blobs(1, SIZE, seed=6)
    weights = np.concatenate([make_blobs(4, SIZE, seed=5) * 10.0, one, one[..., ::-1]])
    places = make_map(weights, rows=2, columns=3).project(make_blobs(30, SIZE, seed=7))
    assert (places.best >= 4).all()
    assert (places.second >= 4).all()
    assert np.allclose(places.distance, places.second_distance, rtol=1e-3)


@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize("n_rotations", [4, 72, 360])
def test_blank_image_stays_as_it_is(window, n_rotations):
    som = make_map(window=window, n_rotations=n_rotations)
    places = som.project(np.zeros((2, *SHAPE), np.float32))
    norms = som.weights[..., som._comparison.window].square().sum((1, 2)).sqrt()
    assert (places.best == int(norms.argmin())).all()
    assert places.distance == pytest.approx(float(norms.min()), rel=1e-5)
    assert (places.angle_rad == 0.0).all()
    assert not places.flip.any()


def make_symmetric():
    """A disk, a ring and a dot: what no angle and no flip changes."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2.0
    radius = np.hypot(y, x)
    disk = 1.0 / (1.0 + np.exp((radius - 8.0) / 1.5))
    ring = np.exp(-(((radius - 9.0) / 2.5) ** 2))
    return np.stack([disk, ring, np.exp(-((radius / 3.0) ** 2))])[:, None].astype(np.float32)


def test_round_images_on_round_prototypes_stay_as_they_are():
    images = make_symmetric()
    som = make_map(np.concatenate([0.8 * images, 0.1 * images]), rows=2, columns=3)
    places = som.project(images)
    assert places.best.tolist() == [0, 1, 2]
    assert (places.angle_rad == 0.0).all()
    assert not places.flip.any()


def test_round_image_on_any_prototypes_has_one_distance_at_all_turns():
    som, images = make_map(), make_symmetric()
    before = som.project(images)
    for angle, flip in ((0.4, False), (1.0, True), (math.pi / 2.0, False)):
        after = som.project(moved(images, angle, flip=flip))
        assert np.array_equal(after.best, before.best)
        assert np.allclose(after.distance, before.distance, rtol=1e-2)


def test_cross_is_not_turned_by_quarters_without_need():
    """A cross looks alike at four angles and their mirrors: the first one is taken."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2.0
    bars = np.exp(-((y / 3.0) ** 2)) + np.exp(-((x / 3.0) ** 2))
    cross = (bars * np.exp(-((np.hypot(y, x) / 9.0) ** 4))).astype(np.float32)[None, None]
    som = make_map(np.concatenate([cross, make_blobs(5, SIZE)]), rows=2, columns=3)
    turned = moved(cross, -0.3, flip=False)
    places = som.project(np.concatenate([cross, turned]))
    assert places.best.tolist() == [0, 0]
    assert not places.flip.any()
    assert places.angle_rad == pytest.approx([0.0, 0.3], abs=math.radians(0.2))


def test_equal_images_get_equal_answers_wherever_they_stand():
    """Also across the borders of blocks and chunks."""
    som = make_map(n_rotations=72)
    images = make_noise(300, SIZE, seed=4)
    images[[130, 200, 299]] = images[3]
    places, alone = som.project(images), som.project(images[3:4])
    som.memory_bytes = 1
    one_by_one = som.project(images[[3, 130]])
    for answer in (places.best, places.second, places.flip):
        assert len(set(answer[[3, 130, 200, 299]].tolist())) == 1
    for found in (alone, one_by_one):
        assert found.best[0] == places.best[3]
        assert found.second[0] == places.second[3]
        assert found.flip[0] == places.flip[3]
        assert found.angle_rad[0] == pytest.approx(places.angle_rad[3], abs=1e-3)
        assert found.distance[0] == pytest.approx(places.distance[3], rel=1e-5)
    assert np.allclose(places.distance[[130, 200, 299]], places.distance[3], rtol=1e-6)


def test_answers_are_the_same_every_time():
    som, images = make_map(), make_noise(100, SIZE, seed=8)
    one, other = som.project(images), som.project(images)
    for name in ("best", "second", "distance", "second_distance", "angle_rad", "flip"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
