"""Single images are turned about their center as the pictures are."""

import numpy as np
import pytest

from skysort.errors import InputError
from skysort.images.turning import turn_image


def smooth(size: int = 65) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.exp(-((x - 12) ** 2 + (y - 5) ** 2) / 60)[None]


def inside(image: np.ndarray) -> np.ndarray:
    size = image.shape[-1]
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(x, y) < size / 2 - 2


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_go_counter_clockwise_with_y_up(quarters):
    turned = turn_image(smooth(), angle_rad=quarters * np.pi / 2)
    # numpy's rot90 turns as one sees rows going down; here they go up.
    expected = np.rot90(smooth(), -quarters, axes=(1, 2))
    np.testing.assert_allclose(turned[0][inside(turned)], expected[0][inside(turned)], atol=1e-5)


def test_flip_comes_before_the_turn():
    by_hand = turn_image(smooth()[..., ::-1], angle_rad=0.7)
    np.testing.assert_array_equal(turn_image(smooth(), angle_rad=0.7, flip=True), by_hand)


def test_turning_there_and_back_changes_little():
    image = smooth()
    again = turn_image(np.nan_to_num(turn_image(image, angle_rad=0.4)), angle_rad=-0.4)
    np.testing.assert_allclose(again[0][inside(image)], image[0][inside(image)], atol=0.02)


def test_what_lay_outside_and_what_was_blank_is_blank():
    image = smooth()
    image[0, 32, 40] = np.nan
    image[0, 20, 20] = np.inf
    turned = turn_image(image, angle_rad=np.pi / 4)
    assert np.isnan(turned[0, 0, 0])
    n_blank = np.isnan(turned[0][inside(turned)]).sum()
    assert 1 <= n_blank <= 4
    assert np.isnan(turned[0, 32 + 6, 32 + 6])


def test_an_image_in_its_own_frame_is_the_same():
    np.testing.assert_array_equal(turn_image(smooth()), smooth().astype(np.float32))


def test_the_image_given_is_not_changed():
    image = np.full((1, 4, 4), np.inf, dtype=np.float32)
    turn_image(image)
    assert np.isinf(image).all()


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match=r"pixels must have shape \(C, H, W\), got \(4, 4\)"):
        turn_image(np.zeros((4, 4)))
    with pytest.raises(InputError, match="angle_rad must be finite, got nan"):
        turn_image(np.zeros((1, 4, 4)), angle_rad=float("nan"))
