from itertools import pairwise

import numpy as np
import pytest
import torch

from skysort.errors import InputError
from skysort.som.exact import ExactSOM, SOMConfig
from skysort.som.grid import Grid
from skysort.som.quality import hits, quantization_error
from skysort.som.rotation import rotate_images
from skysort.som.seeding import lay_out, spread
from skysort.som.training import BatchSums, Members, neighbourhood, pink_step
from tests.som.shapes import make_noise, make_shapes

SHAPE = (1, 24, 24)


def make_config(**changes):
    settings = {"image_shape": SHAPE, "rows": 3, "columns": 3, "n_rotations": 24, "epochs": 6}
    return SOMConfig(**settings | changes)


class OnlySlices:
    """Images that can be sliced and counted, and nothing else."""

    def __init__(self, images):
        self._images, self.largest = images, 0

    def __len__(self):
        return len(self._images)

    def __getitem__(self, part):
        assert isinstance(part, slice)
        self.largest = max(self.largest, part.stop - part.start)
        return self._images[part]


@pytest.fixture(scope="module")
def shapes():
    return make_shapes(90)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_shapes_at_random_angles_land_on_distinct_units(shapes, seed):
    images, answers = shapes
    som = ExactSOM(make_config(n_rotations=48, seed=seed))
    som.fit(images)
    best = som.project(images).best
    dot, bar, bow = (set(best[answers == shape].tolist()) for shape in range(3))
    assert not dot & bar
    assert not bar & bow
    assert not bow & dot


def test_quantization_error_falls_from_epoch_to_epoch(shapes):
    som = ExactSOM(make_config())
    # Each report is of the map that its epoch ended with, and the last one of the final map.
    errors = [report.quantization_error for report in som.fit(shapes[0])]
    # While the neighbourhood is wide the map unfolds; later, new seeds raise it for an epoch.
    assert all(later < earlier for earlier, later in pairwise(errors[:4]))
    assert errors[-1] < 0.5 * errors[0]
    assert errors[-1] == pytest.approx(quantization_error(som.project(shapes[0])))


def test_decaying_schedule_ends_better_than_the_pink_rule(shapes):
    batch, pink = (ExactSOM(make_config(rule=rule)) for rule in ("batch", "pink"))
    batch.fit(shapes[0])
    pink.fit(shapes[0])
    held_out = make_shapes(30, seed=2)[0]
    assert quantization_error(batch.project(held_out)) < quantization_error(pink.project(held_out))


def test_prototypes_do_not_collapse():
    images = make_noise(60, size=12)
    som = ExactSOM(make_config(image_shape=(1, 12, 12), epochs=8))
    som.fit(images)
    assert (hits(som.project(images), som.config.grid) > 0).all()
    assert som.u_matrix().min() > 0.1 * float(som.weights.flatten(1).norm(dim=1).mean())


@pytest.mark.parametrize("rule", ["batch", "pink"])
def test_equal_seeds_give_equal_maps_and_other_seeds_others(shapes, rule):
    maps = []
    for seed in (4, 4, 5):
        som = ExactSOM(make_config(seed=seed, epochs=2, rule=rule))
        som.fit(shapes[0][:40])
        maps.append(som.weights)
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])


@pytest.mark.parametrize("rule", ["batch", "pink"])
def test_resumed_training_gives_the_map_of_no_interruption(shapes, rule, tmp_path):
    images, config, path = shapes[0][:40], make_config(epochs=4, rule=rule), tmp_path / "map"
    whole = ExactSOM(config)
    whole.fit(images)

    reports = []
    broken = ExactSOM(config)
    broken.fit(
        images,
        checkpoint=path,
        on_epoch=reports.append,
        should_stop=lambda: len(reports) == 2,
    )
    assert len(broken.history) == 2

    resumed = ExactSOM(config)
    history = resumed.fit(images, checkpoint=path, resume=True)
    assert torch.equal(resumed.weights, whole.weights)
    assert history == whole.history


