"""The matrices turn images as `rotate_images` does."""

import math

import numpy as np
import pytest
import torch

from skysort.som.interpolation import sampling_matrix, spline_coefficients
from skysort.som.matching import window_mask
from skysort.som.rotation import rotate_images, symmetry_apply
from skysort.som.turning import AT_ONCE, Turner
from tests.som.shapes import make_noise


def make_turner(size, n_rotations, keep=None):
    everywhere = torch.ones(size, size, dtype=torch.bool)
    return Turner(size, n_rotations, everywhere if keep is None else keep, torch.device("cpu"))


def columns_of(images):
    """Spline coefficients, one image in each column."""
    return spline_coefficients(torch.from_numpy(images)).flatten(1).T.contiguous()


@pytest.mark.parametrize("size", [5, 8, 33, 64])
@pytest.mark.parametrize("n_rotations", [4, 12, 360])
def test_turning_is_that_of_the_reference(size, n_rotations):
    images, turner = make_noise(4, size=size), make_turner(size, n_rotations)
    for step in {0, 1, n_rotations // 8, turner.quarter - 1, turner.quarter, turner.quarter + 1}:
        angle = torch.full((4,), 2.0 * math.pi * step / n_rotations)
        expected = rotate_images(torch.from_numpy(images), angle, torch.zeros(4, dtype=torch.bool))
        found = turner.turn(columns_of(images), step).T.view(expected.shape)
        assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("size", [5, 8, 33])
def test_no_turn_changes_nothing(size):
    images = make_noise(3, size=size)
    turned = make_turner(size, 36).turn(columns_of(images), 0).T.view(images.shape)
    assert torch.allclose(turned, torch.from_numpy(images), atol=1e-5)


def test_only_kept_pixels_are_turned():
    keep, images = window_mask(16, "disk"), make_noise(3, size=16)
    whole = make_turner(16, 36).turn(columns_of(images), 5)
    part = make_turner(16, 36, keep).turn(columns_of(images), 5)
    assert torch.equal(part, whole[keep.flatten()])


@pytest.mark.parametrize("flip", [False, True])
def test_step_of_the_quadrant_and_symmetry_are_the_whole_turn(flip):
    image, turner = make_noise(1, size=16), make_turner(16, 36)
    for steps in range(36):
        step, symmetry = turner.split(torch.tensor([steps]), torch.tensor([flip]))
        assert 0 <= int(step) < turner.quarter
        turned = turner.turn(columns_of(image), int(step)).T.view(1, 1, 16, 16)
        found = symmetry_apply(turned, int(symmetry))
        angle = torch.tensor([2.0 * math.pi * steps / 36])
        expected = rotate_images(torch.from_numpy(image), angle, torch.tensor([flip]))
        assert torch.allclose(found, expected, atol=1e-4)


def test_rows_are_grouped_by_their_step():
    steps = torch.tensor([3, 0, 3, 8, 0])
    order, groups = make_turner(8, 36).groups(steps)
    assert {step: order[part].tolist() for step, part in groups} == {0: [1, 4], 3: [0, 2], 8: [3]}
    order, groups = make_turner(8, 36).groups(torch.empty(0, dtype=torch.int64))
    assert (len(order), groups) == (0, [])


def test_large_groups_come_in_parts():
    order, groups = make_turner(8, 36).groups(torch.full((300,), 4))
    assert {step for step, _ in groups} == {4}
    assert torch.cat([order[part] for _, part in groups]).tolist() == list(range(300))
    assert max(part.stop - part.start for _, part in groups) <= AT_ONCE


def test_interpolation_is_exact_at_pixels_and_zero_outside():
    y, x = np.mgrid[:8, :8].astype(np.float64)
    plane = torch.from_numpy((2.0 * y - x + 3.0).astype(np.float32))
    at_y, at_x = np.array([[2.0], [3.25], [4.5], [20.0]]), np.array([[5.0], [2.5], [3.75], [1.0]])
    found = sampling_matrix(at_y, at_x, (8, 8)) @ spline_coefficients(plane[None]).view(64, 1)
    expected = np.where(at_y < 8, 2.0 * at_y - at_x + 3.0, 0.0).ravel()
    assert float(found[0, 0]) == pytest.approx(expected[0], abs=1e-5)
    assert found[3] == 0.0
    assert np.allclose(found.flatten().numpy(), expected, atol=0.03)  # the spline ends mirrored


def test_spline_passes_through_all_pixels_and_is_smooth_between_them():
    """A cosine with half a period along the image continues mirrored: no edge disturbs it."""
    places = np.arange(16)
    wave = np.cos(math.pi * 3.0 * places / 15.0)
    image = torch.from_numpy(np.outer(wave, wave).astype(np.float32))[None]
    at = np.linspace(0.0, 15.0, 61)
    y, x = (part.reshape(-1, 1) for part in np.meshgrid(at, at, indexing="ij"))
    found = sampling_matrix(y, x, (16, 16)) @ spline_coefficients(image).view(256, 1)
    true = np.cos(math.pi * 3.0 * at / 15.0)
    assert np.abs(found.view(61, 61).numpy() - np.outer(true, true)).max() < 2e-3
    assert np.abs(found.view(61, 61)[::4, ::4].numpy() - image[0].numpy()).max() < 1e-5


def test_image_ends_half_a_pixel_beyond_its_last_pixels():
    ones = torch.ones(64, 1)
    y = np.array([[-0.5], [-0.51], [7.5], [7.51], [3.0]])
    found = sampling_matrix(y, np.full((5, 1), 4.0), (8, 8)) @ ones
    assert torch.allclose(found.flatten(), torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0]))


def test_mean_of_several_samples_is_the_mean_of_the_matrices():
    image = columns_of(make_noise(1, size=8))
    y, x = np.array([[2.2, 3.1], [4.0, 4.0]]), np.array([[1.0, 5.5], [2.0, 3.0]])
    both = sampling_matrix(y, x, (8, 8)) @ image
    alone = [sampling_matrix(y[:, i : i + 1], x[:, i : i + 1], (8, 8)) @ image for i in (0, 1)]
    assert torch.allclose(both, (alone[0] + alone[1]) / 2.0, atol=1e-6)


def test_coefficients_do_not_depend_on_how_images_lie_in_memory():
    images = torch.from_numpy(make_noise(6, size=8)).view(2, 3, 8, 8)
    last = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)  # as (N, H, W, C)
    assert torch.allclose(spline_coefficients(last), spline_coefficients(images), atol=1e-6)
    alone = spline_coefficients(images[0, 0])
    assert torch.allclose(alone, spline_coefficients(images)[0, 0], atol=1e-6)
