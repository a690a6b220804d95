"""Sorting puts every subject on the map, says how well, and survives being killed."""

from datetime import timedelta

import numpy as np
import pytest
import torch
from django.utils import timezone

from protozoo.jobs.exceptions import JobCancelledError
from protozoo.jobs.models import Job
from protozoo.sorting.exceptions import SortingBusyError, SortingError
from protozoo.sorting.models import Assignment, Sorting
from protozoo.sorting.services import sorting_continue, sorting_create, sorting_find
from protozoo.sorting.training import sorting_run
from skysort.images.shards import ShardReader, ShardWriter
from skysort.som.checkpoint import map_checksum
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
def survey():
    survey = factories.make_survey(image_size=SIZE, recipe="sqrt-1")
    factories.make_subjects(N, survey=survey)
    images, _ = make_images(N, size=SIZE, seed=5, shapes=["compact", "frii", "bent"])
    with ShardWriter(survey.shard_folder, image_shape=(1, SIZE, SIZE), about={}) as writer:
        writer.append(images)
    return survey


@pytest.fixture
def sorting(survey):
    return sorting_create(survey=survey, rows=3, columns=3, n_rotations=16, n_epochs=3, seed=4)


def test_every_subject_gets_its_place_on_the_map(sorting):
    done = sorting_run(sorting_id=sorting.pk)
    assert done.state == Sorting.State.READY
    rows = list(done.assignments.select_related("prototype", "second_prototype"))
    assert len(rows) == N
    for row in rows:
        assert row.prototype_id != row.second_prototype_id
        assert 0 <= row.distance <= row.second_distance
        assert 0 <= row.angle_rad < 2 * np.pi
    assert sorted(row.outlier_rank for row in rows) == list(range(1, N + 1))
    assert done.prototypes.count() == 9
    assert sum(done.prototypes.values_list("n_members", flat=True)) == N
    for prototype in done.prototypes.all():
        assert prototype.members.count() == prototype.n_members
    mean = np.mean([row.distance for row in rows])
    assert done.quantization_error == pytest.approx(mean, rel=1e-5)
    assert [row["epoch"] for row in done.history] == [1, 2, 3]
    assert all(row["quantization_error"] > 0.0 for row in done.history)
    assert done.quantization_error > 0.0
    assert done.map_checksum == map_checksum(done.map_path)
    assert np.load(done.pictures_path).shape == (9, 1, SIZE, SIZE)


def test_assignments_follow_the_pixels_and_not_the_keys(survey, sorting):
    """A subject whose pixels are another's copy lies in the same place."""
    reader = ShardReader(survey.shard_folder)
    pixels = reader.read_numbers(np.arange(N))
    pixels[7] = pixels[40]
    with ShardWriter(survey.shard_folder, image_shape=(1, SIZE, SIZE), about={}) as writer:
        writer.append(pixels)
    done = sorting_run(sorting_id=sorting.pk)
    twins = Assignment.objects.filter(sorting=done, subject__row__in=[7, 40])
    first, second = twins
    assert first.prototype == second.prototype
    assert first.distance == second.distance