@pytest.mark.parametrize("rule", ["batch", "pink"])
def test_stopping_within_an_epoch_drops_what_is_unfinished(shapes, rule):
    images = shapes[0][:20]
    reference = ExactSOM(make_config(epochs=2, rule=rule))
    at_end_of_first = []
    reference.fit(images, on_epoch=lambda _: at_end_of_first.append(reference.weights.clone()))

    som, chunks = ExactSOM(make_config(epochs=2, rule=rule), memory_bytes=1), []
    som.fit(
        images,
        on_progress=lambda done, total: chunks.append((done, total)),
        should_stop=lambda: len(chunks) == 30,
    )
    assert chunks[-1] == (30, 40)
    assert len(som.history) == 1
    assert torch.allclose(som.weights, at_end_of_first[0], atol=1e-6)


def test_without_resume_training_begins_anew(shapes, tmp_path):
    images, path = shapes[0][:20], tmp_path / "map"
    ExactSOM(make_config(epochs=2)).fit(images, checkpoint=path)
    som = ExactSOM(make_config(epochs=1))
    assert len(som.fit(images, checkpoint=path)) == 1


def test_checkpoint_of_other_settings_is_refused(shapes, tmp_path):
    images, path = shapes[0][:20], tmp_path / "map"
    ExactSOM(make_config(epochs=1)).fit(images, checkpoint=path)
    message = r"map was trained with other settings \(epochs 1\); resume with these, or train anew"
    with pytest.raises(InputError, match=message):
        ExactSOM(make_config(epochs=3)).fit(images, checkpoint=path, resume=True)


def test_checkpoint_of_other_images_is_refused(shapes, tmp_path):
    path = tmp_path / "map"
    ExactSOM(make_config(epochs=1)).fit(shapes[0][:20], checkpoint=path)
    with pytest.raises(InputError, match="map was trained on other images"):
        ExactSOM(make_config(epochs=1)).fit(shapes[0][1:21], checkpoint=path, resume=True)


def test_images_are_read_in_slices_within_the_budget(shapes):
    som = ExactSOM(make_config(epochs=1), memory_bytes=1_000_000)
    stack = OnlySlices(shapes[0])
    som.fit(stack)
    assert 1 < stack.largest < 60


def align_to(som, unit, images):
    """Images aligned to one prototype, as the projection on a map of only this one says."""
    alone = ExactSOM(make_config(image_shape=(1, 9, 9), rows=1, columns=2, n_rotations=8))
    alone.weights = som.weights[[unit, unit]]
    place = alone.project(images)
    return rotate_images(
        torch.from_numpy(images), torch.from_numpy(place.angle_rad), torch.from_numpy(place.flip)
    ).numpy()


def make_untrained(**changes):
    config = make_config(image_shape=(1, 9, 9), rows=2, columns=2, n_rotations=8, **changes)
    som = ExactSOM(config)
    som.weights = torch.from_numpy(make_noise(4, size=9, seed=3))
    return som


def test_one_batch_epoch_agrees_with_plain_loops():
    som, images, sigma = make_untrained(), make_noise(7, size=9), 0.8
    grid, matcher, sums = som.config.grid, som.matcher(), BatchSums(som.weights)
    for part in (images[:3], images[3:]):
        match = matcher.match(torch.from_numpy(part))
        sums.add(match, neighbourhood(grid, sigma)[match.best_two()[0]])

    best = som.project(images).best
    reach = np.exp(-0.5 * (grid.distances() / sigma) ** 2)
    for unit in range(4):
        mean = np.average(align_to(som, unit, images), axis=0, weights=reach[best, unit])
        assert np.allclose(sums.means(som.weights)[unit], mean, atol=1e-5)


def test_one_step_of_the_pink_rule_agrees_with_its_formula():
    som, image = make_untrained(rule="pink"), make_noise(1, size=9)
    before, best = som.weights.clone(), int(som.project(image).best[0])
    aligned = [align_to(som, unit, image)[0] for unit in range(4)]
    distances = som.config.grid.distances()
    match = som.matcher().match(torch.from_numpy(image))
    pink_step(som.weights, match, best, torch.from_numpy(distances))
    for unit in range(4):
        gauss = np.exp(-0.5 * (distances[best, unit] / 1.1) ** 2) / (1.1 * np.sqrt(2 * np.pi))
        expected = before[unit] + 0.2 * gauss * (torch.from_numpy(aligned[unit]) - before[unit])
        assert torch.allclose(som.weights[unit], expected.float(), atol=1e-6)


