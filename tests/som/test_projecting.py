import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.som.exact import ExactSOM, SOMConfig
from skysort.som.matching import aligned_distances, window_mask
from skysort.som.polar_som import PolarSOM
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_noise

SHAPE = (2, 11, 11)


def make_som(prototypes=None, **changes):
    settings = {"image_shape": SHAPE, "rows": 2, "columns": 3, "n_rotations": 24}
    som = ExactSOM(SOMConfig(**settings | changes))
    weights = make_noise(6, size=11, channels=2, seed=9) if prototypes is None else prototypes
    som.weights = torch.from_numpy(weights.copy())
    return som


def make_images(n=8):
    return make_noise(n, size=11, channels=2, seed=5)


def squared_distance(image, turned, turned_squares, prototype, mask, *, window):
    """``|x|^2 + |p|^2 - 2 x p``: turning keeps the norm of what the window shows."""
    shown = turned_squares if window == "square" else image**2
    terms = shown + prototype * (prototype - 2.0 * turned)
    return terms[:, mask].sum(dtype=np.float64)


def compare_one_by_one(image, prototypes, config):
    """Distances and alignments of one image by the plainest loop there is."""
    mask = window_mask(11, config.window).numpy()
    found = []
    for prototype in prototypes:
        best = (math.inf, 0.0, False)
        for flip in (False, True) if config.use_flip else (False,):
            for index in range(config.n_rotations):
                angle = 2 * math.pi * index / config.n_rotations
                turned, squares = rotate_images(
                    torch.from_numpy(np.stack([image, image**2])),
                    torch.tensor([angle, angle]),
                    torch.tensor([flip, flip]),
                ).numpy()
                squared = squared_distance(
                    image, turned, squares, prototype, mask, window=config.window
                )
                distance = math.sqrt(max(0.0, squared))
                if distance < best[0] - 1e-6:
                    best = (distance, angle, flip)
        found.append(best)
    return found


@pytest.mark.parametrize(
    "changes", [{}, {"use_flip": False}, {"window": "square"}, {"topology": "hexagonal"}]
)
def test_projection_agrees_with_the_plainest_loop(changes):
    som, images = make_som(**changes), make_images(4)
    projection = som.project(images)
    for i, image in enumerate(images):
        found = compare_one_by_one(image, som.weights.numpy(), som.config)
        order = np.argsort([distance for distance, _, _ in found])
        best = found[order[0]]
        assert projection.best[i] == order[0]
        assert projection.second[i] == order[1]
        assert projection.distance[i] == pytest.approx(best[0], rel=1e-5)
        assert projection.second_distance[i] == pytest.approx(found[order[1]][0], rel=1e-5)
        assert projection.angle_rad[i] == pytest.approx(best[1], abs=1e-6)
        assert projection.flip[i] == best[2]


@settings(deadline=None, max_examples=25)
@given(quarters=st.integers(0, 3), flip=st.booleans(), seed=st.integers(0, 1000))
def test_quarter_turns_and_flips_change_neither_unit_nor_distance(quarters, flip, seed):
    som, images = make_som(), make_noise(5, size=11, channels=2, seed=seed)
    moved = rotate_images(
        torch.from_numpy(images),
        torch.full((5,), quarters * math.pi / 2),
        torch.full((5,), flip),
    ).numpy()
    before, after = som.project(images), som.project(moved)
    assert np.array_equal(before.best, after.best)
    assert np.allclose(before.distance, after.distance, rtol=0, atol=1e-5)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000))
def test_angle_and_flip_bring_the_image_to_its_distance(seed):
    som, images = make_som(), make_noise(5, size=11, channels=2, seed=seed)
    projection = som.project(images)
    distance = aligned_distances(
        torch.from_numpy(images),
        som.weights[projection.best],
        torch.from_numpy(projection.angle_rad),
        torch.from_numpy(projection.flip),
        window="disk",
    )
    assert np.allclose(distance, projection.distance, atol=1e-5)


def test_turned_prototype_is_found_again_with_its_angle_and_flip():
    som = make_som()
    angle, flip = 2 * math.pi * 5 / 24, True
    turned = rotate_images(som.weights, torch.full((6,), angle), torch.full((6,), flip))
    projection = som.project(turned.numpy())
    assert projection.best.tolist() == list(range(6))
    assert projection.flip.all()
    # A mirror undoes itself, so the same turn follows it: rotate(a) flip rotate(a) flip = 1.
    assert np.allclose(projection.angle_rad, angle, atol=1e-6)


