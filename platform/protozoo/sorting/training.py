"""Trains maps and projects subjects on them; imports torch, so no web process may import it."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final, cast

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from protozoo.jobs.services import Report, silent
from protozoo.sorting.exceptions import SortingError
from protozoo.sorting.features import features_write
from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.sorting.selectors import numbers_in_shards, subjects_in_shard_order
from skysort.errors import InputError
from skysort.images.prepared import PreparedImages
from skysort.images.recipes import Recipe, get_recipe
from skysort.images.shards import ShardReader
from skysort.som.checkpoint import map_checksum
from skysort.som.grid import Topology
from skysort.som.outliers import Outliers, find_outliers
from skysort.som.polar_som import EpochReport, PolarSOM, Projection, SOMConfig
from skysort.som.quality import quantization_error, topographic_error
from skysort.som.stack import Progress

# Rows that go into the database at once.
BATCH_SIZE: Final = 2000


def sorting_run(*, sorting_id: int, report: Report = silent) -> Sorting:
    """Train the map, project every subject and write both down; goes on from its checkpoint."""
    sorting = Sorting.objects.select_related("survey").get(pk=sorting_id)
    if sorting.state == Sorting.State.READY:
        return sorting
    try:
        sorting.folder.mkdir(parents=True, exist_ok=True)
        images = _images(sorting)
        som = _train(sorting, images, report)
        projection = _project(sorting, som, images, report)
        drawing = _rereading(sorting, report, "drawing prototypes")
        _save_pictures(sorting, som.aligned_means(images, projection, on_progress=drawing))
        describing = _rereading(sorting, report, "describing subjects")
        features_write(sorting=sorting, som=som, images=images, on_progress=describing)
        finding = _rereading(sorting, report, "finding outliers")
        outliers = find_outliers(som, images, projection, on_progress=finding)
    except InputError as error:
        raise SortingError(str(error)) from error
    except OSError as error:
        raise SortingError(
            f"Sorting {sorting.pk} cannot be written to {sorting.folder}:"
            f" {error.strerror or error}. Sort again to go on from the last epoch."
        ) from error
    _write_down(sorting, som, projection, outliers)
    return sorting


def _save_pictures(sorting: Sorting, pictures: NDArray[np.float32]) -> None:
    """Write the pictures whole or not at all: a page may be reading older ones."""
    partial = sorting.pictures_path.with_name(f".{sorting.pictures_path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            np.save(file, pictures.astype(np.float32, copy=False))
        partial.replace(sorting.pictures_path)
    finally:
        partial.unlink(missing_ok=True)


def _images(sorting: Sorting) -> PreparedImages:
    reader = ShardReader(sorting.survey.shard_folder)
    if reader.n_images < sorting.n_subjects:
        raise SortingError(
            f"The shards of survey {sorting.survey.slug} hold {reader.n_images} images and the"
            f" database {sorting.n_subjects} subjects; import the survey again to mend it."
        )
    recipe = get_recipe(sorting.recipe)
    if sorting.parent_id is None:
        return PreparedImages(reader, recipe, n_images=sorting.n_subjects)
    return _Members(reader, recipe, numbers_in_shards(sorting))


class _Members(PreparedImages):
    """Some images of a survey, prepared as they are read."""

    def __init__(self, reader: ShardReader, recipe: Recipe, numbers: NDArray[np.int64]) -> None:
        super().__init__(reader, recipe, n_images=len(numbers))
        self.numbers = numbers

    def __getitem__(self, part: slice, /) -> NDArray[np.float32]:
        return self.recipe(self.reader.read_numbers(self.numbers[part]))


def _train(sorting: Sorting, images: PreparedImages, report: Report) -> PolarSOM:
    _note(sorting, state=Sorting.State.TRAINING)
    som = PolarSOM(_config(sorting, images))
    n_images = sorting.n_subjects

    def on_progress(done: int, total: int) -> None:
        epoch = min(sorting.n_epochs, 1 + done // n_images)
        report(done, _work(sorting), f"training, epoch {epoch} of {sorting.n_epochs}")

    def on_epoch(epoch: EpochReport) -> None:
        # Earlier rows stay: training may go on from a checkpoint.
        done = [row for row in sorting.history if row["epoch"] < epoch.epoch]
        _note(sorting, history=[*done, asdict(epoch)])

    som.fit(
        images,
        on_epoch=on_epoch,
        on_progress=on_progress,
        checkpoint=sorting.map_path,
        resume=True,
        about={"survey": sorting.survey.slug, "recipe": sorting.recipe},
    )
    return som


def _note(sorting: Sorting, **fields: Any) -> None:
    """Note how far it has come, unless a second worker was quicker and all is done."""
    Sorting.objects.filter(pk=sorting.pk).exclude(state=Sorting.State.READY).update(**fields)
    for name, value in fields.items():
        setattr(sorting, name, value)


def _work(sorting: Sorting) -> int:
    """Count images to be matched: in every epoch, and once more for the projection."""
    return sorting.n_subjects * (sorting.n_epochs + 1)


def _config(sorting: Sorting, images: PreparedImages) -> SOMConfig:
    return SOMConfig(
        rows=sorting.rows,
        columns=sorting.columns,
        topology=cast(Topology, sorting.topology),
        periodic=sorting.is_periodic,
        n_rotations=sorting.n_rotations,
        epochs=sorting.n_epochs,
        seed=sorting.seed,
        image_shape=images.image_shape,
    )


def _project(sorting: Sorting, som: PolarSOM, images: PreparedImages, report: Report) -> Projection:
    _note(sorting, state=Sorting.State.PROJECTING)
    trained = sorting.n_subjects * sorting.n_epochs

    def on_progress(done: int, total: int) -> None:
        report(trained + done, trained + total, "projecting")

    return som.project(images, on_progress=on_progress)


def _rereading(sorting: Sorting, report: Report, what: str) -> Progress:
    """Report what reads all images once more: it takes minutes, and renews the job's lease."""
    whole = _work(sorting)
    return lambda done, total: report(whole, whole, f"{what}, {done:,} of {total:,}")


