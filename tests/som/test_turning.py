"""The matrices turn images as `rotate_images` does."""

import math

import numpy as np
import pytest
import torch

from skysort.som.interpolation import sampling_matrix
from skysort.som.matching import window_mask
from skysort.som.rotation import rotate_images, symmetry_apply
from skysort.som.turning import Turner
from tests.som.shapes import make_noise


def make_turner(size, n_rotations, keep=None):
    everywhere = torch.ones(size, size, dtype=torch.bool)
    return Turner(size, n_rotations, everywhere if keep is None else keep, torch.device("cpu"))


def columns_of(images):
    return torch.from_numpy(images).flatten(1).T.contiguous()


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
def test_no_turn_changes_nothing_at_all(size):
    images = make_noise(3, size=size)
    assert torch.equal(make_turner(size, 36).turn(columns_of(images), 0), columns_of(images))


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
    groups = {step: rows.tolist() for step, rows in make_turner(8, 36).groups(steps)}
    assert groups == {0: [1, 4], 3: [0, 2], 8: [3]}
    assert list(make_turner(8, 36).groups(torch.empty(0, dtype=torch.int64))) == []


def test_interpolation_is_exact_at_pixels_and_zero_outside():
    y, x = np.mgrid[:8, :8].astype(np.float64)
    plane = torch.from_numpy((2.0 * y - x + 3.0).astype(np.float32)).view(64, 1)
    at_y, at_x = np.array([[2.0], [3.25], [4.5], [20.0]]), np.array([[5.0], [2.5], [3.75], [1.0]])
    found = (sampling_matrix(at_y, at_x, (8, 8)) @ plane).flatten()
    expected = np.where(at_y < 8, 2.0 * at_y - at_x + 3.0, 0.0).ravel()
    assert found[0] == expected[0]
    assert found[3] == 0.0
    # The kernel with a = -0.75 is exact for constants only, not for planes.
    assert np.allclose(found.numpy(), expected, atol=0.2)


def test_mean_of_several_samples_is_the_mean_of_the_matrices():
    image = columns_of(make_noise(1, size=8))
    y, x = np.array([[2.2, 3.1], [4.0, 4.0]]), np.array([[1.0, 5.5], [2.0, 3.0]])
    both = sampling_matrix(y, x, (8, 8)) @ image
    alone = [sampling_matrix(y[:, i : i + 1], x[:, i : i + 1], (8, 8)) @ image for i in (0, 1)]
    assert torch.allclose(both, (alone[0] + alone[1]) / 2.0, atol=1e-6)