def test_units_that_no_image_reaches_are_given_one():
    images = make_noise(40, size=9, seed=5)
    config = make_config(
        image_shape=(1, 9, 9), epochs=3, sigma_start=0.2, sigma_end=0.2, initialization="pca"
    )
    som = ExactSOM(config)
    reports = som.fit(images)
    assert reports[0].n_reseeded > 0
    assert reports[-1].n_reseeded == 0


def test_an_empty_unit_is_given_the_worst_member_beside_it():
    members = Members(4, torch.device("cpu"))
    members.add(torch.tensor([0, 2, 2]), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([7, 8, 9]))
    members.add(torch.tensor([2]), torch.tensor([3.0]), torch.tensor([4]))
    assert members.count.tolist() == [1, 0, 3, 0]
    # Unit 1 lies between 0 and 2, unit 3 beside 2, whose worst member is given away already.
    assert members.heirs(Grid(1, 4)) == {1: 4}


def test_neighbourhood_is_cut_where_it_is_negligible():
    reach = neighbourhood(Grid(1, 9), 1.0)
    assert reach[0, 0] == 1.0
    assert reach[0, 3] == pytest.approx(np.exp(-4.5))
    assert (reach[0, 4:] == 0.0).all()


def test_seeds_avoid_copies_of_what_is_chosen():
    x = np.repeat([0.0, 1.0, 5.0], 20)
    chosen = spread(np.abs(x[:, None] - x), 3, np.random.default_rng(1))
    assert set(x[chosen].tolist()) == {0.0, 1.0, 5.0}


def test_seeds_are_different_items_even_if_all_are_alike():
    chosen = spread(np.zeros((6, 6)), 6, np.random.default_rng(1))
    assert sorted(chosen.tolist()) == list(range(6))


def test_layout_puts_similar_seeds_together():
    y, x = np.divmod(np.random.default_rng(1).permutation(12), 3)
    apart = np.hypot(3.0 * (y[:, None] - y), x[:, None] - x)
    for rows, columns in ((4, 3), (3, 4)):
        units = lay_out(apart, rows, columns)
        assert sorted(units.tolist()) == list(range(12))
        near = Grid(rows, columns).distances() == 1.0
        assert apart[np.ix_(units, units)][near].max() == 3.0


def test_fewer_images_than_prototypes_are_refused(shapes):
    message = "a map of 9 prototypes needs at least as many images, got 8; choose fewer rows"
    with pytest.raises(InputError, match=message):
        ExactSOM(make_config()).fit(shapes[0][:8])


def test_bad_pixel_is_refused_with_the_number_of_its_image(shapes):
    images = shapes[0][:40].copy()
    images[33, 0, 2, 2] = np.nan
    with pytest.raises(InputError, match=r"image 33 has blank \(NaN\)"):
        ExactSOM(make_config()).fit(images)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_rotations": 6}, "n_rotations must be a positive multiple of 4, got 6"),
        ({"rows": 0}, "rows must be at least 1, got 0"),
        ({"image_shape": (1, 24, 20)}, r"image_shape must be square .*got \(1, 24, 20\)"),
        ({"image_shape": (24, 24)}, r"image_shape must be \(C, H, W\), got \(24, 24\)"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"seed": -1}, "seed must not be negative, got -1"),
        ({"window": "round"}, "window must be disk or square, got round"),
        ({"rule": "sink"}, "rule must be batch or pink, got sink"),
        ({"sigma_start": 0.2}, "sigma_start must not be below sigma_end.*got 0.2 and 0.3"),
        ({"sigma_end": 0.0}, "both must be positive"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        make_config(**changes)


def test_layout_of_many_seeds_is_that_of_a_plane():
    """More items than the landmarks that an eigenvalue problem places."""
    y, x = np.divmod(np.random.default_rng(1).permutation(900), 30)
    apart = np.hypot(3.0 * (y[:, None] - y), x[:, None] - x)
    units = lay_out(apart, 30, 30)
    assert sorted(units.tolist()) == list(range(900))
    near = Grid(30, 30).distances() == 1.0
    assert apart[np.ix_(units, units)][near].max() < 9.0
    assert apart[np.ix_(units, units)][near].mean() < 2.5