@transaction.atomic
def _write_down(
    sorting: Sorting, som: PolarSOM, projection: Projection, outliers: Outliers
) -> None:
    """Write all down at once, unless a second worker was quicker: campaigns may use its rows."""
    held = Sorting.objects.select_for_update().get(pk=sorting.pk)
    if held.state == Sorting.State.READY:
        sorting.refresh_from_db()
        return
    prototypes = Prototype.objects.bulk_create(_prototypes(sorting, som, projection))
    keys = np.array([prototype.pk for prototype in prototypes])
    rows = _assignments(sorting, projection, outliers, keys)
    Assignment.objects.bulk_create(rows, batch_size=BATCH_SIZE)
    sorting.quantization_error = quantization_error(projection)
    sorting.topographic_error = topographic_error(projection, som.config.grid)
    sorting.map_checksum = map_checksum(sorting.map_path)
    sorting.state = Sorting.State.READY
    sorting.finished_at = timezone.now()
    sorting.save()


def _prototypes(sorting: Sorting, som: PolarSOM, projection: Projection) -> list[Prototype]:
    n_units = som.config.grid.n_units
    n_members = np.bincount(projection.best, minlength=n_units)
    total = np.bincount(projection.best, weights=projection.distance, minlength=n_units)
    borders = som.u_matrix()
    return [
        Prototype(
            sorting=sorting,
            row=unit // sorting.columns,
            column=unit % sorting.columns,
            n_members=int(n_members[unit]),
            mean_distance=float(total[unit] / n_members[unit]) if n_members[unit] else None,
            neighbour_distance=float(borders.flat[unit]),
        )
        for unit in range(n_units)
    ]


def _assignments(
    sorting: Sorting, projection: Projection, outliers: Outliers, keys: NDArray[np.int64]
) -> Iterator[Assignment]:
    subjects = subjects_in_shard_order(sorting)
    for n, (subject, leader) in enumerate(zip(subjects, outliers.group, strict=True)):
        yield Assignment(
            sorting=sorting,
            subject_id=int(subject),
            outlier_leader_id=None if leader == n else int(subjects[leader]),
            prototype_id=int(keys[projection.best[n]]),
            second_prototype_id=int(keys[projection.second[n]]),
            distance=float(projection.distance[n]),
            second_distance=float(projection.second_distance[n]),
            angle_rad=float(projection.angle_rad[n]),
            is_flipped=bool(projection.flip[n]),
            outlier_score=float(outliers.score[n]),
            outlier_rank=int(outliers.rank[n]),
        )