def test_equal_seeds_give_equal_maps(survey, sorting):
    again = sorting_create(survey=survey, rows=3, columns=3, n_rotations=16, n_epochs=3, seed=4)
    other = sorting_create(survey=survey, rows=3, columns=3, n_rotations=16, n_epochs=3, seed=5)
    weights = [_weights(sorting_run(sorting_id=s.pk)) for s in (sorting, again, other)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_a_killed_sorting_goes_on_and_makes_the_same_map(survey, sorting):
    twin = sorting_create(survey=survey, rows=3, columns=3, n_rotations=16, n_epochs=3, seed=4)
    whole = sorting_run(sorting_id=twin.pk)

    def stop_in_the_second_epoch(done, total, message=""):
        if done > N:
            raise JobCancelledError("stop")

    with pytest.raises(JobCancelledError):
        sorting_run(sorting_id=sorting.pk, report=stop_in_the_second_epoch)
    halfway = Sorting.objects.get(pk=sorting.pk)
    assert (halfway.state, len(halfway.history)) == (Sorting.State.TRAINING, 1)
    epochs = []

    def note(done, total, message=""):
        epochs.append(message)

    done = sorting_run(sorting_id=sorting.pk, report=note)
    assert not any("epoch 1 " in message for message in epochs)
    np.testing.assert_array_equal(_weights(done), _weights(whole))
    assert done.history == whole.history


def test_a_ready_sorting_is_not_done_again(sorting):
    sorting_run(sorting_id=sorting.pk)
    before = list(Assignment.objects.order_by("pk").values())

    def never(done, total, message=""):
        pytest.fail("it worked again")

    sorting_run(sorting_id=sorting.pk, report=never)
    assert list(Assignment.objects.order_by("pk").values()) == before


def test_progress_covers_training_projection_and_outliers(sorting):
    seen = []
    sorting_run(sorting_id=sorting.pk, report=lambda d, t, m="": seen.append((d, t, m)))
    done = [row[0] for row in seen]
    assert done == sorted(done)
    assert {row[1] for row in seen} == {N * 4}
    assert (N * 4, N * 4, "projecting") in seen
    assert seen[-1] == (N * 4, N * 4, seen[-1][2])
    assert seen[-1][2].startswith("finding outliers, ")


def test_a_second_worker_leaves_alone_what_the_first_has_finished(sorting):
    slow = Sorting.objects.get(pk=sorting.pk)
    first = None

    def overtaken(done, total, message=""):
        nonlocal first
        if first is None and message == "projecting":
            first = sorting_run(sorting_id=sorting.pk)

    assert sorting_run(sorting_id=slow.pk, report=overtaken).state == Sorting.State.READY
    now = Sorting.objects.get(pk=sorting.pk)
    assert (now.state, now.finished_at) == (Sorting.State.READY, first.finished_at)
    assert now.history == first.history
    assert now.prototypes.count() == 9


def test_an_interrupted_sorting_is_found_by_its_plan(survey, sorting):
    plan = {"rows": 3, "columns": 3, "n_rotations": 16, "n_epochs": 3, "seed": 4}
    assert sorting_continue(survey=survey, **plan) == sorting
    assert sorting_continue(survey=survey, **{**plan, "seed": 5}) is None
    sorting_run(sorting_id=sorting.pk)
    assert sorting_continue(survey=survey, **plan) is None


def test_a_sorting_that_a_worker_has_is_left_to_it(survey, sorting):
    Job.objects.create(
        task="protozoo.sorting.tasks.sort", arguments={"sorting_id": sorting.pk}, title="Sort"
    )
    with pytest.raises(SortingBusyError, match=r"Job \d+ does this sorting already"):
        sorting_continue(survey=survey, rows=3, columns=3, seed=4)
    Job.objects.update(state=Job.State.RUNNING, lease_expires_at=timezone.now() - timedelta(1))
    assert sorting_continue(survey=survey, rows=3, columns=3, seed=4) == sorting


def test_a_full_disk_stops_a_sorting_with_a_sentence(sorting, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("protozoo.sorting.training._save_pictures", full)
    with pytest.raises(SortingError, match=r"No space left on device\. Sort again to go on"):
        sorting_run(sorting_id=sorting.pk)


def test_missing_pixels_are_named(survey, sorting):
    (survey.shard_folder / "shard-00000.fits").unlink()
    with pytest.raises(SortingError, match=r"shard-00000\.fits"):
        sorting_run(sorting_id=sorting.pk)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"n_rotations": 6}, "n_rotations must be a positive multiple of 4, got 6"),
        ({"rows": 1}, "at least 2 x 2 prototypes, got 1 x 3"),
        ({"rows": 30}, "30 x 3 prototypes needs at least as many subjects"),
        ({"n_epochs": 0}, "at least one epoch"),
        ({"recipe": "magic"}, "magic"),
        ({"seed": -1}, "A seed lies between 0 and"),
        ({"seed": 2**63}, "A seed lies between 0 and"),
        ({"n_epochs": 40_000}, "at most 32767, got 40000"),
    ],
)
def test_a_plan_that_cannot_work_is_refused(survey, plan, message):
    with pytest.raises(SortingError, match=message):
        sorting_create(survey=survey, **{"rows": 3, "columns": 3, **plan})


def test_a_sorting_of_the_same_plan_is_found(survey, sorting):
    assert sorting_find(survey=survey, rows=3, columns=3, seed=4) == sorting
    assert sorting_find(survey=survey, rows=3, columns=3, seed=9) is None


def _weights(sorting):
    from skysort.som.exact import ExactSOM

    return ExactSOM.load(sorting.map_path).weights.numpy()
