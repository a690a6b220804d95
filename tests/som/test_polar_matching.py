"""The fast projection finds what the rotate-and-compare reference finds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from skysort.som.comparison import Comparison
from skysort.som.config import SOMConfig
from skysort.som.exact import ExactSOM
from skysort.som.matching import Matcher
from skysort.som.polar import PolarTransform
from skysort.som.polar_matching import Candidates, PolarMatcher, parabola
from skysort.som.polar_som import PolarSOM
from skysort.som.rings import default_rings
from skysort.som.rotation import rotate_images
from skysort.synthetic import make_images
from tests.som.shapes import make_blobs

DEGREE = np.pi / 180.0


def make_both(prototypes, **changes):
    """The reference and the fast map with the same prototypes."""
    settings = {"rows": 3, "columns": 3, "n_rotations": 72}
    config = SOMConfig(image_shape=prototypes.shape[1:], **settings | changes)
    maps = ExactSOM(config), PolarSOM(config)
    for som in maps:
        som.weights = torch.from_numpy(prototypes.copy())
    return maps


def apart_rad(angle, other):
    return np.abs((angle - other + np.pi) % (2.0 * np.pi) - np.pi)


def assert_agree(exact, fast, *, step, missing=0.005):
    """Hold both projections against each other; up to a share `missing` of images may differ."""
    tied = exact.second_distance <= exact.distance * (1.0 + 1e-4)
    assert ((fast.best == exact.best) | tied).mean() >= 1.0 - missing
    near = np.abs(fast.distance / exact.distance - 1.0) <= 1e-3
    assert near.mean() >= 1.0 - 2.0 * missing
    same = near & (fast.best == exact.best) & (fast.flip == exact.flip)
    assert same.mean() >= 1.0 - 5.0 * missing, "another flip is as good only for few images"
    # The reference knows whole steps only; the parabola goes up to half a step beyond.
    turned = apart_rad(fast.angle_rad, exact.angle_rad)[same]
    assert (turned <= max(DEGREE, 0.51 * step)).mean() >= 1.0 - 2.0 * missing


def check(images, **changes):
    exact, fast = make_both(images[:9], **changes)
    step = 2.0 * np.pi / exact.config.n_rotations
    assert_agree(exact.project(images[9:]), fast.project(images[9:]), step=step)


@pytest.mark.parametrize("size", [9, 15, 16, 24, 33, 64])
@pytest.mark.parametrize("window", ["disk", "square"])
def test_projection_agrees_with_the_reference_at_any_size(size, window):
    check(make_blobs(200, size, seed=5), window=window)


@pytest.mark.parametrize("n_rotations", [4, 12, 72, 360])
@pytest.mark.parametrize("window", ["disk", "square"])
def test_projection_agrees_with_the_reference_at_any_number_of_angles(n_rotations, window):
    check(make_blobs(200, 24, seed=6), n_rotations=n_rotations, window=window)


@pytest.mark.parametrize(
    "changes",
    [
        {"use_flip": False},
        {"radius": 9.0},
        {"radius": 9.0, "window": "square"},
        {"n_rings": 30, "n_modes": 24},
    ],
)
def test_projection_agrees_with_the_reference_under_other_settings(changes):
    check(make_blobs(200, 24, seed=7), **changes)


@pytest.mark.parametrize("window", ["disk", "square"])
@pytest.mark.parametrize("channel_weights", [None, (1.0, 4.0, 0.25)])
def test_projection_agrees_with_the_reference_in_three_channels(window, channel_weights):
    check(make_blobs(200, 24, 3, seed=8), window=window, channel_weights=channel_weights)


def test_weights_of_channels_decide_what_is_similar():
    images = make_blobs(6, 24, 2, seed=3)
    swapped = np.stack([images[:3, 0], images[3:, 1]], axis=1)  # two halves of different images
    for weights, expected in (((100.0, 0.01), [0, 1, 2]), ((0.01, 100.0), [3, 4, 5])):
        _, fast = make_both(images, rows=2, columns=3, channel_weights=weights)
        assert fast.project(swapped).best.tolist() == expected


@pytest.mark.parametrize("window", ["disk", "square"])
def test_projection_on_a_trained_map_of_noisy_sources_agrees_with_the_reference(window):
    images = make_images(400, size=64, seed=3)[0]
    trained = PolarSOM(SOMConfig(image_shape=(1, 64, 64), rows=5, columns=5, epochs=4))
    trained.fit(images[:250])
    exact, fast = make_both(trained.weights.numpy(), rows=5, columns=5, window=window)
    a, b = exact.project(images[250:]), fast.project(images[250:])
    assert (a.best == b.best).mean() >= 0.993  # one of 150
    # Interpolation ripples noise: measured 3.4 % of the images at another angle, 0.8 % farther.
    assert (b.distance <= a.distance * 1.001).mean() >= 0.93
    assert (b.distance <= a.distance * 1.03).all()


def matcher_of(prototypes, *, window="disk", **settings):
    size = prototypes.shape[-1]
    transform, comparison = PolarTransform(default_rings(size)), Comparison(size, window)
    return PolarMatcher(transform, comparison, prototypes, **settings)


def test_one_bright_prototype_does_not_blind_the_others():
    images = make_blobs(130, 32, seed=2)
    prototypes = images[:9].copy()
    prototypes[3] *= 1000.0
    exact, fast = make_both(prototypes)
    a, b = exact.project(images[9:]), fast.project(images[9:])
    assert (a.best == b.best).mean() >= 0.99
    assert np.isclose(a.distance, b.distance, rtol=1e-3).mean() >= 0.98


def test_a_map_may_be_used_by_several_threads():
    """With and without gaps, so that what is turned back differs."""
    images = make_blobs(409, 24, seed=3)
    som = PolarSOM(SOMConfig(image_shape=(1, 24, 24), rows=3, columns=3, blank="mask"))
    som.weights = torch.from_numpy(images[:9].copy())
    gappy = images[9:].copy()
    gappy[..., 3:6, 4:9] = np.nan
    expected = [som.project(gappy), som.project(images[9:])]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(som.project, [gappy, images[9:]] * 4))
    for i, projection in enumerate(found):
        assert np.array_equal(projection.best, expected[i % 2].best)
        assert np.array_equal(projection.distance, expected[i % 2].distance)


def match_both(images, prototypes, *, n_rotations=360, **changes):
    """Alignments of the reference and on rings."""
    settings = {"use_flip": True, "window": "disk"} | changes
    pixels, units = torch.from_numpy(images), torch.from_numpy(prototypes)
    exact = Matcher(units, n_rotations=n_rotations, **settings).match(pixels)
    matcher = matcher_of(units, n_rotations=n_rotations, **settings)
    return exact, matcher(pixels)


@pytest.mark.parametrize(
    "changes", [{}, {"use_flip": False}, {"window": "square"}, {"n_rotations": 12}]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_alignment_on_rings_agrees_with_the_reference(changes, channels):
    images = make_blobs(60, 33, channels, seed=2)
    changes = {"n_rotations": 360} | changes
    exact, rings = match_both(images[6:], images[:6], **changes)
    norm = np.square(images[6:]).sum(axis=(1, 2, 3))[:, None]
    farther = (rings.squared - exact.squared).numpy() / norm
    assert farther.max() <= 0.04  # measured 0.025
    if changes["n_rotations"] == 12:
        return  # rings know the angles in between, which are nearer
    assert farther.min() >= -0.02  # measured -0.0125
    best = exact.squared.argmin(dim=1)
    assert (rings.squared.argmin(dim=1) == best).float().mean() >= 0.95
    every = torch.arange(54)
    flip, expected_flip = rings.flip[every, best], exact.flip()[every, best]
    angle, expected = rings.angle_rad[every, best], exact.angle_rad()[every, best]
    same = (flip == expected_flip).numpy()
    assert same.mean() >= 0.95
    assert (apart_rad(angle.numpy(), expected.numpy())[same] < 3.0 * DEGREE).mean() >= 0.95


@pytest.mark.parametrize("flip", [False, True])
def test_turned_prototype_is_recognized_on_rings(flip):
    prototypes = make_blobs(5, 33, seed=4)
    angle = np.linspace(0.1, 6.1, 5)
    # A mirror undoes itself, so the same turn follows it: rotate(a) flip rotate(a) flip = 1.
    turned = rotate_images(
        torch.from_numpy(prototypes),
        torch.from_numpy(angle if flip else -angle),
        torch.full((5,), flip),
    )
    _, rings = match_both(turned.numpy(), prototypes)
    assert rings.squared.argmin(dim=1).tolist() == list(range(5))
    assert (rings.flip.diagonal() == flip).all()
    assert (apart_rad(rings.angle_rad.diagonal().numpy(), angle) < 0.5 * DEGREE).all()


def test_squared_distances_are_never_negative():
    images = make_blobs(20, 24, seed=1)
    _, rings = match_both(images, images)
    assert (rings.squared >= 0.0).all()
    norm = torch.from_numpy(images).square().sum((1, 2, 3))
    assert (rings.squared.diagonal() <= 1e-3 * norm).all()


def test_shortlist_holds_at_least_two_units_of_each_image_and_the_true_best_one():
    images = torch.from_numpy(make_blobs(120, 24, seed=9))
    prototypes, images = images[:20], images[20:]
    matcher = matcher_of(prototypes, n_rotations=72, use_flip=True)
    found = matcher.shortlist(matcher.sample(matcher.comparison.view(images)))
    exact = Matcher(prototypes, n_rotations=72, use_flip=True, window="disk").match(images)
    held = torch.zeros(100, 20, dtype=torch.bool)
    held[found.image, found.unit] = True
    assert (held.sum(dim=1) >= 2).all()
    assert held.sum() < 100 * 8, "an eighth of all pairs is no short list"
    assert held[torch.arange(100), exact.squared.argmin(dim=1)].all()
    assert (found.step >= 0).all()
    assert (found.step < 72).all()


def test_candidates_keep_their_image_when_joined():
    part = Candidates(
        image=torch.tensor([0, 1]),
        unit=torch.tensor([3, 4]),
        flip=torch.tensor([False, True]),
        step=torch.tensor([5, 6]),
        is_round=torch.tensor([False, False]),
    )
    joined = Candidates.joined([part.of(torch.tensor([0, 1])), part.of(torch.tensor([2, 3]))])
    assert joined.image.tolist() == [0, 1, 2, 3]
    assert joined.unit.tolist() == [3, 4, 3, 4]


def test_parabola_finds_the_vertex_and_stays_where_all_is_equal():
    x = torch.tensor([-1.0, 0.0, 1.0])
    curve = 3.0 - 2.0 * (x - 0.2) ** 2
    shift, gain = parabola(*curve)
    assert float(shift) == pytest.approx(0.2)
    assert float(curve[1] + gain) == pytest.approx(3.0)
    shift, gain = parabola(*torch.ones(3))
    assert (float(shift), float(gain)) == (0.0, 0.0)


@pytest.mark.parametrize("size", [5, 8])
@pytest.mark.parametrize("window", ["disk", "square"])
def test_tiny_images_find_their_unit_too(size, window):
    exact, fast = make_both(make_blobs(9, size, seed=6), window=window)
    images = make_blobs(300, size, seed=5)
    a, b = exact.project(images), fast.project(images)
    # A window of 9 pixels is hardly sampled by rings: measured 98 to 100 % of the units.
    assert (b.best == a.best).mean() >= 0.97
    assert (b.distance <= a.distance * 1.001 + 1e-6).mean() >= 0.9