def test_memory_budget_changes_nothing():
    images = make_images(7)
    whole, small = make_som(), make_som()
    small.memory_bytes = 1
    one, other = whole.project(images), small.project(images)
    assert np.array_equal(one.best, other.best)
    assert np.array_equal(one.angle_rad, other.angle_rad)
    assert np.allclose(one.distance, other.distance, atol=1e-6)


def test_blank_image_stays_as_it_is():
    projection = make_som().project(np.zeros((1, *SHAPE), np.float32))
    assert projection.angle_rad[0] == 0.0
    assert not projection.flip[0]


def test_ties_go_to_the_lowest_unit():
    one = make_noise(1, size=11, channels=2)
    projection = make_som(np.repeat(one, 6, axis=0)).project(make_images(5))
    assert (projection.best == 0).all()
    assert (projection.second == 1).all()


def test_pixels_outside_of_the_window_do_not_count():
    som, images = make_som(n_rotations=4), make_images()
    spoilt = images.copy()
    spoilt[:, :, ~window_mask(11, "disk").numpy()] = 1000.0
    assert np.array_equal(som.project(images).distance, som.project(spoilt).distance)


def test_progress_ends_with_all_images():
    som, seen = make_som(), []
    som.memory_bytes = 1
    som.project(make_images(3), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("bad", "what"),
    [(np.nan, r"has blank \(NaN\) pixels; apply a"), (np.inf, "has infinite pixels")],
)
def test_bad_pixel_is_refused_with_the_number_of_its_image(bad, what):
    images = make_images(8)
    images[6, 1, 3, 3] = bad
    som = make_som()
    som.memory_bytes = 100_000
    with pytest.raises(InputError, match=f"image 6 {what}"):
        som.project(images)


def test_images_of_another_shape_are_refused():
    message = r"images 0 to 2 must have the shape .* = \(2, 11, 11\) each, got \(1, 11, 11\)"
    with pytest.raises(InputError, match=message):
        make_som().project(make_noise(3, size=11))


def test_nothing_to_project_is_refused():
    with pytest.raises(InputError, match="there are no images to project, got 0"):
        make_som().project(make_images(0))


def test_aligned_mean_of_turned_copies_is_the_prototype():
    som = make_som()
    turned = np.concatenate(
        [
            rotate_images(som.weights[:2], torch.full((2,), q * math.pi / 2), torch.full((2,), f))
            for q in range(4)
            for f in (False, True)
        ]
    )
    pictures = som.aligned_means(turned, som.project(turned))
    assert np.allclose(pictures[:2], som.weights[:2], atol=1e-6)
    assert np.array_equal(pictures[2:], som.weights[2:]), "empty units show their own weights"


def test_aligned_means_refuse_another_number_of_images():
    som = make_som()
    projection = som.project(make_images(8))
    with pytest.raises(InputError, match="the projection has 8 rows, but there are 7 images"):
        som.aligned_means(make_images(7), projection)


def test_disk_and_square_have_the_expected_size():
    assert window_mask(64, "disk").sum() / 64**2 == pytest.approx(math.pi / 4, abs=0.03)
    assert window_mask(64, "square").sum() == 44**2
    with pytest.raises(InputError, match="window must be disk or square, got round"):
        window_mask(64, "round")


@pytest.mark.parametrize("engine", [ExactSOM, PolarSOM])
def test_noise_is_as_far_from_a_blank_prototype_as_its_norm(engine):
    """No angle is chosen because interpolation takes most of the noise there."""
    noise = np.random.default_rng(4).normal(size=(20, 1, 33, 33)).astype(np.float32)
    som = engine(SOMConfig(image_shape=(1, 33, 33), rows=1, columns=2, n_rotations=36))
    projection = som.project(noise)  # on prototypes of zeros
    norms = np.sqrt(np.square(noise[..., window_mask(33, "disk").numpy()]).sum(axis=(1, 2)))
    assert np.allclose(projection.distance, norms, rtol=1e-5)
    assert (projection.angle_rad == 0.0).all()
