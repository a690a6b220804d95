"""Prototypes that are turned back make the products of turned images."""

import copy
import math
import pickle

import pytest
import torch

from skysort.som.backturn import MARGIN, BackTurner
from skysort.som.comparison import Comparison
from skysort.som.interpolation import spline_coefficients
from skysort.som.matching import window_mask
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_blobs, make_noise


@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize(("size", "n_rotations"), [(8, 4), (9, 12), (24, 72), (33, 92)])
def test_products_are_those_of_images_that_are_turned(window, size, n_rotations):
    image, prototype = (torch.from_numpy(make_noise(1, size=size, seed=s)) for s in (1, 2))
    mask = window_mask(size, window)
    back = BackTurner(mask, n_rotations)
    bank = back.turn(prototype * mask)[0]  # (T, P)
    assert len(bank) == back.n_windows * back.n_steps + 2 * MARGIN
    splines = spline_coefficients(image).flatten()
    for flip in (False, True):
        for quarter in range(4):
            moved = splines[back.pixels[4 + (-quarter) % 4 if flip else quarter]]
            products = bank @ moved
            for step in range(-MARGIN, back.quarter + MARGIN):
                angle = 2.0 * math.pi * (quarter * back.quarter + step) / n_rotations
                turned = rotate_images(image, torch.tensor([angle]), torch.tensor([flip]))
                expected = (turned * prototype * mask).sum()
                assert float(products[step + MARGIN]) == pytest.approx(float(expected), abs=1e-3)


def test_room_is_shared_and_never_stale():
    back = BackTurner(window_mask(16, "disk"), 36)
    one, other = (torch.from_numpy(make_noise(3, size=16, seed=s)) for s in (1, 2))
    first = back.turn_for("one", one)
    assert back.turn_for("one", other) is first, "one tenant is not asked twice"
    assert torch.equal(first, back.turn(one))
    assert torch.equal(back.turn_for("other", other), back.turn(other))
    assert torch.equal(back.turn_for("one", one[:2]), back.turn(one[:2]))


def test_copies_and_pickles_are_small_and_work():
    back = BackTurner(window_mask(16, "disk"), 36)
    image = torch.from_numpy(make_noise(1, size=16))
    turned = back.turn_for("tenant", image)
    content = pickle.dumps(back)
    assert len(content) < 5000
    assert torch.equal(pickle.loads(content).turn(image), turned)
    assert torch.equal(copy.deepcopy(back).turn(image), turned)


@pytest.mark.parametrize("window", ["disk", "square"])
def test_distance_is_both_norms_minus_twice_the_product(window):
    """Of an image as it is, with a gap."""
    images = torch.from_numpy(make_blobs(2, 16, 2, seed=4))
    image, prototype = images[:1].clone(), images[1:]
    blank = torch.zeros_like(image, dtype=torch.bool)
    blank[:, 0, 5:9, 4:9] = True
    image[blank] = 0.0
    compared = Comparison(16, window)
    view = compared.view(image, blank)
    weights = compared.weights(prototype, blank=True)
    assert view.splines.shape == weights.shape
    back = BackTurner(torch.ones(16, 16, dtype=torch.bool), 4)
    seen = view.splines.flatten(2)[..., back.pixels[0]]
    product = back.turn(weights)[0, MARGIN] @ seen.flatten()
    found = view.norms + compared.squared_norms(prototype) - 2.0 * product
    apart = ((image - prototype).square() * ~blank)[..., compared.window].sum()
    assert float(found) == pytest.approx(float(apart), rel=1e-4)


def test_part_of_a_view_is_that_of_some_of_its_images():
    images = torch.from_numpy(make_blobs(5, 16, seed=4))
    compared = Comparison(16, "disk")
    part, alone = compared.view(images).part(1, 3), compared.view(images[1:3])
    assert len(part) == 2
    assert torch.allclose(part.splines, alone.splines, atol=1e-6)
    assert torch.allclose(part.norms, alone.norms)
