import numpy as np
import pytest
import torch

from skysort.errors import InputError
from skysort.som.exact import ExactSOM, SOMConfig
from skysort.som.grid import Grid
from skysort.som.projection import Projection
from skysort.som.quality import (
    hit_entropy,
    hits,
    quantization_error,
    topographic_error,
)
from skysort.som.rotation import rotate_images
from tests.som.shapes import make_noise


def make_projection(best, second, distance=None):
    n = len(best)
    distance = np.ones(n) if distance is None else np.asarray(distance)
    return Projection(
        best=np.array(best, dtype=np.int64),
        second=np.array(second, dtype=np.int64),
        distance=distance.astype(np.float32),
        second_distance=(distance + 1.0).astype(np.float32),
        angle_rad=np.zeros(n, np.float32),
        flip=np.zeros(n, bool),
    )


def test_quantization_error_is_the_mean_distance():
    assert quantization_error(make_projection([0, 0, 1], [1, 1, 0], [1, 2, 6])) == 3.0


@pytest.mark.parametrize(
    ("grid", "error"),
    [
        (Grid(2, 4), 0.5),  # 0-5 is diagonal, 0-2 and 0-3 are torn
        (Grid(2, 4, periodic=True), 0.25),  # 0-3 touch around the edge
        (Grid(2, 4, topology="hexagonal"), 0.75),  # 0-5 are 1.7 steps apart
    ],
)
def test_topographic_error_counts_torn_neighbours(grid, error):
    assert topographic_error(make_projection([0, 0, 0, 0], [1, 2, 3, 5]), grid) == error


def test_hits_count_empty_units_too():
    assert hits(make_projection([0, 2, 2], [1, 1, 1]), Grid(2, 2)).tolist() == [1, 0, 2, 0]


def test_hit_entropy_runs_from_one_unit_to_all():
    assert hit_entropy(np.array([9, 0, 0])) == 0.0
    assert hit_entropy(np.array([3, 3, 3])) == pytest.approx(1.0)
    with pytest.raises(InputError, match="hit_entropy needs at least one hit, got 0"):
        hit_entropy(np.array([0, 0]))


def test_u_matrix_is_blind_to_rotation_and_flip():
    one, other = torch.from_numpy(make_noise(2, size=9))
    som = ExactSOM(SOMConfig(image_shape=(1, 9, 9), rows=1, columns=4, n_rotations=4))
    half = torch.tensor([0.0, torch.pi / 2, torch.pi])
    copies = rotate_images(one.repeat(3, 1, 1, 1), half, torch.tensor([False, True, True]))
    som.weights = torch.cat([copies, other[None]])
    heights = som.u_matrix()
    assert heights[0] == pytest.approx(0.0, abs=1e-3)
    assert heights[1] == pytest.approx(0.0, abs=1e-3)
    distance = som.project(other[None].numpy()).second_distance[0]
    assert heights[3] == pytest.approx(distance, rel=1e-5)
    assert heights[2] == pytest.approx(distance / 2.0, rel=1e-3)
