"""Sorting describes every subject by numbers that do not change when it is turned."""

import numpy as np
import pytest
import torch

from protozoo.sorting.exceptions import SortingError
from protozoo.sorting.selectors import features_of, subjects_in_shard_order
from protozoo.sorting.services import sorting_create
from protozoo.sorting.training import sorting_run
from skysort.consensus.kernel_map import KernelMap
from skysort.images.shards import ShardWriter
from skysort.synthetic import make_images
from tests import factories

pytestmark = pytest.mark.django_db
N, SIZE = 60, 32


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def sorting():
    survey = factories.make_survey(image_size=SIZE, recipe="sqrt-1")
    factories.make_subjects(N, survey=survey)
    images, _ = make_images(N, size=SIZE, seed=5, shapes=["compact", "frii", "bent"])
    images[1] = np.rot90(images[0], axes=(1, 2))
    with ShardWriter(survey.shard_folder, image_shape=(1, SIZE, SIZE), about={}) as writer:
        writer.append(images)
    return sorting_create(survey=survey, rows=3, columns=3, n_rotations=16, n_epochs=2, seed=4)


def test_a_subject_and_its_turned_copy_are_described_alike(sorting):
    sorting_run(sorting_id=sorting.pk)
    features = np.load(sorting.features_path)
    assert features.shape == (N, KernelMap.load(sorting.feature_map_path).n_features)
    assert features.dtype == np.float32
    apart = np.linalg.norm(features[:, None] - features[None], axis=2)
    assert apart[0, 1] < 0.1 * np.median(apart)


def test_blocks_change_nothing(sorting, monkeypatch):
    sorting_run(sorting_id=sorting.pk)
    twin = sorting_create(
        survey=sorting.survey, rows=3, columns=3, n_rotations=16, n_epochs=2, seed=4
    )
    monkeypatch.setattr("protozoo.sorting.features.BLOCK", 7)
    sorting_run(sorting_id=twin.pk)
    whole, pieces = np.load(sorting.features_path), np.load(twin.features_path)
    np.testing.assert_allclose(pieces, whole, atol=1e-4)


def test_features_come_in_the_order_that_is_asked_for(sorting):
    sorting_run(sorting_id=sorting.pk)
    keys = subjects_in_shard_order(sorting)
    written = np.load(sorting.features_path)
    np.testing.assert_array_equal(features_of(sorting, keys), written)
    some = np.array([5, 50, 2, 2])
    np.testing.assert_array_equal(features_of(sorting, keys[some]), written[some])


def test_a_sorting_without_the_file_has_no_features(sorting):
    assert features_of(sorting, subjects_in_shard_order(sorting)) is None


def test_features_of_a_stranger_are_refused(sorting):
    sorting_run(sorting_id=sorting.pk)
    with pytest.raises(SortingError, match="Subject 999999 is not among those of"):
        features_of(sorting, np.array([999_999]))


def test_a_damaged_file_is_named(sorting):
    sorting_run(sorting_id=sorting.pk)
    sorting.features_path.write_bytes(b"half")
    with pytest.raises(SortingError, match=r"cannot be read from .*features\.npy"):
        features_of(sorting, subjects_in_shard_order(sorting))


def test_features_of_other_subjects_are_noticed(sorting):
    sorting_run(sorting_id=sorting.pk)
    np.save(sorting.features_path, np.zeros((N - 1, 3), dtype=np.float32))
    message = f"describe {N - 1} subjects, and {N} were sorted"
    with pytest.raises(SortingError, match=message):
        features_of(sorting, subjects_in_shard_order(sorting))


def test_a_stop_leaves_no_half_of_the_file(sorting):
    class StopError(Exception):
        pass

    def stop(done, total, message=""):
        if message.startswith("describing"):
            raise StopError

    with pytest.raises(StopError):
        sorting_run(sorting_id=sorting.pk, report=stop)
    assert not sorting.features_path.exists()
    assert {path.name for path in sorting.folder.iterdir()} == {
        "map.safetensors",
        "prototypes.npy",
        "feature_map.npz",
    }
    sorting_run(sorting_id=sorting.pk)
    assert len(np.load(sorting.features_path)) == N
