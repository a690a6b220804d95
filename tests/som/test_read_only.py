"""Images in a file that nobody may write to are read without a copy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skysort.som.config import SOMConfig
from skysort.som.exact import ExactSOM
from skysort.som.polar_som import PolarSOM
from skysort.som.stack import read_chunk


@pytest.fixture
def file(tmp_path):
    images = np.random.default_rng(1).random((30, 1, 16, 16)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    return tmp_path / "images.npy"


def test_reading_a_mapped_file_copies_nothing(file):
    images = np.load(file, mmap_mode="r")
    chunk = read_chunk(images, 0, 30, (1, 16, 16), allow_blank=False)
    assert np.shares_memory(chunk.pixels, images)


@pytest.mark.parametrize("engine", [PolarSOM, ExactSOM])
def test_training_and_placing_leave_the_file_as_it_was(engine, file):
    before = np.load(file)
    images = np.load(file, mmap_mode="r")
    som = engine(SOMConfig(image_shape=(1, 16, 16), rows=2, columns=2, epochs=2, n_rotations=12))
    som.fit(images)
    from_file, from_memory = som.project(images), som.project(before)
    assert_array_equal(from_file.best, from_memory.best)
    assert_array_equal(from_file.distance, from_memory.distance)
    assert_array_equal(np.load(file), before)
