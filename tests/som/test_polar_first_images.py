"""The fast map on real radio images, against the reference."""

import numpy as np
import pytest
import torch

from skysort.som.config import SOMConfig
from skysort.som.exact import ExactSOM
from skysort.som.polar_som import PolarSOM
from skysort.som.quality import quantization_error
from skysort.som.rotation import rotate_images
from tests.som.test_first_images import first as first

pytestmark = pytest.mark.realdata
N_TRAIN = 250
SHAPE = (1, 64, 64)


@pytest.fixture(scope="module")
def polar(first):
    som = PolarSOM(SOMConfig(image_shape=SHAPE, rows=5, columns=5, epochs=6))
    som.fit(first[0][:N_TRAIN])
    return som


def project_both(weights, images, **changes):
    config = SOMConfig(image_shape=SHAPE, rows=5, columns=5, **changes)
    exact, fast = ExactSOM(config), PolarSOM(config)
    exact.weights = fast.weights = weights
    return exact.project(images), fast.project(images)


@pytest.mark.parametrize(("window", "n_rotations"), [("disk", 360), ("square", 120)])
def test_projection_agrees_with_the_reference(first, polar, window, n_rotations):
    images = first[0][N_TRAIN:]
    exact, fast = project_both(polar.weights, images, window=window, n_rotations=n_rotations)
    assert (exact.best == fast.best).mean() >= 0.993  # one of 150
    near = np.abs(fast.distance / exact.distance - 1.0) <= 1e-3
    # The beam is 1.5 pixels wide, so that interpolation ripples the distance from step to step.
    assert near.mean() >= 0.95
    same = near & (exact.flip == fast.flip)
    turned = np.abs((fast.angle_rad - exact.angle_rad + np.pi) % (2.0 * np.pi) - np.pi)
    limit = max(np.pi / 180.0, 0.51 * 2.0 * np.pi / n_rotations)
    assert (turned[same] <= limit).mean() >= 0.97


def test_turned_and_mirrored_sources_stay_on_their_prototypes(first, polar):
    images = first[0]
    before = polar.project(images)
    after = polar.project(np.ascontiguousarray(np.rot90(images, axes=(2, 3))[..., ::-1]))
    assert (before.best == after.best).mean() >= 0.995
    assert np.isclose(before.distance, after.distance, rtol=1e-4).mean() >= 0.99


def test_sources_turned_by_any_angle_stay_on_their_prototypes(first, polar):
    """What interpolation takes from pixels changes a distance, by as much for the reference."""
    images, rng = first[0][:100], np.random.default_rng(1)
    turned = rotate_images(
        torch.from_numpy(images),
        torch.from_numpy(rng.uniform(0.0, 2.0 * np.pi, 100)),
        torch.from_numpy(rng.integers(0, 2, 100).astype(bool)),
    ).numpy()
    (exact, before), (exact_after, after) = (
        project_both(polar.weights, pixels) for pixels in (images, turned)
    )
    assert (before.best == after.best).mean() >= 0.99
    change, expected = after.distance / before.distance, exact_after.distance / exact.distance
    assert np.isclose(change, expected, rtol=1e-3).mean() >= 0.99


def test_map_is_as_good_as_that_of_the_reference_and_better_than_that_of_pink(first):
    train, held_out = first[0][:N_TRAIN], first[0][N_TRAIN:]
    settings = {"image_shape": SHAPE, "rows": 4, "columns": 4, "epochs": 4, "n_rotations": 24}
    errors = {}
    for name, engine, changes in (
        ("polar", PolarSOM, {}),
        ("exact", ExactSOM, {}),
        ("pink", ExactSOM, {"rule": "pink"}),
    ):
        som = engine(SOMConfig(**settings | changes))
        som.fit(train)
        judge = ExactSOM(SOMConfig(**settings))
        judge.weights = som.weights
        errors[name] = quantization_error(judge.project(held_out))
    assert errors["polar"] <= 1.015 * errors["exact"], errors
    assert errors["polar"] <= 0.95 * errors["pink"], errors
