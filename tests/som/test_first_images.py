"""The exact map on real radio images: 400 of the FIRST survey, with labels of the literature."""

import csv
import io
import zipfile

import h5py
import numpy as np
import pytest

from skysort.images.recipes import get_recipe
from skysort.som.exact import ExactSOM, SOMConfig
from skysort.som.quality import quantization_error, topographic_error

pytestmark = pytest.mark.realdata
N_TRAIN = 300
N_ALL = 400


@pytest.fixture(scope="module")
def first(real_data):
    """Inner 128 x 128 pixels, averaged 2 x 2, in the recipe for radio images; and labels."""
    folder = real_data / "first_rgd_2158"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))[:N_ALL]]
    with zipfile.ZipFile(folder / "galaxy_data_h5.zip") as archive:
        content = io.BytesIO(archive.read("galaxy_data_h5.h5"))
    with h5py.File(content) as file:
        pixels = np.stack([file[row["index"]]["Img"][86:214, 86:214] for row in rows])
    small = pixels.reshape(N_ALL, 1, 64, 2, 64, 2).mean(axis=(3, 5), dtype=np.float32)
    return get_recipe("sqrt-1")(small), np.array([row["label"] for row in rows])


@pytest.fixture(scope="module")
def maps(first):
    trained = {}
    for rule, epochs in (("batch", 8), ("pink", 8)):
        config = SOMConfig(
            image_shape=(1, 64, 64), rows=5, columns=5, n_rotations=36, epochs=epochs, rule=rule
        )
        trained[rule] = ExactSOM(config)
        trained[rule].fit(first[0][:N_TRAIN])
    return trained


def test_batch_map_represents_held_out_sources_better_than_the_pink_rule(first, maps):
    held_out = first[0][N_TRAIN:]
    batch, pink = (quantization_error(maps[rule].project(held_out)) for rule in ("batch", "pink"))
    assert batch < pink


def test_map_is_ordered(first, maps):
    som = maps["batch"]
    assert topographic_error(som.project(first[0]), som.config.grid) < 0.2


def test_turned_and_mirrored_sources_stay_on_their_prototypes(first, maps):
    som, images = maps["batch"], first[0]
    moved = np.ascontiguousarray(np.rot90(images, axes=(2, 3))[..., ::-1])
    before, after = som.project(images), som.project(moved)
    assert np.array_equal(before.best, after.best)
    assert np.allclose(before.distance, after.distance, rtol=0, atol=1e-5 * before.distance.max())


def test_prototypes_gather_sources_of_one_class(first, maps):
    images, labels = first
    best = maps["batch"].project(images).best
    right = 0
    for unit in range(maps["batch"].config.grid.n_units):
        classes, counts = np.unique(labels[:N_TRAIN][best[:N_TRAIN] == unit], return_counts=True)
        if len(classes):
            members = labels[N_TRAIN:][best[N_TRAIN:] == unit]
            right += int((members == classes[counts.argmax()]).sum())
    commonest = np.unique(labels[N_TRAIN:], return_counts=True)[1].max()
    assert right > commonest + 10
