import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.som.rotation import quadrant_bank, rotate_images, symmetry_apply, symmetry_undo
from tests.som.shapes import make_noise

# Written with y up, as one sees it; [::-1] puts row 0 at the bottom.
L_SHAPE = np.array([[1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0], [4, 5, 6, 0]], np.float32)[::-1]
L_TURNED = np.array([[0, 0, 0, 0], [0, 0, 0, 6], [0, 0, 0, 5], [1, 2, 3, 4]], np.float32)[::-1]
L_FLIPPED = np.array([[0, 0, 0, 1], [0, 0, 0, 2], [0, 0, 0, 3], [0, 6, 5, 4]], np.float32)[::-1]
L_FLIPPED_TURNED = np.array([[1, 2, 3, 4], [0, 0, 0, 5], [0, 0, 0, 6], [0, 0, 0, 0]], np.float32)[
    ::-1
]


def rotate(image, angle_rad, *, flip=False):
    pixels = torch.from_numpy(np.ascontiguousarray(image)).view(1, 1, *image.shape)
    return rotate_images(pixels, torch.tensor([angle_rad]), torch.tensor([flip]))[0, 0].numpy()


def test_quarter_turn_is_counter_clockwise_with_y_up():
    assert np.array_equal(rotate(L_SHAPE, math.pi / 2), L_TURNED)


def test_flip_comes_before_the_turn():
    assert np.array_equal(rotate(L_SHAPE, 0.0, flip=True), L_FLIPPED)
    assert np.array_equal(rotate(L_SHAPE, math.pi / 2, flip=True), L_FLIPPED_TURNED)


def test_interpolated_turn_has_the_sense_and_the_size_of_its_angle():
    y, x = np.mgrid[:33, :33] - 16.0

    def dot(angle):
        return np.exp(-((x - 9 * math.cos(angle)) ** 2 + (y - 9 * math.sin(angle)) ** 2) / 8.0)

    turned = rotate(dot(0.3).astype(np.float32), 0.7)
    assert np.abs(turned - dot(1.0)).max() < 0.03  # 0.01 rad would make 0.04


@given(quarter=st.integers(-4, 8), flip=st.booleans())
def test_quarter_turns_move_pixels_and_never_interpolate(quarter, flip):
    image = make_noise(1, size=7)[0, 0]
    turned = rotate(image, quarter * math.pi / 2, flip=flip)
    by_hand = image[:, ::-1] if flip else image
    for _ in range(quarter % 4):
        by_hand = by_hand[::-1].T  # the bottom row becomes the right column
    assert np.array_equal(turned, by_hand)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 7), st.sampled_from([4, 12, 20]))
def test_symmetries_of_the_bank_are_turns_of_the_convention(symmetry, n_rotations):
    image = torch.from_numpy(make_noise(1, size=9))
    bank = quadrant_bank(image, n_rotations)
    for step, turned in enumerate(bank):
        angle = 2 * math.pi * step / n_rotations + symmetry % 4 * math.pi / 2
        sign = -1.0 if symmetry >= 4 else 1.0
        convention = rotate_images(image, torch.tensor([sign * angle]), torch.tensor([sign < 0]))
        assert torch.allclose(symmetry_apply(turned, symmetry), convention, atol=1e-5)


@given(st.integers(0, 7))
def test_symmetry_is_undone(symmetry):
    image = torch.from_numpy(make_noise(2, size=5))
    assert torch.equal(symmetry_undo(symmetry_apply(image, symmetry), symmetry), image)


@pytest.mark.parametrize("n_rotations", [6, 0, -4, 2])
def test_angles_that_miss_the_quarters_are_refused(n_rotations):
    message = f"n_rotations must be a positive multiple of 4, got {n_rotations}"
    with pytest.raises(InputError, match=message):
        quadrant_bank(torch.zeros(1, 1, 4, 4), n_rotations)


def test_images_that_are_not_square_are_refused():
    with pytest.raises(InputError, match=r"images must be square, .* got shape \(1, 1, 4, 5\)"):
        rotate_images(torch.zeros(1, 1, 4, 5), torch.zeros(1), torch.zeros(1, dtype=torch.bool))


def test_lengths_that_differ_are_refused():
    with pytest.raises(InputError, match="must be equally long, got 2, 1 and 2"):
        rotate_images(torch.zeros(2, 1, 4, 4), torch.zeros(1), torch.zeros(2, dtype=torch.bool))
