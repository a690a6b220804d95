"""Candidates are compared in pixels, as the reference does it."""

import math

import pytest
import torch

from skysort.som.backturn import BackTurner
from skysort.som.comparison import Comparison
from skysort.som.matching import Matcher, window_mask
from skysort.som.polar_matching import Candidates
from skysort.som.refinement import Refiner
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_blobs

SIZE, FULL = 24, 72


def make_refiner(prototypes, *, window="disk", n_rotations=FULL, memory_bytes=10**9):
    comparison = Comparison(SIZE, window)
    back = BackTurner(comparison.window, n_rotations)
    return Refiner(prototypes, comparison, back, memory_bytes=memory_bytes)


def make_candidates(rows, *, is_round=False):
    """Candidates from (image, unit, flip, step)."""
    image, unit, flip, step = (torch.tensor(column) for column in zip(*rows, strict=True))
    return Candidates(image, unit, flip, step, is_round=torch.full_like(flip, is_round))


def refine(refiner, images, candidates, blank=None):
    return refiner.refine(refiner.comparison.view(images, blank), candidates)


def true_places(images, prototypes, *, window="disk", n_rotations=FULL):
    match = Matcher(prototypes, n_rotations=n_rotations, use_flip=True, window=window).match(images)
    steps = (match.angle_rad() * (n_rotations / (2.0 * math.pi))).round().long() % n_rotations
    return match, steps


@pytest.fixture(scope="module")
def blobs():
    return torch.from_numpy(make_blobs(40, SIZE, 2, seed=1))


@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize("off", [-5, 0, 5])
@pytest.mark.parametrize("memory_bytes", [1, 10**9])
def test_it_climbs_to_the_best_step_from_a_step_beside_it(blobs, window, off, memory_bytes):
    prototypes, images = blobs[:3], blobs[3:]
    full = 360  # five steps off make no image farther by much
    match, steps = true_places(images, prototypes, window=window, n_rotations=full)
    rows = [
        (i, k, bool(match.flip()[i, k]), int(steps[i, k] + off) % full)
        for i in range(len(images))
        for k in range(3)
    ]
    refiner = make_refiner(prototypes, window=window, n_rotations=full, memory_bytes=memory_bytes)
    places = refine(refiner, images, make_candidates(rows))
    best = match.squared.argmin(dim=1)
    assert torch.equal(places.best, best)
    expected = match.squared.gather(1, best[:, None]).squeeze(1).sqrt()
    assert torch.allclose(places.distance, expected, rtol=1e-4)
    flip = match.flip().gather(1, best[:, None]).squeeze(1)
    assert torch.equal(places.flip, flip)
    turned = places.angle_rad - match.angle_rad().gather(1, best[:, None]).squeeze(1)
    turned = (turned + math.pi).remainder(2.0 * math.pi) - math.pi
    assert float(turned.abs().max()) <= 0.51 * 2.0 * math.pi / full


def test_angle_lies_between_the_steps(blobs):
    """True angles are found to a twentieth of a step."""
    prototypes = blobs[:6]
    for angle in (0.30, 1.00, 2.05):
        turned = rotate_images(
            prototypes, torch.full((6,), -angle), torch.zeros(6, dtype=torch.bool)
        )
        step = round(angle * FULL / (2.0 * math.pi))
        rows = [(i, i, False, step) for i in range(6)] + [
            (i, (i + 1) % 6, False, 0) for i in range(6)
        ]
        places = refine(make_refiner(prototypes), turned, make_candidates(rows))
        assert places.best.tolist() == list(range(6))
        assert torch.allclose(
            places.angle_rad, torch.tensor(angle), atol=0.1 * 2.0 * math.pi / FULL
        )


def test_ties_go_to_the_lowest_unit_flip_and_angle(blobs):
    prototypes = blobs[:1].repeat(4, 1, 1, 1)
    rows = [(0, 3, False, 0), (0, 2, False, 0), (0, 1, False, 0)]
    places = refine(make_refiner(prototypes), blobs[:1], make_candidates(rows))
    assert (int(places.best), int(places.second)) == (1, 2)


def test_round_image_stays_unless_turning_brings_it_nearer(blobs):
    y, x = torch.meshgrid(torch.arange(SIZE) - 11.5, torch.arange(SIZE) - 11.5, indexing="ij")
    dot = torch.exp(-(x**2 + y**2) / 18.0).expand(1, 2, SIZE, SIZE)
    refiner = make_refiner(torch.cat([0.5 * dot, blobs[:1]]))
    candidates = make_candidates([(0, 0, True, 20), (0, 1, False, 5)], is_round=True)
    places = refine(refiner, dot.contiguous(), candidates)
    assert (float(places.angle_rad), bool(places.flip)) == (0.0, False)
    assert float(places.distance) == pytest.approx(
        float((0.5 * dot)[..., window_mask(SIZE, "disk")].norm()), rel=1e-5
    )
    # A prototype that is turned is no round image, whatever the rings thought of it.
    turned = rotate_images(blobs[:1], torch.tensor([-1.0]), torch.tensor([False]))
    step = round(FULL / (2.0 * math.pi))
    rows = make_candidates([(0, 1, False, step), (0, 0, False, 0)], is_round=True)
    assert float(refine(refiner, turned, rows).angle_rad) == pytest.approx(1.0, abs=0.01)


def test_blank_pixels_do_not_count(blobs):
    prototypes, images = blobs[:2], blobs[:2].clone()
    blank = torch.zeros_like(images, dtype=torch.bool)
    blank[:, :, 5:12, 3:10] = True
    images[blank] = 0.0
    rows = [(0, 0, False, 0), (0, 1, False, 0), (1, 1, False, 0), (1, 0, False, 0)]
    places = refine(make_refiner(prototypes), images, make_candidates(rows), blank)
    assert places.best.tolist() == [0, 1]
    # The difference of squared norms: float32 leaves a thousandth of a norm of 4.
    assert torch.allclose(places.distance, torch.zeros(2), atol=6e-3)


def test_distances_of_pairs_are_those_of_the_reference(blobs):
    prototypes, images = blobs[:3], blobs[3:20]
    match, steps = true_places(images, prototypes)
    rows = [(i, k, bool(match.flip()[i, k]), int(steps[i, k])) for i in range(17) for k in range(3)]
    refiner = make_refiner(prototypes)
    found = refiner.distances(refiner.comparison.view(images), make_candidates(rows)).view(17, 3)
    assert torch.allclose(found, match.squared.sqrt(), rtol=1e-4)


def test_image_that_shows_hardly_a_pixel_has_a_finite_distance_or_none(blobs):
    """Near the corner of what is seen an angle may leave nothing; that is no small distance."""
    images, blank = blobs[:1].clone(), torch.ones_like(blobs[:1], dtype=torch.bool)
    blank[..., 1:4, 11:13] = False
    images[blank] = 0.0
    refiner = make_refiner(blobs[1:3], window="square")  # which shows nothing of it at angle 0
    rows = [(0, 0, False, 0), (0, 1, False, 9)]
    places = refine(refiner, images, make_candidates(rows), blank)
    assert float(places.distance) > 0.1
    assert not places.distance.isnan().any()
