"""Single synthetic images have known answers and stand where they should."""

import numpy as np
import pytest

from skysort.errors import InputError
from skysort.synthetic import NOISE_JY, SHAPES, make_images


def test_equal_seeds_give_equal_images():
    one, two = make_images(40, seed=3), make_images(40, seed=3)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    assert not np.array_equal(one[0], make_images(40, seed=4)[0])


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_finite_fits_and_stands_above_the_noise(shape):
    images, answers = make_images(60, seed=5, shapes=[shape])
    assert set(answers) == {SHAPES[shape].answer}
    assert images.shape == (60, 1, 64, 64)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()
    edge = np.concatenate([images[..., :3, :], images[..., -3:, :]], axis=-2)
    assert np.abs(edge).max() < 15.0 * NOISE_JY  # of peaks up to 300
    assert (images.max(axis=(1, 2, 3)) > SHAPES[shape].snr[0] * NOISE_JY - 4.0 * NOISE_JY).all()


def test_noise_is_correlated_as_by_the_beam():
    images, _ = make_images(200, seed=6, shapes=["compact"])
    sky = images[:, 0, :18, :].astype(float)
    assert sky.std() == pytest.approx(NOISE_JY, rel=0.05)
    neighbour = np.mean(sky[..., 1:] * sky[..., :-1]) / sky.var()
    assert neighbour == pytest.approx(np.exp(-1.0 / (4.0 * 1.274**2)), abs=0.03)


def test_edge_brightened_sources_are_brighter_at_the_ends_than_edge_darkened_ones():
    middle = {}
    for shape in ("fri", "frii"):
        images, _ = make_images(200, seed=7, shapes=[shape])
        peak = images.max(axis=(1, 2, 3))
        middle[shape] = np.median(images[:, 0, 28:36, 28:36].max(axis=(1, 2)) / peak)
    assert middle["fri"] > 0.7 > 0.5 > middle["frii"]


def test_smaller_cutouts_show_smaller_sources():
    images, _ = make_images(50, size=32, seed=8, shapes=["ring"])
    assert images.shape == (50, 1, 32, 32)
    assert np.abs(images[..., :2]).max() < 6.0 * NOISE_JY


def test_shares_are_kept_among_the_chosen_shapes():
    _, answers = make_images(4000, size=16, seed=9)
    shares = {answer: np.mean(answers == answer) for answer in set(answers)}
    assert shares["frii"] == pytest.approx(0.30, abs=0.03)
    assert shares["other"] == pytest.approx(0.06, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be at least 1, got 0"),
        ({"n": 2, "size": 8}, "size must be at least 16 pixels, got 8"),
        ({"n": 2, "shapes": ["star"]}, r"shapes must be names among compact, .* got \['star'\]"),
        ({"n": 2, "shapes": []}, "shapes must be names among"),
    ],
)
def test_refuses_what_it_cannot_make(arguments, message):
    with pytest.raises(InputError, match=message):
        make_images(seed=1, **arguments)
